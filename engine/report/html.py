"""The report as one self-contained page: for the screen, for A4, and for people who cannot run scripts.

Everything that comes from records is untrusted: the template escapes all of it, and the page's content security policy
lets only the script written here run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template, select_autoescape

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import Finding, Reason, RecordFindings, Report
from landrules.engine.report import content
from landrules.engine.report.content import Numbered
from landrules.engine.report.summary import Status, Summary, accuses, status_of, summarise

__all__ = ["html_chunks", "page_template", "render_html", "resource"]

_TEMPLATE = "report.html.j2"
_REASONS: dict[Reason, str] = {
    "place": "辖区外",
    "date": "不在有效期",
    "condition": "不具备适用条件",
    "exclusion": "属除外情形",
}
_STATUS_CLASSES: dict[Status, str] = {
    "执行错误": "broken",
    "违反": "violated",
    "缺资料": "missing",
    "可能适用": "possible",
    "仅倡导未达": "info",
    "符合": "met",
    "无适用规则": "none",
}
_FACTS_NAMED = 6
_RECORDS_NAMED = 5
_QUESTIONS_SHOWN = 10
# With this many, the page opens faster and reads better when records stay closed.
_OPEN_RECORDS = 40
_MARGIN_TEXT = re.compile(r"[^\w .·:：，（）()〔〕\-]")


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of the form 审查事项 | 审查依据 | 送审内容 | 限值 | 结果 | 差额 | 问题与建议."""

    kind: str
    item: str
    citation: str
    submitted: str
    limit: str
    result: str
    level: str
    margin: str
    problem: str
    clause: int
    advice: tuple[str, ...]
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Form:
    """The opinion form of one record."""

    number: int
    name: str
    place: str
    subject: str
    status: Status
    kind: str
    tally: str
    carried: tuple[tuple[str, str], ...]
    error: str
    rows: tuple[_Row, ...]
    possible: int
    possible_facts: str
    outside: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """A line about several records."""

    citation: str
    title: str
    level: str
    text: str
    count: int
    named: tuple[tuple[int, str], ...]
    more: tuple[tuple[int, str], ...]


def render_html(report: Report) -> str:
    """The report as the text of one HTML file."""
    return "".join(html_chunks(report))


def html_chunks(report: Report) -> Iterator[str]:
    """The text of `render_html` piece by piece."""
    summary = summarise(report)
    texts = content.clause_texts(
        report, (finding for record in report.records for finding in record.findings)
    )
    clauses = {cited: number for number, cited in enumerate(texts, start=1)}
    forms = [_form(number, record, report, clauses) for number, record in enumerate(report.records, start=1)]
    first = [form for form in forms if form.status in ("执行错误", "违反")]
    rest = [form for form in forms if form.status not in ("执行错误", "违反")]
    missing = content.open_findings(report, "requirement")
    possible = content.open_findings(report, "applicability")
    script = resource("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    yield from page_template(_TEMPLATE).generate(
        report=report,
        summary=summary,
        opening=content.opening(report),
        conclusion=content.conclusion(summary),
        statuses=[
            (status, count, _STATUS_CLASSES[status]) for status, count in summary.statuses.items() if count
        ],
        verdict_count=sum(summary.verdicts.values()),
        reasons=[(_REASONS[reason], count) for reason, count in summary.reasons.items() if count],
        by_rule=_by_rule(report, content.of_level(report, accusing=True)),
        first=first,
        rest=rest,
        open_first=len(first) <= _OPEN_RECORDS,
        open_rest=len(rest) <= _OPEN_RECORDS,
        questions=summary.questions,
        shown=_QUESTIONS_SHOWN,
        missing=_missing(report, missing),
        possible=_by_rule(report, possible),
        encouraged=_by_rule(report, content.of_level(report, accusing=False)),
        clauses=[(number, cited, texts[cited]) for cited, number in clauses.items()],
        notes=content.notes_of(report),
        severities={"error": "错误", "warning": "提醒", "info": "说明"},
        style=resource("report.css"),
        margin=_margin(report, summary),
        script=script,
        script_hash=digest,
    )


