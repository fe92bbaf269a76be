"""Idempotency keys: the first answer to a request is kept, and given again to the same request."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from landrules.engine.service.problems import Problem

__all__ = ["Answers", "Kept", "fingerprint", "valid_key"]

_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_SERVER_ERROR = 500
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given."""

    status: int
    body: bytes
    media: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Slot:
    print: str
    future: asyncio.Future[Kept]
    since: float = field(default_factory=time.monotonic)


def fingerprint(parts: Iterable[bytes | str]) -> str:
    """What makes two requests the same: method, path, parameters, content type and body."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def valid_key(key: str | None) -> str:
    """The key, empty without one.

    Raises:
        Problem: when it cannot be one.
    """
    if key is None:
        return ""
    if not _KEY.fullmatch(key):
        raise Problem("bad-key", "幂等键（Idempotency-Key）应是 1 至 200 个可见的 ASCII 字符，如一个 UUID")
    return key


class Answers:
    """Answers by key: at most `most` of them (and 64 MB), for `seconds`. For one event loop.

    Errors of the service itself (5xx) are not kept: the request may be tried again with its key.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._slots: OrderedDict[str, _Slot] = OrderedDict()
        self._bytes = 0

    async def once(self, key: str, print_: str, answer: Callable[[], Awaitable[Kept]]) -> Kept:
        """The answer of the first request with this key; without a key, simply the answer.

        Raises:
            Problem: when the key stands for another request.
        """
        if not key or not self._most:
            return await answer()
        self._forget()
        slot = self._slots.get(key)
        if slot is not None:
            if slot.print != print_:
                raise Problem("key-reused", "这个幂等键已用于另一项请求，没有受理；新的请求请换一个键")
            # Whoever came first may be cancelled; those who wait then get an error, and may try again.
            return await asyncio.shield(slot.future)
        slot = self._slots[key] = _Slot(print_, asyncio.get_running_loop().create_future())
        try:
            kept = await answer()
        except BaseException as error:
            self._drop(key)
            failure = (
                error
                if isinstance(error, Problem)
                else Problem("internal", "同一幂等键的请求没有做完；请重试")
            )
            slot.future.set_exception(failure)
            slot.future.exception()  # nobody may be waiting
            raise
        slot.future.set_result(kept)
        self._bytes += len(kept.body)
        if kept.status >= _SERVER_ERROR:
            self._drop(key)
        return kept

    def _drop(self, key: str) -> None:
        slot = self._slots.pop(key, None)
        if slot is not None and slot.future.done() and slot.future.exception() is None:
            self._bytes -= len(slot.future.result().body)

    def _forget(self) -> None:
        oldest = time.monotonic() - self._seconds
        for key, slot in list(self._slots.items()):
            crowded = len(self._slots) >= self._most or self._bytes > _MOST_BYTES
            if not slot.future.done() or not (crowded or slot.since < oldest):
                if slot.since >= oldest and not crowded:
                    break
                continue
            self._drop(key)
