"""The store: opening, appending, reading. An entry is acknowledged only after its transaction is on disk."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from landrules.engine.ledger.canonical import Tree, canonical, digest, parse
from landrules.engine.ledger.database import connect, locate, reading, writing
from landrules.engine.ledger.entry import CHECKPOINT, MASK, SCHEMA, Entry, Head, Stored, instant, instant_of
from landrules.engine.ledger.errors import EntryError, KeyConflictError, StoreError, missing
from landrules.engine.ledger.migrate import ensure_current
from landrules.engine.ledger.sealing import ANY, Item, Masked, Private, count_masked, plain, seal, unseal
from landrules.engine.ledger.tables import ENTRY, HEAD, SEALED

try:
    import sqlalchemy as sa
except ModuleNotFoundError as error:
    raise missing("sqlalchemy") from error

__all__ = [
    "Query",
    "Row",
    "Store",
    "append",
    "append_all",
    "append_once",
    "append_reserved",
    "entries",
    "find",
    "head",
    "head_in",
    "lock_head",
    "open_store",
    "rows",
    "stored_of",
]

INPUT_HASH = (ANY, "input_hash")
"""The names of the input hash: kept, it would let anybody who knows the rest of the input guess what was masked."""

_BATCH = 50


@dataclass(frozen=True, slots=True)
class Store:
    """An open store, to be shared by threads but not across a fork. Close it with `close` or `contextlib.closing`."""

    engine: sa.Engine

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Give up its connections."""
        self.engine.dispose()


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as its tables hold it, nothing interpreted."""

    seq: int
    id: str
    at: str
    who: str
    kind: str
    case: str
    key: str | None
    through: int | None
    content: str
    previous: str
    hash: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; empty means any. `since` is included, `until` is not."""

    kind: str = ""
    case: str = ""
    who: str = ""
    id: str = ""
    key: str = ""
    input_hash: str = ""
    since: datetime | None = None
    until: datetime | None = None


def open_store(where: str | Path, *, create: bool = True) -> Store:
    """Open the store at a file path (SQLite) or a `postgresql://` address.

    With `create`, tables that are missing or of an older version are made; without, that is an error.

    Raises:
        StoreError: when it is not there, cannot be used, or was made by a newer version.
        MissingExtraError: when a package of `landrules[service]` is not installed.
    """
    url = locate(where)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if file and not create and not file.startswith("file:") and not Path(file).is_file():
        raise StoreError(f"没有台账文件“{file}”；请检查路径")
    engine = connect(url)
    try:
        ensure_current(engine, create=create)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)


# --- appending ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An entry with its values sealed: all that does not depend on its place in the chain."""

    entry: Entry
    content: dict[str, Tree]
    items: tuple[Item, ...]
    through: int | None = None


def append(store: Store, entry: Entry) -> Stored:
    """Append an entry. When this returns, the entry is on disk.

    Raises:
        EntryError: when it cannot be an entry.
        KeyConflictError: when its idempotency key is taken.
        StoreError: when the database refuses; nothing was stored then.
    """
    return append_all(store, (entry,))[0]


def append_all(store: Store, batch: Sequence[Entry]) -> tuple[Stored, ...]:
    """Append all of them, or none, in one transaction and in their order. Raises as `append`."""
    prepared = [_prepare(entry) for entry in batch]
    with writing(store.engine) as connection:
        last = lock_head(connection)
        result = []
        for item in prepared:
            if item.entry.key and _row_of_key(connection, item.entry.key) is not None:
                raise KeyConflictError(f"幂等键“{item.entry.key}”已用过，没有记入台账")
            stored = _insert(connection, last, item)
            last = Head(stored.seq, stored.hash)
            result.append(stored)
    return tuple(result)


def append_once(store: Store, entry: Entry) -> Stored:
    """Append an entry unless its idempotency key is there; then the stored entry, if it answers the same request.

    The request is who asked for what: kind, who, case, input, its hash and the options. The moment, the engine, the
    rulesets and the outcome are not part of it: the first answer stands. What was masked since counts as equal.

    Raises:
        KeyConflictError: when the key stands for another request.
        EntryError, StoreError: as `append`.
    """
    if not entry.key:
        raise EntryError("缺少幂等键，没有记入台账；请给出 key，或改用 append")
    prepared = _prepare(entry)
    with writing(store.engine) as connection:
        last = lock_head(connection)
        row = _row_of_key(connection, entry.key)
        if row is None:
            return _insert(connection, last, prepared)
        stored = stored_of(row)
    if not _same_request(stored, entry):
        raise KeyConflictError(
            f"幂等键“{entry.key}”已用于另一项请求（台账第 {stored.seq} 条），没有记入台账；新的请求请换一个键"
        )
    return stored


