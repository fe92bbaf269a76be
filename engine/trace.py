"""The matrix clause → rules → scenarios → facts: every clause entry of every document is a row, with or without a rule.

`trace` gathers a `Trace`; what is not complete (an entry with neither rule nor reason, a rule without an entry or
without a scenario) stands in its `problems`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from landrules.engine.bdd.index import ScenarioRef
from landrules.engine.language import tree as t
from landrules.engine.report.console import Line
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.model import Clause, Document, Rule

__all__ = [
    "KINDS",
    "Trace",
    "TraceDocument",
    "TraceEntry",
    "counts_text",
    "total_text",
    "trace",
    "trace_content",
    "trace_lines",
]

KINDS = {"rule": "单件", "aggregate": "统计", "deadline": "期限", "process": "程序", "none": "不可判"}
"""How the kinds of an entry are called."""

_SCENARIOS_NAMED = 3


@dataclass(frozen=True, slots=True)
class TraceEntry:
    """One row: an entry of a document's clause index. `facts` are pairs of key and label, `id` is without the document."""

    id: str
    clause: str
    topic: str
    kind: str
    subject: str
    modality: str
    strength: str
    rules: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    scenarios: tuple[ScenarioRef, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class TraceDocument:
    """All rows of a document, in the order of its index."""

    id: str
    title: str
    number: str
    entries: tuple[TraceEntry, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """Entries, rules, entries with a reason, and scenarios."""
        return {
            "entries": len(self.entries),
            "rules": sum(len(entry.rules) for entry in self.entries),
            "reasons": sum(bool(entry.reason) for entry in self.entries),
            "scenarios": sum(len(entry.scenarios) for entry in self.entries),
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """The matrix of all documents; `with_scenarios` tells whether scenarios were there to be counted."""

    documents: tuple[TraceDocument, ...]
    problems: tuple[str, ...]
    with_scenarios: bool


def trace(
    rulebook: Rulebook,
    scenarios: Iterable[ScenarioRef] | None = None,
    *,
    documents: Collection[str] | None = None,
) -> Trace:
    """The matrix of the documents (all by default) with the scenarios; None where there are no features to read."""
    chosen = [
        document
        for name, document in sorted(rulebook.documents.items())
        if documents is None or name in documents
    ]
    by_rule, problems = _by_rule(rulebook, scenarios or (), {document.id for document in chosen})
    found = tuple(_document(rulebook, document, by_rule) for document in chosen)
    for document in found:
        problems += _gaps(rulebook, document, with_scenarios=scenarios is not None)
    return Trace(found, tuple(problems), scenarios is not None)


def _by_rule(
    rulebook: Rulebook, scenarios: Iterable[ScenarioRef], documents: Collection[str]
) -> tuple[dict[str, list[ScenarioRef]], list[str]]:
    """The scenarios by full rule id, and those of the documents that name a rule that is not there."""
    found: dict[str, list[ScenarioRef]] = {}
    problems: list[str] = []
    for ref in scenarios:
        name = _rule_named(rulebook, ref)
        if name in rulebook.rules:
            found.setdefault(name, []).append(ref)
        elif name.partition("/")[0] in documents:
            where = f"{ref.file} 第 {ref.line} 行"
            problems.append(f"场景“{ref.title}”（{where}）判断的规则“{ref.rule}”不存在；请改成现有规则的编号")
    return found, problems


def _rule_named(rulebook: Rulebook, ref: ScenarioRef) -> str:
    """The full id of the rule that a scenario names: a bare name belongs to the document of its folder."""
    if "/" in ref.rule:
        return ref.rule
    here = f"{ref.file.partition('/')[0]}/{ref.rule}"
    if here in rulebook.rules:
        return here
    ending = [rule for rule in rulebook.rules if rule.endswith(f"/{ref.rule}")]
    return ending[0] if len(ending) == 1 else here


def _document(
    rulebook: Rulebook, document: Document, scenarios: Mapping[str, Sequence[ScenarioRef]]
) -> TraceDocument:
    entries = tuple(_entry(rulebook, clause, scenarios) for clause in document.clauses)
    return TraceDocument(document.id, document.title, document.number, entries)


def _entry(rulebook: Rulebook, clause: Clause, scenarios: Mapping[str, Sequence[ScenarioRef]]) -> TraceEntry:
    versions = rulebook.rules.get(clause.id, ())
    subject = rulebook.vocabulary.subjects.get(versions[0].subject if versions else clause.subject)
    facts = _facts(versions)
    labels = subject.facts if subject is not None else {}
    return TraceEntry(
        id=clause.id.partition("/")[2],
        clause=clause.clause,
        topic=clause.topic,
        kind=clause.kind,
        subject=subject.label if subject is not None else "",
        modality=clause.modality,
        strength=clause.strength,
        rules=(clause.id,) if versions else (),
        facts=tuple((key, labels[key].label if key in labels else key) for key in facts),
        scenarios=tuple(scenarios.get(clause.id, ())),
        reason=clause.reason,
    )


def _facts(versions: Sequence[Rule]) -> tuple[str, ...]:
    roots = (
        part
        for rule in versions
        for part in (rule.when, rule.exclude, rule.require, rule.unless)
        if part is not None
    )
    return tuple(dict.fromkeys(key for root in roots for key in t.facts_of(root)))


def _gaps(rulebook: Rulebook, document: TraceDocument, *, with_scenarios: bool) -> Iterator[str]:
    for entry in document.entries:
        where = f"{document.id} {entry.clause} 条目“{entry.id}”"
        if not entry.rules and not entry.reason:
            yield f"{where}既没有规则也没有说明原因；请写规则，或在 reason 说明为何没有"
        if with_scenarios and entry.rules and not entry.scenarios:
            yield f"{where}有规则没有场景；请在 features/{document.id} 里写场景"
    entries = {f"{document.id}/{entry.id}" for entry in document.entries}
    for rule, versions in rulebook.rules.items():
        if versions[0].document == document.id and rule not in entries:
            yield f"{document.id} {versions[0].clause} 规则“{rule}”没有对应的条目；请在 clauses.yaml 补上"


# --- JSON and text --------------------------------------------------------------------------------------------


def trace_content(found: Trace) -> dict[str, object]:
    """The matrix as JSON content: `{"documents": [{"id", "entries": [{"id", "clause", …}]}]}`."""
    return {"documents": [_document_content(document) for document in found.documents]}


def _document_content(document: TraceDocument) -> dict[str, object]:
    return {
        "id": document.id,
        "entries": [_entry_content(entry) for entry in document.entries],
    }


def _entry_content(entry: TraceEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "clause": entry.clause,
        "topic": entry.topic,
        "checkable": entry.kind,
        "modality": entry.modality,
        "strength": entry.strength,
        "subject": entry.subject,
        "rules": list(entry.rules),
        "scenarios": [
            {"title": ref.title, "file": ref.file, "line": ref.line, "expect": ref.expected}
            for ref in entry.scenarios
        ],
        "facts": [key for key, _ in entry.facts],
        "reason": entry.reason,
    }


def trace_lines(found: Trace) -> Iterator[Line]:
    """The matrix for a terminal."""
    for document in found.documents:
        yield Line(f"{document.number or document.id}《{document.title}》", "title", hang=4)
        yield Line(counts_text(document, with_scenarios=found.with_scenarios), "dim", indent=2, hang=4)
        for entry in document.entries:
            yield Line(f"{entry.clause}  {entry.topic}（{KINDS[entry.kind]}）", indent=2, hang=4)
            if not entry.rules:
                yield Line(f"没有规则：{entry.reason or '没有说明原因'}", "dim", indent=6, hang=2)
                continue
            yield Line(f"规则  {'、'.join(entry.rules)}", indent=6, hang=6)
            if found.with_scenarios:
                yield Line(f"场景  {_scenarios_text(entry.scenarios)}", indent=6, hang=6)
            yield Line(f"事实  {'、'.join(label for _, label in entry.facts)}", indent=6, hang=6)
        yield Line("")
    if not found.with_scenarios:
        yield Line("没有场景文件夹，未核对场景；用 --features 指明", "warning")
    yield Line(total_text(found), "title")


def counts_text(document: TraceDocument, *, with_scenarios: bool) -> str:
    """`条目 65：有规则 40，说明原因 25；场景 120`."""
    counts = document.counts
    text = f"条目 {counts['entries']}：有规则 {counts['rules']}，说明原因 {counts['reasons']}"
    return text + (f"；场景 {counts['scenarios']}" if with_scenarios else "")


def total_text(found: Trace) -> str:
    """The counts of all documents together."""
    names = ("entries", "rules", "reasons", "scenarios")
    total = {name: sum(document.counts[name] for document in found.documents) for name in names}
    text = f"共 {len(found.documents)} 份文件，条目 {total['entries']}：有规则 {total['rules']}，说明原因 {total['reasons']}"
    return text + (f"；场景 {total['scenarios']}" if found.with_scenarios else "")


def _scenarios_text(scenarios: Sequence[ScenarioRef]) -> str:
    if not scenarios:
        return "没有"
    verdicts: dict[str, int] = {}
    for ref in scenarios:
        verdicts[ref.expected or "其他"] = verdicts.get(ref.expected or "其他", 0) + 1
    counted = "，".join(f"{verdict} {count}" for verdict, count in verdicts.items())
    first = "、".join(f"{ref.title}" for ref in scenarios[:_SCENARIOS_NAMED])
    more = " 等" if len(scenarios) > _SCENARIOS_NAMED else ""
    return f"{len(scenarios)} 个（{counted}）：{first}{more}（{scenarios[0].file}）"
