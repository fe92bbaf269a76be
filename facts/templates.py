"""Writes a blank workbook for one fact type: headings with units, drop-downs, and a sheet that explains every column."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from landrules.facts.vocabulary import Fact, Subject

__all__ = ["Form", "filled_bytes", "heading_of", "template_bytes", "workbook_bytes", "write_template"]

_IDENTIFYING = ("序号", "项目名称", "地块编号", "位置")
_REMARKS = "备注"
_ROWS = 500
_SPARE = 20
_INLINE_LIST = 255
_FIRST_DAY = datetime(2020, 1, 1)  # noqa: DTZ001 - a fixed stamp, so that equal content makes equal bytes
_STAMP = (2020, 1, 1, 0, 0, 0)
_WIDTH = 16
_TYPES = {
    "bool": "是或否",
    "enum": "选一项",
    "set": "选若干项，以“；”分隔；空集填“无”",
    "number": "数字",
    "integer": "整数",
    "date": "日期，如 2023-06-01",
    "text": "文字",
}


@dataclass(frozen=True, slots=True)
class Form:
    """One sheet: the facts that have a column, and rows by label (none in a template)."""

    subject: Subject
    facts: tuple[Fact, ...]
    rows: tuple[Mapping[str, str | float | date], ...] = ()


def write_template(subject: Subject, path: Path) -> None:
    """Write the template of `subject` to `path` (an existing file is replaced)."""
    path.write_bytes(template_bytes(subject))


def template_bytes(subject: Subject) -> bytes:
    """The template as an xlsx file: a sheet named by the form's label, then 填表说明; the same bytes every time.

    Identifying columns come first, then the facts in the order of the form, then 备注. An empty cell means unknown.
    """
    return workbook_bytes(_workbook([Form(subject, tuple(subject.facts.values()))]))


def filled_bytes(forms: Sequence[Form]) -> bytes:
    """A workbook of several forms with rows in them, each on a sheet as the template has it."""
    return workbook_bytes(_workbook(forms))


def _workbook(forms: Sequence[Form]) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    sheets = [book.create_sheet(form.subject.label) for form in forms]
    words = book.create_sheet("填表说明")
    choices = book.create_sheet("选项")
    choices.sheet_state = "hidden"
    for form, sheet in zip(forms, sheets, strict=True):
        names = [*_IDENTIFYING, *(fact.label for fact in form.facts), _REMARKS]
        headings = [*_IDENTIFYING, *(heading_of(fact) for fact in form.facts), _REMARKS]
        sheet.append(headings)
        _style_heading(sheet, len(headings))
        # Long headings take three lines; not every program fits the height of a row by itself.
        sheet.row_dimensions[1].height = 48
        for letter, width in zip("ABCD", (8, 28, 14, 22), strict=True):
            sheet.column_dimensions[letter].width = width
        sheet.freeze_panes = f"{get_column_letter(len(_IDENTIFYING) + 1)}2"
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(headings))}1"
        for row in form.rows:
            sheet.append([row.get(name) for name in names])
        for index, fact in enumerate(form.facts, len(_IDENTIFYING) + 1):
            _prepare_column(sheet, choices, index, fact, len(form.rows) + _SPARE if form.rows else _ROWS)
    facts = {fact.key: fact for form in forms for fact in form.facts}
    _explain(words, list(facts.values()))
    return book


def heading_of(fact: Fact) -> str:
    """`宗地面积（公顷）`: the label, with the canonical unit where there is one."""
    if not fact.numeric or fact.unit.name == "无":
        return fact.label
    return f"{fact.label}（{fact.unit.name.replace('每', '/')}）"


def workbook_bytes(book: Workbook) -> bytes:
    """The workbook as bytes without any trace of when it was written.

    Entries are stored, not packed, so that no version of a compressor can change them.
    """
    book.properties.creator = "landrules"
    book.properties.created = _FIRST_DAY
    packed = io.BytesIO()
    book.save(packed)
    result = io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as target:
        for part in sorted(source.infolist(), key=lambda each: each.filename):
            content = source.read(part)
            if part.filename == "docProps/core.xml":
                # openpyxl stamps the time of saving over whatever was set.
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2020-01-01T00:00:00Z", content)
            info = zipfile.ZipInfo(part.filename, _STAMP)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            target.writestr(info, content)
    return result.getvalue()


def _style_heading(sheet: Worksheet, width: int) -> None:
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="DDE7F3")
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
    for index in range(1, width + 1):
        sheet.column_dimensions[get_column_letter(index)].width = _WIDTH


def _prepare_column(sheet: Worksheet, choices: Worksheet, index: int, fact: Fact, rows: int) -> None:
    letter = get_column_letter(index)
    cells = f"{letter}2:{letter}{rows + 1}"
    if fact.type == "date":
        for row in range(2, rows + 2):
            sheet.cell(row, index).number_format = "yyyy-mm-dd"
    values = ("是", "否") if fact.type == "bool" else fact.values if fact.type == "enum" else ()
    if not values:
        return
    inline = ",".join(values)
    if len(inline) + 2 <= _INLINE_LIST and not any("," in value for value in values):
        formula = f'"{inline}"'
    else:
        column = choices.max_column + 1 if choices.max_column > 1 or choices["A1"].value else 1
        for row, value in enumerate(values, 1):
            choices.cell(row, column, value)
        formula = f"选项!${get_column_letter(column)}$1:${get_column_letter(column)}${len(values)}"
    validation = DataValidation(type="list", formula1=formula, allow_blank=True, showErrorMessage=True)
    validation.errorTitle = "请从列表中选"
    validation.error = f"{fact.label}：请从列表中选，不清楚的留空"
    sheet.add_data_validation(validation)
    validation.add(cells)


def _explain(sheet: Worksheet, facts: list[Fact]) -> None:
    sheet.append(["列名", "代码", "含义", "填法", "标准单位", "可填内容", "其他列名"])
    _style_heading(sheet, 7)
    for fact in facts:
        unit = "" if not fact.numeric or fact.unit.name == "无" else fact.unit.name.replace("每", "/")
        sheet.append(
            [
                fact.label,
                fact.key,
                fact.definition,
                _TYPES[fact.type],
                unit,
                "、".join(fact.values),
                "、".join(fact.aliases),
            ]
        )
    sheet.append([])
    for line in (
        "空白是“未填”，不当作 0、否或通过；确知没有的填“无”或“不涉及”，查不清的填“未知”。",
        "单位可写在列名里，如“宗地面积（亩）”，也可写在格里，如“5 万元/亩”；格里的单位优先。",
        "合计、小计行和空行会跳过；不认识的列照抄、不判断，并会提示。",
    ):
        sheet.append([line])
    for letter, width in zip("ABCDEFG", (24, 24, 60, 24, 12, 50, 40), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
