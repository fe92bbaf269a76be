"""Puts what is known into an expression and leaves what still depends on missing facts.

The result means the same for every way of supplying the missing facts, and reads only facts that are missing.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from fractions import Fraction

from landrules.engine.evaluate.reference import FIFTY_YEARS, Situation, evaluate
from landrules.engine.language import tree as t
from landrules.facts.quantities import UNITS
from landrules.facts.records import Value

__all__ = ["constant", "simplify"]

_PLAIN_UNIT = next(unit for unit in UNITS if unit.name == "无")
_TRUE = t.TruthConstant(True)
_FALSE = t.TruthConstant(False)
_CONSTANTS = (t.TruthConstant, t.NumberConstant, t.DateConstant, t.TextConstant, t.Members)


def constant(value: Value) -> t.Constant:
    """A node that yields this value."""
    match value:
        case bool():
            return _TRUE if value else _FALSE
        case Fraction():
            return t.NumberConstant(value, _PLAIN_UNIT)
        case date():
            return t.DateConstant(value)
        case str():
            return t.TextConstant(value)
        case frozenset():
            return t.Members(tuple(sorted(value)))


def simplify(node: t.Expression, situation: Situation) -> t.Expression:
    """The expression with known facts, parameters and tables put in."""
    match node:
        case t.TruthConstant() | t.NumberConstant() | t.DateConstant() | t.TextConstant() | t.Members():
            return node
        case t.FactValue() | t.ParameterValue():
            value = evaluate(node, situation)
            return node if value is None else constant(value)
        case t.Defined(body=body):
            return simplify(body, situation)
        case t.And(parts=parts):
            return _joined(t.And, [simplify(part, situation) for part in parts], neutral=_TRUE, final=_FALSE)
        case t.Or(parts=parts):
            return _joined(t.Or, [simplify(part, situation) for part in parts], neutral=_FALSE, final=_TRUE)
        case t.Coalesce(value=value_node, fallback=fallback):
            kept = simplify(value_node, situation)
            if isinstance(kept, _CONSTANTS) or situation.suspends(node):
                return kept
            return t.Coalesce(kept, simplify(fallback, situation))
        case t.Choose(condition=condition, yes=yes, no=no):
            chosen = simplify(condition, situation)
            if isinstance(chosen, t.TruthConstant):
                return simplify(yes if chosen.value else no, situation)
            return t.Choose(chosen, simplify(yes, situation), simplify(no, situation))
        case t.AnyKnown(values=values):
            kept_values = [simplify(value, situation) for value in values]
            if any(isinstance(value, _CONSTANTS) for value in kept_values):
                return _TRUE
            return t.AnyKnown(tuple(kept_values))
        case t.IsKnown(value=value_node):
            kept = simplify(value_node, situation)
            if isinstance(kept, _CONSTANTS):
                return _TRUE
            return t.AnyKnown((kept,)) if situation.suspends(node) else t.IsKnown(kept)
        case t.ApplicableMinimumPrice(standard=standard, adjusted=adjusted, term=term):
            kept = simplify(adjusted, situation)
            if isinstance(kept, _CONSTANTS):
                return kept
            years = simplify(term, situation)
            if isinstance(years, t.NumberConstant):
                # Once the term is known, only on which side of fifty years it lies still matters.
                usable = simplify(standard, situation)
                return kept if years.value < FIFTY_YEARS else t.Coalesce(kept, usable)
            if situation.suspends(node) and not isinstance(years, _CONSTANTS):
                # The standard holds once the term is known to be long enough, and says nothing before.
                return t.Choose(t.AnyKnown((years,)), simplify(standard, situation), kept)
            return t.ApplicableMinimumPrice(simplify(standard, situation), kept, years)
        case t.NotYetDue(due=due):
            today = t.FactValue("as_of_date", "评价基准日")
            return simplify(t.Compare(today, "≤", due), situation)
        case t.Deadline(due=due, done=done, flag=flag):
            today = t.FactValue("as_of_date", "评价基准日")
            if flag is None:
                ended = done if situation.suspends(node) else t.Coalesce(done, today)
                return simplify(t.Compare(ended, "≤", due), situation)
            in_time = t.And((flag, t.Compare(done, "≤", due)))
            pending = t.And((t.Not(flag), t.Compare(today, "≤", due)))
            return simplify(t.Or((in_time, pending)), situation)
        case t.Aggregate():
            value = evaluate(node, situation)
            return node if value is None else constant(value)
        case _:
            return _rebuilt(node, situation)


def _joined(
    make: type[t.And] | type[t.Or],
    parts: list[t.Expression],
    *,
    neutral: t.TruthConstant,
    final: t.TruthConstant,
) -> t.Expression:
    if final in parts:
        return final
    kept = [part for part in parts if part != neutral]
    if not kept:
        return neutral
    return kept[0] if len(kept) == 1 else make(tuple(kept))


def _rebuilt(node: t.Expression, situation: Situation) -> t.Expression:
    changes: dict[str, object] = {}
    settled = True
    for spec in fields(node):
        part = getattr(node, spec.name)
        if isinstance(part, tuple) and spec.name in ("values", "parts"):
            kept_parts = tuple(simplify(item, situation) for item in part)
            settled = settled and all(isinstance(item, _CONSTANTS) for item in kept_parts)
            changes[spec.name] = kept_parts
        elif type(part).__module__ == t.__name__:
            kept = simplify(part, situation)
            settled = settled and isinstance(kept, _CONSTANTS)
            changes[spec.name] = kept
    rebuilt = replace(node, **changes)  # type: ignore[arg-type]  # the fields of this very node
    if settled:
        value = evaluate(rebuilt, situation)
        if value is not None:
            return constant(value)
    return rebuilt
