"""The parts of the OpenAPI description that FastAPI cannot read off the code: raw bodies, problems, the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from landrules.engine.case.model import EVENT_NAMES
from landrules.engine.report.json_report import report_schema
from landrules.engine.service.problems import KINDS, MEDIA, problem_schema
from landrules.facts.vocabulary import Vocabulary

__all__ = [
    "CASE_PATTERN",
    "EXAMPLE",
    "XLSX",
    "components",
    "declared",
    "items_schema",
    "json_answer",
    "json_body",
    "problems_of",
    "ref",
    "report_answer",
]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TEXT = {"type": "string"}
_SCALAR: dict[str, Any] = {
    "anyOf": [_TEXT, {"type": "number"}, {"type": "boolean"}, {"type": "null"}],
}
CASE_PATTERN = "^(?!due$)[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_.:()（）〔〕-]{0,99}$"
"""Ids of cases: they stand in addresses, where /v1/cases/due is another thing."""

EXAMPLE = {
    "subject": "parcel_supply",
    "id": "WH-01",
    "facts": {"行政区": "海勃湾区", "供应方式": "长期租赁", "出租年期": "25年", "行为日期": "2023-06-01"},
}
_EVENT_PROPERTIES: dict[str, Any] = {
    "at": {**_TEXT, "format": "date-time", "description": "何时，带时区；缺省为此刻"},
    "set": {
        "type": "object",
        "description": "填写或更正的事实：名称（代码或中文名）到值；数按文本精确读取",
        "additionalProperties": {"$ref": "#/components/schemas/FactValue"},
    },
    "unset": {"type": "array", "items": _TEXT, "description": "撤回的事实的名称"},
    "event": {"enum": list(EVENT_NAMES), "description": "什么事件；缺省按内容判断（补充、更正、撤回）"},
    "by": {**_TEXT, "maxLength": 100, "description": "经办人"},
}


def ref(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def components(vocabulary: Vocabulary) -> dict[str, Any]:
    """The schemas that the description refers to."""
    subjects = [*vocabulary.subjects, *(form.label for form in vocabulary.subjects.values())]
    return {
        "FactValue": {
            "description": "数（精确读取）、带单位的文字（如“5 万元/亩”）、是否、日期，或一列文字；不知道的不填或 null",
            "anyOf": [*_SCALAR["anyOf"], {"type": "array", "items": _SCALAR}],
        },
        "Record": {
            "type": "object",
            "description": "一条记录。事实的名称、单位和可填的值见 /v1/vocabulary 和 /v1/schemas/input",
            "properties": {
                "subject": {
                    "enum": [*subjects, None],
                    "description": "填报表，代码或中文名；以 ?subject= 给出的可不填",
                },
                "id": {
                    "anyOf": [{**_TEXT, "maxLength": 200}, {"type": "integer"}, {"type": "null"}],
                    "description": "编号，原样写进预检意见",
                },
                "facts": {"type": "object", "additionalProperties": ref("FactValue"), "description": "事实"},
            },
            "required": ["facts"],
            "additionalProperties": False,
            "examples": [EXAMPLE],
        },
        "Records": {
            "description": "记录的列表，或 {“records”: 列表}",
            "anyOf": [
                {"type": "array", "items": ref("Record"), "minItems": 1},
                {
                    "type": "object",
                    "properties": {"records": {"type": "array", "items": ref("Record"), "minItems": 1}},
                    "required": ["records"],
                    "additionalProperties": False,
                },
            ],
        },
        "Event": {
            "type": "object",
            "description": "案件的一个事件；set、unset、event 可以只给其一",
            "properties": _EVENT_PROPERTIES,
            "additionalProperties": False,
            "examples": [{"at": "2023-06-05T09:00:00+08:00", "set": {"出租年期": "20年"}, "by": "张某"}],
        },
        "NewCase": {
            "type": "object",
            "description": "受理一个案件，可以同时填写事实",
            "properties": {
                "case": {
                    **_TEXT,
                    "pattern": CASE_PATTERN,
                    "description": "案件编号；不给则由服务编一个",
                },
                "subject": {"enum": subjects, "description": "填报表，代码或中文名"},
                **{name: value for name, value in _EVENT_PROPERTIES.items() if name in ("at", "set", "by")},
            },
            "required": ["subject"],
            "additionalProperties": False,
            "examples": [
                {
                    "case": "2023-17",
                    "subject": "parcel_supply",
                    "at": "2023-06-01T09:00:00+08:00",
                    "set": {"行政区": "海勃湾区", "供应方式": "长期租赁", "行为日期": "2023-06-01"},
                    "by": "张某",
                }
            ],
        },
        "Report": _hoisted(report_schema()),
        "Problem": problem_schema(),
    }


def _hoisted(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The report's schema with its references where they are now."""
    text = json.dumps({name: value for name, value in schema.items() if name not in ("$schema", "$id")})
    found: dict[str, Any] = json.loads(text.replace('"#/$defs/', '"#/components/schemas/Report/$defs/'))
    return found


def json_body(name: str, **others: Any) -> dict[str, Any]:
    """A request body by the name of its schema; `others` are further media types."""
    content = {"application/json": {"schema": ref(name)}, **others}
    return {"requestBody": {"required": True, "content": content}}


def items_schema(**others: Any) -> dict[str, Any]:
    """A list under `items`; `others` stand beside it."""
    properties = {"items": {"type": "array", "items": {"type": "object"}}, **others}
    return {"type": "object", "properties": properties, "required": list(properties)}


def declared(
    tag: str,
    summary: str,
    operation_id: str,
    answer: Mapping[str, Any],
    *codes: str,
    status: int = 200,
    body: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a route says of itself, as arguments of `app.get` or `app.post`: its answer, and the codes of its problems."""
    return {
        "tags": [tag],
        "summary": summary,
        "operation_id": operation_id,
        "status_code": status,
        "response_class": Response,
        "responses": {status: dict(answer), **problems_of(*codes)},
        "openapi_extra": None if body is None else dict(body),
    }


def json_answer(schema: Mapping[str, Any], description: str, **others: Any) -> dict[str, Any]:
    """The description of an answer in JSON."""
    return {"description": description, "content": {"application/json": {"schema": dict(schema)}, **others}}


def report_answer(description: str) -> dict[str, Any]:
    """The description of an answer that is a report, in any of its formats."""
    pages = {"text/html": {"schema": _TEXT}, XLSX: {"schema": {**_TEXT, "format": "binary"}}}
    return json_answer(ref("Report"), description, **pages)


def problems_of(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The responses for these problems, and for those that any request may meet."""
    found: dict[int | str, dict[str, Any]] = {}
    always = ("token-missing", "host-refused", "method-not-allowed", "internal")
    for code in (*codes, *always):
        status, title = KINDS[code]
        entry = found.setdefault(status, {"description": "", "content": {MEDIA: {"schema": ref("Problem")}}})
        entry["description"] += f"{'；' if entry['description'] else ''}{title}（{code}）"
    return found
