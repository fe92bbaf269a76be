"""The whole way from records to a report: select rules, evaluate, explain. Pure: no clock, no files, no network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from importlib.metadata import version

from landrules.engine.conflicts import Conflict, conflicts_of, side_by_side
from landrules.engine.evaluate.algebra import Stage, Verdict, stage_of
from landrules.engine.evaluate.derive import RelatedRows, derived_entries, known_values
from landrules.engine.evaluate.judge import Judgement, Parts, judge, unsettled
from landrules.engine.evaluate.reference import Situation
from landrules.engine.evaluate.relevance import Witnesses, relevant_facts, simplified
from landrules.engine.evaluate.situations import day_of, parameters_on, tables_on
from landrules.engine.findings.finding import RuleInUse, failed, judged, not_applicable, rule_in_use
from landrules.engine.findings.model import (
    CheckOptions,
    Finding,
    InputFile,
    RecordFindings,
    Report,
    RulesetUsed,
)
from landrules.engine.language import tree as t
from landrules.engine.rulebook import Rulebook, canonical_place, cities_within, place_of, unknown_place
from landrules.engine.rulebook.configuration import Configuration, configured_entry
from landrules.engine.rulebook.model import Document, Rule
from landrules.engine.rulebook.select import Gate, gate
from landrules.facts.calendar import Workdays, load_workdays
from landrules.facts.fingerprints import calendar_release
from landrules.facts.notes import Note
from landrules.facts.quantities import squash
from landrules.facts.records import Entry, Record, Value
from landrules.facts.vocabulary import Subject

__all__ = ["Progress", "check", "prepare", "selected_rules"]

Progress = Callable[[int, int], None]
"""Called with (done, total); what it raises stops the check."""


_GateKey = tuple[str, Entry | None, Entry | None, Entry | None]
"""A rule, and the entries that its gate reads: 行政区, 地级市 and the date that chooses the law."""


@dataclass(slots=True)
class _Memo:
    """What repeats between the records of one check.

    `used` and `witnesses` are about rules only and live as long as the rulebook; the rest is gone with the check.
    """

    used: dict[tuple[str, int], RuleInUse] = field(default_factory=dict)
    parameters: dict[tuple[str, int, date | None], Mapping[str, Value | None]] = field(default_factory=dict)
    tables: dict[tuple[str, int, date | None], Mapping[str, Mapping[str, Value | None]]] = field(
        default_factory=dict
    )
    missing: dict[tuple[str, int, Parts, date | None], tuple[str, ...]] = field(default_factory=dict)
    witnesses: dict[tuple[str, int], Witnesses] = field(default_factory=dict)
    gates: dict[_GateKey, Gate] = field(default_factory=dict)
    findings: dict[tuple[_GateKey, date | None, tuple[Entry | None, ...]], Finding] = field(
        default_factory=dict
    )
    conflicts: Mapping[str, tuple[Conflict, ...]] = field(default_factory=dict)
    beside: dict[tuple[int, tuple[str, ...]], Finding] = field(default_factory=dict)


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
    """Evaluate every rule of each record's fact type and gather the findings.

    Records keep their order; findings stand in the order of rule ids. `configuration` supplies parameter facts of a
    place; `workdays` defaults to the shipped calendar. `progress` is called with (done, total). A rule that cannot be
    executed gives a finding 执行错误 and never stops the others.
    """
    options = options or CheckOptions()
    workdays = workdays or load_workdays(None)
    prepared = prepare(rulebook, records, options, configuration, workdays)
    lasting = rulebook.worked_out
    memo = _Memo(
        used=lasting.setdefault("used", {}),
        witnesses=lasting.setdefault("witnesses", {}),
        conflicts=lasting.get("conflicts") or lasting.setdefault("conflicts", conflicts_of(rulebook)),
    )
    results = []
    for number, record in enumerate(prepared):
        results.append(_check_record(rulebook, record, options, workdays, memo))
        if progress is not None:
            progress(number + 1, len(prepared))
    digest = hashlib.sha256("\n".join(f"{item.hash} {item.name}" for item in inputs).encode()).hexdigest()
    return Report(
        engine=f"landrules {_version()}",
        rulesets=tuple(_ruleset_used(document) for _, document in sorted(rulebook.documents.items())),
        options=options,
        inputs=tuple(inputs),
        input_hash=inputs[0].hash if len(inputs) == 1 else digest,
        records=tuple(results),
        notes=tuple(notes),
        engine_data={**rulebook.data_hashes, "calendar": calendar_release()},
    )


def prepare(
    rulebook: Rulebook,
    records: Sequence[Record],
    options: CheckOptions,
    configuration: Configuration | None,
    workdays: Workdays,
) -> list[Record]:
    """Records with what the options, the place configuration and the declared derivations add."""
    places: dict[str, tuple[str, str]] = {}
    filled = [_with_place(_with_options(record, options), rulebook, places) for record in records]
    if configuration is not None:
        filled = [_with_configuration(record, rulebook, configuration) for record in filled]
    if not options.derive:
        return filled
    result = list(filled)
    for key, derivations in rulebook.derivations.items():
        subject = rulebook.vocabulary.subjects[key]
        of_subject = [(number, record) for number, record in enumerate(filled) if record.subject == key]
        if not of_subject or not derivations:
            continue
        columns = [
            node.by for tree in derivations.values() for node in t.walk(tree) if isinstance(node, t.Aggregate)
        ]
        rows = RelatedRows.of([record for _, record in of_subject], columns, subject)
        for number, record in of_subject:
            derived = derived_entries(record, derivations, rows, subject, workdays)
            if derived:
                result[number] = replace(record, entries={**record.entries, **derived})
    return result


def selected_rules(rulebook: Rulebook, subject: str, options: CheckOptions) -> tuple[tuple[Rule, ...], ...]:
    """The rules of a subject (each as its versions) that the options select, in the order of their ids."""
    return tuple(
        versions
        for versions in rulebook.rules_for(subject)
        if (not options.select or _matches(versions[0].id, options.select))
        and not _matches(versions[0].id, options.ignore)
    )


def _matches(rule: str, patterns: Sequence[str]) -> bool:
    document = rule.split("/", 1)[0]
    return any(
        pattern in (rule, document, f"{document}/*") or ("/" not in pattern and rule.endswith(f"/{pattern}"))
        for pattern in patterns
    )


def _check_record(
    rulebook: Rulebook, record: Record, options: CheckOptions, workdays: Workdays, memo: _Memo
) -> RecordFindings:
    subject = rulebook.vocabulary.subjects[record.subject]
    values = known_values(record.entries)
    findings = []
    for versions in selected_rules(rulebook, record.subject, options):
        document = rulebook.documents[versions[0].document]
        try:
            findings.append(_find(versions, document, record, values, subject, workdays, memo))
        except Exception as error:  # noqa: BLE001 - one broken rule must never abort a report (DESIGN §2)
            findings.append(failed(versions[0], f"{type(error).__name__}：{error}"))
    return RecordFindings(
        id=record.id,
        subject=record.subject,
        subject_label=subject.label,
        place=record.place,
        carried=record.carried,
        findings=side_by_side(findings, memo.conflicts, memo.beside),
        notes=record.notes,
    )


def _find(
    versions: tuple[Rule, ...],
    document: Document,
    record: Record,
    values: Mapping[str, Value],
    subject: Subject,
    workdays: Workdays,
    memo: _Memo,
) -> Finding:
    entries = record.entries
    gate_fact = versions[0].gate_fact
    gate_key = (
        versions[0].id,
        entries.get("district"),
        entries.get("city"),
        entries.get(gate_fact) if gate_fact else None,
    )
    passed = memo.gates.get(gate_key)
    if passed is None:
        passed = memo.gates[gate_key] = gate(versions, document, entries)
    if passed.open is False and passed.reason is not None:
        return not_applicable(passed.version, passed.reason, passed.message)
    day = passed.day or day_of(values)
    read = dict.fromkeys(
        key for number, rule in enumerate(versions) for key in _used(rule, number, memo).facts
    )
    key = (gate_key, day, (*(entries.get(name) for name in read), entries.get("deviation_justified")))
    known = memo.findings.get(key)
    if known is None:
        known = memo.findings[key] = _explain(
            passed, versions, entries, values, day, subject, workdays=workdays, memo=memo
        )
    return known


def _explain(
    passed: Gate,
    versions: tuple[Rule, ...],
    entries: Mapping[str, Entry],
    values: Mapping[str, Value],
    day: date | None,
    subject: Subject,
    *,
    workdays: Workdays,
    memo: _Memo,
) -> Finding:
    judged_versions = [
        _judge(number, versions, entries, values, day, workdays=workdays, memo=memo)
        for number in dict.fromkeys(
            (*map(versions.index, reversed(passed.candidates)), versions.index(passed.version))
        )
    ]
    # Where the day is unknown, any version may be the one: the last that may apply speaks for them.
    number, used, situation, judgement = next(
        (found for found in judged_versions if found[3].verdict is not Verdict.NOT_APPLICABLE),
        judged_versions[-1],
    )
    gate_open = passed.open is None
    verdict = judgement.verdict
    if gate_open and verdict is not Verdict.NOT_APPLICABLE:
        verdict = Verdict.OPEN
    stage: Stage | None = None
    missing: tuple[str, ...] = ()
    if verdict is Verdict.OPEN:
        stage = "applicability" if gate_open else stage_of(judgement.when, judgement.exclude)
        missing = (*passed.missing, *_missing(used, number, situation, subject, day, memo))
    return judged(
        used,
        judgement,
        situation,
        entries,
        subject,
        verdict=verdict,
        stage=stage,
        missing=tuple(dict.fromkeys(missing)),
        gate_message=passed.message if gate_open else "",
    )


def _judge(
    number: int,
    versions: tuple[Rule, ...],
    entries: Mapping[str, Entry],
    values: Mapping[str, Value],
    day: date | None,
    *,
    workdays: Workdays,
    memo: _Memo,
) -> tuple[int, RuleInUse, Situation, Judgement]:
    rule = versions[number]
    used = _used(rule, number, memo)
    parameters, tables = _parameters(rule, number, day, memo), _tables(rule, number, day, memo)
    suspended = unsettled(used.presuming, entries)
    situation = Situation(values, workdays, parameters, tables, suspended=suspended)
    return number, used, situation, judge(used.parts, situation)


def _used(rule: Rule, number: int, memo: _Memo) -> RuleInUse:
    key = (rule.id, number)
    used = memo.used.get(key)
    if used is None:
        used = memo.used[key] = rule_in_use(rule)
    return used


def _missing(
    used: RuleInUse, number: int, situation: Situation, subject: Subject, day: date | None, memo: _Memo
) -> tuple[str, ...]:
    parts = simplified(used.parts, situation)
    key = (used.rule.id, number, parts, day)
    found = memo.missing.get(key)
    if found is None:
        witnesses = memo.witnesses.setdefault((used.rule.id, number), {})
        found = memo.missing[key] = relevant_facts(parts, situation, subject, witnesses)
    return found


def _parameters(rule: Rule, number: int, day: date | None, memo: _Memo) -> Mapping[str, Value | None]:
    key = (rule.id, number, day)
    found = memo.parameters.get(key)
    if found is None:
        found = memo.parameters[key] = parameters_on(rule, day)
    return found


def _tables(
    rule: Rule, number: int, day: date | None, memo: _Memo
) -> Mapping[str, Mapping[str, Value | None]]:
    key = (rule.id, number, day)
    found = memo.tables.get(key)
    if found is None:
        found = memo.tables[key] = tables_on(rule, day)
    return found


def _with_options(record: Record, options: CheckOptions) -> Record:
    entries = dict(record.entries)
    if options.on is not None:
        written = entries.get("action_date")
        entries["action_date"] = Entry(
            options.on, text=written.text if written else "", origin="option", basis="按指定日期判断"
        )
    if options.as_of is not None and _blank(entries, "as_of_date"):
        entries["as_of_date"] = Entry(options.as_of, origin="option", basis="按指定评价基准日")
    if options.place and _blank(entries, "district") and _blank(entries, "city"):
        entries["district"] = Entry(options.place, origin="option", basis="按指定地点")
    return replace(record, entries=entries)


def _with_place(record: Record, rulebook: Rulebook, seen: dict[str, tuple[str, str]]) -> Record:
    """行政区 in today's spelling (旧名、代码、全称 → 县级行政区名); a place that no document names gets a note."""
    entry = record.entries.get("district")
    if entry is None or not isinstance(entry.value, str):
        return record
    if entry.value not in seen:
        name = canonical_place(rulebook, entry.value) or ""
        seen[entry.value] = (name, "" if name else unknown_place(rulebook, entry.value))
    name, problem = seen[entry.value]
    cities = cities_within(rulebook, entry.value) if problem else ()
    if cities or (problem and squash(entry.value) in _SOME_CITY):
        return _with_city_only(record, entry, cities)
    if problem:
        # A name close to a known one is a slip of the pen, and a record that no rule reaches must not pass for clean.
        slip = "是否指" in problem
        note = Note(
            "error" if slip else "warning", "unknown-place", problem, replace(record.place, column="行政区")
        )
        return replace(record, notes=(*record.notes, note))
    if name == entry.value:
        return record
    return replace(record, entries={**record.entries, "district": replace(entry, value=name)})


