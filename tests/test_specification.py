"""The landed rules against the specification: an interpreter of its own (tests/oracle) must agree, verdict by verdict."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from landrules.engine.checking import check
from landrules.engine.evaluate.derive import known_values
from landrules.engine.evaluate.judge import judge, parts_of
from landrules.engine.evaluate.reference import Situation
from landrules.engine.evaluate.relevance import relevant_facts
from landrules.engine.findings.model import CheckOptions, Finding
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.model import Rule
from landrules.facts.calendar import load_workdays
from landrules.facts.read_records import records_from_dicts
from oracle import cases, notation, relevance

DRAWS = 25


@cache
def library(shared: Path) -> cases.Library:
    return cases.load(shared)


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return Rulebook.load()


def landed(provisions: cases.Library, rulebook: Rulebook) -> list[tuple[str, notation.Provision]]:
    return [(rule, provision) for rule, provision in provisions.provisions.items() if rule in rulebook.rules]


def findings_for(
    rulebook: Rulebook, rule: str, subject: str, facts: list[Mapping[str, object]]
) -> list[Finding]:
    reading = records_from_dicts(
        [{"subject": subject, "id": str(number), "facts": dict(one)} for number, one in enumerate(facts)],
        rulebook.vocabulary,
    )
    report = check(rulebook, reading.records, CheckOptions(derive=False, select=(rule,)))
    return [record.findings[0] for record in report.records]


def logic_only(rulebook: Rulebook, rule: Rule, facts: Mapping[str, object]) -> Situation:
    """What the boundary cases test: the logic, without the gate of place and date."""
    reading = records_from_dicts(
        [{"subject": rule.subject, "id": "x", "facts": dict(facts)}], rulebook.vocabulary
    )
    parameters = {name: parameter.values[-1].value for name, parameter in rule.parameters.items()}
    tables = {
        name: {row: values[-1].value for row, values in table.rows.items()}
        for name, table in rule.tables.items()
    }
    return Situation(known_values(reading.records[0].entries), load_workdays(None), parameters, tables)


def test_every_visible_boundary_case_has_the_expected_verdict(shared: Path, rulebook: Rulebook) -> None:
    wrong = []
    for case in library(shared).cases:
        rule = f"{case.document}/{case.provision}"
        version = rulebook.rules[rule][-1]
        situation = logic_only(rulebook, version, case.facts)
        verdict = judge(parts_of(version), situation).verdict
        if verdict != case.expect:
            wrong.append(f"{rule} {case.id}: {verdict} instead of {case.expect}")
    assert not wrong, "\n".join(wrong)


def test_every_checkable_provision_is_a_rule_and_every_rule_a_provision(
    shared: Path, rulebook: Rulebook
) -> None:
    assert set(rulebook.rules) == set(library(shared).provisions)


def test_the_missing_facts_listed_are_those_that_trying_everything_finds(
    shared: Path, rulebook: Rulebook
) -> None:
    provisions = library(shared)
    compared = 0
    for rule, provision in provisions.provisions.items():
        document, version = provisions.document(provision), rulebook.rules[rule][-1]
        subject = rulebook.vocabulary.subjects[version.subject]
        rng = random.Random(f"missing {rule}")
        for _ in range(2):
            facts = cases.random_facts(provision, provisions.vocabulary, rng)
            values = provisions.values(provision, facts)
            if notation.judge(document, provision, values).verdict != "待补充":
                continue
            tried = relevance.relevant(document, provision, values, provisions.types(provision))
            listed = relevant_facts(parts_of(version), logic_only(rulebook, version, facts), subject)
            # Where there is too much to try everything, what trying finds is a lower bound.
            assert set(listed) == tried.keys or (not tried.exhaustive and tried.keys < set(listed)), (
                rule,
                facts,
            )
            compared += 1
    assert compared > 100


def test_random_facts_get_the_verdict_of_the_specification_with_place_and_date(
    shared: Path, rulebook: Rulebook
) -> None:
    provisions = library(shared)
    wrong = []
    for rule, provision in landed(provisions, rulebook):
        document = provisions.documents[provision.document]
        types = provisions.vocabulary[provision.subject]
        rng = random.Random(rule)
        draws = [
            cases.random_facts(provision, provisions.vocabulary, rng, document=document) for _ in range(DRAWS)
        ]
        expected = [
            notation.judge_gated(document, provision, notation.read_facts(types, facts)) for facts in draws
        ]
        found = findings_for(rulebook, rule, provision.subject, draws)
        for facts, outcome, finding in zip(draws, expected, found, strict=True):
            if finding.verdict.value != outcome.verdict:
                wrong.append(f"{rule} {facts}: {finding.verdict} instead of {outcome.verdict}")
    assert not wrong, "\n".join(wrong[:40])
