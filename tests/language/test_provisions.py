"""Provisions of the five documents, put into the language by hand over the shipped vocabulary."""

import pytest

from landrules.engine.language import (
    DATE,
    TRUTH,
    Kind,
    Scope,
    TableKind,
    check_requirement,
    kind_of,
    kind_of_fact,
    parse,
    sentence,
    write,
)
from landrules.facts.quantities import Dimension

YEARS = Kind("number", Dimension(month=1))
AREA = Kind("number", Dimension(area=1))

TRANSLATED = [
    (
        "lease-term-max-20y when",
        "parcel_supply",
        "供应方式 属于 {长期租赁、短期租赁、租赁} 且 缺省(是否一级市场供应, 是)",
        TRUTH,
    ),
    (
        "lease-term-max-20y require",
        "parcel_supply",
        (
            "任一已知(出租年期, 较晚(租期起始日, 租期届满日)) 且 "
            "缺省(出租年期 + 缺省(约定续租年限, 0 年) 不超过 最长租赁年限, 是) 且 "
            "缺省(月后(租期届满日, 缺省(约定续租年限, 0 年)) 不晚于 年后(租期起始日, 最长租赁年限), 是)"
        ),
        TRUTH,
    ),
    (
        "phased-supply-over-100mu when",
        "parcel_supply",
        "项目类型 为 工业项目 且 四舍五入(宗地面积 + 缺省(关联拆分面积, 0 亩), 亩, 4) 超过 100 亩",
        TRUTH,
    ),
    ("phased-supply-over-100mu require", "parcel_supply", "供地安排 为 分期供地", TRUTH),
    (
        "phased-supply-over-100mu unless",
        "parcel_supply",
        "是否有投资计划 且 宗地规划建筑面积 超过 0 平方米 且 一年内计划开工建筑面积 ÷ 宗地规划建筑面积 不低于 80%",
        TRUTH,
    ),
    (
        "three-permits-one-workday due",
        "parcel_supply",
        "工作日后(较晚(合同签订日, 缴款完成日), 1 个工作日)",
        DATE,
    ),
    ("monthly-satellite-bulletin when", "work_mechanism", "通报所涉月份 不早于 2022-04", TRUTH),
    (
        "monthly-satellite-bulletin require",
        "work_mechanism",
        "所属月份(通报印发日) 等于 次月(通报所涉月份) 且 通报对象 包含全部 {县区政府、县区自然资源局}",
        TRUTH,
    ),
    (
        "zone-bottom-third when",
        "annual_indicator",
        (
            "统计单元类别 为 开发区 且 2023 年 不超过 统计年度 不超过 2025 年 且 开发区级别 为 省级 且 "
            "(参评开发区总数 − 本年评价名次 + 1) × 3 不超过 参评开发区总数 且 "
            "本年评价名次 不低于 上年评价名次 且 上年评价名次 不低于 前年评价名次"
        ),
        TRUTH,
    ),
    ("zone-bottom-third require", "annual_indicator", "项数(已采取处理) 不低于 1", TRUTH),
    (
        "industrial-min-price-ban when",
        "parcel_supply",
        "项目类型 为 工业项目 且 缺省(供应方式, 出让) 属于 {出让、弹性年期出让、先租后让}",
        TRUTH,
    ),
    (
        "industrial-min-price-ban require",
        "parcel_supply",
        (
            "出让底价 不低于 适用最低价(工业用地最低价标准, 年期修正后最低价, 出让年期) 或 "
            "缺省(供应方式, 出让) 属于 {弹性年期出让、先租后让} 且 非 任一已知(出让年期, 年期修正后最低价)"
        ),
        TRUTH,
    ),
    (
        "industrial-min-price-ban unless",
        "parcel_supply",
        (
            "是否自治区优先发展产业 且 是否认定用地集约 且 "
            "出让底价 不低于 适用最低价(工业用地最低价标准, 年期修正后最低价, 出让年期) × 70% 且 "
            "出让底价 不低于 土地成本之和 或 缺省(是否有其他减价依据, 否)"
        ),
        TRUTH,
    ),
    (
        "lease-then-grant-total-term require",
        "parcel_supply",
        "出租年期 + 缺省(此前已租年限, 0 年) + 出让年期 不超过 法定最高出让年限(法定年限用途类别)",
        TRUTH,
    ),
    (
        "discount floor",
        "parcel_supply",
        "出让底价 不低于 工业用地最低价标准 × 最低折扣比例",
        TRUTH,
    ),
    (
        "standard land share",
        "annual_indicator",
        "标准地宗数 ÷ 出让工业用地宗数 超过 上年标准地宗数占比",
        TRUTH,
    ),
    ("replenish-mainly-own", "annual_indicator", "县内补充耕地面积 × 2 超过 补充耕地总面积", TRUTH),
    (
        "annex-monthly-25",
        "work_mechanism",
        "所属月份(当月报送日) 等于 报送所属月份 且 日号(当月报送日) 不超过 25",
        TRUTH,
    ),
    (
        "city-review-5wd due",
        "approval_dossier",
        "工作日后(市局收件日, 5 个工作日 + 缺省(补正扣除工作日, 0 个工作日))",
        DATE,
    ),
    ("three-week-clear due", "approval_dossier", "顺延至工作日(日后(报批件受理日, 21 日))", DATE),
    (
        "ancillary exclude",
        "parcel_supply",
        (
            "配套用房用地面积 ÷ 宗地面积 不超过 7% 且 "
            "配套用房用途 仅限于 {行政办公、办公用房、生活服务设施、宿舍}"
        ),
        TRUTH,
    ),
    ("pilot area", "parcel_supply", "行政区 为 “旬阳市” 或 未到期(2023-12-31)", TRUTH),
    (
        "std-land indicators",
        "parcel_supply",
        "纳入方案的控制指标 包含全部 {固定资产投资强度、亩均税收、能耗标准、容积率、用地标准}",
        TRUTH,
    ),
    ("derived split area", "parcel_supply", "合计(宗地面积 按 项目名称) − 宗地面积", AREA),
]


