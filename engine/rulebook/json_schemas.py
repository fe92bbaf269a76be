"""JSON Schemas of the ruleset files, for editors: completion and checking while one writes.

They describe what a YAML editor sees, which resolves `true` and `20` where our reader keeps text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from landrules.engine.rulebook.schema import (
    ClausesFile,
    ConfigurationFile,
    DocumentFile,
    ParametersFile,
    RulesFile,
)

__all__ = [
    "clauses_json_schema",
    "configuration_json_schema",
    "document_json_schema",
    "json_schemas",
    "parameters_json_schema",
    "rule_json_schema",
    "schemas_folder",
    "write_json_schemas",
]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_SCALAR = {"type": ["string", "number", "boolean", "null"]}


def rule_json_schema() -> dict[str, Any]:
    """Schema of `rules.yaml` and the files under `rules/`."""
    return _finished(RulesFile.model_json_schema(), "规则")


def clauses_json_schema() -> dict[str, Any]:
    """Schema of `clauses.yaml`."""
    return _finished(ClausesFile.model_json_schema(), "条款索引")


def document_json_schema() -> dict[str, Any]:
    """Schema of `document.yaml`."""
    return _finished(DocumentFile.model_json_schema(), "文件信息")


def parameters_json_schema() -> dict[str, Any]:
    """Schema of `parameters.yaml`."""
    return _finished(ParametersFile.model_json_schema(), "共用参数和说法")


def configuration_json_schema() -> dict[str, Any]:
    """Schema of a place configuration file."""
    return _finished(ConfigurationFile.model_json_schema(), "地方配置")


_MAKERS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "clauses": clauses_json_schema,
    "configuration": configuration_json_schema,
    "document": document_json_schema,
    "parameters": parameters_json_schema,
    "rules": rule_json_schema,
}


def json_schemas() -> dict[str, str]:
    """File name → text of every schema."""
    made = {name: make() for name, make in _MAKERS.items()}
    return {
        f"{name}.json": json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
        for name, schema in made.items()
    }


def schemas_folder() -> Path:
    """Where the shipped schemas are."""
    return Path(__file__).parent / "schemas"


def write_json_schemas(folder: Path) -> None:
    """Write every schema into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in json_schemas().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _finished(schema: dict[str, Any], title: str) -> dict[str, Any]:
    _simplify(schema)
    return {
        "$schema": _DRAFT,
        "title": title,
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _simplify(node: object) -> None:
    """Drop titles made from Python names, and allow the short forms that the reader accepts."""
    if isinstance(node, list):
        for item in node:
            _simplify(item)
    if not isinstance(node, dict):
        return
    for name, field in node.get("properties", {}).items():
        field.pop("title", None)
        if name == "parameters":
            form = field["additionalProperties"]["items"]
            either = [_SCALAR, form, {"type": "array", "items": {"anyOf": [_SCALAR, form]}}]
            field["additionalProperties"] = {"anyOf": either}
        elif field.get("default") in ("", None) and field.get("type") == "string":
            field["type"] = ["string", "null"]
    for value in node.values():
        _simplify(value)
