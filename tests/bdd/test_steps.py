"""What the sentences of a scenario mean, on shipped rules, and what is said of those that mean nothing."""

from __future__ import annotations

import re

import pytest

from landrules.engine.bdd.course import Bench, Course, perform
from landrules.engine.bdd.reading import Kind
from landrules.engine.bdd.sentences import SENTENCES, understand
from landrules.engine.bdd.stopped import Stopped
from landrules.engine.rulebook import Rulebook

LEASE = "按“wuhai-2023-5/lease-term-max-20y”判断"
PHASED = "按“bozhou-2023/phased-supply-over-100mu”判断"
KINDS: dict[str, Kind] = {"假如": "given", "当": "when", "那么": "then"}


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(Rulebook.load(subjects=["parcel_supply", "split_transfer", "milestone_task"]))


@pytest.fixture
def course(bench: Bench) -> Course:
    return Course(bench)


def walk(course: Course, text: str) -> None:
    """Carry out steps written one a line, tables below their step."""
    steps: list[tuple[Kind, str, list[tuple[str, ...]]]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("|"):
            steps[-1][2].append(tuple(cell.strip() for cell in line.strip("|").split("|")))
            continue
        word, _, said = line.partition(" ")
        steps.append((KINDS.get(word, steps[-1][0] if steps else "given"), said, []))
    for kind, said, table in steps:
        perform(course, kind, said, tuple(table))


def stopped(course: Course, text: str) -> str:
    with pytest.raises(Stopped) as caught:
        walk(course, text)
    return str(caught.value)


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence.example)
def test_every_sentence_understands_its_own_example(sentence) -> None:  # type: ignore[no-untyped-def]
    said = understand(sentence.kind, sentence.example)
    assert said is not None
    first = next(
        one for one in SENTENCES if one.kind == sentence.kind and one.pattern.fullmatch(sentence.example)
    )
    assert first is sentence


@pytest.mark.parametrize(
    "facts",
    [
        "假如 一宗供地宗地\n并且 供应方式 为 长期租赁\n并且 出租年期 为 25 年",
        "假如 一宗供地宗地，供应方式 为 长期租赁，出租年期 为 25 年",
        "假如 一宗供地宗地，供应方式为长期租赁，出租年期为25年",
        "假如 有一个parcel_supply\n并且 supply_mode = 长期租赁；lease_term：300个月",
        "假如 一宗供地宗地\n并且 供应方式 为 “长期租赁”，出租年期 等于 ２５年",
        "假如 一宗供地宗地\n并且 下列事实:\n|事实|值|\n|供应方式|长期租赁|\n|出租年期（年）|25|",
        "假如 一宗供地宗地:\n|供应方式|长期租赁|\n|出租年期|25|",
        "假如 一宗供地宗地，出租年期 为 10 年\n并且 供应方式 为 长期租赁\n并且 出租年期 为 25 年",
    ],
    ids=["steps", "one step", "no spaces", "keys", "signs", "table", "table of the first step", "said again"],
)
def test_the_ways_to_state_facts(course: Course, facts: str) -> None:
    walk(course, f"{facts}\n当 {LEASE}\n那么 结论为 违反\n并且 差额为 “超出 5 年”\n并且 限值为 20 年")


def test_a_comma_inside_a_value_does_not_part_it(course: Course) -> None:
    walk(course, "假如 一宗供地宗地，项目名称 为 甲，乙合建，供应方式 为 长期租赁")

    assert course.own.carried == {"项目名称": "甲，乙合建"}
    assert set(course.own.entries) == {"supply_mode"}


