"""Decodes text files and splits csv, txt and `|` tables into cells."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence

from landrules.facts.notes import InputError, Note, Place
from landrules.facts.read_sources import LIMIT_CELLS, Cell, Sheet

__all__ = ["decode", "read_text_table"]

SEPARATORS = (",", "\t", "|", ";", "；", "，")
_SAMPLE_LINES = 30
_QUOTED_LINES = 50
_BAD_SHARE = 0.1
_BINARY_SHARE = 0.01
_FEW_CONTROLS = 8


def decode(data: bytes, file: str) -> tuple[str, list[Note]]:
    """The text of `data`: UTF-8 with or without BOM, UTF-16 with BOM, or GB18030.

    A UTF-8 file with a few broken bytes is read with `�` in their places and an error note for each line.

    Raises:
        InputError: when the bytes are no text in any of these.
    """
    place = Place(file=file)
    notes: list[Note] = []
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        text = _decode_bytes(data, place)
    nul = text.count("\x00")
    controls = sum(text.count(chr(code)) for code in (*range(1, 9), 11, *range(14, 32)))
    if controls + nul > max(_FEW_CONTROLS, len(text) * _BINARY_SHARE):
        raise InputError(_unknown_encoding(place))
    if nul:
        text = text.replace("\x00", "")
        message = f"文件里有 {nul} 个空字符（NUL），已去掉；请核对是否传输出错"
        notes.append(Note("warning", "nul-bytes", message, place))
    for number, line in enumerate(text.split("\n"), 1) if "\ufffd" in text else ():
        if "\ufffd" in line:
            message = "有无法识别的字节，已用“\ufffd”代替；请核对这一行并另存为 UTF-8"
            notes.append(Note("error", "bad-bytes", message, Place(file=file, row=number)))
    return text.removeprefix("\ufeff"), notes


def _decode_bytes(data: bytes, place: Place) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    mended = data.decode("utf-8-sig", errors="replace")
    # A GB18030 text read as UTF-8 is mostly broken; a UTF-8 text with a damaged byte is mostly whole. The second must
    # not be read as GB18030, which would turn every word into others.
    wide = sum(1 for char in mended if char > "\x7f")
    if mended.count("\ufffd") <= wide * _BAD_SHARE:
        return mended
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        pass
    loose = data.decode("gb18030", errors="replace")
    if loose.count("\ufffd") > max(1, sum(1 for char in loose if char > "\x7f") * _BAD_SHARE):
        raise InputError(_unknown_encoding(place))
    return loose


def _unknown_encoding(place: Place) -> Note:
    message = "认不出文字编码，或不是文本文件；请用原程序打开后另存为 xlsx，或存成 UTF-8 或 GB18030 的 csv"
    return Note("error", "unknown-encoding", message, place)


def read_text_table(text: str, file: str, score: Callable[[Sequence[Cell]], int]) -> Sheet:
    """Split a text table into cells.

    `score` says how much a row looks like headings; the separator that makes the best heading row is taken, and among
    equals the one that makes the most columns.

    A quotation mark that is never closed spoils only its own line, with a note.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def worth(separator: str) -> tuple[int, int]:
        rows = [cells for _, cells, _ in _split(lines[:_SAMPLE_LINES], separator)]
        return max(map(score, rows), default=0), max(map(len, rows), default=0)

    separator = max(SEPARATORS, key=worth)
    rows: list[tuple[int, Sequence[Cell]]] = []
    notes: list[Note] = []
    cells_read = 0
    for number, cells, unclosed in _split(lines, separator):
        rows.append((number, cells))
        cells_read += len(cells)
        if unclosed:
            message = "引号没有成对，这一行按没有引号读；请核对"
            notes.append(Note("warning", "unclosed-quote", message, Place(file=file, row=number)))
        if cells_read > LIMIT_CELLS:
            message = f"表格超过 {LIMIT_CELLS // 10000} 万格；请拆成几个文件"
            raise InputError(Note("error", "table-too-large", message, Place(file=file)))
    return Sheet(None, rows, notes=tuple(notes))


def _split(lines: Sequence[str], separator: str) -> Iterator[tuple[int, list[Cell], bool]]:
    """Line number, cells, and whether a quotation mark was left open, for each row."""
    index = 0
    while index < len(lines):
        taken = _quoted_span(lines, index, separator)
        if taken:
            chunk = [line + "\n" for line in lines[index : index + taken]]
            chunk[-1] = chunk[-1].removesuffix("\n")
            yield index + 1, _cells(chunk, separator), False
        else:
            taken = 1
            yield index + 1, [part.strip() for part in lines[index].split(separator)], True
        index += taken


def _cells(chunk: list[str], separator: str) -> list[Cell]:
    # The reader refuses cells of more than 131,072 characters; such a row is split plainly.
    try:
        row = next(csv.reader(chunk, delimiter=separator), [])
    except csv.Error:
        row = "".join(chunk).split(separator)
    return [cell.strip() for cell in row]


def _quoted_span(lines: Sequence[str], start: int, separator: str) -> int:
    """How many lines the row at `start` takes up; 0 when its quotation mark is never closed."""
    inside = False
    for taken in range(1, _QUOTED_LINES + 1):
        if start + taken > len(lines):
            return 0
        line = lines[start + taken - 1]
        if '"' in line:
            inside = _ends_inside(line, separator, inside)
        if not inside:
            return taken
    return 0


def _ends_inside(line: str, separator: str, inside: bool) -> bool:
    """Whether the line ends inside a quoted cell; a quotation mark opens a cell only as its first character."""
    state = "quoted" if inside else "start"
    for char in line:
        if state == "quoted":
            state = "closed" if char == '"' else "quoted"
        elif char == '"' and state in ("start", "closed"):
            # Right behind a closing mark, a second one is an escaped mark: the cell goes on.
            state = "quoted"
        else:
            state = "start" if char == separator else "plain"
    return state == "quoted"
