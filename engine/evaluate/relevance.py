"""Which missing facts can still change a verdict: exactly those, found by supplying them.

A missing fact is relevant where, for some way of supplying or leaving out the other missing facts, supplying it
changes the verdict. The search works on the simplified expressions: it supplies values at and around every
constant the rule mentions, keeps every state it has seen, and stops as soon as every candidate is shown relevant.
A candidate that the search can neither show relevant nor exclude within its budget stays listed: a fact too many
is asked for rather than one too few.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.evaluate.judge import Parts, judge
from landrules.engine.evaluate.reference import ExecutionError, Situation
from landrules.engine.evaluate.simplify import simplify
from landrules.engine.language import tree as t
from landrules.facts.records import Value
from landrules.facts.vocabulary import Subject

__all__ = ["Witnesses", "domains", "relevant_facts", "simplified"]

_BUDGET = 3000
_NEVER_ASKED = "deviation_justified"
_NUMBERS = tuple(Fraction(number) for number in (0, 1, 100, 10**6, 10**10))
_MONTH = re.compile(r"\d{4}-\d{2}")
_DAYS = (date(1990, 1, 1), date(2022, 6, 30), date(2023, 6, 1), date(2060, 1, 1))


def simplified(parts: Parts, situation: Situation) -> Parts:
    """The parts with everything known put in."""
    when = simplify(parts.when, situation)
    if when == t.TruthConstant(False):
        return Parts(when, t.TruthConstant(False), t.TruthConstant(True), deviation=False)
    return Parts(when, simplify(parts.exclude, situation), simplify(parts.met, situation), parts.deviation)


Witnesses = dict[str, list[tuple[Mapping[str, Value], Value]]]
"""For a fact, ways of supplying the others in which a value of it once changed a verdict."""


def relevant_facts(
    parts: Parts, situation: Situation, subject: Subject, witnesses: Witnesses | None = None
) -> tuple[str, ...]:
    """Keys of the missing facts that can still change the verdict of `parts`, in reading order.

    `parts` may be simplified already; `situation.values` is what is known. 偏离理由 is never listed
    (CONVENTIONS §3: unfilled is read as none). What was found for one record is tried first for the next when the
    same `witnesses` are passed in; they speed the search up and change nothing in its outcome.
    """
    start = simplified(parts, situation)
    candidates = _open_facts(start)
    if not candidates:
        return ()
    blank = situation.with_values(
        {key: value for key, value in situation.values.items() if key == _NEVER_ASKED}
    )
    witnesses = {} if witnesses is None else witnesses
    choices = domains(start, candidates, subject)
    relevant = {key for key in candidates if _witnessed(key, start, blank, choices, witnesses)}
    seen: set[Parts] = set()
    pending: list[tuple[Parts, Mapping[str, Value], Mapping[str, Value]]] = [(start, {}, {})]
    spent = 0
    while pending and len(relevant) < len(candidates) and spent < _BUDGET:
        before, above, step = pending.pop()
        state = simplified(before, blank.with_values({**blank.values, **step})) if step else before
        if state in seen:
            continue
        seen.add(state)
        path = {**above, **step}
        verdict = judge(state, blank).verdict
        decided: list[tuple[Parts, Mapping[str, Value], Mapping[str, Value]]] = []
        undecided: list[tuple[Parts, Mapping[str, Value], Mapping[str, Value]]] = []
        for key in _open_facts(state):
            for value in choices[key]:
                spent += 1
                try:
                    outcome = judge(state, blank.with_values({**blank.values, key: value})).verdict
                except ExecutionError:
                    continue
                if outcome is not verdict and key not in relevant:
                    relevant.add(key)
                    witnesses.setdefault(key, []).append((path, value))
                (undecided if outcome is Verdict.OPEN else decided).append((state, path, {key: value}))
        # Undecided states lead on to more facts, so they are looked at first, in the order of the choices.
        pending.extend(reversed(decided))
        pending.extend(reversed(undecided))
    exhausted = not pending
    return tuple(key for key in candidates if key in relevant or not exhausted)


def _witnessed(
    key: str, parts: Parts, blank: Situation, choices: Mapping[str, tuple[Value, ...]], witnesses: Witnesses
) -> bool:
    for path, value in witnesses.get(key, ()):
        others = {name: other for name, other in path.items() if name in choices}
        # Only what the search itself would try counts, so that the outcome does not depend on what came before.
        if value not in choices[key] or any(other not in choices[name] for name, other in others.items()):
            continue
        known = {**blank.values, **others}
        try:
            before = judge(parts, blank.with_values(known)).verdict
            if judge(parts, blank.with_values({**known, key: value})).verdict is not before:
                return True
        except ExecutionError:
            continue
    return False


def domains(parts: Parts, keys: Iterable[str], subject: Subject) -> Mapping[str, tuple[Value, ...]]:
    """Values worth trying for each fact: both truths, every allowed value, at and around each constant."""
    numbers: set[Fraction] = set(_NUMBERS)
    days: set[date] = set(_DAYS)
    texts: set[str] = set()
    groups: set[frozenset[str]] = set()
    for root in (parts.when, parts.exclude, parts.met):
        for node in t.walk(root):
            match node:
                case t.NumberConstant(value=number):
                    numbers.update((number - 1, number, number + 1))
                case t.DateConstant(value=day) if date.min < day < date.max:
                    days.update((day - timedelta(days=1), day, day + timedelta(days=1)))
                case t.TextConstant(value=text):
                    texts.add(text)
                case t.Members(values=values):
                    texts.update(values)
                    groups.add(frozenset(values))
                case _:
                    pass
    result: dict[str, tuple[Value, ...]] = {}
    for key in keys:
        fact = subject.facts.get(key)
        match fact.type if fact else "text":
            case "bool":
                result[key] = (True, False)
            case "number" | "integer":
                # Numbers that every search tries come first, so that what they show can serve the next record too.
                own = sorted(number for number in numbers.difference(_NUMBERS) if number >= 0)
                result[key] = (*_NUMBERS, *own)
            case "date":
                result[key] = tuple(sorted(days))
            case "set" if fact is not None:
                everything = frozenset(fact.values)
                named = {group & everything for group in groups}
                tried = {frozenset[str](), everything, *named, *(everything - group for group in named)}
                result[key] = _by_members(tried)
            case "enum" if fact is not None:
                other = [value for value in fact.values if value not in texts][:1]
                result[key] = tuple(value for value in fact.values if value in texts or value in other)
            case _ if fact is not None and fact.format == "YYYY-MM":
                months = sorted(text for text in texts if _MONTH.fullmatch(text))
                result[key] = ("1990-01", *months, "2060-12")
            case _:
                result[key] = (*sorted(texts), "其他")
    return result


def _by_members(groups: set[frozenset[str]]) -> tuple[frozenset[str], ...]:
    return tuple(sorted(groups, key=sorted))


def _open_facts(parts: Parts) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    for root in (parts.when, parts.exclude, parts.met):
        for key in t.facts_of(root):
            if key != _NEVER_ASKED:
                keys[key] = None
    return tuple(keys)
