"""The page of a rule: what it asks, of whom, under which clause, with which figures and readings. Data first, then text.

`explain` gathers a `RulePage`; `page_lines` lays it out for the terminal, `page_markdown` for the documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from landrules.engine.findings.wording import value_text
from landrules.engine.language import Scope, sentence
from landrules.engine.language import tree as t
from landrules.engine.report.console import Line
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.model import DatedValue, Document, Period, Rule, Table
from landrules.facts.vocabulary import Fact, Subject

__all__ = [
    "FactRow",
    "FigureRow",
    "RulePage",
    "Section",
    "escaped",
    "explain",
    "markdown_table",
    "page_lines",
    "page_markdown",
]

_MODALITIES = {
    "义务": "应当做到",
    "禁止": "不得做",
    "程序": "应当履行的步骤",
    "时限": "应当在期限内完成",
    "指标": "应当达到的数量目标",
    "许可": "援引本条时才适用；不符合只说明缺乏本条依据，不等于在其他依据下违法",
    "例外": "免除或者减轻的条件",
    "倡导": "号召，不作否定结论",
}
_STRENGTHS = {
    "必须": "违反时为“错误”",
    "原则上": "违反时为“提示”，偏离理由经书面认可的转为符合",
    "鼓励": "未落实时为“信息”，不作合规否定结论",
}
_CLOSED = "违反时为“提示”；条文已写明例外通道，一般的偏离理由不能放行"


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact that the rule reads."""

    label: str
    key: str
    unit: str
    definition: str
    values: tuple[str, ...]
    derivation: str = ""
    configurable: bool = False


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A figure that the rule rests on: a dated value of a parameter, or an entry of a table."""

    name: str
    value: str
    period: str
    basis: str


@dataclass(frozen=True, slots=True)
class Section:
    """One version of the rule: the sentences of its parts, and its text as written in the file."""

    period: str
    parts: tuple[tuple[str, str], ...]
    written: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RulePage:
    """Everything there is to say of a rule, in words."""

    id: str
    title: str
    citation: str
    document: str
    issuer: str
    summary: str
    subject: str
    nature: str
    strength: str
    places: str
    dates: str
    versions: tuple[Section, ...]
    definitions: tuple[tuple[str, str], ...]
    figures: tuple[FigureRow, ...]
    readings: tuple[str, ...]
    ambiguities: tuple[tuple[str, str], ...]
    derived: str
    boundary: str
    consequence: str
    facts: tuple[FactRow, ...]
    related: tuple[str, ...]
    exceptions: tuple[str, ...]
    excepted_by: tuple[str, ...]
    conflicts: tuple[str, ...]
    cases: tuple[str, ...] = field(default=())
    clause_text: str = ""


def explain(
    rulebook: Rulebook, rule_id: str, *, cases: Iterable[str] = (), clause_text: str = ""
) -> RulePage:
    """The page of a rule; `cases` are the titles of its scenarios, `clause_text` the clause's words where they are bound.

    Raises:
        KeyError: when there is no such rule.
    """
    versions = rulebook.rules[rule_id]
    rule = versions[-1]
    document = rulebook.documents[rule.document]
    subject = rulebook.vocabulary.subjects[rule.subject]
    clause = next((entry for entry in document.clauses if entry.id == rule.id), None)
    roots = _roots(versions)
    return RulePage(
        id=rule.id,
        title=rule.title,
        citation=f"{document.number} {rule.clause}".strip(),
        document=f"《{document.title}》",
        issuer=document.issuer,
        summary=clause.summary if clause else "",
        subject=subject.label,
        nature=f"{rule.modality}：{_MODALITIES[rule.modality]}",
        strength=f"{rule.strength}：{_CLOSED if rule.closed and rule.strength == '原则上' else _STRENGTHS[rule.strength]}",
        places=_places(document),
        dates=_dates(document, rule, subject),
        versions=tuple(_section(version, subject) for version in versions),
        definitions=tuple(_definitions(rule, subject, roots)),
        figures=tuple(_figures(versions, roots)),
        readings=tuple(_readings(rule, subject, roots)),
        ambiguities=tuple((entry.issue, entry.default) for entry in rule.ambiguities),
        derived=rule.derived,
        boundary=rule.boundary,
        consequence=rule.consequence,
        facts=tuple(_fact_row(subject.facts[key]) for key in _facts(roots) if key in subject.facts),
        related=tuple(_named(rulebook, name) for name in rule.related),
        exceptions=tuple(_named(rulebook, name) for name in rule.exception_to),
        excepted_by=tuple(
            _named(rulebook, name)
            for name, others in rulebook.rules.items()
            if any(rule.id in other.exception_to for other in others)
        ),
        conflicts=rule.conflicts,
        cases=tuple(cases),
        clause_text=clause_text,
    )


def _roots(versions: Sequence[Rule]) -> tuple[t.Expression, ...]:
    return tuple(
        part
        for rule in versions
        for part in (rule.when, rule.exclude, rule.require, rule.unless)
        if part is not None
    )


def _facts(roots: Iterable[t.Expression]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for root in roots for key in t.facts_of(root)))


def _fact_row(fact: Fact) -> FactRow:
    unit = fact.unit.name if fact.numeric and fact.unit.name != "无" else ""
    return FactRow(
        fact.label, fact.key, unit, fact.definition, fact.values, fact.derivation or "", fact.parameter
    )


def _named(rulebook: Rulebook, name: str) -> str:
    versions = rulebook.rules.get(name)
    if versions:
        return f"{name} {versions[-1].title}"
    for document in rulebook.documents.values():
        for clause in document.clauses:
            if clause.id == name:
                return f"{name} {clause.topic}（{clause.clause}）"
    return name


def _places(document: Document) -> str:
    names = "、".join(
        f"{place.name}（{place.code}）" if place.code else place.name for place in document.places
    )
    return f"{document.province}{document.city}：{names}" if names else f"{document.province}{document.city}"


def _period(period: Period) -> str:
    if period.start is None and period.end is None:
        return ""
    start = period.start.isoformat() if period.start else "不限"
    return f"{start} 至 {period.end.isoformat() if period.end else '今'}"


def _dates(document: Document, rule: Rule, subject: Subject) -> str:
    text = _period(document.period) or "未写"
    if document.presumed:
        text += f"（推定：{document.presumed}）"
    for uncertain in document.uncertain:
        text += f"；{_period(uncertain)} 是否有效不能确定（{uncertain.why}）"
    if rule.gate_fact is None:
        return f"{text}；本条不按日期取舍"
    fact = subject.facts.get(rule.gate_fact)
    return f"{text}；按“{fact.label if fact else rule.gate_fact}”判断是否在内"


class _Teller:
    """Says expressions of one rule in words, its parameters with their latest values."""

    def __init__(self, rule: Rule, subject: Subject) -> None:
        self._scope = Scope(subject)
        self._parameters = {
            name: "" if value.value is None else value_text(value.value, value.unit)
            for name, parameter in rule.parameters.items()
            for value in parameter.values[-1:]
        }

    def say(self, node: t.Expression) -> str:
        return sentence(node, self._parameters, self._scope)


def _section(rule: Rule, subject: Subject) -> Section:
    say = _Teller(rule, subject).say
    parts = [("适用条件", say(rule.when))]
    if rule.exclude is not None:
        parts.append(("除外情形", say(rule.exclude)))
    parts.append(("要求", say(rule.require)))
    if rule.unless is not None:
        parts.append(("例外（与要求择一）", say(rule.unless)))
    text = rule.text
    written = (
        ("when", text.when),
        ("exclude", text.exclude),
        ("require", text.require),
        ("due", text.due),
        ("done", text.done),
        ("done_flag", text.done_flag),
        ("unless", text.unless),
    )
    return Section(_period(rule.period), tuple(parts), tuple(item for item in written if item[1]))


def _definitions(rule: Rule, subject: Subject, roots: Iterable[t.Expression]) -> Iterator[tuple[str, str]]:
    """The notions of the document that the rule uses, with what each stands for; those used inside others too."""
    say = _Teller(rule, subject).say
    found: dict[str, t.Expression] = {}
    for root in roots:
        for node in t.walk(root):
            if isinstance(node, t.Defined):
                found.setdefault(node.name, node.body)
    for name, body in found.items():
        yield name, say(body)


def _figures(versions: Sequence[Rule], roots: Sequence[t.Expression]) -> Iterator[FigureRow]:
    used = {node.name for root in roots for node in t.walk(root) if isinstance(node, t.ParameterValue)}
    seen: set[FigureRow] = set()
    for rule in versions:
        for name, parameter in rule.parameters.items():
            if name not in used:
                continue
            for value in parameter.values:
                row = _figure(name, value, parameter.meaning)
                if row not in seen:
                    seen.add(row)
                    yield row
    tables = {node.table for root in roots for node in t.walk(root) if isinstance(node, t.Lookup)}
    for name in sorted(tables):
        table = next((rule.tables[name] for rule in versions if name in rule.tables), None)
        if table is not None:
            yield from _entries(table)


def _entries(table: Table) -> Iterator[FigureRow]:
    for key, values in table.rows.items():
        for value in values:
            row = _figure(f"{table.name}（{key}）", value, "")
            basis = row.basis or "；".join(part for part in (table.basis, table.confidence) if part)
            yield FigureRow(row.name, row.value, row.period, basis)


def _figure(name: str, value: DatedValue, meaning: str) -> FigureRow:
    text = "文件未给出数值" if value.value is None else value_text(value.value, value.unit)
    basis = "；".join(part for part in (value.basis, meaning) if part)
    return FigureRow(name, text, _period(value.period), basis)


def _readings(rule: Rule, subject: Subject, roots: Iterable[t.Expression]) -> Iterator[str]:
    """How missing facts are read where the rule says so; everything else stays open when a fact is missing."""
    say = _Teller(rule, subject).say
    seen: dict[str, None] = {}
    for root in roots:
        for node in t.walk(root):
            match node:
                case t.Coalesce(value=t.FactValue(label=label), fallback=t.TruthConstant(value=value)):
                    seen[f"“{label}”未填的，按“{'是' if value else '否'}”，结论标“推定”"] = None
                case t.Coalesce(value=part, fallback=t.TruthConstant(value=value)):
                    held = "成立" if value else "不成立"
                    seen[f"资料不足以判断“{say(part)}”的，视为{held}，结论标“推定”"] = None
                case t.Coalesce(value=part, fallback=fallback):
                    seen[f"“{say(part)}”未填的，按 {say(fallback)}，结论标“推定”"] = None
                case t.IsKnown(value=part):
                    seen[f"“{say(part)}”未填的，按没有，结论标“推定”"] = None
                case t.AnyKnown(values=parts):
                    names = "、".join(f"“{say(part)}”" for part in parts)
                    seen[f"{names}中有一项已知即可判断"] = None
                case t.NotYetDue() | t.Deadline():
                    seen["结果日未填、评价基准日未过期限末日的，按符合，结论标“未到期”"] = None
    yield from seen
    if rule.strength == "原则上" and not rule.closed:
        yield "偏离理由未填的视为没有"
    yield "其他事实缺失的一律为“待补充”，不当作零、否或者通过"


# --- text -----------------------------------------------------------------------------------------------------


def _heads(page: RulePage) -> Iterator[tuple[str, str]]:
    yield "依据", f"{page.citation} {page.document}"
    yield "发布机关", page.issuer
    if page.summary:
        yield "条款大意", page.summary
    yield "事项", page.subject
    yield "性质", page.nature
    yield "强度", page.strength
    yield "地域", page.places
    yield "时间", page.dates


def _tails(page: RulePage) -> Iterator[tuple[str, Sequence[str]]]:
    yield "缺省口径", page.readings
    yield "歧义与默认口径", [f"{issue} → {default}" for issue, default in page.ambiguities]
    yield "条文以外的判断", [page.derived] if page.derived else []
    yield "边界", [page.boundary] if page.boundary else []
    yield "后果", [page.consequence] if page.consequence else []
    yield "是下列规则的例外（本条适用并符合时，它们不再适用）", page.exceptions
    yield "下列规则是本条的例外（它们适用并符合时，本条不再适用）", page.excepted_by
    yield "关联条款", page.related
    yield "与其他条款不一致之处", page.conflicts
    yield "用例", page.cases


def page_lines(page: RulePage) -> Iterator[Line]:
    """The page for a terminal."""
    yield Line(f"{page.id}  {page.title}", "title")
    for heading, text in _heads(page):
        yield Line(f"{heading}　{text}", indent=2, hang=4)
    if page.clause_text:
        yield Line("")
        yield Line("条文原文", "title")
        for text in page.clause_text.splitlines():
            yield Line(text, indent=2)
    for section in page.versions:
        yield Line("")
        period = f"（{section.period}）" if section.period and len(page.versions) > 1 else ""
        yield Line(f"判断{period}", "title")
        for heading, text in section.parts:
            yield Line(f"{heading}：{text}", indent=2, hang=4)
    if page.definitions:
        yield Line("")
        yield Line("所用说法", "title")
        for name, meaning in page.definitions:
            yield Line(f"{name}：{meaning}", indent=2, hang=4)
    if page.figures:
        yield Line("")
        yield Line("参数", "title")
        for figure in page.figures:
            tail = "，".join(part for part in (figure.period, figure.basis) if part)
            yield Line(f"{figure.name}：{figure.value}{f'（{tail}）' if tail else ''}", indent=2, hang=4)
    yield Line("")
    yield Line("读取的事实", "title")
    for fact in page.facts:
        unit = f"，{fact.unit}" if fact.unit else ""
        yield Line(f"{fact.label}（{fact.key}{unit}）：{fact.definition}{_aside(fact)}", indent=2, hang=4)
    for heading, texts in _tails(page):
        if texts:
            yield Line("")
            yield Line(heading, "title")
            for text in texts:
                yield Line(text, indent=2, hang=4)


def page_markdown(page: RulePage) -> str:
    """The page as Markdown, the same for the same rulebook."""
    lines = [f"# {escaped(page.title)}", "", f"`{page.id}`", ""]
    lines += markdown_table(("", ""), list(_heads(page)))
    if page.clause_text:
        lines += ["", "## 条文原文", "", *(f"> {escaped(text)}" for text in page.clause_text.splitlines())]
    for section in page.versions:
        period = f"（{section.period}）" if section.period and len(page.versions) > 1 else ""
        lines += ["", f"## 判断{period}", ""]
        lines += [f"- **{heading}**：{escaped(text)}" for heading, text in section.parts]
        lines += ["", "规则文件中的写法：", "", "```yaml"]
        lines += [f"{key}: {text}" for key, text in section.written]
        lines += ["```"]
    if page.definitions:
        lines += ["", "## 所用说法", ""]
        lines += [f"- **{escaped(name)}**：{escaped(meaning)}" for name, meaning in page.definitions]
    if page.figures:
        lines += ["", "## 参数", ""]
        rows = [(figure.name, figure.value, figure.period, figure.basis) for figure in page.figures]
        lines += markdown_table(("参数", "数值", "时段", "依据"), rows)
    lines += ["", "## 读取的事实", ""]
    facts = [(fact.label, f"`{fact.key}`", fact.unit, _with_values(fact)) for fact in page.facts]
    lines += markdown_table(("事实", "键", "单位", "说明"), facts)
    for heading, texts in _tails(page):
        if texts:
            lines += ["", f"## {heading}", "", *(f"- {escaped(text)}" for text in texts)]
    return "\n".join(lines) + "\n"


def _with_values(fact: FactRow) -> str:
    values = f"（可填：{'、'.join(fact.values)}）" if fact.values else ""
    return f"{fact.definition}{values}{_aside(fact)}"


def _aside(fact: FactRow) -> str:
    """Where the fact may come from beside the record."""
    texts = ["可由地方配置给出"] if fact.configurable else []
    texts += [f"没有填的由同一批数据推导：{fact.derivation}"] if fact.derivation else []
    return f"（{'；'.join(texts)}）" if texts else ""


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown, its cells escaped."""
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    return lines + ["| " + " | ".join(escaped(cell) for cell in row) + " |" for row in rows]


def escaped(text: str) -> str:
    """The text on one line, without what Markdown would take for marks; `code` stays."""
    flat = " ".join(text.split())
    if flat.startswith("`") and flat.endswith("`"):
        return flat
    for char in "\\|*_<>[]":
        flat = flat.replace(char, f"\\{char}")
    return flat
