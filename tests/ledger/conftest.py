"""Stores on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from landrules.engine.ledger.store import Store, open_store
from landrules.engine.ledger.tables import ENTRY, HEAD, SEALED
from ledger.server import Server, programs, running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if programs() is None:
        pytest.skip("PostgreSQL 服务器没有安装（找不到 initdb）")
    # Without fsync: what is committed outlives the death of processes, which is all that tests can bring about.
    with running("-c fsync=off") as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "台账.sqlite3")
    return str(request.getfixturevalue("server").new_store())


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with closing(open_store(where)) as opened:
        yield opened


@pytest.fixture
def tamper(store: Store) -> Callable[..., None]:
    """Change the tables as somebody may who can switch the triggers off."""

    def change(*statements: str, **words: str) -> None:
        words = {"ENTRY": ENTRY.name, "SEALED": SEALED.name, "HEAD": HEAD.name, **words}
        engine = store.engine
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            else:
                found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for (name,) in found.all():
                    connection.exec_driver_sql(f"DROP TRIGGER {name}")
            for statement in statements:
                changed = re.sub(r"\b[A-Z]+\b", lambda word: words.get(word.group(), word.group()), statement)
                connection.exec_driver_sql(changed)

    return change
