"""What the service works with, loaded once: rules, place configuration, calendar, ledger; and a check from bytes to bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from landrules.engine.api import check
from landrules.engine.checking import prepare
from landrules.engine.findings.model import CheckOptions, InputFile, Report
from landrules.engine.ledger.records import check_entry, report_of
from landrules.engine.ledger.store import Store, append, append_once, head, open_store
from landrules.engine.report.html import html_chunks
from landrules.engine.report.json_report import json_chunks
from landrules.engine.rulebook import Rulebook, unknown_place
from landrules.engine.rulebook.configuration import Configuration, load_configuration
from landrules.engine.service.bodies import too_many_rows
from landrules.engine.service.problems import Flaw, Problem, note_flaws
from landrules.engine.service.settings import Settings
from landrules.engine.service.work import Deadline
from landrules.facts.calendar import Workdays, load_workdays
from landrules.facts.notes import InputError, Note, Place
from landrules.facts.read_records import Reading, read_bytes
from landrules.facts.values import suggest

__all__ = ["Checked", "Office", "Source", "Style", "check_sources", "known_options", "open_office", "render"]

Style = Literal["json", "html", "xlsx"]


@dataclass(frozen=True, slots=True)
class Office:
    """Everything a request needs. Immutable; shared by all threads."""

    settings: Settings
    rulebook: Rulebook
    workdays: Workdays
    configuration: Configuration | None
    notes: tuple[Note, ...]
    store: Store | None

    def ready(self) -> str:
        """Empty when checks can be answered now; else what is wrong.

        Raises:
            LedgerError: when the ledger cannot be read.
        """
        if not self.rulebook.documents:
            return "没有载入任何文件"
        if self.store is not None:
            head(self.store)
        return ""

    def ledger(self) -> Store:
        """The ledger.

        Raises:
            Problem: when none is configured.
        """
        if self.store is None:
            message = "服务没有配置台账，不能受理案件，也没有可查的记录；请以 landrules serve --store 台账.sqlite 启动"
            raise Problem("no-store", message)
        return self.store


@dataclass(frozen=True, slots=True)
class Source:
    """One input: its name (empty for a request body) and bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """A report, and what the log and the metrics may know of it."""

    report: Report
    entry: int | None = None


def open_office(settings: Settings) -> Office:
    """Load what the settings name.

    Raises:
        InputError: with every problem of rulesets, configuration and calendar.
        LedgerError: when the ledger cannot be opened.
    """
    rulebook = Rulebook.load(*settings.rulesets)
    configuration = (
        None if settings.config is None else load_configuration(settings.config, rulebook.vocabulary)
    )
    workdays = load_workdays(settings.holidays)
    notes = [
        _settled(key, words, path)
        for key, words, path in (
            ("config", "地方配置", settings.config),
            ("holidays", "放假安排", settings.holidays),
        )
        if path is not None
    ]
    store = open_store(settings.store) if settings.keeps_ledger() else None
    return Office(settings, rulebook, workdays, configuration, tuple(notes), store)


def _settled(key: str, words: str, path: Path) -> Note:
    """The note by which a report tells which configuration it rests on; as `landrules check` writes it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Note("info", f"used-{key}", f"使用了{words}，内容 sha256 {digest}", Place(file=path.name))


def known_options(office: Office, options: CheckOptions) -> CheckOptions:
    """The options, once every place and rule in them is known.

    Raises:
        Problem: with every one that is not.
    """
    flaws = []
    if options.place and (problem := unknown_place(office.rulebook, options.place)):
        flaws.append(Flaw("place-unknown", problem, parameter="place"))
    for parameter, patterns in (("select", options.select), ("ignore", options.ignore)):
        flaws += [
            Flaw(
                "rule-unknown",
                f"没有“{pattern}”这条规则或这份文件{_near(office.rulebook, pattern)}",
                parameter=parameter,
            )
            for pattern in patterns
            if not _means_something(office.rulebook, pattern)
        ]
    if flaws:
        raise Problem("bad-query", f"{len(flaws)} 个查询参数有误，没有预检；请改正后重发", flaws)
    return options


def _means_something(rulebook: Rulebook, pattern: str) -> bool:
    if pattern in rulebook.rules or pattern.removesuffix("/*") in rulebook.documents:
        return True
    return "/" not in pattern and any(rule.endswith(f"/{pattern}") for rule in rulebook.rules)


def _near(rulebook: Rulebook, pattern: str) -> str:
    names = [*rulebook.rules, *rulebook.documents, *(rule.partition("/")[2] for rule in rulebook.rules)]
    near = suggest(pattern, names)
    return f"，是否指{near}？" if near else "；全部规则见 /v1/rules"


def check_sources(
    office: Office,
    sources: Sequence[Source],
    options: CheckOptions,
    deadline: Deadline,
    *,
    subject: str | None = None,
    who: str = "",
    key: str = "",
) -> Checked:
    """Read, check, and record in the ledger where there is one; with a key, the first answer stands.

    Raises:
        Problem: when an input cannot be used, has too many rows, or the time is over.
        LedgerError: when it cannot be recorded; then there is no answer either.
    """
    limit = office.settings.max_rows
    readings = [_read(office, source, subject, deadline) for source in sources]
    records = [record for reading in readings for record in reading.records]
    if len(records) > limit:
        raise too_many_rows(limit, len(records))
    report = check(
        office.rulebook,
        records,
        options,
        configuration=office.configuration,
        workdays=office.workdays,
        inputs=[
            InputFile(source.name, reading.hash) for source, reading in zip(sources, readings, strict=True)
        ],
        notes=(*office.notes, *(note for reading in readings for note in reading.notes)),
        progress=deadline,
    )
    if office.store is None:
        return Checked(report)
    if office.configuration is not None:
        # An entry is replayed from what it holds.
        plain = replace(options, derive=False)
        records = prepare(office.rulebook, records, plain, office.configuration, office.workdays)
    entry = check_entry(office.rulebook, records, report, at=datetime.now(UTC), who=who, key=key)
    deadline()
    if not key:
        return Checked(report, append(office.store, entry).seq)
    stored = append_once(office.store, entry)
    # Another moment: the key was used before, perhaps before a restart or in another process.
    return Checked(report if stored.entry.at == entry.at else report_of(stored), stored.seq)


def _read(office: Office, source: Source, subject: str | None, deadline: Deadline) -> Reading:
    try:
        return read_bytes(
            source.data, source.name, office.rulebook.vocabulary, subject=subject, progress=deadline
        )
    except InputError as error:
        # Notes name the file already, where it has a name.
        raise Problem("bad-file", _joined(error.notes), note_flaws(error.notes)) from error


def _joined(notes: Iterable[Note]) -> str:
    return "；".join(dict.fromkeys(note.describe() for note in notes if note.severity == "error"))


def render(report: Report, style: Style) -> tuple[bytes, str]:
    """The report and its media type, by the renderers of the command line."""
    return _RENDERERS[style](report)


def _json(report: Report) -> tuple[bytes, str]:
    return "".join(json_chunks(report)).encode(), "application/json"


def _html(report: Report) -> tuple[bytes, str]:
    return "".join(html_chunks(report)).encode(), "text/html; charset=utf-8"


def _xlsx(report: Report) -> tuple[bytes, str]:
    from landrules.engine.report.xlsx import render_xlsx  # noqa: PLC0415 - openpyxl, for those who want a workbook

    return render_xlsx(report), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


_RENDERERS: Mapping[Style, Callable[[Report], tuple[bytes, str]]] = {
    "json": _json,
    "html": _html,
    "xlsx": _xlsx,
}
