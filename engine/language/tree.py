"""The rule language as a tree: one frozen class per operation, each with its meaning in one line.

Values are those of `landrules.facts.records.Value`; every operation may also yield *unknown*. Logic is strong
Kleene; the functions are defined in provisions/CONVENTIONS §2. Numbers are in base units
(`landrules.facts.quantities`). A node knows nothing of text, records or verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction
from typing import Literal

from landrules.facts.quantities import Dimension, Unit

__all__ = [
    "Add",
    "AddDays",
    "AddMonths",
    "AddWorkdays",
    "AddYears",
    "Aggregate",
    "And",
    "AnyKnown",
    "ApplicableMinimumPrice",
    "Choose",
    "Coalesce",
    "Compare",
    "Constant",
    "Contains",
    "ContainsAll",
    "DateConstant",
    "DayOfMonth",
    "Deadline",
    "Defined",
    "Divide",
    "Earlier",
    "Expression",
    "FactValue",
    "IsKnown",
    "Larger",
    "Later",
    "Lookup",
    "Members",
    "MonthOf",
    "Multiply",
    "Negate",
    "NextMonth",
    "Not",
    "NotYetDue",
    "NumberConstant",
    "OneOf",
    "Or",
    "ParameterValue",
    "RollWorkday",
    "Rounded",
    "Size",
    "Smaller",
    "Subset",
    "Subtract",
    "TextConstant",
    "TruthConstant",
    "children",
    "facts_of",
    "walk",
]

ComparisonSign = Literal["=", "≠", "<", "≤", ">", "≥"]


@dataclass(frozen=True, slots=True)
class TruthConstant:
    """是 or 否."""

    value: bool


@dataclass(frozen=True, slots=True)
class NumberConstant:
    """A number with its unit as written; `value` in base units."""

    value: Fraction
    unit: Unit


@dataclass(frozen=True, slots=True)
class DateConstant:
    """A calendar day."""

    value: date


@dataclass(frozen=True, slots=True)
class TextConstant:
    """An allowed value, or text (months are `YYYY-MM`)."""

    value: str


@dataclass(frozen=True, slots=True)
class Members:
    """A set of texts, in the order written."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactValue:
    """The value of a fact of the record; `label` is only for printing."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """The value that a named, dated parameter has on the day; unknown where the document leaves it blank."""

    name: str


@dataclass(frozen=True, slots=True)
class Defined:
    """A named expression of the ruleset (`definitions`), its body in place."""

    name: str
    body: Expression


@dataclass(frozen=True, slots=True)
class Lookup:
    """The entry of a named, dated table for a key: 法定最高出让年限(用途)."""

    table: str
    key: Expression


@dataclass(frozen=True, slots=True)
class And:
    """Every part holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Expression


@dataclass(frozen=True, slots=True)
class Compare:
    """Compares two numbers, days, texts or truths; order only for numbers, days and months."""

    left: Expression
    sign: ComparisonSign
    right: Expression


@dataclass(frozen=True, slots=True)
class OneOf:
    """A single value is one of the members (属于)."""

    item: Expression
    members: Members


@dataclass(frozen=True, slots=True)
class Contains:
    """A set has this member (包含)."""

    group: Expression
    item: TextConstant


@dataclass(frozen=True, slots=True)
class ContainsAll:
    """A set has all of the members (包含全部)."""

    group: Expression
    members: Members


@dataclass(frozen=True, slots=True)
class Subset:
    """A set has nothing beyond the members (仅限于)."""

    group: Expression
    members: Members


@dataclass(frozen=True, slots=True)
class Size:
    """How many members a set has (项数)."""

    group: Expression


@dataclass(frozen=True, slots=True)
class Add:
    """Sum of two quantities of one dimension."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Subtract:
    """Difference of two quantities of one dimension."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Multiply:
    """Product."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Divide:
    """Quotient; unknown where the divisor is zero."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Negate:
    """The number with the other sign."""

    part: Expression


@dataclass(frozen=True, slots=True)
class Choose:
    """若 condition 则 yes 否则 no; unknown where the condition is."""

    condition: Expression
    yes: Expression
    no: Expression


@dataclass(frozen=True, slots=True)
class Coalesce:
    """缺省: the value where it is known, else the fallback."""

    value: Expression
    fallback: Expression


@dataclass(frozen=True, slots=True)
class IsKnown:
    """已知: whether the value is known; never unknown itself."""

    value: Expression


