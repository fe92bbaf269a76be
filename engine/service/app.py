"""Makes the application: everything it needs is handed in or loaded here; two applications share nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response

from landrules.engine.case.matchers import open_matcher
from landrules.engine.case.routing import load_routing
from landrules.engine.case.session import Desk
from landrules.engine.findings.model import CheckOptions
from landrules.engine.service.answers import Answers
from landrules.engine.service.casebook import CaseBook
from landrules.engine.service.gate import Gate, problem_response
from landrules.engine.service.herald import Herald
from landrules.engine.service.metrics import Metrics
from landrules.engine.service.office import Office, open_office
from landrules.engine.service.pages import add_page_routes
from landrules.engine.service.problems import Problem, query_flaws
from landrules.engine.service.requests import Pieces
from landrules.engine.service.routes_cases import add_case_routes
from landrules.engine.service.routes_check import add_check_routes
from landrules.engine.service.routes_read import add_read_routes
from landrules.engine.service.schemas import components
from landrules.engine.service.settings import Settings
from landrules.engine.service.work import Work
from landrules.engine.webhook.post import poster
from landrules.engine.webhook.queue import queue_of
from landrules.engine.webhook.subscriptions import load_subscriptions

__all__ = ["close", "create_app"]

_DESCRIPTION = """对照土地管理政策文件预检用地事项。结果一律是“预检意见”，供审查参考，不替代审查结论。

* 地址以 `/v1` 开头；同一版内只增加，不改变、不删除。
* 出错时答 `application/problem+json`（RFC 9457），`code` 长期不变，`errors` 逐处指明。
* 数按其文本精确读取，意见里的数量一律为文本。
* `Idempotency-Key`：同一键同一请求得同一答复，可以放心重试。"""
_TAGS = [
    {"name": "预检", "description": "记录或文件进，预检意见出"},
    {"name": "案件", "description": "事实陆续到来的案件；需要配置台账"},
    {"name": "规则", "description": "文件、条款、规则及其解释"},
    {"name": "词表", "description": "事项、事实和格式"},
    {"name": "台账", "description": "预检和案件的记录"},
    {"name": "运行", "description": "健康检查与指标"},
]


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: Settings | None = None, *, clock: Callable[[], datetime] = _now) -> FastAPI:
    """The application, with rules loaded and the ledger open; `clock` says when notices are due.

    Raises:
        SettingsError: when it may not start with these settings.
        InputError: when rulesets or other files cannot be used.
        LedgerError: when the ledger cannot be opened.
        WebhookError: when the subscriptions cannot be used.
    """
    settings = (settings or Settings()).checked()
    subscriptions = () if settings.webhooks is None else load_subscriptions(settings.webhooks)
    office = open_office(settings)
    routing = load_routing(settings.routing)
    options = CheckOptions()
    work = Work(settings.threads, settings.queue, settings.max_seconds)
    metrics = Metrics()
    cases = None
    herald = None
    if office.store is not None:
        if settings.webhooks is not None:
            herald = Herald(queue_of(office.store), subscriptions, clock, poster())
            metrics.watch_notices(herald.counts)
        matcher = open_matcher(settings.matcher, office.rulebook, options, workdays=office.workdays)
        desk = Desk(office.rulebook, matcher, options, routing, office.configuration, office.workdays)
        cases = CaseBook(office, desk, herald)
    answers = Answers(settings.keep_answers, settings.keep_hours * 3600)
    kept = Pieces(office, work, answers, metrics, cases, herald)
    app = FastAPI(
        title="landrules",
        summary="土地管理政策预检",
        description=_DESCRIPTION,
        version=version("landrules"),
        openapi_url="/v1/openapi.json",
        openapi_tags=_TAGS,
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(kept),
        redirect_slashes=False,
    )
    app.state.pieces = kept
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_bad_request)
    app.add_exception_handler(HTTPException, _on_http)
    add_check_routes(app)
    add_case_routes(app)
    add_read_routes(app)
    if settings.page:
        add_page_routes(app)
    app.add_middleware(Gate, settings=settings, secret=settings.secret(), metrics=metrics)
    _describe(app, office, secret=bool(settings.secret()))
    return app


def _lifespan(kept: Pieces) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if kept.cases is not None and kept.herald is not None:
            await asyncio.to_thread(kept.cases.tell_missed)
            kept.herald.start(kept.cases.due, kept.cases.tell_missed)
        kept.metrics.ready.set(1)
        try:
            yield
        finally:
            kept.metrics.ready.set(0)
            await asyncio.to_thread(close, kept)

    return lifespan


def close(kept: Pieces) -> None:
    """Let go of threads, worker processes and the ledger, once what is running has ended."""
    kept.work.close()
    if kept.herald is not None:
        kept.herald.stop()
    if kept.cases is not None:
        kept.cases.matcher.close()
    if kept.office.store is not None:
        kept.office.store.close()


def _request_id(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it
    return problem_response(error, _request_id(request))


def _on_bad_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    flaws = query_flaws(error.errors())
    named = "；".join(f"{flaw.parameter}：{flaw.detail}" for flaw in flaws[:3])
    return problem_response(
        Problem("bad-query", f"{len(flaws)} 个参数有误（{named}）", flaws), _request_id(request)
    )


def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    match error.status_code:
        case 404:
            problem = Problem("not-found", "没有这个地址；全部地址见 /v1/openapi.json")
        case 405:
            allowed = (error.headers or {}).get("Allow", "")
            problem = Problem(
                "method-not-allowed", f"这个地址只接受 {allowed}" if allowed else "这个地址不接受这种方法"
            )
        case _:
            problem = Problem("bad-request", "请求有误；请核对地址、方法和内容")
    problem.headers.update(error.headers or {})
    return problem_response(problem, _request_id(request))


def _describe(app: FastAPI, office: Office, *, secret: bool) -> None:
    """Complete the OpenAPI description with what FastAPI cannot know."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            parts = schema.setdefault("components", {})
            # FastAPI's own form of validation errors is never answered.
            kept = {
                name: value
                for name, value in parts.get("schemas", {}).items()
                if name not in ("HTTPValidationError", "ValidationError")
            }
            parts["schemas"] = {**kept, **components(office.rulebook.vocabulary)}
            if secret:
                parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
                schema["security"] = [{"token": []}]
                for path in ("/health/live", "/health/ready"):
                    schema["paths"][path]["get"]["security"] = []
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # the way FastAPI documents
