"""What every rendering for people says, in words and groups: the console and the page only lay it out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from landrules.engine.evaluate.algebra import Stage, Verdict
from landrules.engine.findings.model import Finding, Level, RecordFindings, Report, RulesetUsed, ValueRead
from landrules.engine.report.summary import Summary, accuses
from landrules.facts.notes import Note, Severity

__all__ = [
    "FindingGroup",
    "NoteGroup",
    "Numbered",
    "citation",
    "clause_texts",
    "clean",
    "conclusion",
    "lacking",
    "limit_text",
    "marks_of",
    "missing_groups",
    "name_of",
    "notes_of",
    "of_level",
    "open_findings",
    "opening",
    "ordered_by_weight",
    "same_message",
    "short_hash",
    "tally",
    "values_text",
    "wording",
]

_WEIGHT: dict[Level, int] = {"错误": 0, "提示": 1, "信息": 2}
_WORDING = {
    "义务": "不符合",
    "禁止": "不符合",
    "程序": "不符合",
    "时限": "逾期",
    "指标": "未达目标",
    "许可": "缺乏本条依据",
    "例外": "与本条例外规定不符",
    "倡导": "倡导事项未落实",
}
_STATES = {"missing": "未填", "unknown": "填为未知", "none": "填为无", "invalid": "无法识别"}
_ORIGINS = {"configured": "地方配置", "derived": "推导", "option": "命令行给定"}
_HASH_SHOWN = 12
_NOTES_APART = 3
_ROWS_NAMED = 10
# Direction marks can make a cell read differently from what it holds.
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Numbered:
    """A record with its position in the report, from 1, and some of its findings."""

    number: int
    record: RecordFindings
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """Like findings of one rule, the first of them as an example, and the records they are about."""

    finding: Finding
    numbered: tuple[Numbered, ...]


@dataclass(frozen=True, slots=True)
class NoteGroup:
    """A note, or `count` notes alike of which the text shows the first."""

    severity: Severity
    text: str
    count: int


def clean(text: str) -> str:
    """The text on one line, without control and direction characters: cells come from anybody."""
    text = _DIRECTION.sub("", text)
    return "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text).strip()


def name_of(record: RecordFindings) -> str:
    """The record's id and what else names it: `WH-03 某某厂房项目`."""
    parts = [record.id]
    for column in ("地块编号", "项目名称", "位置"):
        value = record.carried.get(column, "")
        if value and value not in parts and (column != "位置" or len(parts) == 1):
            parts.append(value)
    return clean(" ".join(parts))


def citation(finding: Finding, rulesets: Sequence[RulesetUsed]) -> str:
    """Document number and clause: `乌海政发〔2023〕5号 二（三）2`."""
    name = next(
        (ruleset.number or f"《{ruleset.title}》" for ruleset in rulesets if ruleset.id == finding.document),
        finding.document,
    )
    return f"{name} {finding.clause}".strip()


def clause_texts(report: Report, findings: Iterable[Finding]) -> dict[str, tuple[str, ...]]:
    """The words of the clauses that the findings cite, as paragraphs by citation, in the order of their appearance."""
    found: dict[str, tuple[str, ...]] = {}
    seen: set[int] = set()
    for finding in findings:
        if finding.clause_text and id(finding) not in seen:
            seen.add(id(finding))
            paragraphs = tuple(clean(line) for line in finding.clause_text.splitlines())
            found.setdefault(clean(citation(finding, report.rulesets)), paragraphs)
    return found


def wording(finding: Finding) -> str:
    """The verdict as an approver writes it; a violation is worded by the clause's kind (CONVENTIONS §5)."""
    match finding.verdict:
        case Verdict.VIOLATED if finding.level == "信息":
            return "倡导事项未落实"
        case Verdict.VIOLATED:
            return _WORDING.get(finding.modality, "不符合")
        case Verdict.OPEN:
            return "需补充" if finding.stage == "requirement" else "可能适用"
        case Verdict.NOT_APPLICABLE:
            return "不涉及"
        case _:
            return str(finding.verdict)


def values_text(values: Iterable[ValueRead]) -> str:
    """The facts that a rule read, with how they were written where that differs: `租赁期限 25 年；…`.

    Facts that the record leaves empty are not named: a rule may read many, and those that matter stand among the
    missing facts or the presumptions.
    """
    return "；".join(_value_text(value) for value in values if value.state != "missing")


def _value_text(value: ValueRead) -> str:
    asides = []
    if value.state == "known":
        text = f"{value.label} {value.text}"
        if value.written and not _same(value.written, value.text):
            asides.append(f"填“{value.written}”")
    else:
        text = f"{value.label} {_STATES.get(value.state, value.state)}"
        if value.state == "invalid" and value.written:
            text += f"“{value.written}”"
    origin = _ORIGINS.get(value.origin, "")
    if origin:
        asides.append(f"{origin}：{value.basis}" if value.basis else origin)
    return clean(f"{text}（{'，'.join(asides)}）" if asides else text)


