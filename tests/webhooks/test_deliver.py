from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from landrules.engine.ledger.errors import StoreError
from landrules.engine.ledger.store import append, open_store
from landrules.engine.ledger.verify import verify as verify_ledger
from landrules.engine.webhook.deliver import Retries, backoff, deliver_due, keep_delivering
from landrules.engine.webhook.post import PostError, Reply, poster
from landrules.engine.webhook.queue import (
    Counts,
    Queue,
    Sent,
    claim,
    count,
    forget,
    handle_once,
    notices,
    open_queue,
    put,
    queue_of,
    settle,
    try_again,
)
from landrules.engine.webhook.signing import verify
from ledger.making import an_entry
from receiving import MORNING, OTHER_SECRET, SECRET, Clock, Receiver, a_notice, subscription

TESTS = Path(__file__).parents[1]
NOWHERE = "http://127.0.0.1:9/"
HOLD = timedelta(minutes=2)


def _put(queue: Queue, *found: Any) -> int:
    return put(queue, lambda _: found, MORNING)


class Scripted:
    """A POST that answers by receiver URL: numbers in turn, then 204; None is no answer."""

    def __init__(self, **answers: list[int | None]) -> None:
        self.answers = answers
        self.had: list[tuple[str, str]] = []

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert body
        name = url.rsplit("/", 1)[1]
        self.had.append((name, headers["webhook-id"]))
        answers = self.answers.get(name, [])
        status = answers.pop(0) if answers else 204
        if status is None:
            raise PostError("连不上")
        return Reply(status)


# --- over the loopback interface ---


def test_fails_first_then_succeeds(queue: Queue, clock: Clock, receiver: Receiver) -> None:
    receiver.answers = [500, 503]
    to = [subscription(receiver.url)]
    assert _put(queue, a_notice(1), a_notice(2)) == 2
    waits = []
    for _ in range(10):
        tried = deliver_due(queue, to, clock, poster(2), seed=7)
        waits += [attempt.sent.again - clock() for attempt in tried if attempt.sent.again]
        if count(queue).waiting == 0:
            break
        clock.forward(seconds=40)
    assert receiver.ids() == ["evt_1", "evt_1", "evt_1", "evt_2"]
    assert waits == [backoff(Retries(), attempt, 7, "evt_1", "oa") for attempt in (1, 2)]
    assert count(queue) == Counts(waiting=0, failing=0, delivered=2, dead=0)
    # Each attempt is signed for its own moment, and the same body and id come again.
    moments = set()
    for headers, body in receiver.had:
        moments.add(verify(SECRET, headers, body, now=clock()).sent)
        assert headers["content-type"].startswith("application/json")
    assert len(moments) == 3
    assert len({body for _, body in receiver.had[:3]}) == 1
    assert [notice.body for notice in notices(queue)] == ["", ""]
    assert deliver_due(queue, to, clock, poster(2)) == ()


def test_silence_is_cut_off(queue: Queue, clock: Clock, receiver: Receiver) -> None:
    receiver.answers = [3.0]
    _put(queue, a_notice())
    began = time.monotonic()
    (attempt,) = deliver_due(queue, [subscription(receiver.url)], clock, poster(0.2))
    assert time.monotonic() - began < 2
    assert (attempt.status, attempt.sent.problem) == (None, "0.2 秒内没有答复")


def test_an_answer_that_drips_is_cut_off() -> None:
    # Each read alone is quick enough for a plain timeout.
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n")
                    for number in range(60):
                        connection.sendall(f"x-{number}: y\r\n".encode())
                        time.sleep(0.05)
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(PostError, match=r"0\.4 秒内没有答复"):
            poster(0.4)(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"{}")
        assert time.monotonic() - began < 2
        thread.join()


def test_redirects_are_not_followed(queue: Queue, clock: Clock, receiver: Receiver) -> None:
    receiver.answers = [302]
    receiver.headers = {"Location": f"{receiver.url}&elsewhere"}
    _put(queue, a_notice())
    (attempt,) = deliver_due(queue, [subscription(receiver.url)], clock, poster(2))
    assert (attempt.status, len(receiver.had)) == (302, 1)
    assert "不跟随转址" in attempt.sent.problem


