"""Compiles the rules of a ruleset: texts to typed trees, names to what they stand for, every problem noted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from landrules.engine.language import DATE, TRUTH, Kind, RuleTextError, Scope, deadline, parse, write
from landrules.engine.language.tree import (
    And,
    Deadline,
    Expression,
    Lookup,
    ParameterValue,
    TruthConstant,
    walk,
)
from landrules.engine.rulebook.folders import RuleItem, Ruleset
from landrules.engine.rulebook.model import (
    Ambiguity,
    Parameter,
    Period,
    Rule,
    RuleText,
    Table,
)
from landrules.engine.rulebook.parameters import overlap, read_parameters, table_kind
from landrules.engine.rulebook.reading import Source, Where
from landrules.engine.rulebook.schema import EffectiveForm, RuleEffectiveForm
from landrules.facts.notes import Note
from landrules.facts.reference_tables import ReferenceTable
from landrules.facts.values import suggest
from landrules.facts.vocabulary import Subject, Vocabulary

__all__ = ["UNDATED_SUBJECTS", "Compiled", "World", "Written", "compile_ruleset", "full_id"]

UNDATED_SUBJECTS = frozenset(("annual_indicator", "milestone_task", "work_mechanism", "spatial_plan"))
"""Subjects whose periods stand in the rules themselves: no date gate (CONVENTIONS §4)."""

_GATE = "action_date"


@dataclass(frozen=True, slots=True)
class World:
    """What every ruleset is compiled against."""

    vocabulary: Vocabulary
    reference: Mapping[str, ReferenceTable]
    tables: Mapping[str, Table]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule version with the item it was compiled from and the names of its parameters that are its own."""

    rule: Rule
    item: RuleItem
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """An expression as it stands in a file, with what it was read in and as."""

    source: Source
    where: Where
    scope: Scope
    text: str
    tree: Expression


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the rules of one subject of a ruleset share."""

    subject: Subject
    parameters: Mapping[str, Parameter]
    kinds: Mapping[str, Kind]
    definitions: Mapping[str, Expression]
    scope: Scope


@dataclass(slots=True)
class _Compiler:
    world: World
    ruleset: Ruleset
    problems: list[Note]
    written: list[Written]
    shared: dict[str, _Shared] = field(default_factory=dict)


def compile_ruleset(
    ruleset: Ruleset,
    world: World,
    subjects: Collection[str] | None,
    problems: list[Note],
    written: list[Written],
) -> tuple[Compiled, ...]:
    """The rules of a ruleset, of the wanted subjects only; exceptions are not yet worked in.

    What is wrong goes to `problems`, every expression read to `written`.
    """
    compiler = _Compiler(world, ruleset, problems, written)
    source = ruleset.shared_source or ruleset.source
    parameters, kinds = read_parameters(ruleset.shared.parameters, source, ("parameters",), problems)
    problems.extend(
        _unknown_subject(name, world, source, ("definitions", name))
        for name in ruleset.shared.definitions
        if world.vocabulary.subject(name) is None
    )
    found = []
    for item in ruleset.rules:
        subject = world.vocabulary.subject(item.form.subject)
        if subject is None:
            place = ("subject",)
            problems.append(_unknown_subject(item.form.subject, world, item.source, (*item.where, *place)))
            continue
        if subjects is not None and subject.key not in subjects:
            continue
        if subject.key not in compiler.shared:
            compiler.shared[subject.key] = _share(compiler, subject, parameters, kinds)
        rule = _compile(compiler, item, compiler.shared[subject.key])
        if rule is not None:
            found.append(Compiled(rule, item, tuple(item.form.parameters)))
    _check_versions(found, problems)
    return tuple(found)


def _unknown_subject(name: str, world: World, source: Source, where: Where) -> Note:
    labels = tuple(subject.label for subject in world.vocabulary.subjects.values())
    near = suggest(name, (*labels, *world.vocabulary.subjects))
    hint = f"是否指{near}？" if near else ""
    return Note(
        "error",
        "unknown-subject",
        f"没有“{name}”这种填报表；{hint}可用：{'、'.join(labels)}",
        source.place(where),
    )


def _share(
    compiler: _Compiler, subject: Subject, parameters: Mapping[str, Parameter], kinds: Mapping[str, Kind]
) -> _Shared:
    source = compiler.ruleset.shared_source
    definitions: dict[str, Expression] = {}
    for name, texts in compiler.ruleset.shared.definitions.items():
        found = compiler.world.vocabulary.subject(name)
        if source is None or found is None or found.key != subject.key:
            continue
        for title, text in texts.items():
            where: Where = ("definitions", name, title)
            if _taken(title, subject, kinds, definitions):
                message = f"“{title}”这个名称已经用作事实、参数或说法；请换一个"
                compiler.problems.append(Note("error", "name-taken", message, source.place(where)))
                continue
            scope = _scope(compiler, subject, kinds, definitions)
            body = _read(compiler, text, scope, source, where, None)
            if body is not None:
                definitions[title] = body
    for name in kinds:
        if subject.fact(name) is not None and source is not None:
            message = f"参数“{name}”与“{subject.label}”的事实同名；请换一个名称"
            compiler.problems.append(Note("error", "name-taken", message, source.place(("parameters", name))))
    return _Shared(subject, parameters, kinds, definitions, _scope(compiler, subject, kinds, definitions))


def _taken(name: str, subject: Subject, *others: Collection[str]) -> bool:
    return subject.fact(name) is not None or any(name in other for other in others)


def _scope(
    compiler: _Compiler, subject: Subject, kinds: Mapping[str, Kind], definitions: Mapping[str, Expression]
) -> Scope:
    tables = {name: table_kind(table) for name, table in compiler.world.reference.items()}
    columns = tuple(compiler.world.vocabulary.identifying)
    return Scope(subject, dict(kinds), tables, dict(definitions), columns)


def _read(
    compiler: _Compiler,
    text: str,
    scope: Scope,
    source: Source,
    where: Where,
    kind: Kind | None = TRUTH,
) -> Expression | None:
    try:
        tree = parse(text, scope, kind)
    except RuleTextError as error:
        for problem in error.problems:
            place = source.place(where, problem.line or 0, problem.column or 0)
            compiler.problems.append(Note("error", "rule-text", problem.message, place))
        return None
    compiler.written.append(Written(source, where, scope, text, tree))
    return tree


def _compile(compiler: _Compiler, item: RuleItem, shared: _Shared) -> Rule | None:
    form, ruleset, problems = item.form, compiler.ruleset, compiler.problems
    before = len(problems)
    own, kinds = read_parameters(form.parameters, item.source, (*item.where, "parameters"), problems)
    for name in own:
        if _taken(name, shared.subject, shared.kinds, shared.definitions):
            message = f"参数“{name}”与事实、共用参数或说法同名；请换一个名称"
            problems.append(Note("error", "name-taken", message, item.place("parameters", name)))
    every = {**shared.parameters, **own}
    scope = shared.scope
    if own:
        scope = _scope(compiler, shared.subject, {**shared.kinds, **kinds}, shared.definitions)

    def read(text: str, *steps: str) -> Expression | None:
        return _read(compiler, text, scope, item.source, (*item.where, *steps)) if text else None

    when, exclude, unless = (
        read(form.when, "when"),
        read(form.exclude, "exclude"),
        read(form.unless, "unless"),
    )
    require = read(form.require, "require")
    term = _deadline(compiler, item, scope)
    gate = _gate_fact(item, shared.subject, problems)
    _check_form(item, shared.subject, compiler, problems)
    if when is None or len(problems) > before:
        return None
    texts = {
        "when": when,
        "exclude": exclude,
        "require": require,
        "due": term and term.due,
        "done": term and term.done,
        "done_flag": term and term.flag,
        "unless": unless,
    }
    wanted = [part for part in (require, term) if part is not None]
    document = ruleset.document
    effective = form.effective
    return Rule(
        id=f"{document.id}/{form.id}",
        document=document.id,
        title=form.title,
        clause=form.clause,
        subject=shared.subject.key,
        modality=form.modality,
        strength=form.strength,
        kind=form.checkable,
        when=when,
        exclude=exclude,
        require=And(tuple(wanted)) if len(wanted) > 1 else wanted[0] if wanted else TruthConstant(True),
        unless=unless,
        period=Period(
            *_own_days(effective, document.effective),
            effective.basis or document.effective.basis,
        ),
        gate_fact=gate,
        closed=form.deviation == "closed",
        text=RuleText(
            **{name: write(tree, scope) if tree is not None else "" for name, tree in texts.items()}
        ),
        parameters=_used_parameters((when, exclude, require, term, unless), every),
        tables=_used_tables((when, exclude, require, term, unless), compiler.world.tables),
        derived=form.derived,
        boundary=form.boundary,
        consequence=form.consequence,
        ambiguities=tuple(Ambiguity(reading.issue, reading.default) for reading in form.ambiguity),
        related=tuple(full_id(document.id, name) for name in form.related),
        exception_to=tuple(full_id(document.id, name) for name in form.exception_to),
        conflicts=tuple(form.conflicts),
        flagship=form.flagship,
    )


def full_id(document: str, name: str) -> str:
    """`<document>/<rule>` of a name that may leave the document out."""
    return name if "/" in name else f"{document}/{name}"


def _deadline(compiler: _Compiler, item: RuleItem, scope: Scope) -> Deadline | None:
    form = item.form.deadline
    if form is None:
        return None
    parts = (("due", form.due, DATE), ("done", form.done, DATE), ("done_flag", form.done_flag, TRUTH))
    trees = {
        name: _read(compiler, text, scope, item.source, (*item.where, "deadline", name), kind)
        for name, text, kind in parts
        if text
    }
    due, done, flag = trees["due"], trees["done"], trees.get("done_flag")
    if due is None or done is None or (flag is None and form.done_flag):
        return None
    try:
        return deadline(due, done, flag, scope)
    except RuleTextError as error:
        place = item.place("deadline")
        compiler.problems.extend(Note("error", "rule-text", found.message, place) for found in error.problems)
        return None


def _gate_fact(item: RuleItem, subject: Subject, problems: list[Note]) -> str | None:
    name = item.form.gate_fact
    if name in ("none", "无") or (not name and subject.key in UNDATED_SUBJECTS):
        return None
    fact = subject.fact(name or _GATE)
    if fact is None or fact.type != "date":
        dates = tuple(fact.label for fact in subject.facts.values() if fact.type == "date")
        near = suggest(name, dates)
        hint = f"是否指{near}？" if near else ""
        message = (
            f"“{name}”不是“{subject.label}”的日期事实；{hint}可填：{'、'.join(dates)}，不看日期的填 none"
        )
        problems.append(Note("error", "unknown-fact", message, item.place("gate_fact")))
        return None
    return fact.key


def _own_days(own: RuleEffectiveForm, document: EffectiveForm) -> tuple[date | None, date | None]:
    """From and to of a rule: its own where it gives them (`to:` left blank is open), else those of the document."""
    start = own.from_ if own.from_ is not None else document.from_
    end = own.to if "to" in own.model_fields_set else document.to
    return start, end


def _check_form(item: RuleItem, subject: Subject, compiler: _Compiler, problems: list[Note]) -> None:
    form = item.form
    if form.modality == "倡导" and form.strength != "鼓励":
        message = f"“倡导”的强度一律是“鼓励”，现为“{form.strength}”；请改强度，或改为义务、程序"
        problems.append(Note("error", "strength", message, item.place("strength")))
    if not form.require and form.deadline is None:
        message = "既没有 require 也没有 deadline：适用即符合，判断不了什么；请写合规要求"
        problems.append(Note("error", "no-requirement", message, item.place()))
    if form.checkable == "deadline" and form.deadline is None and not form.require:
        message = "checkable 是 deadline，却没有期限要求；请写 deadline"
        problems.append(Note("error", "no-requirement", message, item.place("checkable")))
    document = compiler.ruleset.document.effective
    own = Period(*_own_days(form.effective, document))
    whole = Period(document.from_, document.to)
    if own.start and own.end and own.end < own.start:
        message = f"起止日颠倒（{own.describe()}）；请改 from、to"
        problems.append(Note("error", "period", message, item.place("effective")))
    elif not own.within(whole) and subject.key not in UNDATED_SUBJECTS and not form.effective.basis:
        message = f"规则的起止日（{own.describe()}）超出文件的（{whole.describe()}）；请改规则或 document.yaml，确有依据的写 basis"
        problems.append(Note("error", "period", message, item.place("effective")))


def _used_parameters(
    parts: Iterable[Expression | None], every: Mapping[str, Parameter]
) -> dict[str, Parameter]:
    nodes = (node for part in parts if part is not None for node in walk(part))
    used = {node.name for node in nodes if isinstance(node, ParameterValue)}
    return {name: every[name] for name in every if name in used}


def _used_tables(parts: Iterable[Expression | None], every: Mapping[str, Table]) -> dict[str, Table]:
    nodes = (node for part in parts if part is not None for node in walk(part))
    used = {node.table for node in nodes if isinstance(node, Lookup)}
    return {name: every[name] for name in every if name in used}


def _check_versions(found: Iterable[Compiled], problems: list[Note]) -> None:
    versions: dict[str, list[Compiled]] = {}
    for compiled in found:
        versions.setdefault(compiled.rule.id, []).append(compiled)
    for name, several in versions.items():
        clash = overlap([compiled.rule.period for compiled in several])
        if clash:
            shown = "，".join(f"{period.describe()}" for period in clash)
            message = f"规则“{name}”的两个版本时段重叠（{shown}）；请用 effective 的 from、to 分开，或改用不同的标识"
            problems.append(Note("error", "version-overlap", message, several[-1].item.place("id")))
        if len({(compiled.rule.subject, compiled.rule.gate_fact) for compiled in several}) > 1:
            message = (
                f"规则“{name}”的几个版本填报表或日期事实不同；请改为同一张表、同一个日期，或改用不同的标识"
            )
            problems.append(Note("error", "version-subject", message, several[-1].item.place("subject")))
