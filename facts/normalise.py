"""Turns the grid of a sheet into records: headings, units, merged cells, totals, doubled columns, row identifiers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from landrules.facts.land_market import adapt_columns, carried_note, detect, refine
from landrules.facts.notes import Note, Place
from landrules.facts.quantities import (
    Unit,
    compatible,
    format_fraction,
    format_quantity,
    normalise_text,
    parse_number,
)
from landrules.facts.read_headings import Column, Heading, Names, find_heading, squash
from landrules.facts.read_sources import Cell, CellProblem, Sheet
from landrules.facts.records import Entry, Record
from landrules.facts.values import as_text, read_spelling, read_value, suggest
from landrules.facts.vocabulary import Fact, Subject, Vocabulary

__all__ = [
    "Progress",
    "ReadCells",
    "Spelled",
    "choose_heading",
    "is_words_sheet",
    "named_subject",
    "read_cells",
    "records_from_sheet",
    "spelled_notes",
    "unknown_column",
]

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all, now and then."""

_HOW_MANY = r"[:：]?(?:共?\d+(?:宗|个|块|条|幅|项|件).{0,12})?"
_BARE_TOTAL = re.compile(
    rf"(?:合计|小计|总计|共计|累计|汇总|总数|合计数|总计数|合计面积|计|∑|Σ|平均|平均值)(?:\(.*\))?{_HOW_MANY}"
)
_TOTAL = re.compile(
    rf".{{0,30}}(?:合计|小计|总计|共计)(?:数|面积)?(?:\(.*\))?{_HOW_MANY}|共\d+(?:宗|个|块|条|幅|项|件).{{0,12}}"
    r"|(?:以上|本页|全部?|.{2,6}[市区县旗])(?:累计|汇总|总数)[:：]?|其中(?:[:：].*)?"
)
_REMARK = re.compile(
    r"(?:注|备注|附注|说明|填表说明|填报说明|填写说明|填表人|填报人|制表人|制表|审核人|审核|负责人|单位负责人|联系人|联系电话|电话|填报单位|"
    r"编制单位|填报日期|填表日期|制表日期|日期|单位|计量单位)\s*\d*\s*[:：].*|(?:填表说明|填报说明|填写说明)",
    re.DOTALL,
)
_SHEETS_OF_WORDS = {"填表说明", "填报说明", "填写说明", "使用说明", "说明", "封面", "目录", "选项"}
_ID_COLUMNS = ("地块编号", "序号", "电子监管号")
_NAMED_UNKNOWN = 20
_LISTED_ROWS = 10
_PROGRESS_EVERY = 500
_LONGEST_TITLE = 40
_TITLE_WITHIN = 25
_FEW_CELLS = 2
_LIMIT_FILLED = 500_000
_EXCEL_EPOCH = date(1899, 12, 30)
_LIKELY_SERIALS = range(32874, 73051)  # 1990 to 2099
_HECTARE_ROUNDING = Fraction(1, 100)
_SAID = ("supply_mode", "acquisition_method")
_LEASES = ("长期租赁", "短期租赁", "租赁", "先租后让", "租让结合")


@dataclass(slots=True)
class ReadCells:
    """What the cells of one row came to.

    `agreed` names pairs of columns that gave one fact alike; `unmapped` holds values of imported columns without a
    certain meaning; `spelled` holds values understood by what imports.yaml says of them.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    carried: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    agreed: list[tuple[str, str]] = field(default_factory=list)
    unmapped: list[tuple[str, str]] = field(default_factory=list)
    spelled: list[Spelled] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A value written in one of the further ways: its column and text, and what was read, as values by fact label.

    `open` is the label of the column's own fact where the value leaves that one open.
    """

    heading: str
    text: str
    meant: tuple[tuple[str, str], ...]
    open: str = ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    column: Column
    entry: Entry


def unknown_column(heading: str, names: Names, place: Place) -> Note:
    """The note on a column that means no fact: why, where that is known, else what it may have been meant to be."""
    if reason := names.reason(heading):
        return Note("info", "column-not-judged", f"照抄不判断：{reason}", place)
    return Note("warning", "unknown-column", f"不认识这一列，照抄不判断{suggestion(heading, names)}", place)


