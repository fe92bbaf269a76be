"""Named, dated values: from the text in a ruleset to a `Parameter` and the kind of value it stands for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from landrules.engine.language.scope import DATE, MONTH, TRUTH, Kind, TableKind
from landrules.engine.rulebook.model import DatedValue, Parameter, Period, Table
from landrules.engine.rulebook.reading import Source, Where
from landrules.engine.rulebook.schema import ParameterForm
from landrules.facts.notes import Note
from landrules.facts.quantities import Unit, find_unit, parse_number
from landrules.facts.records import Value
from landrules.facts.reference_tables import ReferenceTable
from landrules.facts.values import parse_date

__all__ = ["overlap", "read_parameters", "reference_table", "table_kind"]

_PURE = find_unit("无")


def read_parameters(
    forms: Mapping[str, Sequence[ParameterForm]], source: Source, where: Where, problems: list[Note]
) -> tuple[dict[str, Parameter], dict[str, Kind]]:
    """The parameters under `where` and their kinds; what cannot be read is noted and left out."""
    parameters: dict[str, Parameter] = {}
    kinds: dict[str, Kind] = {}
    for name, dated in forms.items():
        found = _parameter(name, dated, problems, source, (*where, name))
        if found is not None:
            parameters[name], kinds[name] = found
    return parameters, kinds


def _parameter(
    name: str, forms: Sequence[ParameterForm], problems: list[Note], source: Source, where: Where
) -> tuple[Parameter, Kind] | None:
    values: list[DatedValue] = []
    kinds: list[Kind] = []
    for index, form in enumerate(forms):
        here = (*where, index) if len(forms) > 1 else where
        read = _read(form)
        if isinstance(read, str):
            message = f"参数“{name}”{read}"
            problems.append(Note("error", "parameter-value", message, source.place((*here, "value"))))
            return None
        value, unit, kind = read
        period = Period(form.from_, form.to)
        values.append(DatedValue(value, unit, period, form.basis, form.value or ""))
        kinds.append(kind)
    if not values:
        message = f"参数“{name}”没有值；文件留空的请写 null"
        problems.append(Note("error", "parameter-value", message, source.place(where)))
        return None
    if len({(kind.type, kind.dimension) for kind in kinds}) > 1:
        shown = "、".join(dict.fromkeys(kind.describe() for kind in kinds))
        message = f"参数“{name}”的几个值种类不同（{shown}）；请用同一种单位，空值也要写 unit"
        problems.append(Note("error", "parameter-kind", message, source.place(where)))
        return None
    if clash := overlap([value.period for value in values]):
        message = (
            f"参数“{name}”的两个值时段重叠（{clash[0].describe()}，{clash[1].describe()}）；请改 from、to"
        )
        problems.append(Note("error", "parameter-overlap", message, source.place(where)))
        return None
    texts = tuple(dict.fromkeys(option for kind in kinds for option in kind.values))
    kind = Kind(kinds[0].type, kinds[0].dimension, texts, kinds[0].month)
    meaning = next((form.meaning for form in forms if form.meaning), "")
    return Parameter(name, tuple(values), meaning), kind


def _read(form: ParameterForm) -> tuple[Value | None, Unit | None, Kind] | str:
    """The value, its unit and kind; or what is wrong with it."""
    unit = find_unit(form.unit) if form.unit else _PURE
    if unit is None:
        return f"的单位“{form.unit}”不认识；请用 亩、公顷、平方米、元每平方米、年、月、日、工作日、% 等"
    if form.value is None:
        return None, unit, Kind("number", unit.dimension)
    text = form.value.strip()
    if text in ("是", "否"):
        return text == "是", None, TRUTH
    if not text.isdigit() and (day := parse_date(text)):
        return day, None, DATE
    if re.fullmatch(r"\d{4}-\d{2}", text):
        return text, None, MONTH
    number = parse_number(text)
    if number is not None:
        if form.unit and number.unit is not None and number.unit != unit:
            return f"写了两个单位（“{text}”和 unit: {form.unit}）；请只留一个"
        unit = number.unit or unit
        return number.value * unit.factor, unit, Kind("number", unit.dimension)
    if re.match(r"[-+]?\d", text):
        return f"的值“{text}”读不懂；请写成 20年、100亩、15%、2023-06-30 这样的一个值"
    return text, None, Kind("text", values=(text,))


def overlap(periods: Sequence[Period]) -> tuple[Period, Period] | None:
    """Two of the periods that have a day in common, None when all are apart."""
    ordered = sorted(periods, key=lambda period: period.start or date.min)
    return next(((first, second) for first, second in pairwise(ordered) if first.meets(second)), None)


def reference_table(table: ReferenceTable) -> Table:
    """A statutory table of `facts/reference` as a table that rules can look up."""
    rows = {
        key: tuple(
            DatedValue(row.value, table.unit, Period(row.start, row.end), row.basis, row.text)
            for row in dated
        )
        for key, dated in table.rows.items()
    }
    return Table(table.name, rows, table.basis, table.confidence, table.key)


def table_kind(table: ReferenceTable) -> TableKind:
    """The kinds of a table's key and entries."""
    return TableKind(Kind("text", values=tuple(table.rows)), Kind("number", table.unit.dimension))
