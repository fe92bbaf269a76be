"""From records, dicts or files to a report, in one call each; what happened goes to the log (`landrules.engine.logs`)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from landrules.engine import checking
from landrules.engine.checking import Progress
from landrules.engine.findings.model import CheckOptions, InputFile, Report
from landrules.engine.logs import log_report
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.configuration import Configuration
from landrules.facts.calendar import Workdays
from landrules.facts.notes import Note
from landrules.facts.read_records import read_records, records_from_dicts
from landrules.facts.records import Record

__all__ = ["check", "check_dicts", "check_files"]


def check(
    rulebook: Rulebook,
    records: Sequence[Record],
    options: CheckOptions | None = None,
    *,
    configuration: Configuration | None = None,
    workdays: Workdays | None = None,
    inputs: Sequence[InputFile] = (),
    notes: Sequence[Note] = (),
    progress: Progress | None = None,
) -> Report:
    """Check records that were read already: `landrules.engine.checking.check`, logged.

    Thread-safe: rulebook, configuration and workdays are immutable and may be shared by all threads.
    """
    began = time.perf_counter()
    report = checking.check(
        rulebook,
        records,
        options,
        configuration=configuration,
        workdays=workdays,
        inputs=inputs,
        notes=notes,
        progress=progress,
    )
    log_report(report, time.perf_counter() - began)
    return report


def check_dicts(
    rulebook: Rulebook,
    records: Sequence[Mapping[str, object]],
    options: CheckOptions | None = None,
    *,
    subject: str | None = None,
    configuration: Configuration | None = None,
) -> Report:
    """Check records in the form of the input contract: `{"subject": …, "id": …, "facts": {key or label: value}}`.

    Values are text (`"25年"`, `"5 万元/亩"`, `"2023-06-01"`), `int`, `Decimal`, `bool`, `date` or a list of texts. A fact
    that is absent is missing, never zero or false. What cannot be read is a note of the report, not an exception.
    """
    reading = records_from_dicts(records, rulebook.vocabulary, subject=subject)
    inputs = (InputFile("", reading.hash),)
    return check(
        rulebook, reading.records, options, configuration=configuration, inputs=inputs, notes=reading.notes
    )


def check_files(
    rulebook: Rulebook,
    paths: Iterable[Path | str],
    options: CheckOptions | None = None,
    *,
    subject: str | None = None,
    configuration: Configuration | None = None,
) -> Report:
    """Check files (xlsx, xls, csv, json, jsonl) together.

    Raises:
        InputError: when one of them cannot be used at all; its notes say why.
    """
    named = [str(path) for path in paths]
    readings = [read_records(Path(path), rulebook.vocabulary, subject=subject) for path in named]
    return check(
        rulebook,
        [record for reading in readings for record in reading.records],
        options,
        configuration=configuration,
        inputs=[InputFile(path, reading.hash) for path, reading in zip(named, readings, strict=True)],
        notes=[note for reading in readings for note in reading.notes],
    )