def suggestion(heading: str, names: Names) -> str:
    """`；是否指“宗地面积”？` for a heading that is nearly known, else empty."""
    known = [fact.label for fact in names.subject.facts.values()]
    known += [alias for fact in names.subject.facts.values() for alias in fact.aliases]
    known += names.identifying.values()
    near = suggest(re.sub(r"[(（].*?[)）]", "", normalise_text(heading)) or heading, known)
    return f"；是否指{near}？" if near else ""


def choose_heading(
    sheet: Sheet, forms: Mapping[str, Names], subject: str | None
) -> tuple[Names, Heading] | None:
    """Fact type and heading of a sheet.

    The type is the one named by the sheet or by a cell above the table, else `subject`, else the one whose columns
    match best (供地宗地 among equals).
    """
    named = named_subject(sheet, forms)
    for key in (named, subject):
        if key is not None and (found := find_heading(sheet.rows, [forms[key]])):
            return found
    if subject is not None:
        return None
    order = sorted(forms, key=lambda key: key != "parcel_supply")
    return find_heading(sheet.rows, [forms[key] for key in order])


def named_subject(sheet: Sheet, forms: Mapping[str, Names]) -> str | None:
    """The fact type that the name of the sheet or a cell above the table names."""
    labels = {squash(name): key for key, form in forms.items() for name in (key, form.subject.label)}
    aliases = {squash(name): key for key, form in forms.items() for name in form.subject.aliases}
    exact = {**aliases, **labels}
    named = exact.get(squash(sheet.name or ""))
    if named is None:
        titles = (cell for _, cells in sheet.rows[:_TITLE_WITHIN] for cell in _title_cells(cells))
        named = next((key for title in titles if (key := exact.get(_title(title)))), None)
    if named is None and sheet.name:
        within = [label for label in labels if label in squash(sheet.name)]
        named = labels[max(within, key=len)] if within else None
    return named


def _title_cells(cells: Sequence[Cell]) -> list[str]:
    """The texts of a row that may be a title: one or two cells with something in them."""
    present = [cell for cell in cells if cell is not None and cell != ""]
    return [cell for cell in present if isinstance(cell, str) and len(cell) < _LONGEST_TITLE] * (
        len(present) <= _FEW_CELLS
    )


def _title(text: str) -> str:
    return re.sub(r"^(?:填报表|事项|表名|类型)[:：]", "", squash(text))


def read_cells(
    cells: Iterable[tuple[Column, object]], place: Place, *, formats_known: bool = True
) -> ReadCells:
    """Read the cells of one row, or the facts of one JSON record; nothing that is not blank is lost.

    What becomes no entry is carried along as text under its heading.
    """
    result = ReadCells()
    found: dict[str, list[_Candidate]] = {}
    facts: dict[str, Fact] = {}
    implied: list[tuple[Column, str, str, str]] = []
    vague: Column | None = None
    for column, raw in cells:
        if raw is None or raw == "":
            continue
        if isinstance(raw, CellProblem):
            result.notes.append(Note("error", raw.code, raw.message, replace(place, column=column.heading)))
            _carry(result.carried, column.heading, raw.text)
            _spoil(column, raw.text, found, facts, result)
        elif column.mapping is not None:
            _read_mapped(column, as_text(raw), place, result)
        elif column.fact is None:
            _carry(result.carried, column.carry, as_text(raw))
        elif (meant := read_spelling(column.fact, raw)) is not None:
            text = as_text(raw)
            own = meant.get(column.fact.key)
            if own is None:
                _carry(result.carried, column.heading, text)
            else:
                facts[column.fact.key] = column.fact
                found.setdefault(column.fact.key, []).append(_Candidate(column, Entry(own, text=text)))
            implied.extend(
                (column, key, value, text) for key, value in meant.items() if key != column.fact.key
            )
            result.spelled.append(
                Spelled(column.heading, text, tuple(meant.items()), column.fact.label * (own is None))
            )
        else:
            fact = column.fact
            vague = column if column.vague else vague
            reading = read_value(fact, raw, column.unit)
            if reading.problem:
                message = reading.problem + _serial_hint(fact, raw)
                result.notes.append(
                    Note("error", "bad-value", message, replace(place, column=column.heading))
                )
            elif reading.hint and not _told_of_column(column, reading.entry):
                result.notes.append(
                    Note("info", "value-read-as", reading.hint, replace(place, column=column.heading))
                )
            if reading.entry is None:
                _carry(result.carried, column.heading, as_text(raw))
                continue
            if message := _share_doubt(fact, reading.entry, formats_known=formats_known):
                result.notes.append(
                    Note("warning", "percent-unsure", message, replace(place, column=column.heading))
                )
            facts[fact.key] = fact
            found.setdefault(fact.key, []).append(_Candidate(column, reading.entry))
    for key, candidates in found.items():
        entry = candidates[0].entry
        if len(candidates) > 1:
            entry = _reconcile(facts[key], candidates, place, result)
        before = result.entries.get(key)
        if before is not None and before.value is not None and entry.value not in (None, before.value):
            entry = _contradiction(candidates[0].column, before, entry, place, result)
        result.entries[key] = before if before is not None and entry.state in ("unknown", "none") else entry
    stated = frozenset(key for key, entry in result.entries.items() if entry.state == "known")
    for column, key, value, text in implied:
        _imply(column, key, Entry(value, text=text), stated, place, result)
    if vague is not None and vague.fact is not None:
        _leave_vague_term(vague, vague.fact, place, result)
    return result


