"""Masking: the values of named facts are deleted, with their salts; what is chained stays as it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from landrules.engine.ledger.canonical import canonical, parse
from landrules.engine.ledger.database import translated, writing
from landrules.engine.ledger.entry import MASK, Entry, Stored
from landrules.engine.ledger.errors import EntryError, LedgerError, StoreError, missing
from landrules.engine.ledger.sealing import ANY
from landrules.engine.ledger.store import Store, append_reserved, lock_head
from landrules.engine.ledger.tables import ENTRY, SEALED
from landrules.facts.vocabulary import Vocabulary

try:
    import sqlalchemy as sa
except ModuleNotFoundError as error:
    raise missing("sqlalchemy") from error

__all__ = ["MaskedValues", "erase", "mask", "spellings"]


@dataclass(frozen=True, slots=True)
class MaskedValues:
    """How many values in how many entries were masked, and the entry that says so.

    `erased` is false where the values are deleted but traces of them may be in the database's files (see `erase`).
    """

    values: int
    entries: int
    record: Stored
    erased: bool


def spellings(vocabulary: Vocabulary, name: str) -> tuple[str, ...]:
    """All names under which values of a fact or an identifying column may be stored: key, label, aliases."""
    found = {name: None}
    for subject in vocabulary.subjects.values():
        fact = subject.fact(name)
        if fact is not None:
            found.update(dict.fromkeys((fact.key, fact.label, *fact.aliases)))
    for column, aliases in vocabulary.identifying.items():
        if name == column or name in aliases:
            found.update(dict.fromkeys((column, *aliases)))
    return tuple(found)


def mask(
    store: Store,
    names: Collection[str],
    *,
    at: datetime,
    who: str,
    reason: str,
    case: str = "",
    only: Iterable[int] | None = None,
) -> MaskedValues:
    """Delete all values with any of these names: in the entries `only`, in those of a case, or in all there are now.

    With them go the values of the same entries that may quote them (`ANY`) and their input hashes. The masking is an
    entry itself; it names what was masked and why, in one transaction with the deletion.

    Raises:
        LedgerError: when there is nothing to mask.
        StoreError: when the database refuses; nothing was masked then.
    """
    wanted = sorted(set(names) - {"", ANY})
    if not wanted or not reason.strip():
        raise EntryError("遮蔽需要事实名称和理由")
    chosen = None if only is None else sorted(set(only))
    with writing(store.engine) as connection:
        through = lock_head(connection).seq
        if case:
            of_case = (
                connection.execute(sa.select(ENTRY.c.seq).where(ENTRY.c.case_id == case)).scalars().all()
            )
            chosen = sorted(of_case if chosen is None else set(of_case) & set(chosen))
        keys = _matching(connection, wanted, chosen)
        if not keys:
            raise LedgerError(f"台账中没有尚未遮蔽的“{'、'.join(wanted)}”，什么也没有改动；请检查名称和范围")
        values = _count(connection, keys)
        said = {
            "names": wanted,
            "through": through,
            "entries": chosen,
            "reason": reason,
            "values": values,
        }
        record = append_reserved(connection, Entry(MASK, at, who, input=said, case=case))
        connection.execute(
            sa.update(SEALED)
            .where(SEALED.c.seq == sa.bindparam("of_seq"), SEALED.c.item == sa.bindparam("of_item"))
            .values(salt=None, body=None, masked_by=record.seq),
            [{"of_seq": seq, "of_item": item} for seq, item in keys],
        )
    return MaskedValues(values, len({seq for seq, _ in keys}), record, erase(store))


def _matching(connection: sa.Connection, wanted: list[str], only: list[int] | None) -> list[tuple[int, int]]:
    open_items = sa.select(SEALED.c.seq, SEALED.c.item, SEALED.c.names).where(SEALED.c.masked_by.is_(None))
    # LIKE pays no attention to case; the exact comparison follows.
    named = sa.or_(*(SEALED.c.names.contains(canonical(name), autoescape=True) for name in wanted))
    chosen = None if only is None else set(only)
    direct = [
        (row.seq, row.item)
        for row in connection.execute(open_items.where(named).order_by(SEALED.c.seq, SEALED.c.item))
        if (chosen is None or row.seq in chosen) and not set(wanted).isdisjoint(parse(row.names))
    ]
    affected = {seq for seq, _ in direct}
    quoting = connection.execute(open_items.where(SEALED.c.names.contains(canonical(ANY), autoescape=True)))
    return sorted({*direct, *((row.seq, row.item) for row in quoting if row.seq in affected)})


def _count(connection: sa.Connection, keys: list[tuple[int, int]]) -> int:
    items: dict[int, list[int]] = {}
    for seq, item in keys:
        items.setdefault(seq, []).append(item)
    count = 0
    for seq, numbers in items.items():
        content = connection.execute(sa.select(ENTRY.c.content).where(ENTRY.c.seq == seq)).scalar_one()
        sealed = parse(content)["sealed"]
        count += sum(sealed[number]["count"] for number in numbers)
    return count


def erase(store: Store) -> bool:
    """Have the deleted bytes leave the database's files; True when they have.

    SQLite overwrites what it deletes (`secure_delete`), and has to move that from its log into the file; an old reader
    can hold it up. PostgreSQL has to write the table anew, which only its owner may ask for.
    """
    if store.engine.dialect.name == "postgresql":
        return _erase_postgresql(store)
    try:
        with translated(store.engine.url), store.engine.connect() as connection:
            # Not possible inside a transaction, and SQLAlchemy would begin one.
            raw = connection.connection.dbapi_connection
            assert raw is not None  # noqa: S101 - it has just been opened
            cursor = raw.cursor()
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                answer = cursor.fetchone()
            finally:
                cursor.close()
            # Its first column is 1 when somebody else was in the way.
            return answer is not None and not answer[0]
    except StoreError:
        return False


def _erase_postgresql(store: Store) -> bool:
    owner = sa.text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = CAST(:name AS regclass)")
    try:
        with translated(store.engine.url), store.engine.connect() as connection:
            raw = connection.execution_options(isolation_level="AUTOCOMMIT")
            # For others than the owner, VACUUM only warns.
            if not raw.execute(owner, {"name": SEALED.name}).scalar():
                return False
            raw.exec_driver_sql(f"VACUUM FULL {SEALED.name}")
            return True
    except StoreError:
        return False
