"""`landrules log`: verify, export, replay, mask and retain the record of decisions. Thin: see `engine/ledger/`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from landrules.engine.commands import Command, CommandError, Day, Group, bad_input_exits, write_stdout

if TYPE_CHECKING:
    from landrules.engine.ledger.entry import Stored
    from landrules.engine.ledger.store import Store

__all__ = ["log"]

BROKEN = 1
IMPOSSIBLE = 3

_store = click.option(
    "--store",
    "where",
    metavar="地址",
    envvar="LANDRULES_LEDGER",
    required=True,
    help="台账：SQLite 文件路径或 postgresql://…；也可用环境变量 LANDRULES_LEDGER",
)
_who = click.option("--who", metavar="姓名", required=True, help="经手人，记入台账")


@click.group(cls=Group)
def log() -> None:
    """台账：核对、导出、重算、遮蔽、归档。"""


def _told(function: Callable[..., int]) -> Callable[..., int]:
    """Say the ledger's errors as the command's own."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> int:
        # Their types live in packages that may be missing; MissingExtraError is an ImportError with a Chinese message.
        from landrules.engine.ledger.errors import LedgerError

        try:
            return function(*args, **kwargs)
        except LedgerError as error:
            raise CommandError(str(error)) from error

    return wrapped


@contextmanager
def _opened(where: str) -> Iterator[Store]:
    from landrules.engine.ledger.store import open_store

    with closing(open_store(where, create=False)) as store:
        yield store


def _now() -> datetime:
    return datetime.now(UTC)


@log.command(
    cls=Command,
    epilog="""退出码：
    0  完整
    1  不完整
    2  用法有误，或台账打不开""",
)
@click.option(
    "--store",
    "where",
    metavar="地址",
    envvar="LANDRULES_LEDGER",
    help="台账：SQLite 文件路径或 postgresql://…；也可用环境变量 LANDRULES_LEDGER",
)
@click.option("--file", metavar="文件", help="核对导出或归档的文件，而不是台账")
@click.option("--head", metavar="哈希", help="另存的末条哈希（如 128:3f…），用来发现末尾被截断或整体改写")
@_told
def verify(where: str | None, file: str | None, head: str | None) -> int:
    """核对台账：逐条重算哈希，指出第一处不对的地方。

    核对通过时给出末条哈希；另存他处，以后可用 --head 核对。
    """
    from landrules.engine.ledger import verify as verifying

    known = None if head is None else verifying.parse_head(head)
    if file is not None:
        result = verifying.verify_export(Path(file), known)
    elif where is None:
        raise CommandError("请用 --store 给出台账，或用 --file 给出导出的文件")
    else:
        with _opened(where) as store:
            result = verifying.verify(store, known)
    write_stdout(result.describe() + "\n")
    return 0 if result.intact else BROKEN


@log.command(cls=Command)
@_store
@click.option("--after", type=int, default=0, metavar="序号", help="只导出此序号之后的")
@click.option("--out", metavar="文件", help="写到文件，缺省为屏幕")
@_told
def export(where: str, after: int, out: str | None) -> int:
    """导出台账：jsonl，一行一条，可用 verify --file 核对。"""
    from landrules.engine.ledger.export import export as export_entries

    with _opened(where) as store:
        count = export_entries(store, sys.stdout if out is None else Path(out), after=after)
    if out is not None:
        write_stdout(f"已导出 {count} 条到“{out}”\n")
    return 0


