"""Makes entries of checks and case events, and reads records and reports back out of entries.

Which values are private, and under which names, is decided here: each fact under its key, each identifying column under
its name, a verdict's wording under the facts that its rule read, and notes under `ANY`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from landrules.engine.findings.model import Report
from landrules.engine.ledger.canonical import Tree
from landrules.engine.ledger.entry import CASE_EVENT, CHECK, Entry, Stored
from landrules.engine.ledger.errors import EntryError
from landrules.engine.ledger.sealing import ANY, Private, count_masked
from landrules.engine.report.json_report import render_json, report_from_json
from landrules.engine.report.summary import summarise
from landrules.engine.rulebook import Rulebook
from landrules.facts.notes import Note, Place
from landrules.facts.records import Entry as FactEntry
from landrules.facts.records import Record, Value

__all__ = ["check_entry", "event_entry", "records_of", "report_of"]

_INPUT_HASH = (ANY, "input_hash")
_GATE = ("action_date", "city", "district")
# What stays readable of a verdict whatever is masked; all else may quote a value.
_CLEAR = (
    "rule",
    "title",
    "clause",
    "modality",
    "strength",
    "level",
    "verdict",
    "stage",
    "reason",
    "missing",
    "missing_labels",
    "marks",
)
_EVENT_CLEAR = ("case", "subject", "type", "at", "unset")


def check_entry(
    rulebook: Rulebook,
    records: Sequence[Record],
    report: Report,
    *,
    at: datetime,
    who: str,
    key: str = "",
    id: str = "",  # noqa: A002 - it is the entry's id
) -> Entry:
    """The entry of a check: `records` as they went into `check`, and the report that came out.

    Where a place configuration or other holidays were used, give `records` as `prepare` (with `derive=False`) filled
    them: an entry is replayed from what it holds.
    """
    return Entry(
        kind=CHECK,
        at=at,
        who=who,
        input={"records": [_record(record) for record in records]},
        outcome=_outcome(rulebook, report),
        key=key,
        id=id,
        **_common(report),
    )


def event_entry(
    rulebook: Rulebook,
    event: Mapping[str, Tree],
    *,
    at: datetime,
    who: str,
    record: Record | None = None,
    report: Report | None = None,
    key: str = "",
    id: str = "",  # noqa: A002 - it is the entry's id
) -> Entry:
    """The entry of a case event, `{"case", "subject", "at", "set": {key: value}, "unset": [keys], …}`.

    `record` holds the case's facts after the event and `report` what was found then, so that it can be replayed. All
    that the event holds besides `case`, `subject`, `type`, `at` and `unset` can be masked under its name.
    """
    told: dict[str, Tree] = {}
    for name, value in event.items():
        if name == "set" and isinstance(value, Mapping):
            told[name] = {fact: Private(given, _names(rulebook, fact)) for fact, given in value.items()}
        else:
            told[name] = value if name in _EVENT_CLEAR else Private(value, (name,))
    return Entry(
        kind=CASE_EVENT,
        at=at,
        who=who,
        input={"event": told, "records": [] if record is None else [_record(record)]},
        outcome=None if report is None else _outcome(rulebook, report),
        case=str(event.get("case", "")),
        key=key,
        id=id,
        **({} if report is None else _common(report)),
    )


def _common(report: Report) -> dict[str, Any]:
    options = report.options
    return {
        "input_hash": report.input_hash,
        "engine": report.engine,
        "rulesets": {ruleset.id: ruleset.hash for ruleset in report.rulesets},
        "options": {
            "on": options.on.isoformat() if options.on else None,
            "as_of": options.as_of.isoformat() if options.as_of else None,
            "place": options.place,
            "derive": options.derive,
            "select": list(options.select),
            "ignore": list(options.ignore),
        },
        "verdicts": dict(summarise(report).verdicts),
    }


def _names(rulebook: Rulebook, fact: str) -> tuple[str, ...]:
    """A fact's name as given, and its key where that is another."""
    found = (subject.fact(fact) for subject in rulebook.vocabulary.subjects.values())
    return (fact, *sorted({known.key for known in found if known is not None}))


# --- reports --------------------------------------------------------------------------------------------------


def _outcome(rulebook: Rulebook, report: Report) -> Tree:
    tree = json.loads(render_json(report))
    tree["input"]["hash"] = Private(tree["input"]["hash"], _INPUT_HASH)
    for file in tree["input"]["files"]:
        file["hash"] = Private(file["hash"], _INPUT_HASH)
    tree["notes"] = [Private(note, (ANY,)) for note in tree["notes"]]
    for record in tree["records"]:
        # As pairs: objects are stored with sorted keys, and a report keeps the columns' order.
        record["carried"] = _carried(record["carried"])
        record["notes"] = [Private(note, (ANY,)) for note in record["notes"]]
        if "error" in record:
            record["error"] = Private(record["error"], (ANY,))
        record["verdicts"] = [_verdict(rulebook, verdict) for verdict in record["verdicts"]]
    return tree