def _same(written: str, text: str) -> bool:
    """Whether the canonical text only adds spaces or a unit to what was written."""
    mine, theirs = (_squeezed(part) for part in (written, text))
    return mine == theirs or (
        theirs.startswith(mine) and not theirs[len(mine) :][:1].isdigit() and mine[-1:].isdigit()
    )


def _squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).replace(",", "").split())


def marks_of(finding: Finding) -> tuple[str, ...]:
    """The marks of a finding, each explained."""
    explained = {
        "临界": "临界：录入值在其精度的半个单位内变动，结论会改变",
        "推定": "推定：" + "；".join(text for text in finding.presumptions if "未到期" not in text),
        "未到期": "未到期：评价基准日尚未超过期限末日",
        "推导": "推导：用到由本表其他数据推导的值",
        "偏离已说明": "偏离已说明：偏离理由已书面认可",
        "条文外": "条文外：" + (finding.derived or "本判断含条文字面以外的推导"),
    }
    texts = [
        explained[mark] for mark in finding.marks if not any(note.startswith(mark) for note in finding.notes)
    ]
    return tuple(clean(text).removesuffix("：") for text in (*texts, *finding.notes))


def ordered_by_weight(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """错误 before 提示 before 信息; rule ids decide among equals."""
    return tuple(sorted(findings, key=lambda finding: (_WEIGHT[finding.level], finding.rule)))


def of_level(report: Report, *, accusing: bool) -> tuple[Numbered, ...]:
    """The records with violations: those that accuse (错误, 提示), or those of 鼓励 rules (信息)."""
    result = []
    for number, record in enumerate(report.records, start=1):
        chosen = [
            finding
            for finding in record.findings
            if finding.verdict is Verdict.VIOLATED and accuses(finding) == accusing
        ]
        if chosen:
            result.append(Numbered(number, record, ordered_by_weight(chosen)))
    return tuple(result)


def tally(findings: Iterable[Finding]) -> str:
    """How many findings of each kind a record has, leaving out 不适用: `违反 2，缺资料 1，符合 3`."""
    counts = Counter(
        ("缺资料" if finding.stage == "requirement" else "可能适用")
        if finding.verdict is Verdict.OPEN
        else "倡导未落实"
        if finding.verdict is Verdict.VIOLATED and not accuses(finding)
        else str(finding.verdict)
        for finding in findings
    )
    order = ("执行错误", "违反", "缺资料", "可能适用", "倡导未落实", "符合")
    return "，".join(f"{name} {counts[name]}" for name in order if counts[name])


def lacking(finding: Finding) -> str:
    """What a 待补充 lacks: `缺 开工日期、供应面积`."""
    labels = finding.missing_labels or finding.missing
    return f"缺 {'、'.join(labels)}" if labels else finding.message


def limit_text(finding: Finding) -> str:
    """The bound, with the parameter's name: `不超过 20 年（最长租赁年限）`."""
    if finding.limit is None:
        return ""
    name = finding.limit.name
    return clean(finding.limit.text + (f"（{name}）" if name and name not in finding.limit.text else ""))


def open_findings(report: Report, stage: Stage) -> tuple[Numbered, ...]:
    """The records with 待补充 of that stage."""
    result = []
    for number, record in enumerate(report.records, start=1):
        chosen = tuple(
            finding
            for finding in record.findings
            if finding.verdict is Verdict.OPEN
            and (finding.stage == "requirement") == (stage == "requirement")
        )
        if chosen:
            result.append(Numbered(number, record, chosen))
    return tuple(result)


def missing_groups(open_records: Iterable[Numbered]) -> tuple[FindingGroup, ...]:
    """待补充 grouped by rule and missing facts, the largest groups first."""
    return _grouped(open_records, lambda finding: finding.missing)


def same_message(records: Iterable[Numbered]) -> tuple[FindingGroup, ...]:
    """Findings grouped by rule and message, the largest groups first."""
    return _grouped(records, lambda finding: (finding.message,))


def _grouped(
    records: Iterable[Numbered], key: Callable[[Finding], tuple[str, ...]]
) -> tuple[FindingGroup, ...]:
    groups: dict[tuple[str, ...], list[tuple[Finding, Numbered]]] = {}
    for numbered in records:
        for finding in numbered.findings:
            groups.setdefault((finding.rule, *key(finding)), []).append((finding, numbered))
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        FindingGroup(entries[0][0], tuple(numbered for _, numbered in entries)) for _, entries in ordered
    )