@log.command(
    cls=Command,
    arguments={"SEQ": "台账序号，可给几个；不给则重算全部预检和案件条目"},
    epilog="""退出码：
    0  全部一致
    1  有不同
    2  用法有误，或台账打不开
    3  没有不同，但有条目无法重算""",
)
@click.argument("numbers", metavar="SEQ", nargs=-1, type=int)
@_store
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
@click.option("--holidays", metavar="文件", help="当时用的放假调休安排，YAML")
@_told
def replay(numbers: tuple[int, ...], where: str, rulesets: tuple[str, ...], holidays: str | None) -> int:
    """重算：用条目存下的送审数据再判断一次，与当时的结论比较。"""
    from landrules.engine.ledger.entry import CHECKPOINT, MASK
    from landrules.engine.ledger.replay import replay as judge_again
    from landrules.engine.ledger.store import entries
    from landrules.engine.rulebook import Rulebook
    from landrules.facts.calendar import load_workdays

    with bad_input_exits():
        rulebook = Rulebook.load(*(Path(path) for path in rulesets))
        workdays = load_workdays(None if holidays is None else Path(holidays))
    seen: set[str] = set()
    with _opened(where) as store:
        for stored in _numbered(store, numbers) if numbers else entries(store):
            if stored.entry.kind in (MASK, CHECKPOINT) and not numbers:
                continue
            result = judge_again(stored, rulebook, workdays=workdays)
            seen.add(result.status)
            write_stdout(f"第 {stored.seq} 条：{result.describe()}\n")
            for item in result.differences:
                write_stdout(
                    f"  {item.record} {item.rule} {item.what}：当时 {item.stored}，现在 {item.now}\n"
                )
    if "different" in seen:
        return BROKEN
    return IMPOSSIBLE if "impossible" in seen else 0


def _numbered(store: Store, numbers: Sequence[int]) -> Iterator[Stored]:
    from landrules.engine.ledger.store import entries

    for number in numbers:
        stored = next(entries(store, after=number - 1, limit=1), None)
        if stored is None or stored.seq != number:
            raise CommandError(f"台账没有第 {number} 条")
        yield stored


@log.command(cls=Command, arguments={"NAME": "事实或列的名称，如 权利人；可给几个"})
@click.argument("names", metavar="NAME", nargs=-1, required=True)
@_store
@_who
@click.option("--reason", metavar="理由", required=True, help="遮蔽的理由，记入台账")
@click.option("--case", metavar="案件", default="", help="只遮蔽这一案件的条目")
@click.option("--entry", "only", metavar="序号", type=int, multiple=True, help="只遮蔽这一条")
@_told
def mask(names: tuple[str, ...], where: str, who: str, reason: str, case: str, only: tuple[int, ...]) -> int:
    """遮蔽：删去所列事实的值，不能恢复；台账仍可核对。"""
    from landrules.engine.ledger.mask import mask as mask_values
    from landrules.engine.ledger.mask import spellings
    from landrules.facts.vocabulary import load_vocabulary

    vocabulary = load_vocabulary()
    wanted = {spelling for name in names for spelling in spellings(vocabulary, name)}
    with _opened(where) as store:
        done = mask_values(store, wanted, at=_now(), who=who, reason=reason, case=case, only=only or None)
    write_stdout(f"已遮蔽 {done.entries} 条中的 {done.values} 个值，记为第 {done.record.seq} 条\n")
    if not done.erased:
        write_stdout(
            "数据库文件中可能还有残留：SQLite 在其他程序关闭台账后清除，PostgreSQL 请由表的属主执行 VACUUM FULL\n"
        )
    return 0


@log.command(cls=Command)
@_store
@_who
@click.option(
    "--before", type=Day(), required=True, metavar="日期", help="归档这一天（不含，协调世界时）以前的条目"
)
@click.option("--archive", metavar="文件", required=True, help="归档文件，不能已存在")
@_told
def retain(where: str, who: str, before: date, archive: str) -> int:
    """归档：把最早的条目移到文件，记一条检查点，其余仍可核对。"""
    from landrules.engine.ledger.retain import retain as move

    day = datetime.combine(before, time(), UTC)
    with _opened(where) as store:
        done = move(store, day, Path(archive), at=_now(), who=who)
    write_stdout(
        f"已归档 {done.entries} 条（至第 {done.last.seq} 条）到“{archive}”，"
        f"文件 sha256 {done.archive_hash}，检查点记为第 {done.checkpoint.seq} 条\n"
    )
    return 0
