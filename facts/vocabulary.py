"""The vocabulary: fact types, their keys, labels, units and allowed values, read from `facts/vocabulary/*.yaml`.

The names are a contract (DESIGN §6): `key` in JSON and HTTP, `label` in rules, workbooks, pages and Gherkin.
A city adds its own facts with further files of the same form (`extra`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from landrules.facts.notes import InputError, Note, Place
from landrules.facts.quantities import Dimension, Unit, find_unit, squash

__all__ = ["Fact", "FactType", "Subject", "Vocabulary", "load_vocabulary"]

FactType = Literal["bool", "enum", "set", "number", "integer", "date", "text"]
_TYPES = ("bool", "enum", "set", "number", "integer", "date", "text")
_HERE = Path(__file__).parent / "vocabulary"


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of the vocabulary. `unit` is the canonical unit of a number and decides its dimension.

    `values` are the allowed values of an enum or set; `format` is `YYYY-MM` for months written as text;
    `parameter` marks facts that a place configuration may supply; `derivation` is an expression of the rule
    language used where a record leaves the fact empty; `signed` allows negative numbers.

    `spellings` maps further ways to write a value to what they say, as values by fact key: `挂牌出让` says 供应方式
    and 取得方式. One that says something of other facts only (`城镇住宅用地`) leaves this fact open.
    """

    key: str
    label: str
    type: FactType
    unit: Unit
    definition: str
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    format: str | None = None
    parameter: bool = False
    derivation: str | None = None
    signed: bool = False
    spellings: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def numeric(self) -> bool:
        """True for number and integer facts."""
        return self.type in ("number", "integer")

    @property
    def dimension(self) -> Dimension:
        """Dimension of the canonical unit."""
        return self.unit.dimension