def test_a_receiver_may_say_when_to_come_again(queue: Queue, clock: Clock, receiver: Receiver) -> None:
    receiver.answers = [429]
    receiver.headers = {"Retry-After": "3600"}
    _put(queue, a_notice())
    (attempt,) = deliver_due(queue, [subscription(receiver.url)], clock, poster(2))
    assert attempt.sent.again == MORNING + timedelta(hours=1)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/hosts", "//127.0.0.1/", "http:///x"])
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(PostError, match="http:// 或 https://"):
        poster(1)(url, {}, b"")


def test_nobody_there(queue: Queue, clock: Clock) -> None:
    _put(queue, a_notice())
    (attempt,) = deliver_due(queue, [subscription(NOWHERE)], clock, poster(1))
    assert attempt.sent.problem.startswith("连不上或中断：ConnectionRefusedError")
    assert SECRET not in attempt.sent.problem


# --- order, retries, dead letters ---


def test_a_case_waits_for_its_first_notice_and_others_do_not(queue: Queue, clock: Clock) -> None:
    _put(
        queue,
        a_notice(1, case="甲"),
        a_notice(2, case="甲"),
        a_notice(3, case="乙"),
        a_notice(1, case="甲", receiver="b"),
    )
    to = [subscription("http://x/a"), subscription("http://x/b", name="b")]
    post = Scripted(a=[400])
    deliver_due(queue, to, clock, post)
    assert post.had == [("a", "evt_1"), ("a", "evt_3"), ("b", "evt_1")]
    clock.forward(minutes=1)
    deliver_due(queue, to, clock, post)
    assert post.had[3:] == [("a", "evt_1"), ("a", "evt_2")]


def test_a_receiver_in_trouble_is_left_alone_for_the_pass(queue: Queue, clock: Clock) -> None:
    found = [a_notice(number, case=str(number)) for number in range(1, 4)]
    _put(queue, *found, *(replace(notice, receiver="b") for notice in found))
    to = [subscription("http://x/a"), subscription("http://x/b", name="b")]
    post = Scripted(a=[None])
    tried = deliver_due(queue, to, clock, post)
    assert Counter(name for name, _ in post.had) == {"a": 1, "b": 3}
    assert [attempt.sent.state for attempt in tried].count("delivered") == 3


def test_after_the_last_attempt_a_notice_is_dead_and_can_be_put_back(queue: Queue, clock: Clock) -> None:
    retries = Retries(attempts=3)
    _put(queue, a_notice(1), a_notice(2))
    to = [subscription("http://x/a")]
    post = Scripted(a=[500, 404, 500])
    for _ in range(3):
        deliver_due(queue, to, clock, post, retries=retries)
        clock.forward(minutes=5)
    (dead,) = notices(queue, state="dead")
    assert (dead.event_id, dead.attempts, dead.problem) == ("evt_1", 3, "对方答复 500，已试 3 次")
    deliver_due(queue, to, clock, post, retries=retries)
    assert post.had[-1] == ("a", "evt_2")
    assert try_again(queue, clock(), receiver="other") == 0
    assert try_again(queue, clock(), event_id="evt_1") == 1
    deliver_due(queue, to, clock, post, retries=retries)
    assert post.had[-1] == ("a", "evt_1")
    assert count(queue) == Counts(0, 0, 2, 0)


def test_gone_is_given_up_at_once(queue: Queue, clock: Clock) -> None:
    _put(queue, a_notice())
    deliver_due(queue, [subscription("http://x/a")], clock, Scripted(a=[410]))
    assert [notice.problem for notice in notices(queue, state="dead")] == ["对方答复 410，表示不再接收"]


def test_backoff_grows_is_bounded_and_comes_from_the_seed() -> None:
    retries = Retries()
    waits = [backoff(retries, attempt, 1, "evt_1", "oa") for attempt in range(1, 200)]
    assert waits == [backoff(retries, attempt, 1, "evt_1", "oa") for attempt in range(1, 200)]
    assert waits != [backoff(retries, attempt, 2, "evt_1", "oa") for attempt in range(1, 200)]
    for attempt, wait in enumerate(waits):
        middle = min(timedelta(seconds=10) * 2 ** min(attempt, 20), timedelta(hours=12))
        assert middle * 0.5 <= wait <= middle * 1.5
    total = sum(waits[: retries.attempts - 1], timedelta())
    assert timedelta(days=2) < total < timedelta(days=6)


