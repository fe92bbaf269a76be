"""Limits, idempotency keys, tokens, hosts, headers: what keeps a service up and to itself."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from landrules.engine.service import routes_check
from landrules.engine.service.settings import Settings, SettingsError

from .conftest import BASE, MakeClient

TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of the test
LINES = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


def test_a_large_body_is_refused_before_it_is_read(make_client: MakeClient) -> None:
    client = make_client(max_bytes=2000)
    declared = client.post("/v1/check", content=b" " * 3000, headers=JSON)
    streamed = client.post("/v1/check", content=iter([b" " * 1500, b" " * 1500]), headers=JSON)
    for answer in (declared, streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_too_many_rows_are_refused_with_the_limit(make_client: MakeClient, record: dict[str, Any]) -> None:
    client = make_client(max_rows=3)
    listed = client.post("/v1/check", json=[record] * 4)
    assert (listed.status_code, listed.json()["code"]) == (413, "too-many-rows")
    assert "有 4 条" in listed.json()["detail"]
    assert "3 条" in listed.json()["detail"]
    line = json.dumps(record).encode() + b"\n"
    assert client.post("/v1/check", content=line * 4, headers=LINES).json()["code"] == "too-many-rows"
    assert client.post("/v1/check", content=line * 3, headers=LINES).status_code == 200
    table = "行政区,供应方式\n" + "海勃湾区,长期租赁\n" * 4
    assert client.post("/v1/check/file", files={"file": ("a.csv", table.encode())}).status_code == 413


def test_time_is_limited_and_the_loop_stays_free(make_client: MakeClient, record: dict[str, Any]) -> None:
    client = make_client(max_seconds=0.5, max_rows=100_000, threads=1, queue=0)
    records = [{**record, "id": str(n), "facts": {**record["facts"], "出租年期": n}} for n in range(5000)]
    body = json.dumps(records).encode()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.post, "/v1/check", content=body, headers=JSON)
        time.sleep(0.2)
        began = time.monotonic()
        assert client.get("/health/live").status_code == 200
        assert time.monotonic() - began < 0.5
        assert client.post("/v1/check", json=[record]).json()["code"] == "busy"
        answer = slow.result()
    assert (answer.status_code, answer.json()["code"]) == (503, "timeout")
    assert answer.headers["Retry-After"]
    # The thread notices that nobody waits, and takes the next check.
    for _ in range(50):
        if client.post("/v1/check", json=[record]).status_code == 200:
            return
        time.sleep(0.1)
    pytest.fail("the thread was not given back")


def test_no_new_work_is_taken_while_stopping(make_client: MakeClient, record: dict[str, Any]) -> None:
    client = make_client()
    client.app.state.pieces.work.refuse_more()  # type: ignore[attr-defined]
    assert client.post("/v1/check", json=[record]).json()["code"] == "stopping"
    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200


# --- idempotency ----------------------------------------------------------------------------------------------


def test_a_key_gives_the_first_answer_again(make_client: MakeClient, record: dict[str, Any]) -> None:
    client = make_client()
    headers = {"Idempotency-Key": "k-1"}
    first = client.post("/v1/check", json=[record], headers=headers)
    again = client.post("/v1/check", json=[record], headers=headers)
    assert again.content == first.content
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    other = client.post("/v1/check", json=[record, record], headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "key-reused")
    assert client.post("/v1/check?on=2024-01-01", json=[record], headers=headers).status_code == 409
    bad = client.post("/v1/check", json=[record], headers={"Idempotency-Key": "with a space"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad-key")


def test_requests_with_one_key_at_once_are_one_check(
    make_client: MakeClient, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    calls = []
    real = routes_check.check_sources

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        time.sleep(0.2)
        return real(*arguments, **options)

    monkeypatch.setattr(routes_check, "check_sources", counted)
    with ThreadPoolExecutor(4) as pool:
        futures = [
            pool.submit(client.post, "/v1/check", json=[record], headers={"Idempotency-Key": "same"})
            for _ in range(4)
        ]
        answers = [future.result() for future in futures]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(calls) == 1


def test_with_a_ledger_keys_outlive_the_service(
    make_client: MakeClient, record: dict[str, Any], tmp_path: Path
) -> None:
    store = str(tmp_path / "ledger.sqlite")
    headers = {"Idempotency-Key": "k-1"}
    first = make_client(store=store).post("/v1/check", json=[record], headers=headers)
    again = make_client(store=store).post("/v1/check", json=[record], headers=headers)
    assert again.content == first.content
    assert again.headers["Landrules-Entry"] == first.headers["Landrules-Entry"] == "1"
    other = make_client(store=store).post("/v1/check", json=[record, record], headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "key-reused")


def test_failures_are_not_kept(
    make_client: MakeClient, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    monkeypatch.setattr(routes_check, "check_sources", lambda *_, **__: 1 / 0)
    failed = client.post("/v1/check", json=[record], headers={"Idempotency-Key": "k"})
    assert failed.status_code == 500
    monkeypatch.undo()
    assert client.post("/v1/check", json=[record], headers={"Idempotency-Key": "k"}).status_code == 200


# --- who may ask ----------------------------------------------------------------------------------------------


def test_without_a_token_only_this_machine_may_be_served() -> None:
    with pytest.raises(SettingsError, match="LANDRULES_TOKEN"):
        Settings(host="0.0.0.0").checked()  # noqa: S104 - refused
    for host in ("127.0.0.1", "127.0.0.9", "::1", "localhost"):
        Settings(host=host).checked()
    Settings.model_validate({"host": "0.0.0.0", "token": TOKEN}).checked()  # noqa: S104 - with a token


def test_a_token_is_asked_for(make_client: MakeClient, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n", encoding="utf-8")
    client = make_client(token_file=path)
    missing = client.get("/v1/rules")
    assert (missing.status_code, missing.json()["code"]) == (401, "token-missing")
    assert "Bearer" in missing.headers["WWW-Authenticate"]
    wrong = client.get("/v1/rules", headers={"Authorization": "Bearer " + "x" * 32})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "token-wrong")
    assert client.get("/v1/rules", headers={"Authorization": "Basic !!"}).status_code == 401
    assert client.get("/v1/rules", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get("/", auth=("张三", TOKEN)).status_code == 200
    assert client.get("/health/ready").status_code == 200
    assert client.get("/metrics").status_code == 401
    assert "security" in client.get("/v1/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).json()


@pytest.mark.parametrize("token", ["short", "中" * 20, "with a space in the middle"])
def test_a_weak_token_is_refused(token: str) -> None:
    with pytest.raises(SettingsError, match="令牌"):
        Settings.model_validate({"token": token}).checked()


def test_another_host_name_is_refused_on_loopback(make_client: MakeClient) -> None:
    client = make_client()
    assert client.get("/v1/rules", headers={"Host": "evil.example"}).json()["code"] == "host-refused"
    assert client.get("/v1/rules", headers={"Host": "localhost:8000"}).status_code == 200
    assert client.get("/v1/rules", headers={"Host": "[::1]:8000"}).status_code == 200
    assert client.get("/v1/rules", headers={"Host": "[bad"}).status_code == 403
    named = make_client(hosts="landrules.example, other.example")
    assert named.get("/v1/rules", headers={"Host": "landrules.example"}).status_code == 200
    assert named.get("/v1/rules").status_code == 403


def test_pages_of_other_sites_cannot_post(client: TestClient, record: dict[str, Any]) -> None:
    foreign = client.post("/v1/check", json=[record], headers={"Origin": "https://evil.example"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "origin-refused")
    assert client.post("/v1/check", json=[record], headers={"Origin": "null"}).status_code == 403
    assert client.post("/v1/check", json=[record], headers={"Origin": BASE}).status_code == 200
    assert (
        "access-control-allow-origin"
        not in client.get("/v1/rules", headers={"Origin": "https://a.b"}).headers
    )


# --- every answer ---------------------------------------------------------------------------------------------


def test_every_answer_is_numbered_and_guarded(client: TestClient) -> None:
    for path in ("/v1/rules", "/nowhere", "/"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert len(headers["X-Request-Id"]) == 32
    assert client.get("/v1/rules", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert client.get("/v1/rules", headers={"X-Request-Id": "a b\n"}).headers["X-Request-Id"] != "a b"


def test_problems_are_problem_details(client: TestClient) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("DELETE", "/v1/rules", 405),
        ("GET", "/v1/cases", 501),
    ):
        answer = client.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        content = answer.json()
        assert content["status"] == status
        assert content["type"] == f"urn:landrules:problem:{content['code']}"
        assert content["request_id"] == answer.headers["X-Request-Id"]
        assert any("\u4e00" <= char <= "\u9fff" for char in content["detail"])


def test_a_crash_shows_no_traceback(
    make_client: MakeClient, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes_check, "check_sources", lambda *_, **__: 1 / 0)
    answer = make_client().post("/v1/check", json=[record])
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "Traceback" not in answer.text
    assert "division" not in answer.text


def test_metrics_count_without_contents(make_client: MakeClient, record: dict[str, Any]) -> None:
    client = make_client()
    client.post("/v1/check", json=[record])
    client.get("/v1/rules/wuhai-2023-5/lease-term-max-20y")
    text = client.get("/metrics").text
    assert 'landrules_verdicts_total{verdict="违反"} 1.0' in text
    assert "landrules_records_total 1.0" in text
    assert 'landrules_requests_total{method="POST",route="/v1/check",status="200"} 1.0' in text
    assert 'route="/v1/rules/{document}/{rule}"' in text
    assert "landrules_requests_in_flight 1.0" in text
    assert "WH-01" not in text
    assert "lease-term" not in text


def test_two_applications_share_nothing(make_client: MakeClient, record: dict[str, Any]) -> None:
    one, other = make_client(), make_client()
    one.post("/v1/check", json=[record])
    assert "landrules_records_total 0.0" in other.get("/metrics").text


def test_many_clients_at_once_get_the_same_bytes(client: TestClient, record: dict[str, Any]) -> None:
    barrier = threading.Barrier(4)

    def ask(_: int) -> bytes:
        barrier.wait()
        return client.post("/v1/check", json=[record]).content

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
