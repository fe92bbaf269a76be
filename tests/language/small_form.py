"""A small form with every type of fact and every trap in its names, and the scope over it."""

from typing import Any

from landrules.engine.language import Kind, Scope, TableKind, kind_of_fact, parse
from landrules.facts.quantities import Dimension, find_unit
from landrules.facts.vocabulary import Fact, Subject

FACTS = (
    ("lease_term", "租赁期限", "number", "年", ()),
    ("renewal", "自动续租年限", "number", "年", ()),
    ("stat_year", "统计年度", "integer", "年", ()),
    ("land_area", "宗地面积", "number", "公顷", ()),
    ("split_area", "关联拆分面积", "number", "公顷", ()),
    ("gfa", "建筑面积", "number", "平方米", ()),
    ("plot_ratio", "容积率", "number", "无", ()),
    ("reserve_price", "出让底价", "number", "元每平方米", ()),
    ("min_price", "最低价标准", "number", "元每平方米", ()),
    ("adjusted_price", "修正后标准", "number", "元每平方米", ()),
    ("deal_price", "成交价款", "number", "万元", ()),
    ("share", "工业占比", "number", "%", ()),
    ("total", "总宗数", "integer", "无", ()),
    ("standard_total", "标准地宗数", "integer", "无", ()),
    ("notice_days", "公示天数", "integer", "日", ()),
    ("correction", "补正工作日", "integer", "工作日", ()),
    ("minutes", "步行时间", "integer", "分钟", ()),
    ("load", "载重", "number", "公斤", ()),
    ("mode", "供地方式", "enum", "无", ("出让", "长期租赁", "短期租赁", "划拨", "无", "是")),
    ("land_use", "用途", "enum", "无", ("工业", "仓储", "其他（含配套）", "综合或其他")),
    ("old_use", "原用途", "enum", "无", ("工业", "仓储", "农业")),
    ("controls", "控制指标", "set", "无", ("容积率", "亩均税收", "Ⅱ级保护林地", "乡村产业10%")),
    ("measures", "处理措施", "set", "无", ("通报", "约谈", "限批")),
    ("primary", "是否政府一级供应", "bool", "无", ()),
    ("joint", "是否与社会资本共同投资建设", "bool", "无", ()),
    ("life_cycle", "年期确定是否考虑产业生命周期", "bool", "无", ()),
    ("start", "起始日", "date", "无", ()),
    ("end", "届满日", "date", "无", ()),
    ("signed", "合同签订日", "date", "无", ()),
    ("as_of_date", "评价基准日", "date", "无", ()),
    ("report_month", "报送月份", "text", "无", ()),
    ("district", "行政区", "text", "无", ()),
)


def small_subject() -> Subject:
    facts = {}
    for key, label, fact_type, unit_name, values in FACTS:
        unit = find_unit(unit_name)
        assert unit is not None
        month = "YYYY-MM" if key == "report_month" else None
        facts[key] = Fact(key, label, fact_type, unit, "", values=values, format=month)  # type: ignore[arg-type]
    names = {fact.label: fact for fact in facts.values()} | {"地块面积": facts["land_area"]}
    return Subject("parcel", "宗地", "", facts, names)


def small_scope() -> Scope:
    subject = small_subject()
    years = Kind("number", Dimension(month=1))
    basis: dict[str, Any] = {
        "parameters": {
            "最长租赁年限": years,
            "最低占比": Kind("number", Dimension(ratio=True)),
            "限定用途": kind_of_fact(subject.facts["land_use"]),
            "起算日": Kind("date"),
        },
        "tables": {"法定最高年限": TableKind(kind_of_fact(subject.facts["land_use"]), years)},
        "identifying": ("项目名称", "位置"),
    }
    plain = Scope(subject, **basis)
    definitions = {
        "合并面积": parse("宗地面积 + 缺省(关联拆分面积, 0 亩)", plain),
        "属于租赁供地": parse("供地方式 属于 {长期租赁、短期租赁}", plain),
    }
    return Scope(subject, **basis, definitions=definitions)


SCOPE = small_scope()
