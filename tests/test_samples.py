"""The filled samples stay meaningful: made by their script, read without a problem, and judged as intended."""

from __future__ import annotations

import importlib.util
import io
from datetime import date
from pathlib import Path
from types import ModuleType

import openpyxl
import pytest

import landrules.facts
from landrules.engine.checking import check
from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import CheckOptions, Report
from landrules.engine.report.summary import summarise
from landrules.engine.rulebook import Rulebook
from landrules.facts.read_records import read_records

SAMPLES = Path(landrules.facts.__path__[0]) / "samples"
SCRIPT = Path(__file__).parents[1] / "docs" / "scripts" / "make_samples.py"
# Records: with violations, lacking facts, perhaps concerned, clean; open questions of requirement and of applicability.
INTENDED = {
    "wuhai-supply-plan": ({"违反": 11, "缺资料": 6, "可能适用": 0, "符合": 15}, 15),
    "bozhou-industrial-parcels": ({"违反": 14, "缺资料": 3, "可能适用": 1, "符合": 6}, 16),
    "ankang-2023-tasks": ({"违反": 9, "缺资料": 3, "可能适用": 0, "符合": 4}, 12),
    "xinzhou-2022-53-campaign": ({"违反": 7, "缺资料": 1, "可能适用": 0, "符合": 4}, 13),
    "xinzhou-2022-90-approvals": ({"违反": 9, "缺资料": 1, "可能适用": 1, "符合": 3}, 10),
}
FORMS = {
    "bozhou-industrial-parcels": ["供地宗地", "分割转让"],
    "ankang-2023-tasks": ["年度指标", "任务节点", "供地宗地"],
    "xinzhou-2022-53-campaign": ["工作机制", "不动产登记"],
    "xinzhou-2022-90-approvals": ["用地报批案卷", "临时用地"],
}


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return Rulebook.load()


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_samples", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judged(name: str, rulebook: Rulebook) -> Report:
    reading = read_records(SAMPLES / f"{name}.xlsx", rulebook.vocabulary)
    # The plan of 乌海 has no dates of its own, as plans have none; the other samples say when the action is done.
    options = CheckOptions(on=date(2023, 6, 1) if name == "wuhai-supply-plan" else None)
    return check(rulebook, reading.records, options, notes=reading.notes)


def violated(report: Report) -> dict[str, set[str]]:
    return {
        record.id: rules
        for record in report.records
        if (
            rules := {
                found.rule.partition("/")[2] for found in record.findings if found.verdict is Verdict.VIOLATED
            }
        )
    }


def test_every_document_has_a_sample(rulebook: Rulebook) -> None:
    assert {path.stem for path in SAMPLES.glob("*.xlsx")} == set(INTENDED)
    assert all(
        any(name.startswith(document.split("-2023")[0]) for name in INTENDED)
        for document in rulebook.documents
    )


@pytest.mark.parametrize("name", sorted(INTENDED))
def test_a_sample_is_judged_as_intended(name: str, rulebook: Rulebook) -> None:
    records, violations = INTENDED[name]
    summary = summarise(judged(name, rulebook))
    assert {status: summary.statuses[status] for status in records} == records
    assert summary.verdicts["违反"] == violations
    assert summary.verdicts["执行错误"] == 0


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_sample_is_a_filled_template_and_reads_without_a_problem(name: str, rulebook: Rulebook) -> None:
    book = openpyxl.load_workbook(SAMPLES / f"{name}.xlsx")
    assert book.sheetnames == [*FORMS[name], "填表说明", "选项"]
    assert book["选项"].sheet_state == "hidden"
    assert all(sheet.data_validations.dataValidation for sheet in book.worksheets[:-2])
    reading = read_records(SAMPLES / f"{name}.xlsx", rulebook.vocabulary)
    assert [note.describe() for note in reading.all_notes() if note.severity in ("warning", "error")] == []


def test_the_sample_workbooks_are_what_their_script_makes(maker: ModuleType) -> None:
    for name, content in maker.form_workbooks().items():
        made = openpyxl.load_workbook(io.BytesIO(content))
        kept = openpyxl.load_workbook(SAMPLES / f"{name}.xlsx")
        assert [[list(row) for row in sheet.values] for sheet in made] == [
            [list(row) for row in sheet.values] for sheet in kept
        ], f"{name}: run docs/scripts/make_samples.py"


def test_the_plots_of_one_project_count_together_in_the_sample_of_bozhou(rulebook: Rulebook) -> None:
    report = judged("bozhou-industrial-parcels", rulebook)
    found = violated(report)
    phased = {name for name, rules in found.items() if "phased-supply-over-100mu" in rules}
    assert phased == {"QC-02", "QC-03", "QC-04", "QC-08"}
    marks = {
        record.id: finding.marks
        for record in report.records
        for finding in record.findings
        if finding.rule.endswith("/phased-supply-over-100mu")
    }
    assert "临界" in marks["QC-02"]
    assert "推导" in marks["QC-03"]
    assert found["QC-06"] == {"reserve-two-years"}
    assert "QC-05" not in found


def test_deadlines_in_the_sample_of_xinzhou_run_over_the_national_holiday(rulebook: Rulebook) -> None:
    late = {
        name
        for name, rules in violated(judged("xinzhou-2022-90-approvals", rulebook)).items()
        if "city-review-5wd" in rules
    }
    assert late == {"AJ-02", "AJ-03", "AJ-07"}
