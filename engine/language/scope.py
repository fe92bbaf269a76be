"""What a rule text may name, and what kind of value each name stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from landrules.engine.language.tree import Expression
from landrules.engine.language.words import Names, name_index
from landrules.facts.quantities import Dimension
from landrules.facts.vocabulary import Fact, Subject

__all__ = ["DATE", "MONTH", "TRUTH", "Kind", "Scope", "TableKind", "kind_of_fact"]

KindType = Literal["bool", "number", "date", "text", "set"]


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of value that an expression has.

    `dimension` belongs to numbers. `values` are the allowed values of a text or set, empty where any will do;
    with `literal` they are the values it was written with. `month` marks texts of the form YYYY-MM. `quotient`
    marks a number that is the quotient of two like quantities: it may be read as a plain number or as a share.
    """

    type: KindType
    dimension: Dimension = field(default_factory=Dimension)
    values: tuple[str, ...] = ()
    month: bool = False
    literal: bool = False
    quotient: bool = False

    def describe(self) -> str:
        """Chinese name of the kind, for messages."""
        match self.type:
            case "bool":
                return "判断（是/否）"
            case "number":
                return f"数（{self.dimension.describe()}）"
            case "date":
                return "日期"
            case "text":
                return "月份" if self.month else "文字" if not self.values else "取值"
            case "set":
                return "集合"


TRUTH = Kind("bool")
DATE = Kind("date")
MONTH = Kind("text", month=True)


@dataclass(frozen=True, slots=True)
class TableKind:
    """A table: the kind of its key and of its entries."""

    key: Kind
    value: Kind


@dataclass(frozen=True, slots=True)
class Scope:
    """Everything a rule text may name.

    `parameters` by name; `tables` by name; `definitions` are parsed expressions by name; `identifying` are the
    names of columns that related rows may be grouped by.
    """

    subject: Subject
    parameters: Mapping[str, Kind] = field(default_factory=dict)
    tables: Mapping[str, TableKind] = field(default_factory=dict)
    definitions: Mapping[str, Expression] = field(default_factory=dict)
    identifying: tuple[str, ...] = ()
    names: Names = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", name_index(self.expressions(), self.values()))

    def fact(self, name: str) -> Fact | None:
        """The fact of that label or key; aliases are for tables of data, not for rules."""
        found = self.subject.facts.get(name) or self.subject.names.get(name)
        return found if found is not None and name in (found.key, found.label) else None

    def expressions(self) -> tuple[str, ...]:
        """Every name that stands for something: facts, parameters, definitions, tables, columns."""
        facts = self.subject.facts.values()
        return (
            *(fact.label for fact in facts),
            *(fact.key for fact in facts),
            *self.parameters,
            *self.definitions,
            *self.tables,
            *self.identifying,
        )

    def values(self) -> tuple[str, ...]:
        """Every allowed value of facts, parameters and tables, each once."""
        found: dict[str, None] = {}
        for fact in self.subject.facts.values():
            found.update(dict.fromkeys(fact.values))
        for kind in self.parameters.values():
            found.update(dict.fromkeys(kind.values))
        for table in self.tables.values():
            found.update(dict.fromkeys((*table.key.values, *table.value.values)))
        return tuple(found)


def kind_of_fact(fact: Fact) -> Kind:
    """The kind of value that a fact of the vocabulary has."""
    match fact.type:
        case "bool":
            return TRUTH
        case "number" | "integer":
            return Kind("number", fact.dimension)
        case "date":
            return DATE
        case "enum" | "text":
            return Kind("text", values=fact.values, month=fact.format == "YYYY-MM")
        case "set":
            return Kind("set", values=fact.values)
