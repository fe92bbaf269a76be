"""Deadlines live: working days, clocks that stop, states on a day, reasons for what is unknown."""

from __future__ import annotations

import json
from datetime import date

import pytest

from landrules.engine.case.deadlines import DueItem, deadlines
from landrules.engine.case.events import cases_of, read_log_bytes, records_of
from landrules.engine.checking import prepare
from landrules.engine.findings.model import CheckOptions
from landrules.engine.rulebook import Rulebook
from landrules.facts.calendar import Workdays


def items(rulebook: Rulebook, on: date, *lines: dict[str, object]) -> tuple[DueItem, ...]:
    data = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()
    cases = cases_of(read_log_bytes(data, "e.jsonl", rulebook.vocabulary), rulebook.vocabulary)
    records = prepare(rulebook, records_of(cases, rulebook.vocabulary), CheckOptions(), None, Workdays())
    return deadlines(cases, records, on, rulebook=rulebook)


def workday_rule(rulebook: Rulebook) -> tuple[str, str, dict[str, object]]:
    """The rule “三证可领取日 within 1 working day of 合同签订日 and 缴款完成日”, its subject and facts that make it apply."""
    rule = rulebook.rules["bozhou-2023/three-permits-one-workday"][0]
    facts = {
        "行政区": "谯城区",
        "行为日期": "2023-06-01",
        "合同签订日": "2023-06-01",
        "缴款完成日": "2023-06-01",
    }
    return rule.id, rule.subject, dict(facts)


def one(rulebook: Rulebook, on: date, *events: dict[str, object], **facts: object) -> DueItem:
    rule, subject, known = workday_rule(rulebook)
    first = {"case": "A", "subject": subject, "at": "2023-06-01T09:00:00", "set": {**known, **facts}}
    rest = [{"case": "A", "subject": subject, **event} for event in events]
    (found,) = [item for item in items(rulebook, on, first, *rest) if item.rule == rule]
    return found


# 2023-06-01 is a Thursday; 06-02 the first working day after it, 06-05 (Monday) the second.


@pytest.mark.parametrize(
    ("on", "state", "left"),
    [
        (date(2023, 5, 26), "未到期", 7),
        (date(2023, 5, 29), "本周到期", 4),
        (date(2023, 6, 1), "本周到期", 1),
        (date(2023, 6, 2), "今日到期", 0),
        (date(2023, 6, 3), "逾期", -1),
    ],
)
def test_states_on_a_day(on: date, state: str, left: int, rulebook: Rulebook) -> None:
    item = one(rulebook, on)
    assert (item.due, item.state, item.left) == (date(2023, 6, 2), state, left)


@pytest.mark.parametrize(("done", "state"), [("2023-06-02", "按期完成"), ("2023-06-05", "逾期完成")])
def test_what_is_done_is_no_longer_due(done: str, state: str, rulebook: Rulebook) -> None:
    item = one(rulebook, date(2024, 1, 1), 三证可领取日=done)
    assert (item.state, item.left, item.done) == (state, None, date.fromisoformat(done))


def test_a_stopped_clock_moves_the_due_day_by_working_days(rulebook: Rulebook) -> None:
    stop = {"at": "2023-06-01T15:00:00", "event": "suspended"}
    # Stopped over Friday, the weekend, Monday and Tuesday: three working days.
    start = {"at": "2023-06-06T10:00:00", "event": "resumed"}
    item = one(rulebook, date(2023, 6, 7), stop, start)
    assert (item.written, item.due, item.state) == (date(2023, 6, 2), date(2023, 6, 7), "今日到期")
    waiting = one(rulebook, date(2023, 6, 5), stop)
    assert (waiting.state, waiting.due) == ("停表", date(2023, 6, 6))
    late = one(rulebook, date(2023, 6, 8), stop, start)
    assert late.state == "逾期"


def test_a_clock_stopped_before_or_after_the_period_moves_nothing(rulebook: Rulebook) -> None:
    before = [
        {"at": "2023-05-20T09:00:00", "event": "停表"},
        {"at": "2023-05-25T09:00:00", "event": "恢复计时"},
    ]
    after = [
        {"at": "2023-06-09T09:00:00", "event": "停表"},
        {"at": "2023-06-12T09:00:00", "event": "恢复计时"},
    ]
    for events in (before, after):
        assert one(rulebook, date(2023, 6, 2), *events).due == date(2023, 6, 2)


def test_an_unknown_holiday_arrangement_is_named(rulebook: Rulebook) -> None:
    item = one(rulebook, date(2023, 6, 2), 合同签订日="2049-12-30")
    assert (item.state, item.due) == ("未知", None)
    assert item.reason.startswith("缺2049年放假安排")


def test_missing_facts_are_named_and_possible_rules_are_marked(rulebook: Rulebook) -> None:
    rule, subject, _ = workday_rule(rulebook)
    found = items(
        rulebook,
        date(2023, 6, 2),
        {"case": "A", "subject": subject, "at": "2023-06-01", "set": {"行政区": "谯城区"}},
    )
    (item,) = [item for item in found if item.rule == rule]
    assert (item.state, item.reason, item.applies) == ("未知", "缺合同签订日、缴款完成日", False)


def test_rules_that_do_not_apply_have_no_deadlines(rulebook: Rulebook) -> None:
    rule, subject, known = workday_rule(rulebook)
    outside = {"case": "A", "subject": subject, "at": "2023-06-01", "set": {**known, "行政区": "海勃湾区"}}
    assert rule not in {item.rule for item in items(rulebook, date(2023, 6, 2), outside)}


def test_time_that_the_case_itself_deducts_is_not_added_twice(rulebook: Rulebook) -> None:
    rules = [versions[0] for versions in rulebook.rules.values() if "补正扣除工作日" in versions[0].text.due]
    if not rules:
        pytest.skip("no shipped rule reads 补正扣除工作日")
    rule = rules[0]
    facts: dict[str, object] = {"市局收件日": "2023-06-01", "补正扣除工作日": 2}
    first = {"case": "A", "subject": rule.subject, "at": "2023-06-01", "set": facts}
    stop = {"case": "A", "at": "2023-06-02", "event": "停表"}
    start = {"case": "A", "at": "2023-06-06", "event": "恢复计时"}
    (item,) = [
        found for found in items(rulebook, date(2023, 6, 7), first, stop, start) if found.rule == rule.id
    ]
    assert item.due == item.written == date(2023, 6, 12)
    first["set"] = {"市局收件日": "2023-06-01"}
    (item,) = [
        found for found in items(rulebook, date(2023, 6, 7), first, stop, start) if found.rule == rule.id
    ]
    assert (item.written, item.due) == (date(2023, 6, 8), date(2023, 6, 12))


def test_the_soonest_comes_first_across_cases(rulebook: Rulebook) -> None:
    _, subject, known = workday_rule(rulebook)
    lines = [
        {
            "case": name,
            "subject": subject,
            "at": "2023-06-01",
            "set": {**known, "合同签订日": day, "缴款完成日": day},
        }
        for name, day in (("late", "2023-06-20"), ("soon", "2023-06-05"))
    ]
    dues = [(item.due, item.case) for item in items(rulebook, date(2023, 6, 2), *lines) if item.due]
    assert dues == sorted(dues)
    assert {case for _, case in dues} == {"late", "soon"}
