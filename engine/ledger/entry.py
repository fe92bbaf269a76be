"""Entries: what is handed to the ledger, and what it hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from landrules.engine.ledger.canonical import Tree
from landrules.engine.ledger.errors import EntryError

__all__ = [
    "CASE_EVENT",
    "CHECK",
    "CHECKPOINT",
    "GENESIS",
    "MASK",
    "SCHEMA",
    "Entry",
    "Head",
    "Stored",
    "instant",
    "instant_of",
]

SCHEMA = "landrules/ledger/1"
GENESIS = "0" * 64
"""What the first entry has as the hash of the one before it."""

CHECK = "check"
CASE_EVENT = "case-event"
MASK = "mask"
CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be recorded; `records.check_entry` and `records.event_entry` make the usual ones.

    `at` has a time zone. `input` is what came in, enough to run it again; `outcome` is what was answered; both are
    JSON trees whose values may be marked `Private`. `options` is how it was asked for. `verdicts` counts the
    verdicts. `key` is an idempotency key, `id` a name of the caller's own; an empty one is chosen by the store.
    """

    kind: str
    at: datetime
    who: str
    input: Tree = None
    outcome: Tree = None
    input_hash: str = ""
    engine: str = ""
    rulesets: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Tree] = field(default_factory=dict)
    verdicts: Mapping[str, int] = field(default_factory=dict)
    case: str = ""
    key: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as the ledger holds it. In `entry.input` and `entry.outcome`, masked values are `Masked`.

    `masked` counts them, the input hash included (which is empty then).
    """

    seq: int
    hash: str
    previous: str
    entry: Entry
    masked: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry: kept elsewhere, it proves later that nothing before it was changed or cut off."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def instant(at: datetime) -> str:
    """The moment in UTC as text of fixed length, so that texts order as moments do.

    Raises:
        EntryError: for a moment without a time zone.
    """
    if at.tzinfo is None:
        raise EntryError("时间没有时区，没有记入台账；请给出带时区的时间（如 UTC）")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def instant_of(text: str) -> datetime:
    """What `instant` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
