"""Declared derivations: fills a fact that a record leaves empty from the same record or from related rows (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from landrules.engine.evaluate.reference import ExecutionError, Situation, evaluate
from landrules.engine.language import tree as t
from landrules.facts.calendar import Workdays
from landrules.facts.notes import Place
from landrules.facts.records import Entry, Record, Value
from landrules.facts.vocabulary import Subject

__all__ = ["RelatedRows", "derived_entries", "known_values", "with_entries"]

_NO_NAME = ("", "略", "无", "不详", "未知", "/", "-", "—", "--", "——", "待定")
"""What stands in a column where there is no name: published tables mask names as （略）."""


@dataclass(frozen=True, slots=True)
class RelatedRows:
    """The records of one subject, indexed by the columns that derivations group by."""

    records: tuple[Record, ...]
    groups: Mapping[tuple[str, ...], Mapping[tuple[str, ...], tuple[Record, ...]]]

    @classmethod
    def of(
        cls, records: Sequence[Record], columns: Sequence[tuple[str, ...]], subject: Subject
    ) -> RelatedRows:
        """Index `records` (all of `subject`) by each combination of columns."""
        groups: dict[tuple[str, ...], dict[tuple[str, ...], list[Record]]] = {}
        for names in dict.fromkeys(columns):
            index: dict[tuple[str, ...], list[Record]] = {}
            for record in records:
                key = _group_key(record, names, subject)
                if key is not None:
                    index.setdefault(key, []).append(record)
            groups[names] = index
        frozen = {names: {key: tuple(rows) for key, rows in index.items()} for names, index in groups.items()}
        return cls(tuple(records), frozen)

    def beside(self, record: Record, names: tuple[str, ...], subject: Subject) -> tuple[Record, ...] | None:
        """The rows equal to `record` in these columns, itself among them; None where it has no value there."""
        key = _group_key(record, names, subject)
        if key is None:
            return None
        return self.groups.get(names, {}).get(key, ())


def known_values(entries: Mapping[str, Entry]) -> dict[str, Value]:
    """The known values of entries, by fact key."""
    return {key: entry.value for key, entry in entries.items() if entry.value is not None}


def derived_entries(
    record: Record,
    derivations: Mapping[str, t.Expression],
    rows: RelatedRows,
    subject: Subject,
    workdays: Workdays,
) -> dict[str, Entry]:
    """Entries for the facts that `record` leaves empty and a derivation can tell; each names the rows it came from.

    A fact that the record states in any way (未知, 无, unusable) is not derived: only a blank is. Where related rows
    are there and one of them lacks what is added up, the entry is unusable: no default may then speak for it.
    """
    result: dict[str, Entry] = {}
    for key, expression in derivations.items():
        if key in record.entries:
            continue

        def related(names: tuple[str, ...]) -> list[Situation] | None:
            beside = rows.beside(record, names, subject)
            if beside is None:
                return None
            return [Situation(known_values(row.entries), workdays) for row in beside]

        situation = Situation(known_values(record.entries), workdays, related=related)
        try:
            value = evaluate(expression, situation)
        except ExecutionError:
            continue
        if value is not None:
            result[key] = Entry(value, origin="derived", basis=_basis(record, expression, rows, subject))
        elif lacking := _lacking(record, expression, rows, subject, workdays):
            result[key] = Entry(None, "invalid", f"推导不出：{lacking}", origin="derived", basis=lacking)
    return result


def with_entries(record: Record, entries: Mapping[str, Entry]) -> Record:
    """The record with further entries."""
    return replace(record, entries={**record.entries, **entries})


def _group_key(record: Record, names: tuple[str, ...], subject: Subject) -> tuple[str, ...] | None:
    parts = []
    for name in names:
        fact = subject.fact(name)
        entry = record.entries.get(fact.key) if fact else None
        if fact is not None:
            part = "" if entry is None or entry.value is None else str(entry.value)
        else:
            part = record.carried.get(name, "").strip()
        if part.strip("（）()*＊ ") in _NO_NAME:
            return None
        parts.append(part)
    return tuple(parts)


def _basis(record: Record, expression: t.Expression, rows: RelatedRows, subject: Subject) -> str:
    names = next((node.by for node in t.walk(expression) if isinstance(node, t.Aggregate)), None)
    if names is None:
        return "按本行其他事实推导"
    beside = rows.beside(record, names, subject) or ()
    where = _where(beside)
    return f"按{'、'.join(names)}相同的 {len(beside)} 行推导（{where}）"


def _where(rows: Sequence[Record]) -> str:
    """`第 2、3 行`, with file and sheet where the rows are not all on one."""
    groups: dict[tuple[str | None, str | None], list[str]] = {}
    for row in rows:
        number = str(row.place.row) if row.place.row is not None else row.id
        groups.setdefault((row.place.file, row.place.sheet), []).append(number)
    if len(groups) == 1:
        return "".join(f"第 {'、'.join(numbers)} 行" for numbers in groups.values())
    return "，".join(
        f"{Place(file, sheet).describe()}第 {'、'.join(numbers)} 行"
        for (file, sheet), numbers in groups.items()
    )


def _lacking(
    record: Record, expression: t.Expression, rows: RelatedRows, subject: Subject, workdays: Workdays
) -> str:
    """Which other rows that a derivation adds up lack what it needs, empty where no other row is the cause."""
    for node in t.walk(expression):
        if not isinstance(node, t.Aggregate) or node.value is None:
            continue
        lacking = [
            row
            for row in rows.beside(record, node.by, subject) or ()
            if row.place != record.place or row.id != record.id
            if evaluate(node.value, Situation(known_values(row.entries), workdays)) is None
        ]
        if lacking:
            labels = "、".join(subject.facts[key].label for key in t.facts_of(node.value))
            return f"{'、'.join(node.by)}相同的{_where(lacking)}没有可用的{labels}"
    return ""
