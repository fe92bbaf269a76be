"""Webhooks of the service: each recorded event is told once, also when the receiver or the service was away."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from landrules.engine.case.deadlines import DueItem
from landrules.engine.ledger.store import open_store
from landrules.engine.service.app import create_app
from landrules.engine.service.herald import Herald
from landrules.engine.service.settings import Settings, SettingsError
from landrules.engine.webhook.errors import WebhookError
from landrules.engine.webhook.post import Reply
from landrules.engine.webhook.queue import open_queue, queue_of, untold
from landrules.engine.webhook.signing import verify
from landrules.engine.webhook.subscriptions import Subscription
from receiving import Clock, Receiver, receiving

from .conftest import BASE, RULESETS, MakeClient

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


class Due:
    """Stands for the cases: which day was asked for, and whether asking fails."""

    def __init__(self) -> None:
        self.days: list[date] = []
        self.caught_up = 0
        self.failing = False

    def __call__(self, on: date) -> list[DueItem]:
        self.days.append(on)
        if self.failing:
            raise RuntimeError("no rulebook today")
        item = DueItem("2023-17", LEASE, "出租年期", "三", "逾期", due=date(2023, 6, 1), left=-1)
        return [item]

    def tell_missed(self) -> None:
        self.caught_up += 1


def test_deadlines_are_told_once_a_day_by_the_clock_of_the_service(tmp_path: Path) -> None:
    clock, due = Clock(datetime(2023, 6, 5, 15, 0, tzinfo=UTC)), Due()
    had: list[bytes] = []

    def post(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        had.append(body)
        return Reply(204)

    to = Subscription.model_validate({"name": "oa", "url": "http://127.0.0.1:9/", "secret": SECRET})
    with closing(open_queue(tmp_path / "q.sqlite")) as queue:
        herald = Herald(queue, [to], clock, post, every=0.01)
        herald.start(due, due.tell_missed)
        try:
            assert eventually(lambda: len(had) == 1)
            assert json.loads(had[0])["type"] == "case.overdue"
            assert due.days == [date(2023, 6, 5)]
            due.failing = True
            clock.forward(hours=2)  # one o'clock at night in China
            assert eventually(lambda: len(due.days) == 2)
            assert not eventually(lambda: len(due.days) > 2, seconds=0.2)
            due.failing = False
            clock.forward(minutes=2)
            assert eventually(lambda: len(due.days) == 3)
            assert not eventually(lambda: len(due.days) > 3 or len(had) > 1, seconds=0.2)
            assert due.days[1:] == [date(2023, 6, 6)] * 2
            assert due.caught_up == 3
        finally:
            herald.stop()


def test_a_receiver_that_was_down_gets_it_later_whoever_serves_by_then(
    tmp_path: Path, receiver: Receiver
) -> None:
    clock = Clock(datetime(2023, 6, 1, 2, 0, tzinfo=UTC))
    place, path = str(tmp_path / "l.sqlite"), subscribed(tmp_path, receiver.url)
    settings = Settings(rulesets=RULESETS, matcher="reference", store=place, webhooks=path)
    receiver.answers = [503, 503]
    with TestClient(create_app(settings, clock=clock), base_url=BASE) as client:
        assert client.post("/v1/cases", json=OPEN).status_code == 201
        assert eventually(lambda: 'landrules_notices{state="failing"} 1.0' in client.get("/metrics").text)
        clock.forward(minutes=1)
        assert eventually(lambda: len(receiver.had) == 2)
        assert eventually(lambda: not receiver.answers)
    threads = [thread.name for thread in threading.enumerate()]
    assert "landrules-herald" not in threads
    clock.forward(minutes=5)
    with TestClient(create_app(settings, clock=clock), base_url=BASE) as client:
        assert eventually(lambda: 'landrules_notices{state="waiting"} 0.0' in client.get("/metrics").text)
    assert len(receiver.had) == 3
    assert len(set(receiver.ids())) == 1


def test_notices_need_a_ledger(make_client: MakeClient, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="台账"):
        make_client(webhooks=subscribed(tmp_path, "http://127.0.0.1:9/hooks"))


def test_subscriptions_that_cannot_be_used_stop_the_start(make_client: MakeClient, tmp_path: Path) -> None:
    path = tmp_path / "webhooks.yaml"
    path.write_text("version: 1\nsubscriptions: [{name: oa, url: 'ftp://x', secret: 短}]\n", encoding="utf-8")
    with pytest.raises(WebhookError, match=r"通知订阅“webhooks\.yaml”有误"):
        make_client(store=str(tmp_path / "l.sqlite"), webhooks=path)
