"""A report built by hand: every verdict, level, stage, reason and mark, and text that tries to break a page."""

from __future__ import annotations

from datetime import date

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import (
    CheckOptions,
    Finding,
    InputFile,
    Limit,
    Margin,
    RecordFindings,
    Remedy,
    Report,
    RulesetUsed,
    ValueRead,
)
from landrules.facts.notes import Note, Place

HOSTILE = "<script>alert('x')</script>[bold]\x1b[31m\u202e"
WUHAI = RulesetUsed(
    id="wuhai-2023-5",
    title="乌海市深化土地综合整治促进高质量发展实施方案",
    number="乌海政发〔2023〕5号",
    hash="sha256:0123456789abcdef0123456789abcdef",
    period="2023-03-02 起",
    presumed="文件未写施行日，以印发日为准",
)
BOZHOU = RulesetUsed(
    id="bozhou-2023",
    title="亳州市节约集约用地试点方案",
    number="亳政〔2023〕1号",
    hash="sha256:fedcba9876543210fedcba9876543210",
    period="2023-03-01 至 2026-02-28",
)


def lease_violated() -> Finding:
    return Finding(
        rule="wuhai-2023-5/lease-term-max-20y",
        document="wuhai-2023-5",
        title="长期租赁期限上限",
        clause="二（三）2",
        verdict=Verdict.VIOLATED,
        stage=None,
        modality="禁止",
        strength="必须",
        level="错误",
        message="租赁期限与自动续租年限合计 25 年，超过最长租赁年限 20 年",
        values=(
            ValueRead("supply_mode", "供地方式", "长期租赁", "长期租赁", "known"),
            ValueRead("lease_term", "租赁期限", "25 年", "300个月", "known"),
            ValueRead("auto_renewal_years", "自动续租年限", "", "", "missing"),
        ),
        limit=Limit("不超过 20 年", "20", "年", "最长租赁年限"),
        margin=Margin("5", "年", "超出 5 年"),
        marks=("推定",),
        presumptions=("自动续租年限未填，按 0 年",),
        remedies=(Remedy("lease_term", "租赁期限改为不超过 20 年"),),
    )


def price_violated() -> Finding:
    return Finding(
        rule="wuhai-2023-5/industrial-price-floor",
        document="wuhai-2023-5",
        title="工业用地出让价款下限",
        clause="二（四）1",
        verdict=Verdict.VIOLATED,
        stage=None,
        modality="义务",
        strength="原则上",
        level="提示",
        message="出让价款低于最低价标准的 70%",
        values=(
            ValueRead(
                "deal_price", "成交价款", "448 万元", "448", "known", "configured", "乌海政办发〔2022〕1号"
            ),
        ),
        limit=Limit("不低于 448.0006 万元", "448.0006", "万元"),
        margin=Margin("0.0006", "万元", "还差 0.0006 万元"),
        marks=("临界", "条文外"),
        derived="70% 的基数取自全国工业用地出让最低价标准",
    )


def encouraged() -> Finding:
    return Finding(
        rule="wuhai-2023-5/solar-roof",
        document="wuhai-2023-5",
        title="倡导屋顶光伏",
        clause="三（二）",
        verdict=Verdict.VIOLATED,
        stage=None,
        modality="倡导",
        strength="鼓励",
        level="信息",
        message="未利用屋顶",
    )


def met(rule: str = "wuhai-2023-5/flexible-term-max") -> Finding:
    return Finding(
        rule=rule,
        document="wuhai-2023-5",
        title="弹性年期上限",
        clause="二（三）1",
        verdict=Verdict.MET,
        stage=None,
        modality="禁止",
        strength="必须",
        level="错误",
        message="出让年限 30 年，不超过 50 年",
        values=(ValueRead("grant_term", "出让年限", "30 年", "30年", "known"),),
        limit=Limit("不超过 50 年", "50", "年"),
        margin=Margin("20", "年", "余 20 年"),
        marks=("未到期",),
    )


