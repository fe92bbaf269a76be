"""An interpreter of the provisions' notation, written from provisions/CONVENTIONS and from nothing else.

Values are plain Python: `bool`, `Fraction` in the vocabulary's unit (15% is 15), `date`, `str`, `frozenset`;
unknown is `None`. `judge` is §3 (logic only), `judge_gated` puts the gate of §4 before it. No code is shared
with `landrules.engine`: where the two disagree, one of them has misread the specification.
"""

from __future__ import annotations

import ast
import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Literal

import chinese_calendar

Value = bool | Fraction | date | str | frozenset[str]
Facts = Mapping[str, Value | None]
Truth = bool | None
Verdict = Literal["符合", "违反", "待补充", "不适用"]

NOT_YET_DUE = "未到期"
DEVIATION = "偏离已说明"
OUTSIDE_PLACE = "辖区外"
OUTSIDE_TIME = "不在有效期"

UNTIMED = frozenset({"annual_indicator", "milestone_task", "work_mechanism", "spatial_plan"})
STATUTORY_YEARS = {"居住": 70, "工业": 50, "教科文卫体": 50, "商业旅游娱乐": 40, "综合或其他": 50}


class NotationError(Exception):
    """Logic that the notation of CONVENTIONS §2 does not allow."""


@dataclass(frozen=True, slots=True)
class FactType:
    """One fact of the vocabulary, as far as reading a value of it needs."""

    key: str
    label: str
    type: str
    unit: str
    values: tuple[str, ...] = ()
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What the gate has to know of a document: where it binds, and the spans in which that is uncertain."""

    id: str
    city: str
    districts: frozenset[str]
    aliases: Mapping[str, str]
    uncertain: tuple[tuple[date, date], ...]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A `deadline` block: expression of the last day, fact of the day it is done, fact that it is done."""

    due: str
    done: str
    done_flag: str | None = None