@pytest.mark.parametrize(
    ("fact", "key", "state"),
    [
        ("出租年期 未填", "lease_term", None),
        ("出租年期 为 未填", "lease_term", None),
        ("出租年期 未知", "lease_term", "unknown"),
        ("出租年期 无", "lease_term", "none"),
        ("出租年期 为 不涉及", "lease_term", "none"),
        ("是否产业用地 是", "is_industry_land", "known"),
        ("是否为租赁转出让 为 否", "lease_to_grant_conversion", "known"),
    ],
)
def test_absent_unknown_and_none_are_three_things(
    course: Course, fact: str, key: str, state: str | None
) -> None:
    walk(course, f"假如 一宗供地宗地，出租年期 为 3 年\n并且 {fact}")

    entry = course.own.entries.get(key)
    assert (entry.state if entry else None) == state


def test_sets_and_units(course: Course) -> None:
    walk(course, "假如 一宗供地宗地，出让底价 为 5 万元/亩，宗地面积 为 100 亩")

    entries = course.own.entries
    assert entries["reserve_price"].value == 75
    assert entries["reserve_price"].text == "5 万元/亩"


@pytest.mark.parametrize(
    "wanted",
    [
        "结论为 待补充",
        "结论是 待补充",
        "结论为 适用缺资料",
        "结论阶段为 适用缺资料",
        "规则“wuhai-2023-5/lease-term-max-20y”的结论为 待补充",
        "wuhai-2023-5/lease-term-max-20y 结论为 待补充",
    ],
)
def test_ways_to_expect_a_verdict(course: Course, wanted: str) -> None:
    walk(course, f"假如 一宗供地宗地，供应方式 为 长期租赁\n当 {LEASE}\n那么 {wanted}")


def test_missing_facts_are_exactly_those_listed(course: Course) -> None:
    walk(course, "假如 一件分割转让\n当 按“bozhou-2023/split-no-use-change”判断\n那么 结论为 可能适用")
    labels = course.judged[0].findings[0].missing_labels

    walk(course, f"那么 缺 {'、'.join(reversed(labels))}")
    told = stopped(course, f"那么 缺 {labels[0]}、宗地面积") if len(labels) > 1 else ""
    assert "没有事实“宗地面积”" in told or not told
    if len(labels) > 1:
        assert f"另缺 {'、'.join(labels[1:])}" in stopped(course, f"那么 缺 {labels[0]}")


def test_nothing_is_missing(course: Course) -> None:
    walk(course, f"假如 一宗供地宗地，供应方式 为 出让\n当 {LEASE}\n那么 不缺资料\n并且 不适用的原因是 条件")


def test_rules_by_short_id_and_by_title(course: Course) -> None:
    for name in ("lease-term-max-20y", "租赁期限上限20年"):
        walk(course, f"假如 一宗供地宗地，供应方式 为 出让\n当 按“{name}”判断\n那么 结论为 不适用")


def test_marks_remedy_level_and_message(course: Course) -> None:
    walk(
        course,
        f"""假如 一宗供地宗地，供应方式 为 长期租赁，出租年期 为 25 年
        当 {LEASE}
        那么 标记 推定、条文外
        并且 没有标记 临界
        并且 等级为 错误
        并且 可行的改法 “不超过 20 年”
        并且 说明里有 “超出 5 年”""",
    )


def test_place_and_date_are_supplied_where_the_scenario_says_neither(course: Course) -> None:
    walk(course, f"假如 一宗供地宗地，供应方式 为 长期租赁，出租年期 为 25 年\n当 {LEASE}\n那么 结论为 违反")


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("行政区 为 谯城区，行为日期 为 2023-06-01", "不适用的原因是 辖区外"),
        ("行政区 为 海勃湾区，行为日期 为 2023-03-01", "不适用的原因是 不在有效期"),
        ("行政区 为 海勃湾区，行为日期 为 2023-03-02", "结论为 违反"),
        ("行政区 为 海勃湾区", "结论为 可能适用"),
        ("行政区 为 海勃湾区", "缺 行为日期"),
    ],
)
@pytest.mark.parametrize("how", ["在地域和日期内判断", "判断"])
def test_the_gate(course: Course, place: str, wanted: str, how: str) -> None:
    facts = f"假如 一宗供地宗地，供应方式 为 长期租赁，出租年期 为 25 年，是否一级市场供应 为 是，{place}"
    if how == "判断" and "行为日期" not in place:
        wanted = "结论为 违反"
    walk(course, f"{facts}\n当 按“wuhai-2023-5/lease-term-max-20y”{how}\n那么 {wanted}")


