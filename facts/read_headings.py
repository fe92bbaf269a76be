"""Finds the heading row of a table and what each column means: a fact with a unit, or a column carried along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from landrules.facts.quantities import Unit, compatible, find_unit, normalise_text, squash
from landrules.facts.read_sources import Cell
from landrules.facts.vocabulary import Fact, Subject, Vocabulary

__all__ = [
    "Column",
    "Heading",
    "Names",
    "declared_units",
    "find_heading",
    "make_column",
    "names_of",
    "resolve",
    "score_row",
    "squash",
]

_HEADING_WITHIN = 25
_LONGEST_HEADING = 80
_LONGEST_UNIT = 8
_BRACKET = re.compile(r"[(\[【〔{]([^()\[\]【】〔〕{}]*)[)\]】〕}]$")
_DECORATION = re.compile(r"^[*★☆※•]+|[*★☆※•:：]+$")
_OTHER_STATE = re.compile(r"^原|前[)）]?$|变更|调整|上年|往年|历史|现状")
"""A group of columns that tells of another time than the matter itself: its area is not the area."""
_REMARKS = {
    "必填",
    "选填",
    "必填项",
    "选填项",
    "可选",
    "是/否",
    "是否",
    "下拉选择",
    "yyyy-mm-dd",
    "日期",
    "如有",
}
_UNIT_WORDS = re.compile(r"^(?:计量)?单位[:：]?")
_TABLE_UNITS = re.compile(r"单位\s*[:：]?\s*([^()（）\[\]【】]+)")
_PLAIN_NUMBER = re.compile(r"[\d.,:/%\s-]*")
_JOINTS = "/、,，:：_-—|"
_COMMON = ("district", "city", "as_of_date", "action_date", "deviation_justified")


@dataclass(frozen=True, slots=True)
class Names:
    """Every way to write a column of one fact type, as squashed text: facts, and columns that identify.

    `units` holds the units that belong to an alias (`成交价格(万元)`), `vague` the names of a term that do not say
    whether land is granted or leased for it, `explained` the headings known to mean something else, with the reason.
    """

    subject: Subject
    facts: Mapping[str, Fact]
    units: Mapping[str, Unit]
    identifying: Mapping[str, str]
    vague: frozenset[str] = frozenset()
    explained: Mapping[str, str] = field(default_factory=dict)

    def reason(self, heading: str) -> str:
        """Why a heading that is often met means none of the facts, empty where nothing is known of it."""
        return next((self.explained[text] for text, _, _ in _forms(heading) if text in self.explained), "")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `heading` as shown to people, `fact` and `unit` where it is judged.

    `carry` is the name under which its text is carried along where it is not judged; `known` tells an identifying
    column from an unknown one. `mapping` (imported tables) turns a written value into values of several facts by key.
    `vague` marks a term that holds for a grant only where the row grants land.
    """

    index: int
    heading: str
    fact: Fact | None = None
    unit: Unit | None = None
    carry: str = ""
    known: bool = False
    mapping: Mapping[str, Mapping[str, str]] | None = None
    vague: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a table: rows `first` to `last` (positions in the grid), and the columns."""

    first: int
    last: int
    columns: tuple[Column, ...]
    score: float


def names_of(vocabulary: Vocabulary, subject: Subject) -> Names:
    """The names of the columns of `subject`: keys, labels, aliases, and aliases without their unit in brackets.

    So `面积(公顷)`, an alias, makes `面积` and `面积(亩)` known too.
    """
    facts: dict[str, Fact] = {}
    units: dict[str, Unit] = {}
    for fact in subject.facts.values():
        facts.setdefault(squash(fact.key), fact)
    for fact in subject.facts.values():
        facts.setdefault(squash(fact.label), fact)
    stems: dict[str, Fact] = {}
    for fact in subject.facts.values():
        for alias in fact.aliases:
            name = squash(alias)
            match = _BRACKET.search(name)
            unit = find_unit(match[1]) if match else None
            if facts.setdefault(name, fact) is fact and match and unit:
                units[name] = unit
                stems.setdefault(name[: match.start()], fact)
    for stem, fact in stems.items():
        facts.setdefault(stem, fact)
    identifying: dict[str, str] = {}
    for name, aliases in vocabulary.identifying.items():
        for spelling in (name, *aliases):
            identifying.setdefault(squash(spelling), name)
    vague = frozenset(squash(name) for name in vocabulary.vague_terms)
    explained = {squash(name): reason for name, reason in vocabulary.not_facts.items()}
    return Names(subject, facts, units, identifying, vague, explained)


def make_column(index: int, heading: str, names: Names) -> Column:
    """The column of that heading: its fact and unit, or the name under which it is carried along."""
    fact, unit, carry = resolve(heading, names)
    vague = fact is not None and any(text in names.vague for text, _, _ in _forms(heading))
    return Column(
        index, heading, fact, unit, carry or ("" if fact else heading), known=bool(carry), vague=vague
    )


def resolve(heading: str, names: Names) -> tuple[Fact | None, Unit | None, str]:
    """Fact, unit and name of the identifying column that a heading means; (None, None, '') for an unknown one.

    Understands `面积(公顷)`, `出让底价（万元/亩）`, `出让底价 万元/亩`, `租期/年`, `面积（单位：亩）`, `宗地面积*（必填）`. A bracket
    that is neither a unit nor such a remark changes the meaning (`面积（含代征道路）`), so the heading is then unknown.
    """
    return _lookup(_forms(heading), names)


def find_heading(
    rows: Sequence[tuple[int, Sequence[Cell]]], candidates: Sequence[Names]
) -> tuple[Names, Heading] | None:
    """The fact type and the row, or pair of rows with merged parents, that name the most columns.

    Among equals the first of `candidates` wins. None when no row names enough. A unit row directly below belongs to
    the heading.
    """
    every = _every_name(candidates)
    best: tuple[float, Names, int, int, list[str]] | None = None
    texts = [_texts(cells) for _, cells in rows[: _HEADING_WITHIN + 1]]
    for start in range(min(len(rows), _HEADING_WITHIN)):
        for depth in (1, 2):
            if start + depth > len(texts) or (depth == 1 and _groups(texts[start : start + 2])):
                continue
            headings = texts[start] if depth == 1 else _joined(texts[start], texts[start + 1], every)
            promising = [
                forms for text in headings if text and (forms := _forms(text)) and _any_known(forms, every)
            ]
            if not promising:
                continue
            filled = sum(1 for text in headings if text)
            for names in candidates:
                score = _score(promising, filled, names) - (depth - 1) / 4
                if score > (best[0] if best else 0):
                    best = score, names, start, depth, headings
    if best is None:
        return None
    score, names, start, depth, headings = best
    columns = tuple(make_column(index, text, names) for index, text in enumerate(headings) if text)
    heading = _with_unit_row(rows, Heading(start, start + depth - 1, columns, score))
    return names, _with_declared(heading, declared_units(rows[:start]))


def _with_declared(heading: Heading, units: Sequence[Unit]) -> Heading:
    """Columns without a unit of their own in the unit that the table declares for their kind, if it declares just one."""

    def declared(column: Column) -> Column:
        if column.fact is None or not column.fact.numeric or column.unit is not None:
            return column
        fitting = [unit for unit in units if compatible(unit.dimension, column.fact.dimension)]
        return replace(column, unit=fitting[0]) if len(fitting) == 1 else column

    return replace(heading, columns=tuple(map(declared, heading.columns)))


def declared_units(rows: Sequence[tuple[int, Sequence[Cell]]]) -> tuple[Unit, ...]:
    """The units that a line above the headings gives for the whole table: `单位：公顷、万元`."""
    found: dict[str, Unit] = {}
    for _, cells in rows:
        for cell in cells:
            if not isinstance(cell, str):
                continue
            for match in _TABLE_UNITS.finditer(normalise_text(cell)):
                parts = [re.sub(r"^.*[:：]", "", part) for part in re.split(r"[、,，;；\s]+", match[1])]
                pieces = [
                    piece for part in parts for piece in ((part,) if find_unit(part) else part.split("/"))
                ]
                for unit in map(find_unit, pieces):
                    if unit is not None and unit.name != "无":
                        found[unit.name] = unit
    return tuple(found.values())


def score_row(candidates: Sequence[Names]) -> Callable[[Sequence[Cell]], int]:
    """How much a row looks like headings: the number of its cells that name something in any of the forms."""
    every = _every_name(candidates)
    return lambda cells: sum(_any_known(_forms(cell), every) for cell in cells if isinstance(cell, str))


def _every_name(candidates: Sequence[Names]) -> set[str]:
    every: set[str] = set()
    for names in candidates:
        every.update(names.facts, names.identifying)
    return every


_Forms = tuple[tuple[str, Unit | None, bool], ...]


def _forms(heading: str) -> _Forms:
    """What the name in a heading may be, best first: name, unit beside it, and whether the unit stood without brackets."""
    if len(heading) > _LONGEST_HEADING or _PLAIN_NUMBER.fullmatch(heading):
        return ()
    text = squash(heading)
    unit: Unit | None = None
    forms: list[tuple[str, Unit | None, bool]] = []
    while text:
        forms.append((text, unit, False))
        stripped = _DECORATION.sub("", text)
        if stripped != text:
            text = stripped
            continue
        match = _BRACKET.search(text)
        if match is None:
            break
        content = _UNIT_WORDS.sub("", match[1])
        found = find_unit(content) if content else None
        if found is None and content not in _REMARKS:
            return tuple(forms)
        unit = unit or found
        text = text[: match.start()]
    if unit is None:
        for length in range(min(_LONGEST_UNIT, len(text) - 1), 0, -1):
            found = find_unit(text[-length:])
            if found is not None:
                forms.append((text[:-length].rstrip(_JOINTS), found, True))
    return tuple(forms)


def _lookup(forms: _Forms, names: Names) -> tuple[Fact | None, Unit | None, str]:
    for text, unit, bare in forms:
        fact = names.facts.get(text)
        if fact is not None and (fact.numeric or not bare):
            return fact, unit or names.units.get(text), ""
        if text in names.identifying and unit is None:
            return None, None, names.identifying[text]
    return None, None, ""


def _any_known(forms: _Forms, known: Iterable[str]) -> bool:
    return any(text in known for text, _, _ in forms)


def _score(promising: Sequence[_Forms], filled: int, names: Names) -> float:
    """Facts count one, identifying columns half; nothing without a fact of the form's own, or with one lone match."""
    facts: set[str] = set()
    carried: set[str] = set()
    for forms in promising:
        fact, _, carry = _lookup(forms, names)
        if fact is not None:
            facts.add(fact.key)
        elif carry:
            carried.add(carry)
    if not facts.difference(_COMMON) or len(facts) + len(carried) < min(2, filled):
        return 0
    # A common fact (行政区) speaks for no form in particular.
    return len(facts) + len(carried) / 2


