"""Which missing facts can still change a verdict (CONVENTIONS §3), by trying values out."""

from __future__ import annotations

import ast
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import prod

from oracle.cases import comparisons, constants, facts_read, texts
from oracle.notation import (
    Document,
    Facts,
    FactType,
    NotationError,
    Provision,
    Value,
    Verdict,
    evaluate,
    judge,
    judge_gated,
    names,
    parse,
)

LIMIT = 20_000
Assignment = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Relevance:
    """The missing facts that can change the verdict; where the search was not `exhaustive`, perhaps more."""

    keys: frozenset[str]
    exhaustive: bool


def relevant(
    document: Document,
    provision: Provision,
    facts: Facts,
    types: Mapping[str, FactType],
    *,
    gated: bool = False,
    limit: int = LIMIT,
) -> Relevance:
    """The missing facts f for which some assignment of the other missing facts lets f matter.

    An assignment gives each of them a value of a small domain or leaves it missing; f matters where the verdict
    with f missing is not that with some value of f. `deviation_justified` is never counted: unfilled, it is read
    as “none”. Past `limit` assignments a fixed sample of that size is tried.
    """
    known = {key: value for key, value in facts.items() if value is not None}
    domains = {
        key: domain(document, provision, known, types[key])
        for key in facts_read(provision)
        if key not in known and key != "deviation_justified" and (gated or _in_logic(provision, key))
    }
    rule = judge_gated if gated else judge

    def verdict(assignment: Assignment) -> Verdict:
        return rule(document, provision, {**known, **assignment}).verdict

    if prod(len(values) + 1 for values in domains.values()) <= limit:
        return Relevance(_all(domains, verdict), exhaustive=True)
    return Relevance(_sampled(domains, verdict, limit), exhaustive=False)


def domain(document: Document, provision: Provision, known: Facts, fact: FactType) -> tuple[Value, ...]:
    """A few values of a fact that can make a difference: at, below and above every limit, all choices named."""
    near = constants(provision, fact.key)
    match fact.type:
        case "bool":
            return (True, False)
        case "enum":
            return _choices(provision, fact, near)
        case "set":
            return _groups(provision, fact)
        case "text":
            return _texts(document, known, fact, near)
        case "date":
            return _days(document, provision, known, fact)
        case _:
            return _numbers(provision, known, fact, near)


def _all(
    domains: Mapping[str, tuple[Value, ...]], verdict: Callable[[Assignment], Verdict]
) -> frozenset[str]:
    keys = tuple(domains)
    spaces = [(None, *values) for values in domains.values()]
    verdicts = {
        values: verdict(dict(zip(keys, values, strict=True))) for values in itertools.product(*spaces)
    }
    return frozenset(
        key
        for place, key in enumerate(keys)
        if any(
            values[place] is not None and found != verdicts[(*values[:place], None, *values[place + 1 :])]
            for values, found in verdicts.items()
        )
    )


def _sampled(
    domains: Mapping[str, tuple[Value, ...]], verdict: Callable[[Assignment], Verdict], limit: int
) -> frozenset[str]:
    rng = random.Random(0)
    found: set[str] = set()
    tried = 0
    while tried < limit and len(found) < len(domains):
        assignment = _assignment(domains, rng)
        for key in domains.keys() - found if tried else domains:
            without = verdict({**assignment, key: None})
            values = domains[key] if len(domains[key]) <= 2 else rng.sample(domains[key], 3)
            tried += 1 + len(values)
            if any(verdict({**assignment, key: value}) != without for value in values):
                found.add(key)
    return frozenset(found)


def _assignment(domains: Mapping[str, tuple[Value, ...]], rng: random.Random) -> dict[str, Value | None]:
    gap, yes = rng.choice((0.0, 0.05, 0.3)), rng.choice((0.05, 0.5, 0.95))
    return {
        key: None
        if rng.random() < gap
        else rng.random() < yes
        if isinstance(values[0], bool)
        else rng.choice(values)
        for key, values in domains.items()
    }


def _in_logic(provision: Provision, key: str) -> bool:
    nodes = (node for text in provision.texts() for node in ast.walk(parse(text)))
    return (key == "as_of_date" and provision.deadline is not None) or any(
        isinstance(node, ast.Name) and node.id == key for node in nodes
    )


