"""Schemathesis tries the application against its own description; a longer run is benchmarks/service_contract.py."""

from __future__ import annotations

from pathlib import Path

from landrules.engine.service.app import close, create_app
from landrules.engine.service.settings import Settings
from service_contract import try_operations

from .conftest import RULESETS

EXAMPLES = 6


def test_the_service_is_as_described(tmp_path: Path) -> None:
    store = str(tmp_path / "ledger.sqlite")
    # Requests are made with a host name of the tool's own.
    app = create_app(Settings(rulesets=RULESETS, store=store, matcher="reference", hosts=("*",)))
    try:
        made = dict(try_operations(app, EXAMPLES))
    finally:
        close(app.state.pieces)
    assert len(made) == len([1 for methods in app.openapi()["paths"].values() for _ in methods])
    assert sum(made.values()) >= 5 * len(made)
