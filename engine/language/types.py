"""What kind of value each operation yields and accepts; every quantity has a dimension."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from landrules.engine.language.errors import Problem, RuleTextError
from landrules.engine.language.lexer import nearest
from landrules.engine.language.scope import DATE, MONTH, TRUTH, Kind, Scope, kind_of_fact
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
    walk,
)
from landrules.engine.language.words import decimal_text, quantity_text
from landrules.facts.quantities import Dimension

__all__ = ["MisfitError", "accept", "check_requirement", "kind_of", "node_kind"]

_COUNT = Dimension()
_SHARE = Dimension(ratio=True)
_MONTHS = Dimension(month=1)
_DAYS = Dimension(day=1)
_WORKDAYS = Dimension(workday=1)
_PRICE = Dimension(money=1, area=-1)
_MONTH_TEXT = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_LISTED = 12
_MAX_DIGITS = 12
_UNITS_OF = {
    _SHARE: ("%",),
    Dimension(area=1): (" 亩", " 公顷", " 平方米"),
    Dimension(money=1): (" 元", " 万元", " 亿元"),
    _PRICE: (" 元/平方米", " 元/亩", " 万元/亩"),
    _MONTHS: (" 年", " 个月"),
    _DAYS: (" 日", " 周"),
    _WORKDAYS: (" 个工作日",),
    Dimension(minute=1): (" 分钟", " 小时"),
    Dimension(mass=1): (" 公斤", " 吨"),
}
_PAIR_ADVICE = {
    frozenset((Dimension(money=1), _PRICE)): "；金额 ÷ 面积 才是单价",
    frozenset((_MONTHS, _DAYS)): "；一年、一月的天数不定，日期加期限请用 年后(…)、月后(…)、日后(…)",
    frozenset((_DAYS, _WORKDAYS)): "；日历日与工作日不能互换",
    frozenset((_COUNT, _SHARE)): "；百分比写成 15%，个数之比用 ÷",
}


class MisfitError(Exception):
    """The parts of a node do not fit; `index` is the child that is wrong, None for the node as a whole."""

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.index = index


Name = Callable[[int], str]
"""How the text calls the child of that index."""


def kind_of(expression: Expression, scope: Scope) -> Kind:
    """The kind of value of a tree.

    Raises:
        RuleTextError: when the tree names something the scope does not have or its types do not fit; there is no
            text, so the problem has no place.
    """
    parts = tuple(children(expression))
    kinds = [kind_of(part, scope) for part in parts]
    try:
        return node_kind(expression, kinds, scope, lambda index: _short(parts[index], index))
    except MisfitError as misfit:
        raise RuleTextError((Problem(misfit.message),)) from None


def check_requirement(expression: Expression, scope: Scope) -> None:
    """Check that a tree is well typed and yields a truth.

    Raises:
        RuleTextError: when it does not.
    """
    message = accept(kind_of(expression, scope), TRUTH, _short(expression, 0))
    if message:
        raise RuleTextError((Problem(message),))


def accept(kind: Kind, expected: Kind, name: str) -> str:
    """Why a value of this kind is not of the expected one, in Chinese; empty when it is."""
    if expected.type == "bool" and kind.type != "bool":
        return f"这里要一个判断，“{name}”是{kind.describe()}；是不是漏了比较，如 不超过 20 年、为 出让、属于 {{…}}"
    try:
        _alike(kind, expected, (name, "这里"), "当作同一种")
    except MisfitError:
        return f"这里要{expected.describe()}，“{name}”是{kind.describe()}"
    return ""


def node_kind(node: Expression, kinds: Sequence[Kind], scope: Scope, name: Name) -> Kind:
    """The kind of a node from the kinds of its children (in the order of `children`).

    Raises:
        MisfitError: when they do not fit.
    """
    match node:
        case TruthConstant():
            return TRUTH
        case NumberConstant(unit=unit):
            return Kind("number", unit.dimension)
        case DateConstant():
            return DATE
        case TextConstant(value=value):
            return Kind("text", values=(value,), month=bool(_MONTH_TEXT.fullmatch(value)), literal=True)
        case Members(values=values):
            return Kind("set", values=values, literal=True)
        case FactValue() | ParameterValue() | Lookup():
            return _named(node, kinds, scope, name)
        case Defined():
            return kinds[0]
        case And() | Or() | Not():
            return _all_truths(kinds, name)
        case Compare() | OneOf() | Contains() | ContainsAll() | Subset():
            return _relation(node, kinds, name)
        case (
            Add() | Subtract() | Multiply() | Divide() | Negate() | Larger() | Smaller() | Rounded() | Size()
        ):
            return _arithmetic(node, kinds, name)
        case Choose():
            _truth(kinds, 0, name)
            return _alike(kinds[1], kinds[2], (name(1), name(2)), "作为同一个“若…则…否则…”的两种结果", 2)
        case Coalesce():
            return _alike(kinds[0], kinds[1], (name(0), name(1)), "作为“缺省”的两项", 1)
        case IsKnown() | AnyKnown():
            return _known(node, name)
        case Aggregate():
            return _aggregate(node, kinds, name)
        case _:
            return _calendar(node, kinds, name)


def _named(
    node: FactValue | ParameterValue | Lookup, kinds: Sequence[Kind], scope: Scope, name: Name
) -> Kind:
    match node:
        case FactValue(key=key, label=label):
            fact = scope.subject.facts.get(key)
            if fact is None:
                raise MisfitError(f"“{scope.subject.label}”表没有事实“{label}”（{key}）")
            return kind_of_fact(fact)
        case ParameterValue(name=parameter):
            if parameter not in scope.parameters:
                raise MisfitError(f"没有参数“{parameter}”；请在 parameters 里写明")
            return scope.parameters[parameter]
        case Lookup(table=table):
            if table not in scope.tables:
                raise MisfitError(f"没有表“{table}”{_advice(table, tuple(scope.tables))}")
            _alike(kinds[0], scope.tables[table].key, (name(0), f"表“{table}”的键"), "对应", 0)
            return scope.tables[table].value


def _truth(kinds: Sequence[Kind], index: int, name: Name) -> None:
    message = accept(kinds[index], TRUTH, name(index)) if kinds[index].type != "bool" else ""
    if message:
        raise MisfitError(message, index)


def _all_truths(kinds: Sequence[Kind], name: Name) -> Kind:
    for index in range(len(kinds)):
        _truth(kinds, index, name)
    return TRUTH


def _relation(
    node: Compare | OneOf | Contains | ContainsAll | Subset, kinds: Sequence[Kind], name: Name
) -> Kind:
    match node:
        case Compare(sign=sign):
            _compare(node, kinds, name, ordered=sign not in ("=", "≠"))
        case OneOf():
            if kinds[0].type == "set":
                raise MisfitError(
                    f"“{name(0)}”是集合；全部在所列之内写 仅限于 {{…}}，都要有写 包含全部 {{…}}", 0
                )
            if kinds[0].type != "text":
                raise MisfitError(
                    f"“属于”只用于取值，“{name(0)}”是{kinds[0].describe()}；数和日期请用 不低于、不超过", 0
                )
            _allowed(kinds[1], kinds[0], name(0), 1)
        case _:
            if kinds[0].type != "set":
                raise MisfitError(
                    f"“{name(0)}”是{kinds[0].describe()}，不是集合；单个取值写 属于 {{…}} 或 为 …", 0
                )
            _allowed(kinds[1], kinds[0], name(0), 1)
    return TRUTH


def _compare(node: Compare, kinds: Sequence[Kind], name: Name, *, ordered: bool) -> None:
    left, right = kinds
    if left.type == right.type == "number":
        _same_dimension(node, kinds, name, "比较")
        return
    if ordered and left.type != "date" and not (left.month and right.month):
        if left.month or right.month:
            index = 0 if right.month else 1
            other = kinds[index]
            advice = "；日期先取 所属月份(…)" if other.type == "date" else "；月份写成 2022-04"
            raise MisfitError(f"月份只能与月份比早晚，“{name(index)}”是{other.describe()}{advice}", index)
        if left.type == right.type:
            raise MisfitError(f"“{name(0)}”是{left.describe()}，不能比大小、早晚；只有数、日期和月份可以", 0)
    _alike(left, right, (name(0), name(1)), "比较", 1)


def _alike(left: Kind, right: Kind, names: tuple[str, str], purpose: str, index: int | None = None) -> Kind:
    """The common kind of two values that stand for the same thing."""
    if left.type != right.type:
        advice = ""
        if {left.type, right.type} == {"text", "set"}:
            advice = "；集合请用 包含、包含全部、仅限于"
        raise MisfitError(
            f"“{names[0]}”是{left.describe()}，“{names[1]}”是{right.describe()}，不能{purpose}{advice}", index
        )
    if left.type == "number":
        if not _fits(left, right):
            raise MisfitError(_differ(left, right, names, purpose), index)
        return right if left.quotient else left
    if left.type not in ("text", "set"):
        return left
    if left.literal and right.literal:
        return replace(
            left, values=tuple(dict.fromkeys((*left.values, *right.values))), month=left.month and right.month
        )
    if left.literal:
        _allowed(left, right, names[1], None if index is None else index - 1 if index else 0)
        return right
    _allowed(right, left, names[0], index)
    if not right.literal and left.values and right.values and not set(left.values) & set(right.values):
        raise MisfitError(f"“{names[0]}”与“{names[1]}”没有共同的取值，永远不会相同", index)
    return left


def _allowed(literal: Kind, kind: Kind, name: str, index: int | None) -> None:
    """The written values must be among the allowed ones."""
    if literal.type == "text" and kind.month != literal.month and (kind.month or not literal.literal):
        raise MisfitError(f"“{name}”是{kind.describe()}，这里要 2022-04 这样的月份", index)
    if not literal.literal:
        return
    if kind.month and not all(_MONTH_TEXT.fullmatch(value) for value in literal.values):
        raise MisfitError(f"“{name}”是月份，这里要 2022-04 这样的月份", index)
    if not kind.values:
        return
    for value in literal.values:
        if value not in kind.values:
            listed = "、".join(kind.values[:_LISTED]) + (
                f" 等 {len(kind.values)} 个" if len(kind.values) > _LISTED else ""
            )
            advice = _advice(value, kind.values)
            raise MisfitError(f"“{value}”不是“{name}”的取值{advice}；可用的取值：{listed}", index)


def _advice(word: str, known: Sequence[str]) -> str:
    near = nearest(word, known, 1)
    return f"，是不是“{near[0]}”？" if near else ""


def _fits(left: Kind, right: Kind) -> bool:
    if left.dimension == right.dimension:
        return True
    return (left.quotient and right.dimension.dimensionless) or (
        right.quotient and left.dimension.dimensionless
    )


def _same_dimension(node: Expression, kinds: Sequence[Kind], name: Name, purpose: str) -> Kind:
    """All numbers of one dimension; their common kind."""
    parts = tuple(children(node))
    common = kinds[0]
    for index, kind in enumerate(kinds[1:], start=1):
        if not _fits(common, kind):
            _refuse_bare(parts[index], common, index)
            _refuse_bare(parts[0], kind, 0)
            raise MisfitError(_differ(common, kind, (name(0), name(index)), purpose), index)
        common = kind if common.quotient else common
    return common


def _refuse_bare(part: Expression, other: Kind, index: int) -> None:
    """A number without a unit against a quantity: say how to write it."""
    units = _UNITS_OF.get(other.dimension, ())
    if not isinstance(part, NumberConstant) or part.unit.dimension != _COUNT or not units:
        return
    number = decimal_text(part.value)
    spelled = [number + unit for unit in units]
    choice = f"{'、'.join(spelled[:-1])}或 {spelled[-1]}" if len(spelled) > 1 else spelled[0]
    raise MisfitError(f"{number} 什么？写成 {choice}", index)


def _differ(left: Kind, right: Kind, names: tuple[str, str], purpose: str) -> str:
    dimensions = (left.dimension, right.dimension)
    advice = _PAIR_ADVICE.get(frozenset(dimensions), "")
    first, second = (dimension.describe() for dimension in dimensions)
    return f"“{names[0]}”是{first}，“{names[1]}”是{second}，不能{purpose}{advice}"


def _arithmetic(node: Expression, kinds: Sequence[Kind], name: Name) -> Kind:
    if isinstance(node, Size):
        _wants(kinds, 0, "set", name, "项数")
        return Kind("number")
    _numbers(node, kinds, name)
    match node:
        case Add():
            return _same_dimension(node, kinds, name, "相加")
        case Subtract():
            return _same_dimension(node, kinds, name, "相减")
        case Larger() | Smaller():
            return _same_dimension(node, kinds, name, "比较")
        case Multiply():
            return _product(*kinds)
        case Divide(right=right):
            plain = isinstance(right, NumberConstant) and right.unit.dimension == _COUNT
            alike = kinds[0].dimension == kinds[1].dimension and not plain
            dimension = kinds[0].dimension.over(kinds[1].dimension)
            return Kind(
                "number", dimension, quotient=alike or (kinds[0].quotient and dimension.dimensionless)
            )
        case Rounded(unit=unit, digits=digits):
            if not _fits(kinds[0], Kind("number", unit.dimension)):
                raise MisfitError(
                    f"“{name(0)}”是{kinds[0].dimension.describe()}，不能按{unit.name}取小数位", 0
                )
            if not 0 <= digits <= _MAX_DIGITS:
                raise MisfitError(f"小数位数应在 0 到 {_MAX_DIGITS} 之间")
            return Kind("number", unit.dimension)
        case _:
            return kinds[0]


def _numbers(node: Expression, kinds: Sequence[Kind], name: Name) -> None:
    for index, kind in enumerate(kinds):
        if kind.type == "number":
            continue
        advice = ""
        if kind.type == "date":
            advice = "；日期加期限用 年后、月后、日后、工作日后"
            if isinstance(node, Subtract) and kinds[0].type == kinds[1].type:
                advice = (
                    "；两个日期不能相减，请把期限加在较早的日期上再比较，如 竣工日 不晚于 年后(开工日, 2 年)"
                )
        raise MisfitError(f"这里要数，“{name(index)}”是{kind.describe()}{advice}", index)


def _product(left: Kind, right: Kind) -> Kind:
    dimension = left.dimension.times(right.dimension)
    quotient = (left.quotient and (right.quotient or right.dimension.ratio)) or (
        right.quotient and left.dimension.ratio
    )
    return Kind("number", dimension, quotient=quotient)


def _wants(kinds: Sequence[Kind], index: int, kind_type: str, name: Name, function: str) -> None:
    if kinds[index].type != kind_type:
        wanted = {"date": "日期", "set": "集合", "number": "数"}[kind_type]
        raise MisfitError(f"“{function}”这里要{wanted}，“{name(index)}”是{kinds[index].describe()}", index)


def _span(node: Expression, kinds: Sequence[Kind], name: Name, function: str, dimension: Dimension) -> None:
    _wants(kinds, 0, "date", name, function)
    _wants(kinds, 1, "number", name, function)
    if kinds[1].dimension != dimension:
        _refuse_bare(tuple(children(node))[1], Kind("number", dimension), 1)
        raise MisfitError(
            f"“{function}”要{dimension.describe()}，“{name(1)}”是{kinds[1].dimension.describe()}，不能混用", 1
        )


def _calendar(node: Expression, kinds: Sequence[Kind], name: Name) -> Kind:
    match node:
        case AddYears():
            _span(node, kinds, name, "年后", _MONTHS)
        case AddMonths():
            _span(node, kinds, name, "月后", _MONTHS)
        case AddDays():
            _span(node, kinds, name, "日后", _DAYS)
        case AddWorkdays():
            _span(node, kinds, name, "工作日后", _WORKDAYS)
        case Later() | Earlier():
            for index in range(len(kinds)):
                _wants(kinds, index, "date", name, "较晚" if isinstance(node, Later) else "较早")
        case RollWorkday():
            _wants(kinds, 0, "date", name, "顺延至工作日")
        case MonthOf():
            _wants(kinds, 0, "date", name, "所属月份")
            return MONTH
        case DayOfMonth():
            _wants(kinds, 0, "date", name, "日号")
            return Kind("number")
        case NextMonth():
            if kinds[0].type != "text" or not kinds[0].month:
                raise MisfitError(
                    f"“次月”这里要月份，“{name(0)}”是{kinds[0].describe()}；日期先取 所属月份(…)", 0
                )
            return MONTH
        case NotYetDue():
            _wants(kinds, 0, "date", name, "未到期")
            return TRUTH
        case Deadline():
            _wants(kinds, 0, "date", name, "期限的末日")
            _wants(kinds, 1, "date", name, "期限的结果日")
            if node.flag is not None:
                _truth(kinds, 2, name)
            return TRUTH
        case ApplicableMinimumPrice():
            return _minimum_price(node, kinds, name)
        case _:
            raise AssertionError(f"no type rule for {type(node).__name__}")
    return DATE


def _minimum_price(node: ApplicableMinimumPrice, kinds: Sequence[Kind], name: Name) -> Kind:
    parts = tuple(children(node))
    for index, dimension in enumerate((_PRICE, _PRICE, _MONTHS)):
        _wants(kinds, index, "number", name, "适用最低价")
        if kinds[index].dimension != dimension:
            _refuse_bare(parts[index], Kind("number", dimension), index)
            found = kinds[index].dimension.describe()
            raise MisfitError(f"“适用最低价”这里要{dimension.describe()}，“{name(index)}”是{found}", index)
    return kinds[0]


def _known(node: IsKnown | AnyKnown, name: Name) -> Kind:
    constants = (TruthConstant, NumberConstant, DateConstant, TextConstant, Members)
    for index, part in enumerate(children(node)):
        if isinstance(part, constants):
            raise MisfitError(f"“{name(index)}”是写定的值，总是已知；这里要事实或参数", index)
    return TRUTH


def _aggregate(node: Aggregate, kinds: Sequence[Kind], name: Name) -> Kind:
    if node.value is not None and any(isinstance(part, Aggregate) for part in walk(node.value)):
        raise MisfitError("合计、计数、最大、最小不能套在一起；请先用“定义”想清楚要统计的是什么", 0)
    if node.kind == "count":
        return Kind("number")
    if not kinds:
        raise MisfitError("只有“计数”可以不写表达式")
    if kinds[0].type == "number" or (kinds[0].type == "date" and node.kind != "sum"):
        return kinds[0]
    wanted = "数" if node.kind == "sum" else "数或日期"
    raise MisfitError(f"这里要{wanted}，“{name(0)}”是{kinds[0].describe()}", 0)


def _short(node: Expression, index: int) -> str:
    match node:
        case FactValue(label=label):
            return label
        case ParameterValue(name=known) | Defined(name=known):
            return known
        case NumberConstant(value=value, unit=unit):
            return quantity_text(value, unit)
        case TextConstant(value=text):
            return text
        case _:
            return f"第 {index + 1} 项"
