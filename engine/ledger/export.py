"""Export: one line of canonical JSON an entry, the same bytes for the same store; enough to be verified elsewhere."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from landrules.engine.ledger.canonical import canonical, parse
from landrules.engine.ledger.database import reading
from landrules.engine.ledger.entry import Head
from landrules.engine.ledger.errors import LedgerError
from landrules.engine.ledger.store import Row, Store, head_in, rows

__all__ = ["export", "export_lines", "line_of", "write_new"]


def export(store: Store, target: Path | TextIO, *, after: int = 0, through: int | None = None) -> int:
    """Write the entries with `after` < number ≤ `through` as JSON lines; a file is written whole or not at all.

    Returns:
        The number of entries.

    Raises:
        LedgerError: when the file is there already, or cannot be written.
        StoreError: when the database cannot be read.
    """
    count = 0

    def write(file: TextIO) -> None:
        nonlocal count
        for line in export_lines(store, after=after, through=through):
            file.write(line)
            count += 1

    if isinstance(target, Path):
        write_new(target, write)
    else:
        write(target)
    return count


def export_lines(store: Store, *, after: int = 0, through: int | None = None) -> Iterator[str]:
    """The lines, of one state of the store."""
    with reading(store.engine) as connection:
        # The head is read first, so that SQLite's snapshot begins here.
        last: Head = head_in(connection)
        for row in rows(connection, after=after, through=last.seq if through is None else through):
            yield line_of(row)


def line_of(row: Row) -> str:
    """One entry: what is chained, its hash, and the sealed values with their salts in the order of the commitments."""
    sealed = [
        {"masked_by": item.masked_by}
        if item.body is None
        else {"salt": item.salt, "values": parse(item.body)}
        for item in row.items
    ]
    return canonical({"content": parse(row.content), "hash": row.hash, "sealed": sealed}) + "\n"


def write_new(path: Path, write: Callable[[TextIO], None]) -> str:
    """Write a file that is not there yet, whole or not at all, and have it on disk before it gets its name.

    Returns:
        The SHA-256 of its content.

    Raises:
        LedgerError: when it is there, or cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            value = _digest(temporary)
            # A link fails where the name is taken; a rename would replace the file.
            path.hardlink_to(temporary)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError as error:
        raise LedgerError(f"“{path}”已存在，没有覆盖；请换一个文件名") from error
    except OSError as error:
        raise LedgerError(
            f"无法写入“{path}”：{error.strerror or error}；请检查文件夹、权限和磁盘空间"
        ) from error
    return value


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
