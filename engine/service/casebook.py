"""Cases over HTTP: each is the events that the ledger holds of it; what is kept here only saves reading them again."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from landrules.engine.api import check
from landrules.engine.case.deadlines import DueItem, deadlines
from landrules.engine.case.events import records_of
from landrules.engine.case.matchers import Matcher
from landrules.engine.case.model import Case, Event, EventKind, open_case, replay_events
from landrules.engine.case.session import Answer, Desk
from landrules.engine.checking import prepare
from landrules.engine.findings.model import Report
from landrules.engine.language import tree as t
from landrules.engine.ledger.entry import CASE_EVENT, Stored
from landrules.engine.ledger.records import event_entry
from landrules.engine.ledger.sealing import Masked
from landrules.engine.ledger.store import Query, append, find
from landrules.engine.service.herald import Herald
from landrules.engine.service.office import Office
from landrules.engine.service.problems import Problem
from landrules.engine.service.work import Deadline
from landrules.facts.notes import Note
from landrules.facts.quantities import squash
from landrules.facts.read_headings import Names, names_of
from landrules.facts.values import as_text

__all__ = ["Asked", "CaseBook", "Filed", "Told"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An event as a request states it. `at` None is `now`; `kind` None is read from what it does."""

    at: datetime | None
    kind: EventKind | None
    set: Mapping[str, object]
    unset: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Filed:
    """A case and the ledger's numbers of its events."""

    case: Case
    entries: tuple[int, ...]
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What an event came to, and its number in the ledger."""

    filed: Filed
    answer: Answer
    entry: int


class CaseBook:
    """All cases of a ledger. Thread-safe; one event at a time, in the order of the ledger.

    Several processes may share a ledger: what others have recorded is read before every answer.
    """

    def __init__(self, office: Office, desk: Desk, herald: Herald | None = None) -> None:
        self._office, self._desk, self._herald = office, desk, herald
        self._lock = threading.Lock()
        self._filed: dict[str, Filed] = {}
        self._names: dict[str, Names] = {}
        self._seq = 0
        self._columns = {
            key: {
                column
                for tree in derivations.values()
                for node in t.walk(tree)
                if isinstance(node, t.Aggregate)
                for column in node.by
            }
            for key, derivations in office.rulebook.derivations.items()
        }

    @property
    def matcher(self) -> Matcher:
        """The matcher that answers, to be closed with the service."""
        return self._desk.matcher

    def tell_missed(self) -> int:
        """Tell the events that were recorded and, since a program died, not told; how many.

        Raises:
            StoreError: when the queue cannot be read.
            LedgerError: when the ledger cannot be read.
        """
        if self._herald is None:
            return 0
        missed = 0
        with self._lock:
            self._read_on()
            for _, filed in sorted(self._filed.items()):
                for number in self._herald.untold(filed.case):
                    self._herald.tell(filed.case, self._answer_again(filed.case, number - 1))
                    missed += 1
        return missed

    def find(self, name: str) -> Filed:
        """The case of that id.

        Raises:
            Problem: when there is none.
        """
        with self._lock:
            self._read_on()
            return self._find(name)

    def names(self, after: str, limit: int) -> list[Filed]:
        """Cases in the order of their ids."""
        with self._lock:
            self._read_on()
            chosen = sorted(name for name in self._filed if name > after)[:limit]
            return [self._filed[name] for name in chosen]

    def open(
        self, name: str, subject: str, asked: Asked, now: datetime, deadline: Deadline, *, who: str, key: str
    ) -> Told:
        """Open a case with its first event; an empty name is for us to choose.

        Raises:
            Problem: when there is such a case already, or the key stands for another request.
            LedgerError: when it cannot be recorded.
        """
        with self._lock:
            self._read_on()
            if key and (told := self._told_before(key, name, subject, asked)):
                return told
            name = name or uuid.uuid4().hex
            if name in self._filed:
                raise Problem("case-exists", f"已有案件“{name}”；请换一个编号，或向它提交事件")
            return self._record(open_case(name, subject), (), asked, now, deadline, who=who, key=key)

    def submit(
        self, name: str, asked: Asked, now: datetime, deadline: Deadline, *, who: str, key: str
    ) -> Told:
        """Submit an event to a case. Raises as `open`, and `Problem` when there is no such case."""
        with self._lock:
            self._read_on()
            if key and (told := self._told_before(key, name, "", asked)):
                return told
            filed = self._find(name)
            return self._record(filed.case, filed.entries, asked, now, deadline, who=who, key=key)

    def due(self, on: date) -> tuple[DueItem, ...]:
        """The deadlines of all cases on a day."""
        with self._lock:
            self._read_on()
            cases = [filed.case for _, filed in sorted(self._filed.items())]
        desk = self._desk
        records = desk.prepared([desk.record(case) for case in cases])
        return deadlines(
            cases, records, on, rulebook=desk.rulebook, options=desk.options, workdays=desk.workdays
        )

    def report(self, name: str) -> Report:
        """The report on a case as it stands, exactly what `check` gives on its facts."""
        with self._lock:
            self._read_on()
            case = self._find(name).case
            beside = self._beside(case)
        return self._report(case, beside)

    # --- under the lock ---------------------------------------------------------------------------------------

    def _find(self, name: str) -> Filed:
        filed = self._filed.get(name)
        if filed is None:
            raise Problem("case-unknown", f"没有案件“{name}”；请核对编号，或先以 POST /v1/cases 受理")
        return filed

    def _read_on(self) -> None:
        for stored in find(self._office.ledger(), Query(kind=CASE_EVENT), after=self._seq):
            self._seq = stored.seq
            self._file(stored)

    def _file(self, stored: Stored) -> None:
        told = _event_of(stored)
        name, subject = str(told.get("case", "")), str(told.get("subject", ""))
        filed = self._filed.get(name)
        found = self._office.rulebook.vocabulary.subject(subject) if filed is None else None
        if filed is None and found is None:
            return  # of a subject that these rulesets do not know: not ours to show
        case = filed.case if filed is not None else open_case(name, found.key if found else "")
        event, masked = _event(told)
        after = replay_events(case, (event,), self._names_of(case.subject))
        if masked:
            message = f"台账第 {stored.seq} 条有 {masked} 个值已遮蔽，按未填处理"
            after = replace(after, notes=(*after.notes, Note("warning", "case-masked", message)))
        self._filed[name] = Filed(after, (*(filed.entries if filed else ()), stored.seq))

    def _names_of(self, subject: str) -> Names:
        found = self._names.get(subject)
        if found is None:
            vocabulary = self._office.rulebook.vocabulary
            found = self._names[subject] = names_of(vocabulary, vocabulary.subjects[subject])
        return found

    def _record(
        self,
        case: Case,
        entries: tuple[int, ...],
        asked: Asked,
        now: datetime,
        deadline: Deadline,
        *,
        who: str,
        key: str,
    ) -> Told:
        event = Event(asked.at or now, asked.kind, asked.set, asked.unset, asked.by)
        beside = self._beside(replay_events(case, (event,), self._names_of(case.subject)))
        last = self._filed.get(case.id)
        before = last.answer.outcomes if last is not None and last.answer is not None else None
        rows = [self._desk.record(other) for other in beside]
        after, answer = self._desk.submit(case, event, beside=rows, before=before)
        report = self._report(after, beside)
        options = replace(self._desk.options, derive=self._desk.options.derive and bool(beside))
        record = prepare(
            self._office.rulebook,
            records_of((after, *beside), self._office.rulebook.vocabulary),
            options,
            self._desk.configuration,
            self._desk.workdays,
        )[0]
        told = {
            "case": case.id,
            "subject": case.subject,
            "type": answer.event,
            "at": event.at.isoformat(),
            "set": dict(asked.set),
            "unset": list(asked.unset),
            "by": asked.by,
        }
        entry = event_entry(
            self._office.rulebook, told, at=now, who=who, record=record, report=report, key=key
        )
        deadline()
        stored = append(self._office.ledger(), entry)
        filed = Filed(after, (*entries, stored.seq), answer)
        if stored.seq == self._seq + 1:
            self._seq = stored.seq
            self._filed[case.id] = filed
        if self._herald is not None:
            self._herald.tell(after, answer)
        return Told(filed, answer, stored.seq)

    def _beside(self, case: Case) -> tuple[Case, ...]:
        """The cases whose rows derivations may read: those of the same project, in the order of their ids."""
        if not self._desk.options.derive:
            return ()
        columns = self._columns.get(case.subject, set())
        mine = {column: text for column in columns if (text := self._column(case, column))}
        return tuple(
            filed.case
            for name, filed in sorted(self._filed.items())
            if name != case.id
            and filed.case.subject == case.subject
            and any(self._column(filed.case, column) == text for column, text in mine.items())
        )

    def _column(self, case: Case, column: str) -> str:
        fact = self._office.rulebook.vocabulary.subjects[case.subject].fact(column)
        stated = case.facts.get(fact.key if fact else f"列 {column}")
        return squash(as_text(stated.value)) if stated is not None else ""

    def _report(self, case: Case, beside: Sequence[Case]) -> Report:
        desk = self._desk
        records = records_of((case, *beside), desk.rulebook.vocabulary)
        report = check(
            desk.rulebook,
            records,
            desk.options,
            configuration=desk.configuration,
            workdays=desk.workdays,
            notes=self._office.notes,
        )
        return replace(report, records=report.records[:1])

    def _told_before(self, key: str, name: str, subject: str, asked: Asked) -> Told | None:
        """The answer to the request that used this key first, worked out again; None for a new key."""
        stored = next(find(self._office.ledger(), Query(key=key), limit=1), None)
        if stored is None:
            return None
        told = _event_of(stored) if stored.entry.kind == CASE_EVENT else {}
        filed = self._filed.get(str(told.get("case")))
        if filed is None or not _same(told, name, subject, asked):
            raise Problem("key-reused", "这个幂等键已用于另一项请求，没有受理；新的请求请换一个键")
        return Told(filed, self._answer_again(filed.case, filed.entries.index(stored.seq)), stored.seq)

    def _answer_again(self, case: Case, number: int) -> Answer:
        """What the event at that place of the log (from 0) came to, worked out again."""
        names = self._names_of(case.subject)
        then = replay_events(open_case(case.id, case.subject), case.log[:number], names)
        rows = [self._desk.record(other) for other in self._beside(case)]
        _, answer = self._desk.submit(then, case.log[number], beside=rows)
        return answer


def _event_of(stored: Stored) -> dict[str, Any]:
    content = stored.entry.input
    event = content.get("event") if isinstance(content, dict) else None
    return event if isinstance(event, dict) else {}


def _event(told: Mapping[str, Any]) -> tuple[Event, int]:
    """The event as recorded, without what was masked since, and how much that was."""
    given = told.get("set") or {}
    kept = {name: value for name, value in given.items() if not isinstance(value, Masked)}
    by = told.get("by", "")
    event = Event(
        datetime.fromisoformat(told["at"]),
        told.get("type"),
        kept,
        tuple(told.get("unset") or ()),
        "" if isinstance(by, Masked) else str(by),
    )
    return event, len(given) - len(kept) + isinstance(by, Masked)


def _same(told: Mapping[str, Any], name: str, subject: str, asked: Asked) -> bool:
    """Whether a recorded event is what is asked for now; what was masked since counts as equal."""
    set_ = told.get("set") or {}
    return (
        (not name or told.get("case") == name)
        and (not subject or told.get("subject") == subject)
        and (asked.kind is None or told.get("type") == asked.kind)
        and (asked.at is None or told.get("at") == asked.at.isoformat())
        and set_.keys() == asked.set.keys()
        and all(isinstance(value, Masked) or value == asked.set[fact] for fact, value in set_.items())
        and tuple(told.get("unset") or ()) == asked.unset
        and (isinstance(told.get("by"), Masked) or told.get("by", "") == asked.by)
    )
