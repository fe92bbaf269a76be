"""Statutory reference tables from `facts/reference/*.yaml`: dated rows, each with source and confidence.

Confidence: A official text or checked against real records; B secondary or two agreeing sources; C memory.
A use code is read only together with its scheme: the same digits name different uses in different schemes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from landrules.facts.notes import InputError, Note, Place
from landrules.facts.quantities import Unit, find_unit, parse_number
from landrules.facts.values import suggest

__all__ = ["ReferenceRow", "ReferenceTable", "load_reference_tables", "use_code_schemes", "use_name"]

_HERE = Path(__file__).parent / "reference"
_CODES = "use-codes"


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """The value for a key in a period: `value` in base units, days inside, None open."""

    value: Fraction
    text: str
    start: date | None
    end: date | None
    basis: str
    confidence: str

    def holds(self, day: date) -> bool:
        """Whether the row is in force on the day."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class ReferenceTable:
    """A statutory table: `key` names what it is looked up by (a fact's label, or a plain notion)."""

    name: str
    key: str
    unit: Unit
    rows: Mapping[str, tuple[ReferenceRow, ...]]
    basis: str
    confidence: str
    checked: str

    def value(self, key: str, day: date) -> Fraction | None:
        """The value for the key on the day in base units, None where the table has none."""
        return next((row.value for row in self.rows.get(key, ()) if row.holds(day)), None)


def load_reference_tables() -> Mapping[str, ReferenceTable]:
    """The shipped tables by name.

    Raises:
        InputError: when a file does not have the form of a table.
    """
    tables = (_table(path) for path in sorted(_HERE.glob("*.yaml")) if path.stem != _CODES)
    return {table.name: table for table in tables}


def use_code_schemes() -> Mapping[str, str]:
    """The classification schemes of use codes: key → Chinese name."""
    return MappingProxyType({key: str(scheme["name"]) for key, scheme in _use_codes()["schemes"].items()})


def use_name(scheme: str, code: str) -> str | None:
    """The name of a use code in a scheme; None when the scheme has no such code.

    Raises:
        InputError: for an unknown scheme. A code without its scheme is never read.
    """
    codes: Mapping[str, str] | None = _use_codes()["codes"].get(scheme)
    if codes is None:
        schemes = use_code_schemes()
        near = suggest(scheme, tuple(schemes))
        hint = f"是否指{near}？" if near else ""
        listed = "、".join(f"{key}（{name}）" for key, name in schemes.items())
        message = f"用途代码“{code}”的分类“{scheme}”不认识；{hint}代码须连同分类填写，可用：{listed}"
        raise InputError(Note("error", "use-code-scheme", message))
    return codes.get(code.strip())


def _read(path: Path) -> dict[str, Any]:
    # Base loader: all text, so that codes keep their zeros and dates are read in one place.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - yields only text, lists, mappings
    if not isinstance(content, dict):
        raise InputError(Note("error", "reference-form", "参考表应是“键: 值”的映射", Place(file=path.name)))
    return content


@cache
def _use_codes() -> dict[str, Any]:
    return _read(_HERE / f"{_CODES}.yaml")


def _table(path: Path) -> ReferenceTable:
    content = _read(path)
    unit = find_unit(content["unit"])
    if unit is None:
        message = f"参考表的单位“{content['unit']}”不认识"
        raise InputError(Note("error", "reference-form", message, Place(file=path.name)))
    rows: dict[str, tuple[ReferenceRow, ...]] = {}
    for item in content["rows"]:
        key = item["key"]
        rows[key] = (*rows.get(key, ()), _row(path, item, unit, content))
    return ReferenceTable(
        name=content["name"],
        key=content["key"],
        unit=unit,
        rows=MappingProxyType(rows),
        basis=content["basis"],
        confidence=content["confidence"],
        checked=content["checked"],
    )


def _row(path: Path, item: Mapping[str, str], unit: Unit, content: Mapping[str, Any]) -> ReferenceRow:
    number = parse_number(item["value"])
    if number is None or number.unit is None or number.unit.dimension != unit.dimension:
        message = f"参考表“{item['key']}”的值“{item['value']}”应是带单位的数，能换算为{unit.name}"
        raise InputError(Note("error", "reference-form", message, Place(file=path.name)))
    return ReferenceRow(
        value=number.value * number.unit.factor,
        text=item["value"],
        start=_day(item.get("from")),
        end=_day(item.get("to")),
        basis=item.get("basis", content["basis"]),
        confidence=item.get("confidence", content["confidence"]),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