def resource(name: str) -> str:
    """The text of a file of the templates folder."""
    return (files("landrules.engine.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def page_template(name: str) -> Template:
    """A template of the templates folder that escapes everything it is given."""
    environment = Environment(
        loader=FunctionLoader(resource),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _margin(report: Report, summary: Summary) -> str:
    """What stands on every printed page: the versions of engine, rules and data. It goes into a style sheet."""
    rules = "，".join(
        f"{ruleset.number or ruleset.id} {content.short_hash(ruleset.hash)}" for ruleset in report.rulesets
    )
    data = content.short_hash(report.input_hash)
    return _MARGIN_TEXT.sub(
        "", f"预检意见 {report.engine} · 数据 {data}（{summary.records} 条）· 规则 {rules}"
    )


def _form(number: int, record: RecordFindings, report: Report, clauses: Mapping[str, int]) -> _Form:
    findings = record.findings
    rows = [
        finding for finding in findings if finding.verdict in (Verdict.VIOLATED, Verdict.MET, Verdict.ERROR)
    ]
    rows += [
        finding for finding in findings if finding.verdict is Verdict.OPEN and finding.stage == "requirement"
    ]
    possible = [
        finding for finding in findings if finding.verdict is Verdict.OPEN and finding.stage != "requirement"
    ]
    facts = Counter(label for finding in possible for label in finding.missing_labels or finding.missing)
    named = [label for label, _ in sorted(facts.items(), key=lambda item: (-item[1], item[0]))]
    outside = Counter(
        finding.reason or "condition" for finding in findings if finding.verdict is Verdict.NOT_APPLICABLE
    )
    status, name = status_of(record), content.name_of(record)
    return _Form(
        number=number,
        name=name,
        place=content.clean(record.place.describe()),
        subject=record.subject_label,
        status=status,
        kind=_STATUS_CLASSES[status],
        tally=content.tally(findings),
        carried=tuple(
            (content.clean(key), content.clean(value))
            for key, value in record.carried.items()
            if value and content.clean(value) not in name and key != "序号"
        ),
        error=content.clean(record.error),
        rows=tuple(_row(finding, report, clauses) for finding in sorted(rows, key=_weight)),
        possible=len(possible),
        possible_facts="、".join(named[:_FACTS_NAMED]) + ("等" if len(named) > _FACTS_NAMED else ""),
        outside="，".join(f"{_REASONS[reason]} {outside[reason]}" for reason in _REASONS if outside[reason]),
        notes=tuple(content.clean(note.describe()) for note in record.notes if note.severity != "info"),
    )


def _weight(finding: Finding) -> tuple[int, str]:
    match finding.verdict:
        case Verdict.ERROR:
            return 0, finding.rule
        case Verdict.VIOLATED:
            return {"错误": 1, "提示": 2, "信息": 4}[finding.level], finding.rule
        case Verdict.OPEN:
            return 3, finding.rule
        case _:
            return 5, finding.rule


def _row(finding: Finding, report: Report, clauses: Mapping[str, int]) -> _Row:
    kinds = {
        Verdict.VIOLATED: "violated",
        Verdict.MET: "met",
        Verdict.OPEN: "missing",
        Verdict.ERROR: "broken",
    }
    kind = kinds[finding.verdict]
    if finding.verdict is Verdict.VIOLATED and not accuses(finding):
        kind = "info"
    # The column beside says the result already.
    problem = content.clean(finding.message).removeprefix(f"{content.wording(finding)}：")
    cited = content.clean(content.citation(finding, report.rulesets))
    return _Row(
        kind=kind,
        item=content.clean(finding.title),
        citation=cited,
        submitted=content.values_text(finding.values),
        limit=content.limit_text(finding),
        result=content.wording(finding),
        level=finding.level if finding.verdict is Verdict.VIOLATED else "",
        margin=content.clean(finding.margin.text) if finding.margin else "",
        problem="" if finding.verdict is Verdict.MET else problem,
        clause=clauses.get(cited, 0) if finding.clause_text else 0,
        advice=tuple(content.clean(remedy.text) for remedy in finding.remedies),
        marks=content.marks_of(finding),
    )


def _group(report: Report, finding: Finding, text: str, numbered: Sequence[Numbered], count: int) -> _Group:
    records = tuple((item.number, content.name_of(item.record)) for item in numbered)
    return _Group(
        citation=content.clean(content.citation(finding, report.rulesets)),
        title=content.clean(finding.title),
        level=finding.level,
        text=content.clean(text),
        count=count,
        named=records[:_RECORDS_NAMED],
        more=records[_RECORDS_NAMED:],
    )


def _missing(report: Report, found: Sequence[Numbered]) -> list[_Group]:
    return [
        _group(report, group.finding, content.lacking(group.finding), group.numbered, len(group.numbered))
        for group in content.missing_groups(found)
    ]


def _by_rule(report: Report, found: Sequence[Numbered]) -> list[_Group]:
    rules: dict[str, list[tuple[Finding, Numbered]]] = {}
    for numbered in found:
        for finding in numbered.findings:
            rules.setdefault(finding.rule, []).append((finding, numbered))
    groups = []
    for entries in rules.values():
        lacking = Counter(
            label for finding, _ in entries for label in finding.missing_labels or finding.missing
        )
        labels = [label for label, _ in sorted(lacking.items(), key=lambda item: (-item[1], item[0]))]
        text = "、".join(labels[:_FACTS_NAMED]) + ("等" if len(labels) > _FACTS_NAMED else "")
        groups.append(
            (
                entries[0][0].rule,
                _group(report, entries[0][0], text, [item for _, item in entries], len(entries)),
            )
        )
    groups.sort(key=lambda item: (-item[1].count, item[0]))
    return [group for _, group in groups]