def _share_doubt(fact: Fact, entry: Entry, *, formats_known: bool) -> str:
    """What to ask about a share below 1% without its sign: 0.7 may have been meant as 70%."""
    if fact.unit.name != "%" or not isinstance(entry.value, Fraction) or parsed_unit(entry.text) is not None:
        return ""
    written, meant = (format_fraction(entry.value * scale) for scale in (100, 10000))
    if not 0 < abs(entry.value) < fact.unit.factor:
        return ""
    way = "请写上百分号" if formats_known else "旧版 xls 看不出百分数格式，请另存为 xlsx 再试，或写上百分号"
    return f"“{fact.label}”按 {written}% 读；若本意是 {meant}%，{way}"


def _told_of_column(column: Column, entry: Entry | None) -> bool:
    """True for a number converted from the unit of its heading: that is told once, of the column."""
    converted = (
        column.fact is not None and column.fact.numeric and column.unit not in (None, column.fact.unit)
    )
    return converted and entry is not None and entry.state == "known" and parsed_unit(entry.text) is None


def _spoil(
    column: Column,
    text: str,
    found: dict[str, list[_Candidate]],
    facts: dict[str, Fact],
    result: ReadCells,
) -> None:
    """Leave the facts of a column unusable: something stands in the cell, so nothing may be presumed or derived."""
    if column.fact is not None:
        facts[column.fact.key] = column.fact
        found.setdefault(column.fact.key, []).append(_Candidate(column, Entry(None, "invalid", text)))
    for targets in (column.mapping or {}).values():
        for key in targets:
            result.entries.setdefault(key, Entry(None, "invalid", text))


def _imply(
    column: Column, key: str, entry: Entry, stated: frozenset[str], place: Place, result: ReadCells
) -> None:
    """Take over what a value says of another fact (挂牌出让: 取得方式), unless the row says otherwise of it.

    A row that says two things of how land is supplied, or implies two classes, is an error; a class that a person
    chose (`stated`) stays.
    """
    own = result.entries.get(key)
    if own is None or own.state in ("unknown", "none"):
        result.entries[key] = entry
    elif own.state == "known" and own.value != entry.value and (key in _SAID or key not in stated):
        result.entries[key] = _contradiction(column, own, entry, place, result)


def _contradiction(column: Column, own: Entry, other: Entry, place: Place, result: ReadCells) -> Entry:
    """Neither of two values that one row gives to one fact."""
    message = (
        f"“{other.text}”即“{other.value}”，与另一列填的“{own.text}”不一致，不知以哪个为准，按录入错误处理；"
        "请改成一致"
    )
    result.notes.append(Note("error", "columns-conflict", message, replace(place, column=column.heading)))
    return Entry(None, "invalid", f"{own.text}、{other.text}")


def _leave_vague_term(column: Column, fact: Fact, place: Place, result: ReadCells) -> None:
    """A term under `年限` or `使用年限` is no grant term where the land is leased, or leased first."""
    mode = result.entries.get("supply_mode")
    entry = result.entries.get(fact.key)
    if mode is None or mode.value not in _LEASES or entry is None or entry.state != "known":
        return
    del result.entries[fact.key]
    _carry(result.carried, column.heading, entry.text)
    message = (
        f"供应方式是“{mode.value}”，“{column.heading}”（{entry.text}）没有写明是租期还是出让年限，照抄不判断；"
        "租期请填“出租年期”，出让年限请填“出让年期”"
    )
    result.notes.append(Note("warning", "term-unclear", message, replace(place, column=column.heading)))


