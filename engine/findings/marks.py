"""Marks of a verdict: the presumptions it rests on, and whether the rounding of an input could turn it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from landrules.engine.evaluate.judge import DEVIATION, Judgement, Parts, judge
from landrules.engine.evaluate.reference import ExecutionError, Situation, evaluate
from landrules.engine.language import tree as t
from landrules.facts.records import Entry
from landrules.facts.vocabulary import Fact

__all__ = ["borderline", "presumptions"]


def presumptions(
    parts: Parts, nodes: tuple[t.Expression, ...], judgement: Judgement, situation: Situation
) -> tuple[t.Expression, ...]:
    """The presumptions without which the verdict would be another one.

    Where none decides alone but all together do, all that are at work are named. An unfilled deviation, read as
    none, is not among them: it only ever keeps a violation (CONVENTIONS §3).
    """
    active = [node for node in nodes if _at_work(node, situation)]
    if not active:
        return ()

    def changes(*suspended: t.Expression) -> bool:
        return judge(parts, situation.suspending(*suspended)).verdict is not judgement.verdict

    alone = tuple(node for node in active if changes(node))
    if alone or not changes(*active):
        return alone
    return tuple(active)


def borderline(
    parts: Parts,
    facts: Sequence[Fact],
    judgement: Judgement,
    situation: Situation,
    entries: Mapping[str, Entry],
) -> tuple[str, ...]:
    """Facts whose value, moved by half of its last written digit, gives another verdict (临界, CONVENTIONS §6).

    Only what is measured is rounded: terms in years or months are agreed, standards set by a document are given,
    counts are counted, and a written zero says that there is none.
    """
    found = []
    for fact in facts:
        entry = entries.get(fact.key)
        if fact.parameter or fact.dimension.month or entry is None or entry.half_step is None:
            continue
        if not isinstance(entry.value, Fraction):
            continue
        for moved in (entry.value - entry.half_step, entry.value + entry.half_step):
            changed = situation.with_values({**situation.values, fact.key: moved})
            try:
                if judge(parts, changed).verdict is not judgement.verdict:
                    found.append(fact.key)
                    break
            except ExecutionError:
                continue
    return tuple(found)


def _at_work(node: t.Expression, situation: Situation) -> bool:
    if node == DEVIATION:
        return False
    match node:
        case t.Coalesce(value=value) | t.IsKnown(value=value):
            return evaluate(value, situation) is None
        case t.ApplicableMinimumPrice(adjusted=adjusted, term=term):
            return evaluate(adjusted, situation) is None and evaluate(term, situation) is None
        case t.NotYetDue() | t.Deadline():
            return evaluate(node, situation) is True and evaluate(node, situation.suspending(node)) is None
        case _:
            return False
