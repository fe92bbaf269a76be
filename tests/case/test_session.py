"""What is told after each event of a case, and the next step by routing rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from landrules.engine.case.matchers import Matcher, open_matcher
from landrules.engine.case.model import Case, Event, EventKind, open_case
from landrules.engine.case.questions import Outcome
from landrules.engine.case.routing import Routing, Standing, load_routing, next_step
from landrules.engine.case.session import Answer, Desk
from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import Mark
from landrules.engine.rulebook import Rulebook
from landrules.facts.notes import InputError

LEASE = "wuhai-2023-5/lease-term-max-20y"
START = {"行政区": "海勃湾区", "行为日期": "2023-06-01", "供应方式": "长期租赁"}


@pytest.fixture(scope="module", params=["durable", "reference"])
def desk(request: pytest.FixtureRequest, rulebook: Rulebook) -> Iterator[Desk]:
    with open_matcher(request.param, rulebook) as matcher:
        yield Desk(rulebook, matcher)


def submit(
    desk: Desk, case: Case, kind: EventKind | None = None, *unset: str, **facts: object
) -> tuple[Case, Answer]:
    at = datetime(2023, 6, 1, 9, len(case.log))  # noqa: DTZ001 - the clock on an office's wall
    return desk.submit(case, Event(at, kind, facts, unset))


def test_each_event_tells_what_it_raised_and_settled(desk: Desk) -> None:
    case, answer = submit(desk, open_case("A", "parcel_supply"), None, **START)
    assert (answer.event, answer.number, answer.newly_violated) == ("opened", 1, ())
    assert LEASE in answer.lacking
    assert answer.step.step == "补正"
    assert LEASE in answer.step.because

    case, answer = submit(desk, case, None, 出租年期="25年")
    assert (answer.event, answer.newly_violated, answer.violated) == ("supplied", (LEASE,), (LEASE,))
    assert (answer.step.step, answer.step.because) == ("退回", (LEASE,))

    case, answer = submit(desk, case, "heard")
    assert (answer.newly_violated, answer.violated, answer.newly_settled) == ((), (LEASE,), ())

    case, answer = submit(desk, case, None, 出租年期="20年")
    assert (answer.event, answer.violated, answer.newly_settled) == ("corrected", (), (LEASE,))

    case, answer = submit(desk, case, None, "出租年期")
    assert (answer.event, answer.newly_open) == ("withdrawn", (LEASE,))

    case, answer = submit(desk, case, "suspended")
    assert answer.step.step == "等待补正"
    case, answer = submit(desk, case, "resumed")
    case, answer = submit(desk, case, "closed")
    assert answer.step.step == "办结"
    assert [event.kind for event in case.log][-3:] == ["suspended", "resumed", "closed"]


def test_the_case_before_is_not_changed_and_answers_depend_on_facts_alone(desk: Desk) -> None:
    first, _ = submit(desk, open_case("A", "parcel_supply"), None, **START)
    second, with_term = submit(desk, first, None, 出租年期="25年")
    assert "lease_term" not in first.facts
    other, _ = submit(desk, open_case("B", "parcel_supply"), None, 出租年期="25年")
    other, same = submit(desk, other, None, **START)
    assert same.outcomes == with_term.outcomes == desk.outcomes(second)


def test_findings_are_those_of_check(desk: Desk) -> None:
    case, answer = submit(desk, open_case("A", "parcel_supply"), None, **START, 出租年期="25年")
    found = {finding.rule: finding.verdict for finding in desk.findings(case).findings}
    assert found == {rule: outcome.verdict for rule, outcome in answer.outcomes.items()}


class Broken:
    """A matcher for which every rule fails."""

    def __init__(self, inner: Matcher) -> None:
        self.inner = inner

    def outcomes(self, record: object) -> dict[str, Outcome]:
        found = self.inner.outcomes(record)  # type: ignore[arg-type]  # a record
        return {rule: Outcome(Verdict.ERROR, message="坏了") for rule in found}

    def close(self) -> None: ...


def test_rules_that_fail_go_to_people(rulebook: Rulebook) -> None:
    with open_matcher("reference", rulebook) as inner:
        _, answer = submit(Desk(rulebook, Broken(inner)), open_case("A", "parcel_supply"), None, **START)
    assert LEASE in answer.failed
    assert answer.step.step == "会审"
    assert answer.newly_settled == ()


# --- routing ---


def standing(**outcomes: Outcome) -> Standing:
    levels = {rule: "错误" if rule.startswith("must") else "提示" for rule in outcomes}
    marks: dict[str, tuple[Mark, ...]] = {
        rule: ("临界",) if rule.endswith("near") else () for rule in outcomes
    }
    return Standing("parcel_supply", outcomes, levels, lambda: marks, ["opened"], False, [])  # type: ignore[arg-type]


MET, VIOLATED = Outcome(Verdict.MET), Outcome(Verdict.VIOLATED)
LACKING, POSSIBLE = Outcome(Verdict.OPEN, "requirement"), Outcome(Verdict.OPEN, "applicability")


@pytest.mark.parametrize(
    ("outcomes", "step", "because"),
    [
        ({"must_a": MET, "may_b": MET}, "上报", ()),
        ({"must_a": VIOLATED, "must_b": LACKING}, "退回", ("must_a",)),
        ({"must_a": LACKING, "must_b": POSSIBLE}, "补正", ("must_a",)),
        ({"may_a": VIOLATED, "must_b": MET}, "会审", ("may_a",)),
        ({"must_near": MET}, "会审", ("must_near",)),
        ({"must_a": POSSIBLE}, "会审", ("must_a",)),
        ({"may_a": POSSIBLE}, "上报", ()),
    ],
)
def test_shipped_routes(outcomes: dict[str, Outcome], step: str, because: tuple[str, ...]) -> None:
    found = next_step(load_routing(), standing(**outcomes))
    assert (found.step, found.because) == (step, because)


def test_conditions_are_small_and_combine(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(
        """
version: 1
routes:
  - step: 甲
    why: 两条以上
    when: {count: {verdict: 违反}, at_least: 2}
  - step: 乙
    why: 组合
    when: {all: [{event: 受理}, {not: {suspended: true}}, {count: {verdict: 违反}, at_least: 1, at_most: 1}]}
  - {step: 丙, why: 其他, when: {always: true}}
""",
        encoding="utf-8",
    )
    routing = load_routing(path)
    assert next_step(routing, standing(a=VIOLATED, b=VIOLATED)).step == "甲"
    assert next_step(routing, standing(a=VIOLATED)).step == "乙"
    assert next_step(routing, standing(a=MET)).step == "丙"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 2\nroutes: []", "version"),
        ("version: 1\nroutes: [{step: 甲, why: x, when: {count: {verdict: 违返}}}]", "违返"),
        ("version: 1\nroutes: [{step: 甲, why: x, when: {count: {}, event: 受理}}]", "一个条件只写一项"),
        ("version: 1\nroutes: [{step: 甲, why: x, when: {suspended: true}}]", "always"),
        ("version: 1\nroutes: [{step: 甲, when: {always: true}}]", "why"),
        ("version: 1\nroutes: [{step: 甲, why: x, wenn: {always: true}}]", "wenn"),
        ("- [", "YAML"),
    ],
)
def test_mistakes_in_routes_are_told(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=told):
        load_routing(path)


def test_shipped_routing_is_valid() -> None:
    assert isinstance(load_routing(), Routing)
