"""The rulebook: all rulesets loaded, checked and compiled; every problem of every file in one error."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from landrules.engine.language import RuleTextError, Scope, parse
from landrules.engine.language.tree import Expression
from landrules.engine.rulebook.compile import Compiled, World, Written, compile_ruleset, full_id
from landrules.engine.rulebook.exceptions import apply_exceptions
from landrules.engine.rulebook.folders import Ruleset, find_folders, read_ruleset, shipped
from landrules.engine.rulebook.model import Clause, Document, Period, Place, Rule, Table
from landrules.engine.rulebook.parameters import reference_table
from landrules.engine.rulebook.schema import ClauseForm
from landrules.facts.fingerprints import reference_hash, vocabulary_hash
from landrules.facts.notes import InputError, Note
from landrules.facts.notes import Place as NotePlace
from landrules.facts.reference_tables import load_reference_tables
from landrules.facts.values import suggest
from landrules.facts.vocabulary import Vocabulary, load_vocabulary

__all__ = ["Rulebook", "RulebookError", "Workbench", "assemble"]


class RulebookError(InputError):
    """Rulesets that cannot be used; `notes` holds every problem of every file, with its place."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that verdicts rest on. `rules` maps `<document>/<rule>` to its versions, in order of their periods.

    `derivations` maps subject and fact keys to the expression used where a record leaves the fact empty.
    `hash` is over the contents of all documents, `data_hashes` tells the shipped vocabulary and reference tables.
    """

    vocabulary: Vocabulary
    documents: Mapping[str, Document]
    rules: Mapping[str, tuple[Rule, ...]]
    tables: Mapping[str, Table]
    derivations: Mapping[str, Mapping[str, Expression]]
    hash: str
    folders: tuple[Path, ...] = field(default=(), compare=False)
    worked_out: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)
    data_hashes: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, *paths: Path | str, subjects: Collection[str] | None = None) -> Self:
        """Load the rulesets at the paths (each one folder, or a folder of them); without paths the shipped ones.

        `subjects` limits the rules compiled to these subject keys or labels, which makes starting quicker.

        Raises:
            RulebookError: with every problem of every file.
        """
        bench = assemble(paths, subjects)
        if bench.problems:
            raise RulebookError(*bench.problems)
        versions = apply_exceptions(bench.compiled, bench.problems)
        if bench.problems:
            raise RulebookError(*bench.problems)
        documents = {
            ruleset.document.id: _document(ruleset, bench.world.vocabulary) for ruleset in bench.rulesets
        }
        return cls(
            vocabulary=bench.world.vocabulary,
            documents=documents,
            rules=versions,
            tables=bench.world.tables,
            derivations=bench.derivations,
            hash=_hash(documents),
            folders=tuple(ruleset.folder for ruleset in bench.rulesets),
            data_hashes={"vocabulary": vocabulary_hash(), "reference": reference_hash()},
        )

    def rules_for(self, subject: str) -> tuple[tuple[Rule, ...], ...]:
        """The rules of a subject (key or label), sorted by id, each with its versions."""
        found = self.vocabulary.subject(subject)
        key = found.key if found is not None else subject
        return tuple(versions for versions in self.rules.values() if versions[0].subject == key)


@dataclass(frozen=True, slots=True)
class Workbench:
    """Rulesets read and compiled with all their problems: what `Rulebook.load` and `lint` work on."""

    world: World
    rulesets: tuple[Ruleset, ...]
    compiled: tuple[Compiled, ...]
    written: tuple[Written, ...]
    derivations: Mapping[str, Mapping[str, Expression]]
    problems: list[Note]


def assemble(paths: Sequence[Path | str], subjects: Collection[str] | None = None) -> Workbench:
    """Read and compile; problems are gathered, not raised, unless the vocabulary itself cannot be read.

    Raises:
        RulebookError: when a vocabulary file is unusable, since nothing can be checked then.
    """
    problems: list[Note] = []
    folders = find_folders([Path(path) for path in paths] or [shipped()], problems)
    rulesets = tuple(ruleset for folder in folders if (ruleset := read_ruleset(folder, problems)))
    vocabulary = _vocabulary(rulesets, problems)
    reference = load_reference_tables()
    tables = {name: reference_table(table) for name, table in reference.items()}
    world = World(vocabulary, reference, tables)
    wanted = _subject_keys(subjects, vocabulary, problems)
    _check_ids(rulesets, problems)
    compiled: list[Compiled] = []
    written: list[Written] = []
    for ruleset in rulesets:
        compiled.extend(compile_ruleset(ruleset, world, wanted, problems, written))
        _check_clauses(ruleset, vocabulary, problems)
    derivations = _derivations(vocabulary, wanted, problems)
    return Workbench(world, rulesets, tuple(compiled), tuple(written), derivations, problems)


def _vocabulary(rulesets: Sequence[Ruleset], problems: list[Note]) -> Vocabulary:
    extra = [ruleset.facts for ruleset in rulesets if ruleset.facts is not None]
    try:
        return load_vocabulary(extra)
    except InputError as error:
        raise RulebookError(*problems, *error.notes) from error


def _subject_keys(
    subjects: Collection[str] | None, vocabulary: Vocabulary, problems: list[Note]
) -> frozenset[str] | None:
    if subjects is None:
        return None
    keys = set()
    for name in subjects:
        found = vocabulary.subject(name)
        if found is not None:
            keys.add(found.key)
            continue
        labels = tuple(subject.label for subject in vocabulary.subjects.values())
        near = suggest(name, (*labels, *vocabulary.subjects))
        hint = f"是否指{near}？" if near else ""
        problems.append(
            Note("error", "unknown-subject", f"没有“{name}”这种填报表；{hint}可用：{'、'.join(labels)}")
        )
    return frozenset(keys)


def _check_ids(rulesets: Sequence[Ruleset], problems: list[Note]) -> None:
    seen: dict[str, Ruleset] = {}
    for ruleset in rulesets:
        first = seen.setdefault(ruleset.document.id, ruleset)
        if first is not ruleset:
            message = f"文件标识“{ruleset.document.id}”已被“{first.folder.name}”使用；请换一个标识，或只载入其中一份"
            problems.append(Note("error", "duplicate-document", message, ruleset.source.place(("id",))))


def _check_clauses(ruleset: Ruleset, vocabulary: Vocabulary, problems: list[Note]) -> None:
    """Every entry has a rule or a reason, every rule an entry that says the same of it."""
    rules = {item.form.id: item for item in ruleset.rules}
    entries: dict[str, str] = {}
    for entry in ruleset.clauses:
        form = entry.form
        if form.id in entries:
            problems.append(
                Note("error", "duplicate-entry", f"条目“{form.id}”写了两次；请只留一个", entry.place)
            )
        entries[form.id] = form.id
        if form.subject and vocabulary.subject(form.subject) is None:
            labels = tuple(subject.label for subject in vocabulary.subjects.values())
            hint = (
                f"是否指{near}？" if (near := suggest(form.subject, labels)) else f"可用：{'、'.join(labels)}"
            )
            problems.append(
                Note("error", "unknown-subject", f"没有“{form.subject}”这种填报表；{hint}", entry.place)
            )
        if form.modality == "倡导" and form.strength != "鼓励":
            message = f"条目“{form.id}”：“倡导”的强度一律是“鼓励”，现为“{form.strength}”；请改一处"
            problems.append(Note("error", "strength", message, entry.place))
        item = rules.get(form.id)
        if item is None and not form.reason:
            message = f"条目“{form.id}”既没有规则也没有说明原因；请写规则，或在 reason 说明为何没有"
            problems.append(Note("error", "entry-without-rule", message, entry.place))
        if item is not None and form.reason:
            message = f"条目“{form.id}”已有规则，又写了没有规则的原因；请删去 reason"
            problems.append(Note("error", "entry-with-reason", message, entry.place))
        if item is not None:
            for name in ("clause", "modality", "strength", "checkable"):
                here, there = getattr(form, name), getattr(item.form, name)
                if here != there:
                    message = f"规则“{form.id}”的 {name} 是“{there}”，条款索引里是“{here}”；请改成一致"
                    problems.append(Note("error", "entry-differs", message, item.place(name)))
    for name, item in rules.items():
        if name not in entries:
            near = suggest(name, tuple(entries))
            hint = f"是否指{near}？" if near else ""
            message = f"规则“{name}”在 clauses.yaml 里没有同名条目；{hint}请补上条目"
            problems.append(Note("error", "rule-without-entry", message, item.place("id")))


def _derivations(
    vocabulary: Vocabulary, wanted: Collection[str] | None, problems: list[Note]
) -> dict[str, dict[str, Expression]]:
    found: dict[str, dict[str, Expression]] = {}
    columns = tuple(vocabulary.identifying)
    for subject in vocabulary.subjects.values():
        derived = {fact.key: fact.derivation for fact in subject.facts.values() if fact.derivation}
        if not derived or (wanted is not None and subject.key not in wanted):
            continue
        scope = Scope(subject, {}, {}, {}, columns)
        for key, text in derived.items():
            try:
                found.setdefault(subject.key, {})[key] = parse(text, scope)
            except RuleTextError as error:
                place = NotePlace(file=f"vocabulary/{subject.key}.yaml")
                label = subject.facts[key].label
                problems.extend(
                    Note("error", "rule-text", f"“{label}”的推导：{problem.message}", place)
                    for problem in error.problems
                )
    return found


def _document(ruleset: Ruleset, vocabulary: Vocabulary) -> Document:
    form = ruleset.document
    effective, jurisdiction = form.effective, form.jurisdiction
    return Document(
        id=form.id,
        title=form.title,
        number=form.number or "",
        issuer=form.issuer,
        issue_date=form.issue_date,
        period=Period(effective.from_, effective.to, effective.basis),
        presumed=effective.presumed,
        uncertain=tuple(Period(part.from_, part.to, part.why) for part in effective.uncertain),
        province=jurisdiction.province,
        city=jurisdiction.city,
        city_code=jurisdiction.city_code,
        places=tuple(Place(place.name, place.code, tuple(place.aliases)) for place in jurisdiction.districts),
        clauses=tuple(_clause(form.id, entry.form, vocabulary) for entry in ruleset.clauses),
        notes=tuple(form.notes),
        hash=ruleset.hash,
        doc_type=form.doc_type,
        source=form.source,
        references=tuple(form.references),
    )


def _clause(document: str, form: ClauseForm, vocabulary: Vocabulary) -> Clause:
    subject = vocabulary.subject(form.subject) if form.subject else None
    return Clause(
        id=full_id(document, form.id),
        clause=form.clause,
        topic=form.topic,
        summary=form.summary,
        kind=form.checkable,
        actor=form.actor,
        subject=subject.key if subject is not None else "",
        modality=form.modality,
        strength=form.strength,
        reason=form.reason,
        related=tuple(full_id(document, name) for name in form.related),
    )


def _hash(documents: Mapping[str, Document]) -> str:
    listed = "\n".join(f"{name} {documents[name].hash}" for name in sorted(documents))
    return hashlib.sha256(listed.encode()).hexdigest()
