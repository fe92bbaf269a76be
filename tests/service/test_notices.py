"""Webhooks of the service: each recorded event is told once, also when the receiver or the service was away."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from landrules.engine.ledger.store import open_store
from landrules.engine.service.settings import SettingsError
from landrules.engine.webhook.errors import WebhookError
from landrules.engine.webhook.queue import queue_of, untold
from landrules.engine.webhook.signing import verify
from receiving import Receiver, receiving

from .conftest import MakeClient

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # noqa: S105 - of the test
LEASE = "wuhai-2023-5/lease-term-max-20y"
OPEN = {
    "case": "2023-17",
    "subject": "parcel_supply",
    "at": "2023-06-01T09:00:00+08:00",
    "set": {"行政区": "海勃湾区", "供应方式": "长期租赁", "行为日期": "2023-06-01", "出租年期": "25年"},
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as started:
        yield started


def subscribed(folder: Path, url: str) -> Path:
    path = folder / "webhooks.yaml"
    subscription = {"name": "oa", "url": url, "secret": SECRET, "events": ["case.violated"]}
    path.write_text(json.dumps({"version": 1, "subscriptions": [subscription]}), encoding="utf-8")
    return path


def eventually(holds: Callable[[], bool], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def test_a_violation_is_told_once_and_signed(
    make_client: MakeClient, tmp_path: Path, receiver: Receiver
) -> None:
    client = make_client(store=str(tmp_path / "l.sqlite"), webhooks=subscribed(tmp_path, receiver.url))
    assert client.post("/v1/cases", json=OPEN, headers={"Idempotency-Key": "k-1"}).status_code == 201
    assert client.post("/v1/cases", json=OPEN, headers={"Idempotency-Key": "k-1"}).status_code == 201
    assert eventually(lambda: len(receiver.had) == 1)
    headers, body = receiver.had[0]
    verify(SECRET, headers, body, now=datetime.now(UTC), tolerance=timedelta(minutes=5))
    told = json.loads(body)
    assert (told["type"], told["data"]["case"], told["data"]["rules"]) == (
        "case.violated",
        "2023-17",
        [LEASE],
    )
    assert not eventually(lambda: len(receiver.had) > 1, seconds=0.5)
    assert 'landrules_notices{state="dead"} 0.0' in client.get("/metrics").text


def test_what_a_service_died_before_telling_is_told_at_the_next_start(
    make_client: MakeClient, tmp_path: Path, receiver: Receiver
) -> None:
    place = str(tmp_path / "l.sqlite")
    # A service without subscriptions records and tells nobody: to the next one it is as if it had died in between.
    silent = make_client(store=place)
    assert silent.post("/v1/cases", json=OPEN).status_code == 201
    make_client(store=place, webhooks=subscribed(tmp_path, receiver.url))
    assert eventually(lambda: len(receiver.had) == 1)
    with closing(open_store(place)) as store:
        assert untold(queue_of(store), "2023-17", 1) == ()
    make_client(store=place, webhooks=subscribed(tmp_path, receiver.url))
    assert not eventually(lambda: len(receiver.had) > 1, seconds=0.5)


def test_a_case_is_answered_while_the_receiver_is_away(make_client: MakeClient, tmp_path: Path) -> None:
    path = subscribed(tmp_path, "http://127.0.0.1:9/hooks")
    client = make_client(store=str(tmp_path / "l.sqlite"), webhooks=path)
    assert client.post("/v1/cases", json=OPEN).json()["newly_violated"] == [LEASE]
    assert eventually(lambda: 'landrules_notices{state="failing"} 1.0' in client.get("/metrics").text)


def test_notices_need_a_ledger(make_client: MakeClient, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="台账"):
        make_client(webhooks=subscribed(tmp_path, "http://127.0.0.1:9/hooks"))


def test_subscriptions_that_cannot_be_used_stop_the_start(make_client: MakeClient, tmp_path: Path) -> None:
    path = tmp_path / "webhooks.yaml"
    path.write_text("version: 1\nsubscriptions: [{name: oa, url: 'ftp://x', secret: 短}]\n", encoding="utf-8")
    with pytest.raises(WebhookError):
        make_client(store=str(tmp_path / "l.sqlite"), webhooks=path)
