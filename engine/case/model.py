"""A case: what it is about, what is known of it, and the events that made it so. Immutable; an event gives a new case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, get_args

from landrules.facts.notes import Note, Place
from landrules.facts.read_headings import Names, resolve, squash

__all__ = [
    "EVENT_LABELS",
    "EVENT_NAMES",
    "Case",
    "Event",
    "EventKind",
    "Span",
    "Stated",
    "apply_event",
    "open_case",
    "replay_events",
]

EventKind = Literal[
    "opened",
    "supplied",
    "corrected",
    "withdrawn",
    "heard",
    "priced",
    "published",
    "received",
    "suspended",
    "resumed",
    "closed",
]

EVENT_LABELS: Mapping[EventKind, str] = {
    "opened": "受理",
    "supplied": "补充资料",
    "corrected": "更正",
    "withdrawn": "撤回资料",
    "heard": "听证",
    "priced": "定价",
    "published": "公示",
    "received": "签收",
    "suspended": "停表",
    "resumed": "恢复计时",
    "closed": "办结",
}

EVENT_NAMES: Mapping[str, EventKind] = {
    **{kind: kind for kind in get_args(EventKind)},
    **{label: kind for kind, label in EVENT_LABELS.items()},
    "applied": "opened",
}
"""How events may be written: in English, in Chinese, and `applied` for 受理."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a case; any event may set and unset facts.

    `set` maps names (key, label, alias, with a unit if need be) to values as a record file holds them. `kind` None
    is read from what the event does.
    """

    at: datetime
    kind: EventKind | None = None
    set: Mapping[str, object] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    by: str = ""
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact as stated last: under which name, and the value as written."""

    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Span:
    """The clock stands still from `start` until `end`; None while it still does."""

    start: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands. `facts` maps each fact to what was stated of it last; `log` are the events in their order.

    `notes` tell what of the events could not be taken as written.
    """

    id: str
    subject: str
    facts: Mapping[str, Stated] = field(default_factory=dict)
    log: tuple[Event, ...] = ()
    stops: tuple[Span, ...] = ()
    closed: bool = False
    notes: tuple[Note, ...] = ()

    @property
    def suspended(self) -> bool:
        """Whether the clock stands still."""
        return bool(self.stops) and self.stops[-1].end is None

    def content(self) -> dict[str, object]:
        """The case as an input record (DESIGN §10)."""
        facts = {stated.name: stated.value for stated in self.facts.values()}
        return {"subject": self.subject, "id": self.id, "facts": facts}


def open_case(case: str, subject: str) -> Case:
    """A case of which nothing is known yet; `subject` is a subject key."""
    return Case(case, subject)


def apply_event(case: Case, event: Event, names: Names) -> Case:
    """The case after one more event; `names` are those of its subject (`landrules.facts.read_headings.names_of`)."""
    return replay_events(case, (event,), names)


def replay_events(case: Case, events: Iterable[Event], names: Names) -> Case:
    """The case after these events, in their order."""
    facts, log, stops, notes = dict(case.facts), list(case.log), list(case.stops), list(case.notes)
    closed = case.closed
    for event in events:
        kind = event.kind or _kind(event, facts, names, first=not log)
        if closed:
            message = f"案件“{case.id}”已办结，其后仍有“{EVENT_LABELS[kind]}”；已照记，请核对"
            notes.append(Note("warning", "case-closed", message, event.place))
        for name in event.unset:
            if facts.pop(_slot(name, names), None) is None:
                message = f"“{name}”没有填过，不用撤回；请核对名称"
                notes.append(Note("info", "case-unset", message, event.place))
        for name, value in event.set.items():
            # A fact stated again under another name replaces what was stated before.
            facts[_slot(name, names)] = Stated(name, value)
        closed = closed or kind == "closed"
        if problem := _clock(kind, event.at.date(), stops):
            notes.append(Note("warning", "case-clock", f"案件“{case.id}”{problem}", event.place))
        log.append(Event(event.at, kind, event.set, event.unset, event.by, event.place))
    return Case(case.id, case.subject, facts, tuple(log), tuple(stops), closed, tuple(notes))


def _kind(event: Event, facts: Mapping[str, Stated], names: Names, *, first: bool) -> EventKind:
    if first:
        return "opened"
    if event.unset and not event.set:
        return "withdrawn"
    known = any(_slot(name, names) in facts for name in event.set)
    return "corrected" if known else "supplied"


def _slot(name: str, names: Names) -> str:
    """What a name states: the key of a fact, or the column that it identifies."""
    fact, _, carry = resolve(name, names)
    return fact.key if fact else f"列 {carry or squash(name)}"


def _clock(kind: EventKind, day: date, stops: list[Span]) -> str:
    """Stop or start the clock; what is wrong with it, or nothing."""
    running = not stops or stops[-1].end is not None
    if kind == "suspended":
        if not running:
            return "已经停表，再次停表不起作用"
        stops.append(Span(day))
    elif kind in ("resumed", "closed") and not running:
        if day < stops[-1].start:
            return f"恢复计时的日子（{day}）早于停表（{stops[-1].start}），没有计入"
        stops[-1] = Span(stops[-1].start, day)
    elif kind == "resumed":
        return "没有停表，不用恢复计时"
    return ""