def _choices(provision: Provision, fact: FactType, near: Iterable[Value]) -> tuple[Value, ...]:
    if any("statutory_max" in text for text in provision.texts()):
        return fact.values
    named = [value for value in fact.values if value in near]
    others = [value for value in fact.values if value not in near]
    return (*named, *others[:1])


def _groups(provision: Provision, fact: FactType) -> tuple[Value, ...]:
    every = frozenset(fact.values)
    named = every & texts(provision)
    some = sorted(named)[:1]
    groups = (frozenset[str](), every, named, every - named, frozenset(some), named - frozenset(some))
    return tuple(dict.fromkeys(groups))


def _texts(document: Document, known: Facts, fact: FactType, near: Iterable[Value]) -> tuple[Value, ...]:
    if fact.format == "YYYY-MM":
        days = [day for value in (*near, *known.values()) for day in _month_days(value)]
        return tuple(dict.fromkeys(f"{day.year:04d}-{day.month:02d}" for day in days))
    named = [value for value in near if isinstance(value, str)]
    place = {"district": sorted(document.districts)[:1], "city": [document.city]}.get(fact.key, [])
    return tuple(dict.fromkeys((*named, *place, "别处")))


def _month_days(value: Value | None) -> Iterator[date]:
    """Days in and around a month text, or around a day."""
    if isinstance(value, date):
        month = value.replace(day=1)
    elif isinstance(value, str) and len(value) == len("YYYY-MM") and value[:4].isdigit():
        month = date.fromisoformat(f"{value}-01")
    else:
        return
    after = (month + timedelta(days=31)).replace(day=1)
    for start in ((month - timedelta(days=1)).replace(day=1), month, after):
        yield from (start, start.replace(day=25), start.replace(day=26))


def _days(document: Document, provision: Provision, known: Facts, fact: FactType) -> tuple[Value, ...]:
    limits: dict[date, None] = {}
    for value in (*constants(provision, fact.key), *_roots(provision, known, fact)):
        if isinstance(value, date):
            limits[value] = None
    months = [*texts(provision), *known.values()]
    if any("month" in text for text in provision.texts()):
        limits |= dict.fromkeys(day for value in months for day in _month_days(value))
    if fact.key == provision.gate_fact:
        ends = (provision.since, provision.until, *itertools.chain(*document.uncertain))
        limits |= dict.fromkeys(end for end in ends if end is not None)
    middle = list(limits) or [date(2023, 6, 15)]
    near = [day + timedelta(days=step) for day in middle for step in (-1, 0, 1)]
    far = [min(near) - timedelta(days=3000), max(near) + timedelta(days=3000), date(2026, 6, 1)]
    return tuple(dict.fromkeys((*near, *far)))


def _numbers(provision: Provision, known: Facts, fact: FactType, near: Iterable[Value]) -> tuple[Value, ...]:
    whole = fact.type == "integer"
    step = Fraction(1) if whole else Fraction(1, 100)
    limits = [value for value in (*near, *_roots(provision, known, fact)) if isinstance(value, Fraction)]
    found = [Fraction(0), Fraction(1), Fraction(10**7)]
    found += [limit + shift for limit in limits for shift in (-step, Fraction(0), step)]
    return tuple(
        dict.fromkeys(value for value in found if value >= 0 and (value.denominator == 1 or not whole))
    )


def _roots(provision: Provision, known: Facts, fact: FactType) -> Iterator[Value]:
    """Values of a fact at which the two sides of a comparison are equal, as far as the known facts tell."""
    for left, right in comparisons(provision):
        if fact.type == "date":
            limit = (
                evaluate(right if fact.key == left else left, known) if fact.key in (left, right) else None
            )
        elif fact.key in names(f"({left}) - ({right})"):
            limit = _root(f"({left}) - ({right})", known, fact.key)
        else:
            limit = None
        if limit is not None:
            yield limit


def _root(difference: str, known: Facts, key: str) -> Fraction | None:
    try:
        start, then = (evaluate(difference, {**known, key: Fraction(number)}) for number in (0, 1))
    except NotationError:
        return None
    if isinstance(start, Fraction) and isinstance(then, Fraction) and start != then:
        return -start / (then - start)
    return None