@dataclass(frozen=True, slots=True)
class Subject:
    """A fact type: one form, one row a matter. `facts` includes the common ones, in the order of the form.

    `aliases` are other names that people give the form (宗地供应 for 供地宗地).
    """

    key: str
    label: str
    definition: str
    facts: Mapping[str, Fact]
    names: Mapping[str, Fact] = field(repr=False, compare=False)
    aliases: tuple[str, ...] = ()

    def fact(self, name: str) -> Fact | None:
        """The fact of that key, label or alias (in this order of precedence), None when unknown."""
        return self.facts.get(name) or self.names.get(name)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All subjects by key, the columns that identify (name → aliases), and what imports.yaml says of tables."""

    subjects: Mapping[str, Subject]
    identifying: Mapping[str, tuple[str, ...]]
    imports: Mapping[str, Mapping[str, Any]]

    @property
    def not_facts(self) -> Mapping[str, str]:
        """Headings that are often met and mean none of the facts: name → why."""
        reasons: Mapping[str, str] = self.imports["every_table"]["not_facts"]
        return reasons

    @property
    def vague_terms(self) -> Sequence[str]:
        """Headings of a term that do not say whether land is granted or leased for it."""
        names: Sequence[str] = self.imports["every_table"]["terms_of_any_right"]
        return names

    def subject(self, name: str) -> Subject | None:
        """The subject of that key, Chinese label or alias (in this order of precedence), None when unknown."""
        found = self.subjects.get(name)
        if found is None:
            forms = self.subjects.values()
            found = next((form for form in forms if form.label == name), None)
            found = found or next((form for form in forms if name in form.aliases), None)
        return found


@dataclass(slots=True)
class _Form:
    """A fact type while its files are read."""

    label: str
    definition: str
    facts: list[Fact]
    aliases: list[str]


def load_vocabulary(extra: Iterable[Path] = ()) -> Vocabulary:
    """Read the shipped vocabulary and any `extra` files of a city's own facts.

    An extra file has the form of a subject file; facts of a subject that exists are added to it. A key or label
    that is already taken, an unknown type or an unknown unit is an error.

    Raises:
        InputError: with every problem of every file.
    """
    problems: list[Note] = []
    common = _facts(_HERE / "common.yaml", _read_shipped(_HERE / "common.yaml"), problems)
    imports = _read_shipped(_HERE / "imports.yaml")
    forms: dict[str, _Form] = {}
    shipped = sorted(
        path for path in _HERE.glob("*.yaml") if path.stem not in ("common", "identifying", "imports")
    )
    for path in [*shipped, *extra]:
        content = _read_shipped(path) if path.parent == _HERE else _read(path)
        facts = _facts(path, content, problems)
        key = str(content.get("key", ""))
        aliases = [str(alias) for alias in content.get("aliases") or ()]
        if key in forms:
            forms[key].facts.extend(facts)
            forms[key].aliases.extend(aliases)
        else:
            label, definition = str(content.get("label", key)), str(content.get("definition", ""))
            forms[key] = _Form(label, definition, facts, aliases)
    every_table = imports["every_table"]
    forms[every_table["subject"]].facts[:] = _with_spellings(
        forms[every_table["subject"]].facts, imports, every_table["values"]
    )
    subjects = {}
    for key, form in forms.items():
        subjects[key] = _subject(key, form, [*common, *form.facts], problems)
    _check_form_names(forms, problems)
    if problems:
        raise InputError(*problems)
    columns = _read_shipped(_HERE / "identifying.yaml")["columns"]
    identifying = {column["name"]: tuple(column["aliases"]) for column in columns}
    return Vocabulary(subjects, identifying, imports)


@cache
def _read_shipped(path: Path) -> dict[str, Any]:
    """A file of the package, which does not change while the program runs; the content is only read from."""
    return _read(path)


def _read(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader, with or without libyaml
    if not isinstance(content, dict):
        raise InputError(
            Note("error", "vocabulary-form", "词表文件应是“键: 值”的映射", Place(file=path.name))
        )
    return content


def _facts(path: Path, content: dict[str, Any], problems: list[Note]) -> list[Fact]:
    facts = []
    for item in content.get("facts") or []:
        unit = find_unit(str(item.get("unit", "无")))
        if unit is None or item.get("type") not in _TYPES or not item.get("key") or not item.get("label"):
            message = (
                f"事实“{item.get('label') or item.get('key')}”的类型或单位不认识；类型限 {'、'.join(_TYPES)}"
            )
            problems.append(Note("error", "vocabulary-fact", message, Place(file=path.name)))
            continue
        facts.append(
            Fact(
                key=item["key"],
                label=item["label"],
                type=item["type"],
                unit=unit,
                definition=item.get("definition", ""),
                aliases=tuple(item.get("aliases", ())),
                values=tuple(str(value) for value in item.get("values", ())),
                format=item.get("format"),
                parameter=bool(item.get("parameter", False)),
                derivation=item.get("derivation"),
                signed=bool(item.get("signed", False)),
            )
        )
    return facts


def _with_spellings(
    facts: Iterable[Fact], imports: Mapping[str, Any], groups: Iterable[Mapping[str, Any]]
) -> list[Fact]:
    """The facts, those of imports.yaml with the further ways to write their values."""
    spellings: dict[str, dict[str, Mapping[str, str]]] = {}
    for group in groups:
        published = imports["landchina_results"]["columns"][group["same_as"]]["map"]
        both = {squash(text): dict(meant) for text, meant in {**published, **group["map"]}.items()}
        spellings.update(dict.fromkeys(group["facts"], both))
    return [replace(fact, spellings=spellings.get(fact.key, {})) for fact in facts]


def _check_form_names(forms: Mapping[str, _Form], problems: list[Note]) -> None:
    taken: dict[str, str] = {}
    for key, form in forms.items():
        for name in (key, form.label, *form.aliases):
            if taken.setdefault(name, key) != key:
                message = f"填报表“{form.label}”的名称“{name}”已是“{forms[taken[name]].label}”的；请换一个"
                problems.append(Note("error", "vocabulary-duplicate", message))


def _subject(key: str, form: _Form, facts: list[Fact], problems: list[Note]) -> Subject:
    label = form.label
    by_key: dict[str, Fact] = {}
    names: dict[str, Fact] = {}
    for fact in facts:
        if fact.key in by_key or fact.label in names:
            message = f"“{label}”里事实“{fact.label}”（{fact.key}）重复；请换一个名称"
            problems.append(Note("error", "vocabulary-duplicate", message))
            continue
        by_key[fact.key] = fact
        names[fact.label] = fact
    for fact in facts:
        for alias in fact.aliases:
            names.setdefault(alias, fact)
    return Subject(key, label, form.definition, by_key, names, tuple(form.aliases))
