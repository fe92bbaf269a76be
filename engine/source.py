"""A user's own text of a document, bound to its ruleset: clauses located, figures checked, words kept for reports.

`bind` compares a text with the rulebook; `save` and `load_sources` keep what was bound in a folder of the user's;
`with_clause_texts` puts the words into a report. The text itself never becomes part of a ruleset.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import Finding, Report
from landrules.engine.home import home
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.model import DatedValue, Document, Parameter, Rule
from landrules.engine.source_figures import figure_in
from landrules.engine.source_text import DocumentText, locate, parse_document, squeezed
from landrules.facts.notes import InputError, Note, Place

__all__ = [
    "Binding",
    "BoundSource",
    "ClauseText",
    "Mismatch",
    "bind",
    "default_store",
    "identify",
    "load_sources",
    "remove_source",
    "save_source",
    "with_clause_texts",
]

SCHEMA = "landrules/source/1"
_HEAD = 1_500
_TOP = 400
_TITLE_PARTS = re.compile(r"《([^》]+)》")
_HIDDEN = re.compile(r"^[(（][^)）]*[)）]")
_UNWRITTEN = ("默认口径", "推定", "未写")
_QUOTED = re.compile(r"“([^”]+)”")
_CLAUSE_IN_BASIS = re.compile(
    r"通知正文(?:第[一二三四五六七八九十\d]+段)?|附件[一二三四五六七八九十]*(?:（[^）]+）)?\d*|第[一二三四五六七八九十百\d]+条(?:第[一二三四五六七八九十\d]+款)?"
    r"|[一二三四五六七八九十]+（[^）]+）\d*|[一二三四五六七八九十]+第[一二三四五六七八九十]+阶段"
)


@dataclass(frozen=True, slots=True)
class ClauseText:
    """The words of a clause as bound, with the SHA-256 of the words without white space."""

    clause: str
    text: str
    hash: str


@dataclass(frozen=True, slots=True)
class BoundSource:
    """What is kept of a text: the words by clause. `hash` is over all of them, `name` the file they came from."""

    document: str
    title: str
    name: str
    hash: str
    clauses: tuple[ClauseText, ...]

    def text(self, clause: str) -> str:
        """The words of a clause, empty where the text has none."""
        return next((entry.text for entry in self.clauses if entry.clause == clause), "")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something in which text and ruleset, or the text and the one bound before, differ."""

    kind: str
    clause: str
    message: str


@dataclass(frozen=True, slots=True)
class Binding:
    """The outcome of `bind`: what to keep, and what does not fit.

    `figures` counts the figures that were looked for; `missing` and `wrong` call for action, `changed` tells what is
    not as it was bound before.
    """

    source: BoundSource
    clauses: int
    figures: int
    missing: tuple[Mismatch, ...]
    wrong: tuple[Mismatch, ...]
    changed: tuple[Mismatch, ...]


# --- which document -------------------------------------------------------------------------------------------


def identify(rulebook: Rulebook, text: str) -> str | None:
    """The document that the text is of, by the number and title at its head; None when none or several fit."""
    head = _comparable(text[: _HEAD * 2])[:_HEAD]
    scores = {name: _score(document, head) for name, document in rulebook.documents.items()}
    best = max(scores.values(), default=0)
    found = [name for name, score in scores.items() if score == best]
    return found[0] if best and len(found) == 1 else None


def _comparable(text: str) -> str:
    return re.sub(r"[^\w]", "", squeezed(text))


def _score(document: Document, head: str) -> int:
    number = _comparable(document.number)
    score = 0
    if number and number in head:
        score += 4 if number in head[:_TOP] else 1
    title = _HIDDEN.sub("", document.title)
    inside = _TITLE_PARTS.search(title)
    if any(_comparable(part) in head for part in (title, inside[1] if inside else title)):
        score += 3
    return score


# --- binding --------------------------------------------------------------------------------------------------


