"""Small vocabularies and random rule parts over them, for properties checked by trying everything."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product

from hypothesis import strategies as st

from landrules.engine.evaluate.judge import Parts
from landrules.engine.evaluate.reference import Situation
from landrules.engine.language import tree as t
from landrules.facts.calendar import load_workdays
from landrules.facts.quantities import find_unit
from landrules.facts.records import Value
from landrules.facts.vocabulary import Fact, Subject

PLAIN = find_unit("无")
assert PLAIN is not None
WORKDAYS = load_workdays(None)
FACTS = {
    "p": Fact("p", "甲", "bool", PLAIN, ""),
    "q": Fact("q", "乙", "bool", PLAIN, ""),
    "r": Fact("r", "丙", "bool", PLAIN, ""),
    "kind": Fact("kind", "类别", "enum", PLAIN, "", values=("一", "二", "三")),
    "size": Fact("size", "数量", "integer", PLAIN, ""),
}
SUBJECT = Subject("small", "小表", "", FACTS, {fact.label: fact for fact in FACTS.values()})
DOMAINS: Mapping[str, tuple[Value, ...]] = {}


def situation(values: Mapping[str, Value]) -> Situation:
    return Situation(values, WORKDAYS)


def fact(key: str) -> t.FactValue:
    return t.FactValue(key, FACTS[key].label)


def number(value: int) -> t.NumberConstant:
    assert PLAIN is not None
    return t.NumberConstant(Fraction(value), PLAIN)


BOOLEANS = st.sampled_from([fact("p"), fact("q"), fact("r")])
SIGNS = st.sampled_from(["=", "≠", "<", "≤", ">", "≥"])
ATOMS = st.one_of(
    BOOLEANS,
    st.builds(
        lambda members: t.OneOf(fact("kind"), t.Members(members)),
        st.sampled_from([("一",), ("一", "二"), ("三",)]),
    ),
    st.builds(
        lambda sign, bound: t.Compare(fact("size"), sign, number(bound)), SIGNS, st.sampled_from([1, 2])
    ),
)


def _pairs(inner: st.SearchStrategy[t.Expression]) -> st.SearchStrategy[tuple[t.Expression, ...]]:
    return st.lists(inner, min_size=2, max_size=3).map(tuple)


PLAIN_TRUTHS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(t.And, _pairs(inner)),
        st.builds(t.Or, _pairs(inner)),
        st.builds(t.Not, inner),
        st.builds(t.Choose, inner, inner, inner),
    ),
    max_leaves=5,
)
PRESUMING_TRUTHS = st.recursive(
    st.one_of(
        ATOMS,
        st.builds(lambda part, truth: t.Coalesce(part, t.TruthConstant(truth)), BOOLEANS, st.booleans()),
        st.builds(t.IsKnown, st.sampled_from([fact("p"), fact("size")])),
        st.builds(lambda: t.AnyKnown((fact("p"), fact("size")))),
    ),
    lambda inner: st.one_of(
        st.builds(t.And, _pairs(inner)), st.builds(t.Or, _pairs(inner)), st.builds(t.Not, inner)
    ),
    max_leaves=4,
)


def parts(truths: st.SearchStrategy[t.Expression]) -> st.SearchStrategy[Parts]:
    exclude = st.one_of(st.just(t.TruthConstant(False)), truths)
    return st.builds(Parts, truths, exclude, truths, st.just(False))


def completions(keys: tuple[str, ...], domains: Mapping[str, tuple[Value, ...]]) -> list[dict[str, Value]]:
    """Every way of supplying or leaving out each of the facts."""
    choices = [(None, *domains[key]) for key in keys]
    return [
        {key: value for key, value in zip(keys, values, strict=True) if value is not None}
        for values in product(*choices)
    ]
