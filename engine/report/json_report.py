"""The contract `landrules/report/1`: a report as JSON text and back, losslessly and byte for byte.

Quantities are text, never JSON numbers; counts and row numbers are integers. One verdict stands on one line, so that
reports can be compared line by line. What is empty for most verdicts (remedies, notes, …) is left out where it is empty.
The schema is `schemas/report-1.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from datetime import date
from importlib.resources import files
from typing import Any

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import (
    CheckOptions,
    Finding,
    InputFile,
    Limit,
    Margin,
    RecordFindings,
    Remedy,
    Report,
    RulesetUsed,
    Settings,
    ValueRead,
)
from landrules.engine.report.summary import Summary, summarise
from landrules.facts.notes import Note, Place

__all__ = ["SCHEMA", "json_chunks", "render_json", "report_from_json", "report_schema"]

SCHEMA = "landrules/report/1"
_encode = json.JSONEncoder(ensure_ascii=False).encode


def report_schema() -> dict[str, Any]:
    """The JSON Schema of the contract."""
    path = files("landrules.engine.report") / "schemas" / "report-1.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def render_json(report: Report) -> str:
    """The report as JSON text, the same for the same report, ending in a line feed."""
    return "".join(json_chunks(report))


def json_chunks(report: Report) -> Iterator[str]:
    """The text of `render_json` piece by piece, one record a piece."""
    options = report.options
    settings = _settings(report.settings)
    head = {
        "schema": SCHEMA,
        "engine": report.engine,
        **({"engine_data": dict(sorted(report.engine_data.items()))} if report.engine_data else {}),
        "on": _day(options.on),
        "rulesets": [_ruleset(ruleset) for ruleset in report.rulesets],
        "input": {
            "hash": report.input_hash,
            "files": [asdict(item) for item in report.inputs],
            "options": {
                "on": _day(options.on),
                "as_of": _day(options.as_of),
                "place": options.place,
                "derive": options.derive,
                "select": list(options.select),
                "ignore": list(options.ignore),
            },
            **({"settings": settings} if settings else {}),
        },
        "summary": _summary(summarise(report)),
    }
    yield "{\n" + "".join(f"{_encode(key)}: {_encode(value)},\n" for key, value in head.items())
    # Findings that are one object (不适用 everywhere for one reason, say) are written once. The report keeps them
    # alive, so an id stands for one finding.
    written: dict[int, str] = {}
    yield '"records": ['
    before = "\n"
    for record in report.records:
        yield before + _record(record, written)
        before = ",\n"
    yield "\n],\n" if report.records else "],\n"
    yield '"notes": ' + _encode([_note(note) for note in report.notes]) + "\n}\n"


def report_from_json(text: str) -> Report:
    """Read back what `render_json` wrote. The summary is not read: it follows from the verdicts.

    Raises:
        ValueError: when the text is not JSON or not a report of this schema; the message is Chinese.
    """
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise ValueError(f"不是 {SCHEMA} 格式的报告")
        return _report_of(content)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"报告不完整或被改动过：{type(error).__name__} {error}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"不是有效的 JSON：第 {error.lineno} 行第 {error.colno} 列") from error


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _ruleset(ruleset: RulesetUsed) -> dict[str, str]:
    return {key: value for key, value in asdict(ruleset).items() if value or key != "source"}


def _settings(settings: Settings) -> dict[str, Any]:
    return {key: value for key, value in asdict(settings).items() if value}


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "records": summary.records,
        "statuses": dict(summary.statuses),
        "verdicts": dict(summary.verdicts),
        "open": {"requirement": summary.requirement, "applicability": summary.applicability},
        "violations": dict(summary.violations),
        "not_applicable": dict(summary.reasons),
        "marks": dict(summary.marks),
        "records_violated": summary.records_violated,
        "rules": summary.rules,
        "rules_violated": [asdict(entry) for entry in summary.rules_violated],
        "questions": [asdict(question) for question in summary.questions],
        "open_rules": [asdict(entry) for entry in summary.open_rules],
        "notes": dict(summary.notes),
    }


def _record(record: RecordFindings, written: dict[int, str]) -> str:
    head: dict[str, object] = {
        "id": record.id,
        "subject": record.subject,
        "subject_label": record.subject_label,
        "source": {"file": record.place.file, "sheet": record.place.sheet, "row": record.place.row},
        "carried": dict(record.carried),
        "notes": [_note(note) for note in record.notes],
    }
    if record.error:
        head["error"] = record.error
    lines = []
    for finding in record.findings:
        line = written.get(id(finding))
        if line is None:
            line = written[id(finding)] = _encode(_verdict(finding))
        lines.append(line)
    verdicts = "[\n" + ",\n".join(lines) + "\n]" if lines else "[]"
    return _encode(head)[:-1] + ', "verdicts": ' + verdicts + "}"


def _verdict(finding: Finding) -> dict[str, object]:
    limit, margin = finding.limit, finding.margin
    result: dict[str, object] = {
        "rule": finding.rule,
        "title": finding.title,
        "clause": finding.clause,
        "modality": finding.modality,
        "strength": finding.strength,
        "level": finding.level,
        "verdict": str(finding.verdict),
        "stage": finding.stage,
        "reason": finding.reason,
        "values": [_value(value) for value in finding.values],
        "limit": limit and {"text": limit.text, "value": limit.value, "unit": limit.unit, "name": limit.name},
        "margin": margin and {"value": margin.value, "unit": margin.unit, "text": margin.text},
        "missing": finding.missing,
        "marks": finding.marks,
        "message": finding.message,
    }
    if finding.missing_labels:
        result["missing_labels"] = finding.missing_labels
    if finding.presumptions:
        result["presumptions"] = finding.presumptions
    if finding.remedies:
        result["remedies"] = [{"key": remedy.key, "text": remedy.text} for remedy in finding.remedies]
    if finding.derived:
        result["derived"] = finding.derived
    if finding.notes:
        result["notes"] = finding.notes
    if finding.clause_text:
        result["clause_text"] = finding.clause_text
    return result


def _value(value: ValueRead) -> dict[str, str]:
    result = {
        "key": value.key,
        "label": value.label,
        "text": value.text,
        "written": value.written,
        "state": value.state,
        "origin": value.origin,
    }
    if value.basis:
        result["basis"] = value.basis
    return result


def _note(note: Note) -> dict[str, object]:
    place = {spec.name: getattr(note.place, spec.name) for spec in fields(Place)}
    return {"severity": note.severity, "code": note.code, "message": note.message, "place": place}


def _report_of(content: Mapping[str, Any]) -> Report:
    asked = content["input"]["options"]
    return Report(
        engine=content["engine"],
        rulesets=tuple(RulesetUsed(**ruleset) for ruleset in content["rulesets"]),
        options=CheckOptions(
            on=_day_of(asked["on"]),
            as_of=_day_of(asked["as_of"]),
            place=asked["place"],
            derive=asked["derive"],
            select=tuple(asked["select"]),
            ignore=tuple(asked["ignore"]),
        ),
        inputs=tuple(InputFile(**item) for item in content["input"]["files"]),
        input_hash=content["input"]["hash"],
        records=tuple(_record_of(record) for record in content["records"]),
        notes=tuple(_note_of(note) for note in content["notes"]),
        engine_data=content.get("engine_data", {}),
        settings=_settings_of(content["input"].get("settings", {})),
    )


def _settings_of(content: Mapping[str, Any]) -> Settings:
    files = {key: InputFile(**content[key]) for key in ("configuration", "holidays") if key in content}
    return Settings(subject=content.get("subject", ""), **files)


def _day_of(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _record_of(content: Mapping[str, Any]) -> RecordFindings:
    return RecordFindings(
        id=content["id"],
        subject=content["subject"],
        subject_label=content["subject_label"],
        place=Place(**content["source"]),
        carried=content["carried"],
        findings=tuple(_finding_of(verdict) for verdict in content["verdicts"]),
        notes=tuple(_note_of(note) for note in content["notes"]),
        error=content.get("error", ""),
    )


def _finding_of(content: Mapping[str, Any]) -> Finding:
    return Finding(
        rule=content["rule"],
        document=content["rule"].rpartition("/")[0],
        title=content["title"],
        clause=content["clause"],
        verdict=Verdict(content["verdict"]),
        stage=content["stage"],
        modality=content["modality"],
        strength=content["strength"],
        level=content["level"],
        message=content["message"],
        reason=content["reason"],
        values=tuple(ValueRead(**value) for value in content["values"]),
        limit=None if content["limit"] is None else Limit(**content["limit"]),
        margin=None if content["margin"] is None else Margin(**content["margin"]),
        missing=tuple(content["missing"]),
        missing_labels=tuple(content.get("missing_labels", ())),
        marks=tuple(content["marks"]),
        presumptions=tuple(content.get("presumptions", ())),
        remedies=tuple(Remedy(**remedy) for remedy in content.get("remedies", ())),
        derived=content.get("derived", ""),
        notes=tuple(content.get("notes", ())),
        clause_text=content.get("clause_text", ""),
    )


def _note_of(content: Mapping[str, Any]) -> Note:
    return Note(content["severity"], content["code"], content["message"], Place(**content["place"]))
