"""What a ruleset says, as immutable data: documents, clauses, rules, dated parameters and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from landrules.engine.language.tree import Expression
from landrules.facts.quantities import Unit
from landrules.facts.records import Value

__all__ = [
    "Ambiguity",
    "Clause",
    "DatedValue",
    "Document",
    "Kind",
    "Modality",
    "Parameter",
    "Period",
    "Place",
    "Rule",
    "RuleText",
    "Strength",
    "Table",
]

Modality = Literal["义务", "禁止", "程序", "时限", "指标", "许可", "例外", "倡导"]
Strength = Literal["必须", "原则上", "鼓励"]
Kind = Literal["rule", "aggregate", "deadline", "process", "none"]


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both inside; None is open. `why` explains an uncertain or presumed period."""

    start: date | None = None
    end: date | None = None
    why: str = ""

    def holds(self, day: date) -> bool:
        """Whether the day lies in the period."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def meets(self, other: Period) -> bool:
        """Whether the two periods have a day in common."""
        return (self.end is None or other.start is None or other.start <= self.end) and (
            other.end is None or self.start is None or self.start <= other.end
        )

    def within(self, other: Period) -> bool:
        """Whether every day of this period lies in the other."""
        return (other.start is None or (self.start is not None and other.start <= self.start)) and (
            other.end is None or (self.end is not None and self.end <= other.end)
        )

    def describe(self) -> str:
        """`自 2023-03-02 起`, `2023-05-01 至 2025-09-30`, `不限`."""
        match self.start, self.end:
            case None, None:
                return "不限"
            case start, None:
                return f"自 {start} 起"
            case None, end:
                return f"至 {end} 止"
            case start, end:
                return f"{start} 至 {end}"


@dataclass(frozen=True, slots=True)
class Place:
    """A district that a document binds: full name, administrative code (6 digits, empty if none), other names."""

    name: str
    code: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """One entry of a document's clause index, `id` is `<document>/<entry>`, the same as its rule's.

    `reason` says why an entry has no rule; `subject` is a subject key, empty where no form fits.
    """

    id: str
    clause: str
    topic: str
    summary: str
    kind: Kind
    actor: str = ""
    subject: str = ""
    modality: str = ""
    strength: str = ""
    reason: str = ""
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A government document; `presumed` says what of its dates is our presumption, empty where it is written."""

    id: str
    title: str
    number: str
    issuer: str
    issue_date: date | None
    period: Period
    presumed: str
    uncertain: tuple[Period, ...]
    province: str
    city: str
    city_code: str
    places: tuple[Place, ...]
    clauses: tuple[Clause, ...]
    notes: tuple[str, ...] = ()
    hash: str = ""
    doc_type: str = ""
    source: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A parameter's value in a period; `value` is None where the document leaves the figure blank."""

    value: Value | None
    unit: Unit | None
    period: Period = field(default_factory=Period)
    basis: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named threshold of a document with its dated values."""

    name: str
    values: tuple[DatedValue, ...]
    meaning: str = ""

    def at(self, day: date | None) -> DatedValue | None:
        """The value in force on the day; without a day the only value there is; None where there is none."""
        return _at(self.values, day)


@dataclass(frozen=True, slots=True)
class Table:
    """A named reference table: dated rows by key, each with its basis (document) and confidence mark."""

    name: str
    rows: Mapping[str, tuple[DatedValue, ...]]
    basis: str = ""
    confidence: str = ""
    key: str = ""

    def at(self, key: str, day: date | None) -> DatedValue | None:
        """The row for the key in force on the day; without a day the only row there is; None where there is none."""
        return _at(self.rows.get(key, ()), day)


def _at(values: tuple[DatedValue, ...], day: date | None) -> DatedValue | None:
    if day is None:
        return values[0] if len(values) == 1 else None
    return next((value for value in values if value.period.holds(day)), None)


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """An open reading of a clause and the default taken."""

    issue: str
    default: str


@dataclass(frozen=True, slots=True)
class RuleText:
    """The expressions of a rule as written in the file, canonical spelling."""

    when: str
    exclude: str = ""
    require: str = ""
    due: str = ""
    done: str = ""
    done_flag: str = ""
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of one provision: `id` is `<document>/<rule>`; several versions have periods that do not meet.

    `gate_fact` is the date fact that chooses the law (`action_date`), or None where no date gate applies.
    `require` already holds the deadline (`And`); `closed` shuts the general deviation channel of 原则上.
    """

    id: str
    document: str
    title: str
    clause: str
    subject: str
    modality: Modality
    strength: Strength
    kind: Kind
    when: Expression
    exclude: Expression | None
    require: Expression
    unless: Expression | None
    period: Period
    gate_fact: str | None
    closed: bool
    text: RuleText
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    derived: str = ""
    boundary: str = ""
    consequence: str = ""
    ambiguities: tuple[Ambiguity, ...] = ()
    related: tuple[str, ...] = ()
    exception_to: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    flagship: bool = False
