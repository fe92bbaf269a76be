from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from landrules.engine.rulebook.folders import shipped
from landrules.engine.rulebook.json_schemas import json_schemas, schemas_folder, write_json_schemas

if TYPE_CHECKING:
    from pathlib import Path


class Editor(yaml.SafeLoader):
    """Reads as YAML 1.2 editors do: dates stay text."""


Editor.yaml_implicit_resolvers = {
    start: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
    for start, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_the_shipped_schemas_are_current(tmp_path: Path) -> None:
    write_json_schemas(tmp_path)
    shipped_texts = {path.name: path.read_text(encoding="utf-8") for path in schemas_folder().iterdir()}
    assert shipped_texts == {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_a_schema_is_itself_valid(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(json_schemas()[name]))


def test_an_editor_accepts_the_shipped_rulesets() -> None:
    schemas = {name: json.loads(text) for name, text in json_schemas().items()}
    files = sorted(path for path in shipped().glob("*/*.yaml") if path.stem != "facts")
    assert files
    for path in files:
        content: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=Editor)  # noqa: S506 - a safe loader
        errors = list(jsonschema.Draft202012Validator(schemas[f"{path.stem}.json"]).iter_errors(content))
        assert errors == [], path


def test_an_editor_flags_an_unknown_key() -> None:
    schema = json.loads(json_schemas()["rules.json"])
    assert list(jsonschema.Draft202012Validator(schema).iter_errors({"rules": [{"wenn": "x"}]}))