_SOME_CITY = {"市本级", "本级", "市直", "全市", "本市", "市辖区"}
"""Said of any city, and so of none that is known."""


def _with_city_only(record: Record, entry: Entry, cities: Sequence[str]) -> Record:
    """A 行政区 that tells the city and no district is unreadable: it must not count as a place elsewhere (CONVENTIONS §2)."""
    entries = {**record.entries, "district": Entry(None, "invalid", entry.text or str(entry.value))}
    told = "不知在哪个市"
    if len(cities) == 1:
        told = f"只看得出在{cities[0]}"
        if _blank(entries, "city"):
            entries["city"] = Entry(cities[0], text=entry.text, origin=entry.origin, basis=entry.basis)
    message = f"“{entry.value}”不是一个县级行政区的名称，{told}；请填县级行政区全称，功能区填所在的县、区，跨区的拆成多行"
    note = Note("error", "unknown-place", message, replace(record.place, column="行政区"))
    return replace(record, entries=entries, notes=(*record.notes, note))


def _blank(entries: Mapping[str, Entry], key: str) -> bool:
    return key not in entries or entries[key].value is None


def _with_configuration(record: Record, rulebook: Rulebook, configuration: Configuration) -> Record:
    subject = rulebook.vocabulary.subjects[record.subject]
    values = known_values(record.entries)
    district, city = (str(values.get(key, "")) for key in ("district", "city"))
    day = day_of(values)
    added = {}
    for key in subject.facts:
        if key in record.entries:
            continue
        entry = configured_entry(configuration, key, district, city or _city_of(rulebook, district), day)
        if entry is not None:
            added[key] = entry
    return replace(record, entries={**record.entries, **added}) if added else record


def _city_of(rulebook: Rulebook, district: str) -> str:
    """The city of a district that some document names, to find what is configured for the whole city."""
    if not district:
        return ""
    documents = (rulebook.documents[name] for name in sorted(rulebook.documents))
    return next((document.city for document in documents if place_of(document, district)), "")


@cache
def _version() -> str:
    return version("landrules")


def _ruleset_used(document: Document) -> RulesetUsed:
    start = document.period.start.isoformat() if document.period.start else ""
    end = document.period.end.isoformat() if document.period.end else ""
    return RulesetUsed(
        document.id,
        document.title,
        document.number,
        document.hash,
        f"{start} 至 {end or '今'}",
        document.presumed,
    )
