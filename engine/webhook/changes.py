"""From what an event of a case came to, or what a day brings, to notices in the queue.

Ids are made of what is told, so that telling twice sends once: after a crash everything may simply be told again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from landrules.engine.case.deadlines import DueItem
from landrules.engine.case.model import Case
from landrules.engine.case.session import Answer
from landrules.engine.ledger.canonical import canonical
from landrules.engine.webhook.queue import Notice, Queue, put
from landrules.engine.webhook.subscriptions import EventType, Subscription
from landrules.facts.values import as_text

__all__ = ["SCHEMA", "tell", "tell_deadlines"]

SCHEMA = "landrules/webhook/1"

_LATER_TOLD = "?"


@dataclass(frozen=True, slots=True)
class _Change:
    """Something to tell; `mark` tells it from others of its type in the case."""

    type: EventType
    mark: str
    content: Mapping[str, Any] = field(default_factory=dict)


def tell(
    queue: Queue, subscriptions: Sequence[Subscription], case: Case, answer: Answer, now: datetime
) -> int:
    """Put in what an event changed, for each active receiver that wants it; how many notices were new.

    To be called after the event is recorded, with every `Answer` of `Desk.submit`. An event that was told is not told again.

    Raises:
        StoreError: when the database refuses; call again then.
    """
    at = case.log[answer.number - 1].at

    def make(before: str) -> Iterator[Notice]:
        yield from _notices(subscriptions, case.id, _changes(answer, before), at, case)

    return put(queue, make, now, told=(case.id, answer.number, answer.step.step))


def tell_deadlines(
    queue: Queue, subscriptions: Sequence[Subscription], items: Iterable[DueItem], now: datetime
) -> int:
    """Put in what a day brings: deadlines of today, of this week, and overdue ones, each once; how many were new.

    To be called once a day with `deadlines(…)` of all cases. A rule that only may apply is not told.

    Raises:
        StoreError: when the database refuses; call again then.
    """
    items = list(items)

    def make(_: str) -> Iterator[Notice]:
        for item in items:
            yield from _notices(subscriptions, item.case, _deadlines([item]), now, None)

    return put(queue, make, now)


def _changes(answer: Answer, before: str) -> Iterator[_Change]:
    number = str(answer.number)
    about = {"number": answer.number, "event": answer.event}
    if answer.newly_violated:
        yield _Change("case.violated", number, {**about, "rules": list(answer.newly_violated)})
    if answer.newly_settled:
        yield _Change("case.settled", number, {**about, "rules": list(answer.newly_settled)})
    yield from _deadlines(answer.due)
    step = answer.step
    if before not in (step.step, _LATER_TOLD):
        told = {"step": step.step, "before": before, "why": step.why, "because": list(step.because)}
        yield _Change("case.next_step", number, {**about, **told})


def _deadlines(items: Iterable[DueItem]) -> Iterator[_Change]:
    for item in items:
        if not item.applies or item.due is None:
            continue
        mark = f"{item.rule} {item.due} {item.state}"
        told = {"rules": [item.rule], "due": item.due.isoformat(), "state": item.state}
        if item.state in ("今日到期", "本周到期"):
            yield _Change("case.due", mark, told)
        elif item.state == "逾期":
            yield _Change("case.overdue", mark, told)


def _notices(
    subscriptions: Sequence[Subscription],
    case_id: str,
    changes: Iterable[_Change],
    at: datetime,
    case: Case | None,
) -> Iterator[Notice]:
    # Events of a case log may be written without a time zone; then they are told as they are.
    moment = at.isoformat() if at.tzinfo is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    for change in changes:
        event_id = _id(case_id, change.type, change.mark)
        for subscription in subscriptions:
            if not subscription.active or change.type not in subscription.events:
                continue
            data: dict[str, Any] = {"case": case_id, **change.content}
            if subscription.facts and case is not None:
                data["facts"] = {
                    key: as_text(case.facts[key].value) for key in subscription.facts if key in case.facts
                }
            body = {"type": change.type, "timestamp": moment, "schema": SCHEMA, "data": data}
            yield Notice(event_id, subscription.name, case_id, change.type, canonical(body))


def _id(*parts: str) -> str:
    text = json.dumps(parts, ensure_ascii=True)
    return "evt_" + hashlib.sha256(text.encode()).hexdigest()[:40]