def test_a_post_that_breaks_does_not_stop_the_others(queue: Queue, clock: Clock) -> None:
    _put(queue, a_notice(1), a_notice(1, receiver="b"))

    def post(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if url.endswith("a"):
            raise RuntimeError("secret things")
        return Reply(200)

    to = [subscription("http://x/a"), subscription("http://x/b", name="b")]
    tried = deliver_due(queue, to, clock, post)
    assert [attempt.sent.state for attempt in tried] == ["waiting", "delivered"]
    assert tried[0].sent.problem == "发送出错：RuntimeError"


def test_an_inactive_or_unknown_receiver_is_not_sent_to(queue: Queue, clock: Clock) -> None:
    _put(queue, a_notice())
    post = Scripted()
    assert deliver_due(queue, [], clock, post) == ()
    assert deliver_due(queue, [subscription("http://x/a", active=False)], clock, post) == ()
    assert deliver_due(queue, [subscription("http://x/a", name="b")], clock, post) == ()
    assert len(deliver_due(queue, [subscription("http://x/a")], clock, post)) == 1


def test_a_pass_is_limited(queue: Queue, clock: Clock) -> None:
    _put(queue, *(a_notice(number) for number in range(1, 6)))
    assert len(deliver_due(queue, [subscription("http://x/a")], clock, Scripted(), limit=2)) == 2


def test_a_thread_keeps_delivering_until_it_is_told_to_stop(
    queue: Queue, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The store fails once: that ends nothing.
    failures = [StoreError("数据库正忙")]

    def claimed(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return claim(*arguments)

    monkeypatch.setattr("landrules.engine.webhook.deliver.claim", claimed)
    _put(queue, *(a_notice(number) for number in range(1, 30)))
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            keep_delivering, queue, [subscription(receiver.url)], lambda: MORNING, poster(2), stop, every=0.02
        )
        until = time.monotonic() + 10
        while count(queue).waiting and time.monotonic() < until:
            time.sleep(0.02)
        stop.set()
        running.result(timeout=5)
    assert receiver.ids() == [f"evt_{number}" for number in range(1, 30)]


def test_both_secrets_sign(queue: Queue, clock: Clock, receiver: Receiver) -> None:
    _put(queue, a_notice())
    deliver_due(queue, [subscription(receiver.url, secret=[OTHER_SECRET, SECRET])], clock, poster(2))
    ((headers, body),) = receiver.had
    for secret in (SECRET, OTHER_SECRET):
        assert verify(secret, headers, body, now=clock()).id == "evt_1"


# --- once, and not less ---


def test_the_same_event_is_put_in_once(queue: Queue) -> None:
    assert _put(queue, a_notice(1)) == 1
    assert _put(queue, a_notice(1), a_notice(2), a_notice(1, receiver="b")) == 2


def test_a_claim_is_held_and_then_free(queue: Queue, clock: Clock) -> None:
    _put(queue, a_notice(1), a_notice(2))
    first = claim(queue, ["oa"], clock(), HOLD)
    assert first is not None
    assert claim(queue, ["oa"], clock(), HOLD) is None
    clock.forward(minutes=2)
    second = claim(queue, ["oa"], clock(), HOLD)
    assert second is not None
    assert (second.notice.seq, first.attempt, second.attempt) == (first.notice.seq, 1, 2)
    # The first one has lost it: a failure of his is not heard, but a delivery is.
    assert not settle(queue, first, Sent("dead", "太晚"), clock())
    assert settle(queue, first, Sent("delivered"), clock())
    assert not settle(queue, second, Sent("waiting", "", clock()), clock())
    assert count(queue).delivered == 1


def test_what_kills_its_sender_every_time_is_dead_in_the_end(queue: Queue, clock: Clock) -> None:
    _put(queue, a_notice())
    for _ in range(3):
        assert claim(queue, ["oa"], clock(), HOLD) is not None
        clock.forward(minutes=3)
    post = Scripted()
    deliver_due(queue, [subscription("http://x/a")], clock, post, retries=Retries(attempts=3))
    assert (post.had, [notice.problem for notice in notices(queue, state="dead")]) == (
        [],
        ["多次发送中途中断，已试 4 次"],
    )


def test_several_senders_share_one_queue(queue: Queue, clock: Clock) -> None:
    _put(queue, *(a_notice(number, case=str(number % 3)) for number in range(1, 25)))
    post = Scripted()
    with ThreadPoolExecutor(3) as pool:
        futures = [
            pool.submit(deliver_due, queue, [subscription("http://x/a")], clock, post) for _ in range(3)
        ]
        assert sum(len(future.result()) for future in futures) == 24
    assert len({event for _, event in post.had}) == 24
    for case in range(3):
        numbers = [int(event.removeprefix("evt_")) for _, event in post.had]
        mine = [number for number in numbers if number % 3 == case]
        assert mine == sorted(mine)


def test_a_receiver_does_its_work_once(queue: Queue, clock: Clock) -> None:
    with queue.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE work (id TEXT)"))

    def work(connection: sa.Connection) -> None:
        connection.execute(sa.text("INSERT INTO work VALUES ('x')"))

    def broken(connection: sa.Connection) -> None:
        work(connection)
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        handle_once(queue, "evt_1", clock(), broken)
    assert [handle_once(queue, "evt_1", clock(), work) for _ in range(3)] == [True, False, False]
    with queue.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM work")).scalar() == 1
    assert forget(queue, clock()) == 0
    assert forget(queue, clock() + timedelta(seconds=1)) == 1


def test_killed_senders_lose_nothing(where: str, receiver: Receiver, tmp_path: Path) -> None:
    """Kill the delivering process again and again; everything arrives, in order, and the inbox takes each once."""
    total, kills = 20, 0
    with closing(open_queue(where)) as queue:
        _put(queue, *(a_notice(number, case=str(number % 4)) for number in range(1, total + 1)))
    # Some answers are late, so that senders die between sending and writing down.
    receiver.answers = [0.05, 500, 0.08, 204, 0.05, 204, 503, 0.08] * 2
    command = [sys.executable, "-m", "receiving", where, receiver.url]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    until = time.monotonic() + 15
    while time.monotonic() < until:
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(0.05 + 0.1 * kills if kills < 3 else 1)
            process.kill()
            assert process.wait() == -9
        kills += 1
        with closing(open_queue(where)) as queue:
            if count(queue).waiting == 0:
                break
    with closing(open_queue(where)) as queue:
        assert count(queue) == Counts(0, 0, total, 0)
    assert kills >= 2
    assert set(receiver.ids()) == {f"evt_{number}" for number in range(1, total + 1)}
    with closing(open_queue(tmp_path / "inbox.sqlite3")) as inbox:
        had = [event for event in receiver.ids() if handle_once(inbox, event, MORNING)]
    assert len(had) == total
    for case in range(4):
        mine = [number for event in had if (number := int(event.removeprefix("evt_"))) % 4 == case]
        assert mine == sorted(mine)


# --- the database ---


def test_the_queue_lives_in_the_ledger(where: str, clock: Clock) -> None:
    with closing(open_store(where)) as store:
        queue = queue_of(store)
        _put(queue, a_notice())
        append(store, an_entry(1))
        deliver_due(queue, [subscription("http://x/a")], clock, Scripted())
        assert verify_ledger(store).intact
        assert count(queue_of(store)).delivered == 1


def test_a_newer_queue_is_refused(where: str) -> None:
    with closing(open_queue(where)) as queue, queue.engine.begin() as connection:
        connection.execute(sa.text("UPDATE landrules_webhook_schema SET version = 2"))
    with pytest.raises(StoreError, match="更新版本的 landrules"):
        open_queue(where)


def test_times_have_zones(queue: Queue) -> None:
    with pytest.raises(ValueError, match="时间没有时区"):
        put(queue, lambda _: [a_notice()], MORNING.replace(tzinfo=None))
