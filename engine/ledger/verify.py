"""Verification: every hash is computed again, and the first place where something differs is named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from landrules.engine.ledger.canonical import Tree, canonical, digest, parse
from landrules.engine.ledger.database import reading
from landrules.engine.ledger.entry import CHECKPOINT, GENESIS, MASK, Head
from landrules.engine.ledger.errors import EntryError, LedgerError, missing
from landrules.engine.ledger.sealing import ANY, Item, commitment
from landrules.engine.ledger.store import Row, Store, head_in, rows
from landrules.engine.ledger.tables import ENTRY, SEALED

try:
    import sqlalchemy as sa
except ModuleNotFoundError as error:
    raise missing("sqlalchemy") from error

__all__ = ["Problem", "Verification", "parse_head", "read_export", "verify", "verify_export"]

_HASH_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Problem:
    """The first broken place: the entry's number and what differs, in Chinese."""

    seq: int
    message: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome: how many entries from `first` to `last` were checked, how many values are masked, what is broken.

    `pruned` is the number of the last entry that was archived and let go of, 0 where none was.
    """

    entries: int
    first: int
    last: Head
    masked: int
    pruned: int = 0
    problem: Problem | None = None

    @property
    def intact(self) -> bool:
        """Whether nothing is broken."""
        return self.problem is None

    def describe(self) -> str:
        """One Chinese sentence."""
        if self.problem is not None:
            return f"台账不完整：{self.problem.message}"
        if not self.entries:
            return "台账为空，没有条目"
        text = f"台账完整：共 {self.entries} 条（第 {self.first} 至 {self.last.seq} 条）"
        if self.pruned:
            text += f"，第 {self.pruned} 条及以前已归档"
        if self.masked:
            text += f"，{self.masked} 个值已遮蔽"
        return f"{text}；末条 {self.last}"


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one mask entry says it masked."""

    names: frozenset[str]
    through: int
    only: frozenset[int] | None

    def covers(self, seq: int, names: Iterable[str], all_names: frozenset[str]) -> bool:
        if seq > self.through or (self.only is not None and seq not in self.only):
            return False
        return bool(self.names & set(names)) or (ANY in names and bool(self.names & all_names))


class _BrokenError(Exception):
    """Found something; the message is Chinese. `seq` is where, if not the entry that is looked at."""

    def __init__(self, message: str, seq: int = 0) -> None:
        super().__init__(message)
        self.seq = seq


def parse_head(text: str) -> Head:
    """`128:3f…` or only the hash; the number is 0 where it is not given.

    Raises:
        LedgerError: when it is neither.
    """
    number, colon, value = text.strip().lower().rpartition(":")
    if (
        (colon and not number.isdecimal())
        or len(value) != _HASH_LENGTH
        or set(value) - set("0123456789abcdef")
    ):
        raise LedgerError("末条哈希写得不对；应是 64 位十六进制数，前面可带条目号，如 128:3f…")
    return Head(int(number or 0), value)


def verify(store: Store, head: Head | None = None) -> Verification:
    """Verify the whole store. `head` was taken from it earlier and kept elsewhere: it must still be in the chain.

    Raises:
        StoreError: when the database cannot be read.
    """
    with reading(store.engine) as connection:
        newest = head_in(connection)
        scopes = {seq: _scope(content) for seq, content in _of_kind(connection, MASK).items()}
        base = _base(_of_kind(connection, CHECKPOINT).values())
        result = _walk(rows(connection), scopes, base, head)
        if result.problem is None and result.last != newest:
            message = f"首行记的末条是第 {newest.seq} 条，实际末条是第 {result.last.seq} 条，末尾可能被截断"
            if result.last.seq == newest.seq:
                message = f"首行记的第 {newest.seq} 条哈希与该条不一致"
            result = _with(result, Problem(result.last.seq + 1, message))
        if result.problem is None:
            result = _with(result, _strays(connection))
    return result


