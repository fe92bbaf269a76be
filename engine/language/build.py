"""Raw nodes to the typed tree: decides what each name stands for, and places every type error in the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Literal, cast

from landrules.engine.language.errors import RuleTextError, Span, locate
from landrules.engine.language.lexer import nearest
from landrules.engine.language.parser import MAX_DEPTH, MAX_NODES, Raw, read
from landrules.engine.language.scope import TRUTH, Kind, Scope
from landrules.engine.language.tree import (
    Add,
    AddDays,
    AddMonths,
    AddWorkdays,
    AddYears,
    Aggregate,
    And,
    AnyKnown,
    ApplicableMinimumPrice,
    Choose,
    Coalesce,
    Compare,
    ComparisonSign,
    Contains,
    ContainsAll,
    DateConstant,
    DayOfMonth,
    Deadline,
    Defined,
    Divide,
    Earlier,
    Expression,
    FactValue,
    IsKnown,
    Larger,
    Later,
    Lookup,
    Members,
    MonthOf,
    Multiply,
    Negate,
    NextMonth,
    Not,
    NotYetDue,
    NumberConstant,
    OneOf,
    Or,
    ParameterValue,
    RollWorkday,
    Rounded,
    Size,
    Smaller,
    Subset,
    Subtract,
    TextConstant,
    TruthConstant,
    children,
)
from landrules.engine.language.types import MisfitError, accept, kind_of, node_kind
from landrules.engine.language.words import AGGREGATES, FUNCTIONS, normalise_name
from landrules.facts.quantities import find_unit

__all__ = ["deadline", "parse"]

MAX_EXPANDED_NODES = 4 * MAX_NODES
MAX_EXPANDED_DEPTH = 3 * MAX_DEPTH
_MONTHS_A_YEAR = 12


def parse(text: str, scope: Scope, expected: Kind | None = None) -> Expression:
    """Read a rule text as a typed tree; `expected` is the kind it must have (`TRUTH` for conditions).

    Raises:
        RuleTextError: with every problem found, each with line, column and advice.
    """
    raw = read(text, scope.names)
    context = _Context(text, scope)
    built = _build(context, raw, expected)
    if built.kind is not None and expected is not None:
        message = accept(built.kind, expected, context.source(built.span))
        if message:
            context.note(built.span, message)
    if not context.problems:
        _check_expanded(context, built)
    if context.problems:
        problems = sorted(context.problems, key=lambda item: item[0].start)
        raise RuleTextError(tuple(locate(text, span, message) for span, message in problems))
    return built.node


def deadline(
    due: str | Expression, done: str | Expression, flag: str | Expression | None, scope: Scope
) -> Deadline:
    """A deadline from its three parts, as texts or trees: last day, day of the result, whether it is done.

    Raises:
        RuleTextError: when a part cannot be read, or is not a day, a day and a truth.
    """
    day = Kind("date")
    parts = [
        parse(part, scope, kind) if isinstance(part, str) else part
        for part, kind in ((due, day), (done, day), (flag, TRUTH))
        if part is not None
    ]
    built = Deadline(parts[0], parts[1], parts[2] if flag is not None else None)
    kind_of(built, scope)
    return built


@dataclass(frozen=True, slots=True)
class _Context:
    text: str
    scope: Scope
    problems: list[tuple[Span, str]] = field(default_factory=list)
    kinds: dict[str, Kind] = field(default_factory=dict)

    def kind(self, meaning: Expression) -> Kind:
        """The kind of what a name stands for; that of a definition is found once."""
        if not isinstance(meaning, Defined):
            return kind_of(meaning, self.scope)
        if meaning.name not in self.kinds:
            self.kinds[meaning.name] = kind_of(meaning, self.scope)
        return self.kinds[meaning.name]

    def note(self, span: Span, message: str) -> None:
        self.problems.append((span, message))

    def source(self, span: Span) -> str:
        return " ".join(self.text[span.start : span.end].split())


@dataclass(frozen=True, slots=True)
class _Built:
    """A node with its kind and place; no kind where it is already known to be wrong."""

    node: Expression
    kind: Kind | None
    span: Span


_NOTHING = TruthConstant(value=False)
"""Stands where a part could not be read; never leaves this module."""


def _wrong(context: _Context, span: Span, message: str) -> _Built:
    context.note(span, message)
    return _Built(_NOTHING, None, span)


def _finish(context: _Context, node: Expression, parts: Sequence[_Built], span: Span) -> _Built:
    """Type a node whose parts are its children, in order."""
    kinds = [part.kind for part in parts if part.kind is not None]
    if len(kinds) < len(parts):
        return _Built(node, None, span)
    try:
        kind = node_kind(node, kinds, context.scope, lambda index: context.source(parts[index].span))
    except MisfitError as misfit:
        return _wrong(context, span if misfit.index is None else parts[misfit.index].span, misfit.message)
    return _Built(node, kind, span)


def _build(context: _Context, raw: Raw, expected: Kind | None = None) -> _Built:
    match raw.rule:
        case "NAME":
            return _name(context, raw, expected)
        case "NUMBER" | "DATE" | "MONTH" | "STRING" | "YES" | "NO" | "UNIT":
            return _literal(context, raw)
        case "members":
            return _members(context, raw, expected)
        case "group":
            return _build(context, raw.parts[0], expected)
        case "either" | "both":
            parts = [_truth(context, part) for part in raw.parts]
            nodes = tuple(part.node for part in parts)
            return _finish(context, Or(nodes) if raw.rule == "either" else And(nodes), parts, raw.span)
        case "negate":
            part = _truth(context, raw.parts[-1])
            return _finish(context, Not(part.node), [part], raw.span)
        case "choose":
            condition = _truth(context, raw.parts[0])
            yes, no = _together(context, raw.parts[1:], expected)
            return _finish(context, Choose(condition.node, yes.node, no.node), [condition, yes, no], raw.span)
        case "compare":
            return _compare(context, raw)
        case "membership" | "contains":
            return _membership(context, raw)
        case "add" | "subtract" | "multiply" | "divide" | "minus":
            return _arithmetic(context, raw)
        case "call":
            return _call(context, raw, expected)
        case "lookup":
            return _lookup(context, raw)
        case _:
            return _aggregate(context, raw)


def _truth(context: _Context, raw: Raw) -> _Built:
    """Build a part that must be a truth; said at once, so that one wrong part does not hide another."""
    built = _build(context, raw, TRUTH)
    message = accept(built.kind, TRUTH, context.source(built.span)) if built.kind is not None else ""
    return _wrong(context, built.span, message) if message else built


def _literal(context: _Context, raw: Raw) -> _Built:
    node: Expression
    match raw.rule:
        case "YES" | "NO":
            node = TruthConstant(raw.rule == "YES")
        case "STRING":
            node = TextConstant(raw.text)
        case "NUMBER":
            number, _, unit_name = raw.text.partition(" ")
            unit = find_unit(unit_name or "无")
            assert unit is not None  # noqa: S101 - the lexer takes only known units
            node = NumberConstant(Fraction(number) * unit.factor, unit)
        case "DATE":
            year, month, day = _numbers(raw.text)
            try:
                node = DateConstant(date(year, month, day))
            except ValueError:
                return _wrong(context, raw.span, f"日历上没有“{context.source(raw.span)}”这一天")
        case "MONTH":
            year, month = _numbers(raw.text)
            if not 1 <= month <= _MONTHS_A_YEAR:
                advice = "；若要相减，请在减号两边加空格" if "-" in raw.text else ""
                return _wrong(context, raw.span, f"没有“{context.source(raw.span)}”这个月份{advice}")
            node = TextConstant(f"{year:04}-{month:02}")
        case _:
            return _wrong(
                context, raw.span, f"“{context.source(raw.span)}”是单位；单位写在数的后面，如 100 亩"
            )
    return _finish(context, node, (), raw.span)


def _numbers(text: str) -> list[int]:
    return [
        int(part) for part in text.replace("年", "-").replace("月", "-").replace("日", "").split("-") if part
    ]


def _name(context: _Context, raw: Raw, expected: Kind | None) -> _Built:
    scope = context.scope
    meanings = _meanings(scope, raw.text)
    if expected is not None and expected.type in ("text", "set"):
        value = _value(context, raw, expected.values)
        free = not expected.values and raw.text in scope.names.values
        if value is None and free and not any(context.kind(meaning).type == "text" for meaning in meanings):
            value = _value(context, raw, scope.names.values[raw.text])
        if value is not None:
            return _finish(context, TextConstant(value), (), raw.span)
    if len(meanings) > 1:
        return _wrong(
            context, raw.span, f"“{context.source(raw.span)}”既是事实又是参数或定义，请给参数、定义换个名称"
        )
    if meanings:
        return _Built(meanings[0], context.kind(meanings[0]), raw.span)
    if raw.text in scope.names.values:
        value = _value(context, raw, scope.names.values[raw.text])
        return _finish(context, TextConstant(value or raw.text), (), raw.span)
    declared = scope.names.expressions[raw.text][0]
    if declared in scope.tables:
        return _wrong(context, raw.span, f"“{declared}”是表，后面要写键，如 {declared}(土地用途大类)")
    return _wrong(context, raw.span, f"“{declared}”是识别用的列，只能写在“按”的后面")


def _meanings(scope: Scope, word: str) -> list[Expression]:
    found: list[Expression] = []
    for name in scope.names.expressions.get(word, ()):
        fact = scope.fact(name)
        if fact is not None:
            found.append(FactValue(fact.key, fact.label))
        if name in scope.parameters:
            found.append(ParameterValue(name))
        if name in scope.definitions:
            found.append(Defined(name, scope.definitions[name]))
    return list(dict.fromkeys(found))


def _value(context: _Context, raw: Raw, allowed: Sequence[str]) -> str | None:
    """The allowed value that the text means, None when it means none."""
    source = context.text[raw.span.start : raw.span.end]
    if source in allowed:
        return source
    return next((value for value in allowed if normalise_name(value) == raw.text), None)


def _member(context: _Context, raw: Raw, allowed: Sequence[str]) -> _Built:
    """A written value in braces or behind 包含: never anything but a value."""
    if raw.rule != "NAME":
        return _literal(context, raw)
    value = _value(context, raw, allowed)
    if value is None:
        known = context.scope.names.values.get(raw.text)
        value = _value(context, raw, known) if known else context.text[raw.span.start : raw.span.end]
    return _finish(context, TextConstant(value or raw.text), (), raw.span)


def _members(context: _Context, raw: Raw, expected: Kind | None, owner: str = "对面") -> _Built:
    allowed = expected.values if expected is not None else ()
    parts = [_member(context, part, allowed) for part in raw.parts]
    values = [part.node.value for part in parts if isinstance(part.node, TextConstant)]
    for place, value in enumerate(values):
        if value in values[:place]:
            context.note(parts[place].span, f"“{value}”写了两次")
        elif expected is not None and allowed and value not in allowed:
            # Each wrong value is shown at its own place.
            try:
                node_kind(
                    OneOf(_NOTHING, Members((value,))),
                    [Kind("text", values=allowed), Kind("set", values=(value,), literal=True)],
                    context.scope,
                    lambda _: owner,
                )
            except MisfitError as misfit:
                context.note(parts[place].span, misfit.message)
                parts[place] = _Built(_NOTHING, None, parts[place].span)
    if any(part.kind is None for part in parts):
        return _Built(_NOTHING, None, raw.span)
    return _finish(context, Members(tuple(values)), (), raw.span)


def _openness(context: _Context, raw: Raw) -> int:
    """How much the reading of a part depends on what it is compared with."""
    while raw.rule == "group":
        raw = raw.parts[0]
    match raw.rule:
        case "NAME" if raw.text in context.scope.names.values:
            return 2
        case "members":
            return 2
        case "choose":
            return 1
        case "call" if raw.parts[0].text == "缺省":
            return 1
        case _:
            return 0


def _together(context: _Context, raws: Sequence[Raw], expected: Kind | None) -> list[_Built]:
    """Build parts that are of one kind: the certain ones first, so that names opposite them are read as values."""
    built: dict[int, _Built] = {}
    for place in sorted(range(len(raws)), key=lambda index: _openness(context, raws[index])):
        part = _build(context, raws[place], expected)
        built[place] = part
        if (
            expected is None
            and part.kind is not None
            and part.kind.type in ("text", "set")
            and not part.kind.literal
        ):
            expected = part.kind
    return [built[place] for place in range(len(raws))]


def _compare(context: _Context, raw: Raw) -> _Built:
    operands = _together(context, raw.parts[::2], None)
    signs = [cast("ComparisonSign", "=" if sign.rule == "YES" else sign.text) for sign in raw.parts[1::2]]
    links = []
    for left, sign, right in zip(operands[:-1], signs, operands[1:], strict=True):
        node = Compare(left.node, sign, right.node)
        links.append(_finish(context, node, [left, right], left.span.to(right.span)))
    if len(links) == 1:
        return links[0]
    return _finish(context, And(tuple(link.node for link in links)), links, raw.span)


_MEMBERSHIP: dict[str, Callable[[Expression, Members], Expression]] = {
    "属于": OneOf,
    "包含全部": ContainsAll,
    "仅限于": Subset,
}


def _membership(context: _Context, raw: Raw) -> _Built:
    left, word, right = raw.parts
    group = _build(context, left)
    kind = group.kind
    operation = word.text.removeprefix("不")
    node: Expression
    if operation == "包含":
        allowed = kind.values if kind is not None and kind.type == "set" else ()
        part = _member(context, right, allowed)
        item = part.node if isinstance(part.node, TextConstant) else TextConstant("")
        node = Contains(group.node, item)
    else:
        suits = kind is not None and kind.type == ("text" if operation == "属于" else "set")
        part = _members(context, right, kind if suits else None, context.source(group.span))
        members = part.node if isinstance(part.node, Members) else Members(())
        node = _MEMBERSHIP[operation](group.node, members)
    built = _finish(context, node, [group, part], raw.span)
    return _finish(context, Not(built.node), [built], raw.span) if word.text != operation else built


_ARITHMETIC: dict[str, Callable[[Expression, Expression], Expression]] = {
    "add": Add,
    "subtract": Subtract,
    "multiply": Multiply,
    "divide": Divide,
}


def _arithmetic(context: _Context, raw: Raw) -> _Built:
    parts = [_build(context, part) for part in raw.parts]
    if raw.rule != "minus":
        return _finish(context, _ARITHMETIC[raw.rule](parts[0].node, parts[1].node), parts, raw.span)
    (part,) = parts
    if raw.parts[0].rule == "NUMBER" and isinstance(part.node, NumberConstant):
        return _finish(context, NumberConstant(-part.node.value, part.node.unit), (), raw.span)
    return _finish(context, Negate(part.node), [part], raw.span)


_ONE: dict[str, Callable[[Expression], Expression]] = {
    "已知": IsKnown,
    "顺延至工作日": RollWorkday,
    "所属月份": MonthOf,
    "次月": NextMonth,
    "日号": DayOfMonth,
    "项数": Size,
    "未到期": NotYetDue,
}
_TWO: dict[str, Callable[[Expression, Expression], Expression]] = {
    "缺省": Coalesce,
    "年后": AddYears,
    "月后": AddMonths,
    "日后": AddDays,
    "工作日后": AddWorkdays,
}
_MANY: dict[str, Callable[[tuple[Expression, ...]], Expression]] = {
    "任一已知": AnyKnown,
    "较大": Larger,
    "较小": Smaller,
    "较晚": Later,
    "较早": Earlier,
}


def _call(context: _Context, raw: Raw, expected: Kind | None) -> _Built:
    function = raw.parts[0].text
    arguments = raw.parts[1:]
    fewest, most = FUNCTIONS[function]
    if len(arguments) < fewest or (most is not None and len(arguments) > most):
        wanted = f" {fewest} 项" if fewest == most else f"至少 {fewest} 项"
        return _wrong(context, raw.span, f"“{function}”括号里要{wanted}，这里有 {len(arguments)} 项")
    if function in ("四舍五入", "修约"):
        return _rounded(context, raw)
    if function == "缺省":
        parts = _together(context, arguments, expected)
    else:
        parts = [_build(context, argument) for argument in arguments]
    nodes = tuple(part.node for part in parts)
    if function == "未知":
        known = _finish(context, IsKnown(nodes[0]), parts, raw.span)
        return _finish(context, Not(known.node), [known], raw.span)
    if function in _ONE:
        return _finish(context, _ONE[function](nodes[0]), parts, raw.span)
    if function in _TWO:
        return _finish(context, _TWO[function](nodes[0], nodes[1]), parts, raw.span)
    if function in _MANY:
        return _finish(context, _MANY[function](nodes), parts, raw.span)
    return _finish(context, ApplicableMinimumPrice(nodes[0], nodes[1], nodes[2]), parts, raw.span)


def _rounded(context: _Context, raw: Raw) -> _Built:
    function, value, unit_raw, digits_raw = raw.parts
    part = _build(context, value)
    unit = find_unit(unit_raw.text) if unit_raw.rule in ("UNIT", "NAME") else None
    if unit is None:
        return _wrong(context, unit_raw.span, f"“{function.text}”第 2 项是单位，如 四舍五入(宗地面积, 亩, 4)")
    number, _, digits_unit = digits_raw.text.partition(" ")
    if digits_raw.rule != "NUMBER" or digits_unit or not number.isdigit() or len(number) > 2:  # noqa: PLR2004
        return _wrong(
            context, digits_raw.span, f"“{function.text}”第 3 项是小数位数，如 四舍五入(宗地面积, 亩, 4)"
        )
    manner: Literal["half-up", "half-even"] = "half-up" if function.text == "四舍五入" else "half-even"
    return _finish(context, Rounded(part.node, unit, int(number), manner), [part], raw.span)


def _lookup(context: _Context, raw: Raw) -> _Built:
    name, *arguments = raw.parts
    scope = context.scope
    table = next(
        (known for known in scope.names.expressions.get(name.text, ()) if known in scope.tables), None
    )
    if table is None:
        near = nearest(name.text, (*FUNCTIONS, *scope.tables))
        advice = f"；是不是 {'、'.join(near)}？" if near else "；若是事实，后面不写括号"
        return _wrong(context, name.span, f"“{context.source(name.span)}”不是函数，也不是表{advice}")
    if len(arguments) != 1:
        return _wrong(context, raw.span, f"表“{table}”括号里要 1 项，这里有 {len(arguments)} 项")
    part = _build(context, arguments[0], scope.tables[table].key)
    return _finish(context, Lookup(table, part.node), [part], raw.span)


def _aggregate(context: _Context, raw: Raw) -> _Built:
    function, *values, columns = raw.parts
    kind = cast('Literal["sum", "count", "largest", "smallest"]', AGGREGATES[function.text])
    parts = [_build(context, value) for value in values]
    by = [_column(context, column) for column in columns.parts]
    node = Aggregate(
        kind, parts[0].node if parts else None, tuple(column for column in by if column is not None)
    )
    if None in by:
        return _Built(node, None, raw.span)
    return _finish(context, node, parts, raw.span)


def _column(context: _Context, raw: Raw) -> str | None:
    """An identifying column by its name, a fact by its key."""
    scope = context.scope
    declared = scope.names.expressions.get(raw.text, ())
    for name in declared:
        if name in scope.identifying:
            return name
        fact = scope.fact(name)
        if fact is not None:
            return fact.key
    columns = (*scope.identifying, *(fact.label for fact in scope.subject.facts.values()))
    near = nearest(raw.text, columns)
    advice = (
        f"；是不是 {'、'.join(near)}？" if near else f"；可用的有 {'、'.join(scope.identifying)} 和各事实"
    )
    context.note(raw.span, f"“按”的后面要列名，“{context.source(raw.span)}”不是{advice}")
    return None


def _check_expanded(context: _Context, built: _Built) -> None:
    """Definitions are used in place: together they must not outgrow what an evaluator can walk."""
    size, depth = _expanse(built.node, {})
    if size > MAX_EXPANDED_NODES or depth > MAX_EXPANDED_DEPTH:
        limits = f"{MAX_EXPANDED_NODES} 个部分、{MAX_EXPANDED_DEPTH} 层"
        context.note(
            built.span, f"连同所用的定义共有 {size} 个部分、{depth} 层，超过上限 {limits}；请简化定义"
        )


def _expanse(node: Expression, known: dict[str, tuple[int, int]]) -> tuple[int, int]:
    if isinstance(node, Defined) and node.name in known:
        return known[node.name]
    size, depth = 1, 0
    for child in children(node):
        child_size, child_depth = _expanse(child, known)
        size += child_size
        depth = max(depth, child_depth)
    if isinstance(node, Defined):
        known[node.name] = (size, depth + 1)
    return size, depth + 1
