"""What is to be sent, on disk: in the ledger's database or a file of its own. SQLite or PostgreSQL.

A notice is one row for each receiver, unique by event id and receiver, from the transaction that says that it is to be
sent until somebody acknowledged it. A sender claims a row for a while; when it dies, the row becomes due again. So
every notice arrives at least once, and the id tells the receiver which he has had.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from landrules.engine.ledger.database import connect, locate, reading, writing
from landrules.engine.ledger.errors import StoreError, missing
from landrules.engine.ledger.store import Store

try:
    import sqlalchemy as sa
except ModuleNotFoundError as error:
    raise missing("sqlalchemy") from error

__all__ = [
    "Claim",
    "Counts",
    "Notice",
    "Queue",
    "Sent",
    "claim",
    "count",
    "forget",
    "handle_once",
    "notices",
    "open_queue",
    "put",
    "queue_of",
    "settle",
    "try_again",
    "untold",
]

State = Literal["waiting", "delivered", "dead"]

_VERSION = 1
_LOCK = 0x6C616E65
_METADATA = sa.MetaData()
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_SCHEMA = sa.Table(
    "landrules_webhook_schema",
    _METADATA,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
)
_NOTICE = sa.Table(
    "landrules_webhook_notice",
    _METADATA,
    sa.Column("seq", _NUMBER, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("receiver", sa.Text, nullable=False),
    sa.Column("case_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    # Milliseconds since 1970: the next attempt is not before.
    sa.Column("due", sa.BigInteger, nullable=False),
    # Who is at it; until `due` has come, nobody else.
    sa.Column("claim", sa.Text, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.UniqueConstraint("event_id", "receiver"),
    sa.Index("landrules_webhook_notice_due", "state", "due"),
    sa.Index("landrules_webhook_notice_case", "receiver", "case_id", "state", "seq"),
    sqlite_autoincrement=True,
)
_TOLD = sa.Table(
    "landrules_webhook_told",
    _METADATA,
    sa.Column("case_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", sa.Text, nullable=False),
)
_HAD = sa.Table(
    "landrules_webhook_had",
    _METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Queue:
    """An open queue, to be shared by threads but not across a fork."""

    engine: sa.Engine

    def close(self) -> None:
        """Give up its connections; those of the ledger too, when it is in the ledger's database."""
        self.engine.dispose()


@dataclass(frozen=True, slots=True)
class Notice:
    """One event for one receiver; `body` is JSON, and emptied once it is delivered."""

    event_id: str
    receiver: str
    case: str
    type: str
    body: str
    state: State = "waiting"
    attempts: int = 0
    problem: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A notice that is ours to send for a while. `attempt` counts from 1."""

    token: str
    attempt: int
    notice: Notice


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an attempt: delivered, dead, or (with `again`) to be tried at that moment."""

    state: State
    problem: str = ""
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many notices are in which state, and how many of those waiting have failed before."""

    waiting: int
    failing: int
    delivered: int
    dead: int


def open_queue(where: str | Path) -> Queue:
    """Open the queue at a file path (SQLite) or a `postgresql://` address; its tables are made where there are none.

    Raises:
        StoreError: when it cannot be used, or was made by a newer version.
        MissingExtraError: when a package of `landrules[service]` is not installed.
    """
    engine = connect(locate(where))
    try:
        return _ready(engine)
    except BaseException:
        engine.dispose()
        raise


def queue_of(store: Store) -> Queue:
    """The queue in the database of an open ledger. Raises as `open_queue`."""
    return _ready(store.engine)


def _ready(engine: sa.Engine) -> Queue:
    with reading(engine) as connection:
        there = sa.inspect(connection).has_table(_SCHEMA.name)
        version = connection.execute(sa.select(_SCHEMA.c.version)).scalar() if there else None
    if version is None:
        with writing(engine) as connection:
            _one_at_a_time(connection)
            _METADATA.create_all(connection)
            version = connection.execute(sa.select(_SCHEMA.c.version)).scalar()
            if version is None:
                connection.execute(sa.insert(_SCHEMA).values(version=_VERSION))
                version = _VERSION
    if version != _VERSION:
        raise StoreError(
            f"通知队列由更新版本的 landrules 建立（结构版本 {version}，本程序只认识 {_VERSION}）；请升级 landrules 后再用"
        )
    return Queue(engine)


def _one_at_a_time(connection: sa.Connection) -> None:
    # SQLite lets one transaction write anyway (BEGIN IMMEDIATE).
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _ms(moment: datetime) -> int:
    """Milliseconds since 1970.

    Raises:
        ValueError: for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("时间没有时区；请给出带时区的时间（如 UTC）")
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


