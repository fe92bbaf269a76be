"""Reads xlsx (openpyxl) and xls (calamine) workbooks into sheets of exact cells."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from posixpath import join, normpath
from typing import Any
from xml.etree import ElementTree as XmlTree

import openpyxl
from openpyxl.utils import range_boundaries
from python_calamine import CalamineWorkbook

from landrules.facts.notes import InputError, Note, Place
from landrules.facts.quantities import find_unit
from landrules.facts.read_sources import LIMIT_CELLS, Cell, CellProblem, Merge, Sheet, check_archive

__all__ = ["read_xls", "read_xlsx"]

_ERRORS = {
    "#DIV/0!",
    "#N/A",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#REF!",
    "#VALUE!",
    "#GETTING_DATA",
    "#SPILL!",
    "#CALC!",
}
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})\"")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_QUOTED_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_PADDING = re.compile(r"[_*].")
# 0!.0,"万元" writes a point of its own into the number that it divides.
_SHIFTED = re.compile(r"[0#?](?:[!\\]\.|\"\.\")[0#?]")
_LIMIT_MERGES = 20_000
_EXCEL_DIGITS = 15


@dataclass(frozen=True, slots=True)
class _Part:
    """What the archive itself says about a worksheet."""

    hidden: bool = False
    formulas: bool = False
    merges: tuple[Merge, ...] = ()


def read_xlsx(data: bytes, file: str) -> tuple[list[Sheet], list[Note]]:
    """The visible sheets of an xlsx workbook.

    A number has the 15 digits that Excel keeps and shows, a percentage is text with its sign, a formula without a
    stored result and an error value are `CellProblem`.

    Raises:
        InputError: when the workbook is corrupt or hostile (see `check_archive`).
    """
    with check_archive(data, file) as archive:
        parts = _parts(archive)
    sheets: list[Sheet] = []
    notes: list[Note] = []
    budget = LIMIT_CELLS
    try:
        with warnings.catch_warnings():
            # openpyxl warns of features that do not matter to values (validation extensions, print areas).
            warnings.simplefilter("ignore")
            book = _open(data, values=True)
            formulas = _open(data, values=False) if any(part.formulas for part in parts.values()) else None
            for sheet in book.worksheets:
                part = parts.get(sheet.title, _Part())
                if part.hidden:
                    message = "这张工作表是隐藏的，没有读；要判断请先取消隐藏"
                    notes.append(Note("info", "sheet-hidden", message, Place(file, sheet.title)))
                    continue
                source = formulas[sheet.title] if formulas is not None and part.formulas else None
                rows = list(_rows(sheet, source, budget, file))
                budget -= sum(len(row) for _, row in rows)
                sheets.append(Sheet(sheet.title, rows, part.merges))
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged workbook makes openpyxl fail in any way at all
        raise _corrupt(file, error) from None
    return sheets, notes


def read_xls(data: bytes, file: str) -> tuple[list[Sheet], list[Note]]:
    """The visible sheets of an old xls workbook; number formats are not known there.

    Raises:
        InputError: when the workbook is corrupt or encrypted.
    """
    notes: list[Note] = []
    sheets: list[Sheet] = []
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for meta in book.sheets_metadata:
            if "Visible" not in str(meta.visible):
                notes.append(
                    Note(
                        "info",
                        "sheet-hidden",
                        "这张工作表是隐藏的，没有读；要判断请先取消隐藏",
                        Place(file, meta.name),
                    )
                )
                continue
            if "WorkSheet" not in str(meta.typ):
                continue
            sheet = book.get_sheet_by_name(meta.name)
            values = sheet.to_python(skip_empty_area=False)
            rows = [(number, _trim([_plain(value) for value in row])) for number, row in enumerate(values, 1)]
            merges = tuple(
                Merge(top + 1, left, bottom + 1, right)
                for (top, left), (bottom, right) in (sheet.merged_cell_ranges or ())[:_LIMIT_MERGES]
            )
            sheets.append(Sheet(meta.name, rows, merges, formats_known=False))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic inside calamine is not an Exception
        if "assword" in str(error) or "ncrypt" in str(error):
            message = "工作簿加了密码，读不了；请用 Excel 打开，去掉密码后另存为 xlsx"
            raise InputError(Note("error", "workbook-encrypted", message, Place(file=file))) from None
        raise _corrupt(file, error) from None
    return sheets, notes


def _open(data: bytes, *, values: bool) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=values, keep_links=False)


def _corrupt(file: str, error: BaseException) -> InputError:
    message = f"工作簿打不开，可能已损坏（{type(error).__name__}）；请用 Excel 打开修复后另存为 xlsx，或重新取得原件"
    return InputError(Note("error", "workbook-corrupt", message, Place(file=file)))


def _rows(sheet: Any, formulas: Any, budget: int, file: str) -> Iterator[tuple[int, Sequence[Cell]]]:
    # The dimension that a file claims may be wrong, or a trap: it must neither cut rows nor add empty ones.
    sheet.reset_dimensions()
    sources: Iterable[Sequence[Any]] = ()
    if formulas is not None:
        formulas.reset_dimensions()
        sources = formulas.iter_rows()
    following = iter(sources)
    for number, cells in enumerate(sheet.iter_rows(), 1):
        source = next(following, ())
        budget -= len(cells)
        if budget < 0:
            message = f"工作簿超过 {LIMIT_CELLS // 10000} 万格；请删去多余的行列，或拆成几个文件"
            raise InputError(Note("error", "table-too-large", message, Place(file=file, sheet=sheet.title)))
        row = [_cell(cell) for cell in cells]
        for index, cell in enumerate(source):
            if (
                cell.data_type == "f"
                and index < len(row)
                and row[index] is None
                and cells[index].data_type == "n"
            ):
                row[index] = CellProblem(
                    "formula-without-value",
                    "公式没有算出的结果，按录入错误处理；请用 Excel 打开、保存一次，或改填数值",
                    str(cell.value),
                )
        yield number, _trim(row)


def _trim(row: list[Cell]) -> list[Cell]:
    while row and row[-1] is None:
        row.pop()
    return row


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None or value == "":
        return None
    if cell.data_type == "e":
        return _error(str(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _shown(_number(value, cell.number_format), cell.number_format)
    return _plain(value)


def _plain(value: object) -> Cell:
    """A cell value without its number format."""
    match value:
        case str():
            text = value.strip()
            return _error(text) if text in _ERRORS else text or None
        case bool() | date():
            return value
        case int() | float():
            return _number(value, "General")
        case timedelta() | time():
            return str(value)
        case None:
            return None
        case _:
            return str(value)


def _error(text: str) -> CellProblem:
    return CellProblem("formula-error", f"公式出错（{text}），按录入错误处理；请改正公式或改填数值", text)


def _number(value: float, number_format: str) -> Cell:
    """A number as Excel keeps it: 15 significant digits, with at least the decimals that its format shows."""
    exact = value if isinstance(value, int) else Decimal(format(value, f".{_EXCEL_DIGITS}g"))
    if number_format == "General":
        return exact if isinstance(exact, int) else _plain_decimal(exact)
    shown = _QUOTED_FORMAT.sub("", number_format.partition(";")[0])
    decimals = len(match[1]) if (match := re.search(r"\.([0#?]+)", shown)) else 0
    if "%" in shown:
        share = _plain_decimal(Decimal(exact) * 100)
        return f"{_padded(share, decimals)}%"
    return _padded(_plain_decimal(Decimal(exact)), decimals)


def _shown(number: Cell, number_format: str) -> Cell:
    """The number with the unit that its format shows (`0.00"亩"`); a problem where the format scales what is shown."""
    if number_format == "General":
        return number
    section = number_format.partition(";")[0]
    plain = _PADDING.sub("", _QUOTED_FORMAT.sub(lambda found: _literal(found[0]), section))
    last = max((plain.rfind(mark) for mark in "0#?"), default=-1)
    tail = plain[last + 1 :]
    name = tail.lstrip(",").strip()
    unit = find_unit(name) if name and "%" not in name else None
    if tail.startswith(",") or _SHIFTED.search(section):
        message = (
            f"数字格式（{number_format}）把数缩小了显示，格里存的是 {number}，不知以哪个为准，按录入错误处理；"
            "请改用常规数字格式，单位写在列名里"
        )
        return CellProblem("number-scaled", message, str(number))
    if unit is None or unit.name == "无":
        return number
    return f"{number}{unit.name.replace('每', '/')}"


def _literal(found: str) -> str:
    """What a quoted, escaped or bracketed piece of a number format shows; marks of digits in it show as themselves."""
    text = found[1:-1] if found.startswith('"') else "" if found.startswith("[") else found[1:]
    return re.sub(r"[0#?,]", " ", text)


def _plain_decimal(number: Decimal) -> Decimal:
    """Without exponent and trailing zeros."""
    whole = number.to_integral_value()
    return (
        whole.quantize(Decimal(1))
        if number == whole and abs(number) < 10**_EXCEL_DIGITS
        else number.normalize()
    )


def _padded(number: Decimal, decimals: int) -> Decimal:
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent < decimals and abs(number) < 10**_EXCEL_DIGITS:
        return number.quantize(Decimal(1).scaleb(-decimals))
    return number


def _parts(archive: zipfile.ZipFile) -> dict[str, _Part]:
    """By sheet name: hidden or not, with formulas or not, merged ranges (openpyxl's streaming mode knows none)."""
    try:
        book = XmlTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - entities were refused before
        links = XmlTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - as above
        targets = {link.get("Id"): link.get("Target", "") for link in links}
        parts = {}
        for element in book.iter():
            if element.tag.rpartition("}")[2] != "sheet":
                continue
            link = next((value for key, value in element.items() if key.endswith("}id")), None)
            target = targets.get(link, "")
            path = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
            content = archive.read(path) if path in archive.NameToInfo else b""
            merges = [_merge(found) for found in _MERGE.findall(content)[:_LIMIT_MERGES]]
            hidden = element.get("state", "visible") != "visible"
            parts[element.get("name", "")] = _Part(
                hidden, _FORMULA.search(content) is not None, tuple(merges)
            )
        return parts
    except (
        KeyError,
        XmlTree.ParseError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        OSError,
        NotImplementedError,
    ):
        # openpyxl will say whether the workbook can be read all the same.
        return {}


def _merge(reference: bytes) -> Merge:
    left, top, right, bottom = (int(bound or 0) for bound in range_boundaries(reference.decode("ascii")))
    return Merge(top, left - 1, bottom, right - 1)
