"""The report for the terminal: plain words and indentation first, colour only where the terminal has it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Literal

from landrules.engine.findings.model import Finding, Report
from landrules.engine.report import content
from landrules.engine.report.content import Numbered
from landrules.engine.report.summary import Summary, status_of, summarise

__all__ = ["Line", "cells", "lines", "paint", "render_console", "wrap"]

Style = Literal["", "title", "error", "warning", "info", "good", "dim"]
_STYLES = {
    "title": "bold",
    "error": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "good": "green",
    "dim": "dim",
}
_LEVEL_STYLES: dict[str, Style] = {"错误": "error", "提示": "warning", "信息": "info"}
_SEVERITIES: dict[str, tuple[str, Style]] = {
    "error": ("错误", "error"),
    "warning": ("提醒", "warning"),
    "info": ("说明", "dim"),
}
# What more of these would make a wall that nobody reads; the line after says how many there are and where they stand.
_VIOLATED_SHOWN = 60
_OPEN_SHOWN = 15
_GROUPS_SHOWN = 20
_QUESTIONS_SHOWN = 10
_NAMES_SHOWN = 3
_CLEAN_SHOWN = 20
_NOTES_SHOWN = 20
_NO_BREAK_BEFORE = set("，。；：、！？）〕】》”’%,.;:!?)]}")
_NO_BREAK_AFTER = set("（〔【《“‘([{")


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph: wrapped to the width, with `indent` cells before the first line and `hang` more before others."""

    text: str
    style: Style = ""
    indent: int = 0
    hang: int = 0


def render_console(report: Report, *, width: int = 100, color: bool = False, full: bool = False) -> str:
    """The report as text for a terminal of that width; `full` leaves nothing to be counted only."""
    return paint(lines(report, full=full), width=width, color=color)


def paint(paragraphs: Iterable[Line], *, width: int, color: bool) -> str:
    """Wrap the lines to the width and colour them where asked."""
    width = max(width, 40)
    wrapped = [(line, wrap(line.text, width, line.indent, line.hang)) for line in paragraphs]
    if not color:
        return "".join(f"{row}\n" for _, rows in wrapped for row in rows)
    from rich.console import Console  # noqa: PLC0415 - not loaded where nothing is coloured
    from rich.text import Text  # noqa: PLC0415 - as above

    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=True,
        color_system="standard",
        highlight=False,
        legacy_windows=False,
    )
    for line, rows in wrapped:
        for row in rows:
            console.print(Text(row, style=_STYLES.get(line.style, "")), soft_wrap=True)
    return out.getvalue()


def cells(text: str) -> int:
    """How many columns of a terminal the text takes: wide characters take two."""
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrap(text: str, width: int, indent: int = 0, hang: int = 0) -> list[str]:
    """Break text to the width: between Chinese characters, not within a word, not before closing marks."""
    rows: list[str] = []
    row, used = " " * indent, indent
    for word in _words(text):
        size = cells(word)
        if used + size > width and row.strip():
            rows.append(row.rstrip())
            row, used = " " * (indent + hang), indent + hang
            if word == " ":
                continue
        row, used = row + word, used + size
    return [*rows, row.rstrip()]


def _words(text: str) -> Iterator[str]:
    """What may not be torn: a run of narrow characters, or one wide character with the marks that cling to it."""
    word = ""
    for char in text:
        tied = (
            char in _NO_BREAK_BEFORE
            or (word != "" and word[-1] in _NO_BREAK_AFTER)
            or (
                _cells(char) == 1 and word != "" and _cells(word[-1]) == 1 and char != " " and word[-1] != " "
            )
        )
        if word and not tied:
            yield word
            word = ""
        word += char
    if word:
        yield word


def lines(report: Report, *, full: bool = False) -> Iterator[Line]:
    """The report as paragraphs."""
    summary = summarise(report)
    yield Line("预检意见", "title")
    yield Line("机器预检，供审查参考，不替代审查结论", "dim")
    for heading, text in content.opening(report):
        yield Line(f"{_pad(heading, 10)}{text}", hang=10)
    yield Line(f"{_pad('结论', 10)}{content.conclusion(summary)}", "title", hang=10)
    yield from _violations(report, summary, full=full)
    yield from _clauses(report)
    yield from _broken(report)
    yield from _missing(report, summary, full=full)
    yield from _possible(report, summary, full=full)
    yield from _encouraged(report, summary, full=full)
    yield from _others(report, full=full)
    yield from _notes(report, summary, full=full)
    yield from _counts(summary)


def _pad(text: str, width: int) -> str:
    return text + " " * max(1, width - cells(text))


def _heading(text: str) -> Iterator[Line]:
    yield Line("")
    yield Line(text, "title")


def _more(count: int, what: str) -> Iterator[Line]:
    if count > 0:
        yield Line(f"… 另有 {count} {what}未列出；加 --full 全部列出，或用 --html 看网页版", "dim", indent=2)


