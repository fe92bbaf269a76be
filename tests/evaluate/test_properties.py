from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.small_worlds import (
    PLAIN_TRUTHS,
    PRESUMING_TRUTHS,
    SUBJECT,
    completions,
    parts,
    situation,
)
from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.evaluate.judge import Parts, judge, presuming_nodes
from landrules.engine.evaluate.reference import evaluate_truth
from landrules.engine.evaluate.relevance import domains, relevant_facts, simplified
from landrules.engine.evaluate.simplify import simplify
from landrules.engine.findings.marks import presumptions
from landrules.engine.language import tree as t
from landrules.facts.records import Value

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "p": st.booleans(),
        "q": st.booleans(),
        "r": st.booleans(),
        "kind": st.sampled_from(["一", "二", "三"]),
        "size": st.sampled_from([Fraction(number) for number in range(4)]),
    },
)


@given(PLAIN_TRUTHS, VALUES, VALUES)
def test_knowing_more_never_changes_a_known_truth(
    node: t.Expression, known: dict[str, Value], more: dict[str, Value]
) -> None:
    before = evaluate_truth(node, situation(known))
    after = evaluate_truth(node, situation({**more, **known}))
    assert before is None or after is before


@given(parts(PRESUMING_TRUTHS), VALUES, VALUES)
def test_a_verdict_that_knowing_more_changes_names_its_presumption(
    rule: Parts, known: dict[str, Value], more: dict[str, Value]
) -> None:
    before = judge(rule, situation(known))
    after = judge(rule, situation({**more, **known}))
    if before.verdict not in (Verdict.MET, Verdict.VIOLATED) or after.verdict is before.verdict:
        return
    nodes = presuming_nodes(rule)
    named = presumptions(rule, nodes, before, situation(known))
    # The one change the verdict table itself allows: an exclusion that was open turns out to hold. With the
    # requirement met, an exclusion that is open gives the same verdict as one that a default rules out.
    bare = judge(rule, situation(known).suspending(*nodes))
    excluded = bare.exclude is None and after.verdict is Verdict.NOT_APPLICABLE
    assert named or excluded, (rule, known, more)


@given(PRESUMING_TRUTHS, VALUES, VALUES)
def test_a_simplified_expression_means_the_same_however_the_rest_is_supplied(
    node: t.Expression, known: dict[str, Value], more: dict[str, Value]
) -> None:
    rest = {key: value for key, value in more.items() if key not in known}
    simple = simplify(node, situation(known))
    assert set(t.facts_of(simple)).isdisjoint(known)
    assert evaluate_truth(simple, situation(rest)) is evaluate_truth(node, situation({**rest, **known}))


@given(parts(PRESUMING_TRUTHS), VALUES)
@settings(max_examples=150)
def test_the_missing_facts_listed_are_exactly_those_that_can_still_change_the_verdict(
    rule: Parts, known: dict[str, Value]
) -> None:
    simple = simplified(rule, situation(known))
    candidates = tuple(
        dict.fromkeys(
            key
            for root in (rule.when, rule.exclude, rule.met)
            for key in t.facts_of(root)
            if key not in known
        )
    )
    tried = domains(simple, candidates, SUBJECT)
    expected = set()
    for key in candidates:
        others = tuple(other for other in candidates if other != key)
        for supplied in completions(others, tried):
            without = judge(rule, situation({**known, **supplied})).verdict
            if any(
                judge(rule, situation({**known, **supplied, key: value})).verdict is not without
                for value in tried[key]
            ):
                expected.add(key)
                break
    assert set(relevant_facts(rule, situation(known), SUBJECT)) == expected


@given(parts(PLAIN_TRUTHS), VALUES, st.randoms(use_true_random=False))
def test_the_order_of_the_parts_of_a_rule_changes_nothing(
    rule: Parts, known: dict[str, Value], random: object
) -> None:
    def turned(node: t.Expression) -> t.Expression:
        match node:
            case t.And(parts=inner):
                return t.And(tuple(turned(part) for part in reversed(inner)))
            case t.Or(parts=inner):
                return t.Or(tuple(turned(part) for part in reversed(inner)))
            case t.Not(part=part):
                return t.Not(turned(part))
            case _:
                return node

    other = Parts(turned(rule.when), turned(rule.exclude), turned(rule.met), rule.deviation)
    assert judge(rule, situation(known)).verdict is judge(other, situation(known)).verdict
    assert set(relevant_facts(rule, situation(known), SUBJECT)) == set(
        relevant_facts(other, situation(known), SUBJECT)
    )
