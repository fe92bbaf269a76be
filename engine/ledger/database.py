"""Connections: what each database needs to be durable and to let one writer at a time through; errors in Chinese."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from landrules.engine.ledger.errors import StoreError, missing

try:
    import sqlalchemy as sa
    from sqlalchemy import event, exc
except ModuleNotFoundError as error:
    raise missing("sqlalchemy") from error

__all__ = ["BUSY_SECONDS", "connect", "locate", "reading", "translated", "writing"]

BUSY_SECONDS = 30
"""How long a writer waits for the others before it gives up."""

_WRITE = "landrules_write"
# PostgreSQL's SQLSTATE, or the beginning of one.
_STATES = {
    "08": "与数据库的连接中断",
    "28": "数据库拒绝登录，请检查用户名和密码",
    "3D000": "没有这个数据库，请先建库",
    "25006": "数据库是只读的，不能写入；请检查是否连到了备机",
    "40": "与其他写入冲突，没有写入；请重试",
    "42501": "数据库用户没有所需权限；请授予建表（首次）和读写权限",
    "42P01": "数据库里没有台账的表",
    "53100": "数据库所在磁盘已满，没有写入；请清理空间后重试",
    "53": "数据库资源不足，没有写入；请稍后重试",
    "55P03": f"数据库正被其他程序占用，等了 {BUSY_SECONDS} 秒，没有写入；请稍后重试",
    "57": "数据库正在关闭或恢复，没有写入；请稍后重试",
}
_SQLITE = {
    "locked": f"正被其他程序占用，等了 {BUSY_SECONDS} 秒，没有写入；请稍后重试",
    "disk is full": "所在磁盘已满，没有写入；请清理空间后重试",
    "readonly database": "是只读的，不能写入；请检查文件和所在文件夹的权限",
    "unable to open": "打不开；请检查文件夹是否存在、有无读写权限",
    "not a database": "不是台账数据库文件；请检查路径",
    "malformed": "数据库文件已损坏；请从备份恢复，再以 landrules log verify 核对",
    "disk I/O error": "读写磁盘出错；请检查磁盘空间和硬件，再以 landrules log verify 核对",
    "no such table": "里没有台账的表",
}


def locate(where: str | Path) -> sa.URL:
    """The database address: a file path is SQLite, `postgresql://` is taken to psycopg.

    Raises:
        StoreError: when it is an address of neither.
    """
    text = str(where)
    if "://" not in text:
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except exc.ArgumentError as error:
        raise StoreError(
            "台账地址写得不对；请写成文件路径，或 postgresql://用户:密码@主机/库名 的样式"
        ) from error
    match url.drivername:
        case "sqlite" | "postgresql+psycopg":
            return url
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+psycopg")
        case name:
            raise StoreError(
                f"台账不支持“{name}”这种数据库；可用 SQLite（文件路径）或 PostgreSQL（postgresql://…）"
            )


def connect(url: sa.URL) -> sa.Engine:
    """An engine whose connections are set up for durability. It opens nothing yet.

    Raises:
        MissingExtraError: when the database driver is not installed.
    """
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = sa.create_engine(url) if sqlite else sa.create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise missing(error.name or "psycopg") from error
    except ImportError as error:
        raise missing("psycopg") from error
    if sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_sqlite(connection: Any, _: object) -> None:
    # Transactions are ours (`_begin_sqlite`), not the driver's.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA synchronous = FULL")
        # macOS flushes to the drive, and not only to its cache, only when asked to.
        cursor.execute("PRAGMA fullfsync = ON")
        # What is masked is overwritten, not merely forgotten.
        cursor.execute("PRAGMA secure_delete = ON")
    finally:
        cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _set_up_postgresql(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("SET synchronous_commit = on")
        cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
    finally:
        cursor.close()
    connection.commit()


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that may write; it is committed, and on disk, when the block is left.

    Raises:
        StoreError: when the database refuses.
    """
    with (
        translated(engine.url),
        engine.connect() as connection,
        connection.execution_options(**{_WRITE: True}) as marked,
        marked.begin(),
    ):
        yield marked


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that sees one state of the store throughout.

    Raises:
        StoreError: when the database refuses.
    """
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ"}
    with (
        translated(engine.url),
        engine.connect() as connection,
        connection.execution_options(**options) as marked,
        marked.begin(),
    ):
        yield marked


@contextmanager
def translated(url: sa.URL) -> Iterator[None]:
    """Turn the database's complaints into Chinese ones.

    Raises:
        StoreError: for every error of the database or its driver.
    """
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise StoreError(_describe(url, error)) from error
    except sqlite3.Error as error:
        raise StoreError(_describe_sqlite(url, str(error))) from error


def _describe(url: sa.URL, error: exc.SQLAlchemyError) -> str:
    original = getattr(error, "orig", None)
    text = str(original or error)
    if "append-only" in text:
        return "台账只能追加，数据库拒绝了这次修改（可能有两个不同版本的程序在写）；请重试"
    if url.get_backend_name() == "sqlite":
        return _describe_sqlite(url, text)
    place = url.render_as_string(hide_password=True)
    state = str(getattr(original, "sqlstate", None) or "")
    for length in (5, 2):
        if state[:length] in _STATES:
            return f"台账（{place}）：{_STATES[state[:length]]}"
    if not state and isinstance(error, exc.OperationalError):
        reason = text.strip().partition("\n")[0]
        return f"连不上台账数据库（{place}）；请检查数据库是否在运行、地址和网络：{reason}"
    return f"台账（{place}）出错：{text.strip().partition(chr(10))[0]}"


def _describe_sqlite(url: sa.URL, text: str) -> str:
    place = f"台账文件“{url.database}”"
    return place + next((chinese for english, chinese in _SQLITE.items() if english in text), f"出错：{text}")
