"""`/v1/cases`: open, submit events, look, and what is due."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar
from urllib.parse import quote

from fastapi import FastAPI, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.responses import Response

from landrules.engine.case.model import EVENT_LABELS, EVENT_NAMES, EventKind
from landrules.engine.case.replay import answer_json, due_json
from landrules.engine.service.answers import Kept
from landrules.engine.service.bodies import media_of, parse_json, plain, read_body
from landrules.engine.service.casebook import Asked, CaseBook, Filed, Told
from landrules.engine.service.office import Style, render
from landrules.engine.service.problems import Flaw, Problem, body_flaws
from landrules.engine.service.requests import answered, json_bytes, json_response, pieces, run, who
from landrules.engine.service.routes_check import Format, Key
from landrules.engine.service.schemas import (
    CASE_PATTERN,
    declared,
    items_schema,
    json_answer,
    json_body,
    report_answer,
)
from landrules.engine.service.work import Deadline
from landrules.facts.read_json import Pairs

__all__ = ["add_case_routes"]

_CHINA = timezone(timedelta(hours=8))
_YEARS = range(1949, 2200)
_MOST_FACTS = 500
_Model = TypeVar("_Model", bound=BaseModel)
_Result = TypeVar("_Result")
_Submit: TypeAlias = Callable[[CaseBook, datetime, Deadline, str], Told]

CaseId = Annotated[str, Path(max_length=100, description="案件编号", examples=["2023-17"])]


def _value(value: object) -> object:
    """A fact's value as a record file holds it; decimal numbers as their text, which is exact anywhere."""
    parts = value if isinstance(value, list) else [value]
    if any(not isinstance(part, str | int | Decimal | bool | None) for part in parts):
        raise ValueError("值应是数、文字、是否或一列文字，不能再有层次")
    if any(isinstance(part, str) and any("\ud800" <= char <= "\udfff" for char in part) for part in parts):
        raise ValueError("含有无法写出的字符（半个代理对）")
    exact = [str(part) if isinstance(part, Decimal) else part for part in parts]
    return exact if isinstance(value, list) else exact[0]


def _when(value: object) -> object:
    if not isinstance(value, str | None):
        raise ValueError("应是时间，如 2023-06-01T09:00:00+08:00")  # noqa: TRY004 - pydantic gathers ValueErrors only
    return value


