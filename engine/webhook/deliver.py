"""Sends what is due: one pass, driven by a clock and a POST that the caller gives. Call it every few seconds."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from landrules.engine.ledger.errors import StoreError
from landrules.engine.webhook.post import Post, PostError, Reply
from landrules.engine.webhook.queue import Claim, Queue, Sent, claim, settle
from landrules.engine.webhook.signing import signed_headers
from landrules.engine.webhook.subscriptions import Subscription

__all__ = ["Attempt", "Retries", "backoff", "deliver_due", "keep_delivering"]

_GONE = 410
_TOO_MANY = 429
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and when to try: after `first`, then twice as long each time up to `longest`, give or take a half.

    With the defaults the last of 20 attempts is about four days after the first: longer than a weekend. `hold` is how
    long a sender may be at one notice before another takes it for dead; it must be longer than a POST may take.
    """

    attempts: int = 20
    first: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(hours=12)
    hold: timedelta = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt and what became of it."""

    event_id: str
    receiver: str
    case: str
    type: str
    number: int
    status: int | None
    sent: Sent = field(default_factory=lambda: Sent("waiting"))


def deliver_due(
    queue: Queue,
    subscriptions: Sequence[Subscription],
    now: Callable[[], datetime],
    post: Post,
    *,
    seed: int | str = 0,
    retries: Retries | None = None,
    limit: int = 100,
    stop: threading.Event | None = None,
) -> tuple[Attempt, ...]:
    """Send what is due, at most `limit` notices and none once `stop` is set; what was tried, in its order.

    A receiver that gives no answer, or 429 or 5xx, is left alone for the rest of the pass. Any other answer than 2xx is a
    failure of that notice alone; 410 gives it up at once. Several processes may deliver from one queue.

    Raises:
        StoreError: when the queue cannot be read or written; what was sent meanwhile may be sent again.
    """
    retries = retries or Retries()
    open_ones = {subscription.name: subscription for subscription in subscriptions if subscription.active}
    tried: list[Attempt] = []
    while len(tried) < limit and not (stop is not None and stop.is_set()):
        claimed = claim(queue, open_ones.keys(), now(), retries.hold)
        if claimed is None:
            break
        subscription = open_ones[claimed.notice.receiver]
        reply, problem = _send(subscription, claimed, now(), post, retries)
        status = reply.status if reply is not None else None
        if status is None or status == _TOO_MANY or status >= _SERVER_ERROR:
            del open_ones[subscription.name]
        sent = _judge(claimed, reply, problem, now(), retries, seed)
        settle(queue, claimed, sent, now())
        notice = claimed.notice
        tried.append(
            Attempt(notice.event_id, notice.receiver, notice.case, notice.type, claimed.attempt, status, sent)
        )
        if sent.state != "delivered":
            log = logger.bind(case=notice.case, receiver=notice.receiver, attempt=claimed.attempt)
            log.warning("通知没有送达（{problem}），{next}", problem=sent.problem, next=_next(sent))
    return tuple(tried)


def keep_delivering(
    queue: Queue,
    subscriptions: Sequence[Subscription],
    now: Callable[[], datetime],
    post: Post,
    stop: threading.Event,
    *,
    every: float = 2,
    seed: int | str = 0,
    retries: Retries | None = None,
) -> None:
    """Pass after pass, with `every` seconds between them, until `stop` is set: for a thread or a process of its own.

    A store that cannot be used for a while ends nothing; the log says so.
    """
    while not stop.is_set():
        try:
            if deliver_due(queue, subscriptions, now, post, seed=seed, retries=retries, limit=20, stop=stop):
                continue
        except StoreError as error:
            logger.warning("通知队列暂不可用：{error}", error=error)
        stop.wait(every)


def backoff(retries: Retries, attempt: int, seed: int | str, event_id: str, receiver: str) -> timedelta:
    """How long to wait after that attempt; the same for the same seed, event and receiver."""
    most = retries.longest // max(retries.first, timedelta(milliseconds=1)) + 1
    wait = min(retries.first * min(1 << min(attempt - 1, 64), most), retries.longest)
    chance = random.Random(f"{seed} {event_id} {receiver} {attempt}")  # noqa: S311 - spreads retries, hides nothing
    factor: float = chance.uniform(0.5, 1.5)
    return wait * factor


def _send(
    subscription: Subscription, claimed: Claim, at: datetime, post: Post, retries: Retries
) -> tuple[Reply | None, str]:
    notice = claimed.notice
    if claimed.attempt > retries.attempts:
        # The programs that tried before died at it.
        return None, "多次发送中途中断"
    body = notice.body.encode()
    headers = {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "landrules-webhook/1",
        **signed_headers(subscription.secrets(), notice.event_id, at, body),
    }
    try:
        return post(subscription.url, headers, body), ""
    except PostError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 - a caller's POST that breaks must not stop the other receivers
        return None, f"发送出错：{type(error).__name__}"


def _judge(
    claimed: Claim, reply: Reply | None, problem: str, now: datetime, retries: Retries, seed: int | str
) -> Sent:
    if reply is not None:
        if reply.status // 100 == 2:  # noqa: PLR2004 - 2xx
            return Sent("delivered")
        problem = f"对方答复 {reply.status}"
        if reply.status // 100 == 3:  # noqa: PLR2004 - 3xx
            problem += "，不跟随转址；请改正订阅的地址"
        if reply.status == _GONE:
            return Sent("dead", f"{problem}，表示不再接收")
    if claimed.attempt >= retries.attempts:
        return Sent("dead", f"{problem}，已试 {claimed.attempt} 次")
    wait = backoff(retries, claimed.attempt, seed, claimed.notice.event_id, claimed.notice.receiver)
    if reply is not None and reply.retry_after is not None:
        wait = min(max(wait, timedelta(seconds=reply.retry_after)), max(wait, retries.longest))
    return Sent("waiting", problem, now + wait)


def _next(sent: Sent) -> str:
    return (
        f"将于 {sent.again.isoformat(timespec='seconds')} 再试" if sent.again else "不再发送，可重新放回队列"
    )
