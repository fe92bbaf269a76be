"""Reads a file of any supported kind, or Python dicts, into records: the one way in for facts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from landrules.facts.normalise import (
    Progress,
    Spelled,
    choose_heading,
    is_words_sheet,
    named_subject,
    read_cells,
    records_from_sheet,
    spelled_notes,
    unknown_column,
)
from landrules.facts.notes import InputError, Note, Place, Severity
from landrules.facts.quantities import squash
from landrules.facts.read_headings import (
    Column,
    Heading,
    Names,
    declared_units,
    make_column,
    names_of,
    score_row,
)
from landrules.facts.read_html import read_html
from landrules.facts.read_json import Item, Pairs, items_of, read_json_items
from landrules.facts.read_sources import Cell, CellProblem, Sheet, load_bytes, sniff
from landrules.facts.read_text import decode, read_text_table
from landrules.facts.records import Record
from landrules.facts.values import as_text, suggest
from landrules.facts.vocabulary import Vocabulary

__all__ = ["Progress", "Reading", "read_bytes", "read_records", "records_from_dicts"]

_LEAST_HEADINGS = 3
_SUFFIX_KINDS = {
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xls",
    ".csv": "text",
    ".txt": "text",
    ".tsv": "text",
}
_PROGRESS_EVERY = 500
_KIND_WORDS = {
    "xlsx": "xlsx 工作簿",
    "xls": "xls 工作簿",
    "html": "网页表格",
    "json": "JSON",
    "text": "文本表格（csv）",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file came to.

    `notes` concern the file, its sheets and rows that became no record; each record has its own besides. `hash` is
    the SHA-256 of the bytes read, in hexadecimal.
    """

    records: tuple[Record, ...]
    notes: tuple[Note, ...]
    hash: str

    def all_notes(self) -> tuple[Note, ...]:
        """The notes of the file, then those of each record in turn."""
        return (*self.notes, *(note for record in self.records for note in record.notes))


def read_records(
    path: Path, vocabulary: Vocabulary, *, subject: str | None = None, progress: Progress | None = None
) -> Reading:
    """Read xlsx, xls, csv, txt, HTML tables, json or jsonl, told apart by content.

    `subject` (key or label) is the fact type of records that do not say theirs.

    Raises:
        InputError: when nothing in the file can be judged: it is missing, encrypted, corrupt, hostile, or without a table.
    """
    return read_bytes(load_bytes(path), path.name, vocabulary, subject=subject, progress=progress)


def read_bytes(
    data: bytes,
    file: str,
    vocabulary: Vocabulary,
    *,
    subject: str | None = None,
    progress: Progress | None = None,
) -> Reading:
    """As `read_records`, for the content of an uploaded file called `file`.

    Raises:
        InputError: as `read_records`.
    """
    subject = _subject_key(subject, vocabulary)
    kind = sniff(data, file)
    notes: list[Note] = []
    expected = _SUFFIX_KINDS.get(Path(file).suffix.lower())
    if expected is not None and expected != kind:
        message = f"文件名是 {Path(file).suffix}，内容其实是{_KIND_WORDS[kind]}，按内容读取"
        notes.append(Note("info", "kind-differs", message, Place(file=file)))
    if kind == "json":
        text, found = decode(data, file)
        items, problems = read_json_items(text, file)
        records, more = _records_from_items(items, vocabulary, subject, progress)
        notes += [*found, *problems, *more]
    else:
        forms = {key: names_of(vocabulary, form) for key, form in vocabulary.subjects.items()}
        sheets, found = _sheets(kind, data, file, forms)
        notes += found
        records, more = _records_from_sheets(sheets, vocabulary, forms, subject, file, progress)
        notes += more
    return Reading(tuple(_unique(records)), tuple(notes), hashlib.sha256(data).hexdigest())


def records_from_dicts(
    items: Sequence[Mapping[str, object]], vocabulary: Vocabulary, *, subject: str | None = None
) -> Reading:
    """Records from Python dicts in the form of the input contract; the same rules as for a JSON file.

    `hash` is that of the items as canonical JSON.
    """
    subject = _subject_key(subject, vocabulary)
    records, notes = _records_from_items(items_of(items), vocabulary, subject)
    canonical = json.dumps(
        items, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_jsonable
    )
    return Reading(tuple(_unique(records)), tuple(notes), hashlib.sha256(canonical.encode()).hexdigest())


def _jsonable(value: object) -> object:
    return sorted(map(as_text, value)) if isinstance(value, set | frozenset) else as_text(value)


def _subject_key(subject: str | None, vocabulary: Vocabulary) -> str | None:
    if subject is None:
        return None
    found = vocabulary.subject(subject)
    if found is None:
        raise InputError(_unknown_subject(subject, vocabulary, Place()))
    return found.key


def _unknown_subject(name: str, vocabulary: Vocabulary, place: Place) -> Note:
    labels = [form.label for form in vocabulary.subjects.values()]
    near = suggest(name, [*labels, *vocabulary.subjects])
    hint = f"是否指{near}？" if near else ""
    message = f"没有“{name}”这种填报表；{hint}可用：{'、'.join(labels)}"
    return Note("error", "subject-unknown", message, place)


