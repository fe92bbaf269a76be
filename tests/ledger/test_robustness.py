from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from landrules.engine.ledger.errors import KeyConflictError, LedgerError, MissingExtraError, StoreError
from landrules.engine.ledger.store import Store, append, append_all, append_once, entries, open_store
from landrules.engine.ledger.verify import verify
from ledger.making import an_entry

TESTS = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONIOENCODING": "utf-8"}


def test_killed_at_any_moment_nothing_acknowledged_is_lost(where: str, tmp_path: Path) -> None:
    kills = 12 if where.startswith("postgresql") else 20
    command = [sys.executable, "-m", "ledger.making", where, str(tmp_path), str(kills)]
    result = subprocess.run(
        command, env=ENVIRONMENT, check=False, capture_output=True, encoding="utf-8", timeout=120
    )
    assert result.returncode == 0, result.stderr
    counts = dict(re.findall(r"(\w+)=(\d+)", result.stdout))
    assert int(counts["kills"]) >= kills
    assert int(counts["acknowledged"]) > 0


def test_a_server_that_crashes_loses_nothing_acknowledged(server: Any, tmp_path: Path) -> None:
    where = server.new_store()
    with closing(open_store(where)) as store:
        acknowledged = [append(store, an_entry(number)).hash for number in range(1, 20)]
        server.stop("immediate")
        with pytest.raises(StoreError, match="台账"):
            append(store, an_entry(20))
        server.start()
        # The same store, with new connections.
        assert [stored.hash for stored in entries(store)] == acknowledged
        append(store, an_entry(20))
        assert verify(store).intact


_WRITER = """
import sys
from contextlib import closing
from ledger.making import an_entry
from landrules.engine.ledger.store import append, open_store
where, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with closing(open_store(where)) as store:
    for number in range(1, count + 1):
        append(store, an_entry(number, id=f"{name}-{number}"))
"""


def test_two_processes_make_one_chain(where: str) -> None:
    # Both also create the tables: the store is not there yet.
    command = [sys.executable, "-c", _WRITER, where]
    running = [subprocess.Popen([*command, name, "25"], env=ENVIRONMENT) for name in ("甲", "乙")]
    assert [process.wait(timeout=60) for process in running] == [0, 0]
    with closing(open_store(where)) as store:
        result = verify(store)
        assert (result.intact, result.entries) == (True, 50)
        for name in ("甲", "乙"):
            mine = [stored.entry.id for stored in entries(store) if stored.entry.id.startswith(name)]
            assert mine == [f"{name}-{number}" for number in range(1, 26)]


def test_threads_of_one_process_make_one_chain(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: append(store, an_entry(number)), range(40)))
    result = verify(store)
    assert (result.intact, result.entries) == (True, 40)


def test_one_of_many_that_use_one_key_is_stored(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        same = list(pool.map(lambda _: append_once(store, an_entry(1, key="k")), range(12)))
    assert len({stored.hash for stored in same}) == 1
    with pytest.raises(KeyConflictError):
        append_once(store, an_entry(2, key="k"))
    assert verify(store).entries == 1


# --- when the database refuses ---


def _with_pages(store: Store, pages: int) -> None:
    sa.event.listen(store.engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {pages}"))
    store.close()


def test_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    with closing(open_store(path)) as store:
        append(store, an_entry(1))
        _with_pages(store, path.stat().st_size // 4096 + 20)
        with pytest.raises(StoreError, match="所在磁盘已满，没有写入；请清理空间后重试"):
            append_all(store, [an_entry(number, outcome="字" * 2000) for number in range(2, 60)])
        assert [stored.seq for stored in entries(store)] == [1]
    with closing(open_store(path)) as store:
        assert append(store, an_entry(2)).seq == 2
        assert verify(store).intact


def test_a_read_only_file(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    with closing(open_store(path)) as store:
        append(store, an_entry(1))
    with closing(open_store(f"sqlite:///file:{path}?mode=ro&uri=true")) as store:
        assert len(list(entries(store))) == 1
        assert verify(store).intact
        with pytest.raises(StoreError, match="是只读的，不能写入；请检查文件和所在文件夹的权限"):
            append(store, an_entry(2))


def test_a_read_only_server(server: Any) -> None:
    where = server.new_store()
    open_store(where).close()
    with closing(open_store(where + "%20-cdefault_transaction_read_only%3Don")) as store:
        with pytest.raises(StoreError, match="数据库是只读的，不能写入"):
            append(store, an_entry(1))
        assert list(entries(store)) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "没有" / "a.sqlite3", "打不开；请检查文件夹是否存在、有无读写权限"),
        (lambda folder: folder, "打不开"),
        (lambda folder: _written(folder / "a.txt", "这不是数据库" * 100), "不是台账数据库文件"),
    ],
)
def test_places_that_are_no_store(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    with pytest.raises(StoreError, match=message):
        open_store(make(tmp_path))


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_store_that_is_busy_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("landrules.engine.ledger.database.BUSY_SECONDS", 0)
    path = tmp_path / "a.sqlite3"
    with closing(open_store(path)) as store, closing(open_store(path)) as other:
        with other.engine.connect() as connection:
            connection.execution_options(landrules_write=True).begin()
            started = time.monotonic()
            with pytest.raises(StoreError, match="正被其他程序占用"):
                append(store, an_entry(1))
            assert time.monotonic() - started < 5
        append(store, an_entry(1))


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("sqlalchemy", "from landrules.engine.ledger.store import open_store"),
        ("alembic", "from landrules.engine.ledger.store import open_store; open_store('a.sqlite3')"),
        ("psycopg", "from landrules.engine.ledger.store import open_store; open_store('postgresql://h/x')"),
    ],
)
def test_a_package_that_is_not_installed(tmp_path: Path, module: str, code: str) -> None:
    hide = f"import sys; sys.modules[{module!r}] = None\n"
    told = f"""
from landrules.engine.ledger.errors import MissingExtraError
try:
    exec({code!r})
except MissingExtraError as error:
    print(error)
"""
    result = subprocess.run(
        [sys.executable, "-c", hide + told],
        env=ENVIRONMENT,
        cwd=tmp_path,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert result.stdout == f"缺少组件 {module}，台账无法使用；请安装：pip install 'landrules[service]'\n"
    assert issubclass(MissingExtraError, LedgerError)
    assert issubclass(MissingExtraError, ImportError)