def bind(
    rulebook: Rulebook, document: str, text: str, name: str, *, before: BoundSource | None = None
) -> Binding:
    """Locate every clause of the document's index in the text and look for the figures of its rules.

    `before` is what was bound earlier, to tell what has changed.
    """
    parsed = parse_document(text)
    entry = rulebook.documents[document]
    found: list[ClauseText] = []
    missing: list[Mismatch] = []
    for clause in dict.fromkeys(item.clause for item in entry.clauses):
        words = locate(parsed, clause)
        if words is None:
            missing.append(_absent(rulebook, entry, clause))
        else:
            found.append(ClauseText(clause, words, _hash(squeezed(words))))
    source = BoundSource(document, entry.title, name, _source_hash(found), tuple(found))
    looked_for, wrong = _figures(rulebook, source, parsed, text)
    changed = tuple(_changes(before, source)) if before is not None else ()
    return Binding(
        source=source,
        clauses=len(found) + len(missing),
        figures=looked_for,
        missing=tuple(missing),
        wrong=tuple(wrong),
        changed=changed,
    )


def _absent(rulebook: Rulebook, document: Document, clause: str) -> Mismatch:
    rules = [item.id for item in document.clauses if item.clause == clause and item.id in rulebook.rules]
    concerned = f"；涉及规则 {'、'.join(rules)}" if rules else "；没有规则依据这一条"
    message = f"文本里找不到“{clause}”{concerned}；请核对文本是否完整、编号是否保留"
    return Mismatch("missing", clause, message)


def _figures(
    rulebook: Rulebook, source: BoundSource, parsed: DocumentText, whole: str
) -> tuple[int, list[Mismatch]]:
    document = rulebook.documents[source.document]
    looked_for: dict[tuple[str, str, str], bool] = {}
    wrong: list[Mismatch] = []
    for versions in rulebook.rules.values():
        for rule in versions:
            if rule.document != document.id:
                continue
            for name, value in _written_values(rule):
                clauses = _where(rule, value)
                key = (name, value.text, "、".join(clauses))
                if key in looked_for:
                    continue
                texts = [
                    words for clause in clauses if (words := source.text(clause) or locate(parsed, clause))
                ]
                # The day of issue stands under the notice, in no clause.
                wider = [*texts, whole] if value.value == document.issue_date else texts
                looked_for[key] = figure_in(value, wider) or _in_words(rule.parameters[name], value, texts)
                if not looked_for[key] and texts:
                    wrong.append(_figure_wrong(rule, name, value, clauses))
    return len(looked_for), wrong


def _written_values(rule: Rule) -> Iterator[tuple[str, DatedValue]]:
    """The values that the document itself should write: not those that are blank or our own reading."""
    for name, parameter in rule.parameters.items():
        for value in parameter.values:
            told = f"{value.basis} {parameter.meaning}"
            if value.value is not None and not any(word in told for word in _UNWRITTEN):
                yield name, value


def _in_words(parameter: Parameter, value: DatedValue, texts: Sequence[str]) -> bool:
    """Whether the clause has the words that the parameter's meaning quotes for its figure: “年度” for once a year.

    Only counts and days may be told in words; a quantity with a unit has to be written.
    """
    if value.unit is not None and value.unit.name != "无":
        return False
    quoted = _QUOTED.findall(f"{value.basis} {parameter.meaning}")
    return any(squeezed(words) in squeezed(text) for words in quoted for text in texts)


def _where(rule: Rule, value: DatedValue) -> tuple[str, ...]:
    """The clauses in which a figure should stand: those that its basis names, else the rule's own."""
    named = _CLAUSE_IN_BASIS.findall(value.basis)
    return tuple(dict.fromkeys(named)) or (rule.clause,)


def _figure_wrong(rule: Rule, name: str, value: DatedValue, clauses: Sequence[str]) -> Mismatch:
    meaning = rule.parameters[name].meaning
    aside = f"（{meaning}）" if meaning else ""
    message = (
        f"“{'、'.join(clauses)}”里没有“{name}”的数值 {value.text}{aside}；用到它的规则如 {rule.id}；"
        "请核对文本的版本，或者在参数的 basis 里写明是推定、默认口径"
    )
    return Mismatch("figure", clauses[0], message)


def _changes(before: BoundSource, now: BoundSource) -> Iterator[Mismatch]:
    old = {entry.clause: entry.hash for entry in before.clauses}
    new = {entry.clause: entry.hash for entry in now.clauses}
    for clause, digest in new.items():
        if clause not in old:
            yield Mismatch("new", clause, f"“{clause}”上次没有找到，这次有了")
        elif old[clause] != digest:
            yield Mismatch("changed", clause, f"“{clause}”的文字与上次绑定的不同")
    for clause in old:
        if clause not in new:
            yield Mismatch("gone", clause, f"“{clause}”上次有，这次没有了")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _source_hash(clauses: Iterable[ClauseText]) -> str:
    return _hash("\n".join(sorted(f"{entry.clause} {entry.hash}" for entry in clauses)))


