from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from landrules.engine import Rulebook
from landrules.engine.case.deadlines import DueItem
from landrules.engine.case.matchers import open_matcher
from landrules.engine.case.model import Case, Event, open_case
from landrules.engine.case.session import Answer, Desk
from landrules.engine.webhook.changes import tell, tell_deadlines
from landrules.engine.webhook.queue import Queue, notices, open_queue, untold
from receiving import MORNING, subscription

LEASE = "wuhai-2023-5/lease-term-max-20y"
BAD = {
    "行政区": "海勃湾区",
    "行为日期": "2023-06-01",
    "供应方式": "长期租赁",
    "出租年期": "25年",
    "权利人": "李四",
}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    rulebook = Rulebook.load()
    with open_matcher("reference", rulebook) as matcher:
        yield Desk(rulebook, matcher)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with closing(open_queue(tmp_path / "q.sqlite3")) as opened:
        yield opened


@pytest.fixture(scope="module")
def course(desk: Desk) -> list[tuple[Case, Answer]]:
    case, first = desk.submit(
        open_case("2023-17", "parcel_supply"), Event(datetime(2023, 6, 1, 9, tzinfo=UTC), set=BAD)
    )
    corrected, second = desk.submit(
        case, Event(datetime(2023, 6, 5, 9, tzinfo=UTC), set={"出租年期": "15年"})
    )
    return [(case, first), (corrected, second)]


def _bodies(queue: Queue) -> list[dict[str, Any]]:
    return [json.loads(notice.body) for notice in notices(queue)]


TO = [subscription("https://oa.example.cn/hooks")]


def test_what_an_event_changes_is_told(queue: Queue, course: list[tuple[Case, Answer]]) -> None:
    for case, answer in course:
        tell(queue, TO, case, answer, MORNING)
    bodies = _bodies(queue)
    assert [(body["type"], body["data"]["number"]) for body in bodies] == [
        ("case.violated", 1),
        ("case.next_step", 1),
        ("case.settled", 2),
        ("case.next_step", 2),
    ]
    violated, step, settled, next_step = (body["data"] for body in bodies)
    assert violated == {"case": "2023-17", "number": 1, "event": "opened", "rules": [LEASE]}
    assert (step["step"], step["before"], step["because"]) == ("退回", "", [LEASE])
    assert settled["rules"] == [LEASE]
    assert (next_step["step"], next_step["before"]) == ("补正", "退回")
    assert bodies[0]["timestamp"] == "2023-06-01T09:00:00Z"
    assert bodies[0]["schema"] == "landrules/webhook/1"


def test_no_values_go_along_unless_asked_for(queue: Queue, course: list[tuple[Case, Answer]]) -> None:
    case, answer = course[0]
    to = [
        *TO,
        subscription(
            "https://b.example.cn/", name="b", facts=["lease_term", "heard"], events="case.violated"
        ),
    ]
    assert tell(queue, to, case, answer, MORNING) == 3
    plain, asked = [notice for notice in notices(queue) if notice.type == "case.violated"]
    for value in ("25", "李四", "长期租赁", "海勃湾"):
        assert value not in plain.body
    assert json.loads(asked.body)["data"]["facts"] == {"lease_term": "25年"}
    assert plain.event_id == asked.event_id


def test_text_that_no_encoding_can_write_goes_along_escaped(
    queue: Queue, course: list[tuple[Case, Answer]]
) -> None:
    case, answer = course[0]
    facts = {**case.facts, "lease_term": replace(case.facts["lease_term"], value="\ud800")}
    to = [subscription("https://b.example.cn/", facts="lease_term", events="case.violated")]
    assert tell(queue, to, replace(case, facts=facts), answer, MORNING) == 1
    assert _bodies(queue)[0]["data"]["facts"] == {"lease_term": "\ud800"}


def test_telling_again_tells_nothing(queue: Queue, course: list[tuple[Case, Answer]]) -> None:
    assert untold(queue, "2023-17", 2) == (1, 2)
    assert [tell(queue, TO, *told, MORNING) for told in (*course, *course)] == [2, 2, 0, 0]
    assert untold(queue, "2023-17", 3) == (3,)


def test_what_was_left_out_is_told_late_and_without_an_outdated_step(
    queue: Queue, course: list[tuple[Case, Answer]]
) -> None:
    tell(queue, TO, *course[1], MORNING)
    assert untold(queue, "2023-17", 2) == (1,)
    tell(queue, TO, *course[0], MORNING)
    assert [(body["type"], body["data"]["number"]) for body in _bodies(queue)] == [
        ("case.settled", 2),
        ("case.next_step", 2),
        ("case.violated", 1),
    ]


def test_an_unchanged_step_is_not_told(queue: Queue, course: list[tuple[Case, Answer]]) -> None:
    case, answer = course[1]
    tell(queue, TO, *course[0], MORNING)
    tell(queue, TO, case, replace(answer, step=course[0][1].step, newly_settled=()), MORNING)
    assert [body["data"]["number"] for body in _bodies(queue)] == [1, 1]


def test_only_what_is_wanted_by_the_active(queue: Queue, course: list[tuple[Case, Answer]]) -> None:
    to = [
        subscription("https://a.example.cn/", name="a", active=False),
        subscription("https://b.example.cn/", name="b", events=["case.settled"]),
    ]
    assert tell(queue, to, *course[0], MORNING) == 0
    assert tell(queue, to, *course[1], MORNING) == 1


def test_deadlines_are_told_once_for_each_state(queue: Queue) -> None:
    item = DueItem("2023-17", "a/b", "标题", "一", "本周到期", due=date(2026, 3, 6))
    others = [
        replace(item, state="未到期"),
        replace(item, state="按期完成"),
        replace(item, state="未知", due=None),
        replace(item, state="逾期", applies=False),
    ]
    assert tell_deadlines(queue, TO, [item, *others], MORNING) == 1
    assert tell_deadlines(queue, TO, [item], MORNING + timedelta(days=1)) == 0
    assert tell_deadlines(queue, TO, [replace(item, state="今日到期")], MORNING + timedelta(days=4)) == 1
    late = replace(item, state="逾期")
    assert [tell_deadlines(queue, TO, [late], MORNING + timedelta(days=day)) for day in (5, 6, 7)] == [
        1,
        0,
        0,
    ]
    assert [(body["type"], body["data"]["state"]) for body in _bodies(queue)] == [
        ("case.due", "本周到期"),
        ("case.due", "今日到期"),
        ("case.overdue", "逾期"),
    ]
    assert _bodies(queue)[0]["data"] == {
        "case": "2023-17",
        "rules": ["a/b"],
        "due": "2026-03-06",
        "state": "本周到期",
    }


def test_a_deadline_seen_by_an_event_is_not_told_again_by_the_day(
    queue: Queue, course: list[tuple[Case, Answer]]
) -> None:
    case, answer = course[0]
    item = DueItem("2023-17", "a/b", "标题", "一", "逾期", due=date(2026, 3, 6))
    tell(queue, TO, case, replace(answer, due=(item,)), MORNING)
    assert "case.overdue" in [body["type"] for body in _bodies(queue)]
    assert tell_deadlines(queue, TO, [item], MORNING) == 0
