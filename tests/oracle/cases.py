"""The provisions, their visible boundary cases, and random facts for them, read from the folder `shared`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from oracle.notation import (
    Deadline,
    Document,
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
    read_facts,
)

if TYPE_CHECKING:
    import random
    from pathlib import Path

DOCUMENTS = ("ankang-2023", "bozhou-2023", "wuhai-2023-5", "xinzhou-2022-53", "xinzhou-2022-90")
COMMON = ("district", "city", "as_of_date", "action_date", "deviation_justified")
ATTEMPTS = 12
_LAYERS = (Fraction(0), Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 100), Fraction(-1, 100))
_FINE = (Fraction(1, 10**4), Fraction(-1, 10**4), Fraction(1, 10**6), Fraction(-1, 10**6))

Vocabulary = Mapping[str, Mapping[str, FactType]]
"""Subject key → fact key → type; the common facts are in every subject."""

Raw = dict[str, object]
"""Facts as a record file holds them: bool, int, Decimal, `YYYY-MM-DD`, text, list."""


@dataclass(frozen=True, slots=True)
class Case:
    """A boundary case; `facts` as written."""

    document: str
    provision: str
    id: str
    facts: Mapping[str, object]
    expect: Verdict

    @property
    def name(self) -> str:
        """`<document>/<provision>/<case>`."""
        return f"{self.document}/{self.provision}/{self.id}"


@dataclass(frozen=True, slots=True)
class Library:
    """Everything under `shared/provisions`: documents and checkable provisions by name, all visible cases."""

    vocabulary: Vocabulary
    documents: Mapping[str, Document]
    provisions: Mapping[str, Provision]
    cases: tuple[Case, ...]

    def document(self, provision: Provision) -> Document:
        """The document that a provision is in."""
        return self.documents[provision.document]

    def types(self, provision: Provision) -> Mapping[str, FactType]:
        """The facts of the form that a provision is judged on."""
        return self.vocabulary[provision.subject]

    def values(self, provision: Provision, raw: Mapping[str, object]) -> dict[str, Value | None]:
        """Raw facts as values."""
        return read_facts(self.types(provision), raw)


@cache
def load(shared: Path) -> Library:
    """Read the vocabulary and the five documents."""
    documents, provisions, cases = {}, {}, []
    for name in DOCUMENTS:
        content = _read(shared / "provisions" / f"{name}.yaml")
        documents[name] = _document(name, content["meta"])
        for item in content["provisions"]:
            if item["checkable"] == "none":
                continue
            provision = _provision(name, item)
            provisions[provision.name] = provision
            cases += [
                Case(name, provision.id, case["id"], case["facts"], case["expect"])
                for case in item["boundary_cases"]
            ]
    return Library(load_vocabulary(shared), documents, provisions, tuple(cases))


@cache
def load_vocabulary(shared: Path) -> Vocabulary:
    """Read `vocabulary.yaml`."""
    content = _read(shared / "vocabulary.yaml")
    common = [_fact(item) for item in content["common"]]
    return {
        subject["key"]: {fact.key: fact for fact in (*common, *map(_fact, subject["facts"]))}
        for subject in content["subjects"]
    }


@cache
def facts_read(provision: Provision) -> tuple[str, ...]:
    """Keys of the facts that a provision can read, those of the gate and of §3 included, in a fixed order."""
    keys = [key for text in provision.texts() for key in names(text)]
    gate = () if provision.gate_fact == "none" else (provision.gate_fact,)
    return tuple(dict.fromkeys((*keys, *gate, *COMMON)))


def random_facts(
    provision: Provision,
    vocabulary: Vocabulary,
    rng: random.Random,
    *,
    document: Document | None = None,
) -> Raw:
    """Facts for a provision, some of them missing, near the limits of its logic.

    One of the four verdicts is aimed at, and a few draws are made for it: the verdict of `judge`, or, where
    the `document` is given, of `judge_gated`; place and day are then drawn around its gate. What comes out
    depends on the state of `rng` only.
    """
    types = vocabulary[provision.subject]
    wanted = rng.choice(("符合", "违反", "待补充", "不适用"))
    anywhere = document or Document(provision.document, "", frozenset(), {}, ())
    verdict = judge_gated if document else judge
    facts: Raw = {}
    for _ in range(ATTEMPTS):
        facts = _Draw(provision, types, rng, document).facts()
        if verdict(anywhere, provision, read_facts(types, facts)).verdict == wanted:
            break
    return facts


@cache
def constants(provision: Provision, key: str) -> tuple[Value, ...]:
    """The constants that the logic compares a fact with, or that stand in one comparison with it."""
    found: dict[Value, None] = {}
    for text in provision.texts():
        for node in ast.walk(parse(text)):
            if _compares(node) and _names(node, key):
                found |= dict.fromkeys(_literals(node))
    deadline = provision.deadline
    if deadline and key in (*names(deadline.due), deadline.done, "as_of_date"):
        found |= dict.fromkeys(_literals(parse(deadline.due)))
    return tuple(found)


class _Draw:
    """One draw of the facts of a provision, with its own leaning towards yes and towards gaps."""

    def __init__(
        self,
        provision: Provision,
        types: Mapping[str, FactType],
        rng: random.Random,
        document: Document | None,
    ) -> None:
        self.provision = provision
        self.types = types
        self.rng = rng
        self.document = document
        self.yes = rng.choice((0.1, 0.5, 0.9, 0.97))
        self.gap = rng.choice((0.0, 0.0, 0.08, 0.3, 0.7))
        self.named = rng.choice((0.2, 0.5, 0.8, 0.95))

    def facts(self) -> Raw:
        """All facts, then a few of them moved onto a limit, then gaps."""
        keys = facts_read(self.provision)
        raw = {key: self.one(self.types[key]) for key in keys}
        limits = comparisons(self.provision)
        for _ in range(self.rng.randint(0, 3) if limits else 0):
            self.move(raw, self.rng.choice(limits))
        return {key: value for key, value in raw.items() if self.rng.random() >= self.gap_of(key)}

    def gap_of(self, key: str) -> float:
        if key == "deviation_justified":
            return max(self.gap, 0.7)
        return min(self.gap, 0.15) if key in ("district", "action_date") else self.gap

    def one(self, fact: FactType) -> object:
        rng, known = self.rng, constants(self.provision, fact.key)
        match fact.type:
            case "bool":
                return rng.random() < self.yes
            case "enum":
                return self.choice([text for text in fact.values if text in known], fact.values)
            case "set":
                return self.members(fact, [text for text in fact.values if text in texts(self.provision)])
            case "text":
                return self.text(fact, [text for text in known if isinstance(text, str)])
            case "date":
                return self.day(fact, [day for day in known if isinstance(day, date)]).isoformat()
            case _:
                return self.number(fact, [number for number in known if isinstance(number, Fraction)])

    def choice(self, named: Iterable[str], every: Iterable[str], share: float | None = None) -> str:
        share = self.named if share is None else share
        pool = list(named)
        others = [text for text in every if text not in pool]
        return self.rng.choice(pool if pool and (not others or self.rng.random() < share) else others)

    def members(self, fact: FactType, named: list[str]) -> list[str]:
        every, share = list(fact.values), self.rng.random()
        if share < 0.15:
            return []
        if share < 0.5 and named:
            chosen = set(named)
            if self.rng.random() < 0.3:
                chosen ^= {self.rng.choice(every)}
        elif share < 0.65:
            chosen = set(every)
        else:
            chosen = {text for text in every if self.rng.random() < 0.5}
        return [text for text in every if text in chosen]

    def text(self, fact: FactType, named: list[str]) -> str:
        rng = self.rng
        if fact.format == "YYYY-MM":
            day = _months_on(date.fromisoformat(f"{rng.choice(named or ['2023-01'])}-01"), rng.randint(-1, 1))
            return f"{day.year:04d}-{day.month:02d}"
        if fact.key == "district" and self.document:
            named += sorted(self.document.districts) + sorted(self.document.aliases) * 2
            return self.choice(named, ("谯城区", "海勃湾区", "原平市", "旬阳市"), 0.9)
        if fact.key == "city" and self.document:
            named += [self.document.city] * 3
            return self.choice(named, ("亳州市", "乌海市"), 0.9)
        return self.choice(named, ("亳州市", "乌海市", "谯城区", "其他"))

    def day(self, fact: FactType, named: list[date]) -> date:
        rng = self.rng
        if fact.key == self.provision.gate_fact and self.document:
            ends = [self.provision.since, self.provision.until]
            ends += [end for span in self.document.uncertain for end in span]
            named = named + [end for end in ends if end is not None]
        if not named:
            named = [self.provision.since or date(2023, 6, 1), date(2023, 6, 30)]
        step = rng.choice((0, 0, 1, -1, 30, -30, rng.randint(-400, 400)))
        try:
            return rng.choice(named) + timedelta(days=step)
        except OverflowError:
            return date(2023, 6, 1)

    def number(self, fact: FactType, named: list[Fraction]) -> object:
        rng = self.rng
        pool = named or [Fraction(0), Fraction(1), Fraction(10)]
        value = rng.choice([*pool, *pool, Fraction(rng.randint(0, 120))])
        whole = fact.type == "integer"
        value += rng.choice(_LAYERS if not whole else _LAYERS[:4])
        return _written(value, whole=whole)

    def move(self, raw: Raw, comparison: tuple[str, str]) -> None:
        """Set one fact of a comparison so that both sides are equal, or differ by very little."""
        left, right = comparison
        difference = f"({left}) - ({right})"
        keys = [key for key in names(difference) if self.types[key].type in ("number", "integer", "date")]
        if not keys:
            return
        key = self.rng.choice(keys)
        values = read_facts(self.types, raw)
        if self.types[key].type == "date":
            self.move_day(raw, key, evaluate(right if key == left else left, values))
            return
        try:
            start, then = (evaluate(difference, {**values, key: Fraction(number)}) for number in (0, 1))
        except NotationError:
            return
        if isinstance(start, Fraction) and isinstance(then, Fraction) and start != then:
            whole = self.types[key].type == "integer"
            limit = -start / (then - start) + self.rng.choice(_LAYERS + (() if whole else _FINE))
            raw[key] = _written(limit, whole=whole)

    def move_day(self, raw: Raw, key: str, limit: Value | None) -> None:
        if isinstance(limit, date):
            raw[key] = (limit + timedelta(days=self.rng.choice((0, 0, 1, -1)))).isoformat()


@cache
def texts(provision: Provision) -> frozenset[str]:
    """Every text that the logic names."""
    found = [value for logic in provision.texts() for value in _literals(parse(logic))]
    return frozenset(value for value in found if isinstance(value, str))


@cache
def comparisons(provision: Provision) -> tuple[tuple[str, str], ...]:
    """The two sides of the comparisons of the logic, the deadline's among them."""
    signs = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
    found = [
        (ast.unparse(node.left), ast.unparse(node.comparators[0]))
        for text in provision.texts()
        for node in ast.walk(parse(text))
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], signs)
    ]
    if provision.deadline:
        found += [(key, provision.deadline.due) for key in (provision.deadline.done, "as_of_date")]
    return tuple(found)


