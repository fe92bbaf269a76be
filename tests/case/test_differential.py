"""Both matchers on random cases over all rules: facts in random order, corrected, withdrawn. They never differ.

A longer run with figures is benchmarks/case_differential.py.
"""

from __future__ import annotations

import random
import time

from case.random_cases import arrivals, focuses
from landrules.engine.case.matchers import DurableMatcher, ReferenceMatcher
from landrules.engine.rulebook import Rulebook

SECONDS = 15.0


def test_durable_rules_agrees_with_the_reference_evaluator(
    rulebook: Rulebook, durable: DurableMatcher, reference: ReferenceMatcher
) -> None:
    rng = random.Random(20230601)
    targets = focuses(rulebook)
    rng.shuffle(targets)
    end = time.monotonic() + SECONDS
    seen: set[str] = set()
    cases = 0
    while time.monotonic() < end and cases < 20 * len(targets):
        for record in arrivals(targets[cases % len(targets)], rng):
            expected = reference.outcomes(record)
            assert durable.outcomes(record) == expected, record
            seen.update(outcome.verdict for outcome in expected.values())
        cases += 1
    assert durable.available
    assert (durable.restarts, durable.fallbacks) == (0, 0)
    assert cases >= 100
    assert {"符合", "违反", "待补充", "不适用"} <= seen
