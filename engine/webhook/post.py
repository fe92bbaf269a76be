"""One HTTP POST with the standard library: http and https only, no redirects, a bound on the whole time."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["Post", "PostError", "Reply", "poster"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the receiver answered; of its headers only after how many seconds to come again."""

    status: int
    retry_after: int | None = None


class PostError(Exception):
    """There was no answer; the message is Chinese."""


Post = Callable[[str, Mapping[str, str], bytes], Reply]
"""Sends a body to an address with headers, raises `PostError` when there is no answer."""


def poster(seconds: float = 10, context: ssl.SSLContext | None = None) -> Post:
    """A `Post` that takes at most about `seconds`. `context` for certificates of one's own.

    Built on http.client and not on urllib.request: it follows no redirect, knows no other schemes and no proxies, and
    lets the whole exchange be cut off, where a timeout alone only bounds each read.
    """

    def post(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PostError("地址应以 http:// 或 https:// 开头")
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=seconds, context=context or ssl.create_default_context()
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        late = threading.Event()
        timer = threading.Timer(seconds, _cut, (connection, late))
        timer.daemon = True
        timer.start()
        try:
            connection.connect()
            if late.is_set():
                # It took so long that there was nothing to cut off yet.
                raise PostError(_late(seconds))
            connection.request("POST", path, body, dict(headers))
            with connection.getresponse() as response:
                reply = Reply(response.status, _seconds(response.getheader("Retry-After")))
        except TimeoutError as error:
            raise PostError(_late(seconds)) from error
        except ssl.SSLCertVerificationError as error:
            raise PostError("对方的证书不可信") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise PostError(
                _late(seconds) if late.is_set() else f"连不上或中断：{type(error).__name__}"
            ) from error
        finally:
            timer.cancel()
            connection.close()
        if late.is_set():
            # http.client takes a connection that was cut off for the end of the headers.
            raise PostError(_late(seconds))
        return reply

    return post


def _late(seconds: float) -> str:
    return f"{seconds:g} 秒内没有答复"


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    raw = connection.sock
    if raw is not None:
        try:
            # Of the plain socket even under TLS: a blocked read comes back at once.
            socket.socket.shutdown(raw, socket.SHUT_RDWR)
        except OSError:
            return


def _seconds(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 6 else None  # noqa: PLR2004 - a week or so