def _compares(node: ast.AST) -> bool:
    return isinstance(node, ast.Compare | ast.Call)


def _names(node: ast.AST, key: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == key for part in ast.walk(node))


def _literals(node: ast.AST) -> list[Value]:
    """Constants below a node, a `date("…")` as a day; numbers also with what multiplies them out."""
    found: list[Value] = []
    days: set[int] = set()
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id="date"), args=[ast.Constant(value=str(text)) as inner]):
                found.append(date.fromisoformat(text))
                days.add(id(inner))
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=str(text)) if id(part) not in days:
                found.append(text)
            case ast.Constant(value=int() | float() as number):
                found.append(Fraction(str(number)))
    return found


def _written(value: Fraction, *, whole: bool) -> object:
    """A number that is not negative, as a record file holds it: whole, or with at most six decimals."""
    value = max(value, Fraction(0))
    scaled = round(value) if whole else Fraction(round(value * 10**6), 10**6)
    if scaled.denominator == 1:
        return int(scaled)
    return Decimal(scaled.numerator) / Decimal(scaled.denominator)


def _months_on(day: date, count: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, 1)


def _read(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader
    assert isinstance(content, dict)
    return content


def _fact(item: Mapping[str, Any]) -> FactType:
    values = tuple(str(value) for value in item.get("values", ()))
    return FactType(
        item["key"], item["label"], item["type"], item.get("unit", "无"), values, item.get("format")
    )


def _document(name: str, meta: Mapping[str, Any]) -> Document:
    place = meta["jurisdiction"]
    spans = meta["effective"].get("uncertain") or ()
    return Document(
        id=name,
        city=place["city"],
        districts=frozenset(place["districts"]),
        aliases=dict(place.get("district_aliases") or {}),
        uncertain=tuple((date.fromisoformat(span["from"]), date.fromisoformat(span["to"])) for span in spans),
    )


def _provision(document: str, item: Mapping[str, Any]) -> Provision:
    logic, effective = item["logic"], item["effective"]
    return Provision(
        document=document,
        id=item["id"],
        subject=item["subject"],
        strength=item["strength"],
        closed=item.get("deviation") == "closed",
        when=logic["when"],
        exclude=logic.get("exclude"),
        require=logic.get("require"),
        unless=logic.get("unless"),
        deadline=Deadline(**logic["deadline"]) if "deadline" in logic else None,
        since=date.fromisoformat(effective["from"]) if effective["from"] else None,
        until=date.fromisoformat(effective["to"]) if effective["to"] else None,
        gate_fact=effective.get("gate_fact", "action_date"),
    )
