"""What the service answers when it cannot do what it is asked: problem details (RFC 9457), in Chinese, stable codes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landrules.engine.service.wording import chinese, pointer
from landrules.facts.notes import Note

__all__ = [
    "KINDS",
    "MEDIA",
    "Flaw",
    "Problem",
    "body_flaws",
    "note_flaws",
    "problem_content",
    "problem_json",
    "problem_schema",
    "query_flaws",
]

MEDIA = "application/problem+json"

KINDS: Mapping[str, tuple[int, str]] = {
    "bad-json": (400, "请求体不是有效的 JSON"),
    "bad-encoding": (400, "请求体不是 UTF-8"),
    "bad-upload": (400, "上传的表单读不了"),
    "bad-request": (400, "请求有误"),
    "token-missing": (401, "缺少访问令牌"),
    "token-wrong": (401, "访问令牌不对"),
    "host-refused": (403, "不接受以这个主机名访问"),
    "origin-refused": (403, "不接受来自其他网站的请求"),
    "not-found": (404, "没有这个地址"),
    "rule-unknown": (404, "没有这条规则"),
    "document-unknown": (404, "没有这份文件"),
    "subject-unknown": (404, "没有这类事项"),
    "schema-unknown": (404, "没有这个格式说明"),
    "case-unknown": (404, "没有这个案件"),
    "entry-unknown": (404, "台账没有这一条"),
    "method-not-allowed": (405, "这个地址不接受这种方法"),
    "body-slow": (408, "请求体迟迟没有收完"),
    "key-reused": (409, "幂等键已用于另一项请求"),
    "case-exists": (409, "已有这个案件"),
    "masked": (410, "所要的内容已遮蔽"),
    "too-large": (413, "请求体太大"),
    "too-many-rows": (413, "记录太多"),
    "media-unsupported": (415, "不接受这种内容类型"),
    "bad-query": (422, "查询参数有误"),
    "bad-record": (422, "记录不合输入格式"),
    "bad-body": (422, "请求体不合格式"),
    "bad-file": (422, "文件不能用来判断"),
    "bad-key": (422, "幂等键写法不对"),
    "internal": (500, "服务内部出错"),
    "no-store": (501, "没有配置台账"),
    "busy": (503, "正忙"),
    "timeout": (503, "超过时间上限"),
    "stopping": (503, "服务正在停止"),
    "store-unavailable": (503, "台账不可用"),
}
"""Each code with its status and title. Codes are stable; a new one may be added, none changes its meaning."""

_RETRY_SECONDS = 5
_MOST_FLAWS = 100


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong: `pointer` into the body (RFC 6901) or the name of a `parameter`."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    line: int | None = None


class Problem(Exception):  # noqa: N818 - the name that RFC 9457 gives it
    """Ends a request with problem details. `code` is a key of `KINDS`."""

    def __init__(
        self, code: str, detail: str, flaws: Sequence[Flaw] = (), *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.flaws = code, detail, tuple(flaws)
        self.status, self.title = KINDS[code]
        self.headers = dict(headers or {})
        if self.status == 503:  # noqa: PLR2004
            self.headers.setdefault("Retry-After", str(_RETRY_SECONDS))


def problem_content(problem: Problem, request_id: str) -> dict[str, object]:
    """The members of the answer."""
    content: dict[str, object] = {
        "type": f"urn:landrules:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
    }
    if problem.flaws:
        content["errors"] = [
            {
                name: value
                for name in ("code", "detail", "pointer", "parameter", "line")
                if (value := getattr(flaw, name)) is not None
            }
            for flaw in problem.flaws[:_MOST_FLAWS]
        ]
        content["error_count"] = len(problem.flaws)
    return content


def problem_json(problem: Problem, request_id: str) -> bytes:
    """The answer's body."""
    text = json.dumps(problem_content(problem, request_id), ensure_ascii=False)
    # What is quoted from a request may hold half a surrogate pair.
    return text.encode("utf-8", "replace")


def query_flaws(errors: Iterable[Any]) -> list[Flaw]:
    """FastAPI's complaints about parameters: `loc` is (`query`, name, …)."""
    return [
        Flaw(
            error["type"].replace("_", "-"),
            chinese(error),
            parameter=str(error["loc"][1]) if len(error["loc"]) > 1 else None,
        )
        for error in errors
    ]


def body_flaws(errors: Iterable[Any]) -> list[Flaw]:
    """Pydantic's complaints about a body."""
    return [
        Flaw(error["type"].replace("_", "-"), chinese(error), pointer=pointer(error["loc"]))
        for error in errors
    ]


def note_flaws(notes: Iterable[Note]) -> list[Flaw]:
    """The reader's errors about a file."""
    return [
        Flaw(note.code, note.describe(), line=note.place.row) for note in notes if note.severity == "error"
    ]


def problem_schema() -> dict[str, Any]:
    """JSON Schema of problem details."""
    text = {"type": "string"}
    flaw = {
        "type": "object",
        "properties": {
            "code": {**text, "description": "这一处错误的代码"},
            "detail": {**text, "description": "错在哪里，怎么改"},
            "pointer": {**text, "description": "请求体里的位置（JSON Pointer，RFC 6901）"},
            "parameter": {**text, "description": "查询参数的名称"},
            "line": {"type": "integer", "description": "第几行（jsonl 或文件）"},
        },
        "required": ["code", "detail"],
        "additionalProperties": False,
    }
    return {
        "title": "问题说明（RFC 9457）",
        "type": "object",
        "properties": {
            "type": {**text, "format": "uri", "description": "urn:landrules:problem:代码"},
            "title": {**text, "description": "这种问题的名称"},
            "status": {"type": "integer", "description": "HTTP 状态码"},
            "detail": {**text, "description": "是什么，为什么，怎么办"},
            "code": {"enum": sorted(KINDS), "description": "代码，长期不变"},
            "request_id": {**text, "description": "请求编号，与 X-Request-Id 响应头和日志一致"},
            "errors": {"type": "array", "items": flaw, "description": f"逐处错误，至多列 {_MOST_FLAWS} 处"},
            "error_count": {"type": "integer", "description": "错误总数"},
        },
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "additionalProperties": False,
        "examples": [
            {
                "type": "urn:landrules:problem:bad-record",
                "title": "记录不合输入格式",
                "status": 422,
                "detail": "1 处不合输入格式，没有预检；请改正后重发",
                "code": "bad-record",
                "request_id": "0b54a1c2",
                "errors": [
                    {"code": "subject-unknown", "detail": "没有“宗地供应”这种填报表", "pointer": "/0/subject"}
                ],
                "error_count": 1,
            }
        ],
    }
