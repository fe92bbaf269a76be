"""`POST /v1/check` and `/v1/check/file`: records in, 预检意见 out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, TypeAlias

from fastapi import Depends, FastAPI, Header, Query, Request
from starlette.responses import Response

from landrules.engine.findings.model import CheckOptions
from landrules.engine.service.answers import Kept
from landrules.engine.service.bodies import media_of, parse_multipart, read_body, records_text
from landrules.engine.service.office import Checked, Source, Style, check_sources, known_options, render
from landrules.engine.service.problems import Flaw, Problem
from landrules.engine.service.requests import answered, pieces, run, who
from landrules.engine.service.schemas import json_body, problems_of, report_answer
from landrules.engine.service.work import Deadline

__all__ = ["add_check_routes", "answer_check", "read_form", "uploaded"]

_LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")

SourcesOf: TypeAlias = Callable[[Deadline], list[Source]]
"""How the inputs are got out of a request; done in the thread that checks them."""

On = Annotated[date | None, Query(description="视同这一天办理（以此日为行为日期）", examples=["2023-06-01"])]
AsOf = Annotated[
    date | None, Query(description="评价基准日，用于没有填的记录；不取系统时间", examples=["2023-06-01"])
]
Derive = Annotated[bool, Query(description="是否使用推导值")]
PlaceName = Annotated[
    str, Query(max_length=100, description="行政区，用于没有填的记录", examples=["海勃湾区"])
]
Patterns = Annotated[list[str], Query(max_length=200, description="规则编号、文件编号或 文件/*，可重复")]
SubjectName = Annotated[
    str | None, Query(max_length=100, description="没有写明填报表的记录是哪一类事项", examples=["供地宗地"])
]
Format = Annotated[Style, Query(description="json（landrules/report/1）、html 或 xlsx（汇总表）")]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="幂等键：同一键同一请求得同一答复，同一键另一请求得 409"),
]


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a check is asked for, by whatever way the input comes."""

    options: CheckOptions
    subject: str | None
    style: Style


async def _asked(
    on: On = None,
    as_of: AsOf = None,
    derive: Derive = True,
    place: PlaceName = "",
    select: Patterns = [],  # noqa: B006 - FastAPI copies it
    ignore: Patterns = [],  # noqa: B006 - FastAPI copies it
    subject: SubjectName = None,
    format: Format = "json",  # noqa: A002 - the name of the parameter
) -> _Asked:
    return _Asked(CheckOptions(on, as_of, place, derive, tuple(select), tuple(ignore)), subject, format)


_Wanted = Annotated[_Asked, Depends(_asked)]

_LINE = {
    "type": "string",
    "description": "每行一条记录（Record）",
    "examples": ['{"subject": "parcel_supply", "facts": {}}\n'],
}
_FORM = {
    "type": "object",
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "xlsx、xls、csv、json 或 jsonl，可给几个",
        }
    },
    "required": ["file"],
}
_ANSWER = report_answer("预检意见，与 landrules check 同一渲染")
_PROBLEMS = problems_of(
    "bad-json", "bad-encoding", "too-large", "too-many-rows", "body-slow", "media-unsupported",
    "bad-query", "bad-record", "bad-key", "key-reused", "masked", "busy", "timeout", "stopping", "store-unavailable",
)  # fmt: skip