@pytest.mark.parametrize(
    ("subject", "text", "kind"),
    [case[1:] for case in TRANSLATED],
    ids=[case[0] for case in TRANSLATED],
)
def test_a_provision_is_read_typed_written_and_told(subject, text, kind, vocabulary):
    supply = vocabulary.subjects["parcel_supply"]
    scope = Scope(
        vocabulary.subjects[subject],
        parameters={"最长租赁年限": YEARS},
        tables={"法定最高出让年限": TableKind(kind_of_fact(supply.facts["land_use_class"]), YEARS)},
        identifying=tuple(vocabulary.identifying),
    )
    tree = parse(text, scope, kind)
    assert write(tree, scope) == text
    assert parse(text.replace(" ", ""), scope) == tree
    assert kind_of(tree, scope).type == kind.type
    assert sentence(tree, {"最长租赁年限": "20 年"}, scope)
    if kind == TRUTH:
        check_requirement(tree, scope)


def test_every_name_of_the_vocabulary_is_read_as_itself(vocabulary):
    for subject in vocabulary.subjects.values():
        scope = Scope(subject)
        for fact in subject.facts.values():
            tree = parse(f"已知({fact.label}) 且 已知({fact.key})", scope)
            assert write(tree, scope) == f"已知({fact.label}) 且 已知({fact.label})"


def test_every_allowed_value_of_the_vocabulary_is_read_as_itself(vocabulary):
    for subject in vocabulary.subjects.values():
        scope = Scope(subject)
        for fact in subject.facts.values():
            if fact.values:
                word = "仅限于" if fact.type == "set" else "属于"
                text = f"{fact.label} {word} {{{'、'.join(fact.values)}}}"
                assert write(parse(text, scope), scope) == text
