"""Cases over HTTP: opened, carried on by events, seen again after a restart; the ledger read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from landrules.engine.ledger.replay import replay
from landrules.engine.ledger.store import entries, open_store
from landrules.engine.ledger.verify import verify

from .conftest import MakeClient

OPEN = {
    "case": "乌海-2023-17",
    "subject": "parcel_supply",
    "at": "2023-06-01T09:00:00+08:00",
    "set": {"行政区": "海勃湾区", "供应方式": "长期租赁", "行为日期": "2023-06-01"},
    "by": "张某",
}
LEASE = "wuhai-2023-5/lease-term-max-20y"
EVENTS = f"/v1/cases/{OPEN['case']}/events"


def test_an_event_tells_what_it_changed(with_ledger: TestClient) -> None:
    opened = with_ledger.post("/v1/cases", json=OPEN)
    assert opened.status_code == 201
    assert LEASE in opened.json()["lacking"]
    assert with_ledger.get(opened.headers["Location"]).status_code == 200
    long = with_ledger.post(EVENTS, json={"set": {"出租年期": 25.5}}).json()
    assert (long["event"], long["newly_violated"], long["entry"]) == ("supplied", [LEASE], 2)
    mended = with_ledger.post(EVENTS, json={"set": {"出租年期": "20年"}, "event": "更正"}).json()
    assert (mended["event"], mended["newly_settled"]) == ("corrected", [LEASE])
    assert mended["step"]["step"]


@pytest.mark.parametrize("matcher", ["reference", "durable"])
def test_a_case_outlives_the_service(make_client: MakeClient, tmp_path: Path, matcher: str) -> None:
    store = str(tmp_path / "ledger.sqlite")
    one = make_client(store=store, matcher=matcher)
    one.post("/v1/cases", json=OPEN)
    one.post(EVENTS, json={"set": {"出租年期": 25.50}, "at": "2023-06-02T09:00:00"})
    other = make_client(store=store)
    paths = [
        f"/v1/cases/{OPEN['case']}",
        f"/v1/cases/{OPEN['case']}/report",
        "/v1/cases/due?on=2023-06-05",
        "/v1/cases",
    ]
    for path in paths:
        assert other.get(path).json() == one.get(path).json()
    # What one process records, the other sees with the next request.
    other.post(EVENTS, json={"unset": ["出租年期"]})
    case = one.get(f"/v1/cases/{OPEN['case']}").json()
    assert [event["event"] for event in case["events"]] == ["opened", "supplied", "withdrawn"]
    assert "出租年期" not in case["facts"]


def test_the_report_of_a_case_is_that_of_its_facts(with_ledger: TestClient) -> None:
    with_ledger.post("/v1/cases", json=OPEN)
    with_ledger.post(EVENTS, json={"set": {"出租年期": 25}})
    case = with_ledger.get(f"/v1/cases/{OPEN['case']}/report").json()
    record = {"subject": "parcel_supply", "id": OPEN["case"], "facts": {**OPEN["set"], "出租年期": 25}}  # type: ignore[dict-item]
    plain = with_ledger.post("/v1/check", json=[record]).json()
    assert case["records"][0]["verdicts"] == plain["records"][0]["verdicts"]


def test_a_key_submits_an_event_once(make_client: MakeClient, tmp_path: Path) -> None:
    store = str(tmp_path / "ledger.sqlite")
    client = make_client(store=store)
    first = client.post("/v1/cases", json=OPEN, headers={"Idempotency-Key": "open"})
    assert client.post("/v1/cases", json=OPEN, headers={"Idempotency-Key": "open"}).content == first.content
    event = {"set": {"出租年期": 25}}
    sent = client.post(EVENTS, json=event, headers={"Idempotency-Key": "e-1"})
    # After a restart, the ledger still knows the key.
    again = make_client(store=store)
    assert again.post(EVENTS, json=event, headers={"Idempotency-Key": "e-1"}).json() == sent.json()
    assert again.post("/v1/cases", json=OPEN, headers={"Idempotency-Key": "open"}).status_code == 201
    other = again.post(EVENTS, json={"set": {"出租年期": 26}}, headers={"Idempotency-Key": "e-1"})
    assert (other.status_code, other.json()["code"]) == (409, "key-reused")
    assert len(again.get(f"/v1/cases/{OPEN['case']}").json()["events"]) == 2


def test_a_case_is_opened_once(with_ledger: TestClient) -> None:
    with_ledger.post("/v1/cases", json=OPEN)
    again = with_ledger.post("/v1/cases", json=OPEN)
    assert (again.status_code, again.json()["code"]) == (409, "case-exists")
    unnamed = {name: value for name, value in OPEN.items() if name != "case"}
    ids = {with_ledger.post("/v1/cases", json=unnamed).json()["case"] for _ in range(2)}
    assert len(ids) == 2


def test_plots_of_one_project_are_seen_together(with_ledger: TestClient) -> None:
    for number in range(2):
        facts = {**OPEN["set"], "项目名称": "光伏一期", "宗地面积": "3 公顷"}  # type: ignore[dict-item]
        with_ledger.post("/v1/cases", json={**OPEN, "case": f"P{number}", "set": facts})
    report = with_ledger.get("/v1/cases/P0/report").json()
    assert [record["id"] for record in report["records"]] == ["P0"]
    assert "推导" in str(report) or report["summary"]["records"] == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({**OPEN, "case": "a/b"}, "/case"),
        ({**OPEN, "case": "due"}, "/case"),
        ({**OPEN, "subject": "宗地"}, "/subject"),
        ({**OPEN, "at": "昨天"}, "/at"),
        ({**OPEN, "at": 17}, "/at"),
        ({**OPEN, "at": "0001-01-01T00:00:00Z"}, "/at"),
        ({**OPEN, "set": {"出租年期": {"年": 1}}}, "/set/出租年期"),
        ({**OPEN, "colour": 1}, "/colour"),
        ({"set": {}}, "/subject"),
        ([], ""),
    ],
)
def test_every_flaw_of_a_case_has_its_place(with_ledger: TestClient, body: Any, pointer: str) -> None:
    answer = with_ledger.post("/v1/cases", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-body")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert with_ledger.get("/v1/cases").json()["items"] == []


def test_events_are_checked_too(with_ledger: TestClient) -> None:
    assert with_ledger.post(EVENTS, json={}).json()["code"] == "case-unknown"
    with_ledger.post("/v1/cases", json=OPEN)
    unknown = with_ledger.post(EVENTS, json={"event": "祝贺"})
    assert unknown.json()["errors"][0]["pointer"] == "/event"
    twice = with_ledger.post(
        EVENTS, content=b'{"set": {"a": 1, "a": 2}}', headers={"Content-Type": "application/json"}
    )
    assert twice.json()["errors"][0] == {
        "code": "key-repeated",
        "detail": "同一个键写了两次，请只留一个",
        "pointer": "/set",
    }


def test_without_a_ledger_there_are_no_cases(client: TestClient) -> None:
    answer = client.post("/v1/cases", json=OPEN)
    assert (answer.status_code, answer.json()["code"]) == (501, "no-store")
    assert "--store" in answer.json()["detail"]


def test_the_ledger_holds_every_check_and_event(with_ledger: TestClient, record: dict[str, Any]) -> None:
    asked = {"X-Operator": "%E6%9D%8E%E6%9F%90"}
    checked = with_ledger.post("/v1/check", json=[record], headers=asked)
    with_ledger.post("/v1/cases", json=OPEN, headers=asked)
    listed = with_ledger.get("/v1/ledger").json()
    assert [(item["kind"], item["who"]) for item in listed["items"]] == [
        ("check", "李某"),
        ("case-event", "李某"),
    ]
    assert listed["head"]["hash"] == listed["items"][-1]["hash"]
    assert "海勃湾区" not in with_ledger.get("/v1/ledger").text
    assert with_ledger.get("/v1/ledger/1/report").content == checked.content
    assert with_ledger.get("/v1/ledger/9/report").status_code == 404
    assert with_ledger.get("/v1/ledger?kind=check").json()["items"] == listed["items"][:1]
    assert with_ledger.get("/v1/ledger?since=2023-01-01T00:00:00").status_code == 422


def test_entries_of_the_service_verify_and_replay(
    make_client: MakeClient, tmp_path: Path, record: dict[str, Any]
) -> None:
    path = tmp_path / "ledger.sqlite"
    client = make_client(store=str(path))
    client.post("/v1/check", json=[record])
    for number in range(2):
        facts = {**OPEN["set"], "项目名称": "光伏一期", "宗地面积": "3 公顷"}  # type: ignore[dict-item]
        client.post("/v1/cases", json={**OPEN, "case": f"P{number}", "set": facts})
    with closing(open_store(path)) as store:
        assert verify(store).intact
        rulebook = client.app.state.pieces.office.rulebook  # type: ignore[attr-defined]
        assert [replay(stored, rulebook).status for stored in entries(store)] == ["same"] * 3


def test_a_ledger_that_fails_is_told(with_ledger: TestClient, record: dict[str, Any], tmp_path: Path) -> None:
    with_ledger.app.state.pieces.office.store.close()  # type: ignore[attr-defined]
    for path in tmp_path.glob("ledger.sqlite-*"):
        path.unlink()
    (tmp_path / "ledger.sqlite").write_bytes(b"not a database at all, whatever it was before" * 100)
    answer = with_ledger.post("/v1/check", json=[record])
    assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
    assert with_ledger.get("/health/ready").status_code == 503
