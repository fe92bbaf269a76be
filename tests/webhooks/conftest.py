from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from landrules.engine.webhook.queue import Queue, open_queue
from ledger.server import programs, running
from receiving import Clock, Receiver, receiving


@pytest.fixture(scope="session")
def server() -> Iterator[object]:
    if programs() is None:
        pytest.skip("PostgreSQL 服务器没有安装（找不到 initdb）")
    with running("-c fsync=off") as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a queue that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "通知.sqlite3")
    return str(request.getfixturevalue("server").new_store())


@pytest.fixture
def queue(where: str) -> Iterator[Queue]:
    with closing(open_queue(where)) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as started:
        yield started