def test_a_date_left_blank_in_so_many_words_is_not_supplied(course: Course) -> None:
    walk(
        course,
        f"""假如 一宗供地宗地，供应方式 为 长期租赁，出租年期 为 25 年，是否一级市场供应 为 是，行为日期 未填
        当 {LEASE}
        那么 结论为 可能适用
        并且 缺 行为日期""",
    )


def test_precheck_asks_every_rule(course: Course) -> None:
    facts = "假如 一宗供地宗地，供应方式 为 长期租赁，出租年期 为 25 年，行政区 为 海勃湾区"
    walk(
        course,
        f"""{facts}，行为日期 为 2023-06-01
        当 预审
        那么 违反的规则为 wuhai-2023-5/lease-term-max-20y
        并且 “wuhai-2023-5/lease-term-max-20y”的结论为 违反""",
    )
    walk(course, "当 按 2020-06-01 预审\n那么 无适用规则\n并且 没有违反\n并且 没有待补充")
    assert "并没有 wuhai-2023-5/lease-term-max-20y" in stopped(course, "那么 违反的规则为 lease-term-max-20y")


ROWS = """假如 同一计划中有下列宗地:
| 项目名称 | 项目类型 | 宗地面积（亩） | 供地安排 | 是否有投资计划 |
| 甲 | 工业项目 | 60 | 一次性供地 | 否 |
| 甲 | 工业项目 | 60 | 一次性供地 | 否 |
| 乙 | 工业项目 | 60 | 一次性供地 | 否 |
"""


def test_rows_of_one_plan_are_judged_together(course: Course) -> None:
    walk(
        course,
        f"""{ROWS}
        当 {PHASED}
        那么 结论为 违反
        并且 第 2 行结论为 违反
        并且 第 3 行结论为 不适用
        并且 标记 推导
        并且 第 1 行关联拆分面积 推导为 60 亩""",
    )
    assert "推导得 4 公顷，不是 61 亩" in stopped(course, "那么 关联拆分面积 推导为 61 亩")
    assert "没有第 4 行；本场景的表格有 3 行" in stopped(course, "那么 第 4 行结论为 违反")


def test_a_record_beside_the_rows_is_the_one_judged(course: Course) -> None:
    walk(
        course,
        f"""假如 一宗供地宗地，项目名称 为 乙，项目类型 为 工业项目，宗地面积 为 60 亩，供地安排 为 一次性供地，是否有投资计划 为 否
        {ROWS.replace("假如", "并且")}
        当 {PHASED}
        那么 结论为 违反
        并且 第 3 行结论为 违反
        并且 关联拆分面积 推导为 60 亩""",
    )


