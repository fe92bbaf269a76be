"""Replay: an entry is judged again from the records it holds, and every verdict compared with what was said then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from landrules.engine.checking import check
from landrules.engine.findings.model import Finding, RecordFindings, Report
from landrules.engine.ledger.entry import Stored
from landrules.engine.ledger.errors import EntryError
from landrules.engine.ledger.records import records_of, report_of
from landrules.engine.rulebook import Rulebook
from landrules.facts.calendar import Workdays

__all__ = ["Difference", "Replay", "replay"]

_SHOWN = {
    "verdict": "结论",
    "stage": "待补充的环节",
    "missing": "所缺事实",
    "message": "说明",
    "values": "读到的值",
    "limit": "限值",
    "margin": "差额",
    "marks": "标记",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One finding that is not what it was: `what` names the part in Chinese, `stored` and `now` are its texts."""

    record: str
    rule: str
    what: str
    stored: str
    now: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The outcome. `reason` says why it was impossible; `changes` what is not as it was: engine, rulesets."""

    status: Literal["same", "different", "impossible"]
    differences: tuple[Difference, ...] = ()
    changes: tuple[str, ...] = ()
    reason: str = ""

    def describe(self) -> str:
        """One Chinese sentence."""
        since = f"（其间{'；'.join(self.changes)}）" if self.changes else ""
        match self.status:
            case "same":
                return f"重算结果与当时一致{since}"
            case "different":
                return f"重算结果与当时有 {len(self.differences)} 处不同{since}"
            case _:
                return f"无法重算：{self.reason}"


def replay(stored: Stored, rulebook: Rulebook, *, workdays: Workdays | None = None) -> Replay:
    """Judge the entry's records again, as it was asked for then, and compare all findings."""
    try:
        records, then = records_of(stored), report_of(stored)
    except EntryError as error:
        return Replay("impossible", reason=str(error))
    unknown = sorted({record.subject for record in records} - set(rulebook.vocabulary.subjects))
    if unknown:
        return Replay("impossible", reason=f"现在的词表没有“{'、'.join(unknown)}”这类事项")
    now = check(rulebook, records, then.options, workdays=workdays, inputs=then.inputs, notes=then.notes)
    differences = tuple(_differences(then, now))
    return Replay("different" if differences else "same", differences, tuple(_changes(then, now)))


def _changes(then: Report, now: Report) -> Iterator[str]:
    if then.engine != now.engine:
        yield f"引擎由 {then.engine} 变为 {now.engine}"
    old = {ruleset.id: ruleset.hash for ruleset in then.rulesets}
    new = {ruleset.id: ruleset.hash for ruleset in now.rulesets}
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"规则集 {name} 已不在"
        elif name not in old:
            yield f"新增规则集 {name}"
        elif old[name] != new[name]:
            yield f"规则集 {name} 有改动"


def _differences(then: Report, now: Report) -> Iterator[Difference]:
    if len(then.records) != len(now.records):
        yield Difference("", "", "记录数", str(len(then.records)), str(len(now.records)))
    for old, new in zip(then.records, now.records, strict=False):
        yield from _of_record(old, new)


def _of_record(old: RecordFindings, new: RecordFindings) -> Iterator[Difference]:
    mine = {finding.rule: finding for finding in old.findings}
    theirs = {finding.rule: finding for finding in new.findings}
    for rule in sorted(mine.keys() | theirs.keys()):
        before, after = mine.get(rule), theirs.get(rule)
        if before is None or after is None:
            texts = [str(finding.verdict) if finding else "没有这条规则" for finding in (before, after)]
            yield Difference(old.id, rule, "结论", texts[0], texts[1])
        elif before != after:
            yield _first(old.id, before, after)


def _first(record: str, before: Finding, after: Finding) -> Difference:
    """The weightiest part in which two findings differ."""
    names = [*_SHOWN, *(spec.name for spec in fields(Finding) if spec.name not in _SHOWN)]
    name = next(name for name in names if getattr(before, name) != getattr(after, name))
    return Difference(
        record,
        before.rule,
        _SHOWN.get(name, name),
        _text(getattr(before, name)),
        _text(getattr(after, name)),
    )


def _text(value: object) -> str:
    match value:
        case None | () | "":
            return "（无）"
        case tuple():
            return "；".join(_text(item) for item in value)
        case _:
            return str(getattr(value, "text", value))
