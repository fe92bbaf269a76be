"""Counts over findings: every number that any rendering shows is computed here, and from the findings alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import Finding, Level, Reason, RecordFindings, Report

__all__ = [
    "ExitCode",
    "OpenRule",
    "Question",
    "RuleCount",
    "Status",
    "Summary",
    "accuses",
    "exit_code",
    "status_of",
    "summarise",
]

Status = Literal["执行错误", "违反", "缺资料", "可能适用", "仅倡导未达", "符合", "无适用规则"]
"""What all findings of one record come to; the first that fits, so that each record has exactly one.

缺资料: a rule applies and facts are missing. 可能适用: only whether rules apply is open. 仅倡导未达: nothing but 鼓励
rules are not followed, which accuses nobody. 无适用规则: every rule is 不适用, or there is none.
"""

_Text = TypeVar("_Text", bound=str)

ExitCode = Literal[0, 1, 3, 4]
"""0 nothing violated and nothing open, 1 violated, 3 only open questions, 4 a rule failed to execute."""


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule is violated."""

    rule: str
    level: Level
    count: int


@dataclass(frozen=True, slots=True)
class Question:
    """A missing fact, and what waits for it: findings by stage, and the records and rules they belong to.

    `alone` counts the findings that lack nothing else. A finding that lacks two facts stands under both.
    """

    key: str
    label: str
    requirement: int
    applicability: int
    alone: int
    records: int
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenRule:
    """The 待补充 of one rule by stage, with every fact that one of them lacks. Each finding is counted once."""

    rule: str
    requirement: int
    applicability: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a report."""

    records: int
    statuses: Mapping[Status, int]
    verdicts: Mapping[str, int]
    requirement: int
    applicability: int
    violations: Mapping[Level, int]
    reasons: Mapping[Reason, int]
    marks: Mapping[str, int]
    records_violated: int
    rules: int
    rules_violated: tuple[RuleCount, ...]
    questions: tuple[Question, ...]
    open_rules: tuple[OpenRule, ...]
    notes: Mapping[str, int]


def accuses(finding: Finding) -> bool:
    """Whether a finding is a violation that counts: a 鼓励 that is not followed accuses nobody."""
    return finding.verdict is Verdict.VIOLATED and finding.level != "信息"


def status_of(record: RecordFindings) -> Status:
    """What all findings of a record come to."""
    if record.error:
        return "执行错误"
    found: set[Status] = set()
    for finding in record.findings:
        match finding.verdict:
            case Verdict.ERROR:
                return "执行错误"
            case Verdict.VIOLATED:
                found.add("违反" if accuses(finding) else "仅倡导未达")
            case Verdict.OPEN:
                found.add("缺资料" if finding.stage == "requirement" else "可能适用")
            case Verdict.MET:
                found.add("符合")
            case Verdict.NOT_APPLICABLE:
                pass
    return next((status for status in get_args(Status) if status in found), "无适用规则")


def exit_code(summary: Summary) -> ExitCode:
    """What `landrules check` tells the shell."""
    if summary.statuses["执行错误"]:
        return 4
    if summary.records_violated:
        return 1
    if summary.requirement or summary.applicability:
        return 3
    return 0


def summarise(report: Report) -> Summary:
    """Count a report."""
    findings = [finding for record in report.records for finding in record.findings]
    open_findings = [finding for finding in findings if finding.verdict is Verdict.OPEN]
    violated = [finding for finding in findings if finding.verdict is Verdict.VIOLATED]
    notes = [note for record in report.records for note in record.notes] + list(report.notes)
    by_rule = Counter((finding.rule, finding.level) for finding in violated)
    return Summary(
        records=len(report.records),
        statuses=_count((status_of(record) for record in report.records), get_args(Status)),
        verdicts=_count(
            (str(finding.verdict) for finding in findings), [str(verdict) for verdict in Verdict]
        ),
        requirement=sum(finding.stage == "requirement" for finding in open_findings),
        applicability=sum(finding.stage != "requirement" for finding in open_findings),
        violations=_count((finding.level for finding in violated), get_args(Level)),
        reasons=_count(
            (
                finding.reason or "condition"
                for finding in findings
                if finding.verdict is Verdict.NOT_APPLICABLE
            ),
            get_args(Reason),
        ),
        marks=_count((mark for finding in findings for mark in finding.marks), ()),
        records_violated=sum(
            any(accuses(finding) for finding in record.findings) for record in report.records
        ),
        rules=len({finding.rule for finding in findings}),
        rules_violated=tuple(
            RuleCount(rule, level, count)
            for (rule, level), count in sorted(by_rule.items(), key=lambda item: (-item[1], item[0]))
        ),
        questions=_questions(report.records),
        open_rules=_open_rules(open_findings),
        notes=_count((note.severity for note in dict.fromkeys(notes)), ("error", "warning", "info")),
    )


def _count(items: Iterable[_Text], order: Iterable[_Text]) -> dict[_Text, int]:
    """How often each item occurs, those of `order` first and present even where there is none."""
    counted = Counter(items)
    known = list(order)
    return {item: counted[item] for item in [*known, *sorted(counted.keys() - set(known))]}


def _questions(records: Iterable[RecordFindings]) -> tuple[Question, ...]:
    labels: dict[str, str] = {}
    stages: Counter[tuple[str, bool]] = Counter()
    alone: Counter[str] = Counter()
    asking: dict[str, set[int]] = {}
    rules: dict[str, set[str]] = {}
    for index, record in enumerate(records):
        for finding in record.findings:
            if finding.verdict is not Verdict.OPEN:
                continue
            keys = dict.fromkeys(finding.missing)
            labels.update(zip(finding.missing, finding.missing_labels, strict=False))
            for key in keys:
                stages[key, finding.stage == "requirement"] += 1
                alone[key] += len(keys) == 1
                asking.setdefault(key, set()).add(index)
                rules.setdefault(key, set()).add(finding.rule)
    questions = [
        Question(
            key=key,
            label=labels.get(key, key),
            requirement=stages[key, True],
            applicability=stages[key, False],
            alone=alone[key],
            records=len(asking[key]),
            rules=tuple(sorted(rules[key])),
        )
        for key in asking
    ]
    questions.sort(key=lambda question: (-question.requirement, -question.applicability, question.key))
    return tuple(questions)


def _open_rules(findings: Iterable[Finding]) -> tuple[OpenRule, ...]:
    stages: Counter[tuple[str, bool]] = Counter()
    missing: dict[str, set[str]] = {}
    for finding in findings:
        stages[finding.rule, finding.stage == "requirement"] += 1
        missing.setdefault(finding.rule, set()).update(finding.missing)
    rules = [
        OpenRule(rule, stages[rule, True], stages[rule, False], tuple(sorted(keys)))
        for rule, keys in missing.items()
    ]
    rules.sort(key=lambda entry: (-entry.requirement, -entry.applicability, entry.rule))
    return tuple(rules)
