"""The reference evaluator: what every expression means, in one plain recursive function.

This is the definition; every other evaluator must agree with it row by row. Unknown is None. The semantics are
those of provisions/CONVENTIONS §2. A *presumption* is a node that answers although a fact is missing
(缺省, 已知, 适用最低价, 未到期, a deadline not yet due); nodes in `Situation.suspended` do not presume and answer
unknown, which is how a verdict's presumptions are found.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import TypeVar

from landrules.engine.evaluate.algebra import Truth, conjunction, disjunction, negation
from landrules.engine.language import tree as t
from landrules.facts.calendar import Workdays
from landrules.facts.quantities import round_half_even, round_half_up
from landrules.facts.records import Value

__all__ = [
    "FIFTY_YEARS",
    "ExecutionError",
    "Situation",
    "add_months",
    "evaluate",
    "evaluate_truth",
    "missing_year",
]

FIFTY_YEARS = Fraction(600)
"""Term in months below which the unadjusted minimum price does not hold (CONVENTIONS §2, 适用最低价)."""

Related = Callable[[tuple[str, ...]], "Sequence[Situation] | None"]


class ExecutionError(Exception):
    """An expression that cannot be evaluated: a defect of a rule or of the engine, never of the facts."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What an expression is evaluated against.

    `values` holds known facts by key; `parameters` the values in force, None where the document leaves one blank;
    `tables` the rows in force; `related` gives the rows equal in some columns, None where the record has no value
    there.
    """

    values: Mapping[str, Value]
    workdays: Workdays
    parameters: Mapping[str, Value | None] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Value | None]] = field(default_factory=dict)
    related: Related | None = None
    suspended: frozenset[t.Expression] = frozenset()

    def with_values(self, values: Mapping[str, Value]) -> Situation:
        """The same situation with other facts."""
        return replace(self, values=values)

    def suspends(self, node: t.Expression) -> bool:
        """Whether this presumption does not hold. Mostly none is suspended, and hashing a tree is not free."""
        return bool(self.suspended) and node in self.suspended

    def suspending(self, *nodes: t.Expression) -> Situation:
        """The same situation in which these presumptions do not hold."""
        return replace(self, suspended=self.suspended | frozenset(nodes))


def evaluate_truth(node: t.Expression, situation: Situation) -> Truth:
    """Evaluate an expression that is true, false or unknown.

    Raises:
        ExecutionError: where it yields something else.
    """
    value = evaluate(node, situation)
    if value is None or isinstance(value, bool):
        return value
    raise ExecutionError(f"条件得出的不是真假：{value!r}")


def evaluate(node: t.Expression, situation: Situation) -> Value | None:  # noqa: C901 - one case per operation is the point
    """Evaluate an expression; None is unknown.

    Raises:
        ExecutionError: where operands have the wrong type.
    """
    match node:
        case t.FactValue(key=key):
            return situation.values.get(key)
        case t.TruthConstant(value=truth):
            return truth
        case t.NumberConstant(value=number):
            return number
        case t.DateConstant(value=day):
            return day
        case t.TextConstant(value=text):
            return text
        case t.Members(values=members):
            return frozenset(members)
        case t.And(parts=parts):
            return conjunction(evaluate_truth(part, situation) for part in parts)
        case t.Or(parts=parts):
            return disjunction(evaluate_truth(part, situation) for part in parts)
        case t.Not(part=part):
            return negation(evaluate_truth(part, situation))
        case t.Compare(left=left, sign=sign, right=right):
            return _compare(evaluate(left, situation), sign, evaluate(right, situation))
        case t.OneOf(item=item, members=members_node):
            value = evaluate(item, situation)
            return None if value is None else value in members_node.values
        case t.Contains(group=group, item=wanted):
            present = _members(evaluate(group, situation))
            return None if present is None else wanted.value in present
        case t.ContainsAll(group=group, members=members_node):
            present = _members(evaluate(group, situation))
            return None if present is None else present.issuperset(members_node.values)
        case t.Subset(group=group, members=members_node):
            present = _members(evaluate(group, situation))
            return None if present is None else present.issubset(members_node.values)
        case t.Size(group=group):
            present = _members(evaluate(group, situation))
            return None if present is None else Fraction(len(present))
        case t.ParameterValue(name=name):
            return situation.parameters.get(name)
        case t.Defined(body=body):
            return evaluate(body, situation)
        case t.Lookup(table=table, key=key_node):
            wanted_key = evaluate(key_node, situation)
            return situation.tables.get(table, {}).get(wanted_key) if isinstance(wanted_key, str) else None
        case t.Add() | t.Subtract() | t.Multiply() | t.Divide():
            return _calculate(node, situation)
        case t.Negate(part=part):
            number_or_none = _number(evaluate(part, situation))
            return None if number_or_none is None else -number_or_none
        case t.Choose(condition=condition, yes=yes, no=no):
            truth_or_none = evaluate_truth(condition, situation)
            return None if truth_or_none is None else evaluate(yes if truth_or_none else no, situation)
        case t.Coalesce(value=wanted_node, fallback=fallback):
            value = evaluate(wanted_node, situation)
            if value is not None:
                return value
            return None if situation.suspends(node) else evaluate(fallback, situation)
        case t.IsKnown(value=wanted_node):
            if evaluate(wanted_node, situation) is not None:
                return True
            return None if situation.suspends(node) else False
        case t.AnyKnown(values=values):
            return True if any(evaluate(value, situation) is not None for value in values) else None
        case t.Larger(values=values):
            return _extreme([_number(evaluate(value, situation)) for value in values], max)
        case t.Smaller(values=values):
            return _extreme([_number(evaluate(value, situation)) for value in values], min)
        case t.Later(values=values):
            return _extreme([_day(evaluate(value, situation)) for value in values], max)
        case t.Earlier(values=values):
            return _extreme([_day(evaluate(value, situation)) for value in values], min)
        case t.AddDays() | t.AddMonths() | t.AddYears() | t.AddWorkdays():
            return _later_day(node, situation)
        case t.RollWorkday(day=day_node):
            rolled = _day(evaluate(day_node, situation))
            return None if rolled is None else situation.workdays.roll(rolled)
        case t.MonthOf(day=day_node):
            start = _day(evaluate(day_node, situation))
            return None if start is None else f"{start.year:04d}-{start.month:02d}"
        case t.NextMonth(month=month_node):
            month = evaluate(month_node, situation)
            return None if month is None else _next_month(month)
        case t.DayOfMonth(day=day_node):
            start = _day(evaluate(day_node, situation))
            return None if start is None else Fraction(start.day)
        case t.Rounded(value=wanted_node, unit=unit, digits=digits, manner=manner):
            exact = _number(evaluate(wanted_node, situation))
            if exact is None:
                return None
            rounding = round_half_up if manner == "half-up" else round_half_even
            return rounding(exact / unit.factor, digits) * unit.factor
        case t.ApplicableMinimumPrice(standard=standard, adjusted=adjusted, term=term):
            adjusted_price = evaluate(adjusted, situation)
            if adjusted_price is not None:
                return adjusted_price
            years = _number(evaluate(term, situation))
            if years is None and situation.suspends(node):
                return None
            return None if years is not None and years < FIFTY_YEARS else evaluate(standard, situation)
        case t.NotYetDue(due=due):
            holds = _compare(situation.values.get("as_of_date"), "≤", evaluate(due, situation))
            return None if holds is True and situation.suspends(node) else holds
        case t.Deadline(due=due, done=done, flag=flag):
            return _deadline(node, evaluate(due, situation), evaluate(done, situation), flag, situation)
        case t.Aggregate():
            return _aggregate(node, situation)


def missing_year(node: t.AddWorkdays | t.RollWorkday, situation: Situation) -> int | None:
    """The year whose 放假安排 a working-day node lacks, None where it does not lack one."""
    start = _day(evaluate(node.day, situation))
    if start is None:
        return None
    span = None if isinstance(node, t.RollWorkday) else _number(evaluate(node.span, situation))
    if span is None and isinstance(node, t.AddWorkdays):
        return None
    try:
        years = situation.workdays.missing_years(start, None if span is None else int(span))
    except ValueError:
        # A count beyond every calendar is no matter of one missing year.
        return None
    return years[0] if years else None


def add_months(day: date, months: int) -> date | None:
    """The same day so many months on; the month's last day where there is none (CONVENTIONS §2).

    None where that leaves the calendar.
    """
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if not date.min.year <= year <= date.max.year:
        return None
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def _deadline(
    node: t.Deadline, due: Value | None, done: Value | None, flag: t.Expression | None, situation: Situation
) -> Truth:
    in_time = _compare(done, "≤", due)
    pending = _compare(situation.values.get("as_of_date"), "≤", due)
    if pending is True and situation.suspends(node):
        pending = None
    if flag is None:
        return pending if done is None else in_time
    finished = evaluate_truth(flag, situation)
    return disjunction((conjunction((finished, in_time)), conjunction((negation(finished), pending))))


def _compare(left: Value | None, sign: t.ComparisonSign, right: Value | None) -> Truth:
    if left is None or right is None:
        return None
    if type(left) is not type(right):
        raise ExecutionError(f"不同类型的值不能比较：{left!r} 与 {right!r}")
    match sign:
        case "=":
            return left == right
        case "≠":
            return left != right
        case _ if isinstance(left, bool | frozenset):
            raise ExecutionError(f"{left!r} 与 {right!r} 没有大小先后")
        case "<":
            return left < right  # type: ignore[operator]  # both of one ordered type, checked above
        case "≤":
            return left <= right  # type: ignore[operator]  # as above
        case ">":
            return left > right  # type: ignore[operator]  # as above
        case "≥":
            return left >= right  # type: ignore[operator]  # as above


def _calculate(node: t.Add | t.Subtract | t.Multiply | t.Divide, situation: Situation) -> Fraction | None:
    left = _number(evaluate(node.left, situation))
    right = _number(evaluate(node.right, situation))
    if left is None or right is None:
        return None
    match node:
        case t.Add():
            return left + right
        case t.Subtract():
            return left - right
        case t.Multiply():
            return left * right
        case t.Divide():
            return None if right == 0 else left / right


def _later_day(
    node: t.AddDays | t.AddMonths | t.AddYears | t.AddWorkdays, situation: Situation
) -> date | None:
    day = _day(evaluate(node.day, situation))
    span = _number(evaluate(node.span, situation))
    if day is None or span is None:
        return None
    try:
        match node:
            case t.AddDays():
                return day + timedelta(days=int(span))
            case t.AddMonths() | t.AddYears():
                return add_months(day, int(span))
            case t.AddWorkdays():
                return situation.workdays.add(day, int(span))
    except (OverflowError, ValueError):
        # A span beyond every calendar gives no day that could be compared.
        return None


def _next_month(month: Value) -> str:
    if not isinstance(month, str) or not re.fullmatch(r"\d{4}-\d{2}", month):
        raise ExecutionError(f"月份应写成 2023-06 的样式：{month!r}")
    year, number = int(month[:4]), int(month[5:])
    year, number = (year + 1, 1) if number == 12 else (year, number + 1)  # noqa: PLR2004 - December
    return f"{year:04d}-{number:02d}"


def _aggregate(node: t.Aggregate, situation: Situation) -> Fraction | None:
    rows = None if situation.related is None else situation.related(node.by)
    if rows is None:
        return None
    if node.kind == "count" and node.value is None:
        return Fraction(len(rows))
    values: list[Fraction] = []
    for row in rows:
        value = None if node.value is None else _number(evaluate(node.value, row))
        if value is None:
            return None
        values.append(value)
    match node.kind:
        case "sum":
            return sum(values, Fraction(0))
        case "count":
            return Fraction(len(values))
        case "largest":
            return max(values, default=None)
        case "smallest":
            return min(values, default=None)


Ordered = TypeVar("Ordered", Fraction, date)


def _extreme(values: list[Ordered | None], choose: Callable[[list[Ordered]], Ordered]) -> Ordered | None:
    known = [value for value in values if value is not None]
    return choose(known) if len(known) == len(values) else None


def _number(value: Value | None) -> Fraction | None:
    if value is None or (isinstance(value, Fraction)):
        return value
    raise ExecutionError(f"应是数字：{value!r}")


def _day(value: Value | None) -> date | None:
    if value is None or isinstance(value, date):
        return value
    raise ExecutionError(f"应是日期：{value!r}")


def _members(value: Value | None) -> frozenset[str] | None:
    if value is None or isinstance(value, frozenset):
        return value
    raise ExecutionError(f"应是集合：{value!r}")
