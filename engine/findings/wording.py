"""Values, units and short names as text: how a fact, a limit or a difference is written in a finding."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from landrules.engine.evaluate.reference import Situation
from landrules.engine.language import tree as t
from landrules.engine.language.sentences import sentence
from landrules.engine.rulebook.model import Rule
from landrules.facts.quantities import Dimension, Unit, find_unit, format_quantity
from landrules.facts.records import Value
from landrules.facts.vocabulary import Fact, Subject

__all__ = ["SIGN_WORDS", "dimension_of", "fact_text", "phrase", "unit_for", "value_text"]

SIGN_WORDS = {"=": "等于", "≠": "不等于", "<": "低于", "≤": "不超过", ">": "超过", "≥": "不低于"}
DATE_WORDS = {"=": "等于", "≠": "不等于", "<": "早于", "≤": "不晚于", ">": "晚于", "≥": "不早于"}


def value_text(value: Value, unit: Unit | None) -> str:
    """A value for people: `25 年`, `15%`, `2023-06-01`, `是`, `工业、仓储`, `无` for an empty set."""
    match value:
        case bool():
            return "是" if value else "否"
        case Fraction():
            return format_quantity(value, unit or _plain())
        case date():
            return value.isoformat()
        case frozenset():
            return "、".join(sorted(value)) or "无"
        case str():
            return value


def fact_text(fact: Fact | None, value: Value) -> str:
    """A fact's value in its canonical unit."""
    return value_text(value, fact.unit if fact else None)


def phrase(node: t.Expression, rule: Rule, situation: Situation) -> str:
    """An expression in words, its parameters with their values on the day."""
    texts: dict[str, str] = {}
    for name, value in situation.parameters.items():
        dated = rule.parameters[name].values if name in rule.parameters else ()
        unit = next((item.unit for item in dated if item.unit), None)
        texts[name] = "" if value is None else value_text(value, unit)
    return sentence(node, texts)


def dimension_of(node: t.Expression, subject: Subject, rule: Rule) -> Dimension | None:
    """The dimension of a number expression, None where it is not a number."""
    match node:
        case t.FactValue(key=key):
            fact = subject.facts.get(key)
            return fact.dimension if fact and fact.numeric else None
        case t.NumberConstant(unit=unit) | t.Rounded(unit=unit):
            return unit.dimension
        case t.ParameterValue(name=name):
            values = rule.parameters[name].values if name in rule.parameters else ()
            return next((value.unit.dimension for value in values if value.unit), None)
        case t.Lookup(table=table):
            rows = rule.tables[table].rows.values() if table in rule.tables else ()
            return next((row.unit.dimension for values in rows for row in values if row.unit), None)
        case t.Defined(body=part) | t.Negate(part=part):
            return dimension_of(part, subject, rule)
        case t.Add(left=left) | t.Subtract(left=left):
            return dimension_of(left, subject, rule)
        case t.Coalesce(value=value) | t.ApplicableMinimumPrice(standard=value) | t.Choose(yes=value):
            return dimension_of(value, subject, rule)
        case t.Larger(values=values_) | t.Smaller(values=values_):
            return dimension_of(values_[0], subject, rule)
        case t.Multiply(left=left, right=right):
            first, second = dimension_of(left, subject, rule), dimension_of(right, subject, rule)
            return first.times(second) if first and second else None
        case t.Divide(left=left, right=right):
            first, second = dimension_of(left, subject, rule), dimension_of(right, subject, rule)
            return first.over(second) if first and second else None
        case t.Size() | t.DayOfMonth():
            return Dimension()
        case t.Aggregate(kind=kind, value=value_):
            if kind == "count" or value_ is None:
                return Dimension()
            return dimension_of(value_, subject, rule)
        case _:
            return None


def unit_for(nodes: tuple[t.Expression, ...], subject: Subject, rule: Rule) -> Unit:
    """The unit to show a comparison in: the first one written or declared in it that has its dimension."""
    dimension = next((found for node in nodes if (found := dimension_of(node, subject, rule))), Dimension())
    for node in nodes:
        for part in t.walk(node):
            unit = _unit_of(part, subject, rule)
            if unit is not None and unit.dimension == dimension:
                return unit
    return _base_unit(dimension)


def _unit_of(node: t.Expression, subject: Subject, rule: Rule) -> Unit | None:
    match node:
        case t.Rounded(unit=unit) | t.NumberConstant(unit=unit):
            return unit
        case t.FactValue(key=key) if key in subject.facts and subject.facts[key].numeric:
            return subject.facts[key].unit
        case t.ParameterValue(name=name) if name in rule.parameters:
            return next((value.unit for value in rule.parameters[name].values if value.unit), None)
        case t.Lookup(table=table) if table in rule.tables:
            rows = rule.tables[table].rows.values()
            return next((row.unit for values in rows for row in values if row.unit), None)
        case _:
            return None


def _base_unit(dimension: Dimension) -> Unit:
    return Unit(dimension.describe(), dimension, Fraction(1)) if dimension != Dimension() else _plain()


def _plain() -> Unit:
    unit = find_unit("无")
    assert unit is not None  # noqa: S101 - the unit table always has it
    return unit