def _sheets(kind: str, data: bytes, file: str, forms: Mapping[str, Names]) -> tuple[list[Sheet], list[Note]]:
    if kind in ("xlsx", "xls"):
        # openpyxl and calamine cost a tenth of a second, which a JSON file should not pay.
        from landrules.facts.read_workbook import read_xls, read_xlsx  # noqa: PLC0415

        return read_xlsx(data, file) if kind == "xlsx" else read_xls(data, file)
    if kind == "html":
        text, notes = decode(data, file)
        return read_html(text, file), notes
    text, notes = decode(data, file)
    return [read_text_table(text, file, score_row(list(forms.values())))], notes


def _records_from_sheets(
    sheets: Sequence[Sheet],
    vocabulary: Vocabulary,
    forms: Mapping[str, Names],
    subject: str | None,
    file: str,
    progress: Progress | None,
) -> tuple[list[Record], list[Note]]:
    records: list[Record] = []
    notes: list[Note] = []
    tables = 0
    for sheet in sheets:
        notes.extend(sheet.notes)
        place = Place(file=file, sheet=sheet.name)
        if not any(cell not in (None, "") for _, cells in sheet.rows for cell in cells):
            notes.append(Note("info", "sheet-empty", "这张工作表是空的", place))
            continue
        chosen = None if is_words_sheet(sheet) else choose_heading(sheet, forms, subject)
        if chosen is None:
            severity: Severity = "info" if is_words_sheet(sheet) else "warning"
            message = "没有认出表头，这张表没有读；表头应在前 25 行内，用词表里的名称或别名，至少两列"
            notes.append(Note(severity, "heading-not-found", message, place))
            continue
        tables += 1
        named = named_subject(sheet, forms)
        if named is not None and named != chosen[0].subject.key:
            said, taken = forms[named].subject.label, chosen[0].subject.label
            message = (
                f"表名或标题是“{said}”，列名却认不出是这种表，按“{taken}”判断；请核对，或用“{said}”的列名"
            )
            notes.append(Note("warning", "subject-differs", message, place))
        found = []
        for table, its in _tables(sheet, chosen, forms, subject):
            more_records, more = records_from_sheet(table, its, vocabulary, file, progress)
            found.extend(more_records)
            notes.extend(more)
        records.extend(found)
        if not found:
            notes.append(
                Note("warning", "sheet-without-rows", "有表头，没有数据行；请核对是否选错了文件", place)
            )
    if not tables:
        message = "文件里没有可判断的表；请用 landrules 的模板，或让表头用词表里的名称"
        raise InputError(*notes, Note("error", "no-table", message, Place(file=file)))
    return records, notes


def _tables(
    sheet: Sheet, chosen: tuple[Names, Heading], forms: Mapping[str, Names], subject: str | None
) -> Iterator[tuple[Sheet, tuple[Names, Heading]]]:
    """The tables that stand one below the other on a sheet: a row of other headings begins the next one."""
    score = score_row(list(forms.values()))
    above = sheet.rows[: chosen[1].first]
    while (begin := _next_heading(sheet.rows, chosen[1], score)) is not None:
        # What stands above the first table (单位：亩) holds for those below, unless a line right above them says otherwise.
        title = (
            sheet.rows[begin - 1 : begin]
            if begin - 1 > chosen[1].last and _is_title(sheet, begin - 1)
            else ()
        )
        units = () if declared_units(title) else [row for row in above if declared_units([row])]
        lead = (*units, *title)
        rest = replace(sheet, rows=(*lead, *sheet.rows[begin:]))
        following = choose_heading(rest, forms, subject)
        if following is None or following[1].first != len(lead):
            break
        yield replace(sheet, rows=sheet.rows[:begin]), chosen
        sheet, chosen, above = rest, following, lead
    yield sheet, chosen


def _is_title(sheet: Sheet, position: int) -> bool:
    present = [cell for cell in sheet.rows[position][1] if cell not in (None, "")]
    return 0 < len(present) <= 2 and all(isinstance(cell, str) for cell in present)  # noqa: PLR2004 - title and unit


def _next_heading(
    rows: Sequence[tuple[int, Sequence[Cell]]], heading: Heading, score: Callable[[Sequence[Cell]], int]
) -> int | None:
    """The position of the first row below `heading` that is a heading too, and another one; None where there is none."""
    own = [
        [squash(as_text(cell)) if cell is not None else "" for cell in cells]
        for _, cells in rows[heading.first : heading.last + 1]
    ]
    for position in range(heading.last + 1, len(rows)):
        cells = rows[position][1]
        present = [cell for cell in cells if cell not in (None, "")]
        if len(present) < _LEAST_HEADINGS or not all(isinstance(cell, str) for cell in present):
            continue
        if score(cells) * 3 < len(present) * 2 or score(cells) < _LEAST_HEADINGS:
            continue
        if [squash(as_text(cell)) if cell is not None else "" for cell in cells] not in own:
            return position
    return None


