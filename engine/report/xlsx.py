"""The report as a workbook (汇总表): for those who sort, filter and hand it on. Same records, same numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from landrules.engine.findings.model import Finding, Report
from landrules.engine.report import content
from landrules.engine.report.content import Numbered
from landrules.engine.report.summary import Summary, status_of, summarise
from landrules.facts.templates import workbook_bytes

__all__ = ["render_xlsx"]

_Cell = str | int
_LONGEST = 32767
_HEAD = PatternFill("solid", fgColor="F1F3F5")
_FINDING_COLUMNS = (
    ("序号", 6),
    ("记录", 30),
    ("位置", 28),
    ("等级", 7),
    ("审查事项", 26),
    ("审查依据", 26),
    ("送审内容", 46),
    ("限值", 24),
    ("差额", 16),
    ("问题", 50),
    ("建议", 36),
    ("标记", 36),
)


def render_xlsx(report: Report) -> bytes:
    """The report as an xlsx file, the same bytes for the same report."""
    summary = summarise(report)
    book = Workbook()
    overview = book.worksheets[0]
    overview.title = "汇总"
    _table(
        overview,
        (("预检意见", 16), ("机器预检，供审查参考，不替代审查结论", 110)),
        _overview(report, summary),
    )
    _table(book.create_sheet("记录"), _RECORD_COLUMNS, _records(report))
    violated = content.of_level(report, accusing=True)
    _table(book.create_sheet("违反"), _FINDING_COLUMNS, _findings(report, violated))
    missing = content.open_findings(report, "requirement")
    _table(book.create_sheet("缺资料"), _FINDING_COLUMNS, _findings(report, missing))
    _table(book.create_sheet("先问这几项"), _QUESTION_COLUMNS, _questions(summary))
    notes = [(note.text, note.count) for note in content.notes_of(report)]
    _table(book.create_sheet("读表说明"), (("说明", 110), ("条数", 8)), notes)
    return workbook_bytes(book)


_RECORD_COLUMNS = (
    ("序号", 6),
    ("记录", 36),
    ("位置", 30),
    ("事项", 12),
    ("结果", 12),
    ("错误", 7),
    ("提示", 7),
    ("信息", 7),
    ("适用而缺资料", 12),
    ("可能适用", 9),
    ("符合", 7),
    ("不适用", 8),
    ("执行错误", 9),
)
_QUESTION_COLUMNS = (
    ("缺少的事实", 30),
    ("适用而缺资料", 14),
    ("可能适用", 10),
    ("只缺此项", 10),
    ("记录", 8),
    ("规则", 8),
)


def _overview(report: Report, summary: Summary) -> list[Sequence[_Cell]]:
    rows: list[Sequence[_Cell]] = [("结论", content.conclusion(summary)), *content.opening(report)]
    rows += [(f"记录·{status}", count) for status, count in summary.statuses.items()]
    rows += [(f"判断·{verdict}", count) for verdict, count in summary.verdicts.items()]
    rows += [("适用而缺资料", summary.requirement), ("可能适用", summary.applicability)]
    rows += [(f"违反·{level}", count) for level, count in summary.violations.items()]
    return rows


def _records(report: Report) -> list[Sequence[_Cell]]:
    rows: list[Sequence[_Cell]] = []
    for number, record in enumerate(report.records, start=1):

        def count(
            verdict: str, level: str = "", stage: str = "", findings: Sequence[Finding] = record.findings
        ) -> int:
            return sum(
                finding.verdict == verdict and level in ("", finding.level) and stage in ("", finding.stage)
                for finding in findings
            )

        rows.append(
            (
                number,
                content.name_of(record),
                record.place.describe(),
                record.subject_label,
                status_of(record),
                count("违反", "错误"),
                count("违反", "提示"),
                count("违反", "信息"),
                count("待补充", stage="requirement"),
                count("待补充", stage="applicability"),
                count("符合"),
                count("不适用"),
                count("执行错误"),
            )
        )
    return rows


def _findings(report: Report, records: Iterable[Numbered]) -> list[Sequence[_Cell]]:
    return [
        (
            numbered.number,
            content.name_of(numbered.record),
            numbered.record.place.describe(),
            finding.level,
            finding.title,
            content.citation(finding, report.rulesets),
            content.values_text(finding.values),
            content.limit_text(finding),
            finding.margin.text if finding.margin else "",
            finding.message,
            "；或者 ".join(remedy.text for remedy in finding.remedies),
            "；".join(content.marks_of(finding)),
        )
        for numbered in records
        for finding in numbered.findings
    ]


def _questions(summary: Summary) -> list[Sequence[_Cell]]:
    return [
        (
            question.label,
            question.requirement,
            question.applicability,
            question.alone,
            question.records,
            len(question.rules),
        )
        for question in summary.questions
    ]


def _table(sheet: Worksheet, columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[_Cell]]) -> None:
    for index, (name, width) in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
        heading = sheet.cell(1, index, name)
        heading.font = Font(bold=True)
        heading.fill = _HEAD
    for number, row in enumerate(rows, start=2):
        for index, value in enumerate(row, start=1):
            cell = sheet.cell(number, index)
            if isinstance(value, int):
                cell.value = value
            else:
                # Text from records may begin with an equals sign; it must not become a formula.
                cell.value = content.clean(value)[:_LONGEST]
                cell.data_type = "s"
                cell.quotePrefix = value.startswith(("=", "+", "-", "@"))
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
