"""What holds on a day: the parameters and table rows of a rule that are in force, and which day it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from landrules.engine.rulebook.model import Rule
from landrules.facts.records import Value

__all__ = ["day_of", "parameters_on", "tables_on"]


def day_of(values: Mapping[str, Value]) -> date | None:
    """The day whose parameters hold where no date gate chose one: that of the action, else of the evaluation."""
    for key in ("action_date", "as_of_date"):
        day = values.get(key)
        if isinstance(day, date):
            return day
    return None


def parameters_on(rule: Rule, day: date | None) -> dict[str, Value | None]:
    """Each parameter of a rule with its value on the day, None where the document leaves it blank.

    Without a day, a parameter has a value only where it has a single one.
    """
    dated = {name: parameter.at(day) for name, parameter in rule.parameters.items()}
    return {name: value.value if value else None for name, value in dated.items()}


def tables_on(rule: Rule, day: date | None) -> dict[str, Mapping[str, Value | None]]:
    """Each table of a rule with its rows on the day."""
    result: dict[str, Mapping[str, Value | None]] = {}
    for name, table in rule.tables.items():
        rows = {key: table.at(key, day) for key in table.rows}
        result[name] = {key: row.value if row else None for key, row in rows.items()}
    return result