def notes_of(report: Report) -> tuple[NoteGroup, ...]:
    """All notes of the report and its records, errors first; more than a few alike stand together as one."""
    notes = dict.fromkeys([*report.notes, *(note for record in report.records for note in record.notes)])
    groups: dict[tuple[str, ...], list[Note]] = {}
    for note in notes:
        place = note.place
        groups.setdefault(
            (note.severity, note.code, place.file or "", place.sheet or "", place.column or ""), []
        ).append(note)
    result: list[NoteGroup] = []
    for alike in groups.values():
        if len(alike) <= _NOTES_APART:
            result.extend(NoteGroup(note.severity, clean(note.describe()), 1) for note in alike)
            continue
        rows = [str(note.place.row) for note in alike[1:] if note.place.row is not None]
        where = (
            f"（第 {'、'.join(rows[:_ROWS_NAMED])}{' 等' if len(rows) > _ROWS_NAMED else ''} 行）"
            if rows
            else ""
        )
        text = f"{clean(alike[0].describe())}；同类另有 {len(alike) - 1} 条{where}"
        result.append(NoteGroup(alike[0].severity, text, len(alike)))
    order = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(result, key=lambda group: order[group.severity]))


def opening(report: Report) -> tuple[tuple[str, str], ...]:
    """The opening block as pairs of heading and text: what was asked of which documents, and of which input."""
    options = report.options
    asked = []
    if options.on is not None:
        asked.append(f"视同 {options.on.isoformat()} 办理（以此日为行为日期）")
    else:
        asked.append("按各条记录的行为日期")
    asked.append(f"评价基准日 {options.as_of.isoformat() if options.as_of else '按各条记录'}")
    rows = [("引擎", report.engine), ("日期", "；".join(asked))]
    chosen = []
    if options.place:
        chosen.append(f"未填行政区的按“{options.place}”")
    if not options.derive:
        chosen.append("不使用推导值")
    if options.select:
        chosen.append("只查 " + "、".join(options.select))
    if options.ignore:
        chosen.append("不查 " + "、".join(options.ignore))
    if chosen:
        rows.append(("范围", "；".join(chosen)))
    rows.extend(("送审数据", f"{item.name}（{short_hash(item.hash)}）") for item in report.inputs)
    concerned = {
        finding.document
        for record in report.records
        for finding in record.findings
        if finding.reason != "place"
    }
    for ruleset in report.rulesets:
        text = f"{ruleset.number}《{ruleset.title}》 {ruleset.period}"
        if ruleset.presumed:
            text += f"（推定：{ruleset.presumed}）"
        if ruleset.id in concerned:
            rows.append(("审查标准", f"{text} 规则版本 {short_hash(ruleset.hash)}"))
    others = [ruleset for ruleset in report.rulesets if ruleset.id not in concerned]
    if others:
        names = "；".join(
            f"{ruleset.number or f'《{ruleset.title}》'} 规则版本 {short_hash(ruleset.hash)}"
            for ruleset in others
        )
        rows.append(("未涉及", f"{names}（送审记录均不在其辖区）"))
    return tuple((heading, clean(text)) for heading, text in rows)


def short_hash(digest: str) -> str:
    """The first digits of a content hash, enough to tell versions apart."""
    return digest.removeprefix("sha256:")[:_HASH_SHOWN]


def conclusion(summary: Summary) -> str:
    """The report in one sentence; never 符合 for what could not be judged."""
    parts = []
    if summary.statuses["执行错误"]:
        parts.append(f"{summary.statuses['执行错误']} 条记录有规则执行出错，本意见不完整")
    if summary.records_violated:
        errors, hints = summary.violations["错误"], summary.violations["提示"]
        kinds = [f"{count} {name}" for count, name in ((errors, "处错误"), (hints, "处提示")) if count]
        parts.append(f"{summary.records_violated} 条记录有违反（{'、'.join(kinds)}）")
    elif not parts and (summary.requirement or summary.applicability):
        parts.append("尚未发现违反")
    if summary.requirement:
        parts.append(f"{summary.requirement} 项适用而缺资料")
    if summary.applicability:
        parts.append(f"{summary.applicability} 项是否适用待定")
    none = summary.statuses["无适用规则"]
    if none and none == summary.records:
        parts.append("无适用规则")
    elif none:
        parts.append(f"{none} 条记录无适用规则")
    if summary.statuses["符合"]:
        parts.append(f"{summary.statuses['符合']} 条记录符合全部适用规则")
    if summary.statuses["仅倡导未达"]:
        parts.append(f"{summary.statuses['仅倡导未达']} 条记录仅有倡导事项未落实")
    if not summary.records:
        parts.append("没有可判断的记录")
    return f"共 {summary.records} 条记录：{'；'.join(parts)}。" if parts else f"共 {summary.records} 条记录。"
