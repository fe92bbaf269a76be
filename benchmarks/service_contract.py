"""A longer run of schemathesis against the service than the tests make: `service_contract.py [EXAMPLES] [SEED]`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from landrules.engine.service.app import close, create_app  # noqa: E402
from landrules.engine.service.settings import Settings  # noqa: E402
from service_contract import try_operations  # noqa: E402 - it is a helper of the tests


def main(examples: int = 100, number: int = 1) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rulesets = (ROOT / "rulesets" / "wuhai-2023-5",)
        store = str(Path(folder) / "ledger.sqlite")
        app = create_app(Settings(rulesets=rulesets, store=store, matcher="reference", hosts=("*",)))
        began, total = time.perf_counter(), 0
        try:
            for label, made in try_operations(app, examples, number):
                total += made
                print(f"{label:40} {made:6} requests")
        finally:
            close(app.state.pieces)
        print(f"{total} requests, no failure, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