def _shown(items: Sequence[Numbered], limit: int, *, full: bool) -> Sequence[Numbered]:
    return items if full else items[:limit]


def _record_line(numbered: Numbered) -> Line:
    where = numbered.record.place.describe()
    text = content.name_of(numbered.record) + (f"  {content.clean(where)}" if where else "")
    return Line(f"[{numbered.number}] {text}", "title", hang=4)


def _violations(report: Report, summary: Summary, *, full: bool) -> Iterator[Line]:
    found = content.of_level(report, accusing=True)
    if not found:
        return
    total = summary.violations["错误"] + summary.violations["提示"]
    yield from _heading(f"违反：{total} 处，涉及 {len(found)} 条记录")
    for numbered in _shown(found, _VIOLATED_SHOWN, full=full):
        yield _record_line(numbered)
        for finding in numbered.findings:
            yield from _violation(report, finding)
    yield from _more(len(found) - len(_shown(found, _VIOLATED_SHOWN, full=full)), "条有违反的记录")


def _violation(report: Report, finding: Finding) -> Iterator[Line]:
    head = f"{finding.level}  {content.citation(finding, report.rulesets)}  {finding.title}"
    yield Line(content.clean(head), _LEVEL_STYLES[finding.level], indent=2, hang=6)
    if finding.values:
        yield _detail("送审", content.values_text(finding.values))
    if finding.limit is not None:
        yield _detail("限值", content.limit_text(finding))
    if finding.margin is not None:
        yield _detail("差额", finding.margin.text)
    if finding.message:
        yield _detail("问题", finding.message)
    if finding.remedies:
        yield _detail("建议", " 或 ".join(remedy.text for remedy in finding.remedies))
    for mark in content.marks_of(finding):
        yield _detail("标记", mark)


def _clauses(report: Report) -> Iterator[Line]:
    """The words of the clauses violated, each once, where the document's text is bound."""
    violated = [
        finding for numbered in content.of_level(report, accusing=True) for finding in numbered.findings
    ]
    texts = content.clause_texts(report, violated)
    if not texts:
        return
    yield from _heading("所违反条款的原文")
    for cited, paragraphs in texts.items():
        yield Line(cited, indent=2, hang=4)
        for paragraph in paragraphs:
            yield Line(paragraph, "dim", indent=6)


def _detail(heading: str, text: str) -> Line:
    return Line(f"{heading}  {content.clean(text)}", indent=6, hang=6)


def _broken(report: Report) -> Iterator[Line]:
    broken = [
        Numbered(
            number, record, tuple(finding for finding in record.findings if finding.verdict == "执行错误")
        )
        for number, record in enumerate(report.records, start=1)
        if status_of(record) == "执行错误"
    ]
    if not broken:
        return
    yield from _heading(f"执行出错：涉及 {len(broken)} 条记录，这些规则没有结论")
    for numbered in broken:
        if numbered.record.error:
            yield _record_line(numbered)
            yield Line(content.clean(numbered.record.error), "error", indent=2, hang=4)
    for group in content.same_message(broken):
        yield Line(content.clean(f"{group.finding.rule}  {group.finding.message}"), "error", indent=2, hang=4)
        yield Line(_names(group.numbered), "dim", indent=6, hang=2)


def _missing(report: Report, summary: Summary, *, full: bool) -> Iterator[Line]:
    found = content.open_findings(report, "requirement")
    if not found:
        return
    yield from _heading(f"待补充·适用而缺资料：{summary.requirement} 项，涉及 {len(found)} 条记录")
    if len(found) <= _OPEN_SHOWN or full:
        for numbered in found:
            yield _record_line(numbered)
            for finding in numbered.findings:
                head = f"{content.citation(finding, report.rulesets)}  {finding.title}：{content.lacking(finding)}"
                yield Line(content.clean(head), indent=2, hang=6)
        return
    groups = content.missing_groups(found)
    for group in groups[:_GROUPS_SHOWN]:
        head = f"{content.citation(group.finding, report.rulesets)}  {group.finding.title}：{content.lacking(group.finding)}"
        yield Line(content.clean(head), indent=2, hang=6)
        yield Line(_names(group.numbered), "dim", indent=6, hang=2)
    yield from _more(len(groups) - _GROUPS_SHOWN, "组")


def _names(numbered: Sequence[Numbered]) -> str:
    names = "、".join(f"[{item.number}] {content.name_of(item.record)}" for item in numbered[:_NAMES_SHOWN])
    return f"{len(numbered)} 条：{names}{' 等' if len(numbered) > _NAMES_SHOWN else ''}"


