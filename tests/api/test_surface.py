"""The public interface, written out: what changes here changes the version (semantic versioning)."""

from __future__ import annotations

import dataclasses
import inspect
from enum import Enum
from pathlib import Path

from landrules import engine
from snapshots import matches

EXPECTED = Path(__file__).parent / "surface.txt"


def described(name: str, value: object) -> list[str]:
    if inspect.isfunction(value):
        return [f"{name}{inspect.signature(value)}"]
    assert inspect.isclass(value)
    if issubclass(value, Enum):
        return [f"{name}: {', '.join(member.value for member in value)}"]
    lines = [f"{name}({', '.join(base.__name__ for base in value.__bases__ if base is not object)})"]
    if dataclasses.is_dataclass(value):
        for spec in dataclasses.fields(value):
            optional = spec.default is dataclasses.MISSING and spec.default_factory is dataclasses.MISSING
            lines.append(f"  {spec.name}: {spec.type}{'' if optional else ' = …'}")
    for attribute, member in sorted(vars(value).items()):
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if attribute.startswith("_") or not inspect.isfunction(function):
            continue
        lines.append(f"  {attribute}{inspect.signature(function)}")
    return lines


def test_names_and_signatures_are_those_written_down() -> None:
    lines = [line for name in sorted(engine.__all__) for line in described(name, getattr(engine, name))]
    matches("\n".join(lines) + "\n", EXPECTED)


def test_reports_are_immutable_and_slotted() -> None:
    for name in ("CheckOptions", "Configuration", "Finding", "Note", "RecordFindings", "Report", "Rulebook"):
        kind = getattr(engine, name)
        assert kind.__dataclass_params__.frozen, name
        assert "__slots__" in vars(kind), name