def _verdict(rulebook: Rulebook, verdict: Mapping[str, Tree]) -> Tree:
    gates = {version.gate_fact for version in rulebook.rules.get(verdict["rule"], ()) if version.gate_fact}
    names = {*_GATE, *gates, *(value["key"] for value in verdict["values"])}
    if any(value["origin"] == "derived" for value in verdict["values"]):
        # Computed from other facts, which it may give away.
        names.add(ANY)
    if not verdict["values"] and verdict["reason"] is None:
        names.add(ANY)
    clear = {name: value for name, value in verdict.items() if name in _CLEAR}
    detail = {name: value for name, value in verdict.items() if name not in _CLEAR}
    return {**clear, "detail": Private(detail, tuple(sorted(names)))}


def _carried(carried: Mapping[str, str]) -> list[Tree]:
    return [[name, Private(text, (name,))] for name, text in carried.items()]


def report_of(stored: Stored) -> Report:
    """The report of an entry.

    Raises:
        EntryError: when it has none, or some of it is masked.
    """
    outcome = stored.entry.outcome
    if not isinstance(outcome, dict) or "records" not in outcome:
        raise EntryError(f"台账第 {stored.seq} 条没有预检意见")
    if masked := count_masked(outcome):
        raise EntryError(f"台账第 {stored.seq} 条的预检意见有 {masked} 个值已遮蔽，无法还原")
    records = [
        {
            **record,
            "carried": dict(record["carried"]),
            "verdicts": [_merged(verdict) for verdict in record["verdicts"]],
        }
        for record in outcome["records"]
    ]
    return report_from_json(json.dumps({**outcome, "records": records}))


def _merged(verdict: Mapping[str, Tree]) -> Tree:
    return {name: value for name, value in (verdict | verdict["detail"]).items() if name != "detail"}


# --- records --------------------------------------------------------------------------------------------------


def _record(record: Record) -> Tree:
    return {
        "id": record.id,
        "subject": record.subject,
        "facts": {key: Private(_fact(entry), (key,)) for key, entry in record.entries.items()},
        "carried": _carried(record.carried),
        "place": asdict(record.place),
        "notes": [Private(asdict(note), (ANY,)) for note in record.notes],
    }


def _fact(entry: FactEntry) -> Tree:
    return {
        "value": _value(entry.value),
        "state": entry.state,
        "text": entry.text,
        "half_step": None if entry.half_step is None else str(entry.half_step),
        "origin": entry.origin,
        "basis": entry.basis,
    }


def _value(value: Value | None) -> Tree:
    match value:
        case None | bool() | str():
            return value
        case Fraction():
            return {"number": str(value)}
        case date():
            return {"date": value.isoformat()}
        case frozenset():
            return {"set": sorted(value)}


def records_of(stored: Stored) -> list[Record]:
    """The records that an entry was judged from.

    Raises:
        EntryError: when it has none, or some of them are masked.
    """
    content = stored.entry.input
    if not isinstance(content, dict) or not content.get("records"):
        raise EntryError(f"台账第 {stored.seq} 条没有存送审数据，不能重算")
    if masked := count_masked(content["records"]):
        raise EntryError(f"台账第 {stored.seq} 条的送审数据有 {masked} 个值已遮蔽，不能重算")
    try:
        return [_record_of(record) for record in content["records"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EntryError(f"台账第 {stored.seq} 条的送审数据读不出来") from error


def _record_of(content: Mapping[str, Any]) -> Record:
    return Record(
        id=content["id"],
        subject=content["subject"],
        entries={key: _fact_of(fact) for key, fact in content["facts"].items()},
        carried=dict(content["carried"]),
        place=Place(**content["place"]),
        notes=tuple(
            Note(note["severity"], note["code"], note["message"], Place(**note["place"]))
            for note in content["notes"]
        ),
    )


def _fact_of(content: Mapping[str, Any]) -> FactEntry:
    step = content["half_step"]
    return FactEntry(
        value=_value_of(content["value"]),
        state=content["state"],
        text=content["text"],
        half_step=None if step is None else Fraction(step),
        origin=content["origin"],
        basis=content["basis"],
    )


def _value_of(content: Tree) -> Value | None:
    match content:
        case None | bool() | str():
            return content
        case {"number": str(text)}:
            return Fraction(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case {"set": list(members)}:
            return frozenset(members)
        case _:
            raise ValueError(f"unknown value {content!r}")