# --- the store ------------------------------------------------------------------------------------------------


def default_store() -> Path:
    """The folder of bound texts: `$LANDRULES_HOME/sources`, else `~/.landrules/sources`."""
    return home() / "sources"


def save_source(source: BoundSource, store: Path) -> Path:
    """Keep a bound text, in place of an earlier one of the document; the same text gives the same file.

    Raises:
        OSError: when the folder cannot be written.
    """
    content = {
        "schema": SCHEMA,
        "document": source.document,
        "title": source.title,
        "name": source.name,
        "hash": source.hash,
        "clauses": [
            {"clause": entry.clause, "hash": entry.hash, "text": entry.text} for entry in source.clauses
        ],
    }
    store.mkdir(parents=True, exist_ok=True)
    path = store / f"{source.document}.json"
    beside = path.with_suffix(".json.tmp")
    beside.write_text(
        json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    beside.replace(path)
    return path


def load_sources(store: Path) -> Mapping[str, BoundSource]:
    """The bound texts by document; none where there is no such folder.

    Raises:
        InputError: naming every file that is damaged.
    """
    found: dict[str, BoundSource] = {}
    problems: list[Note] = []
    for path in sorted(store.glob("*.json")) if store.is_dir() else ():
        try:
            source = _source_of(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"绑定的原文损坏（{type(error).__name__}）；请用 landrules source add 重新绑定，或者删去这个文件"
            problems.append(Note("error", "source-damaged", message, Place(file=str(path))))
            continue
        found[source.document] = source
    if problems:
        raise InputError(*problems)
    return found


def _source_of(content: Mapping[str, Any]) -> BoundSource:
    if content["schema"] != SCHEMA:
        raise ValueError(content["schema"])
    clauses = tuple(ClauseText(entry["clause"], entry["text"], entry["hash"]) for entry in content["clauses"])
    if any(_hash(squeezed(entry.text)) != entry.hash for entry in clauses):
        raise ValueError("hash")
    if _source_hash(clauses) != content["hash"]:
        raise ValueError("hash")
    return BoundSource(content["document"], content["title"], content["name"], content["hash"], clauses)


def remove_source(document: str, store: Path) -> bool:
    """Forget the text of a document; False where there was none."""
    path = store / f"{document}.json"
    if not path.is_file():
        return False
    path.unlink()
    return True


# --- reports --------------------------------------------------------------------------------------------------


def with_clause_texts(report: Report, sources: Mapping[str, BoundSource]) -> Report:
    """The report with the clause's words in every finding that applies, and the hash of the text they are from.

    Findings that records share stay shared.
    """
    used = {ruleset.id: sources[ruleset.id] for ruleset in report.rulesets if ruleset.id in sources}
    if not used:
        return report
    texts = {(name, entry.clause): entry.text for name, source in used.items() for entry in source.clauses}
    known: dict[int, Finding] = {}
    records = tuple(
        replace(record, findings=tuple(_with_text(finding, texts, known) for finding in record.findings))
        for record in report.records
    )
    shown = {finding.document for finding in known.values() if finding.clause_text}
    rulesets = tuple(
        replace(ruleset, source=used[ruleset.id].hash) if ruleset.id in shown else ruleset
        for ruleset in report.rulesets
    )
    return replace(report, records=records, rulesets=rulesets)


def _with_text(finding: Finding, texts: Mapping[tuple[str, str], str], known: dict[int, Finding]) -> Finding:
    found = known.get(id(finding))
    if found is None:
        text = texts.get((finding.document, finding.clause), "") if _shows_text(finding) else ""
        found = known[id(finding)] = replace(finding, clause_text=text) if text else finding
    return found


def _shows_text(finding: Finding) -> bool:
    """Where a provision does not apply, or it is open whether it does, its words would only be in the way."""
    if finding.verdict is Verdict.OPEN:
        return finding.stage == "requirement"
    return finding.verdict in (Verdict.VIOLATED, Verdict.MET)
