"""What a finding tells a person, through the public door: records in, findings out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from landrules.engine import CheckOptions, Finding, Report, Rulebook, Verdict, check_dicts
from landrules.engine.language import tree as t

WUHAI = {"行政区": "海勃湾区", "行为日期": "2023-06-01"}
BOZHOU = {"行政区": "谯城区", "行为日期": "2023-06-01"}
LEASE = "wuhai-2023-5/lease-term-max-20y"
PHASED = "bozhou-2023/phased-supply-over-100mu"


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return Rulebook.load(subjects=["parcel_supply"])


def parcels(rulebook: Rulebook, *facts: Mapping[str, object], **options: object) -> Report:
    records = [
        {"subject": "parcel_supply", "id": str(number), "facts": dict(one)}
        for number, one in enumerate(facts)
    ]
    return check_dicts(rulebook, records, CheckOptions(**options))  # type: ignore[arg-type]


def finding(report: Report, rule: str, record: int = 0) -> Finding:
    return next(found for found in report.records[record].findings if found.rule == rule)


def test_a_violation_says_what_was_read_the_limit_the_margin_and_what_would_mend_it(
    rulebook: Rulebook,
) -> None:
    facts = WUHAI | {"供应方式": "长期租赁", "出租年期": "18年", "约定续租年限": 7}
    found = finding(parcels(rulebook, facts), LEASE)
    assert found.verdict is Verdict.VIOLATED
    assert found.level == "错误"
    assert found.limit
    assert (found.limit.value, found.limit.unit) == ("20", "年")
    assert found.margin
    assert (found.margin.value, found.margin.unit, found.margin.text) == (
        "5",
        "年",
        "超出 5 年",
    )
    assert [remedy.text for remedy in found.remedies] == [
        "出租年期降到不超过 13 年",
        "约定续租年限降到不超过 2 年",
    ]
    read = {value.key: (value.text, value.state) for value in found.values}
    assert read["lease_term"] == ("18 年", "known")
    assert read["lease_start_date"] == ("", "missing")


def test_every_remedy_offered_makes_the_rule_no_longer_violated(rulebook: Rulebook) -> None:
    facts = WUHAI | {"供应方式": "长期租赁", "出租年期": "18年", "约定续租年限": 7}
    for change in ({"出租年期": 13}, {"约定续租年限": 2}):
        assert finding(parcels(rulebook, facts | change), LEASE).verdict is Verdict.MET
    for change in ({"出租年期": "13.01"}, {"约定续租年限": "2.01"}):
        assert finding(parcels(rulebook, facts | change), LEASE).verdict is Verdict.VIOLATED


def test_a_missing_fact_is_never_read_as_zero(rulebook: Rulebook) -> None:
    found = finding(parcels(rulebook, WUHAI | {"供应方式": "长期租赁"}), LEASE)
    assert found.verdict is Verdict.OPEN
    assert found.stage == "requirement"
    assert "lease_term" in found.missing


@pytest.mark.parametrize("written", ["未知", "无", "不涉及", ""])
def test_unknown_none_and_blank_settle_nothing(rulebook: Rulebook, written: str) -> None:
    found = finding(parcels(rulebook, WUHAI | {"供应方式": "长期租赁", "出租年期": written}), LEASE)
    assert found.verdict is Verdict.OPEN
    states = {"未知": "unknown", "无": "none", "不涉及": "none", "": "missing"}
    assert next(value.state for value in found.values if value.key == "lease_term") == states[written]


def test_an_open_condition_is_told_apart_from_an_open_requirement(rulebook: Rulebook) -> None:
    found = finding(parcels(rulebook, WUHAI | {"出租年期": 25}), LEASE)
    assert (found.verdict, found.stage) == (Verdict.OPEN, "applicability")
    assert found.message.startswith("可能适用")


def test_a_default_reading_is_named_as_the_presumption_a_verdict_rests_on(rulebook: Rulebook) -> None:
    facts = WUHAI | {"供应方式": "长期租赁", "出租年期": 15}
    found = finding(parcels(rulebook, facts), LEASE)
    assert found.verdict is Verdict.MET
    assert "推定" in found.marks
    assert any("约定续租年限" in text for text in found.presumptions)
    stated = facts | {"约定续租年限": 0, "是否一级市场供应": "是"}
    stated |= {"租期起始日": "2023-07-01", "租期届满日": "2038-07-01"}
    assert "推定" not in finding(parcels(rulebook, stated), LEASE).marks


def test_a_value_within_the_rounding_of_the_limit_is_borderline(rulebook: Rulebook) -> None:
    base = BOZHOU | {
        "项目类型": "工业项目",
        "供地安排": "一次性供地",
        "关联拆分面积": 0,
        "是否有投资计划": "否",
    }
    near = finding(parcels(rulebook, base | {"宗地面积": "6.6667"}), PHASED)
    assert near.verdict is Verdict.VIOLATED
    assert "临界" in near.marks
    far = finding(parcels(rulebook, base | {"宗地面积": "7.5000"}), PHASED)
    assert far.verdict is Verdict.VIOLATED
    assert "临界" not in far.marks


def test_agreed_terms_are_exact_and_never_borderline(rulebook: Rulebook) -> None:
    found = finding(
        parcels(rulebook, WUHAI | {"供应方式": "长期租赁", "出租年期": 20, "约定续租年限": 0}), LEASE
    )
    assert found.verdict is Verdict.MET
    assert found.margin
    assert found.margin.text == "正好达到界限"
    assert "临界" not in found.marks


def test_plots_of_one_project_are_added_up_and_the_finding_names_the_rows(rulebook: Rulebook) -> None:
    plot = BOZHOU | {"项目类型": "工业项目", "供地安排": "一次性供地", "是否有投资计划": "否", "宗地面积": 4}
    report = parcels(
        rulebook, plot | {"项目名称": "甲厂"}, plot | {"项目名称": "甲厂"}, plot | {"项目名称": "乙厂"}
    )
    split = finding(report, PHASED)
    assert split.verdict is Verdict.VIOLATED
    assert "推导" in split.marks
    derived = next(value for value in split.values if value.key == "related_split_area")
    assert (derived.text, derived.origin) == ("4 公顷", "derived")
    assert "2 行" in derived.basis
    assert finding(report, PHASED, 2).verdict is Verdict.NOT_APPLICABLE


def test_without_derivation_each_plot_stands_alone(rulebook: Rulebook) -> None:
    plot = BOZHOU | {"项目类型": "工业项目", "供地安排": "一次性供地", "宗地面积": 4, "项目名称": "甲厂"}
    report = parcels(rulebook, plot, plot, derive=False)
    assert finding(report, PHASED).verdict is Verdict.NOT_APPLICABLE


def test_masked_project_names_are_not_one_project(rulebook: Rulebook) -> None:
    plot = BOZHOU | {"项目类型": "工业项目", "供地安排": "一次性供地", "宗地面积": 4, "项目名称": "（略）"}
    assert finding(parcels(rulebook, plot, plot), PHASED).verdict is Verdict.NOT_APPLICABLE


def test_a_written_split_area_is_not_replaced_by_the_derivation(rulebook: Rulebook) -> None:
    plot = BOZHOU | {"项目类型": "工业项目", "供地安排": "一次性供地", "宗地面积": 4, "项目名称": "甲厂"}
    report = parcels(rulebook, plot | {"关联拆分面积": 0}, plot)
    assert finding(report, PHASED).verdict is Verdict.NOT_APPLICABLE


def test_the_date_option_judges_as_if_done_that_day(rulebook: Rulebook) -> None:
    facts = {"行政区": "海勃湾区", "供应方式": "长期租赁", "出租年期": 25, "行为日期": "2020-01-01"}
    before = finding(parcels(rulebook, facts), LEASE)
    assert (before.verdict, before.reason) == (Verdict.NOT_APPLICABLE, "date")
    assert finding(parcels(rulebook, facts, on=date(2023, 6, 1)), LEASE).verdict is Verdict.VIOLATED


def test_the_place_option_fills_only_records_without_a_place(rulebook: Rulebook) -> None:
    lease = {"供应方式": "长期租赁", "出租年期": 25, "行为日期": "2023-06-01"}
    report = parcels(rulebook, lease, lease | {"行政区": "谯城区"}, place="海勃湾区")
    assert finding(report, LEASE, 0).verdict is Verdict.VIOLATED
    assert finding(report, LEASE, 1).reason == "place"


@pytest.mark.parametrize("place", ["海勃湾区", "150302", "内蒙古自治区乌海市海勃湾区", "乌海市海勃湾区"])
def test_a_place_is_known_by_name_code_and_full_name(rulebook: Rulebook, place: str) -> None:
    facts = {"行政区": place, "供应方式": "长期租赁", "出租年期": 25, "行为日期": "2023-06-01"}
    assert finding(parcels(rulebook, facts), LEASE).verdict is Verdict.VIOLATED


def test_an_unknown_place_is_told_and_nothing_is_called_met(rulebook: Rulebook) -> None:
    report = parcels(rulebook, {"行政区": "海勃弯区", "供应方式": "长期租赁", "行为日期": "2023-06-01"})
    assert {found.verdict for found in report.records[0].findings} == {Verdict.NOT_APPLICABLE}
    assert any("海勃湾区" in note.message and note.severity == "error" for note in report.records[0].notes)


def test_a_place_that_no_document_binds_has_no_applicable_rule_and_is_no_slip(rulebook: Rulebook) -> None:
    report = parcels(rulebook, {"行政区": "朝阳区", "供应方式": "长期租赁", "行为日期": "2023-06-01"})
    assert {found.reason for found in report.records[0].findings} == {"place"}
    assert {note.severity for note in report.records[0].notes} == {"warning"}


def test_the_order_of_records_changes_only_the_order_of_the_report(rulebook: Rulebook) -> None:
    rows = [
        WUHAI | {"供应方式": "长期租赁", "出租年期": years, "项目名称": name}
        for years, name in ((15, "甲"), (25, "乙"), (None, "丙"))
    ]
    forward, backward = parcels(rulebook, *rows), parcels(rulebook, *reversed(rows))
    assert [record.findings for record in forward.records] == [
        record.findings for record in reversed(backward.records)
    ]


def test_a_rule_that_breaks_is_told_and_stops_nothing_else(rulebook: Rulebook) -> None:
    broken = replace(rulebook.rules[LEASE][0], require=t.Add(t.TextConstant("甲"), t.TextConstant("乙")))
    damaged = replace(rulebook, rules={**rulebook.rules, LEASE: (broken,)})
    report = parcels(
        damaged,
        WUHAI | {"供应方式": "长期租赁", "出租年期": 15, "是否产业用地": "是", "是否房地产用地": "否"},
    )
    assert finding(report, LEASE).verdict is Verdict.ERROR
    assert finding(report, "wuhai-2023-5/flexible-supply-scope").verdict is Verdict.MET


def test_a_violated_principle_tells_of_the_deviation_channel_and_a_justified_one_is_met(
    rulebook: Rulebook,
) -> None:
    rule = "wuhai-2023-5/price-not-below-cost"
    facts = WUHAI | {"项目类型": "工业项目", "供应方式": "出让", "出让底价": 60, "土地成本之和": "66.5"}
    found = finding(parcels(rulebook, facts), rule)
    assert (found.verdict, found.level) == (Verdict.VIOLATED, "提示")
    assert "原则上" in found.message
    justified = finding(parcels(rulebook, facts | {"偏离理由是否已书面认可": "是"}), rule)
    assert justified.verdict is Verdict.MET
    assert "偏离已说明" in justified.marks


def test_a_price_published_in_whole_yuan_is_compared_exactly_and_marked(rulebook: Rulebook) -> None:
    rule = "wuhai-2023-5/industrial-min-price-ban"
    facts = WUHAI | {"项目类型": "工业项目", "供应方式": "出让", "出让年期": 50, "工业用地最低价标准": 168}
    facts |= {"是否自治区优先发展产业": "否", "是否认定用地集约": "否"}
    found = finding(parcels(rulebook, facts | {"出让底价": "167.9998"}), rule)
    assert found.verdict is Verdict.VIOLATED
    assert found.margin
    assert found.margin.value == "0.0002"
    rounded = finding(parcels(rulebook, facts | {"出让底价": "11.2 万元/亩"}), rule)
    assert rounded.verdict is Verdict.MET
    assert "临界" in rounded.marks


@pytest.mark.parametrize(
    "damaged", [{"约定续租年限": "若干年"}, {"租期届满日": "8014-01-01"}, {"租期起始日": "2023-02-30"}]
)
def test_nothing_is_met_where_a_fact_that_the_rule_reads_could_not_be_read(
    rulebook: Rulebook, damaged: Mapping[str, object]
) -> None:
    lease = WUHAI | {
        "供应方式": "长期租赁",
        "出租年期": "19.99",
        "租期起始日": "2023-06-01",
        "租期届满日": "2043-05-01",
    }
    assert finding(parcels(rulebook, lease), LEASE).verdict is Verdict.MET
    found = finding(parcels(rulebook, lease | damaged), LEASE)
    assert found.verdict is Verdict.OPEN
    assert len(found.missing) >= 1


def test_a_lease_far_into_the_next_century_is_violated_whatever_term_is_stated(rulebook: Rulebook) -> None:
    lease = WUHAI | {
        "供应方式": "长期租赁",
        "出租年期": "19.99",
        "租期起始日": "2023-06-01",
        "租期届满日": "2128-05-01",
    }
    assert finding(parcels(rulebook, lease), LEASE).verdict is Verdict.VIOLATED


def test_a_monstrous_number_of_working_days_settles_nothing_and_breaks_nothing() -> None:
    rule = "xinzhou-2022-90/city-review-5wd"
    facts = {
        "行政区": "原平市",
        "行为日期": "2023-06-01",
        "市局是否收到材料": "是",
        "市局收件日": "2023-06-01",
    }
    facts |= {"补正扣除工作日": "9" * 60, "city_submit_date": "2023-06-02"}
    book = Rulebook.load(subjects=["approval_dossier"])
    report = check_dicts(book, [{"subject": "approval_dossier", "id": "1", "facts": facts}])
    assert not report.records[0].notes or all(note.severity == "info" for note in report.records[0].notes)
    assert finding(report, rule).verdict is Verdict.OPEN


def test_working_days_beyond_the_calendar_name_the_missing_year() -> None:
    rule = "bozhou-2023/three-permits-one-workday"
    facts = {"行政区": "谯城区", "行为日期": "2025-06-01", "是否带方案出让": "是"}
    facts |= {"合同签订日": "2026-12-31", "payment_done_date": "2026-12-31", "评价基准日": "2027-01-10"}
    found = finding(
        check_dicts(Rulebook.load(), [{"subject": "parcel_supply", "id": "1", "facts": facts}]), rule
    )
    assert found.verdict is Verdict.OPEN
    assert any("缺少2027年放假安排" in note for note in found.notes)
