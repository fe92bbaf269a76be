"""The canonical text of a tree: what `fmt` writes, and what parses back to the same tree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import assert_never

from landrules.engine.language.build import parse
from landrules.engine.language.errors import RuleTextError
from landrules.engine.language.lexer import is_name
from landrules.engine.language.scope import Scope
from landrules.engine.language.tree import (
    Add,
    AddDays,
    AddMonths,
    AddWorkdays,
    AddYears,
    Aggregate,
    And,
    AnyKnown,
    ApplicableMinimumPrice,
    Choose,
    Coalesce,
    Compare,
    Contains,
    ContainsAll,
    DateConstant,
    DayOfMonth,
    Deadline,
    Defined,
    Divide,
    Earlier,
    Expression,
    FactValue,
    IsKnown,
    Larger,
    Later,
    Lookup,
    Members,
    MonthOf,
    Multiply,
    Negate,
    NextMonth,
    Not,
    NotYetDue,
    NumberConstant,
    OneOf,
    Or,
    ParameterValue,
    RollWorkday,
    Rounded,
    Size,
    Smaller,
    Subset,
    Subtract,
    TextConstant,
    TruthConstant,
)
from landrules.engine.language.types import kind_of
from landrules.engine.language.words import AGGREGATES, normalise_name, quantity_text, unit_text
from landrules.facts.vocabulary import Subject

__all__ = ["fmt", "is_chain", "sign_word", "write"]

_MONTH_TEXT = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _UNARY, _ATOM = range(1, 9)
_NUMBER_SIGNS = {"=": "等于", "≠": "不等于", "<": "低于", "≤": "不超过", ">": "超过", "≥": "不低于"}
_TIME_SIGNS = {"=": "等于", "≠": "不等于", "<": "早于", "≤": "不晚于", ">": "晚于", "≥": "不早于"}
_VALUE_SIGNS = {**_NUMBER_SIGNS, "=": "为", "≠": "不为"}
_AGGREGATE_WORDS = {kind: word for word, kind in AGGREGATES.items()}


def fmt(text: str, scope: Scope) -> str:
    """The canonical form of a rule text.

    Raises:
        RuleTextError: when the text cannot be read.
    """
    return write(parse(text, scope), scope)


def write(expression: Expression, scope: Scope | Subject) -> str:
    """The canonical text of a tree; parsing it in the same scope gives the same tree.

    Raises:
        ValueError: for what the text language cannot say: a `Deadline` (a block of its own in rule files), a number
            that is no decimal in its unit, a text with both kinds of quotation marks.
    """
    return _write(expression, scope if isinstance(scope, Scope) else Scope(scope), 0)


def sign_word(node: Compare, scope: Scope | None) -> str:
    """The word for the sign of a comparison: 早于 for days, 低于 for numbers, 为 for values."""
    for part in (node.left, node.right):
        if scope is None:
            kind_type, month = _apparent(part)
        else:
            try:
                kind = kind_of(part, scope)
            except RuleTextError:
                continue
            kind_type, month = kind.type, kind.month
        if kind_type == "date" or month:
            return _TIME_SIGNS[node.sign]
        if kind_type in ("bool", "text", "set"):
            return _VALUE_SIGNS[node.sign]
    return _NUMBER_SIGNS[node.sign]


def is_chain(node: And) -> bool:
    """True for `甲 不超过 乙 不超过 丙`: orders of one direction that share what stands between them."""
    links = node.parts
    for left, right in pairwise(links):
        if not (isinstance(left, Compare) and isinstance(right, Compare)) or left.right != right.left:
            return False
        if {left.sign, right.sign} - {"<", "≤"} and {left.sign, right.sign} - {">", "≥"}:
            return False
    return len(links) > 1


def _apparent(node: Expression) -> tuple[str, bool]:
    """Kind and month mark that show in the node itself, where no scope tells more."""
    match node:
        case TextConstant(value=value):
            return "text", bool(_MONTH_TEXT.fullmatch(value))
        case (
            DateConstant()
            | AddYears()
            | AddMonths()
            | AddDays()
            | AddWorkdays()
            | RollWorkday()
            | Later()
            | Earlier()
        ):
            return "date", False
        case MonthOf() | NextMonth():
            return "text", True
        case TruthConstant() | And() | Or() | Not() | Compare() | IsKnown() | AnyKnown():
            return "bool", False
        case Members():
            return "set", False
        case FactValue(label=label):
            # Every day of the vocabulary is called so, and nothing else is.
            called = label.endswith(("日", "日期", "时间")) and not label.endswith("工作日")
            return ("date", False) if called else ("", False)
        case Coalesce(fallback=part) | Choose(no=part) | Defined(body=part):
            return _apparent(part)
        case _:
            return "", False


def _write(node: Expression, scope: Scope, least: int) -> str:
    level, text = _leveled(node, scope)
    return f"({text})" if level < least else text


def _leveled(node: Expression, scope: Scope) -> tuple[int, str]:
    match node:
        case Or(parts=parts):
            return _OR, " 或 ".join(_write(part, scope, _AND) for part in parts)
        case And(parts=parts) if is_chain(node):
            return _COMPARISON, _chain(parts, scope)
        case And(parts=parts):
            return _AND, " 且 ".join(_write(part, scope, _NOT) for part in parts)
        case Not():
            return _negation(node, scope)
        case Compare(left=left, right=right):
            sides = _write(left, scope, _SUM), _write(right, scope, _SUM)
            return _COMPARISON, f"{sides[0]} {sign_word(node, scope)} {sides[1]}"
        case OneOf() | Contains() | ContainsAll() | Subset():
            return _COMPARISON, _membership(node, scope, "")
        case Choose(condition=condition, yes=yes, no=no):
            first, second, third = (_write(part, scope, 0) for part in (condition, yes, no))
            return 0, f"若 {first} 则 {second} 否则 {third}"
        case Add(left=left, right=right):
            return _SUM, f"{_write(left, scope, _SUM)} + {_write(right, scope, _PRODUCT)}"
        case Subtract(left=left, right=right):
            return _SUM, f"{_write(left, scope, _SUM)} − {_write(right, scope, _PRODUCT)}"
        case Multiply(left=left, right=right):
            return _PRODUCT, f"{_write(left, scope, _PRODUCT)} × {_write(right, scope, _UNARY)}"
        case Divide(left=left, right=right):
            return _PRODUCT, f"{_write(left, scope, _PRODUCT)} ÷ {_write(right, scope, _UNARY)}"
        case Negate(part=NumberConstant() as part):
            # Without brackets it would be read as one negative number.
            return _UNARY, f"−({_write(part, scope, 0)})"
        case Negate(part=part):
            return _UNARY, f"−{_write(part, scope, _UNARY)}"
        case NumberConstant(value=value, unit=unit) if value < 0:
            return _UNARY, f"−{quantity_text(-value, unit)}"
        case _:
            return _ATOM, _atom(node, scope)


def _chain(links: Sequence[Expression], scope: Scope) -> str:
    text = ""
    for link in links:
        assert isinstance(link, Compare)  # noqa: S101 - is_chain has seen to it
        text = text or _write(link.left, scope, _SUM)
        text += f" {sign_word(link, scope)} {_write(link.right, scope, _SUM)}"
    return text


def _negation(node: Not, scope: Scope) -> tuple[int, str]:
    match node.part:
        case IsKnown(value=value):
            return _ATOM, f"未知({_write(value, scope, 0)})"
        case OneOf() | Contains() | ContainsAll() | Subset() as part:
            return _COMPARISON, _membership(part, scope, "不")
        case part:
            return _NOT, f"非 {_write(part, scope, _NOT)}"


def _membership(node: OneOf | Contains | ContainsAll | Subset, scope: Scope, prefix: str) -> str:
    match node:
        case OneOf(item=left, members=members):
            word, right = "属于", _members(members, scope)
        case Contains(group=left, item=item):
            word, right = "包含", _value(item.value, scope)
        case ContainsAll(group=left, members=members):
            word, right = "包含全部", _members(members, scope)
        case Subset(group=left, members=members):
            word, right = "仅限于", _members(members, scope)
        case _:
            assert_never(node)
    return f"{_write(left, scope, _SUM)} {prefix}{word} {right}"


def _members(members: Members, scope: Scope) -> str:
    return "{" + "、".join(_value(value, scope) for value in members.values) + "}"


def _value(value: str, scope: Scope) -> str:
    """A text where only a value can stand: bare when it is known, else in quotation marks."""
    known = scope.names.values.get(normalise_name(value), ())
    if _MONTH_TEXT.fullmatch(value) or (value in known and is_name(value, scope.names)):
        return value
    return _quoted(value)


def _quoted(value: str) -> str:
    if "”" not in value:
        return f"“{value}”"
    if '"' not in value:
        return f'"{value}"'
    raise ValueError(f"{value!r} has both kinds of quotation marks")


def _fact(node: FactValue, scope: Scope) -> str:
    """The label; the key where the label would be read as something else."""
    named = scope.names.expressions.get(normalise_name(node.label), ())
    clear = (
        named == (node.label,) and node.label not in scope.parameters and node.label not in scope.definitions
    )
    return node.label if clear and is_name(node.label, scope.names) else node.key


def _atom(node: Expression, scope: Scope) -> str:
    match node:
        case TruthConstant(value=value):
            return "是" if value else "否"
        case NumberConstant(value=value, unit=unit):
            return quantity_text(value, unit)
        case DateConstant(value=value):
            return value.isoformat()
        case TextConstant(value=value):
            ambiguous = normalise_name(value) in scope.names.expressions and not _MONTH_TEXT.fullmatch(value)
            return _quoted(value) if ambiguous else _value(value, scope)
        case Members():
            return _members(node, scope)
        case FactValue():
            return _fact(node, scope)
        case ParameterValue(name=name) | Defined(name=name):
            return name
        case Lookup(table=table, key=key):
            return f"{table}({_write(key, scope, 0)})"
        case Aggregate():
            return _aggregate(node, scope)
        case Rounded(value=value, unit=unit, digits=digits, manner=manner):
            word = "四舍五入" if manner == "half-up" else "修约"
            return f"{word}({_write(value, scope, 0)}, {unit_text(unit) or unit.name}, {digits})"
        case _:
            function, arguments = _call(node)
            return f"{function}({', '.join(_write(argument, scope, 0) for argument in arguments)})"


def _call(node: Expression) -> tuple[str, tuple[Expression, ...]]:
    match node:
        case Coalesce(value=value, fallback=fallback):
            return "缺省", (value, fallback)
        case IsKnown(value=value):
            return "已知", (value,)
        case AnyKnown(values=values):
            return "任一已知", values
        case Larger(values=values):
            return "较大", values
        case Smaller(values=values):
            return "较小", values
        case Later(values=values):
            return "较晚", values
        case Earlier(values=values):
            return "较早", values
        case AddYears(day=day, span=span):
            return "年后", (day, span)
        case AddMonths(day=day, span=span):
            return "月后", (day, span)
        case AddDays(day=day, span=span):
            return "日后", (day, span)
        case AddWorkdays(day=day, span=span):
            return "工作日后", (day, span)
        case RollWorkday(day=day):
            return "顺延至工作日", (day,)
        case MonthOf(day=day):
            return "所属月份", (day,)
        case NextMonth(month=month):
            return "次月", (month,)
        case DayOfMonth(day=day):
            return "日号", (day,)
        case Size(group=group):
            return "项数", (group,)
        case ApplicableMinimumPrice(standard=standard, adjusted=adjusted, term=term):
            return "适用最低价", (standard, adjusted, term)
        case NotYetDue(due=due):
            return "未到期", (due,)
        case Deadline():
            raise ValueError("a deadline is a block of its own in rule files, not text")
        case _:
            raise ValueError(f"{type(node).__name__} has no text")


def _aggregate(node: Aggregate, scope: Scope) -> str:
    columns = []
    for column in node.by:
        fact = scope.subject.facts.get(column) if column not in scope.identifying else None
        columns.append(column if fact is None else _fact(FactValue(fact.key, fact.label), scope))
    value = f"{_write(node.value, scope, 0)} " if node.value is not None else ""
    return f"{_AGGREGATE_WORDS[node.kind]}({value}按 {'、'.join(columns)})"