def add_check_routes(app: FastAPI) -> None:
    """Add the routes."""

    @app.post(
        "/v1/check",
        tags=["预检"],
        summary="预检记录",
        operation_id="check",
        response_class=Response,
        responses={200: _ANSWER, **_PROBLEMS},
        openapi_extra=json_body("Records", **{media: {"schema": _LINE} for media in _LINES[:3]}),
    )
    async def check(
        request: Request,
        wanted: _Wanted,
        idempotency_key: Key = None,
    ) -> Response:
        """送来记录，得预检意见（`landrules/report/1`），与命令行 `landrules check` 对同样的数据所出的相同。

        数按其文本精确读取；没有的事实是缺，不是零或否。值读不懂的在意见里说明，记录不合格式的整批不受理（422，逐处指明）。
        """
        media, _ = media_of(request)
        if media not in ("application/json", *_LINES):
            raise Problem("media-unsupported", f"请以 application/json 或 {_LINES[0]}（每行一条）发送")
        office = pieces(request.app).office
        settings = office.settings
        lines = media in _LINES
        body = await read_body(
            request, settings.max_bytes, settings.body_seconds, rows=settings.max_rows if lines else None
        )

        def sources(deadline: Deadline) -> list[Source]:
            key = _subject(request, wanted.subject)
            data = records_text(
                body, lines=lines, vocabulary=office.rulebook.vocabulary, subject=key, rows=settings.max_rows
            )
            deadline()
            return [Source("", data)]

        async def answer(key: str) -> Kept:
            return await answer_check(
                request, sources, wanted.options, wanted.style, subject=wanted.subject, key=key
            )

        return await answered(request, body, answer, key=idempotency_key)

    @app.post(
        "/v1/check/file",
        tags=["预检"],
        summary="预检文件",
        operation_id="check_file",
        response_class=Response,
        responses={
            200: _ANSWER,
            **_PROBLEMS,
            **problems_of("bad-upload", "bad-encoding"),
            422: _PROBLEMS[422],
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
        },
    )
    async def check_file(
        request: Request,
        wanted: _Wanted,
        idempotency_key: Key = None,
    ) -> Response:
        """上传工作簿或其他文件（字段名 file，可给几个），得预检意见。"""
        body, boundary = await read_form(request)

        def sources(_: Deadline) -> list[Source]:
            return uploaded(body, boundary)

        async def answer(key: str) -> Kept:
            return await answer_check(
                request, sources, wanted.options, wanted.style, subject=wanted.subject, key=key
            )

        return await answered(request, body, answer, key=idempotency_key)


async def read_form(request: Request) -> tuple[bytes, str]:
    """The body of a multipart request and its boundary."""
    media, boundary = media_of(request)
    if media != "multipart/form-data":
        raise Problem("media-unsupported", "请以 multipart/form-data 上传，字段名 file")
    settings = pieces(request.app).office.settings
    return await read_body(request, settings.max_bytes, settings.body_seconds), boundary


def uploaded(body: bytes, boundary: str) -> list[Source]:
    """The files of a form.

    Raises:
        Problem: when there is none.
    """
    parts = parse_multipart(body, boundary)
    files = [part for part in parts if part.name == "file" and part.content]
    if not files:
        raise Problem("bad-upload", "没有收到文件；请把文件放在字段 file 里")
    # The name only labels the report; no path of anybody's machine belongs there.
    return [
        Source(
            (part.filename or "上传的文件").replace("\\", "/").rpartition("/")[2] or "上传的文件",
            part.content,
        )
        for part in files
    ]


def _subject(request: Request, name: str | None) -> str | None:
    if name is None:
        return None
    found = pieces(request.app).office.rulebook.vocabulary.subject(name)
    if found is None:
        flaw = Flaw("subject-unknown", "没有这类事项；可用的见 /v1/vocabulary", parameter="subject")
        raise Problem("bad-query", f"没有“{name}”这类事项；可用的见 /v1/vocabulary", [flaw])
    return found.key


async def answer_check(
    request: Request,
    sources: SourcesOf,
    options: CheckOptions,
    style: Style,
    *,
    subject: str | None = None,
    key: str = "",
) -> Kept:
    """Check in a thread, count, and render."""
    kept = pieces(request.app)
    chosen = known_options(kept.office, options)
    name, asker = _subject(request, subject), who(request)

    def task(deadline: Deadline) -> tuple[Checked, bytes, str]:
        found = sources(deadline)
        checked = check_sources(kept.office, found, chosen, deadline, subject=name, who=asker, key=key)
        body, media = render(checked.report, style)
        return checked, body, media

    checked, body, media = await run(request, task)
    kept.metrics.count_report(checked.report)
    headers = [] if checked.entry is None else [("Landrules-Entry", str(checked.entry))]
    return Kept(200, body, media, tuple(headers))