def _possible(report: Report, summary: Summary, *, full: bool) -> Iterator[Line]:
    if summary.questions:
        yield from _heading("先问这几项：补上它们，待补充减得最快")
        yield Line(
            f"{_pad('缺少的事实', 34)}{'缺资料':>5}{'可能适用':>6}{'记录':>6}{'规则':>5}", "dim", indent=2
        )
        shown = summary.questions if full else summary.questions[:_QUESTIONS_SHOWN]
        for question in shown:
            numbers = f"{question.requirement:>8}{question.applicability:>10}{question.records:>8}"
            row = f"{_pad(content.clean(question.label), 34)}{numbers}{len(question.rules):>7}"
            yield Line(row, indent=2)
        rest = len(summary.questions) - len(shown)
        if rest:
            yield Line(f"… 另有 {rest} 个事实，加 --full 全部列出", "dim", indent=2)
    if not summary.applicability:
        return
    rules = [entry for entry in summary.open_rules if entry.applicability]
    yield from _heading(f"待补充·可能适用：{summary.applicability} 项，{len(rules)} 条规则是否适用待定")
    titles = {finding.rule: finding for record in report.records for finding in record.findings}
    shown_rules = rules if full else rules[:_GROUPS_SHOWN]
    for entry in shown_rules:
        finding = titles[entry.rule]
        head = f"{content.citation(finding, report.rulesets)}  {finding.title}：{entry.applicability} 条记录"
        yield Line(content.clean(head), indent=2, hang=6)
    yield from _more(len(rules) - len(shown_rules), "条规则")


def _encouraged(report: Report, summary: Summary, *, full: bool) -> Iterator[Line]:
    found = content.of_level(report, accusing=False)
    if not found:
        return
    yield from _heading(f"信息：{summary.violations['信息']} 处倡导事项未落实，不作否定结论")
    for numbered in _shown(found, _OPEN_SHOWN, full=full):
        for finding in numbered.findings:
            head = f"[{numbered.number}] {content.citation(finding, report.rulesets)}  {finding.title}"
            yield Line(content.clean(head), "info", indent=2, hang=6)
    yield from _more(len(found) - len(_shown(found, _OPEN_SHOWN, full=full)), "条记录")


def _others(report: Report, *, full: bool) -> Iterator[Line]:
    headings = {
        "可能适用": "没有违反，不缺资料，仅是否适用待定",
        "符合": "符合全部适用规则",
        "无适用规则": "无适用规则",
    }
    for status, heading in headings.items():
        numbered = [
            Numbered(number, record, record.findings)
            for number, record in enumerate(report.records, start=1)
            if status_of(record) == status
        ]
        if not numbered:
            continue
        yield from _heading(f"{heading}：{len(numbered)} 条记录")
        if len(numbered) > _CLEAN_SHOWN and not full:
            yield Line(_names(numbered), "dim", indent=2, hang=2)
            continue
        for item in numbered:
            tail = (
                _why_none(item.findings) if status == "无适用规则" else f"（{content.tally(item.findings)}）"
            )
            style: Style = "good" if status == "符合" else ""
            yield Line(f"[{item.number}] {content.name_of(item.record)}{tail}", style, 2, 4)


def _why_none(findings: Sequence[Finding]) -> str:
    reasons = {finding.reason for finding in findings}
    if not findings:
        return "（没有针对这类事项的规则）"
    if reasons == {"place"}:
        return "（不在任何文件的辖区内）"
    if reasons <= {"place", "date"}:
        return "（不在任何文件的辖区或有效期内）"
    return "（各条的适用条件均不成立）"


def _notes(report: Report, summary: Summary, *, full: bool) -> Iterator[Line]:
    groups = content.notes_of(report)
    if not groups:
        return
    yield from _heading(f"读表说明：{sum(summary.notes.values())} 条")
    shown = groups if full else [group for group in groups if group.severity != "info"][:_NOTES_SHOWN]
    for group in shown:
        word, style = _SEVERITIES[group.severity]
        yield Line(f"{word}  {group.text}", style, indent=2, hang=6)
    rest = sum(summary.notes.values()) - sum(group.count for group in shown)
    yield from _more(rest, "条说明")


def _counts(summary: Summary) -> Iterator[Line]:
    yield from _heading("计数")
    verdicts = summary.verdicts
    parts = [f"违反 {verdicts['违反']}", f"符合 {verdicts['符合']}"]
    parts.append(
        f"待补充 {verdicts['待补充']}（适用缺资料 {summary.requirement}，可能适用 {summary.applicability}）"
    )
    parts.append(f"不适用 {verdicts['不适用']}")
    if verdicts["执行错误"]:
        parts.append(f"执行错误 {verdicts['执行错误']}")
    yield Line(f"判断  {sum(verdicts.values())} 项：{'，'.join(parts)}", indent=2, hang=6)
    records = "，".join(f"{status} {count}" for status, count in summary.statuses.items() if count)
    yield Line(f"记录  {summary.records} 条：{records or '无'}", indent=2, hang=6)
    violations = "，".join(f"{level} {count}" for level, count in summary.violations.items())
    yield Line(
        f"违反  {violations}（错误：必须；提示：原则上，可附理由；信息：鼓励，不作否定结论）",
        indent=2,
        hang=6,
    )
