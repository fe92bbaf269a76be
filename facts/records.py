"""Records: one row about one matter, each fact read into an `Entry` that remembers how it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal

from landrules.facts.notes import Note, Place

__all__ = ["Entry", "Record", "State", "Value"]

Value = bool | Fraction | date | str | frozenset[str]
"""A known value: truth, number in base units, day, text or allowed value, or set of allowed values."""

State = Literal["known", "unknown", "none", "invalid"]
"""`known`; written as 未知; written as 无/不涉及; written but unusable. A fact that is absent has no entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact as written in a record.

    `value` is None unless `state` is `known`. `half_step` is half of one unit in the last written digit, in
    base units, None where the value is exact. `origin` says where it came from: the record itself, a place
    configuration, a derivation or the command line; `basis` names the document, rows or option behind it.
    """

    value: Value | None
    state: State = "known"
    text: str = ""
    half_step: Fraction | None = None
    origin: Literal["record", "configured", "derived", "option"] = "record"
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One row: `subject` is a subject key of the vocabulary, `entries` maps fact keys to entries.

    `carried` holds columns that identify (项目名称, 地块编号, …) by their names, as text.
    `notes` are the problems met while this record was read.
    """

    id: str
    subject: str
    entries: Mapping[str, Entry]
    carried: Mapping[str, str] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    notes: tuple[Note, ...] = ()
