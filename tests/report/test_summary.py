from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import Finding, Report
from landrules.engine.report.console import render_console
from landrules.engine.report.html import render_html
from landrules.engine.report.summary import Status, exit_code, status_of, summarise
from sample_report import (
    broken,
    clean_report,
    encouraged,
    lease_violated,
    met,
    missing,
    outside,
    possible,
    price_violated,
    record,
    sample_report,
)

_FINDINGS = [
    lease_violated(),
    price_violated(),
    encouraged(),
    met(),
    missing("start_date"),
    missing("start_date", "supply_area"),
    possible(),
    outside(),
    broken(),
]


def report_of(*rows: list[Finding]) -> Report:
    return replace(
        sample_report(),
        records=tuple(record(number, *row) for number, row in enumerate(rows, start=1)),
        notes=(),
    )


reports = st.lists(st.lists(st.sampled_from(_FINDINGS), max_size=6), max_size=6).map(
    lambda rows: report_of(*rows)
)


@given(reports)
def test_every_count_adds_up_to_the_verdict_records(report: Report) -> None:
    summary = summarise(report)
    findings = [finding for entry in report.records for finding in entry.findings]
    by_verdict = Counter(str(finding.verdict) for finding in findings)
    assert {name: count for name, count in summary.verdicts.items() if count} == dict(by_verdict)
    assert sum(summary.statuses.values()) == summary.records == len(report.records)
    assert sum(summary.violations.values()) == by_verdict["违反"]
    assert summary.requirement + summary.applicability == by_verdict["待补充"]
    assert sum(summary.reasons.values()) == by_verdict["不适用"]
    assert sum(entry.count for entry in summary.rules_violated) == by_verdict["违反"]
    assert sum(entry.requirement for entry in summary.open_rules) == summary.requirement
    assert sum(entry.applicability for entry in summary.open_rules) == summary.applicability
    lacking = sum(len(finding.missing) for finding in findings if finding.verdict is Verdict.OPEN)
    assert sum(question.requirement + question.applicability for question in summary.questions) == lacking


@given(reports)
def test_every_rendering_shows_the_counts_of_the_verdict_records(report: Report) -> None:
    summary = summarise(report)
    total = sum(len(entry.findings) for entry in report.records)
    console = render_console(report, width=400)
    page = unescape(re.sub(r"<[^>]+>", "", render_html(report)))
    for text in (console, page):
        counts = {
            name: int(number) for name, number in re.findall(r"(违反|符合|待补充|不适用) (\d+)[，（\n]", text)
        }
        assert all(counts.get(name, 0) <= summary.verdicts[name] for name in counts)
        assert re.search(rf"判断\s+{total} 项", text)
        assert f"适用缺资料 {summary.requirement}" in text or f"适用而缺资料 {summary.requirement}" in text
        assert f"可能适用 {summary.applicability}" in text
        assert f"待补充 {summary.verdicts['待补充']}" in text
        assert f"不适用 {summary.verdicts['不适用']}" in text
    assert len(re.findall(r"^  (?:错误|提示)  ", console, re.MULTILINE)) == (
        summary.violations["错误"] + summary.violations["提示"]
    )
    rows = re.findall(r'<tr class="(violated|met|missing|info|broken)">', render_html(report))
    shown = Counter(rows)
    assert shown["violated"] + shown["info"] == summary.verdicts["违反"]
    assert shown["met"] == summary.verdicts["符合"]
    assert shown["missing"] == summary.requirement
    assert shown["broken"] == summary.verdicts["执行错误"]


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([], "无适用规则"),
        ([outside()], "无适用规则"),
        ([outside(), met()], "符合"),
        ([met(), broken()], "执行错误"),
        ([met(), lease_violated(), broken()], "执行错误"),
        ([met(), encouraged()], "仅倡导未达"),
        ([encouraged(), price_violated()], "违反"),
        ([lease_violated(), missing("start_date")], "违反"),
        ([missing("start_date"), possible()], "缺资料"),
        ([met(), possible()], "可能适用"),
    ],
)
def test_a_record_has_the_status_of_its_gravest_finding(findings: list[Finding], status: Status) -> None:
    assert status_of(record(1, *findings)) == status


def test_a_record_that_could_not_be_judged_is_never_met() -> None:
    assert status_of(replace(record(1, met()), error="无法判断")) == "执行错误"


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([met(), outside()], 0),
        ([outside()], 0),
        ([encouraged(), met()], 0),
        ([price_violated()], 1),
        ([lease_violated(), missing("start_date")], 1),
        ([encouraged(), possible()], 3),
        ([missing("start_date")], 3),
        ([lease_violated(), broken()], 4),
    ],
)
def test_exit_codes_follow_from_the_verdicts(findings: list[Finding], code: int) -> None:
    assert exit_code(summarise(report_of(findings))) == code


def test_facts_that_applicable_rules_lack_are_asked_first() -> None:
    questions = summarise(sample_report()).questions
    assert [question.label for question in questions] == ["开工日期", "供应面积", "是否分割"]
    first = questions[0]
    assert (first.requirement, first.applicability, first.alone, first.records) == (2, 0, 1, 2)


def test_a_clean_report_has_nothing_open_and_nothing_violated() -> None:
    summary = summarise(clean_report())
    assert exit_code(summary) == 0
    assert summary.questions == ()
    assert summary.rules_violated == ()
