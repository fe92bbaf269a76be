from __future__ import annotations

import io
from dataclasses import replace

from openpyxl import load_workbook

from landrules.engine.report.summary import summarise
from landrules.engine.report.xlsx import render_xlsx
from sample_report import lease_violated, record, sample_report


def test_numbers_are_those_of_the_verdict_records() -> None:
    report = sample_report()
    summary = summarise(report)
    book = load_workbook(io.BytesIO(render_xlsx(report)))
    rows = list(book["记录"].iter_rows(min_row=2, values_only=True))
    names = [cell.value for cell in book["记录"][1]]
    sums = {name: sum(int(str(row[index])) for row in rows) for index, name in enumerate(names) if index > 4}
    assert len(rows) == summary.records
    assert sums == {
        **summary.violations,
        "适用而缺资料": summary.requirement,
        "可能适用": summary.applicability,
        "符合": summary.verdicts["符合"],
        "不适用": summary.verdicts["不适用"],
        "执行错误": summary.verdicts["执行错误"],
    }
    assert book["违反"].max_row - 1 == summary.violations["错误"] + summary.violations["提示"]
    assert book["缺资料"].max_row - 1 == summary.requirement
    assert book["先问这几项"].max_row - 1 == len(summary.questions)


def test_text_from_records_never_becomes_a_formula() -> None:
    attack = '=HYPERLINK("x")'
    finding = replace(lease_violated(), message=attack, title="+1", clause="@x")
    book = load_workbook(
        io.BytesIO(render_xlsx(replace(sample_report(), records=(record(1, finding, name=attack),))))
    )
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert attack in [cell.value for cell in cells]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render_xlsx(sample_report()) == render_xlsx(sample_report())