PARCEL = "假如 一宗供地宗地，供应方式 为 长期租赁\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("假如 一宗供地宗", "没有“供地宗”这种填报表；是否指“供地宗地”？"),
        ("假如 供应方式 为 长期租赁", "还没有说明是哪种填报表；请先写“假如 一宗供地宗地”"),
        (PARCEL + "并且 供应方是 为 出让", "没有事实“供应方是”；是否指“供应方式”？"),
        (PARCEL + "并且 供应方式 为 长期出租", "没有“长期出租”这一项；是否指“长期租赁”？可填：出让、"),
        (PARCEL + "并且 出租年期 为 3 公顷", "的单位应能换算为年"),
        (PARCEL + "并且 出租年期 为 很久", "应是数字（单位 年），现为“很久”"),
        (PARCEL + "并且 出租年期 20 年", "看不懂“出租年期”后面写的“20 年”；请写成“出租年期 为 …”"),
        (PARCEL + "并且 兼容设施是否分割 为 是", "它在分割转让里"),
        (PARCEL + "并且 行为日期 为 2023-02-30", "不是有效日期"),
        (PARCEL + "并且 下列事实:", "下面应有表格"),
        (PARCEL + "并且 下列事实:\n|供应方式|为|出让|", "每行应是两格"),
        (PARCEL + "并且 出租年期 为 20 年\n|1|2|", "这一步下面不能有表格"),
        (PARCEL + "假如 一件分割转让", "一个场景只说一种填报表"),
        (PARCEL + "当 判断一下", "看不懂这一步“判断一下”"),
        (PARCEL + "当 按“lease-term-max-20”判断", "没有规则“lease-term-max-20”；是否指“wuhai-2023-5/lease-term-max-20y”？"),
        (PARCEL + "当 按 2023-13-01 预审", "不是有效日期"),
        (PARCEL + "那么 结论为 符合", "还没有判断"),
        (PARCEL + f"当 {LEASE}\n那么 结论为 合格", "没有“合格”这种结论；是否指“符合”？可写：符合、违反、"),
        (PARCEL + f"当 {LEASE}\n那么 标记 临近", "没有“临近”这种标记；是否指“临界”？"),
        (PARCEL + f"当 {LEASE}\n那么 等级为 严重", "没有“严重”这种等级"),
        (PARCEL + f"当 {LEASE}\n那么 缺 出租年", "没有事实“出租年”；是否指“出租年期”？"),
        (PARCEL + f"当 {LEASE}\n那么 应该没问题", "看不懂这一步“应该没问题”"),
        (PARCEL + f"当 {LEASE}\n那么 “wuhai-2023-5/flexible-term-max” 结论为 符合", "没有判断规则“wuhai-2023-5/flexible-term-max”"),
        (PARCEL + "当 预审\n那么 结论为 符合", "“预审”有许多条规则"),
        (f"假如 一件分割转让\n当 {LEASE}", "判断的是“供地宗地”，本场景说的是“分割转让”"),
        (f"当 {LEASE}", "本场景没有说明填报表"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_mistake(course: Course, text: str, message: str) -> None:
    assert message in stopped(course, text)


def test_a_wrong_expectation_shows_what_came_out_and_why(course: Course) -> None:
    told = stopped(course, f"{PARCEL}并且 出租年期 为 25 年\n当 {LEASE}\n那么 结论为 符合")

    assert told.startswith("结论是“违反”，不是“符合”\n  规则 wuhai-2023-5/lease-term-max-20y（二（三）2 ")
    assert "超出 5 年" in told
    assert re.search(r"读到的事实：供应方式 长期租赁；.*出租年期 25 年", told)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("结论阶段为 可能适用", "结论阶段是“没有（结论是“违反”）”"),
        ("差额为 “超出 6 年”", "差额是“超出 5 年”，不是“超出 6 年”"),
        ("限值为 25 年", "限值是“不超过 最长租赁年限（20 年）”，不是“25 年”"),
        ("标记 未到期", "标记是“推定、条文外”，不是“未到期”"),
        ("没有标记", "标记是“推定、条文外”，不是“没有”"),
        ("不适用的原因是 辖区外", "不适用的原因是“（没有）”，不是“辖区外”"),
        ("等级为 提示", "等级是“错误”，不是“提示”"),
        ("可行的改法 “改用途”", "可行的改法是“"),
        ("说明里有 “闲置”", "说明是“"),
    ],
)
def test_each_wrong_expectation_says_what_came_out(course: Course, wanted: str, found: str) -> None:
    walk(course, f"{PARCEL}并且 出租年期 为 25 年\n当 {LEASE}")

    assert found in stopped(course, f"那么 {wanted}")
