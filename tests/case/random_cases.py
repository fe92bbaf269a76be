"""Random cases over a rulebook: facts near the limits of one rule, arriving in random order, corrected and withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from landrules.engine.evaluate.judge import judge, parts_of
from landrules.engine.evaluate.reference import Situation
from landrules.engine.evaluate.relevance import domains
from landrules.engine.language import tree as t
from landrules.facts.calendar import Workdays
from landrules.facts.records import Entry, Record, Value

if TYPE_CHECKING:
    import random

    from landrules.engine.rulebook import Rulebook
    from landrules.engine.rulebook.model import Rule

_STEPS = 80


@dataclass(frozen=True)
class Focus:
    """A rule with the facts that it reads and the values worth trying for each."""

    versions: tuple[Rule, ...]
    values: dict[str, tuple[Value, ...]]


def focuses(rulebook: Rulebook) -> list[Focus]:
    """One for each rule of the rulebook."""
    result = []
    for versions in rulebook.rules.values():
        values: dict[str, list[Value]] = {}
        subject = rulebook.vocabulary.subjects[versions[0].subject]
        for rule in versions:
            parts = parts_of(rule)
            keys = dict.fromkeys(
                key for root in (parts.when, parts.exclude, parts.met) for key in t.facts_of(root)
            )
            for key, choices in domains(parts, [*keys, "deviation_justified"], subject).items():
                values.setdefault(key, []).extend(choices)
        document = rulebook.documents[versions[0].document]
        places = [place.name for place in document.places]
        values["district"] = [*values.get("district", []), *places, *places, "北京市西城区"]
        values["city"] = [*values.get("city", []), document.city, "北京市"]
        days = [day for rule in versions for day in (rule.period.start, rule.period.end) if day]
        days += [day for part in document.uncertain for day in (part.start, part.end) if day]
        near = [day + timedelta(days=step) for day in days for step in (-1, 0, 1, 60)]
        values["action_date"] = [*values.get("action_date", []), *near]
        values["as_of_date"] = [*values.get("as_of_date", []), *near, date(2023, 6, 1), date(2031, 1, 1)]
        for rule in versions:
            if rule.gate_fact:
                values.setdefault(rule.gate_fact, []).extend(near)
        known = {key: tuple(choices) for key, choices in values.items() if key in subject.facts and choices}
        result.append(Focus(versions, known))
    return result


def arrivals(focus: Focus, rng: random.Random, events: int = 6) -> Iterator[Record]:
    """A case as it stands after each event, from its opening with nothing known to its end.

    The facts that arrive are drawn so that the rule often applies and is met or violated; some are corrected to
    anything else, some are withdrawn, some arrive as 未知.
    """
    subject = focus.versions[0].subject
    goal = _goal(focus, rng)
    pending = rng.sample(sorted(goal), len(goal))
    if rng.random() < 0.8:  # else place and day come late, or never
        pending.sort(key=lambda key: key not in ("district", "action_date"))
    if rng.random() < 0.4:
        del pending[rng.randint(1, len(pending)) :]
    size = max(1, -(-len(pending) // max(1, events - 2)))
    facts: dict[str, Entry] = {}
    yield Record("c", subject, {})
    for _ in range(events):
        turn = rng.random()
        if pending and turn < 0.75:
            for key in pending[:size]:
                unusable = rng.random() < 0.02
                facts[key] = Entry(None, "unknown", "未知") if unusable else Entry(goal[key], text="…")
            del pending[:size]
        elif facts and turn < 0.9:
            key = rng.choice(sorted(facts))
            facts[key] = Entry(rng.choice(focus.values[key]), text="…")
        elif facts:
            del facts[rng.choice(sorted(facts))]
        yield Record("c", subject, dict(facts))


def _goal(focus: Focus, rng: random.Random) -> dict[str, Value]:
    """Values for all facts of the rule, found by changing one at a time towards applying and a drawn answer."""
    rule = rng.choice(focus.versions)
    parts = parts_of(rule)
    wanted = rng.random() < 0.5
    values = {key: rng.choice(choices) for key, choices in focus.values.items()}
    days = [day for day in focus.values["action_date"] if rule.period.holds(day)]
    if days and rng.random() < 0.8:
        values["action_date"] = rng.choice(days)
    parameters = {
        name: dated.value
        for name, parameter in rule.parameters.items()
        if (dated := parameter.values[-1] if parameter.values else None)
    }
    tables = {
        name: {key: rows[-1].value for key, rows in table.rows.items()} for name, table in rule.tables.items()
    }
    keys, best = sorted(focus.values), -1
    for _ in range(_STEPS):
        key = rng.choice(keys)
        changed = {**values, key: rng.choice(focus.values[key])}
        if rng.random() < 0.05:
            changed.pop(key)
        situation = Situation(changed, Workdays(), parameters=parameters, tables=tables)
        try:
            judgement = judge(parts, situation)
        except Exception:  # noqa: BLE001, S112 - a case worth having, but not one to aim at
            continue
        score = 4 * (judgement.when is True) + 2 * (judgement.when is True and judgement.exclude is False)
        score += judgement.met is wanted
        if score >= best:
            best, values = score, changed
        if best == 7:
            break
    return values
