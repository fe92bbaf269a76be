"""Works `exception_to` into the rules it names: where A applies and is satisfied, B does not apply.

A rule stays closed in itself: B's `exclude` gains A's conditions, so no evaluator needs to know of exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any, get_args

from landrules.engine.language.tree import And, Expression, Not, Or, ParameterValue
from landrules.engine.rulebook.compile import Compiled
from landrules.engine.rulebook.model import Parameter, Period, Rule
from landrules.facts.notes import Note
from landrules.facts.values import suggest

__all__ = ["apply_exceptions"]

_DAY = timedelta(days=1)
_OPERATIONS = frozenset(get_args(Expression))


def apply_exceptions(found: Sequence[Compiled], problems: list[Note]) -> dict[str, tuple[Rule, ...]]:
    """The rules by id, each with its versions in order, exceptions worked in.

    `found` holds whole documents or, where subjects were chosen, the rules of these subjects; an exception reaches
    only rules of its own document and subject.
    """
    versions: dict[str, list[Rule]] = {}
    for compiled in found:
        versions.setdefault(compiled.rule.id, []).append(compiled.rule)
    edges = _edges(found, versions, problems)
    order = _order(edges, found, problems)
    for target in order:
        for exception in edges.get(target, ()):
            versions[target] = [
                part for rule in versions[target] for part in _split(rule, versions[exception])
            ]
    return {name: tuple(sorted(versions[name], key=_start)) for name in sorted(versions)}


def _start(rule: Rule) -> date:
    return rule.period.start or date.min


def _edges(
    found: Iterable[Compiled], versions: Mapping[str, list[Rule]], problems: list[Note]
) -> dict[str, tuple[str, ...]]:
    """Rule → the rules that are exceptions to it."""
    edges: dict[str, tuple[str, ...]] = {}
    for compiled in found:
        rule = compiled.rule
        for index, name in enumerate(rule.exception_to):
            place = compiled.item.place("exception_to", index)
            target = versions.get(name)
            if target is None:
                near = suggest(name, tuple(versions))
                hint = f"是否指{near}？" if near else "请检查规则标识。"
                problems.append(
                    Note("error", "unknown-rule", f"exception_to 里没有规则“{name}”；{hint}", place)
                )
            elif (target[0].document, target[0].subject) != (rule.document, rule.subject):
                message = f"“{name}”不在同一文件、同一填报表，不能作为它的例外；请写进那条规则的 exclude"
                problems.append(Note("error", "exception-reach", message, place))
            elif target[0].gate_fact != rule.gate_fact:
                message = f"“{name}”按另一个日期事实选用版本，不能作为它的例外；请写进那条规则的 exclude"
                problems.append(Note("error", "exception-reach", message, place))
            elif rule.id not in edges.get(name, ()):
                edges[name] = (*edges.get(name, ()), rule.id)
    return {name: tuple(sorted(sources)) for name, sources in edges.items()}


def _order(
    edges: Mapping[str, tuple[str, ...]], found: Iterable[Compiled], problems: list[Note]
) -> tuple[str, ...]:
    """Rules with exceptions, each after its exceptions; a circle is an error."""
    places = {compiled.rule.id: compiled.item.place("exception_to") for compiled in found}
    done: dict[str, None] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            message = f"例外绕成了圈（{circle}）；请去掉其中一处 exception_to"
            problems.append(Note("error", "exception-circle", message, places[name]))
            done[name] = None
            return
        for source in edges.get(name, ()):
            visit(source, (*path, name))
        done[name] = None

    for name in sorted(edges):
        visit(name, ())
    return tuple(done)


def _split(rule: Rule, exceptions: Sequence[Rule]) -> list[Rule]:
    """The rule cut at the days where the exception's versions begin and end, with the one in force worked in."""
    if rule.gate_fact is None:
        return [_with(rule, exceptions[-1])]
    parts: list[Rule] = []
    start = rule.period.start
    for exception in sorted(exceptions, key=_start):
        if not exception.period.meets(rule.period):
            continue
        first = max(start or date.min, exception.period.start or date.min)
        if first > (start or date.min):
            parts.append(replace(rule, period=Period(start, first - _DAY, rule.period.why)))
        ends = [end for end in (exception.period.end, rule.period.end) if end is not None]
        end = min(ends) if ends else None
        period = Period(None if first == date.min else first, end, rule.period.why)
        parts.append(_with(replace(rule, period=period), exception))
        if end is None or end == rule.period.end:
            return parts
        start = end + _DAY
    return [*parts, replace(rule, period=Period(start, rule.period.end, rule.period.why))]


def _with(rule: Rule, exception: Rule) -> Rule:
    names = {
        name: f"{name}（{exception.title}）"
        for name, parameter in exception.parameters.items()
        if name in rule.parameters and rule.parameters[name] != parameter
    }
    met = exception.require if exception.unless is None else Or((exception.require, exception.unless))
    applies = [exception.when]
    if exception.exclude is not None:
        applies.append(Not(exception.exclude))
    claimed = _renamed(And((*applies, met)), names)
    parameters: dict[str, Parameter] = dict(rule.parameters)
    for name, parameter in exception.parameters.items():
        new = names.get(name, name)
        parameters[new] = replace(parameter, name=new)
    return replace(
        rule,
        exclude=claimed if rule.exclude is None else Or((rule.exclude, claimed)),
        parameters=parameters,
        tables={**rule.tables, **exception.tables},
    )


def _renamed(node: Expression, names: Mapping[str, str]) -> Expression:
    """The tree with its parameters renamed."""
    if not names:
        return node
    if isinstance(node, ParameterValue):
        return ParameterValue(names.get(node.name, node.name))

    def renamed(part: Any) -> Any:
        if isinstance(part, tuple):
            return tuple(renamed(item) for item in part)
        return _renamed(part, names) if type(part) in _OPERATIONS else part

    changes = {spec.name: renamed(getattr(node, spec.name)) for spec in fields(node)}
    return replace(node, **changes)