def missing(*keys: str) -> Finding:
    labels = {"start_date": "开工日期", "supply_area": "供应面积"}
    return Finding(
        rule="wuhai-2023-5/phased-supply-start",
        document="wuhai-2023-5",
        title="分期供应首期一年内开工",
        clause="二（三）4",
        verdict=Verdict.OPEN,
        stage="requirement",
        modality="时限",
        strength="必须",
        level="错误",
        message="缺 " + "、".join(labels[key] for key in keys),
        values=tuple(ValueRead(key, labels[key], "", "待定", "unknown") for key in keys),
        missing=keys,
        missing_labels=tuple(labels[key] for key in keys),
    )


def possible() -> Finding:
    return Finding(
        rule="bozhou-2023/split-no-use-change",
        document="bozhou-2023",
        title="分割不得改变用途",
        clause="第二十六条",
        verdict=Verdict.OPEN,
        stage="applicability",
        modality="禁止",
        strength="必须",
        level="错误",
        message="是否适用待定，缺 是否分割",
        missing=("is_split", "supply_area"),
        missing_labels=("是否分割", "供应面积"),
    )


def outside() -> Finding:
    return Finding(
        rule="bozhou-2023/compatible-area-cap",
        document="bozhou-2023",
        title="兼容设施面积上限",
        clause="第二十六条",
        verdict=Verdict.NOT_APPLICABLE,
        stage=None,
        modality="禁止",
        strength="必须",
        level="错误",
        message="辖区外",
        reason="place",
    )


def broken() -> Finding:
    return Finding(
        rule="bozhou-2023/price-index",
        document="bozhou-2023",
        title="地价指数",
        clause="第二十一条",
        verdict=Verdict.ERROR,
        stage=None,
        modality="指标",
        strength="必须",
        level="错误",
        message="执行出错：除数过大",
    )


def record(
    number: int, *findings: Finding, name: str = "光伏组件厂", notes: tuple[Note, ...] = ()
) -> RecordFindings:
    return RecordFindings(
        id=f"WH-{number:02}",
        subject="parcel_supply",
        subject_label="宗地供应",
        place=Place("计划.xlsx", "宗地表", number + 2),
        carried={"项目名称": name, "地块编号": f"WH-{number:02}"},
        findings=tuple(sorted(findings, key=lambda finding: finding.rule)),
        notes=notes,
    )


def sample_report() -> Report:
    """Eight records: two violated, one 鼓励 only, one lacking facts, one perhaps open, one met, one outside, one broken."""
    bad_cell = Note(
        "error",
        "value",
        "“租赁期限”应是数字（单位 年），现为“70年、40年”；请按用途或宗地拆成多行",
        Place("计划.xlsx", "宗地表", 6, "租赁期限"),
    )
    return Report(
        engine="landrules 0.1.0",
        rulesets=(BOZHOU, WUHAI),
        options=CheckOptions(on=date(2023, 6, 1), place="海勃湾区"),
        inputs=(InputFile("计划.xlsx", "sha256:aaaabbbbccccddddeeeeffff"),),
        input_hash="sha256:aaaabbbbccccddddeeeeffff",
        records=(
            record(1, lease_violated(), price_violated(), met(), possible(), outside()),
            record(2, lease_violated(), outside(), name=HOSTILE),
            record(3, encouraged(), met(), outside()),
            record(4, missing("start_date"), possible(), outside(), notes=(bad_cell,)),
            record(5, missing("start_date", "supply_area"), met(), outside()),
            record(6, met(), outside()),
            record(7, outside()),
            record(8, broken(), met(), outside()),
        ),
        notes=(
            Note(
                "warning",
                "unknown-column",
                "不认识的列“租期”；是否指“租赁期限”？",
                Place("计划.xlsx", "宗地表", 2),
            ),
        ),
    )


def clean_report() -> Report:
    """One record that meets the only rule."""
    report = sample_report()
    return Report(
        report.engine, (WUHAI,), CheckOptions(), report.inputs, report.input_hash, (record(6, met()),)
    )
