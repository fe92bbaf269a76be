"""Pydantic models of input records, made from the vocabulary: validation with a path to each error, and JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    create_model,
    model_validator,
)

from landrules.facts.values import read_spelling, read_value
from landrules.facts.vocabulary import Fact, Subject, Vocabulary

__all__ = ["facts_model", "input_json_schema", "record_model"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OPEN_WORDS = ["未知", "不涉及"]
_HOW = {
    "bool": "填 true、false 或“是”“否”",
    "enum": "从所列值中选一个",
    "set": "从所列值中选若干，列表或以“；”分隔的文字；空集填“无”",
    "number": "数字，或带单位的文字，如“5 万元/亩”",
    "integer": "整数",
    "date": "日期，如 2023-06-01",
    "text": "文字",
}


def facts_model(subject: Subject) -> type[BaseModel]:
    """A model of the facts of one form: a field a fact, by key; a label or alias is accepted as a further name.

    A value that `read_value` refuses is an error whose message is the same Chinese sentence; nothing is coerced. A missing
    or null fact is None.
    """
    fields: dict[str, Any] = {fact.key: (_annotation(fact), _field(fact)) for fact in subject.facts.values()}
    config = ConfigDict(extra="allow", title=f"{subject.label}的事实", protected_namespaces=())

    def by_key(content: object) -> object:
        """Labels and aliases to keys; a fact given under two names keeps both, so that the reader can tell."""
        if not isinstance(content, dict):
            return content
        renamed: dict[object, object] = {}
        for name, value in content.items():
            fact = subject.fact(name) if isinstance(name, str) else None
            renamed[name if fact is None or fact.key in content or fact.key in renamed else fact.key] = value
        return renamed

    validators: dict[str, Any] = {"by_key": model_validator(mode="before")(by_key)}
    return create_model(
        f"{_camel(subject.key)}Facts",
        __config__=config,
        __doc__=subject.definition,
        __validators__=validators,
        **fields,
    )


def record_model(subject: Subject) -> type[BaseModel]:
    """A model of one input record of that form: `{"subject", "id", "facts"}`."""
    fields: dict[str, Any] = {
        "subject": (
            Literal[(subject.key, subject.label, *subject.aliases)],
            Field(title="填报表", description=f"{subject.label}：{subject.definition}"),
        ),
        "id": (str | None, Field(default=None, title="编号", description="这条记录的编号；不填则以行号相称")),
        "facts": (
            facts_model(subject),
            Field(title="事实", description="名称（代码或中文名）到值的映射；不知道的不填"),
        ),
    }
    config = ConfigDict(extra="forbid", title=subject.label)
    return create_model(
        f"{_camel(subject.key)}Record", __config__=config, __doc__=subject.definition, **fields
    )


def input_json_schema(vocabulary: Vocabulary) -> dict[str, Any]:
    """JSON Schema (2020-12) of the input: one record or a list of them, with labels, units and allowed values in Chinese."""
    definitions: dict[str, Any] = {}
    for subject in vocabulary.subjects.values():
        schema = record_model(subject).model_json_schema(by_alias=False, ref_template="#/$defs/{model}")
        definitions.update(schema.pop("$defs", {}))
        definitions[f"{_camel(subject.key)}Record"] = schema
    records = [{"$ref": f"#/$defs/{_camel(key)}Record"} for key in vocabulary.subjects]
    return {
        "$schema": _DIALECT,
        "title": "landrules 输入记录",
        "description": "一条记录，或记录的列表。未知的事实不填；“未知”“不涉及”与不填是三种不同的输入。",
        "anyOf": [{"$ref": "#/$defs/Record"}, {"type": "array", "items": {"$ref": "#/$defs/Record"}}],
        "$defs": {"Record": {"anyOf": records}, **dict(sorted(definitions.items()))},
    }


def _annotation(fact: Fact) -> Any:
    def check(value: object) -> object:
        problem = read_value(fact, value).problem
        if problem and read_spelling(fact, value) is None:
            raise ValueError(problem)
        return value

    return Annotated[Any, BeforeValidator(check), WithJsonSchema(_schema(fact))]


def _field(fact: Fact) -> Any:
    return Field(default=None, title=fact.label, description=_description(fact))


def _description(fact: Fact) -> str:
    unit = (
        "" if not fact.numeric or fact.unit.name == "无" else f"单位：{fact.unit.name.replace('每', '/')}。"
    )
    values = f"可填：{'、'.join(fact.values)}。" if fact.values else ""
    aliases = f"又名：{'、'.join(fact.aliases)}。" if fact.aliases else ""
    return f"{fact.definition}。{unit}{_HOW[fact.type]}。{values}{aliases}"


def _schema(fact: Fact) -> dict[str, Any]:
    words: dict[str, Any] = {"type": "string"}
    match fact.type:
        case "bool":
            kinds: list[dict[str, Any]] = [{"type": "boolean"}, {"enum": ["是", "否", *_OPEN_WORDS]}]
        case "enum":
            kinds = [{"enum": list(dict.fromkeys([*fact.values, *_OPEN_WORDS, *fact.spellings]))}]
        case "set":
            kinds = [{"type": "array", "items": {"enum": list(fact.values)}, "uniqueItems": True}, words]
        case "number" | "integer":
            number: dict[str, Any] = {"type": fact.type}
            if not fact.signed:
                number["minimum"] = 0
            kinds = [number, words]
        case "date":
            kinds = [{"type": "string", "format": "date"}, {"enum": _OPEN_WORDS}]
        case _:
            kinds = [words]
    return {"anyOf": [*kinds, {"type": "null"}]}


def _camel(key: str) -> str:
    return "".join(part.capitalize() for part in key.split("_"))