def records_from_sheet(
    sheet: Sheet,
    chosen: tuple[Names, Heading],
    vocabulary: Vocabulary,
    file: str,
    progress: Progress | None = None,
) -> tuple[list[Record], list[Note]]:
    """The records of a sheet whose heading is known, and the notes about the sheet as a whole.

    Blank rows, totals, repeated headings, remarks and section titles are no records; a note says which rows they were.
    """
    names, heading = chosen
    place = Place(file=file, sheet=sheet.name)
    market = detect(heading.columns, vocabulary)
    columns = adapt_columns(heading.columns, market, names) if market else heading.columns
    columns = _complete(sheet, heading, columns)
    notes = [carried_note(columns, place)] if market else _column_notes(columns, names, place)
    body = sheet.rows[heading.last + 1 :]
    filled = _fill_merged(sheet, body, columns, place, notes)
    shifted = _shifted(sheet, heading, body)
    skipped: dict[str, list[int]] = {}
    kept: list[tuple[int, Sequence[Cell]]] = []
    heading_texts = {squash(column.heading) for column in columns}
    for number, cells in body:
        blank = all(cell is None or cell == "" for cell in cells)
        whole = filled.get(number, cells)
        why = "blank" if blank else _why_skipped(whole, heading_texts, len(columns))
        if why:
            skipped.setdefault(why, []).append(number)
        else:
            kept.append((number, whole))
    notes.extend(_skipped_notes(skipped, kept, place))
    records: list[Record] = []
    agreed: Counter[tuple[str, str]] = Counter()
    unmapped: Counter[tuple[str, str]] = Counter()
    spelled: Counter[Spelled] = Counter()
    for done, (number, cells) in enumerate(kept):
        row_place = Place(file, sheet.name, number)
        width = len(cells)
        pairs = [(column, cells[column.index]) for column in columns if column.index < width]
        row = read_cells(pairs, row_place, formats_known=sheet.formats_known)
        if market:
            refine(row.entries, row.carried, row.notes, row_place)
        if number in shifted:
            _give_up(row, row_place)
        agreed.update(row.agreed)
        unmapped.update(row.unmapped)
        spelled.update(row.spelled)
        record = Record("", names.subject.key, row.entries, row.carried, row_place, tuple(row.notes))
        records.append(record)
        if progress and done % _PROGRESS_EVERY == 0:
            progress(done, len(kept))
    if progress:
        progress(len(kept), len(kept))
    notes.extend(_agreed_note(pair, count, place) for pair, count in sorted(agreed.items()))
    notes.extend(_unmapped_notes(unmapped, place))
    notes.extend(spelled_notes(spelled, names.subject, place))
    return _with_ids(records, place, notes), notes


def _shifted(sheet: Sheet, heading: Heading, body: Sequence[tuple[int, Sequence[Cell]]]) -> set[int]:
    """Rows of a text table with more cells than headings, where most have none too many: `1,234` written without marks."""
    if sheet.name is not None:
        return set()
    width = max(len(cells) for _, cells in sheet.rows[heading.first : heading.last + 1])
    longer = {number for number, cells in body if any(cell not in (None, "") for cell in cells[width:])}
    rows = sum(any(cell not in (None, "") for cell in cells) for _, cells in body)
    return longer if len(longer) * 2 < rows or len(longer) == rows == 1 else set()


def _give_up(row: ReadCells, place: Place) -> None:
    """Leave every fact of a row unusable whose cells may stand below the wrong headings."""
    row.entries = {
        key: Entry(None, "invalid", entry.text or str(entry.value)) for key, entry in row.entries.items()
    }
    message = "这一行比表头多出几格，各格可能错了位，整行按录入错误处理；数字里的逗号（1,234）请去掉，或给这一格加引号"
    row.notes.append(Note("error", "row-shifted", message, place))


def _carry(carried: dict[str, str], name: str, text: str) -> None:
    free, number = name, 2
    while free in carried and carried[free] != text:
        free, number = f"{name}（{number}）", number + 1
    carried[free] = text


