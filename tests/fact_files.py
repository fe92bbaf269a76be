"""Makes the files that the reader tests read: workbooks, hostile archives, old xls containers, land-market tables."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from openpyxl import Workbook

LAND_MARKET_HEADINGS = [
    "行政区",
    "电子监管号",
    "项目名称",
    "项目位置",
    "面积(公顷)",
    "土地来源",
    "土地用途",
    "供地方式",
    "土地使用年限",
    "行业分类",
    "土地级别",
    "成交价格(万元)",
    "土地使用权人",
    "约定容积率下限",
    "约定容积率上限",
    "约定交地时间",
    "约定开工时间",
    "约定竣工时间",
    "实际开工时间",
    "实际竣工时间",
    "批准单位",
    "合同签订日期",
]
LAND_MARKET_ROW = {
    "行政区": "乌达区",
    "电子监管号": "1503042013B00007",
    "项目名称": "沙枣花示例项目",
    "项目位置": "示例园区",
    "面积(公顷)": "2.500000",
    "土地来源": "2.500000",
    "土地用途": "工业用地",
    "供地方式": "挂牌出让",
    "土地使用年限": "50",
    "行业分类": "仓储业",
    "土地级别": "五级",
    "成交价格(万元)": "210.0000",
    "约定容积率下限": "0.70",
    "约定容积率上限": "1.50",
    "约定交地时间": "2013年03月01日",
    "约定开工时间": "2013年06月01日",
    "约定竣工时间": "2015年06月01日",
    "批准单位": "示例人民政府",
    "合同签订日期": "2013年02月01日",
}


def land_market_csv(*changes: Mapping[str, str], separator: str = ",") -> str:
    """A land-market table of our own: one row for each mapping of changes to `LAND_MARKET_ROW`."""
    lines = [separator.join(LAND_MARKET_HEADINGS)]
    lines += [
        separator.join({**LAND_MARKET_ROW, **change}.get(name, "") for name in LAND_MARKET_HEADINGS)
        for change in changes
    ]
    return "\r\n".join(lines) + "\r\n"


def xlsx(
    rows: Iterable[Sequence[object]],
    *,
    title: str = "Sheet",
    merges: Iterable[str] = (),
    formats: Mapping[str, str] | None = None,
    more: Mapping[str, Iterable[Sequence[object]]] | None = None,
) -> bytes:
    """A workbook with these rows, merged ranges (`A1:B2`) and number formats (by cell), and more sheets by title."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for merge in merges:
        sheet.merge_cells(merge)
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    for name, content in (more or {}).items():
        other = book.create_sheet(name)
        for row in content:
            other.append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def with_parts(data: bytes, changes: Mapping[str, bytes]) -> bytes:
    """The archive with some parts replaced or added."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for part in source.infolist():
            if part.filename not in changes:
                target.writestr(part.filename, source.read(part))
        for name, content in changes.items():
            target.writestr(name, content)
    return result.getvalue()


def part_of(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def container(name: str, content: bytes) -> bytes:
    """A compound file (the container of xls and of encrypted workbooks) with one stream."""
    content = content.ljust(4096, b"\x00")
    content = content.ljust(-(-len(content) // 512) * 512, b"\x00")
    sectors = len(content) // 512
    # Sector 0 is the allocation table, 1 the directory, the stream follows.
    table = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + sectors), 0xFFFFFFFE]
    table += [0xFFFFFFFF] * (128 - len(table))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    directory = _entry("Root Entry", 5, child=1, start=0xFFFFFFFE, size=0)
    directory += _entry(name, 2, child=0xFFFFFFFF, start=2, size=len(content))
    directory += _entry("", 0, child=0xFFFFFFFF, start=0, size=0) * 2
    return header + struct.pack("<128I", *table) + directory + content


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + (b"\x00\x00" if name else b"")
    entry = text.ljust(64, b"\x00") + struct.pack("<HBB", len(text), kind, 1)
    entry += struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child) + bytes(36)
    return entry + struct.pack("<IQ", start, size)


def xls(rows: Sequence[Sequence[object]], sheet: str = "宗地", *, encrypted: bool = False) -> bytes:
    """An old xls workbook (BIFF8) of text and numbers."""
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    if encrypted:
        begin += _record(0x002F, struct.pack("<HHH", 1, 1, 1) + bytes(48))
    name = sheet.encode("utf-16-le")
    place = len(begin) + 4 + 8 + len(name) + 4
    begin += _record(0x0085, struct.pack("<IBBBB", place, 0, 0, len(sheet), 1) + name) + _record(0x000A, b"")
    body = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            if isinstance(value, str):
                text = value.encode("utf-16-le")
                body += _record(0x0204, struct.pack("<HHHHB", y, x, 0, len(value), 1) + text)
            elif isinstance(value, int | float):
                body += _record(0x0203, struct.pack("<HHHd", y, x, 0, value))
    return container("Workbook", begin + body + _record(0x000A, b""))


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content
