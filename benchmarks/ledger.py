"""Appends a second on both databases, and a long kill test: `python benchmarks/ledger.py [KILLS]`.

The disk is flushed on every commit here, unlike in the tests' PostgreSQL; "flush" is what the disk can do at most.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from landrules.engine.checking import check
from landrules.engine.ledger.entry import Entry
from landrules.engine.ledger.records import check_entry
from landrules.engine.ledger.store import append, append_all, open_store
from landrules.engine.ledger.verify import verify
from landrules.engine.rulebook import Rulebook
from landrules.facts.read_records import read_records
from ledger.making import MORNING, an_entry, kill_writers
from ledger.server import programs, running

SAMPLE = Path(__file__).parents[1] / "facts" / "samples" / "wuhai-supply-plan.xlsx"
SECONDS = 3.0


def checks() -> dict[str, Entry]:
    rulebook = Rulebook.load()
    records = read_records(SAMPLE, rulebook.vocabulary).records
    one = check_entry(rulebook, records[:1], check(rulebook, records[:1]), at=MORNING, who="王审查")
    whole = check_entry(rulebook, records, check(rulebook, records), at=MORNING, who="王审查")
    return {
        "small entry": an_entry(1),
        "check of one record": one,
        f"check of a workbook of {len(records)} records": whole,
    }


def flushes(folder: Path) -> float:
    count = 0
    with (folder / "flush").open("wb") as file:
        started = time.perf_counter()
        while time.perf_counter() - started < 1:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            count += 1
    return count / (time.perf_counter() - started)


def rates(name: str, where: str, entries: dict[str, Entry]) -> None:
    with closing(open_store(where)) as store:
        for what, entry in entries.items():
            count, started = 0, time.perf_counter()
            while time.perf_counter() - started < SECONDS:
                append(store, entry)
                count += 1
            print(f"{name}: {count / (time.perf_counter() - started):7.0f} appends/s, {what}")
        small = next(iter(entries.values()))
        started = time.perf_counter()
        append_all(store, [small] * 1000)
        print(
            f"{name}: {1000 / (time.perf_counter() - started):7.0f} appends/s, small entry, 1000 a transaction"
        )
        started, count = time.perf_counter(), 400
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: append(store, small), range(count)))
        print(f"{name}: {count / (time.perf_counter() - started):7.0f} appends/s, small entry, 4 threads")
        started = time.perf_counter()
        result = verify(store)
        assert result.intact, result.describe()
        took = time.perf_counter() - started
        print(f"{name}: {result.entries / took:7.0f} entries/s verified, of {result.entries}")


def main(kills: int) -> None:
    entries = checks()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"disk: {flushes(folder):7.0f} flushes/s")
        rates("SQLite", str(folder / "a.sqlite3"), entries)
        print(f"SQLite: {kill_writers(str(folder / 'b.sqlite3'), folder, kills)}")
        if programs() is None:
            print("PostgreSQL: not installed")
            return
        with running() as server:
            rates("PostgreSQL", server.new_store(), entries)
            print(f"PostgreSQL: {kill_writers(server.new_store(), folder, kills)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
