"""Finds and reads ruleset folders: one folder per document, every file checked against its schema."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from landrules.engine.rulebook.reading import Source, Tree, Where, read_file
from landrules.engine.rulebook.schema import (
    ClauseForm,
    ClausesFile,
    DocumentFile,
    ParametersFile,
    RuleForm,
    RulesFile,
    check,
)
from landrules.facts.notes import InputError, Note, Place

__all__ = ["ClauseItem", "RuleItem", "Ruleset", "find_folders", "read_ruleset", "rule_files", "shipped"]

_FILES = ("clauses.yaml", "document.yaml", "facts.yaml", "parameters.yaml", "rules.yaml")


@dataclass(frozen=True, slots=True)
class RuleItem:
    """One rule as written, with the file it stands in and its path there."""

    form: RuleForm
    source: Source
    where: Where

    def place(self, *steps: str | int) -> Place:
        """The place of a part of the rule."""
        return self.source.place((*self.where, *steps))


@dataclass(frozen=True, slots=True)
class ClauseItem:
    """One entry of the clause index as written, with its place."""

    form: ClauseForm
    place: Place


@dataclass(frozen=True, slots=True)
class Ruleset:
    """One folder as read: forms with their places, nothing compiled. `hash` is over the contents alone."""

    folder: Path
    document: DocumentFile
    source: Source
    clauses: tuple[ClauseItem, ...]
    rules: tuple[RuleItem, ...]
    shared: ParametersFile
    shared_source: Source | None
    facts: Path | None
    hash: str


def shipped() -> Path:
    """The folder of the rulesets that come with the package."""
    return Path(str(files("landrules.rulesets")))


def find_folders(paths: Iterable[Path], problems: list[Note]) -> tuple[Path, ...]:
    """The ruleset folders at the paths: each path is one, or holds some."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            message = "没有这个规则集文件夹；请检查路径（规则集是含 document.yaml 的文件夹）"
            problems.append(Note("error", "ruleset-missing", message, Place(file=path.name)))
            continue
        inside = sorted(sub for sub in path.iterdir() if sub.is_dir() and any(sub.glob("*.y*ml")))
        folders = [path] if (path / "document.yaml").is_file() or not inside else inside
        found.update(dict.fromkeys(folder.resolve() for folder in folders))
    return tuple(found)


def rule_files(folder: Path) -> tuple[Path, ...]:
    """`rules.yaml` and the files under `rules/`, in a fixed order."""
    single = folder / "rules.yaml"
    several = sorted((folder / "rules").glob("*.yaml"))
    return (*((single,) if single.is_file() else ()), *several)


def read_ruleset(folder: Path, problems: list[Note]) -> Ruleset | None:
    """Read and check all files of a folder; None where its document cannot be used, every problem noted."""
    _unknown_files(folder, problems)
    contents: dict[str, list[Tree]] = {}

    def read(path: Path) -> Source | None:
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        try:
            source = read_file(path, name)
        except InputError as error:
            problems.extend(error.notes)
            return None
        kind = "rules" if path.name == "rules.yaml" or path.parent.name == "rules" else path.stem
        contents.setdefault(kind, []).append(source.content)
        return source

    document_source = read(folder / "document.yaml")
    document = check(document_source, DocumentFile, problems) if document_source else None
    clauses_source = read(folder / "clauses.yaml")
    clauses = _clauses(clauses_source, problems) if clauses_source else ()
    rules: list[RuleItem] = []
    for path in rule_files(folder):
        if source := read(path):
            rules.extend(_rules(source, problems))
    shared_source = read(folder / "parameters.yaml") if (folder / "parameters.yaml").is_file() else None
    shared = check(shared_source, ParametersFile, problems) if shared_source else None
    facts = folder / "facts.yaml" if (folder / "facts.yaml").is_file() else None
    if facts is not None and read(facts) is None:
        facts = None
    if document is None or document_source is None:
        return None
    return Ruleset(
        folder=folder,
        document=document,
        source=document_source,
        clauses=clauses,
        rules=tuple(rules),
        shared=shared or ParametersFile(),
        shared_source=shared_source,
        facts=facts,
        hash=_content_hash(contents),
    )


def _rules(source: Source, problems: list[Note]) -> list[RuleItem]:
    form = check(source, RulesFile, problems)
    if form is None:
        return []
    return [RuleItem(rule, source, ("rules", index)) for index, rule in enumerate(form.rules)]


def _clauses(source: Source, problems: list[Note]) -> tuple[ClauseItem, ...]:
    form = check(source, ClausesFile, problems)
    if form is None:
        return ()
    items = enumerate(form.entries)
    return tuple(ClauseItem(entry, source.place(("entries", index))) for index, entry in items)


def _unknown_files(folder: Path, problems: list[Note]) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yaml", ".yml") and path.name not in _FILES:
            message = (
                f"规则集里没有“{path.name}”这种文件，不会被读取；可用：{'、'.join(_FILES)} 和 rules/*.yaml"
            )
            problems.append(Note("error", "ruleset-file", message, Place(file=f"{folder.name}/{path.name}")))


def _content_hash(contents: Mapping[str, list[Tree]]) -> str:
    """SHA-256 over what the files say: not over their order, comments, layout or line ends."""
    merged: dict[str, Tree] = {}
    for kind, trees in contents.items():
        parts = [_normal(tree) for tree in trees]
        if kind in ("rules", "clauses"):
            key = "rules" if kind == "rules" else "entries"
            items = [item for part in parts if isinstance(part, dict) for item in part.get(key) or []]
            merged[kind] = sorted(items, key=_canonical)
        else:
            merged[kind] = parts[0]
    return hashlib.sha256(_canonical(merged).encode()).hexdigest()


def _canonical(tree: object) -> str:
    return json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _normal(tree: Tree) -> Tree:
    match tree:
        case str():
            return " ".join(tree.split())
        case list():
            return [_normal(item) for item in tree]
        case dict():
            return {key: _normal(value) for key, value in tree.items()}
        case None:
            return None