def _read_mapped(column: Column, text: str, place: Place, result: ReadCells) -> None:
    targets = (column.mapping or {}).get(normalise_text(text))
    if targets is None:
        _carry(result.carried, column.heading, text)
        result.unmapped.append((column.heading, text))
        return
    for key, value in targets.items():
        own = result.entries.get(key)
        entry = Entry(value, text=text)
        if own is not None and (own.state == "invalid" or own.value not in (None, value)):
            entry = Entry(None, "invalid", "、".join(dict.fromkeys((own.text, text))))
            message = f"几列说的不一致（{entry.text}），不知以哪个为准，按录入错误处理；请改成一致"
            result.notes.append(
                Note("error", "columns-conflict", message, replace(place, column=column.heading))
            )
        result.entries[key] = entry


def _serial_hint(fact: Fact, raw: object) -> str:
    if (
        fact.type == "date"
        and isinstance(raw, int | Decimal)
        and raw == int(raw)
        and int(raw) in _LIKELY_SERIALS
    ):
        day = _EXCEL_EPOCH + timedelta(days=int(raw))
        return f"（像是 Excel 的日期序号，相当于 {day}；把单元格改为日期格式即可）"
    return ""


def _reconcile(fact: Fact, candidates: list[_Candidate], place: Place, result: ReadCells) -> Entry:
    """One entry from several columns of one fact."""
    known = [candidate for candidate in candidates if candidate.entry.state == "known"]
    if len(known) < 2:  # noqa: PLR2004 - one value is no conflict
        return (known or candidates)[0].entry
    first = known[0]
    headings = "”与“".join(candidate.column.heading for candidate in known)
    if all(candidate.entry.value == first.entry.value for candidate in known):
        result.agreed.extend((first.column.heading, other.column.heading) for other in known[1:])
        return min(known, key=_coarseness).entry
    units = [_written_unit(fact, candidate) for candidate in known]
    shown = "、".join(
        candidate.entry.text
        if parsed_unit(candidate.entry.text) or not fact.numeric
        else f"{candidate.entry.text} {unit.name}"
        for candidate, unit in zip(known, units, strict=True)
    )
    note_place = replace(place, column=headings)
    if not fact.numeric or len({unit.name for unit in units}) < len(known):
        message = f"两列都是“{fact.label}”而值不同（{shown}），不知以哪个为准，按录入错误处理；请改成一致，或只留一列"
        result.notes.append(Note("error", "columns-conflict", message, note_place))
        return Entry(None, "invalid", shown)
    if all(_within_rounding(fact, first.entry, other.entry) for other in known[1:]):
        result.agreed.extend((first.column.heading, other.column.heading) for other in known[1:])
        return min(known, key=_coarseness).entry
    values = "、".join(format_quantity(_number(each.entry), fact.unit) for each in known)
    message = (
        f"“{fact.label}”的几列换算后不一致（{shown}，即 {values}），差额超出舍入，不知以哪个为准，"
        "按录入错误处理；请核对后改成一致，或只留一列"
    )
    result.notes.append(Note("error", "columns-conflict", message, note_place))
    return Entry(None, "invalid", shown)


def parsed_unit(text: str) -> Unit | None:
    """The unit written behind a number, None when there is none."""
    number = parse_number(text)
    return number.unit if number else None


def _written_unit(fact: Fact, candidate: _Candidate) -> Unit:
    return parsed_unit(candidate.entry.text) or candidate.column.unit or fact.unit


def _number(entry: Entry) -> Fraction:
    return entry.value if isinstance(entry.value, Fraction) else Fraction(0)


def _coarseness(candidate: _Candidate) -> Fraction:
    return candidate.entry.half_step or Fraction(0)


def _within_rounding(fact: Fact, left: Entry, right: Entry) -> bool:
    slack = (left.half_step or Fraction(0)) + (right.half_step or Fraction(0))
    if fact.unit.name == "公顷":
        slack += _HECTARE_ROUNDING
    return abs(_number(left) - _number(right)) <= slack


