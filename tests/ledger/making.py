"""Entries for tests, and a program of writers that get killed."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from landrules.engine.ledger.canonical import digest
from landrules.engine.ledger.entry import Entry
from landrules.engine.ledger.sealing import ANY, Private
from landrules.engine.ledger.store import append, entries, open_store
from landrules.engine.ledger.verify import verify

MORNING = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def an_entry(number: int = 1, **changes: object) -> Entry:
    given: dict[str, object] = {
        "kind": "check",
        "at": MORNING + timedelta(days=number),
        "who": "王审查",
        "input": {"records": [{"id": f"WH-{number}", "owner": Private(f"李四{number}", ("权利人",))}]},
        "outcome": {"verdict": "违反", "message": Private("超出 5 年", ("lease_term", "行为日期"))},
        "input_hash": input_hash(number),
        "engine": "landrules 0.1.0",
        "rulesets": {"wuhai-2023-5": "ab" * 32},
        "options": {"on": "2023-06-01", "derive": True},
        "verdicts": {"违反": 1, "符合": 3},
    }
    return Entry(**{**given, **changes})  # type: ignore[arg-type]


def input_hash(number: int) -> str:
    return digest(f"文件 {number}")


def noted_entry(number: int) -> Entry:
    """One whose note may quote any of its values."""
    note = Private(f"“权利人”填“李四{number}”", (ANY,))
    return an_entry(number, outcome={"notes": [note]})


# --- writers that get killed --------------------------------------------------------------------------------------


def write_on(where: str, writer: int, acknowledged: int) -> None:
    """Append without end; a line `seq hash` is written for each entry that was acknowledged."""
    with closing(open_store(where)) as store:
        number = 0
        while True:
            number += 1
            filler = Private("字" * random.randrange(4000), ("备注",))
            stored = append(store, an_entry(number, id=f"{os.getpid()}-{writer}-{number}", outcome=filler))
            os.write(acknowledged, f"{stored.seq} {stored.hash}\n".encode())


def kill_writers(
    where: str, folder: Path, kills: int, writers: int = 2, longest: float = 0.12
) -> dict[str, int]:
    """Start writers, kill them with SIGKILL at random moments, look at the store; again and again.

    Processes are forked, so that starting one takes milliseconds; this process must not hold connections.
    """
    seen: dict[int, str] = {}
    killed = unacknowledged = rounds = 0
    open_store(where).close()
    while killed < kills:
        rounds += 1
        path = folder / f"acknowledged-{rounds}"
        file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        children = []
        for writer in range(writers):
            child = os.fork()
            if child == 0:
                try:
                    write_on(where, writer, file)
                finally:
                    os._exit(70)
            children.append(child)
        for child in children:
            time.sleep(random.uniform(0.005, longest))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            assert os.WIFSIGNALED(status), f"a writer failed by itself: {status}"
            killed += 1
        os.close(file)
        for line in path.read_text().splitlines():
            seq, _, value = line.partition(" ")
            assert int(seq) not in seen, f"two entries were acknowledged as {seq}"
            seen[int(seq)] = value
        path.unlink()
        with closing(open_store(where)) as store:
            result = verify(store)
            assert result.intact, result.describe()
            there = {stored.seq: stored.hash for stored in entries(store)}
        lost = {seq: value for seq, value in seen.items() if there.get(seq) != value}
        assert not lost, f"acknowledged and lost: {lost}"
        # Committed, and killed before it could say so: at most one a writer and round.
        unacknowledged = len(there) - len(seen)
        assert unacknowledged <= writers * rounds
    return {"kills": killed, "acknowledged": len(seen), "unacknowledged": unacknowledged, "rounds": rounds}


if __name__ == "__main__":
    place, folder_name, wanted = sys.argv[1:4]
    outcome = kill_writers(place, Path(folder_name), int(wanted))
    sys.stdout.write(" ".join(f"{name}={value}" for name, value in outcome.items()) + "\n")