def _texts(cells: Sequence[Cell]) -> list[str]:
    return [re.sub(r"\s*\n\s*", "", cell).strip() if isinstance(cell, str) else "" for cell in cells]


def _joined(parents: list[str], children: list[str], known: set[str]) -> list[str]:
    """One heading a column from two rows: a parent reaches right over the children that have none of their own."""
    if not any(children):
        return []
    width = max(len(parents), len(children))
    parents = parents + [""] * (width - len(parents))
    children = children + [""] * (width - len(children))
    headings = []
    parent = ""
    for above, below in zip(parents, children, strict=True):
        parent = above or (parent if below else "")
        if not below or not parent:
            headings.append(above or below)
            continue
        options = [f"{parent}({below})", parent + below, *([] if _OTHER_STATE.search(parent) else [below])]
        headings.append(next((name for name in options if _any_known(_forms(name), known)), parent + below))
    return headings


def _groups(texts: Sequence[list[str]]) -> bool:
    """True where the row below stands under groups: a text under a heading, one under the gap beside it, none under others."""
    if len(texts) < 2:  # noqa: PLR2004 - the last row
        return False
    width = max(map(len, texts))
    above, below = (row + [""] * (width - len(row)) for row in texts)
    if any(_PLAIN_NUMBER.fullmatch(text) for text in below if text):
        return False
    named = [bool(text) and find_unit(text) is None for text in below]
    spread = any(above[at - 1] and not above[at] and named[at - 1] and named[at] for at in range(1, width))
    return spread and any(text and not under for text, under in zip(above, below, strict=True))


def _with_unit_row(rows: Sequence[tuple[int, Sequence[Cell]]], heading: Heading) -> Heading:
    if heading.last + 1 >= len(rows):
        return heading
    units: dict[int, Unit] = {}
    for index, cell in enumerate(rows[heading.last + 1][1]):
        if cell is None:
            continue
        text = normalise_text(cell).strip("()[]【】 ") if isinstance(cell, str) else "?"
        if text in ("", "/", "-", "—"):
            continue
        unit = find_unit(_UNIT_WORDS.sub("", text))
        if unit is None:
            return heading
        units[index] = unit
    if all(unit.name == "无" for unit in units.values()):
        return heading
    columns = tuple(
        replace(column, unit=column.unit or units.get(column.index)) for column in heading.columns
    )
    return Heading(heading.first, heading.last + 1, columns, heading.score)
