"""From a judgement to a finding: what one rule says of one record, in words and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from landrules.engine.evaluate.algebra import Stage, Verdict
from landrules.engine.evaluate.judge import Judgement, Parts, parts_of, presuming_nodes
from landrules.engine.evaluate.reference import Situation, missing_year
from landrules.engine.findings.faults import Fault, describe_fault, faults, limit_and_margin, remedies
from landrules.engine.findings.marks import borderline, presumptions
from landrules.engine.findings.model import Finding, Level, Mark, Reason, ValueRead
from landrules.engine.findings.wording import fact_text, phrase
from landrules.engine.language import tree as t
from landrules.engine.rulebook.model import Rule
from landrules.facts.records import Entry
from landrules.facts.vocabulary import Subject

__all__ = ["RuleInUse", "failed", "judged", "not_applicable", "rule_in_use"]

LEVELS: dict[str, Level] = {"必须": "错误", "原则上": "提示", "鼓励": "信息"}
_VIOLATION_WORDS = {
    "时限": "逾期",
    "指标": "未达目标",
    "许可": "缺乏本条依据（不等于在其他依据下违法）",
    "例外": "与本条例外规定不符",
    "倡导": "仅提示",
}


@dataclass(frozen=True, slots=True)
class RuleInUse:
    """A rule with what is worked out once for a check: its parts, the facts it reads, its presuming nodes."""

    rule: Rule
    parts: Parts
    facts: tuple[str, ...]
    presuming: tuple[t.Expression, ...]
    parameters: tuple[str, ...]


def rule_in_use(rule: Rule) -> RuleInUse:
    """Work out once what every record asks of a rule."""
    parts = parts_of(rule)
    roots = (parts.when, parts.exclude, parts.met)
    facts = tuple(dict.fromkeys(key for root in roots for key in t.facts_of(root)))
    parameters = tuple(
        dict.fromkeys(
            node.name for root in roots for node in t.walk(root) if isinstance(node, t.ParameterValue)
        )
    )
    return RuleInUse(rule, parts, facts, presuming_nodes(parts), parameters)


def not_applicable(rule: Rule, reason: Reason, message: str) -> Finding:
    """A rule that does not apply, with its reason."""
    return replace(_blank(rule, Verdict.NOT_APPLICABLE), reason=reason, message=message)


def failed(rule: Rule, message: str) -> Finding:
    """A rule that could not be executed; never one of the four verdicts."""
    text = f"执行错误，本条未作判断：{message}；请把本提示和规则编号交给规则维护人员"
    return replace(_blank(rule, Verdict.ERROR), level="错误", message=text)


def judged(
    used: RuleInUse,
    judgement: Judgement,
    situation: Situation,
    entries: Mapping[str, Entry],
    subject: Subject,
    *,
    verdict: Verdict,
    stage: Stage | None,
    missing: tuple[str, ...],
    gate_message: str,
) -> Finding:
    """The finding for a judgement; `verdict`, `stage` and `missing` are those after the gate (CONVENTIONS §4).

    `gate_message` tells what place or date lacks, empty where the gate is passed.
    """
    presumed = presumptions(used.parts, used.presuming, judgement, situation)
    read = [subject.facts[key] for key in used.facts if key in subject.facts]
    near = borderline(used.parts, read, judgement, situation, entries)
    base = replace(
        _blank(used.rule, verdict),
        stage=stage,
        marks=_marks(used, judgement, entries, presumed, near),
        presumptions=tuple(_presumption_text(node, used.rule, situation) for node in presumed),
        derived=used.rule.derived,
    )
    if verdict is Verdict.NOT_APPLICABLE:
        excluded = judgement.when is True and judgement.exclude is True
        reason: Reason = "exclusion" if excluded else "condition"
        text = "不适用：属本条写明的除外情形" if excluded else "不适用：不具备本条的适用条件"
        return replace(base, reason=reason, message=text, derived="")
    fault = faults(used.parts.met, situation) if verdict is Verdict.VIOLATED else None
    held = verdict is Verdict.MET
    limit, margin = (None, None)
    if fault or held:
        limit, margin = limit_and_margin(fault, used.rule, subject, situation)
    mends = remedies(fault, used.parts, subject, situation) if fault else ()
    labels = tuple(subject.facts[key].label if key in subject.facts else key for key in missing)
    result = replace(
        base,
        values=_values_read(used, entries, subject),
        limit=limit,
        margin=margin,
        missing=missing,
        missing_labels=labels,
        remedies=mends,
        notes=_notes(used, situation, subject, near, verdict),
    )
    detail = _detail(used.rule, fault, subject, situation) if fault else ""
    return replace(result, message=_message(used.rule, result, detail, gate_message))


def _detail(rule: Rule, fault: Fault, subject: Subject, situation: Situation) -> str:
    """What is wrong; the exception that the clause names is told apart from the requirement itself."""
    if rule.unless is None:
        return describe_fault(fault, rule, subject, situation)
    required = faults(rule.require, situation)
    excepted = faults(rule.unless, situation)
    texts = [describe_fault(required, rule, subject, situation)] if required else []
    if excepted:
        texts.append(f"也不具备本条的例外：{describe_fault(excepted, rule, subject, situation)}")
    return "；".join(texts)


def _blank(rule: Rule, verdict: Verdict) -> Finding:
    return Finding(
        rule=rule.id,
        document=rule.document,
        title=rule.title,
        clause=rule.clause,
        verdict=verdict,
        stage=None,
        modality=rule.modality,
        strength=rule.strength,
        level=LEVELS[rule.strength],
        message="",
    )


def _marks(
    used: RuleInUse,
    judgement: Judgement,
    entries: Mapping[str, Entry],
    presumed: tuple[t.Expression, ...],
    near: tuple[str, ...],
) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    if near:
        marks.append("临界")
    if any(not isinstance(node, t.NotYetDue | t.Deadline) for node in presumed):
        marks.append("推定")
    if any(isinstance(node, t.NotYetDue | t.Deadline) for node in presumed):
        marks.append("未到期")
    if any(
        key in entries and (entries[key].origin, entries[key].state) == ("derived", "known")
        for key in used.facts
    ):
        marks.append("推导")
    if judgement.deviated:
        marks.append("偏离已说明")
    if used.rule.derived:
        marks.append("条文外")
    return tuple(marks)


def _presumption_text(node: t.Expression, rule: Rule, situation: Situation) -> str:
    def said(part: t.Expression) -> str:
        match part:
            case t.FactValue(label=label):
                return label
            case t.TruthConstant(value=truth):
                return "是" if truth else "否"
            case _:
                return phrase(part, rule, situation)

    match node:
        case t.Coalesce(value=t.FactValue() as value, fallback=fallback):
            return f"{said(value)} 未填，按 {said(fallback)} 判断"
        case t.Coalesce(value=value, fallback=fallback):
            return f"资料未填，未核对“{said(value)}”，按 {said(fallback)} 判断"
        case t.IsKnown(value=value):
            return f"{said(value)} 未填，按没有判断"
        case t.ApplicableMinimumPrice(standard=standard, term=term):
            return f"{said(term)} 未填，按未修正的 {said(standard)} 判断"
        case t.NotYetDue() | t.Deadline():
            return "截至评价基准日未到期，暂按符合"
        case _:
            return said(node)


def _values_read(used: RuleInUse, entries: Mapping[str, Entry], subject: Subject) -> tuple[ValueRead, ...]:
    result = []
    for key in used.facts:
        fact = subject.facts.get(key)
        label = fact.label if fact else key
        entry = entries.get(key)
        if entry is None:
            result.append(ValueRead(key, label, "", "", "missing"))
        elif entry.value is None:
            result.append(ValueRead(key, label, "", entry.text, entry.state, entry.origin, entry.basis))
        else:
            text = fact_text(fact, entry.value)
            result.append(ValueRead(key, label, text, entry.text, entry.state, entry.origin, entry.basis))
    return tuple(result)


def _notes(
    used: RuleInUse, situation: Situation, subject: Subject, near: tuple[str, ...], verdict: Verdict
) -> tuple[str, ...]:
    notes = []
    if near:
        names = "、".join(subject.facts[key].label for key in near)
        notes.append(f"临界：{names}在录入精度的半个单位内变动即改变结论，请核对原始数值")
    if verdict is Verdict.OPEN:
        blank = [name for name in used.parameters if situation.parameters.get(name) is None]
        if blank:
            notes.append(f"文件未给出“{'、'.join(blank)}”的数值，须由主管部门给定并附依据")
        for node in _workday_nodes(used):
            year = missing_year(node, situation)
            if year:
                notes.append(f"缺少{year}年放假安排，工作日无法推算；请补充放假安排文件后重新预审")
    return tuple(dict.fromkeys(notes))


def _workday_nodes(used: RuleInUse) -> list[t.AddWorkdays | t.RollWorkday]:
    roots = (used.parts.when, used.parts.exclude, used.parts.met)
    return [
        node for root in roots for node in t.walk(root) if isinstance(node, t.AddWorkdays | t.RollWorkday)
    ]


def _message(rule: Rule, result: Finding, detail: str, gate_message: str) -> str:
    match result.verdict:
        case Verdict.VIOLATED:
            head = _VIOLATION_WORDS.get(rule.modality, "不符合")
            text = f"{head}：{detail}"
            if rule.strength == "原则上" and not rule.closed:
                text += "；本条为“原则上”要求，确有理由的可书面说明并经认可"
            return text
        case Verdict.OPEN:
            labels = [label for label in result.missing_labels if label not in gate_message]
            names = "、".join(labels)
            if gate_message:
                asked = f"；另缺 {names}" if names else ""
                return f"可能适用：{gate_message}{asked}"
            head = "适用，缺资料" if result.stage == "requirement" else "可能适用"
            if names:
                return f"{head}：缺 {names}"
            return f"{head}：{'；'.join(result.notes) or '现有资料不能得出结论'}"
        case _:
            text = (
                "符合"
                if not result.margin
                else f"符合：{result.margin.text}（{result.limit.text if result.limit else ''}）"
            )
            if "未到期" in result.marks:
                text += "，未到期"
            return text
