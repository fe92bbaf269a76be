"""Retention: the oldest entries go into an archive file; a checkpoint entry keeps the rest of the chain verifiable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from landrules.engine.ledger.database import reading, writing
from landrules.engine.ledger.entry import CHECKPOINT, MASK, Entry, Head, Stored, instant
from landrules.engine.ledger.errors import LedgerError, missing
from landrules.engine.ledger.export import line_of, write_new
from landrules.engine.ledger.store import Store, append_reserved, head_in, lock_head, rows
from landrules.engine.ledger.tables import ENTRY, SEALED
from landrules.engine.ledger.verify import verify, verify_export

try:
    import sqlalchemy as sa
except ModuleNotFoundError as error:
    raise missing("sqlalchemy") from error

__all__ = ["Archived", "retain"]


@dataclass(frozen=True, slots=True)
class Archived:
    """How many entries went into the archive, its SHA-256, and the checkpoint entry."""

    entries: int
    last: Head
    archive_hash: str
    checkpoint: Stored


def retain(store: Store, before: datetime, archive: Path, *, at: datetime, who: str) -> Archived:
    """Move the entries from the front of the chain that are older than `before` into a new archive file.

    It stops at the first entry that is not older. The store is verified first, and so is the archive, which is on disk
    before anything is deleted; deletion and checkpoint are one transaction.

    Raises:
        LedgerError: when there is nothing so old, the store is broken, or the archive cannot be written.
        StoreError: when the database refuses; nothing was deleted then.
    """
    found = verify(store)
    if not found.intact:
        raise LedgerError(f"{found.describe()}。没有归档；请先查明原因")
    with reading(store.engine) as connection:
        newest = head_in(connection)
        kept = connection.execute(
            sa.select(sa.func.min(ENTRY.c.seq)).where(ENTRY.c.at >= instant(before))
        ).scalar()
        through = newest.seq if kept is None else kept - 1
        if through < found.first:
            raise LedgerError(f"没有早于 {before.isoformat()} 的条目可归档，什么也没有改动")

        def write(file: TextIO) -> None:
            file.writelines(line_of(row) for row in rows(connection, through=through))

        archive_hash = write_new(archive, write)
    archived = verify_export(archive)
    if not archived.intact or archived.last.seq != through:
        raise LedgerError(f"归档文件“{archive}”核对不通过，台账没有改动：{archived.describe()}")
    with writing(store.engine) as connection:
        lock_head(connection)
        changed = connection.execute(
            sa.select(ENTRY.c.seq).where(ENTRY.c.seq > newest.seq, ENTRY.c.kind.in_((MASK, CHECKPOINT)))
        ).first()
        if changed is not None:
            raise LedgerError(f"归档期间台账有遮蔽或归档操作，没有删除条目；请删去“{archive}”后重试")
        said = {
            "through": through,
            "hash": archived.last.hash,
            "entries": archived.entries,
            "before": instant(before),
            "archive": archive.name,
            "archive_hash": archive_hash,
        }
        checkpoint = append_reserved(connection, Entry(CHECKPOINT, at, who, input=said), through=through)
        connection.execute(sa.delete(SEALED).where(SEALED.c.seq <= through))
        connection.execute(sa.delete(ENTRY).where(ENTRY.c.seq <= through))
    return Archived(archived.entries, archived.last, archive_hash, checkpoint)
