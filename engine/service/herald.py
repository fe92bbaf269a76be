"""Tells the receivers of webhooks what cases come to: after each event, once a day for deadlines, and after a crash.

An event is told once it is recorded. What a crash or a full disk left untold is told at the next start or day; ids are made of
what is told, so nothing is sent twice on that account.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import partial

from loguru import logger

from landrules.engine.case.deadlines import DueItem
from landrules.engine.case.model import Case
from landrules.engine.case.session import Answer
from landrules.engine.ledger.errors import LedgerError
from landrules.engine.webhook.changes import tell, tell_deadlines
from landrules.engine.webhook.deliver import deliver_due
from landrules.engine.webhook.post import Post
from landrules.engine.webhook.queue import Counts, Queue, count, untold
from landrules.engine.webhook.subscriptions import Subscription

__all__ = ["Herald"]

BEIJING = timezone(timedelta(hours=8))
"""Deadlines are days in China, wherever the server stands."""

_AGAIN = timedelta(minutes=1)
"""After which a day's round that failed is tried again: it judges every case."""


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
        """Tell what a recorded event came to. A queue that refuses is logged; the next day or start tells it."""
        try:
            tell(self._queue, self._subscriptions, case, answer, self._now())
        except LedgerError as error:
            logger.bind(case=case.id).warning("通知没有入列，次日或下次启动时补上：{error}", error=error)

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

    def start(self, due: Callable[[date], Iterable[DueItem]], tell_missed: Callable[[], object]) -> None:
        """Begin to deliver; `due` gives the deadlines of all cases on a day, `tell_missed` is called every day."""
        self._thread = threading.Thread(
            target=self._run, args=(due, tell_missed), name="landrules-herald", daemon=True
        )
        self._thread.start()

    def send_no_more(self) -> None:
        """Begin no other notice; what waits is delivered after the next start."""
        self._stop.set()

    def stop(self) -> None:
        """Finish the notice in hand and end."""
        self.send_no_more()
        if self._thread is not None:
            self._thread.join()

    def _run(self, due: Callable[[date], Iterable[DueItem]], tell_missed: Callable[[], object]) -> None:
        told_on: date | None = None
        again = self._now()
        while not self._stop.is_set():
            now = self._now()
            today = now.astimezone(BEIJING).date()
            if today != told_on and now >= again:
                told = self._done(partial(self._tell_day, today, due, tell_missed))
                told_on, again = (today, now) if told else (told_on, now + _AGAIN)
            if not self._done(self._deliver):
                self._stop.wait(self._every)

    def _tell_day(
        self, today: date, due: Callable[[date], Iterable[DueItem]], tell_missed: Callable[[], object]
    ) -> bool:
        tell_missed()
        tell_deadlines(self._queue, self._subscriptions, due(today), self._now())
        return True

    def _deliver(self) -> bool:
        tried = deliver_due(
            self._queue, self._subscriptions, self._now, self._post, limit=20, stop=self._stop
        )
        return bool(tried)

    def _done(self, step: Callable[[], bool]) -> bool:
        """What a step says; False when it fails, for the next round to try again."""
        try:
            return step()
        except LedgerError as error:
            logger.warning("台账或通知队列暂不可用，稍后再试：{error}", error=error)
        except Exception:  # noqa: BLE001 - a thread that ends would silently end all notices
            logger.exception("发送通知时出错，稍后再试")
        return False