@dataclass(frozen=True, slots=True)
class Provision:
    """A checkable provision. `since` and `until` include both ends; None is open."""

    document: str
    id: str
    subject: str
    strength: str
    closed: bool
    when: str
    exclude: str | None
    require: str | None
    unless: str | None
    deadline: Deadline | None
    since: date | None
    until: date | None
    gate_fact: str

    @property
    def name(self) -> str:
        """`<document>/<id>`."""
        return f"{self.document}/{self.id}"

    def texts(self) -> tuple[str, ...]:
        """Every expression of the logic, in the order of CONVENTIONS §2."""
        limit = self.deadline
        dated = (limit.due, limit.done, limit.done_flag) if limit else ()
        written = (self.when, self.exclude, self.require, *dated, self.unless)
        return tuple(text for text in written if text is not None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict with what it rests on: w=when, x=exclude, ok (None is unknown), and the marks of §2–§4."""

    verdict: Verdict
    w: Truth
    x: Truth
    ok: Truth
    marks: frozenset[str] = field(default_factory=frozenset)


def judge(document: Document, provision: Provision, facts: Facts) -> Outcome:
    """The verdict of the logic alone (§3); `deviation_justified` counts only for 原则上 without `closed`."""
    w = truth(provision.when, facts)
    x = truth(provision.exclude, facts) if provision.exclude else False
    plain = _satisfied(provision, facts, withdrawn=False)
    open_to_reasons = provision.strength == "原则上" and not provision.closed
    justified = open_to_reasons and facts.get("deviation_justified") is True
    ok = either(plain, justified)
    verdict = _table(w, x, ok)
    marks: frozenset[str] = frozenset()
    if verdict == "符合" and plain is not True:
        marks = frozenset({DEVIATION})
    elif verdict == "符合" and _satisfied(provision, facts, withdrawn=True) is not True:
        marks = frozenset({NOT_YET_DUE})
    return Outcome(verdict, w, x, ok, marks)


def judge_gated(document: Document, provision: Provision, facts: Facts) -> Outcome:
    """The verdict behind the gate of §4; an old name of the district counts as the new one everywhere."""
    district = facts.get("district")
    if isinstance(district, str):
        facts = {**facts, "district": document.aliases.get(district, district)}
    logic = judge(document, provision, facts)
    place, time = place_gate(document, facts), time_gate(document, provision, facts)
    failed = {mark for mark, passed in ((OUTSIDE_PLACE, place), (OUTSIDE_TIME, time)) if passed is False}
    if failed:
        return Outcome("不适用", logic.w, logic.x, logic.ok, frozenset(failed))
    if logic.verdict != "不适用" and (place is None or time is None):
        return Outcome("待补充", logic.w, logic.x, logic.ok)
    return logic


def place_gate(document: Document, facts: Facts) -> Truth:
    """§4.1: the district decides, the city where the district is missing."""
    district, city = facts.get("district"), facts.get("city")
    if isinstance(district, str):
        return document.aliases.get(district, district) in document.districts
    if isinstance(city, str):
        return city == document.city
    return None


def time_gate(document: Document, provision: Provision, facts: Facts) -> Truth:
    """§4.2: the gate's date lies in the provision's dates; unknown in a span that is uncertain."""
    if provision.subject in UNTIMED or provision.gate_fact == "none":
        return True
    day = facts.get(provision.gate_fact)
    if not isinstance(day, date):
        return None
    if any(first <= day <= last for first, last in document.uncertain):
        return None
    if provision.since is not None and day < provision.since:
        return False
    return provision.until is None or day <= provision.until


def read_facts(types: Mapping[str, FactType], raw: Mapping[str, object]) -> dict[str, Value | None]:
    """Values as YAML or JSON hold them; what does not fit the vocabulary counts as unknown (§2)."""
    return {key: read_value(types[key], value) if key in types else None for key, value in raw.items()}


def read_value(fact: FactType, raw: object) -> Value | None:
    """One value of a fact; None for blank, placeholder or unusable."""
    if raw is None or raw == "":
        return None
    match fact.type:
        case "bool":
            return raw if isinstance(raw, bool) else None
        case "number" | "integer":
            return _read_number(fact, raw)
        case "date":
            return _read_date(raw)
        case "enum":
            return raw if isinstance(raw, str) and raw in fact.values else None
        case "set":
            if not isinstance(raw, list | tuple | set | frozenset) or not set(raw) <= set(fact.values):
                return None
            return frozenset(str(item) for item in raw)
        case "text":
            if not isinstance(raw, str):
                return None
            if fact.format == "YYYY-MM" and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", raw):
                return None
            return raw
    raise NotationError(f"unknown type of {fact.key}: {fact.type}")


def truth(text: str, facts: Facts, *, withdrawn: bool = False) -> Truth:
    """The truth of an expression; a value that is not a truth is an error of the provision."""
    value = _Reader(facts, withdrawn).value(parse(text))
    if value is None or isinstance(value, bool):
        return value
    raise NotationError(f"not a condition: {text}")


def evaluate(text: str, facts: Facts) -> Value | None:
    """The value of any expression."""
    return _Reader(facts, withdrawn=False).value(parse(text))


@cache
def parse(text: str) -> ast.expr:
    """The expression as a Python syntax tree."""
    return ast.parse(text, mode="eval").body


@cache
def names(text: str) -> tuple[str, ...]:
    """The facts that an expression names, in order, each once."""
    called = {id(node.func) for node in ast.walk(parse(text)) if isinstance(node, ast.Call)}
    found = [node for node in ast.walk(parse(text)) if isinstance(node, ast.Name) and id(node) not in called]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(dict.fromkeys(node.id for node in found if node.id not in ("true", "false")))


def both(*parts: Truth) -> Truth:
    """Kleene and."""
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def either(*parts: Truth) -> Truth:
    """Kleene or."""
    if any(part is True for part in parts):
        return True
    return None if any(part is None for part in parts) else False


def opposite(part: Truth) -> Truth:
    """Kleene not."""
    return None if part is None else not part


def _table(w: Truth, x: Truth, ok: Truth) -> Verdict:
    """The table of §3, the first row that fits."""
    if w is False:
        return "不适用"
    if x is True:
        return "不适用"
    if w is None:
        return "待补充"
    if ok is True:
        return "符合"
    if x is None:
        return "待补充"
    if ok is None:
        return "待补充"
    return "违反"


def _satisfied(provision: Provision, facts: Facts, *, withdrawn: bool) -> Truth:
    """(require and deadline) or unless; `withdrawn` takes back what holds only because it is not yet due."""
    required = truth(provision.require, facts, withdrawn=withdrawn) if provision.require else True
    in_time = _in_time(provision.deadline, facts, withdrawn=withdrawn) if provision.deadline else True
    excused = truth(provision.unless, facts) if provision.unless else False
    return either(both(required, in_time), excused)


def _in_time(deadline: Deadline, facts: Facts, *, withdrawn: bool) -> Truth:
    due, done = evaluate(deadline.due, facts), evaluate(deadline.done, facts)
    in_time = _compare(ast.LtE(), done, due)
    not_yet = None if withdrawn else _compare(ast.LtE(), facts.get("as_of_date"), due)
    if deadline.done_flag is None:
        return not_yet if done is None else in_time
    flag = truth(deadline.done_flag, facts)
    return either(both(flag, in_time), both(opposite(flag), not_yet))


def _read_number(fact: FactType, raw: object) -> Fraction | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal | Fraction | str):
        return None
    try:
        value = Fraction(str(raw))
    except ValueError:
        return None
    if fact.type == "integer" and value.denominator != 1:
        return None
    return _rounded(value, 6) if fact.unit == "公顷" else value


def _read_date(raw: object) -> date | None:
    if isinstance(raw, date):
        day = raw
    elif isinstance(raw, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", raw):
        try:
            day = date.fromisoformat(raw)
        except ValueError:
            return None
    else:
        return None
    return None if day == date(1900, 1, 1) else day


class _Reader:
    """Walks an expression with the facts of one record."""

    def __init__(self, facts: Facts, withdrawn: bool) -> None:
        self.facts = facts
        self.withdrawn = withdrawn

    def value(self, node: ast.expr) -> Value | None:
        match node:
            case ast.Constant(value=constant):
                return _constant(constant)
            case ast.Name(id=key):
                return key == "true" if key in ("true", "false") else self.facts.get(key)
            case ast.Set(elts=parts):
                return frozenset(_text(part) for part in parts)
            case ast.BoolOp(op=ast.And(), values=parts):
                return both(*(self.condition(part) for part in parts))
            case ast.BoolOp(op=ast.Or(), values=parts):
                return either(*(self.alternative(part) for part in parts))
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return opposite(self.condition(part))
            case ast.UnaryOp(op=ast.USub(), operand=part):
                return _arithmetic(ast.Sub(), Fraction(0), self.value(part))
            case ast.BinOp(left=left, op=sign, right=right):
                return _arithmetic(sign, self.value(left), self.value(right))
            case ast.Compare(left=first, ops=signs, comparators=rest):
                values = [self.value(part) for part in (first, *rest)]
                pairs = zip(signs, values, values[1:], strict=False)
                return both(*(_compare(sign, left, right) for sign, left, right in pairs))
            case ast.Call(func=ast.Name(id=word), args=arguments, keywords=[]):
                return self.call(word, arguments)
        raise NotationError(f"not in the notation: {ast.unparse(node)}")

    def condition(self, node: ast.expr) -> Truth:
        value = self.value(node)
        if value is None or isinstance(value, bool):
            return value
        raise NotationError(f"not a condition: {ast.unparse(node)}")

    def alternative(self, node: ast.expr) -> Truth:
        """A part of an `or`; `… or as_of_date <= …` is a not-yet-due and can be withdrawn."""
        match node:
            case ast.Compare(left=ast.Name(id="as_of_date"), ops=[ast.LtE()]) if self.withdrawn:
                return None
        return self.condition(node)

    def call(self, word: str, arguments: list[ast.expr]) -> Value | None:
        values = [self.value(part) for part in arguments]
        if word in _LENIENT:
            return _LENIENT[word](*values)
        if word not in _STRICT:
            raise NotationError(f"no such function: {word}")
        if any(value is None for value in values):
            return None
        return _STRICT[word](*values)


def _constant(value: object) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Fraction(str(value))
    raise NotationError(f"not a constant of the notation: {value!r}")


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise NotationError(f"not a text: {ast.unparse(node)}")


def _number(value: Value) -> Fraction:
    if isinstance(value, Fraction):
        return value
    raise NotationError(f"not a number: {value!r}")


def _arithmetic(sign: ast.operator, left: Value | None, right: Value | None) -> Fraction | None:
    if left is None or right is None:
        return None
    mine, other = _number(left), _number(right)
    match sign:
        case ast.Add():
            return mine + other
        case ast.Sub():
            return mine - other
        case ast.Mult():
            return mine * other
        case ast.Div():
            return mine / other if other else None
    raise NotationError(f"not an operation of the notation: {sign}")


def _compare(sign: ast.cmpop, left: Value | None, right: Value | None) -> Truth:
    if left is None or right is None:
        return None
    if isinstance(sign, ast.In | ast.NotIn):
        if not isinstance(left, str) or not isinstance(right, frozenset):
            raise NotationError(f"`in` needs a text and a set: {left!r}, {right!r}")
        return (left in right) == isinstance(sign, ast.In)
    if type(left) is not type(right):
        raise NotationError(f"cannot compare {left!r} with {right!r}")
    if isinstance(sign, ast.Eq | ast.NotEq):
        return (left == right) == isinstance(sign, ast.Eq)
    order = _order(left, right)
    match sign:
        case ast.Lt():
            return order < 0
        case ast.LtE():
            return order <= 0
        case ast.Gt():
            return order > 0
        case ast.GtE():
            return order >= 0
    raise NotationError(f"not a comparison of the notation: {sign}")


def _order(left: Value, right: Value) -> int:
    """Negative, zero or positive; numbers, days, and texts (months) have an order."""
    match left, right:
        case (Fraction(), Fraction()) | (date(), date()) | (str(), str()):
            return (left > right) - (left < right)  # type: ignore[operator] # both are of one of the three types
    raise NotationError(f"no order between {left!r} and {right!r}")


def _coalesce(value: Value | None, fallback: Value | None) -> Value | None:
    return fallback if value is None else value


def _known(value: Value | None) -> bool:
    return value is not None


def _any_known(*values: Value | None) -> Truth:
    return True if any(value is not None for value in values) else None


def _applicable_min_price(
    standard: Fraction | None, adjusted: Fraction | None, term: Fraction | None
) -> Fraction | None:
    if adjusted is not None:
        return adjusted
    if term is not None and term < 50:
        return None
    return standard


def _add_days(day: date, count: Fraction) -> date | None:
    try:
        return day + timedelta(days=int(count))
    except OverflowError:
        return None


def _add_months(day: date, count: Fraction) -> date | None:
    index = day.year * 12 + day.month - 1 + int(count)
    year, month = divmod(index, 12)
    if not date.min.year <= year <= date.max.year:
        return None
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def _add_years(day: date, count: Fraction) -> date | None:
    return _add_months(day, count * 12)


def _is_workday(day: date) -> Truth:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


def _add_workdays(day: date, count: Fraction) -> date | None:
    left = int(count)
    while left > 0:
        day += timedelta(days=1)
        working = _is_workday(day)
        if working is None:
            return None
        left -= working
    return day


def _roll_workday(day: date) -> date | None:
    while (working := _is_workday(day)) is False:
        day += timedelta(days=1)
    return None if working is None else day


def _next_month(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1}-01" if number == 12 else f"{year}-{number + 1:02d}"


def _rounded(value: Fraction, digits: int) -> Fraction:
    """Half up, away from zero."""
    scaled = abs(value) * 10**digits + Fraction(1, 2)
    whole = scaled.numerator // scaled.denominator
    return Fraction(whole if value >= 0 else -whole, 10**digits)


def _statutory_max(use: str) -> Fraction | None:
    years = STATUTORY_YEARS.get(use)
    return None if years is None else Fraction(years)


_STRICT: Mapping[str, Callable[..., Value | None]] = {
    "date": date.fromisoformat,
    "add_days": _add_days,
    "add_months": _add_months,
    "add_years": _add_years,
    "add_workdays": _add_workdays,
    "roll_workday": _roll_workday,
    "later": max,
    "month": lambda day: f"{day.year:04d}-{day.month:02d}",
    "next_month": _next_month,
    "day_of": lambda day: Fraction(day.day),
    "size": lambda group: Fraction(len(group)),
    "subset": lambda group, members: group <= members,
    "contains_all": lambda group, members: members <= group,
    "round4": lambda value: _rounded(value, 4),
    "statutory_max": _statutory_max,
}
_LENIENT: Mapping[str, Callable[..., Value | None]] = {
    "coalesce": _coalesce,
    "known": _known,
    "anyknown": _any_known,
    "applicable_min_price": _applicable_min_price,
}