def _moment(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.year not in _YEARS:
        raise ValueError(f"年份应在 {_YEARS.start} 至 {_YEARS.stop - 1} 之间")
    return value if value.tzinfo else value.replace(tzinfo=_CHINA)


def _kind(value: object) -> object:
    if value is None:
        return None
    if not isinstance(value, str) or value not in EVENT_NAMES:
        raise ValueError(f"没有这种事件，可用：{'、'.join(EVENT_NAMES)}")
    return EVENT_NAMES[value]


_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Facts = Annotated[dict[_Name, Annotated[Any, BeforeValidator(_value)]], Field(max_length=_MOST_FACTS)]


class EventBody(BaseModel):
    """An event as it is sent."""

    model_config = ConfigDict(extra="forbid", strict=True)

    at: Annotated[datetime | None, BeforeValidator(_when)] = Field(None, strict=False)
    set: _Facts = Field(default_factory=dict)
    unset: Annotated[list[_Name], Field(max_length=_MOST_FACTS)] = Field(default_factory=list)
    event: Annotated[EventKind | None, BeforeValidator(_kind)] = None
    by: Annotated[str, Field(max_length=100)] = ""


class NewCaseBody(BaseModel):
    """A new case as it is sent."""

    model_config = ConfigDict(extra="forbid", strict=True)

    case: Annotated[str | None, Field(max_length=100)] = None
    subject: _Name
    at: Annotated[datetime | None, BeforeValidator(_when)] = Field(None, strict=False)
    set: _Facts = Field(default_factory=dict)
    by: Annotated[str, Field(max_length=100)] = ""


_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_OBJECT = {"type": "object"}
_TOLD = {
    "type": "object",
    "description": "事件之后：新违反、新了结、新待补充的规则，现在的状况，期限，下一步及其理由",
    "properties": {
        "case": _TEXT,
        "number": {"type": "integer", "description": "第几个事件"},
        "event": _TEXT,
        **dict.fromkeys(
            (
                "newly_violated",
                "newly_settled",
                "newly_open",
                "violated",
                "lacking",
                "possible",
                "failed",
                "overdue",
            ),
            _TEXTS,
        ),
        "due": {"type": "array", "items": _OBJECT},
        "step": _OBJECT,
        "entry": {"type": "integer", "description": "台账序号"},
        "notes": _TEXTS,
    },
    "required": ["case", "number", "event", "violated", "lacking", "possible", "due", "step", "entry"],
}
_STANDING = {
    "type": "object",
    "properties": {
        "case": _TEXT,
        "subject": _TEXT,
        "closed": {"type": "boolean"},
        "suspended": {"type": "boolean"},
        "facts": _OBJECT,
        "events": {"type": "array", "items": _OBJECT},
        "notes": _TEXTS,
    },
    "required": ["case", "subject", "closed", "suspended", "facts", "events", "notes"],
}
_COMMON = ("no-store", "busy", "timeout", "stopping", "store-unavailable")
_WRITING = (
    "bad-json", "bad-encoding", "too-large", "body-slow", "media-unsupported", "bad-body", "bad-key", "key-reused",
)  # fmt: skip


def add_case_routes(app: FastAPI) -> None:
    """Add the routes."""

    @app.post(
        "/v1/cases",
        **declared(
            "案件",
            "受理案件",
            "open_case",
            json_answer(_TOLD, "已受理"),
            *_WRITING,
            "case-exists",
            *_COMMON,
            status=201,
            body=json_body("NewCase"),
        ),
    )
    async def open_case(request: Request, idempotency_key: Key = None) -> Response:
        """受理一个案件，得其状况、期限和下一步。每一事件先记入台账，再作答复。"""
        body = await _json_body(request)
        new = _read(NewCaseBody, body)
        subject = pieces(request.app).office.rulebook.vocabulary.subject(new.subject)
        flaws = []
        if new.case is not None and not _valid(new.case):
            flaws.append(
                Flaw("case-form", "案件编号应以字母、数字或汉字开头，至多 100 字，不含空格和斜杠", "/case")
            )
        if subject is None:
            flaws.append(Flaw("subject-unknown", "没有这种填报表；可用的见 /v1/vocabulary", "/subject"))
        if subject is None or flaws:
            raise Problem("bad-body", f"{len(flaws)} 处不合格式，没有受理；请改正后重发", flaws)
        form = subject.key

        asked = Asked(_moment(new.at), "opened", new.set, (), new.by)

        def submit(book: CaseBook, now: datetime, deadline: Deadline, key: str) -> Told:
            return book.open(new.case or "", form, asked, now, deadline, who=who(request), key=key)

        return await _recorded(request, body, submit, key=idempotency_key, located=True)

    @app.get(
        "/v1/cases/due",
        **declared(
            "案件",
            "各案件的期限",
            "due",
            json_answer(
                {
                    "type": "object",
                    "properties": {"on": _TEXT, "items": {"type": "array", "items": _OBJECT}},
                    "required": ["on", "items"],
                },
                "期限，末日在前的在前",
            ),
            "bad-query",
            *_COMMON,
        ),
    )
    async def due(
        request: Request,
        on: Annotated[
            date,
            Query(
                ge=date(1949, 1, 1),
                le=date(2199, 12, 31),
                description="看哪一天；不取系统时间",
                examples=["2023-06-01"],
            ),
        ],
    ) -> Response:
        """全部案件的期限：今日到期、本周到期、逾期、停表。"""
        items = await _run(request, lambda _: pieces(request.app).casebook().due(on))
        return json_response({"on": on.isoformat(), "items": [due_json(item) for item in items]})

    @app.get(
        "/v1/cases",
        **declared(
            "案件",
            "列出案件",
            "list_cases",
            json_answer(items_schema(), "案件，按编号"),
            "bad-query",
            *_COMMON,
        ),
    )
    async def list_cases(
        request: Request,
        after: Annotated[str, Query(max_length=100, description="只列此编号之后的")] = "",
        limit: Annotated[int, Query(ge=1, le=500, description="至多几个")] = 100,
    ) -> Response:
        """列出案件；以末一个的编号为 after，得其后的。"""
        found = await _run(request, lambda _: pieces(request.app).casebook().names(after, limit))
        return json_response({"items": [_head(filed) for filed in found]})

    @app.get(
        "/v1/cases/{case}",
        **declared(
            "案件",
            "案件现状",
            "get_case",
            json_answer(_STANDING, "案件现状"),
            "case-unknown",
            "bad-query",
            *_COMMON,
        ),
    )
    async def get_case(request: Request, case: CaseId) -> Response:
        """案件的事实、事件和说明；结论见 /v1/cases/{case}/report。"""
        filed = await _run(request, lambda _: pieces(request.app).casebook().find(case))
        return json_response(_standing(filed))

    @app.get(
        "/v1/cases/{case}/report",
        **declared(
            "案件",
            "案件的预检意见",
            "report_case",
            report_answer("预检意见"),
            "case-unknown",
            "bad-query",
            *_COMMON,
        ),
    )
    async def report_case(request: Request, case: CaseId, format: Format = "json") -> Response:  # noqa: A002
        """案件现在的预检意见，与对其事实作 POST /v1/check 相同。"""
        style: Style = format
        body, media = await _run(
            request, lambda _: render(pieces(request.app).casebook().report(case), style)
        )
        return Response(body, media_type=media)

    @app.post(
        "/v1/cases/{case}/events",
        **declared(
            "案件",
            "提交事件",
            "submit_event",
            json_answer(_TOLD, "已记入台账"),
            *_WRITING,
            "case-unknown",
            *_COMMON,
            status=201,
            body=json_body("Event"),
        ),
    )
    async def submit_event(request: Request, case: CaseId, idempotency_key: Key = None) -> Response:
        """提交一个事件（补充、更正、撤回、听证、定价、公示、签收、停表、恢复计时、办结），得其后的状况和下一步。"""
        body = await _json_body(request)
        sent = _read(EventBody, body)

        asked = Asked(_moment(sent.at), sent.event, sent.set, tuple(sent.unset), sent.by)

        def submit(book: CaseBook, now: datetime, deadline: Deadline, key: str) -> Told:
            return book.submit(case, asked, now, deadline, who=who(request), key=key)

        return await _recorded(request, body, submit, key=idempotency_key)


def _valid(name: str) -> bool:
    return re.fullmatch(CASE_PATTERN.removeprefix("^").removesuffix("$"), name) is not None


async def _run(request: Request, task: Callable[[Deadline], _Result]) -> _Result:
    pieces(request.app).casebook()
    return await run(request, task)


async def _recorded(
    request: Request, body: bytes, submit: _Submit, *, key: str | None, located: bool = False
) -> Response:
    """Record an event and answer what it came to; `located` says where the case is to be found."""

    async def answer(valid: str) -> Kept:
        kept = pieces(request.app)
        told = await _run(
            request, lambda deadline: submit(kept.casebook(), datetime.now(_CHINA), deadline, valid)
        )
        kept.metrics.events.labels(told.answer.event).inc()
        location = (("Location", f"/v1/cases/{quote(told.answer.case)}"),) if located else ()
        return Kept(201, _told(told), "application/json", location)

    return await answered(request, body, answer, key=key)


async def _json_body(request: Request) -> bytes:
    media, _ = media_of(request)
    if media != "application/json":
        raise Problem("media-unsupported", "请以 application/json 发送")
    settings = pieces(request.app).office.settings
    return await read_body(request, settings.max_bytes, settings.body_seconds)


def _read(model: type[_Model], body: bytes) -> _Model:
    content = parse_json(body)
    flaws = _repeated(content)
    try:
        found = model.model_validate(plain(content))
        for value in (getattr(found, "at", None),):
            _moment(value)
    except ValidationError as error:
        flaws += body_flaws(error.errors())
    except ValueError as error:
        flaws.append(Flaw("at-range", str(error), "/at"))
    else:
        if not flaws:
            return found
    raise Problem("bad-body", f"{len(flaws)} 处不合格式，没有受理；请改正后重发", flaws)


def _repeated(content: object) -> list[Flaw]:
    if not isinstance(content, Pairs):
        return []
    flaws = []
    for where, pairs in (("", content), ("/set", dict(content.items).get("set"))):
        if isinstance(pairs, Pairs) and len(dict(pairs.items)) != len(pairs.items):
            flaws.append(Flaw("key-repeated", "同一个键写了两次，请只留一个", where))
    return flaws


def _told(told: Told) -> bytes:
    notes = [note.describe() for note in told.filed.case.notes]
    return json_bytes({**answer_json(told.answer), "entry": told.entry, "notes": notes})


def _head(filed: Filed) -> dict[str, object]:
    case = filed.case
    last = case.log[-1] if case.log else None
    return {
        "case": case.id,
        "subject": case.subject,
        "closed": case.closed,
        "suspended": case.suspended,
        "events": len(case.log),
        "last": last.at.isoformat() if last else None,
    }


def _standing(filed: Filed) -> dict[str, object]:
    case = filed.case
    events = [
        {
            "entry": entry,
            "event": event.kind,
            "label": EVENT_LABELS[event.kind] if event.kind else "",
            "at": event.at.isoformat(),
            "by": event.by,
            "set": dict(event.set),
            "unset": list(event.unset),
        }
        for entry, event in zip(filed.entries, case.log, strict=True)
    ]
    return {
        **_head(filed),
        "facts": {stated.name: stated.value for stated in case.facts.values()},
        "events": events,
        "notes": [note.describe() for note in case.notes],
    }
