"""What every request passes: a number, host, origin and token, security headers, metrics, the log; no traceback goes out."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import time
import uuid
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from loguru import logger
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from landrules.engine.service.metrics import Metrics
from landrules.engine.service.problems import MEDIA, Problem, problem_json
from landrules.engine.service.settings import Settings, is_loopback

__all__ = ["Gate", "problem_response"]

_OPEN = ("/health/live", "/health/ready")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE = ("GET", "HEAD", "OPTIONS")
_WHO_LENGTH = 100
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: with it, browsers send the page's own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    # Opinions are about named parcels and people.
    "Cache-Control": "no-store",
}


def problem_response(problem: Problem, request_id: str) -> Response:
    """Problem details as a response."""
    return Response(problem_json(problem, request_id), problem.status, problem.headers, MEDIA)


class Gate:
    """ASGI middleware around the whole application. `secret` is the token, empty for none."""

    def __init__(self, app: ASGIApp, settings: Settings, secret: str, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics
        self._secret = secret.encode()
        self._hosts = frozenset(host.lower() for host in settings.hosts)
        self._loopback_only = not settings.hosts and is_loopback(settings.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["request_id"], state["who"] = request_id, ""
        began = time.perf_counter()
        status = 500
        started = False

        async def send_on(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                out = MutableHeaders(scope=message)
                out["X-Request-Id"] = request_id
                for name, value in _HEADERS.items():
                    out.setdefault(name, value)
            await send(message)

        self._metrics.in_flight.inc()
        try:
            try:
                state["who"] = self._admit(scope, headers)
                await self._app(scope, receive, send_on)
            except Problem as problem:
                await problem_response(problem, request_id)(scope, receive, send_on)
            except Exception as error:
                log = logger.bind(request=request_id, error=type(error).__name__)
                # The traceback holds code only: values of variables are left out of the log by `diagnose=False`.
                log.opt(exception=error).error("请求未能处理")
                if started:
                    raise
                internal = Problem("internal", "服务内部出错，没有结论；请把请求编号告诉维护人员")
                await problem_response(internal, request_id)(scope, receive, send_on)
        finally:
            self._metrics.in_flight.dec()
            self._note(scope, status, time.perf_counter() - began, request_id)

    def _note(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        # The path as declared: the path itself may name a case, and there are without number.
        route = getattr(scope.get("route"), "path", "") or "其他"
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        log = logger.bind(
            request=request_id, method=scope["method"], route=route, status=status, seconds=seconds
        )
        quiet = route in (*_OPEN, "/metrics")
        log.log(
            "DEBUG" if quiet else "INFO",
            "{method} {route} {status}，{time:.3f} 秒",
            method=scope["method"],
            route=route,
            status=status,
            time=seconds,
        )

    def _admit(self, scope: Scope, headers: Headers) -> str:
        """Who asks, for the record of decisions.

        Raises:
            Problem: when the request is not let in.
        """
        if scope["path"] in _OPEN:
            return ""
        self._check_host(headers)
        self._check_origin(scope, headers)
        user = self._check_token(headers)
        # Said by the calling system, which the token vouches for.
        named = unquote(headers.get("x-operator", ""), errors="replace").strip()
        who = "".join(char for char in named or user if char.isprintable())[:_WHO_LENGTH]
        return who or "http"

    def _check_host(self, headers: Headers) -> None:
        """Keeps a page on the internet from reaching a service on this machine by a name of its own (DNS rebinding)."""
        if "*" in self._hosts or not (self._hosts or self._loopback_only):
            return
        host = (urlsplit(f"//{headers.get('host', '')}").hostname or "").lower() if _plain(headers) else ""
        if host in self._hosts or (self._loopback_only and is_loopback(host)):
            return
        message = "不接受以这个主机名访问；经反向代理访问的，请在设置 hosts 里列出对外的主机名"
        raise Problem("host-refused", message)

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        origin = headers.get("origin")
        if scope["method"] in _SAFE or origin is None:
            return
        if "//" + headers.get("host", "").lower() != origin.lower().partition(":")[2]:
            raise Problem("origin-refused", "请求来自另一个网站的页面，没有受理")

    def _check_token(self, headers: Headers) -> str:
        if not self._secret:
            return ""
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        user, token = "", ""
        if scheme.lower() == "bearer":
            token = credentials.strip()
        elif scheme.lower() == "basic":
            try:
                user, _, token = base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")
            except (binascii.Error, UnicodeDecodeError):
                token = ""
        # Browsers ask for a name and a password when they see Basic; programs send Bearer.
        ask = {"WWW-Authenticate": 'Bearer realm="landrules", Basic realm="landrules", charset="UTF-8"'}
        if not token:
            raise Problem(
                "token-missing",
                "需要访问令牌：请加请求头 Authorization: Bearer 令牌；浏览器中用户名任填，密码填令牌",
                headers=ask,
            )
        if not hmac.compare_digest(token.encode(), self._secret):
            raise Problem("token-wrong", "访问令牌不对；请核对后重试", headers=ask)
        return user


def _plain(headers: Headers) -> bool:
    """Whether the host can be parsed at all."""
    try:
        urlsplit(f"//{headers.get('host', '')}")
    except ValueError:
        return False
    return True
