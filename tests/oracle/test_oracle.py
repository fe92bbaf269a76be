"""The oracle reproduces what the specification says about itself."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from oracle.cases import Library, facts_read, load, random_facts
from oracle.notation import (
    DEVIATION,
    NOT_YET_DUE,
    OUTSIDE_PLACE,
    OUTSIDE_TIME,
    Deadline,
    Document,
    Facts,
    NotationError,
    Provision,
    Truth,
    Value,
    both,
    either,
    evaluate,
    judge,
    judge_gated,
    names,
    opposite,
)
from oracle.relevance import relevant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

T, F, U = True, False, None
ANYWHERE = Document("somewhere", "", frozenset(), {}, ())
PLAIN = Provision(
    document="somewhere",
    id="plain",
    subject="parcel_supply",
    strength="必须",
    closed=False,
    when="w",
    exclude="x",
    require="r",
    unless=None,
    deadline=None,
    since=None,
    until=None,
    gate_fact="action_date",
)


@pytest.fixture(scope="module")
def library(shared: Path) -> Library:
    return load(shared)


def test_every_visible_boundary_case_has_the_expected_verdict(library: Library) -> None:
    wrong = []
    for case in library.cases:
        provision = library.provisions[f"{case.document}/{case.provision}"]
        outcome = judge(library.document(provision), provision, library.values(provision, case.facts))
        if outcome.verdict != case.expect:
            wrong.append((case.name, case.expect, outcome))
    assert wrong == []
    assert len(library.cases) == 787
    assert len(library.provisions) == 297


def test_every_value_of_a_boundary_case_fits_the_vocabulary(library: Library) -> None:
    unusable = []
    for case in library.cases:
        provision = library.provisions[f"{case.document}/{case.provision}"]
        values = library.values(provision, case.facts)
        unusable += [(case.name, key) for key, value in values.items() if value is None]
    assert unusable == []


def test_every_name_in_the_logic_is_a_fact_of_the_subject(library: Library) -> None:
    unknown = [
        (provision.name, key)
        for provision in library.provisions.values()
        for key in facts_read(provision)
        if key not in library.types(provision)
    ]
    assert unknown == []


TOO_LONG = "wuhai-2023-5/flexible-term-max"
SPLIT = "bozhou-2023/split-no-use-change"
TRANSITION = "bozhou-2023/transition-five-year"
TEMPORARY = "xinzhou-2022-90/temp-land-supervision"
IDLE = "wuhai-2023-5/idle-2023-target"
GATED: Mapping[str, Mapping[str, object]] = {
    TOO_LONG: {"supply_mode": "弹性年期出让", "grant_term": 51, "land_use_class": "工业"},
    SPLIT: {"split_transfer": True, "use_unchanged": False},
    TRANSITION: {
        "transition_policy_applied": True,
        "is_existing_industrial": True,
        "transition_target": "养老",
        "post_transition_method": "未办理",
    },
    TEMPORARY: {"temp_land_use": True, "temp_land_approved": True, "temp_supervision_records": 0},
    IDLE: {"unit_kind": "全市", "stat_year": 2023, "idle_disposed_year": 1, "as_of_date": "2024-01-01"},
}
OTHER_MODE = {"supply_mode": "出让"}


@pytest.mark.parametrize(
    ("name", "facts", "logic", "verdict", "marks"),
    [
        (TOO_LONG, {"district": "海勃湾区", "action_date": "2023-03-02"}, "违反", "违反", set()),
        (TOO_LONG, {"district": "海勃湾区", "action_date": "2023-03-01"}, "违反", "不适用", {OUTSIDE_TIME}),
        (TOO_LONG, {"district": "谯城区", "action_date": "2023-06-01"}, "违反", "不适用", {OUTSIDE_PLACE}),
        (TOO_LONG, {"district": "海勃湾区"}, "违反", "待补充", set()),
        (TOO_LONG, OTHER_MODE, "不适用", "不适用", set()),
        (SPLIT, {"district": "利辛县", "action_date": "2023-02-28"}, "违反", "不适用", {OUTSIDE_TIME}),
        (SPLIT, {"district": "利辛县", "action_date": "2023-04-15"}, "违反", "待补充", set()),
        (
            TRANSITION,
            {"district": "利辛县", "transition_start_date": "2023-06-01", "action_date": "2028-06-02"},
            "违反",
            "违反",
            set(),
        ),
        (TEMPORARY, {"district": "原平市", "action_date": "2024-06-16"}, "违反", "待补充", set()),
        (IDLE, {"district": "乌海市本级"}, "违反", "违反", set()),
    ],
)
def test_the_gate_gives_the_examples_of_the_conventions(
    library: Library, name: str, facts: dict[str, object], logic: str, verdict: str, marks: set[str]
) -> None:
    provision = library.provisions[name]
    document = library.document(provision)
    values = library.values(provision, {**GATED[name], **facts})
    assert judge(document, provision, values).verdict == logic
    outcome = judge_gated(document, provision, values)
    assert outcome.verdict == verdict
    assert outcome.marks == marks


def test_an_old_name_of_a_district_is_inside(library: Library) -> None:
    provision = library.provisions["ankang-2023/collective-entry-xunyang"]
    facts: Facts = {"district": "旬阳县", "action_date": date(2023, 6, 1), "is_collective_entry": True}
    assert judge_gated(library.document(provision), provision, facts).verdict == "符合"


def test_the_city_decides_where_the_district_is_missing(library: Library) -> None:
    provision = library.provisions["wuhai-2023-5/flexible-term-max"]
    day: Facts = {"action_date": date(2023, 6, 1)}
    document = library.document(provision)
    assert judge_gated(document, provision, {**day, "city": "乌海市"}).verdict == "待补充"
    assert judge_gated(document, provision, {**day, "city": "亳州市"}).marks == {OUTSIDE_PLACE}


@pytest.mark.parametrize(
    ("left", "right", "conjunction", "disjunction"),
    [
        (T, T, T, T),
        (T, F, F, T),
        (T, U, U, T),
        (F, T, F, T),
        (F, F, F, F),
        (F, U, F, U),
        (U, T, U, T),
        (U, F, F, U),
        (U, U, U, U),
    ],
)
def test_connectives_are_strong_kleene(
    left: Truth, right: Truth, conjunction: Truth, disjunction: Truth
) -> None:
    assert both(left, right) is conjunction
    assert either(left, right) is disjunction
    assert [opposite(value) for value in (T, F, U)] == [F, T, U]


@pytest.mark.parametrize("ok", [T, F, U])
@pytest.mark.parametrize("x", [T, F, U])
@pytest.mark.parametrize("w", [T, F, U])
def test_the_verdict_is_the_first_row_that_fits(w: Truth, x: Truth, ok: Truth) -> None:
    rows = [
        ((F,), (T, F, U), (T, F, U), "不适用"),
        ((T, F, U), (T,), (T, F, U), "不适用"),
        ((U,), (F, U), (T, F, U), "待补充"),
        ((T,), (F, U), (T,), "符合"),
        ((T,), (U,), (F, U), "待补充"),
        ((T,), (F,), (U,), "待补充"),
        ((T,), (F,), (F,), "违反"),
    ]
    expected = next(row[3] for row in rows if w in row[0] and x in row[1] and ok in row[2])
    outcome = judge(ANYWHERE, PLAIN, {"w": w, "x": x, "r": ok})
    assert (outcome.verdict, outcome.w, outcome.x, outcome.ok) == (expected, w, x, ok)


def test_a_justified_deviation_counts_only_for_a_principle_that_is_not_closed() -> None:
    facts: Facts = {"w": T, "x": F, "r": F, "deviation_justified": T}
    principle = replace(PLAIN, strength="原则上")
    outcome = judge(ANYWHERE, principle, facts)
    assert outcome.verdict == "符合"
    assert outcome.marks == {DEVIATION}
    assert judge(ANYWHERE, PLAIN, facts).verdict == "违反"
    assert judge(ANYWHERE, replace(principle, closed=True), facts).verdict == "违反"
    assert judge(ANYWHERE, principle, {**facts, "deviation_justified": U}).verdict == "违反"
    assert judge(ANYWHERE, principle, {**facts, "r": T}).marks == frozenset()


@pytest.mark.parametrize(
    ("done", "today", "verdict", "marks"),
    [
        (date(2023, 6, 30), U, "符合", set()),
        (date(2023, 7, 1), U, "违反", set()),
        (U, date(2023, 6, 30), "符合", {NOT_YET_DUE}),
        (U, date(2023, 7, 1), "违反", set()),
        (U, U, "待补充", set()),
    ],
)
def test_a_deadline_without_a_flag_falls_back_on_the_evaluation_day(
    done: date | None, today: date | None, verdict: str, marks: set[str]
) -> None:
    deadline = Deadline('date("2023-06-30")', "finished")
    provision = replace(PLAIN, exclude=None, require=None, deadline=deadline)
    outcome = judge(ANYWHERE, provision, {"w": T, "finished": done, "as_of_date": today})
    assert outcome.verdict == verdict
    assert outcome.marks == marks


@pytest.mark.parametrize(
    ("flag", "done", "today", "verdict", "marks"),
    [
        (T, date(2023, 6, 30), U, "符合", set()),
        (T, date(2023, 7, 1), date(2023, 6, 1), "违反", set()),
        (T, U, date(2023, 6, 1), "待补充", set()),
        (F, U, date(2023, 6, 30), "符合", {NOT_YET_DUE}),
        (F, U, date(2023, 7, 1), "违反", set()),
        (U, date(2023, 6, 1), date(2023, 6, 1), "待补充", set()),
        (U, date(2023, 7, 1), date(2023, 7, 1), "违反", set()),
    ],
)
def test_a_deadline_with_a_flag_asks_whether_it_is_done(
    flag: Truth, done: date | None, today: date | None, verdict: str, marks: set[str]
) -> None:
    deadline = Deadline('date("2023-06-30")', "finished", "flag")
    provision = replace(PLAIN, exclude=None, require=None, deadline=deadline)
    outcome = judge(ANYWHERE, provision, {"w": T, "finished": done, "flag": flag, "as_of_date": today})
    assert outcome.verdict == verdict
    assert outcome.marks == marks


def test_a_target_not_yet_due_is_marked_only_while_it_is_not_met() -> None:
    provision = replace(PLAIN, exclude=None, require='n >= 80 or as_of_date <= date("2025-12-31")')
    today = date(2025, 12, 31)
    marks = [
        judge(ANYWHERE, provision, {"w": T, "n": number, "as_of_date": today}).marks
        for number in (Fraction(80), Fraction(79), None)
    ]
    assert marks == [frozenset(), {NOT_YET_DUE}, {NOT_YET_DUE}]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('add_months(date("2023-01-31"), 1)', date(2023, 2, 28)),
        ('add_months(date("2023-01-31"), 12 * 0.5)', date(2023, 7, 31)),
        ('add_months(date("2023-01-15"), 1.9)', date(2023, 2, 15)),
        ('add_years(date("2024-02-29"), 1)', date(2025, 2, 28)),
        ('add_years(date("2024-02-29"), 0.5)', date(2024, 8, 29)),
        ('add_days(date("2023-12-31"), 1)', date(2024, 1, 1)),
        ('add_workdays(date("2023-09-28"), 1)', date(2023, 10, 7)),
        ('add_workdays(date("2023-09-28"), 0)', date(2023, 9, 28)),
        ('add_workdays(date("2026-12-31"), 1)', None),
        ('roll_workday(date("2023-10-01"))', date(2023, 10, 7)),
        ('roll_workday(date("2027-01-04"))', None),
        ('later(date("2023-01-01"), date("2023-01-02"))', date(2023, 1, 2)),
        ('month(date("2023-01-02"))', "2023-01"),
        ('next_month("2022-12")', "2023-01"),
        ('day_of(date("2023-01-25"))', Fraction(25)),
        ('size({"a", "b"})', Fraction(2)),
        ('subset({"a"}, {"a", "b"})', True),
        ('contains_all({"a"}, {"a", "b"})', False),
        ("round4(6.6667 * 15)", Fraction("100.0005")),
        ("round4(0.00005)", Fraction("0.0001")),
        ('statutory_max("商业旅游娱乐")', Fraction(40)),
        ("coalesce(nothing, 3)", Fraction(3)),
        ("coalesce(nothing, nothing)", None),
        ("known(nothing)", False),
        ("anyknown(nothing, 1)", True),
        ("anyknown(nothing, nothing)", None),
        ("applicable_min_price(144, 100, 20)", Fraction(100)),
        ("applicable_min_price(144, nothing, 49.9)", None),
        ("applicable_min_price(144, nothing, 50)", Fraction(144)),
        ("applicable_min_price(144, nothing, nothing)", Fraction(144)),
        ("1 / 0", None),
        ("0.1 + 0.2 == 0.3", True),
        ("1 < 2 < nothing", None),
        ("3 < 2 < nothing", False),
        ('"a" not in {"a"}', False),
        ("not nothing", None),
    ],
)
def test_the_functions_are_those_of_the_conventions(text: str, value: Value | None) -> None:
    assert evaluate(text, {}) == value


@pytest.mark.parametrize("text", ["open(1)", '"a" < 1', "1 if true else 2", "x.y", "2 ** 3", "true and 1"])
def test_what_the_notation_does_not_have_is_an_error(text: str) -> None:
    with pytest.raises(NotationError):
        evaluate(text, {})


def test_random_facts_bring_every_verdict_up(library: Library) -> None:
    rng = random.Random(1)
    for gated in (False, True):
        count = Counter[str]()
        for provision in library.provisions.values():
            document = library.document(provision)
            for _ in range(8):
                facts = random_facts(provision, library.vocabulary, rng, document=document if gated else None)
                values = library.values(provision, facts)
                assert None not in values.values()
                count[(judge_gated if gated else judge)(document, provision, values).verdict] += 1
        assert min(count[verdict] for verdict in ("符合", "违反", "待补充", "不适用")) > 250


def test_random_facts_depend_on_the_seed_only(library: Library) -> None:
    provision = library.provisions["bozhou-2023/phased-supply-over-100mu"]

    def draw() -> list[dict[str, object]]:
        rng = random.Random(7)
        return [random_facts(provision, library.vocabulary, rng) for _ in range(20)]

    assert draw() == draw()


def test_names_are_facts_and_not_functions() -> None:
    assert names('known(a) and b in {"x"} and coalesce(c, true) and a') == ("a", "b", "c")


@pytest.mark.parametrize(
    ("name", "facts", "keys"),
    [
        ("wuhai-2023-5/flexible-term-max", {}, {"supply_mode", "grant_term", "land_use_class"}),
        (
            "wuhai-2023-5/flexible-term-max",
            {"supply_mode": "弹性年期出让"},
            {"grant_term", "land_use_class"},
        ),
        (
            "wuhai-2023-5/flexible-term-max",
            {"supply_mode": "弹性年期出让", "grant_term": 41},
            {"land_use_class"},
        ),
        (
            "wuhai-2023-5/flexible-term-max",
            {"supply_mode": "弹性年期出让", "grant_term": 40},
            {"land_use_class"},
        ),
        ("wuhai-2023-5/flexible-term-max", {"supply_mode": "出让"}, set()),
        (
            "ankang-2023/plan-unique-one-map",
            {"plan_kind": "专项规划", "special_plan_conflict": False},
            set(),
        ),
        (
            "ankang-2023/plan-unique-one-map",
            {"plan_kind": "专项规划", "special_plan_conflict": True},
            {"conflict_resolved_on_map"},
        ),
        (
            "wuhai-2023-5/idle-2023-target",
            {"unit_kind": "全市", "stat_year": 2023, "idle_disposed_year": 1},
            {"as_of_date"},
        ),
        (
            "wuhai-2023-5/base-price-update-3y",
            {"last_base_price_date": "2021-01-01", "base_price_update_date": "2023-12-01"},
            set(),
        ),
        (
            "bozhou-2023/split-min-area-max-ratio",
            {"split_transfer": True, "split_min_area": 1, "split_min_area_limit": 2},
            set(),
        ),
    ],
)
def test_relevant_are_the_missing_facts_that_can_change_the_verdict(
    library: Library, name: str, facts: dict[str, object], keys: set[str]
) -> None:
    provision = library.provisions[name]
    values = library.values(provision, facts)
    found = relevant(library.document(provision), provision, values, library.types(provision))
    assert found.exhaustive
    assert found.keys == keys


def test_the_gate_adds_place_and_day_to_what_is_relevant(library: Library) -> None:
    provision = library.provisions["wuhai-2023-5/flexible-term-max"]
    values = library.values(provision, GATED[provision.name])
    document, types = library.document(provision), library.types(provision)
    assert relevant(document, provision, values, types, gated=True).keys == {
        "district",
        "city",
        "action_date",
    }
    here = {**values, "district": "海勃湾区"}
    assert relevant(document, provision, here, types, gated=True).keys == {"action_date"}


def test_every_open_boundary_case_has_a_fact_that_would_settle_it(library: Library) -> None:
    stuck = []
    for case in library.cases:
        if case.expect == "待补充":
            provision = library.provisions[f"{case.document}/{case.provision}"]
            values = library.values(provision, case.facts)
            found = relevant(
                library.document(provision), provision, values, library.types(provision), limit=2000
            )
            if not found.keys:
                stuck.append(case.name)
    assert stuck == []