@dataclass(frozen=True, slots=True)
class AnyKnown:
    """任一已知: holds where one of the values is known, unknown where none is."""

    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Larger:
    """较大 of numbers."""

    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Smaller:
    """较小 of numbers."""

    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Later:
    """较晚 of days."""

    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """较早 of days."""

    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AddDays:
    """日后: a day so many days on."""

    day: Expression
    span: Expression


@dataclass(frozen=True, slots=True)
class AddMonths:
    """月后: the same day so many whole months on, the month's end where there is none."""

    day: Expression
    span: Expression


@dataclass(frozen=True, slots=True)
class AddYears:
    """年后: the same day so many years on, the month's end where there is none."""

    day: Expression
    span: Expression


@dataclass(frozen=True, slots=True)
class AddWorkdays:
    """工作日后: the n-th working day after the day; unknown beyond the calendar's years."""

    day: Expression
    span: Expression


@dataclass(frozen=True, slots=True)
class RollWorkday:
    """顺延至工作日: the day itself, or the next working day."""

    day: Expression


@dataclass(frozen=True, slots=True)
class MonthOf:
    """所属月份: `YYYY-MM` of a day."""

    day: Expression


@dataclass(frozen=True, slots=True)
class NextMonth:
    """次月 of a month text."""

    month: Expression


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """日号: the day's number in its month."""

    day: Expression


@dataclass(frozen=True, slots=True)
class Rounded:
    """四舍五入 (half up) or 修约 (GB/T 8170, half to even) to `digits` decimals of `unit`."""

    value: Expression
    unit: Unit
    digits: int
    manner: Literal["half-up", "half-even"]


@dataclass(frozen=True, slots=True)
class ApplicableMinimumPrice:
    """适用最低价 (CONVENTIONS §2): the adjusted standard where known; unknown for a term under 50 years; else the standard."""

    standard: Expression
    adjusted: Expression
    term: Expression


@dataclass(frozen=True, slots=True)
class NotYetDue:
    """未到期: the evaluation day (评价基准日) is not after the due day; a verdict resting on it is marked."""

    due: Expression


@dataclass(frozen=True, slots=True)
class Deadline:
    """期限 (CONVENTIONS §2): done by the due day, or not done and not yet due. `flag` says whether it is done."""

    due: Expression
    done: Expression
    flag: Expression | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """合计/计数/最大/最小 of an expression over the related rows, those equal in all columns of `by`."""

    kind: Literal["sum", "count", "largest", "smallest"]
    value: Expression | None
    by: tuple[str, ...]


Constant = TruthConstant | NumberConstant | DateConstant | TextConstant | Members
Expression = (
    Constant
    | FactValue
    | ParameterValue
    | Defined
    | Lookup
    | And
    | Or
    | Not
    | Compare
    | OneOf
    | Contains
    | ContainsAll
    | Subset
    | Size
    | Add
    | Subtract
    | Multiply
    | Divide
    | Negate
    | Choose
    | Coalesce
    | IsKnown
    | AnyKnown
    | Larger
    | Smaller
    | Later
    | Earlier
    | AddDays
    | AddMonths
    | AddYears
    | AddWorkdays
    | RollWorkday
    | MonthOf
    | NextMonth
    | DayOfMonth
    | Rounded
    | ApplicableMinimumPrice
    | NotYetDue
    | Deadline
    | Aggregate
)
_OPAQUE = (str, int, Fraction, date, bool, Unit, Dimension, type(None))


def children(node: Expression) -> Iterator[Expression]:
    """The operands of a node, left to right."""
    for spec in fields(node):
        part = getattr(node, spec.name)
        if isinstance(part, tuple):
            yield from (item for item in part if not isinstance(item, _OPAQUE))
        elif not isinstance(part, _OPAQUE):
            yield part


def walk(node: Expression) -> Iterator[Expression]:
    """The node and everything below it, depth first."""
    yield node
    for child in children(node):
        yield from walk(child)


def facts_of(node: Expression) -> tuple[str, ...]:
    """Keys of the facts read by a node, in reading order, each once; 评价基准日 where a deadline reads it."""
    keys: dict[str, None] = {}
    for part in walk(node):
        match part:
            case FactValue(key=key):
                keys[key] = None
            case Deadline() | NotYetDue():
                keys["as_of_date"] = None
    return tuple(keys)