def append_reserved(connection: sa.Connection, entry: Entry, *, through: int | None = None) -> Stored:
    """Append a mask or checkpoint entry inside a transaction that holds what goes with it."""
    return _insert(connection, lock_head(connection), _prepare(entry, reserved=True, through=through))


def _request(entry: Entry) -> list[Tree]:
    return [entry.kind, entry.who, entry.case, entry.options, entry.input]


def _same_request(stored: Stored, asked: Entry) -> bool:
    hidden = bool(stored.masked) and not stored.entry.input_hash
    return (hidden or stored.entry.input_hash == asked.input_hash) and _covers(
        _request(stored.entry), parse(canonical(plain(_request(asked))))
    )


def _covers(stored: Tree, asked: Tree) -> bool:
    match stored:
        case Masked():
            return True
        case dict():
            return (
                isinstance(asked, dict)
                and stored.keys() == asked.keys()
                and all(_covers(value, asked[key]) for key, value in stored.items())
            )
        case list():
            return (
                isinstance(asked, list)
                and len(stored) == len(asked)
                and all(_covers(mine, theirs) for mine, theirs in zip(stored, asked, strict=True))
            )
        case _:
            return type(stored) is type(asked) and bool(stored == asked)


def _prepare(entry: Entry, *, reserved: bool = False, through: int | None = None) -> _Prepared:
    if entry.kind in ("", MASK, CHECKPOINT) and not reserved:
        raise EntryError(f"“{entry.kind}”不能作为条目的种类；{MASK} 和 {CHECKPOINT} 由遮蔽和归档自行记入")
    for name in ("kind", "who", "case", "key", "id", "engine", "input_hash"):
        text = getattr(entry, name)
        if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
            raise EntryError(f"{name} 含有控制字符或无法写出的字符，没有记入台账")
    entry = replace(entry, id=entry.id or uuid.uuid4().hex)
    private = Private(entry.input_hash, INPUT_HASH) if entry.input_hash else ""
    tree, items, commitments = seal({"input": entry.input, "outcome": entry.outcome, "input_hash": private})
    content = {
        "schema": SCHEMA,
        "id": entry.id,
        "at": instant(entry.at),
        "who": entry.who,
        "kind": entry.kind,
        "case": entry.case,
        "key": entry.key,
        "engine": entry.engine,
        "rulesets": dict(entry.rulesets),
        "options": dict(entry.options),
        "verdicts": dict(entry.verdicts),
        "through": through,
        "sealed": commitments,
        **tree,
    }
    canonical(content)
    return _Prepared(entry, content, items, through)


def lock_head(connection: sa.Connection) -> Head:
    """The head, held until the transaction ends: nobody else can append meanwhile."""
    # SQLite has locked the whole file by now (BEGIN IMMEDIATE); PostgreSQL lets one transaction hold this row.
    found = connection.execute(sa.select(HEAD.c.seq, HEAD.c.hash).with_for_update()).one_or_none()
    if found is None:
        raise StoreError("台账缺少首行，可能被改动过；请以 landrules log verify 核对")
    return Head(found.seq, found.hash)


def _insert(connection: sa.Connection, last: Head, prepared: _Prepared) -> Stored:
    seq = last.seq + 1
    content = canonical({**prepared.content, "seq": seq, "previous": last.hash})
    row = Row(
        seq=seq,
        id=prepared.entry.id,
        at=prepared.content["at"],
        who=prepared.entry.who,
        kind=prepared.entry.kind,
        case=prepared.entry.case,
        key=prepared.entry.key or None,
        through=prepared.through,
        content=content,
        previous=last.hash,
        hash=digest(content),
        items=prepared.items,
    )
    taken = connection.execute(sa.select(ENTRY.c.seq).where(ENTRY.c.id == row.id)).scalar()
    if taken is not None:
        raise EntryError(f"编号“{row.id}”已用于台账第 {taken} 条，没有记入台账")
    connection.execute(
        sa.insert(ENTRY).values(
            seq=row.seq,
            id=row.id,
            at=row.at,
            who=row.who,
            kind=row.kind,
            case_id=row.case,
            key=row.key,
            through=row.through,
            content=row.content,
            previous=row.previous,
            hash=row.hash,
        )
    )
    connection.execute(sa.update(HEAD).values(seq=row.seq, hash=row.hash))
    if row.items:
        values = [
            {
                "seq": seq,
                "item": item.number,
                "names": canonical(list(item.names)),
                "salt": item.salt,
                "body": item.body,
            }
            for item in row.items
        ]
        connection.execute(sa.insert(SEALED), values)
    return stored_of(row)


# --- reading --------------------------------------------------------------------------------------------------


def head(store: Store) -> Head:
    """The newest entry's number and hash (0 and zeros while there is none). Kept elsewhere, it is proof."""
    with reading(store.engine) as connection:
        return head_in(connection)


