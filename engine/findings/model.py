"""Findings: what one rule says of one record, in terms a person can check; and the report that gathers them.

Every number in a rendered report is a function of these records (DESIGN §1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from landrules.engine.evaluate.algebra import Stage, Verdict
from landrules.facts.notes import Note, Place

__all__ = [
    "CheckOptions",
    "Finding",
    "InputFile",
    "Level",
    "Limit",
    "Margin",
    "Mark",
    "Reason",
    "RecordFindings",
    "Remedy",
    "Report",
    "RulesetUsed",
    "Settings",
    "ValueRead",
]

Level = Literal["错误", "提示", "信息"]
"""How heavy a violation weighs: 必须 → 错误, 原则上 → 提示, 鼓励 → 信息 (CONVENTIONS §5)."""

Reason = Literal["place", "date", "condition", "exclusion"]
"""Why a rule does not apply: 辖区外, 不在有效期, 适用条件不成立, 属除外情形."""

Mark = Literal["临界", "推定", "未到期", "推导", "偏离已说明", "条文外"]
"""Marks on a finding; 条文外 (derived) says that the judgement goes beyond the clause's words."""


@dataclass(frozen=True, slots=True)
class ValueRead:
    """A fact as the rule read it: `text` in the canonical unit, `written` as in the input, empty when missing.

    `state` is `known`, `missing`, `unknown` (未知), `none` (无/不涉及) or `invalid`; `origin` as in `Entry`.
    """

    key: str
    label: str
    text: str
    written: str
    state: str
    origin: str = "record"
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """The bound of the decisive comparison: `text` `不超过 20 年`, `value` and `unit` where it is one number or day."""

    text: str
    value: str
    unit: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Margin:
    """Distance to the bound, `value` ≥ 0 in `unit`; `text` says on which side: `超出 5 年`, `还差 2 元/平方米`, `余 3 年`."""

    value: str
    unit: str
    text: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change of one fact that would make it right, checked by evaluating it: `text` is Chinese."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one record. `missing` lists exactly the facts that can still change a 待补充.

    `clause_text` are the clause's own words, where the user has bound the document's text.
    """

    rule: str
    document: str
    title: str
    clause: str
    verdict: Verdict
    stage: Stage | None
    modality: str
    strength: str
    level: Level
    message: str
    reason: Reason | None = None
    values: tuple[ValueRead, ...] = ()
    limit: Limit | None = None
    margin: Margin | None = None
    missing: tuple[str, ...] = ()
    missing_labels: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    presumptions: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    derived: str = ""
    notes: tuple[str, ...] = ()
    clause_text: str = ""


@dataclass(frozen=True, slots=True)
class RecordFindings:
    """All findings of one record: every rule of its fact type, in the order of rule ids."""

    id: str
    subject: str
    subject_label: str
    place: Place
    carried: Mapping[str, str]
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class RulesetUsed:
    """A document whose rules were asked, with its content hash; `source` is the hash of the text bound to it."""

    id: str
    title: str
    number: str
    hash: str
    period: str
    presumed: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class InputFile:
    """An input: the name as given and the SHA-256 of its bytes."""

    name: str
    hash: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What else a report rests on that its records and options do not show: files named in the command.

    `subject` is the fact type that was named for the input, `configuration` the place configuration, `holidays` the
    file that adds to the calendar.
    """

    subject: str = ""
    configuration: InputFile | None = None
    holidays: InputFile | None = None


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """How a check was asked for: everything that, with rules and input, decides the report.

    `on` overrides each record's 行为日期; `as_of` fills 评价基准日 and `place` fills 行政区 where a record has none.
    """

    on: date | None = None
    as_of: date | None = None
    place: str = ""
    derive: bool = True
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A 预审意见 over records; see `landrules.engine.report` for its renderings.

    `engine_data` names the versions of what ships with the engine: vocabulary, reference tables, calendar.
    """

    engine: str
    rulesets: tuple[RulesetUsed, ...]
    options: CheckOptions
    inputs: tuple[InputFile, ...]
    input_hash: str
    records: tuple[RecordFindings, ...]
    notes: tuple[Note, ...] = field(default=())
    engine_data: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = field(default=Settings())
