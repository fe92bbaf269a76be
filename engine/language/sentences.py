"""A tree as a Chinese sentence for people who do not write rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    ComparisonSign,
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
from landrules.engine.language.words import decimal_text, quantity_text, unit_text
from landrules.engine.language.writing import is_chain, sign_word

__all__ = ["sentence"]

_MONTH_TEXT = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_OPPOSITE: dict[ComparisonSign, ComparisonSign] = {"=": "≠", "≠": "=", "<": "≥", "≥": "<", ">": "≤", "≤": ">"}


@dataclass(frozen=True, slots=True)
class _Telling:
    """What the sentence is told with: values of parameters, and the scope where it is known."""

    parameters: Mapping[str, str]
    scope: Scope | None


def sentence(expression: Expression, parameters: Mapping[str, str], scope: Scope | None = None) -> str:
    """The tree in plain Chinese, without a full stop.

    `parameters` gives the value of each parameter as text, shown behind its name; one that is missing or empty is
    shown as not given by the document. With `scope`, days compare as 早于/晚于 and grouping facts have their labels.
    """
    telling = _Telling(parameters, scope)
    if isinstance(expression, Deadline) or _is_truth(expression, scope):
        return _clause(expression, telling)
    return _thing(expression, telling)


def _is_truth(node: Expression, scope: Scope | None) -> bool:
    match node:
        case (
            TruthConstant()
            | And()
            | Or()
            | Not()
            | Compare()
            | OneOf()
            | Contains()
            | ContainsAll()
            | Subset()
        ):
            return True
        case IsKnown() | AnyKnown() | NotYetDue() | Deadline():
            return True
        case Coalesce(value=value, fallback=other) | Choose(yes=value, no=other):
            return _is_truth(value, scope) or _is_truth(other, scope)
        case Defined(body=body):
            return _is_truth(body, scope)
        case FactValue(key=key, label=label):
            fact = scope.subject.facts.get(key) if scope is not None else None
            return fact.type == "bool" if fact is not None else "是否" in label
        case ParameterValue(name=name):
            return scope is not None and name in scope.parameters and scope.parameters[name].type == "bool"
        case Lookup(table=table):
            return scope is not None and table in scope.tables and scope.tables[table].value.type == "bool"
        case _:
            return False


def _clause(node: Expression, telling: _Telling) -> str:
    """A node in a place where a truth stands."""
    match node:
        case TruthConstant(value=value):
            return "恒成立" if value else "恒不成立"
        case And(parts=parts):
            return "，且".join(_part(part, telling) for part in parts)
        case Or(parts=parts):
            return "，或".join(_part(part, telling) for part in parts)
        case Not(part=part):
            return _denial(part, telling)
        case Compare():
            return _comparison(node, telling)
        case OneOf() | Contains() | ContainsAll() | Subset():
            return _membership(node, telling, denied=False)
        case Choose(condition=condition, yes=yes, no=no):
            texts = [_part(part, telling) for part in (condition, yes, no)]
            return f"若{texts[0]}，则{texts[1]}，否则{texts[2]}"
        case Coalesce():
            return _presumed(node, telling, denied=False)
        case IsKnown(value=value):
            return f"已填报{_thing(value, telling)}"
        case AnyKnown(values=values):
            return f"{_listed(values, telling)}至少填报一项"
        case NotYetDue(due=due):
            return f"评价基准日不晚于{_thing(due, telling)}（未到期）"
        case Deadline(due=due, done=done, flag=flag):
            basis = f"以“{_thing(done, telling)}”为准"
            if flag is not None:
                basis += f"，是否完成看“{_thing(flag, telling)}”"
            return f"应于{_thing(due, telling)}（含当日）前完成（{basis}）"
        case ParameterValue() | Defined() | Lookup():
            return f"“{_thing(node, telling)}”成立"
        case _:
            return f"“{_thing(node, telling)}”为“是”"


def _part(node: Expression, telling: _Telling) -> str:
    """A clause inside another: in brackets where it has parts of its own."""
    text = _clause(node, telling)
    compound = isinstance(node, And | Or | Choose) and not (isinstance(node, And) and is_chain(node))
    return f"（{text}）" if compound else text


def _denial(node: Expression, telling: _Telling) -> str:
    match node:
        case Compare(left=left, sign=sign, right=right):
            return _comparison(Compare(left, _OPPOSITE[sign], right), telling)
        case OneOf() | Contains() | ContainsAll() | Subset():
            return _membership(node, telling, denied=True)
        case IsKnown(value=value):
            return f"未填报{_thing(value, telling)}"
        case AnyKnown(values=values):
            return f"{_listed(values, telling)}均未填报"
        case Coalesce(value=FactValue()):
            return _presumed(node, telling, denied=True)
        case FactValue():
            return f"“{_thing(node, telling)}”为“否”"
        case Not(part=part):
            return _clause(part, telling)
        case _:
            return f"并非（{_clause(node, telling)}）"


def _presumed(node: Coalesce, telling: _Telling, *, denied: bool) -> str:
    clause = _denial(node.value, telling) if denied else _part(node.value, telling)
    simple = isinstance(node.value, FactValue)
    match node.fallback:
        case TruthConstant(value=value) if simple:
            return f"{clause}（未填按“{'是' if value else '否'}”）"
        case TruthConstant(value=value):
            return f"{clause}（资料不足时视为{'成立' if value else '不成立'}）"
        case fallback:
            return f"{clause}（{'未填' if simple else '资料不足'}时看：{_clause(fallback, telling)}）"


def _comparison(node: Compare, telling: _Telling) -> str:
    match node.right:
        case TruthConstant(value=value):
            same = value == (node.sign == "=")
            return _part(node.left, telling) if same else _denial(node.left, telling)
        case _:
            word = sign_word(node, telling.scope)
            return f"{_thing(node.left, telling)}{word}{_apart(_thing(node.right, telling))}"


def _membership(node: OneOf | Contains | ContainsAll | Subset, telling: _Telling, *, denied: bool) -> str:
    match node:
        case OneOf(item=item, members=Members(values=(only,))):
            return f"{_thing(item, telling)}{'不为' if denied else '为'}“{only}”"
        case OneOf(item=item, members=members):
            return f"{_thing(item, telling)}{'不是' if denied else '是'}{_thing(members, telling)}之一"
        case Contains(group=group, item=item):
            return f"{_thing(group, telling)}{'不包含' if denied else '包含'}{_thing(item, telling)}"
        case ContainsAll(group=group, members=members):
            word = "没有包含" if denied else "包含"
            return f"{_thing(group, telling)}{word}{_thing(members, telling)}的全部"
        case Subset(group=group, members=members) if denied:
            return f"{_thing(group, telling)}超出{_thing(members, telling)}的范围"
        case Subset(group=group, members=members):
            return f"{_thing(group, telling)}仅限于{_thing(members, telling)}"


def _thing(node: Expression, telling: _Telling) -> str:
    """A node in a place where a value stands."""
    match node:
        case FactValue(label=label):
            return label
        case ParameterValue(name=name):
            return f"{name}（{telling.parameters.get(name) or '文件未给出数值'}）"
        case Defined(name=name):
            return name
        case NumberConstant(value=value, unit=unit):
            return quantity_text(value, unit)
        case DateConstant(value=value):
            return f"{value.year}年{value.month}月{value.day}日"
        case TextConstant(value=value):
            month = _MONTH_TEXT.fullmatch(value)
            return f"{int(month[1])}年{int(month[2])}月" if month else f"“{value}”"
        case Members(values=values):
            return "".join(f"“{value}”" for value in values)
        case (
            Add() | Subtract() | Multiply() | Divide() | Negate() | Larger() | Smaller() | Rounded() | Size()
        ):
            return _number(node, telling)
        case Choose(condition=condition, yes=yes, no=no):
            texts = _part(condition, telling), _thing(yes, telling), _thing(no, telling)
            return f"（若{texts[0]}，为{_apart(texts[1])}，否则为{_apart(texts[2])}）"
        case Coalesce(value=value, fallback=fallback):
            when = "未填" if isinstance(value, FactValue) else "不明时"
            return f"{_operand(value, telling)}（{when}按{_apart(_thing(fallback, telling))}）"
        case Lookup(table=table, key=key):
            return f"{table}（按{_thing(key, telling)}）"
        case Aggregate():
            return _aggregate(node, telling)
        case ApplicableMinimumPrice(standard=standard, adjusted=adjusted):
            return f"适用最低价（{_thing(standard, telling)}；{_thing(adjusted, telling)}已填的从其规定）"
        case _:
            return _day(node, telling)


def _number(node: Expression, telling: _Telling) -> str:
    match node:
        case Add(left=left, right=right):
            return f"{_thing(left, telling)}加{_apart(_operand(right, telling))}"
        case Subtract(left=left, right=right):
            return f"{_thing(left, telling)}减{_apart(_operand(right, telling))}"
        case (
            Multiply(left=NumberConstant() as factor, right=other)
            | Multiply(left=other, right=NumberConstant() as factor)
        ):
            name = quantity_text(factor.value, factor.unit)
            if factor.unit.dimension.dimensionless:
                return f"{_operand(other, telling)}的 {name}{'' if factor.unit.dimension.ratio else ' 倍'}"
            return f"{_operand(other, telling)}乘以 {name}"
        case Multiply(left=left, right=right):
            return f"{_operand(left, telling)}乘以{_operand(right, telling)}"
        case Divide(left=left, right=NumberConstant() as divisor):
            return f"{_operand(left, telling)}除以 {quantity_text(divisor.value, divisor.unit)}"
        case Divide(left=left, right=right):
            return f"{_operand(left, telling)}与{_operand(right, telling)}之比"
        case Negate(part=part):
            return f"负的{_apart(_operand(part, telling))}"
        case Larger(values=values):
            return f"{_several(values, telling)}中的较大者"
        case Smaller(values=values):
            return f"{_several(values, telling)}中的较小者"
        case Rounded(value=value, unit=unit, digits=digits, manner=manner):
            word = "四舍五入" if manner == "half-up" else "按 GB/T 8170 修约"
            places = f"到 {digits} 位小数" if digits else "到整数"
            measure = f"以{unit_text(unit)}计，" if unit_text(unit) else ""
            return f"{_operand(value, telling)}（{measure}{word}{places}）"
        case Size(group=group):
            return f"{_thing(group, telling)}的项数"
        case _:
            raise AssertionError(f"no words for {type(node).__name__}")


def _day(node: Expression, telling: _Telling) -> str:
    match node:
        case Later(values=values):
            return f"{_several(values, telling)}中的较晚者"
        case Earlier(values=values):
            return f"{_several(values, telling)}中的较早者"
        case AddYears(day=day, span=span) | AddMonths(day=day, span=span):
            return f"{_thing(day, telling)}后满{_apart(_operand(span, telling))}的对应日"
        case AddDays(day=day, span=NumberConstant(value=value, unit=unit)):
            days = decimal_text(value) if unit.name == "日" else quantity_text(value, unit)
            return (
                f"{_thing(day, telling)}后第 {days} 日"
                if unit.name == "日"
                else f"{_thing(day, telling)}后 {days}"
            )
        case AddWorkdays(day=day, span=NumberConstant(value=value)):
            return f"{_thing(day, telling)}后第 {decimal_text(value)} 个工作日"
        case AddDays(day=day, span=span) | AddWorkdays(day=day, span=span):
            return f"{_thing(day, telling)}后经过{_apart(_operand(span, telling))}之日"
        case RollWorkday(day=day):
            return f"{_thing(day, telling)}（遇休息日顺延至下一工作日）"
        case MonthOf(day=day):
            return f"{_thing(day, telling)}所属月份"
        case NextMonth(month=month):
            return f"{_thing(month, telling)}的次月"
        case DayOfMonth(day=day):
            return f"{_thing(day, telling)}在当月的日号"
        case _:
            # A truth where a value stands: compared with another truth.
            return f"“{_clause(node, telling)}”"


def _operand(node: Expression, telling: _Telling) -> str:
    text = _thing(node, telling)
    return f"（{text}）" if isinstance(node, Add | Subtract | Multiply | Divide | Negate) else text


def _listed(values: Sequence[Expression], telling: _Telling) -> str:
    texts = [_thing(value, telling) for value in values]
    simple = [isinstance(value, FactValue | ParameterValue | Defined) for value in values]
    return "、".join(text if plain else f"（{text}）" for text, plain in zip(texts, simple, strict=True))


def _several(values: Sequence[Expression], telling: _Telling) -> str:
    texts = [_thing(value, telling) for value in values]
    return "、".join(texts[:-1]) + "与" + _apart(texts[-1])


def _aggregate(node: Aggregate, telling: _Telling) -> str:
    facts = telling.scope.subject.facts if telling.scope is not None else {}
    columns = "、".join(facts[column].label if column in facts else column for column in node.by)
    if node.value is None:
        return f"同一{columns}的行数"
    word = {"sum": "合计", "count": "个数", "largest": "最大值", "smallest": "最小值"}[node.kind]
    inner = (
        _clause(node.value, telling) if _is_truth(node.value, telling.scope) else _thing(node.value, telling)
    )
    return f"同一{columns}各行{inner}的{word}"


def _apart(text: str) -> str:
    """A blank before a number, none before 中文 or a calendar day."""
    return f" {text}" if re.match(r"[−-]?[0-9.]+( |%|$)", text) else text
