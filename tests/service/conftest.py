"""One application over one ruleset for most tests; those about limits make their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from landrules.engine.service.app import create_app
from landrules.engine.service.settings import Settings

RULESETS = (Path(__file__).resolve().parents[2] / "rulesets" / "wuhai-2023-5",)
BASE = "http://127.0.0.1"
RECORD: dict[str, Any] = {
    "subject": "parcel_supply",
    "id": "WH-01",
    "facts": {"行政区": "海勃湾区", "供应方式": "长期租赁", "出租年期": "25年", "行为日期": "2023-06-01"},
}

MakeClient = Callable[..., TestClient]


@pytest.fixture
def record() -> dict[str, Any]:
    return {**RECORD, "facts": dict(RECORD["facts"])}


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[MakeClient]:
    """Clients of applications with other settings, closed at the end."""
    with ExitStack() as stack:

        def make(**settings: object) -> TestClient:
            app = create_app(
                Settings.model_validate({"rulesets": RULESETS, "matcher": "reference", **settings})
            )
            return stack.enter_context(TestClient(app, base_url=BASE, raise_server_exceptions=False))

        yield make


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """Without a ledger."""
    with TestClient(create_app(Settings(rulesets=RULESETS)), base_url=BASE) as made:
        yield made


@pytest.fixture
def with_ledger(make_client: MakeClient, tmp_path: Path) -> TestClient:
    return make_client(store=str(tmp_path / "ledger.sqlite"))