# --- putting in ---------------------------------------------------------------------------------------------------


def put(
    queue: Queue,
    make: Callable[[str], Iterable[Notice]],
    now: datetime,
    *,
    told: tuple[str, int, str] | None = None,
) -> int:
    """Put notices in, those with an id that the receiver was told already left out; how many were new.

    `told` are case, number of its event and the step it came to: these go in once, and `make` gets the step that the case
    was told to be at before, `?` where a later event was told already.

    Raises:
        StoreError: when the database refuses; nothing was put in then.
    """
    due, added = _ms(now), 0
    with writing(queue.engine) as connection:
        _one_at_a_time(connection)
        before = ""
        if told is not None:
            case, number, step = told
            rows = connection.execute(
                sa.select(_TOLD.c.number, _TOLD.c.step)
                .where(_TOLD.c.case_id == case, _TOLD.c.number >= number - 1)
                .order_by(_TOLD.c.number)
            ).all()
            if any(row.number == number for row in rows):
                return 0
            before = _step_before(connection, case, number) if not rows else rows[0].step
            if any(row.number > number for row in rows):
                before = "?"
            connection.execute(sa.insert(_TOLD).values(case_id=case, number=number, step=step))
        for notice in make(before):
            same = (_NOTICE.c.event_id == notice.event_id) & (_NOTICE.c.receiver == notice.receiver)
            if connection.execute(sa.select(_NOTICE.c.seq).where(same)).scalar() is not None:
                continue
            connection.execute(
                sa.insert(_NOTICE).values(
                    event_id=notice.event_id,
                    receiver=notice.receiver,
                    case_id=notice.case,
                    type=notice.type,
                    body=notice.body,
                    state="waiting",
                    attempts=0,
                    due=due,
                    claim="",
                    problem="",
                )
            )
            added += 1
    return added


def _step_before(connection: sa.Connection, case: str, number: int) -> str:
    found = connection.execute(
        sa.select(_TOLD.c.step)
        .where(_TOLD.c.case_id == case, _TOLD.c.number < number)
        .order_by(_TOLD.c.number.desc())
        .limit(1)
    ).scalar()
    return str(found or "")


def untold(queue: Queue, case: str, events: int) -> tuple[int, ...]:
    """The numbers, of the first `events` events of a case, that were not put in: a program died in between.

    Raises:
        StoreError: when the database refuses.
    """
    with reading(queue.engine) as connection:
        known = set(connection.execute(sa.select(_TOLD.c.number).where(_TOLD.c.case_id == case)).scalars())
    return tuple(number for number in range(1, events + 1) if number not in known)


# --- taking out ---------------------------------------------------------------------------------------------------


def claim(queue: Queue, receivers: Collection[str], now: datetime, hold: timedelta) -> Claim | None:
    """Claim the first notice that is due for one of the receivers, for as long as `hold`; None when there is none.

    Of one case and receiver, a notice is due only after those before it were delivered or given up. The attempt counts
    even if the program dies in it.

    Raises:
        StoreError: when the database refuses.
    """
    if not receivers:
        return None
    earlier = _NOTICE.alias("earlier")
    first = ~(
        sa.select(earlier.c.seq)
        .where(
            earlier.c.receiver == _NOTICE.c.receiver,
            earlier.c.case_id == _NOTICE.c.case_id,
            earlier.c.state == "waiting",
            earlier.c.seq < _NOTICE.c.seq,
        )
        .exists()
    )
    chosen = (
        sa.select(_NOTICE)
        .where(
            _NOTICE.c.state == "waiting",
            _NOTICE.c.due <= _ms(now),
            _NOTICE.c.receiver.in_(sorted(receivers)),
            first,
        )
        .order_by(_NOTICE.c.due, _NOTICE.c.seq)
        .limit(1)
    )
    token = uuid.uuid4().hex
    with writing(queue.engine) as connection:
        _one_at_a_time(connection)
        row = connection.execute(chosen).one_or_none()
        if row is None:
            return None
        attempt = row.attempts + 1
        connection.execute(
            sa.update(_NOTICE)
            .where(_NOTICE.c.seq == row.seq)
            .values(attempts=attempt, due=_ms(now + hold), claim=token)
        )
    return Claim(token, attempt, _notice(row))


