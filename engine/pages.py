"""The reference pages of the documentation, made from rules, scenarios and vocabulary: one page a rule, one a fact type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from landrules.engine.bdd.index import ScenarioRef
from landrules.engine.explain import escaped, explain, markdown_table, page_markdown
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.model import Document
from landrules.engine.trace import KINDS, Trace, TraceDocument, TraceEntry, counts_text, total_text, trace
from landrules.facts.vocabulary import Fact, Subject

__all__ = ["MARK", "pages"]

MARK = "<!-- 由 landrules docs 生成，请勿手改 -->"
"""The first line of every page that is made here; only such pages are ever replaced or removed."""

_RULES, _VOCABULARY = "rules", "reference/vocabulary"
_TYPES = {
    "bool": "是否",
    "enum": "单选",
    "set": "多选",
    "number": "数",
    "integer": "整数",
    "date": "日期",
    "text": "文字",
}


def pages(rulebook: Rulebook, scenarios: Iterable[ScenarioRef]) -> Mapping[str, str]:
    """All pages: path below the documentation folder → text. The same rulebook and scenarios give the same pages."""
    matrix = trace(rulebook, tuple(scenarios))
    found = {f"{_RULES}/README.md": _overview(matrix)}
    for document in matrix.documents:
        found[f"{_RULES}/{document.id}/README.md"] = _index(rulebook.documents[document.id], document)
        for entry in document.entries:
            for rule in entry.rules:
                found[f"{_RULES}/{rule}.md"] = _rule(rulebook, rule, entry)
    subjects = rulebook.vocabulary.subjects
    found[f"{_VOCABULARY}/README.md"] = _subjects(rulebook)
    for key, subject in subjects.items():
        found[f"{_VOCABULARY}/{key}.md"] = _subject(rulebook, subject)
    return {path: f"{MARK}\n\n{text}" for path, text in sorted(found.items())}


def _rule(rulebook: Rulebook, rule: str, entry: TraceEntry) -> str:
    cases = [
        f"{ref.title}{f' → {ref.expected}' if ref.expected else ''}（{ref.file}）" for ref in entry.scenarios
    ]
    return page_markdown(explain(rulebook, rule, cases=cases))


def _overview(matrix: Trace) -> str:
    rows = [
        (
            f"[{escaped(_name(document.number, document.title))}]({document.id}/README.md)",
            *(str(document.counts[key]) for key in ("entries", "rules", "reasons", "scenarios")),
        )
        for document in matrix.documents
    ]
    lines = ["# 规则", "", total_text(matrix), ""]
    lines += _linked_table(("文件", "条目", "规则", "说明原因", "场景"), rows)
    return "\n".join(lines) + "\n"


def _name(number: str, title: str) -> str:
    return f"{number}《{title}》"


def _index(document: Document, found: TraceDocument) -> str:
    heads = [
        ("发布机关", document.issuer),
        ("印发日", document.issue_date.isoformat() if document.issue_date else "文本没有"),
        ("起止日", document.period.describe()),
        ("推定", document.presumed),
        ("地域", _places(document)),
        ("文本来源", document.source),
    ]
    lines = [f"# {escaped(_name(document.number, document.title))}", ""]
    lines += [counts_text(found, with_scenarios=True), ""]
    lines += markdown_table(("", ""), [(heading, text) for heading, text in heads if text])
    for heading, texts in (("使用者须知道的事", document.notes), ("依据和引用的文件", document.references)):
        if texts:
            lines += ["", f"## {heading}", "", *(f"- {escaped(text)}" for text in texts)]
    lines += ["", "## 条款", ""]
    lines += _linked_table(("条号", "事项", "判定方式", "规则，或没有规则的原因", "场景"), _rows(found))
    return "\n".join(lines) + "\n"


def _places(document: Document) -> str:
    names = "、".join(place.name for place in document.places)
    return f"{document.province}{document.city}：{names}"


def _rows(found: TraceDocument) -> list[tuple[str, ...]]:
    return [
        (
            escaped(entry.clause),
            escaped(entry.topic),
            KINDS[entry.kind],
            f"[`{entry.id}`]({entry.id}.md)" if entry.rules else escaped(entry.reason),
            str(len(entry.scenarios)) if entry.rules else "",
        )
        for entry in found.entries
    ]


def _linked_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """As `markdown_table`, for cells that are escaped already and hold links."""
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


# --- vocabulary -----------------------------------------------------------------------------------------------


def _subjects(rulebook: Rulebook) -> str:
    rows = [
        (
            f"[{escaped(subject.label)}]({key}.md)",
            f"`{key}`",
            str(len(subject.facts)),
            str(len(rulebook.rules_for(key))),
            escaped(subject.definition),
        )
        for key, subject in rulebook.vocabulary.subjects.items()
    ]
    lines = [
        "# 词表",
        "",
        "每一类事项一张填报表；事实的名称在规则、工作簿和场景里通用，键用于 JSON 和接口。",
        "",
    ]
    lines += _linked_table(("事项", "键", "事实", "规则", "说明"), rows)
    columns = [(name, "、".join(aliases)) for name, aliases in rulebook.vocabulary.identifying.items()]
    lines += ["", "## 标识列", "", "照抄、显示、可用来归组，不作判断。", ""]
    lines += markdown_table(("列名", "别名"), columns)
    return "\n".join(lines) + "\n"


def _subject(rulebook: Rulebook, subject: Subject) -> str:
    lines = [f"# {escaped(subject.label)}", "", f"`{subject.key}`", ""]
    lines += [escaped(subject.definition), ""] if subject.definition else []
    rows = [
        (
            fact.label,
            f"`{fact.key}`",
            _TYPES[fact.type],
            _unit(fact),
            _definition(fact),
            "、".join(fact.aliases),
        )
        for fact in subject.facts.values()
    ]
    lines += markdown_table(("事实", "键", "类型", "单位", "说明", "别名"), rows)
    rules = [versions[-1] for versions in rulebook.rules_for(subject.key)]
    if rules:
        lines += ["", "## 规则", ""]
        lines += [
            f"- [`{rule.id}`](../../{_RULES}/{rule.id}.md) {escaped(rule.title)}（{escaped(rule.clause)}）"
            for rule in rules
        ]
    return "\n".join(lines) + "\n"


def _unit(fact: Fact) -> str:
    return fact.unit.name if fact.numeric and fact.unit.name != "无" else fact.format or ""


def _definition(fact: Fact) -> str:
    texts = [fact.definition] if fact.definition else []
    texts += [f"可填：{'、'.join(fact.values)}"] if fact.values else []
    texts += ["可由地方配置给出"] if fact.parameter else []
    texts += [f"没有填的由同一批数据推导：{fact.derivation}"] if fact.derivation else []
    return "；".join(texts)
