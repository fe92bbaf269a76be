"""`landrules lint`: what is wrong in rulesets (errors), what looks wrong (warnings), what could be tidier (info)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from landrules.engine.language.tree import (
    And,
    Compare,
    Defined,
    Expression,
    FactValue,
    Members,
    Not,
    NumberConstant,
    OneOf,
    TextConstant,
    TruthConstant,
    children,
    walk,
)
from landrules.engine.rulebook.compile import Compiled, Written
from landrules.engine.rulebook.exceptions import apply_exceptions
from landrules.engine.rulebook.folders import Ruleset
from landrules.engine.rulebook.formatting import canonical
from landrules.engine.rulebook.load import Rulebook, RulebookError, Workbench, assemble
from landrules.engine.rulebook.reading import Source
from landrules.facts.notes import Note, Place
from landrules.facts.quantities import format_fraction, format_quantity

__all__ = ["lint"]

_CALENDAR = range(1949, 2101)
_ORDER = {"error": 0, "warning": 1, "info": 2}


def lint(rulebook: Rulebook | None = None, paths: Sequence[Path | str] = ()) -> tuple[Note, ...]:
    """All messages for the rulesets of a rulebook or at the paths (the shipped ones without either), by place."""
    try:
        bench = assemble(rulebook.folders if rulebook is not None else paths)
    except RulebookError as error:
        return tuple(error.notes)
    notes = list(bench.problems)
    if not notes:
        apply_exceptions(bench.compiled, notes)
    # What is unused cannot be told while rules that may use it do not compile.
    if not any(note.severity == "error" for note in notes):
        notes.extend(_unused(bench))
    for written in bench.written:
        notes.extend(_bare_numbers(written))
        if not canonical(written):
            message = "写法不是规范写法；运行 landrules fmt 可自动改写"
            notes.append(Note("info", "not-canonical", message, written.source.place(written.where)))
    for compiled in bench.compiled:
        notes.extend(_dead_parts(compiled))
    for ruleset in bench.rulesets:
        notes.extend(_names(ruleset, bench.rulesets))
    return tuple(sorted(notes, key=_key))


def _key(note: Note) -> tuple[object, ...]:
    place = note.place
    return (
        place.file or "",
        place.row or 0,
        place.column or "",
        _ORDER[note.severity],
        note.code,
        note.message,
    )


def _unused(bench: Workbench) -> Iterable[Note]:
    defined: set[tuple[int, str]] = set()
    for written in bench.written:
        owner = id(written.source)
        nodes = tuple(walk(written.tree))
        defined.update((owner, node.name) for node in nodes if isinstance(node, Defined))
    for compiled in bench.compiled:
        used = set(compiled.rule.parameters)
        for name in compiled.own:
            if name not in used:
                place = compiled.item.place("parameters", name)
                yield Note(
                    "warning", "unused-parameter", f"参数“{name}”没有用到；请删去，或在表达式里使用", place
                )
    for ruleset in bench.rulesets:
        source = ruleset.shared_source
        if source is None:
            continue
        mine = [compiled.rule for compiled in bench.compiled if compiled.rule.document == ruleset.document.id]
        used = {name for rule in mine for name in rule.parameters}
        sources = {id(item.source) for item in ruleset.rules} | {id(source)}
        for name in ruleset.shared.parameters:
            if name not in used:
                message = f"共用参数“{name}”没有规则用到；请删去，或在规则里使用"
                yield Note("warning", "unused-parameter", message, source.place(("parameters", name)))
        for subject, texts in ruleset.shared.definitions.items():
            for name in texts:
                if not any((owner, name) in defined for owner in sources):
                    message = f"说法“{name}”没有规则用到；请删去，或在规则里使用"
                    place = source.place(("definitions", subject, name))
                    yield Note("warning", "unused-definition", message, place)


def _bare_numbers(written: Written) -> Iterable[Note]:
    for node in _own_nodes(written.tree):
        if not isinstance(node, NumberConstant) or _harmless(node):
            continue
        shown = format_quantity(node.value, node.unit)
        message = f"表达式里直接写了 {shown}；门槛请写成有名称的参数（parameters），便于核对和修订"
        yield Note("warning", "bare-number", message, _number_place(written.source, written, node))


def _own_nodes(node: Expression) -> Iterable[Expression]:
    """The nodes written in this text: definitions have a text of their own."""
    yield node
    if not isinstance(node, Defined):
        for child in children(node):
            yield from _own_nodes(child)


def _harmless(node: NumberConstant) -> bool:
    """Nothing, the whole, and a calendar year (统计年度 等于 2023 年) are no thresholds."""
    written = node.value / node.unit.factor
    pure = node.unit.dimension.dimensionless
    return node.value == 0 or (pure and node.value == 1) or (node.unit.name == "年" and written in _CALENDAR)


def _number_place(source: Source, written: Written, node: NumberConstant) -> Place:
    digits = format_fraction(node.value / node.unit.factor)
    offset = written.text.find(digits)
    if offset < 0:
        return source.place(written.where)
    before = written.text[:offset]
    return source.place(written.where, before.count("\n") + 1, offset - before.rfind("\n"))


def _dead_parts(compiled: Compiled) -> Iterable[Note]:
    rule, item = compiled.rule, compiled.item
    needs = _needs(rule.when)
    if needs is None or rule.when == TruthConstant(False):
        yield Note("warning", "dead-when", "适用条件自相矛盾，永远不成立；请检查", item.place("when"))
        return
    if rule.exclude is None:
        return
    excluded = _needs(And((rule.when, rule.exclude)))
    if excluded is None or rule.exclude == TruthConstant(False):
        message = "除外条件与适用条件矛盾，永远用不上；请删去或改写"
        yield Note("warning", "dead-exclude", message, item.place("exclude"))


def _needs(node: Expression) -> dict[str, frozenset[object]] | None:
    """Fact or definition → values it must have for the conjunction to hold; None when nothing fits."""
    found: dict[str, frozenset[object]] = {}
    for part in _conjuncts(node):
        need = _need(part)
        if need is None:
            continue
        name, values = need
        found[name] = found.get(name, values) & values
        if not found[name]:
            return None
    return found


def _conjuncts(node: Expression) -> Iterable[Expression]:
    if isinstance(node, And):
        for part in node.parts:
            yield from _conjuncts(part)
    else:
        yield node


def _need(node: Expression) -> tuple[str, frozenset[object]] | None:
    match node:
        case FactValue(key=key):
            return key, frozenset((True,))
        case Not(part=FactValue(key=key)):
            return key, frozenset((False,))
        case Compare(left=FactValue(key=key) | Defined(name=key), sign="=", right=TextConstant(value=value)):
            return key, frozenset((value,))
        case OneOf(item=FactValue(key=key) | Defined(name=key), members=Members(values=values)):
            return key, frozenset(values)
        case _:
            return None


def _names(ruleset: Ruleset, every: Collection[Ruleset]) -> Iterable[Note]:
    document = ruleset.document
    if ruleset.folder.name != document.id:
        message = f"文件标识“{document.id}”与文件夹名“{ruleset.folder.name}”不同；建议改成一致"
        yield Note("warning", "folder-name", message, ruleset.source.place(("id",)))
    if not document.effective.from_ and not document.effective.presumed:
        message = "文件没有施行日；请填 from，是推定的在 presumed 说明"
        yield Note("warning", "no-start", message, ruleset.source.place(("effective",)))
    known = {f"{other.document.id}/{entry.form.id}" for other in every for entry in other.clauses}
    loaded = {other.document.id for other in every}
    for item in ruleset.rules:
        for index, name in enumerate(item.form.related):
            whole = name if "/" in name else f"{document.id}/{name}"
            if whole not in known and whole.partition("/")[0] in loaded:
                message = f"关联的“{name}”不存在；请检查标识"
                yield Note("warning", "unknown-related", message, item.place("related", index))
