from __future__ import annotations

from itertools import permutations, product

import pytest

from landrules.engine.evaluate.algebra import (
    Truth,
    Verdict,
    conjunction,
    decide,
    disjunction,
    negation,
    stage_of,
)

TRUTHS: tuple[Truth, ...] = (True, False, None)
RANK = {False: 0, None: 1, True: 2}


@pytest.mark.parametrize(("left", "right"), list(product(TRUTHS, TRUTHS)))
def test_and_is_the_lesser_and_or_the_greater_truth(left: Truth, right: Truth) -> None:
    lesser, greater = sorted((left, right), key=lambda truth: RANK[truth])
    assert conjunction((left, right)) is lesser
    assert disjunction((left, right)) is greater


@pytest.mark.parametrize("parts", list(product(TRUTHS, repeat=3)))
def test_the_order_of_operands_changes_nothing(parts: tuple[Truth, ...]) -> None:
    assert len({conjunction(order) for order in permutations(parts)}) == 1
    assert len({disjunction(order) for order in permutations(parts)}) == 1


@pytest.mark.parametrize("parts", list(product(TRUTHS, repeat=3)))
def test_not_turns_and_into_or(parts: tuple[Truth, ...]) -> None:
    assert negation(conjunction(parts)) is disjunction(negation(part) for part in parts)


def test_nothing_joined_is_true_for_and_and_false_for_or() -> None:
    assert conjunction(()) is True
    assert disjunction(()) is False


# The table of CONVENTIONS §3, written out: rows (when, exclude, met) → verdict.
TABLE = {
    (False, False, False): "不适用",
    (False, False, None): "不适用",
    (False, False, True): "不适用",
    (False, None, False): "不适用",
    (False, None, None): "不适用",
    (False, None, True): "不适用",
    (False, True, False): "不适用",
    (False, True, None): "不适用",
    (False, True, True): "不适用",
    (None, True, False): "不适用",
    (None, True, None): "不适用",
    (None, True, True): "不适用",
    (True, True, False): "不适用",
    (True, True, None): "不适用",
    (True, True, True): "不适用",
    (None, False, False): "待补充",
    (None, False, None): "待补充",
    (None, False, True): "待补充",
    (None, None, False): "待补充",
    (None, None, None): "待补充",
    (None, None, True): "待补充",
    (True, False, True): "符合",
    (True, None, True): "符合",
    (True, None, False): "待补充",
    (True, None, None): "待补充",
    (True, False, None): "待补充",
    (True, False, False): "违反",
}


def test_the_verdict_table_covers_every_combination() -> None:
    assert set(TABLE) == set(product(TRUTHS, TRUTHS, TRUTHS))


@pytest.mark.parametrize(("truths", "expected"), TABLE.items())
def test_the_verdict_is_the_one_of_the_table(truths: tuple[Truth, Truth, Truth], expected: str) -> None:
    assert decide(*truths) == Verdict(expected)


@pytest.mark.parametrize("truths", list(TABLE))
def test_supplying_an_unknown_part_never_turns_met_or_violated_into_something_else(
    truths: tuple[Truth, Truth, Truth],
) -> None:
    if decide(*truths) not in (Verdict.MET, Verdict.VIOLATED):
        return
    choices = [TRUTHS[:2] if truth is None else (truth,) for truth in truths]
    outcomes = {decide(*supplied) for supplied in product(*choices)}
    # A met requirement with an open exclusion may still turn out not to apply; that is no accusation either way.
    allowed = {decide(*truths)} | ({Verdict.NOT_APPLICABLE} if truths[1] is None else set())
    assert outcomes <= allowed


def test_a_requirement_is_open_only_when_the_rule_surely_applies() -> None:
    assert stage_of(when=True, exclude=False) == "requirement"
    assert stage_of(when=True, exclude=None) == "applicability"
    assert stage_of(when=None, exclude=False) == "applicability"