def _records_from_items(
    items: Sequence[Item], vocabulary: Vocabulary, subject: str | None, progress: Progress | None = None
) -> tuple[list[Record], list[Note]]:
    forms: dict[str, Names] = {}
    records: list[Record] = []
    notes: list[Note] = []
    spelled: dict[str, Counter[Spelled]] = {}
    for number, item in enumerate(items, 1):
        if progress and (number % _PROGRESS_EVERY == 0 or number == len(items)):
            progress(number, len(items))
        if not isinstance(item.content, Pairs):
            message = "这不是一条记录；一条记录是 {“subject”: …, “id”: …, “facts”: {名称: 值}}"
            notes.append(Note("error", "record-form", message, item.place))
            continue
        own: list[Note] = []
        fields = _fields(item.content, item.place, own)
        key = _record_subject(fields.pop("subject", None), subject, vocabulary, item.place, own)
        if key is None:
            notes.extend(own)
            continue
        if key not in forms:
            forms[key] = names_of(vocabulary, vocabulary.subjects[key])
        name = fields.pop("id", None)
        content = fields.pop("facts", None)
        if content is not None and not isinstance(content, Pairs):
            message = "“facts”应是 {名称: 值} 的映射，没有读；请改正"
            own.append(Note("error", "record-form", message, replace(item.place, column="facts")))
        pairs = list(content.items) if isinstance(content, Pairs) else []
        if fields:
            listed = "、".join(fields)
            own.append(
                Note(
                    "warning",
                    "record-extra",
                    f"事实应写在“facts”里，现写在外面：{listed}；已一并读取",
                    item.place,
                )
            )
            pairs.extend(fields.items())
        elif content is None:
            own.append(Note("warning", "record-empty", "没有“facts”，这条记录没有任何事实", item.place))
        row = read_cells(_columns(pairs, forms[key], item.place, own), item.place)
        spelled.setdefault(key, Counter()).update(row.spelled)
        identity = as_text(name) if name not in (None, "") else f"行{item.place.row or number}"
        records.append(Record(identity, key, row.entries, row.carried, item.place, (*own, *row.notes)))
    for key, values in spelled.items():
        notes.extend(spelled_notes(values, vocabulary.subjects[key], Place(file=items[0].place.file)))
    return records, notes


def _fields(content: Pairs, place: Place, notes: list[Note]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in content.items:
        if key == "facts" and isinstance(value, Pairs) and isinstance(known := fields.get(key), Pairs):
            # Both count, so that two values of one fact are met as such.
            fields[key] = Pairs((*known.items, *value.items))
            notes.append(Note("error", "key-repeated", f"“{key}”写了两次，一并读取；请合成一个", place))
        elif key in fields:
            notes.append(Note("error", "key-repeated", f"“{key}”写了两次，取第一次；请删去一个", place))
        else:
            fields[key] = value
    return fields


def _record_subject(
    given: object, default: str | None, vocabulary: Vocabulary, place: Place, notes: list[Note]
) -> str | None:
    if given in (None, ""):
        if default is None:
            message = (
                '没有写明填报表（subject），没有读；请写明，如 "subject": "parcel_supply"，或在命令里指定'
            )
            notes.append(Note("error", "subject-missing", message, place))
        return default
    found = vocabulary.subject(str(given))
    if found is None:
        notes.append(_unknown_subject(str(given), vocabulary, replace(place, column="subject")))
        return None
    return found.key


def _columns(
    pairs: Sequence[tuple[str, object]], names: Names, place: Place, notes: list[Note]
) -> list[tuple[Column, object]]:
    cells: list[tuple[Column, object]] = []
    for index, (key, value) in enumerate(pairs):
        column = make_column(index, key, names)
        if column.fact is None and not column.known:
            note = unknown_column(key, names, replace(place, column=key))
            notes.append(replace(note, code="unknown-fact") if note.code == "unknown-column" else note)
        if _nested(value):
            message = f"“{key}”的值应是数、文字、是否或一列文字，不能再有层次；按录入错误处理"
            cells.append((column, CellProblem("bad-value", message, "{…}")))
        else:
            cells.append((column, value))
    return cells


def _nested(value: object) -> bool:
    parts = value if isinstance(value, list | tuple | set | frozenset) else ()
    return isinstance(value, Pairs) or any(isinstance(part, Pairs | list | tuple) for part in parts)


def _unique(records: Sequence[Record]) -> list[Record]:
    """Records with identifiers of their own: a repeated one gets `#2`, `#3`, and a note."""
    wanted = Counter(record.id for record in records)
    taken: set[str] = set()
    result = []
    for record in records:
        name, number = record.id, 2
        while name in taken or (number > 2 and wanted[name]):  # noqa: PLR2004
            name, number = f"{record.id}#{number}", number + 1
        taken.add(name)
        if name == record.id:
            result.append(record)
            continue
        message = f"编号“{record.id}”重复，这一条改称“{name}”；请核对是否同一宗"
        note = Note("warning", "id-repeated", message, record.place)
        result.append(replace(record, id=name, notes=(*record.notes, note)))
    return result
