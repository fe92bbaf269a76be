"""Compares what a scenario expects with the findings, and says in Chinese where they differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar, get_args

from landrules.engine.bdd.sentences import Expectation
from landrules.engine.bdd.stopped import Stopped
from landrules.engine.evaluate.algebra import Stage, Verdict
from landrules.engine.findings.model import Finding, Level, Mark, Reason
from landrules.facts.quantities import normalise_text
from landrules.facts.values import read_value, suggest
from landrules.facts.vocabulary import Subject

__all__ = ["STAGE_WORDS", "VERDICT_WORDS", "compare"]

VERDICT_WORDS: dict[str, Verdict] = {verdict.value: verdict for verdict in Verdict}
STAGE_WORDS: dict[str, Stage] = {
    "可能适用": "applicability",
    "适用缺资料": "requirement",
    "适用，缺资料": "requirement",
    "缺资料": "requirement",
}
_REASON_WORDS: dict[str, Reason] = {
    "辖区外": "place", "不在辖区": "place", "地域": "place",
    "不在有效期": "date", "日期": "date",
    "条件": "condition", "条件不成立": "condition", "不具备适用条件": "condition", "适用条件不成立": "condition",
    "除外": "exclusion", "属除外情形": "exclusion", "除外情形": "exclusion",
}  # fmt: skip
_Value = TypeVar("_Value")
_REASON_NAMES: dict[Reason, str] = {
    "place": "辖区外",
    "date": "不在有效期",
    "condition": "条件",
    "exclusion": "除外",
}
_STAGE_NAMES: dict[Stage, str] = {"applicability": "可能适用", "requirement": "适用缺资料"}


def compare(expected: Expectation, findings: Sequence[Finding], subject: Subject) -> None:
    """Stop where the findings are not as expected; all but the list-like expectations concern the first finding.

    Raises:
        Stopped: saying what came out and what it rests on.
    """
    value = expected.value
    match expected.what:
        case "violated":
            _same_rules(value, findings, Verdict.VIOLATED)
        case "open":
            _same_rules(value, findings, Verdict.OPEN)
        case "nothing applies":
            applied = [finding.rule for finding in findings if finding.verdict is not Verdict.NOT_APPLICABLE]
            if applied:
                raise Stopped(f"适用的规则有 {'、'.join(applied)}，不是无适用规则")
        case "derived":
            _derived(expected, findings, subject)
        case _:
            _compare_one(expected, findings[0], subject)


def _compare_one(expected: Expectation, finding: Finding, subject: Subject) -> None:
    value = expected.value
    match expected.what:
        case "verdict":
            _verdict(value, finding)
        case "stage":
            stage = _word(value, STAGE_WORDS, "结论阶段")
            if finding.stage != stage:
                found = _STAGE_NAMES[finding.stage] if finding.stage else f"没有（结论是“{finding.verdict}”）"
                raise Stopped(_differs("结论阶段", found, value, finding))
        case "missing":
            _missing(value, finding, subject)
        case "margin":
            found = finding.margin.text if finding.margin else ""
            if _squash(found) != _squash(value):
                raise Stopped(_differs("差额", found, value, finding))
        case "limit":
            _limit(value, finding)
        case "marks":
            for mark in _marks(value):
                if mark not in finding.marks:
                    raise Stopped(_differs("标记", "、".join(finding.marks), value, finding))
        case "no marks":
            unwanted = [mark for mark in (_marks(value) if value else finding.marks) if mark in finding.marks]
            if unwanted:
                raise Stopped(_differs("标记", "、".join(finding.marks), f"没有 {value}".strip(), finding))
        case "remedy":
            _mentioned("可行的改法", [remedy.text for remedy in finding.remedies], value, finding)
        case "reason":
            reason = _word(value, _REASON_WORDS, "不适用的原因")
            if finding.reason != reason:
                found = _REASON_NAMES[finding.reason] if finding.reason else ""
                raise Stopped(_differs("不适用的原因", found, value, finding))
        case "level":
            if finding.level != _word(value, {level: level for level in get_args(Level)}, "等级"):
                raise Stopped(_differs("等级", finding.level, value, finding))
        case _:
            texts = [finding.message, finding.derived, *finding.presumptions, *finding.notes]
            _mentioned("说明", [text for text in texts if text], value, finding)


def _verdict(value: str, finding: Finding) -> None:
    stage = STAGE_WORDS.get(value)
    verdict = Verdict.OPEN if stage else _word(value, VERDICT_WORDS, "结论")
    if finding.verdict is not verdict or (stage and finding.stage != stage):
        found = finding.verdict.value
        if finding.stage:
            found += f"（{_STAGE_NAMES[finding.stage]}）"
        raise Stopped(_differs("结论", found, value, finding))


def _missing(value: str, finding: Finding, subject: Subject) -> None:
    wanted = [part.strip() for part in re.split("[、，,；;]", value) if part.strip()]
    labels = []
    for name in wanted:
        fact = subject.fact(name)
        if fact is None:
            near = suggest(name, [known.label for known in subject.facts.values()])
            hint = f"是否指{near}？" if near else ""
            raise Stopped(f"“{subject.label}”没有事实“{name}”；{hint}请写词表里的名称，几个之间用“、”隔开")
        labels.append(fact.label)
    if set(labels) != set(finding.missing_labels):
        more = [label for label in finding.missing_labels if label not in labels]
        less = [label for label in labels if label not in finding.missing_labels]
        told = "；".join(
            text
            for text in (
                f"另缺 {'、'.join(more)}" if more else "",
                f"并不缺 {'、'.join(less)}" if less else "",
            )
            if text
        )
        message = _differs("缺的事实", "、".join(finding.missing_labels), "、".join(labels), finding)
        raise Stopped(f"{told}。{message}")


def _mentioned(what: str, texts: Sequence[str], value: str, finding: Finding) -> None:
    if not any(_squash(value) in _squash(text) for text in texts):
        raise Stopped(_differs(what, "；".join(texts), value, finding))


def _limit(value: str, finding: Finding) -> None:
    limit = finding.limit
    if limit is None:
        raise Stopped(_differs("限值", "", value, finding))
    # `不超过 最长租赁年限（20 年）` is also `不超过 20 年`, and `20 年`.
    plain = re.sub(rf"{re.escape(limit.name)}（(.*)）", r"\1", limit.text) if limit.name else limit.text
    texts = (limit.text, plain, f"{limit.value}{limit.unit}")
    if _squash(value) not in {_squash(text) for text in texts}:
        raise Stopped(_differs("限值", limit.text, value, finding))


def _marks(value: str) -> list[Mark]:
    known: dict[str, Mark] = {mark: mark for mark in get_args(Mark)}
    return [_word(part.strip(), known, "标记") for part in re.split("[、，,；;]", value) if part.strip()]


def _same_rules(value: str, findings: Sequence[Finding], verdict: Verdict) -> None:
    wanted = {part for part in value.split("、") if part}
    found = {finding.rule for finding in findings if finding.verdict is verdict}
    if wanted == found:
        return
    told = [f"另有 {'、'.join(sorted(found - wanted))}"] if found - wanted else []
    told += [f"并没有 {'、'.join(sorted(wanted - found))}"] if wanted - found else []
    lines = [_described(finding) for finding in findings if finding.rule in wanted ^ found]
    raise Stopped("\n  ".join([f"{verdict}的规则与写的不同：{'；'.join(told)}", *lines]))


def _derived(expected: Expectation, findings: Sequence[Finding], subject: Subject) -> None:
    fact = subject.fact(expected.fact)
    if fact is None:
        near = suggest(expected.fact, [known.label for known in subject.facts.values()])
        hint = f"是否指{near}？" if near else ""
        raise Stopped(f"“{subject.label}”没有事实“{expected.fact}”；{hint}请检查名称")
    wanted = read_value(fact, expected.value)
    if wanted.problem or wanted.entry is None:
        raise Stopped(wanted.problem or f"“{expected.value}”不是“{fact.label}”的值；请改正")
    for read in (value for finding in findings for value in finding.values if value.key == fact.key):
        if read.origin != "derived":
            raise Stopped(
                f"“{fact.label}”没有推导，读到的是“{read.text or '（未填）'}”；场景里已写的事实不再推导"
            )
        found = read_value(fact, read.text)
        if found.entry is not None and found.entry.value == wanted.entry.value:
            return
        raise Stopped(f"“{fact.label}”推导得 {read.text}，不是 {expected.value}；{read.basis}")
    raise Stopped(f"所判断的规则没有读“{fact.label}”，看不到推导；请换一条用到它的规则")


def _word(value: str, known: Mapping[str, _Value], what: str) -> _Value:
    if value not in known:
        near = suggest(value, tuple(known))
        hint = f"是否指{near}？" if near else ""
        raise Stopped(f"没有“{value}”这种{what}；{hint}可写：{'、'.join(known)}")
    return known[value]


def _differs(what: str, found: str, wanted: str, finding: Finding) -> str:
    return f"{what}是“{found or '（没有）'}”，不是“{wanted}”\n  {_described(finding)}"


def _described(finding: Finding) -> str:
    read = [
        f"{value.label} {value.text or ('未填' if value.state == 'missing' else value.written)}"
        for value in finding.values
    ]
    facts = f"\n  读到的事实：{'；'.join(read)}" if read else ""
    return f"规则 {finding.rule}（{finding.clause} {finding.title}）：{finding.message}{facts}"


def _squash(text: str) -> str:
    return re.sub(r"\s+", "", normalise_text(text))
