"""Tells the receivers of webhooks what cases come to: after each event, once a day for deadlines, and after a crash.

An event is told once it is recorded. What a crash or a full disk left untold is told at the next start; ids are made of
what is told, so nothing is sent twice on that account.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, timezone

from loguru import logger

from landrules.engine.case.deadlines import DueItem
from landrules.engine.case.model import Case
from landrules.engine.case.session import Answer
from landrules.engine.ledger.errors import StoreError
from landrules.engine.webhook.changes import tell, tell_deadlines
from landrules.engine.webhook.deliver import deliver_due
from landrules.engine.webhook.post import Post
from landrules.engine.webhook.queue import Counts, Queue, count, untold
from landrules.engine.webhook.subscriptions import Subscription

__all__ = ["Herald"]

BEIJING = timezone(timedelta(hours=8))
"""Deadlines are days in China, wherever the server stands."""


class Herald:
    """The queue of notices, and the thread that delivers them between `start` and `stop`."""

    def __init__(
        self,
        queue: Queue,
        subscriptions: Sequence[Subscription],
        now: Callable[[], datetime],
        post: Post,
        *,
        every: float = 2,
    ) -> None:
        self._queue, self._subscriptions, self._now, self._post = queue, tuple(subscriptions), now, post
        self._every = every
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, case: Case, answer: Answer) -> None:
        """Tell what a recorded event came to. A queue that refuses is logged; the next start tells it."""
        try:
            tell(self._queue, self._subscriptions, case, answer, self._now())
        except StoreError as error:
            logger.bind(case=case.id).warning("通知没有入列，下次启动时补上：{error}", error=error)

    def untold(self, case: Case) -> tuple[int, ...]:
        """The numbers of the events of a case that were recorded but not told.

        Raises:
            StoreError: when the queue cannot be read.
        """
        return untold(self._queue, case.id, len(case.log))

    def counts(self) -> Counts:
        """How many notices are in which state.

        Raises:
            StoreError: when the queue cannot be read.
        """
        return count(self._queue)

    def start(self, due: Callable[[date], Iterable[DueItem]]) -> None:
        """Begin to deliver; `due` gives the deadlines of all cases on a day."""
        self._thread = threading.Thread(target=self._run, args=(due,), name="landrules-herald", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the notice in hand and end; what waits is delivered after the next start."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, due: Callable[[date], Iterable[DueItem]]) -> None:
        told_on: date | None = None
        while not self._stop.is_set():
            try:
                today = self._now().astimezone(BEIJING).date()
                if today != told_on:
                    tell_deadlines(self._queue, self._subscriptions, due(today), self._now())
                    told_on = today
                if deliver_due(self._queue, self._subscriptions, self._now, self._post, limit=20):
                    continue
            except StoreError as error:
                logger.warning("通知队列暂不可用：{error}", error=error)
            except Exception:  # noqa: BLE001 - a thread that ends would silently end all notices
                logger.exception("发送通知时出错，稍后再试")
            self._stop.wait(self._every)