def _complete(sheet: Sheet, heading: Heading, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns, each carried under a name of its own, and those without a heading that hold something."""
    taken = {column.index for column in columns}
    extra: set[int] = set()
    for _, cells in sheet.rows[heading.last + 1 :]:
        if len(cells) > len(taken):
            extra.update(
                index for index, cell in enumerate(cells) if cell not in (None, "") and index not in taken
            )
    nameless = [
        Column(index, f"{_column_letter(index)}列", carry=f"{_column_letter(index)}列") for index in extra
    ]
    used: Counter[str] = Counter()
    result = []
    # The column that bears the very name keeps it; the others are carried under their own headings.
    exact = {
        column.carry for column in columns if column.known and squash(column.heading) == squash(column.carry)
    }
    for column in sorted([*columns, *nameless], key=lambda each: each.index):
        name = column.carry
        if name and column.known:
            named_so = squash(column.heading) == squash(name)
            name = name if named_so or not (name in exact or used[name]) else column.heading
        if name:
            used[name] += 1
            if used[name] > 1:
                name = f"{name}（{used[name]}）"
        result.append(replace(column, carry=name))
    return tuple(result)


def _column_letter(index: int) -> str:
    """`A`, `B` … `Z`, `AA` …, as spreadsheets name the columns from 0."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _column_notes(columns: Sequence[Column], names: Names, place: Place) -> list[Note]:
    unknown = [
        column for column in columns if column.fact is None and not column.known and column.mapping is None
    ]
    notes = [
        unknown_column(column.heading, names, replace(place, column=column.heading))
        for column in unknown[:_NAMED_UNKNOWN]
    ]
    notes.extend(
        Note(
            "info",
            "unit-read-as",
            f"按{column.unit.name.replace('每', '/')}读，换算为{column.fact.unit.name.replace('每', '/')}判断",
            replace(place, column=column.heading),
        )
        for column in columns
        if column.fact is not None
        and column.unit is not None
        and column.unit != column.fact.unit
        and compatible(column.unit.dimension, column.fact.dimension)
    )
    if len(unknown) > _NAMED_UNKNOWN:
        message = f"另有 {len(unknown) - _NAMED_UNKNOWN} 列不认识，照抄不判断；请核对是否选错了表，或多余的列是否应删去"
        notes.append(Note("warning", "unknown-columns", message, place))
    return notes


def _fill_merged(
    sheet: Sheet,
    body: Sequence[tuple[int, Sequence[Cell]]],
    columns: Sequence[Column],
    place: Place,
    notes: list[Note],
) -> dict[int, list[Cell]]:
    """Rows in which cells merged downwards are filled in; a number that spans rows belongs to none of them alone."""
    by_number = dict(body)
    by_index = {column.index: column for column in columns}
    filled: dict[int, list[Cell]] = {}
    budget = _LIMIT_FILLED
    for merge in sheet.merges:
        column = by_index.get(merge.first_column)
        if merge.last_row == merge.first_row or column is None or merge.first_row not in by_number:
            continue
        first = by_number[merge.first_row]
        value = first[merge.first_column] if merge.first_column < len(first) else None
        if value is None:
            continue
        rows = [
            number
            for number in range(merge.first_row, min(merge.last_row, body[-1][0]) + 1)
            if number in by_number
        ]
        budget -= len(rows)
        if budget < 0:
            message = "合并单元格过多，未展开；请取消合并、逐行填写"
            notes.append(Note("warning", "merged-too-many", message, place))
            return filled
        if column.fact is not None and column.fact.numeric:
            message = f"这个数（{as_text(value)}）合并在第 {merge.first_row}–{merge.last_row} 行上，不知各行多少，按录入错误处理；请逐行填写"
            value = CellProblem("merged-number", message, as_text(value))
        for number in rows:
            cells = filled.setdefault(number, list(by_number[number]))
            cells.extend([None] * (merge.first_column + 1 - len(cells)))
            cells[merge.first_column] = value
    return filled


def _why_skipped(cells: Sequence[Cell], headings: set[str], width: int) -> str:
    """`total`, `heading`, `remark` or `section` for a row that is no record, else empty."""
    present = [cell for cell in cells if cell is not None and cell != ""]
    texts = [normalise_text(cell) for cell in present if isinstance(cell, str)]
    if texts:
        leading = re.sub(r"\s", "", texts[0])
        # Behind the name of a district in a merged cell, only the bare word says that the row is a total.
        others = (re.sub(r"\s", "", text) for text in texts)
        if _TOTAL.fullmatch(leading) or any(map(_BARE_TOTAL.fullmatch, others)):
            return "total"
        if sum(squash(text) in headings for text in texts) * 3 >= len(present) * 2 and len(present) > 1:
            return "heading"
        if _REMARK.fullmatch(texts[0]) and all(
            _REMARK.fullmatch(text) or len(present) <= _FEW_CELLS for text in texts
        ):
            return "remark"
    if len(present) == 1 and len(texts) == 1 and width > 2:  # noqa: PLR2004
        return "section"
    return ""


def _skipped_notes(
    skipped: Mapping[str, list[int]], kept: Sequence[tuple[int, object]], place: Place
) -> list[Note]:
    words = {
        "blank": ("blank-rows", "空行"),
        "total": ("total-rows", "合计、小计行（不作为一宗判断）"),
        "heading": ("heading-rows", "重复的表头"),
        "remark": ("remark-rows", "表注、填表说明"),
        "section": ("section-rows", "只有一格文字的行（小标题或说明）"),
    }
    last = kept[-1][0] if kept else 0
    notes = []
    for why, rows in skipped.items():
        # Blank rows below the table are of no interest.
        shown = [row for row in rows if row < last] if why == "blank" else rows
        if not shown:
            continue
        code, word = words[why]
        listed = "、".join(map(str, shown[:_LISTED_ROWS])) + ("等" if len(shown) > _LISTED_ROWS else "")
        notes.append(Note("info", code, f"跳过 {len(shown)} 行{word}：第 {listed} 行", place))
    return notes


def _agreed_note(pair: tuple[str, str], count: int, place: Place) -> Note:
    message = f"“{pair[0]}”与“{pair[1]}”是同一事实，{count} 行在舍入范围内一致，取更精确的一列"
    return Note("info", "columns-agree", message, place)


def _unmapped_notes(unmapped: Counter[tuple[str, str]], place: Place) -> list[Note]:
    by_heading: dict[str, list[str]] = {}
    for (heading, text), count in sorted(unmapped.items(), key=lambda item: (-item[1], item[0])):
        by_heading.setdefault(heading, []).append(f"{text}（{count}）")
    return [
        Note(
            "info",
            "values-unmapped",
            f"这些值没有确定的对应，照抄不判断，需要时请人工填写：{'、'.join(values)}",
            replace(place, column=heading),
        )
        for heading, values in by_heading.items()
    ]


def spelled_notes(spelled: Counter[Spelled], subject: Subject, place: Place) -> list[Note]:
    """One note a column for all values understood by imports.yaml, and one for those that leave their fact open."""
    whole: dict[str, list[str]] = {}
    partly: dict[tuple[str, str], list[str]] = {}
    for value, count in sorted(spelled.items(), key=lambda item: (-item[1], item[0].heading, item[0].text)):
        meant = "、".join(f"{subject.facts[key].label}＝{word}" for key, word in value.meant)
        line = f"{value.text}（{count}）→ {meant}"
        if value.open:
            partly.setdefault((value.heading, value.open), []).append(line)
        else:
            whole.setdefault(value.heading, []).append(line)
    notes = [
        Note("info", "values-read-as", f"按对应表读取：{'；'.join(lines)}", replace(place, column=heading))
        for heading, lines in whole.items()
    ]
    for (heading, label), lines in partly.items():
        fact = subject.fact(label)
        values = "、".join(fact.values) if fact else ""
        message = f"没有写全：{'；'.join(lines)}；“{label}”按未填处理，要判断请改填：{values}"
        notes.append(Note("warning", "values-incomplete", message, replace(place, column=heading)))
    return notes


def _with_ids(records: list[Record], place: Place, notes: list[Note]) -> list[Record]:
    """Records named by the first identifying column present; where it is blank or repeated, by the row."""
    column = next((name for name in _ID_COLUMNS if any(name in record.carried for record in records)), None)
    counts = (
        Counter(record.carried[column] for record in records if column in record.carried)
        if column
        else Counter()
    )
    repeated = sorted(value for value, count in counts.items() if count > 1)
    if repeated:
        listed = "、".join(repeated[:_LISTED_ROWS]) + ("等" if len(repeated) > _LISTED_ROWS else "")
        message = f"“{column}”有 {len(repeated)} 个值不唯一（{listed}），这些行以行号相称"
        notes.append(Note("info", "ids-repeated", message, place))
    named = []
    for record in records:
        value = record.carried.get(column, "") if column else ""
        name = value if value and counts[value] == 1 else f"行{record.place.row}"
        named.append(replace(record, id=name))
    return named


def is_words_sheet(sheet: Sheet) -> bool:
    """True for sheets that explain and hold no rows to judge (填表说明, 封面, …)."""
    return squash(sheet.name or "") in _SHEETS_OF_WORDS
