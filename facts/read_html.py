"""Reads the tables of an HTML page (often saved under the name .xls) into sheets."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from landrules.facts.notes import InputError, Note, Place
from landrules.facts.read_sources import LIMIT_CELLS, Cell, Merge, Sheet

__all__ = ["read_html"]

_WIDEST_SPAN = 1000


def read_html(text: str, file: str) -> list[Sheet]:
    """Every innermost `<table>` of the page as a sheet (`表1`, `表2` …); merged cells hold their text top left.

    Raises:
        InputError: when there is no table.
    """
    parser = _Tables(file)
    try:
        parser.feed(text)
        parser.close()
    except (AssertionError, ValueError):
        # html.parser gives up on some malformed declarations; what was read until there counts.
        pass
    tables = [*parser.done, *(table for table in parser.open if table.rows)]
    grids = [table for table in tables if any(cell for row in table.rows for cell in row)]
    if not grids:
        message = "网页里没有表格（<table>）；请把表格复制到 Excel 存为 xlsx"
        raise InputError(Note("error", "html-without-table", message, Place(file=file)))
    single = len(grids) == 1
    return [
        Sheet(
            None if single else f"表{number}",
            [(index, row) for index, row in enumerate(table.rows, 1)],
            merges=tuple(table.merges),
            formats_known=False,
        )
        for number, table in enumerate(grids, 1)
    ]


@dataclass(slots=True)
class _Table:
    rows: list[list[Cell]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    taken: set[tuple[int, int]] = field(default_factory=set)
    words: list[str] | None = None
    span: tuple[int, int] = (1, 1)


class _Tables(HTMLParser):
    """Collects tables; inheriting is how html.parser is used."""

    def __init__(self, file: str) -> None:
        super().__init__(convert_charrefs=True)
        self.file = file
        self.open: list[_Table] = []
        self.done: list[_Table] = []
        self.cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.open.append(_Table())
        elif not self.open:
            return
        elif tag == "tr":
            self._end_cell()
            self.open[-1].rows.append([])
        elif tag in ("td", "th"):
            self._end_cell()
            given = dict(attrs)
            self.open[-1].words = []
            self.open[-1].span = (_span(given.get("rowspan")), _span(given.get("colspan")))
        elif tag == "br" and self.open[-1].words is not None:
            self.open[-1].words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if not self.open:
            return
        if tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag == "table":
            self._end_cell()
            self.done.append(self.open.pop())

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].words is not None:
            self.open[-1].words.append(data)

    def _end_cell(self) -> None:
        table = self.open[-1]
        if table.words is None:
            return
        if not table.rows:
            table.rows.append([])
        row, number = table.rows[-1], len(table.rows)
        while (number, len(row)) in table.taken:
            row.append(None)
        text = "\n".join(" ".join(line.split()) for line in "".join(table.words).split("\n")).strip()
        table.words = None
        column, (down, across) = len(row), table.span
        row.extend([text, *[None] * (across - 1)])
        table.taken.update((number + y, column + x) for y in range(1, down) for x in range(across))
        if down > 1 or across > 1:
            table.merges.append(Merge(number, column, number + down - 1, column + across - 1))
        self.cells += down * across
        if self.cells > LIMIT_CELLS:
            message = "网页里的表格过大；请拆成几个文件"
            raise InputError(Note("error", "table-too-large", message, Place(file=self.file)))


def _span(text: str | None) -> int:
    number = (
        int(text)
        if text and text.isascii() and text.isdigit() and len(text) < len(str(_WIDEST_SPAN)) + 1
        else 1
    )
    return min(max(number, 1), _WIDEST_SPAN)
