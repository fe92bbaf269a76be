from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from landrules.engine.findings.model import Report
from landrules.engine.report.json_report import (
    SCHEMA,
    json_chunks,
    render_json,
    report_from_json,
    report_schema,
)
from sample_report import clean_report, sample_report
from snapshots import matches

EXPECTED = Path(__file__).parent / "expected"
REPORTS = {
    "sample": sample_report(),
    "clean": clean_report(),
    "empty": replace(sample_report(), records=(), inputs=(), notes=()),
    "record-without-findings": replace(
        clean_report(), records=(replace(clean_report().records[0], findings=(), error="无法判断"),)
    ),
}


def test_json_is_as_expected() -> None:
    matches(render_json(sample_report()), EXPECTED / "sample.json")


def test_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_json_fits_the_shipped_schema(report: Report) -> None:
    validator = jsonschema.Draft202012Validator(
        report_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    validator.validate(json.loads(render_json(report)))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS.keys())
def test_json_is_read_back_into_the_same_text(report: Report) -> None:
    text = render_json(report)
    assert render_json(report_from_json(text)) == text


def test_report_is_read_back_whole() -> None:
    assert report_from_json(render_json(sample_report())) == sample_report()


def test_contract_fields_are_there() -> None:
    content = json.loads(render_json(sample_report()))
    assert content["schema"] == SCHEMA
    assert {"engine", "rulesets", "on", "input", "summary", "records"} <= content.keys()
    assert {"id", "hash"} <= content["rulesets"][0].keys()
    for entry in content["records"]:
        assert {"file", "sheet", "row"} == entry["source"].keys()
        for verdict in entry["verdicts"]:
            assert {"rule", "verdict", "stage", "strength", "clause", "values"} <= verdict.keys()
            assert {"limit", "margin", "missing", "marks", "message"} <= verdict.keys()
            assert (verdict["stage"] is not None) == (verdict["verdict"] == "待补充")
            assert (verdict["reason"] is not None) == (verdict["verdict"] == "不适用")


def test_no_number_is_a_float() -> None:
    def refuse(text: str) -> float:
        raise AssertionError(text)

    json.loads(render_json(sample_report()), parse_float=refuse)


def test_each_verdict_stands_on_a_line_of_its_own() -> None:
    report = sample_report()
    lines = [line for line in render_json(report).splitlines() if line.startswith('{"rule"')]
    verdicts = [json.loads(line.removesuffix(",")) for line in lines]
    findings = [finding for entry in report.records for finding in entry.findings]
    assert [verdict["rule"] for verdict in verdicts] == [finding.rule for finding in findings]


def test_pieces_make_the_whole() -> None:
    assert "".join(json_chunks(sample_report())) == render_json(sample_report())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "不是有效的 JSON"),
        ("[]", "不是 landrules/report/1"),
        ('{"schema": "landrules/report/2"}', "不是 landrules/report/1"),
        ('{"schema": "landrules/report/1"}', "不完整"),
    ],
)
def test_what_is_not_a_report_is_refused_in_chinese(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        report_from_json(text)