def verify_export(path: Path, head: Head | None = None) -> Verification:
    """Verify a file written by `export` or by an archiving; it may begin in the middle of the chain.

    Raises:
        LedgerError: when the file cannot be read.
    """
    scopes = {row.seq: _scope(row.content) for row in read_export(path) if row.kind == MASK}
    first = next(read_export(path), None)
    base = Head(first.seq - 1, first.previous) if first is not None else Head(0, GENESIS)
    return _walk(read_export(path), scopes, base, head, whole=False)


def read_export(path: Path) -> Iterator[Row]:
    """The rows of an export file.

    Raises:
        LedgerError: when a line is not one of an export.
    """
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):  # noqa: B007 - the number is for the message below
                yield _row_of_line(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError, EntryError) as error:
        raise LedgerError(f"“{path}”第 {number} 行不是台账导出的内容；请检查文件") from error
    except OSError as error:
        raise LedgerError(f"无法读取“{path}”：{error.strerror or error}") from error


def _row_of_line(line: Tree) -> Row:
    content = line["content"]
    items = []
    for number, (said, kept) in enumerate(zip(content["sealed"], line["sealed"], strict=True)):
        masked_by = kept.get("masked_by")
        body = None if masked_by is not None else canonical(kept["values"])
        items.append(Item(number, tuple(said["names"]), kept.get("salt"), body, masked_by))
    return Row(
        seq=content["seq"],
        id=content["id"],
        at=content["at"],
        who=content["who"],
        kind=content["kind"],
        case=content["case"],
        key=content["key"] or None,
        through=content["through"],
        content=canonical(content),
        previous=content["previous"],
        hash=line["hash"],
        items=tuple(items),
    )


def _of_kind(connection: sa.Connection, kind: str) -> dict[int, str]:
    chosen = sa.select(ENTRY.c.seq, ENTRY.c.content).where(ENTRY.c.kind == kind).order_by(ENTRY.c.seq)
    return {row.seq: row.content for row in connection.execute(chosen)}


def _scope(content: str) -> _Scope:
    # If the text was changed, its hash says so when its turn comes.
    try:
        said = parse(content)["input"]
        only = said["entries"]
        return _Scope(frozenset(said["names"]), said["through"], None if only is None else frozenset(only))
    except (ValueError, KeyError, TypeError):
        return _Scope(frozenset(), 0, None)


def _base(checkpoints: Iterable[str]) -> Head:
    """Where the chain begins: before the first entry, or at what the newest checkpoint lets go of."""
    base = Head(0, GENESIS)
    for content in checkpoints:
        try:
            said = parse(content)["input"]
            base = max(base, Head(int(said["through"]), str(said["hash"])), key=lambda head: head.seq)
        except (ValueError, KeyError, TypeError):
            continue
    return base


def _walk(
    chain: Iterable[Row],
    scopes: Mapping[int, _Scope],
    base: Head,
    known: Head | None,
    *,
    whole: bool = True,
) -> Verification:
    last = base
    count = masked = 0
    met = known is not None and known.hash == base.hash
    problem: Problem | None = None
    for row in chain:
        try:
            masked += _check(row, last, scopes, whole=whole)
        except _BrokenError as error:
            problem = Problem(error.seq or row.seq, str(error))
            break
        last = Head(row.seq, row.hash)
        count += 1
        if known is not None and known.seq in (0, row.seq) and known.hash == row.hash:
            met = True
    if problem is None and known is not None and not met:
        problem = _not_met(known, base, last)
    return Verification(count, base.seq + 1, last, masked, base.seq if whole else 0, problem)


def _not_met(known: Head, base: Head, last: Head) -> Problem:
    if known.seq > last.seq:
        message = f"另存的末条是第 {known.seq} 条，而台账只到第 {last.seq} 条，末尾被截断"
        return Problem(last.seq + 1, message)
    if 0 < known.seq <= base.seq:
        message = f"另存的末条（第 {known.seq} 条）在已归档的部分，请以归档文件核对：landrules log verify --file 归档文件"
        return Problem(known.seq, message)
    if known.seq:
        return Problem(known.seq, f"第 {known.seq} 条的哈希与另存的不一致，台账在此条或之前被改写")
    return Problem(
        last.seq + 1, "链上没有另存的末条哈希：末尾被截断，或台账被改写过（若该条已归档，请核对归档文件）"
    )


