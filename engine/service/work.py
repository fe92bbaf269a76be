"""Runs checks in threads, so that the event loop stays free: so many at once, so many waiting, so long each."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from landrules.engine.service.problems import Problem

__all__ = ["Deadline", "Work"]

_Result = TypeVar("_Result")


class Deadline:
    """When a piece of work has to stop. Readers and `check` call it between records, as their `progress`."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self._given_up = threading.Event()

    def give_up(self) -> None:
        """Nobody waits for the result any more."""
        self._given_up.set()

    def __call__(self, *_: object) -> None:
        """Raise `Problem` when the time is over."""
        if self._given_up.is_set() or time.monotonic() > self._end:
            raise self.problem()

    def problem(self) -> Problem:
        """What to answer then."""
        return Problem(
            "timeout",
            f"{self._seconds:g} 秒内没有做完，没有结论；请减少记录分几次发送，或以 select 少查几条规则",
        )


class Work:
    """A pool of threads. Close it with `close`, which waits for what is running."""

    def __init__(self, threads: int, queue: int, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="landrules")
        self._room = threads + queue
        self._seconds = seconds
        self._busy = 0
        self._closed = False

    @property
    def stopping(self) -> bool:
        """Whether no new work is taken."""
        return self._closed

    def refuse_more(self) -> None:
        """Take no new work; what is running goes on."""
        self._closed = True

    async def run(self, task: Callable[[Deadline], _Result]) -> _Result:
        """The result of the task, which is handed its deadline.

        Raises:
            Problem: when there is no room, or the time is over.
        """
        if self._closed:
            raise Problem("stopping", "服务正在停止，没有受理；请稍后重试")
        if self._busy >= self._room:
            raise Problem("busy", "同时进行的预检太多，没有受理；请稍后重试")
        deadline = Deadline(self._seconds)
        self._busy += 1
        future = self._pool.submit(task, deadline)
        # Threads that outlive their deadline keep their place, so that they cannot pile up.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._leave))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            raise deadline.problem() from None
        finally:
            deadline.give_up()

    def _leave(self) -> None:
        self._busy -= 1

    def close(self) -> None:
        """Take no new work and wait for what is running."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
