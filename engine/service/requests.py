"""What the routes share: the pieces kept with the application, and answers under an idempotency key."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from fastapi import FastAPI, Request
from starlette.responses import Response

from landrules.engine.ledger.errors import EntryError, KeyConflictError, LedgerError
from landrules.engine.service.answers import Answers, Kept, fingerprint, valid_key
from landrules.engine.service.casebook import CaseBook
from landrules.engine.service.herald import Herald
from landrules.engine.service.metrics import Metrics
from landrules.engine.service.office import Office
from landrules.engine.service.problems import Problem
from landrules.engine.service.work import Deadline, Work

__all__ = ["Pieces", "answered", "json_bytes", "json_response", "ledger_problem", "pieces", "run", "who"]

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Pieces:
    """What an application works with."""

    office: Office
    work: Work
    answers: Answers
    metrics: Metrics
    cases: CaseBook | None
    herald: Herald | None = None

    def casebook(self) -> CaseBook:
        """The cases.

        Raises:
            Problem: when no ledger is configured.
        """
        self.office.ledger()
        assert self.cases is not None  # noqa: S101 - there is one wherever there is a ledger
        return self.cases


def pieces(app: FastAPI) -> Pieces:
    """Those of an application."""
    return cast("Pieces", app.state.pieces)


def who(request: Request) -> str:
    """Who asks, as the gate found out."""
    return str(request.scope["state"]["who"])


async def answered(
    request: Request, body: bytes, answer: Callable[[str], Awaitable[Kept]], *, key: str | None
) -> Response:
    """The answer, given once for each idempotency key. `answer` is handed the key."""
    kind = request.headers.get("content-type", "")
    parts: list[Any] = [request.method, request.url.path, request.url.query, kind, who(request), body]
    valid = valid_key(key)

    async def compute() -> Kept:
        return await answer(valid)

    kept = await pieces(request.app).answers.once(valid, fingerprint(parts), compute)
    return Response(kept.body, kept.status, dict(kept.headers), kept.media)


async def run(request: Request, task: Callable[[Deadline], _Result]) -> _Result:
    """The result of a task, done in a thread.

    Raises:
        Problem: when there is no room, the time is over, or the ledger refuses.
    """
    try:
        return await pieces(request.app).work.run(task)
    except LedgerError as error:
        raise ledger_problem(error) from error


def json_bytes(content: object) -> bytes:
    """JSON as it is answered."""
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def json_response(content: object) -> Response:
    """An answer in JSON."""
    return Response(json_bytes(content), media_type="application/json")


def ledger_problem(error: LedgerError) -> Problem:
    """What to answer where the ledger refuses."""
    match error:
        case KeyConflictError():
            return Problem("key-reused", str(error))
        case EntryError() if "遮蔽" in str(error):
            return Problem("masked", str(error))
        case EntryError():
            return Problem("bad-request", str(error))
        case _:
            return Problem("store-unavailable", f"{error}；这次请求没有记录，也没有结论")