def _check(row: Row, last: Head, scopes: Mapping[int, _Scope], *, whole: bool) -> int:
    if row.seq != last.seq + 1:
        raise _BrokenError(f"缺第 {last.seq + 1} 条（其后是第 {row.seq} 条）", last.seq + 1)
    if digest(row.content) != row.hash:
        raise _BrokenError(f"第 {row.seq} 条的内容与其哈希不一致，内容或哈希被改动")
    try:
        content = parse(row.content)
        said = {name: content[name] for name in _COLUMNS}
        commitments = [(tuple(item["names"]), item["count"], item["hash"]) for item in content["sealed"]]
    except (ValueError, KeyError, TypeError) as error:
        raise _BrokenError(f"第 {row.seq} 条的内容不是台账写下的格式") from error
    if content["previous"] != last.hash:
        raise _BrokenError(f"第 {row.seq} 条没有接上第 {last.seq} 条（前一条哈希不一致），链在此断开")
    for name, label in _COLUMNS.items():
        # A key that was not given is NULL in its column, so that it need not be unique.
        if said[name] != ("" if name == "key" and row.key is None else getattr(row, name)):
            raise _BrokenError(f"第 {row.seq} 条的{label}列与其内容不一致")
    if len(row.items) > len(commitments):
        raise _BrokenError(f"第 {row.seq} 条多出了没有登记的事实值")
    return _check_items(row, commitments, scopes, whole=whole)


_COLUMNS = {
    "seq": "序号",
    "id": "编号",
    "at": "时间",
    "who": "经手人",
    "kind": "种类",
    "case": "案件",
    "key": "幂等键",
    "through": "归档范围",
    "previous": "前一条哈希",
}


def _check_items(
    row: Row,
    commitments: list[tuple[tuple[str, ...], int, str]],
    scopes: Mapping[int, _Scope],
    *,
    whole: bool,
) -> int:
    masked = 0
    kept = {item.number: item for item in row.items}
    all_names = frozenset(name for names, _, _ in commitments for name in names)
    for number, (names, count, expected) in enumerate(commitments):
        shown = "、".join(names)
        item = kept.get(number)
        if item is None:
            raise _BrokenError(f"第 {row.seq} 条缺少事实“{shown}”的值，而没有遮蔽记录")
        if item.names != names:
            raise _BrokenError(f"第 {row.seq} 条事实“{shown}”的名称被改动")
        if item.body is not None and item.salt is not None and item.masked_by is None:
            if commitment(item) != expected:
                raise _BrokenError(f"第 {row.seq} 条事实“{shown}”的值被改动")
            continue
        if item.body is not None or item.salt is not None or item.masked_by is None:
            raise _BrokenError(f"第 {row.seq} 条事实“{shown}”的值不完整，而没有遮蔽记录")
        scope = scopes.get(item.masked_by)
        # An archive does not hold the mask entries that came after its last entry.
        if scope is None and not whole and item.masked_by > row.seq:
            masked += count
            continue
        if scope is None or not scope.covers(row.seq, names, all_names):
            raise _BrokenError(
                f"第 {row.seq} 条事实“{shown}”的值已删除，而第 {item.masked_by} 条不是包含它的遮蔽记录"
            )
        masked += count
    return masked


def _strays(connection: sa.Connection) -> Problem | None:
    owner = sa.select(ENTRY.c.seq).where(ENTRY.c.seq == SEALED.c.seq).exists()
    stray = connection.execute(sa.select(sa.func.min(SEALED.c.seq)).where(~owner)).scalar()
    return None if stray is None else Problem(stray, f"有属于第 {stray} 条的事实值，而没有第 {stray} 条")


def _with(result: Verification, problem: Problem | None) -> Verification:
    return Verification(result.entries, result.first, result.last, result.masked, result.pruned, problem)