def head_in(connection: sa.Connection) -> Head:
    """As `head`, in a transaction."""
    found = connection.execute(sa.select(HEAD.c.seq, HEAD.c.hash)).one_or_none()
    return Head(found.seq, found.hash) if found is not None else Head(-1, "")


def entries(store: Store, *, after: int = 0, limit: int | None = None) -> Iterator[Stored]:
    """The entries with numbers greater than `after`, in order. Read in batches: what is appended meanwhile is met too.

    Raises:
        StoreError: when the database cannot be read.
    """
    return find(store, Query(), after=after, limit=limit)


def find(store: Store, query: Query, *, after: int = 0, limit: int | None = None) -> Iterator[Stored]:
    """The entries that fit the query, as `entries`."""
    while limit is None or limit > 0:
        size = _BATCH if limit is None else min(_BATCH, limit)
        with reading(store.engine) as connection:
            batch = _batch(connection, _conditions(query), after, size)
        yield from (stored_of(row) for row in batch)
        if len(batch) < size:
            return
        after = batch[-1].seq
        limit = None if limit is None else limit - size


def rows(connection: sa.Connection, *, after: int = 0, through: int | None = None) -> Iterator[Row]:
    """The rows of one state of the store, in order, nothing interpreted."""
    conditions = [] if through is None else [ENTRY.c.seq <= through]
    while True:
        batch = _batch(connection, conditions, after, _BATCH)
        yield from batch
        if len(batch) < _BATCH:
            return
        after = batch[-1].seq


def _conditions(query: Query) -> list[sa.ColumnElement[bool]]:
    columns = {
        ENTRY.c.kind: query.kind,
        ENTRY.c.case_id: query.case,
        ENTRY.c.who: query.who,
        ENTRY.c.id: query.id,
        ENTRY.c.key: query.key,
    }
    conditions: list[sa.ColumnElement[bool]] = [column == text for column, text in columns.items() if text]
    if query.since is not None:
        conditions.append(ENTRY.c.at >= instant(query.since))
    if query.until is not None:
        conditions.append(ENTRY.c.at < instant(query.until))
    if query.input_hash:
        inside = sa.select(SEALED.c.seq).where(
            # The literal lets PostgreSQL and SQLite use the index, which is on these rows only.
            SEALED.c.names == sa.literal_column("""'["*","input_hash"]'"""),
            SEALED.c.body == canonical([query.input_hash]),
        )
        conditions.append(ENTRY.c.seq.in_(inside))
    return conditions


def _batch(
    connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]], after: int, size: int
) -> list[Row]:
    found = connection.execute(
        sa.select(ENTRY).where(ENTRY.c.seq > after, *conditions).order_by(ENTRY.c.seq).limit(size)
    ).all()
    items: dict[int, list[Item]] = {row.seq: [] for row in found}
    if items:
        chosen = sa.select(SEALED).where(SEALED.c.seq.in_(list(items)))
        for item in connection.execute(chosen.order_by(SEALED.c.seq, SEALED.c.item)):
            items[item.seq].append(
                Item(item.item, tuple(parse(item.names)), item.salt, item.body, item.masked_by)
            )
    return [_row(found_row, items[found_row.seq]) for found_row in found]


def _row(found: sa.Row[Any], items: Sequence[Item]) -> Row:
    return Row(
        seq=found.seq,
        id=found.id,
        at=found.at,
        who=found.who,
        kind=found.kind,
        case=found.case_id,
        key=found.key,
        through=found.through,
        content=found.content,
        previous=found.previous,
        hash=found.hash,
        items=tuple(items),
    )


def _row_of_key(connection: sa.Connection, key: str) -> Row | None:
    return next(iter(_batch(connection, [ENTRY.c.key == key], 0, 1)), None)


def stored_of(row: Row) -> Stored:
    """The row as an entry, with its values back in their places.

    Raises:
        StoreError: when the row is not what the store wrote.
    """
    try:
        content = parse(row.content)
        tree = unseal({name: content[name] for name in ("input", "outcome", "input_hash")}, row.items)
        whole = tree["input_hash"]
        entry = Entry(
            kind=content["kind"],
            at=instant_of(content["at"]),
            who=content["who"],
            input=tree["input"],
            outcome=tree["outcome"],
            input_hash=whole if isinstance(whole, str) else "",
            engine=content["engine"],
            rulesets=content["rulesets"],
            options=content["options"],
            verdicts=content["verdicts"],
            case=content["case"],
            key=content["key"],
            id=content["id"],
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise StoreError(
            f"台账第 {row.seq} 条读不出来，可能被改动过；请以 landrules log verify 核对"
        ) from error
    return Stored(row.seq, row.hash, row.previous, entry, count_masked(tree))
