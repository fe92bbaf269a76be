"""Reads an event log: lines `{"case", "subject", "at", "set": {name: value}, "unset": [names], "event": kind}`.

Lines of several cases may be mixed; the order of the lines of one case matters. A line that cannot be used gets a note
with its number, and the others go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from landrules.engine.case.model import EVENT_NAMES, Case, Event, EventKind, open_case, replay_events
from landrules.facts.notes import Note, Place
from landrules.facts.read_headings import names_of
from landrules.facts.read_json import Item, Pairs, read_json_items
from landrules.facts.read_records import records_from_dicts
from landrules.facts.read_sources import load_bytes
from landrules.facts.read_text import decode
from landrules.facts.records import Record
from landrules.facts.values import as_text, suggest
from landrules.facts.vocabulary import Vocabulary

__all__ = ["Line", "Log", "cases_of", "read_log", "read_log_bytes", "records_of"]

_FIELDS = ("case", "subject", "at", "set", "unset", "event", "by")


@dataclass(frozen=True, slots=True)
class Line:
    """One usable line: an event of a case."""

    case: str
    subject: str
    event: Event


@dataclass(frozen=True, slots=True)
class Log:
    """The usable lines of a log in their order, what is wrong with the others, and the SHA-256 of the file."""

    lines: tuple[Line, ...]
    notes: tuple[Note, ...]
    hash: str


@dataclass(frozen=True, slots=True)
class _LineError(Exception):
    code: str
    message: str


def read_log(path: Path, vocabulary: Vocabulary) -> Log:
    """Read an event log.

    Raises:
        InputError: when nothing in it is readable.
    """
    return read_log_bytes(load_bytes(path), path.name, vocabulary)


def read_log_bytes(data: bytes, file: str, vocabulary: Vocabulary) -> Log:
    """As `read_log`, for the content of an uploaded file.

    Raises:
        InputError: when nothing in it is readable.
    """
    text, found = decode(data, file)
    items, problems = read_json_items(text, file)
    notes = [*found, *problems]
    lines: list[Line] = []
    subjects: dict[str, str] = {}
    for item in items:
        try:
            line = _line(item, vocabulary, subjects, notes)
        except _LineError as error:
            notes.append(Note("error", error.code, f"{error.message}；这一行没有读", item.place))
            continue
        subjects[line.case] = line.subject
        lines.append(line)
    return Log(tuple(lines), tuple(notes), hashlib.sha256(data).hexdigest())


def cases_of(log: Log, vocabulary: Vocabulary) -> tuple[Case, ...]:
    """Each case as it stands after its last line, in the order of their first lines."""
    events: dict[str, list[Event]] = {}
    subjects: dict[str, str] = {}
    for line in log.lines:
        events.setdefault(line.case, []).append(line.event)
        subjects[line.case] = line.subject
    names = {key: names_of(vocabulary, vocabulary.subjects[key]) for key in dict.fromkeys(subjects.values())}
    return tuple(
        replay_events(open_case(name, subjects[name]), found, names[subjects[name]])
        for name, found in events.items()
    )


def records_of(cases: Sequence[Case], vocabulary: Vocabulary) -> list[Record]:
    """The records of cases as they stand: read by the same reader, with the same notes, as an input file.

    Raises:
        ValueError: where two cases have one id.
    """
    if len({case.id for case in cases}) != len(cases):
        raise ValueError("两个案件用了同一个编号")
    reading = records_from_dicts([case.content() for case in cases], vocabulary)
    by_id = {record.id: record for record in reading.records}
    result = []
    for case in cases:
        record = by_id[case.id]
        last = case.log[-1].place if case.log else Place()
        # Notes name the position among the records; people look for the line of the log.
        notes = [
            replace(note, place=replace(note.place, file=last.file, row=last.row)) for note in record.notes
        ]
        result.append(replace(record, place=last, notes=(*notes, *case.notes)))
    return result


def _line(item: Item, vocabulary: Vocabulary, subjects: Mapping[str, str], notes: list[Note]) -> Line:
    if not isinstance(item.content, Pairs):
        raise _LineError(
            "event-form", "一行应是 {“case”: …, “subject”: …, “at”: …, “set”: {…}, “unset”: […]}"
        )
    content = dict(item.content.items)
    if len(content) != len(item.content.items):
        raise _LineError("event-form", "同一个键写了两次，请只留一个")
    for name in content:
        if name not in _FIELDS:
            hint = f"，是否指{near}？" if (near := suggest(name, _FIELDS)) else ""
            message = f"不认识“{name}”{hint}；事实应写在“set”里，这一项没有读"
            notes.append(Note("warning", "event-field", message, replace(item.place, column=name)))
    case = as_text(content["case"]) if isinstance(content.get("case"), str | int) else ""
    if not case:
        raise _LineError("event-case", "没有写明案件（case）")
    return Line(case, _subject(content, case, vocabulary, subjects), _event(content, item.place))


def _subject(
    content: Mapping[str, object], case: str, vocabulary: Vocabulary, subjects: Mapping[str, str]
) -> str:
    given = content.get("subject")
    if given in (None, ""):
        if case in subjects:
            return subjects[case]
        raise _LineError("event-subject", f"案件“{case}”没有写明填报表（subject）")
    found = vocabulary.subject(str(given))
    if found is None:
        names = [*vocabulary.subjects, *(form.label for form in vocabulary.subjects.values())]
        hint = f"，是否指{near}？" if (near := suggest(str(given), names)) else ""
        raise _LineError("event-subject", f"没有“{given}”这种填报表{hint}")
    if subjects.get(case, found.key) != found.key:
        first = vocabulary.subjects[subjects[case]].label
        raise _LineError("event-subject", f"案件“{case}”前面是“{first}”，这里成了“{found.label}”")
    return found.key


def _event(content: Mapping[str, object], place: Place) -> Event:
    written = content.get("at")
    try:
        at = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        at = None
    if at is None:
        raise _LineError(
            "event-at", f"时间（at）应写成 2023-06-01T09:00:00 的样式，现为“{as_text(written or '')}”"
        )
    kind: EventKind | None = None
    if content.get("event") not in (None, ""):
        kind = EVENT_NAMES.get(str(content["event"]))
        if kind is None:
            raise _LineError(
                "event-kind", f"没有“{content['event']}”这种事件，可用：{'、'.join(EVENT_NAMES)}"
            )
    changes = content.get("set")
    if changes is not None and not isinstance(changes, Pairs):
        raise _LineError("event-form", "“set”应是 {名称: 值} 的映射")
    withdrawn = content.get("unset")
    if withdrawn is not None and not (
        isinstance(withdrawn, list) and all(isinstance(name, str) for name in withdrawn)
    ):
        raise _LineError("event-form", "“unset”应是名称的列表")
    pairs = changes.items if isinstance(changes, Pairs) else ()
    if len(dict(pairs)) != len(pairs):
        raise _LineError("event-form", "“set”里同一个名称写了两次，请只留一个")
    return Event(
        at,
        kind,
        dict(pairs),
        tuple(str(name) for name in withdrawn) if isinstance(withdrawn, list) else (),
        as_text(content.get("by") or ""),
        place,
    )