def settle(queue: Queue, claimed: Claim, sent: Sent, now: datetime) -> bool:
    """Write down what became of a claim; False where it was no longer ours.

    Raises:
        StoreError: when the database refuses.
    """
    values: dict[str, Any] = {"state": sent.state, "problem": sent.problem, "claim": ""}
    if sent.again is not None:
        values["due"] = _ms(sent.again)
    elif sent.state == "waiting":
        values["due"] = _ms(now)
    if sent.state == "delivered":
        # Nothing about a case stays here longer than it has to.
        values["body"] = ""
    # Delivered is delivered, whoever holds the notice by now; anything else is for the holder to say.
    mine = _NOTICE.c.claim == claimed.token
    if sent.state == "delivered":
        mine |= _NOTICE.c.state == "waiting"
    with writing(queue.engine) as connection:
        done = connection.execute(
            sa.update(_NOTICE).where(_NOTICE.c.seq == claimed.notice.seq, mine).values(**values)
        )
    return bool(done.rowcount)


def notices(
    queue: Queue, *, state: State | None = None, case: str = "", limit: int = 1000
) -> Sequence[Notice]:
    """Notices in the order in which they were put in.

    Raises:
        StoreError: when the database refuses.
    """
    chosen = sa.select(_NOTICE).order_by(_NOTICE.c.seq).limit(limit)
    if state is not None:
        chosen = chosen.where(_NOTICE.c.state == state)
    if case:
        chosen = chosen.where(_NOTICE.c.case_id == case)
    with reading(queue.engine) as connection:
        return [_notice(row) for row in connection.execute(chosen)]


def count(queue: Queue) -> Counts:
    """How many notices are in which state.

    Raises:
        StoreError: when the database refuses.
    """
    again = sa.case((_NOTICE.c.problem != "", 1), else_=0)
    chosen = sa.select(_NOTICE.c.state, sa.func.count(), sa.func.sum(again)).group_by(_NOTICE.c.state)
    with reading(queue.engine) as connection:
        found = {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(chosen)}
    nothing = (0, 0)
    waiting, failing = found.get("waiting", nothing)
    return Counts(waiting, failing, found.get("delivered", nothing)[0], found.get("dead", nothing)[0])


def try_again(queue: Queue, now: datetime, *, receiver: str = "", event_id: str = "") -> int:
    """Put dead notices back, all or those of a receiver or event, with all their attempts; how many.

    Raises:
        StoreError: when the database refuses.
    """
    chosen = [_NOTICE.c.state == "dead"]
    if receiver:
        chosen.append(_NOTICE.c.receiver == receiver)
    if event_id:
        chosen.append(_NOTICE.c.event_id == event_id)
    with writing(queue.engine) as connection:
        done = connection.execute(
            sa.update(_NOTICE).where(*chosen).values(state="waiting", attempts=0, due=_ms(now), claim="")
        )
    return int(done.rowcount)


def _notice(row: Any) -> Notice:
    return Notice(
        event_id=row.event_id,
        receiver=row.receiver,
        case=row.case_id,
        type=row.type,
        body=row.body,
        state=row.state,
        attempts=row.attempts,
        problem=row.problem,
        seq=row.seq,
    )


# --- at the receiver ----------------------------------------------------------------------------------------------


def handle_once(
    queue: Queue, message_id: str, now: datetime, work: Callable[[sa.Connection], None] = lambda _: None
) -> bool:
    """For receivers: do the work unless this message was had before; whether it was done.

    `work` runs in the transaction that remembers the id, and may write through the connection it is given: either both
    happen, or, when `work` raises, neither, and the sender tries again.

    Raises:
        StoreError: when the database refuses.
    """
    with writing(queue.engine) as connection:
        _one_at_a_time(connection)
        if connection.execute(sa.select(_HAD.c.id).where(_HAD.c.id == message_id)).scalar() is not None:
            return False
        connection.execute(sa.insert(_HAD).values(id=message_id, at=_ms(now)))
        work(connection)
    return True


def forget(queue: Queue, before: datetime) -> int:
    """For receivers: forget ids of messages had before that moment; keep them for longer than the sender tries.

    Raises:
        StoreError: when the database refuses.
    """
    with writing(queue.engine) as connection:
        return int(connection.execute(sa.delete(_HAD).where(_HAD.c.at < _ms(before))).rowcount)
