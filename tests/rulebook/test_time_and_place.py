"""Time and place end to end: first and last day, versions, names of places, places that nothing binds."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landrules.engine.api import check_dicts
from landrules.engine.findings.model import Report
from landrules.engine.report.console import render_console
from landrules.engine.report.summary import status_of
from landrules.engine.rulebook import Rulebook
from rulebook.small_rulesets import RULES, ruleset

FIRST = date(2023, 3, 2)
DISTRICTS = ("东区", "西县", "老东县", "某市", "南区")


@pytest.fixture(scope="module")
def shipped() -> Rulebook:
    return Rulebook.load(subjects=["供地宗地"])


def judged(rulebook: Rulebook, day: date | str, district: str, years: int = 25) -> Report:
    facts = {
        "行政区": district,
        "供应方式": "长期租赁",
        "出租年期": f"{years}年",
        "行为日期": str(day),
    }
    return check_dicts(rulebook, [{"subject": "parcel_supply", "id": "A", "facts": facts}])


@cache
def versions(turn: date | None) -> Rulebook:
    """The small ruleset; from the day `turn` on in a version with a shorter term."""
    rules = RULES
    if turn is not None:
        later = RULES.removeprefix("rules:\n").replace("20年", "10年")
        last = turn - timedelta(days=1)
        rules = RULES.replace("    when:", f"    effective: {{to: {last}}}\n    when:")
        rules += later.replace("    when:", f"    effective: {{from: {turn}}}\n    when:")
    with TemporaryDirectory() as folder:
        return Rulebook.load(ruleset(Path(folder), rules=rules), subjects=["供地宗地"])


# --- versions -------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    turn=st.sampled_from([FIRST + timedelta(days=days) for days in (1, 2, 30, 365, 366, 1000)]),
    before=st.integers(min_value=1, max_value=1100),
    district=st.sampled_from(DISTRICTS),
    years=st.integers(min_value=1, max_value=40),
)
def test_a_new_version_changes_no_verdict_before_its_first_day(
    turn: date, before: int, district: str, years: int
) -> None:
    day = turn - timedelta(days=before)
    old, new = (judged(versions(book), day, district, years) for book in (None, turn))
    for mine, theirs in zip(old.records[0].findings, new.records[0].findings, strict=True):
        assert (mine.verdict, mine.stage, mine.reason, mine.values, mine.limit, mine.margin) == (
            theirs.verdict,
            theirs.stage,
            theirs.reason,
            theirs.values,
            theirs.limit,
            theirs.margin,
        )


@settings(deadline=None, max_examples=40)
@given(
    turn=st.sampled_from([FIRST + timedelta(days=days) for days in (1, 2, 30, 365, 366, 1000)]),
    after=st.integers(min_value=0, max_value=2000),
    years=st.integers(min_value=1, max_value=40),
)
def test_from_its_first_day_on_the_new_version_holds(turn: date, after: int, years: int) -> None:
    (finding,) = judged(versions(turn), turn + timedelta(days=after), "东区", years).records[0].findings
    assert finding.verdict == ("违反" if years > 10 else "符合")


# --- first and last day ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "verdict"),
    [
        ("2022-06-15", "不适用"),
        ("2022-06-16", "违反"),
        ("2024-06-15", "违反"),
        ("2024-06-17", "不适用"),
    ],
)
def test_the_first_and_the_last_day_are_in_force(day: str, verdict: str, shipped: Rulebook) -> None:
    facts = {
        "行政区": "忻府区",
        "供应方式": "先租后让",
        "是否依法须招拍挂": "是",
        "租赁环节取得方式": "协议",
        "出让环节取得方式": "协议",
        "行为日期": day,
    }
    report = check_dicts(shipped, [{"subject": "parcel_supply", "id": "A", "facts": facts}])
    findings = {finding.rule: finding for finding in report.records[0].findings}
    finding = findings["xinzhou-2022-90/tender-at-lease-stage"]
    assert finding.verdict == verdict
    assert finding.reason == ("date" if verdict == "不适用" else None)


def test_the_day_before_a_document_is_in_force(shipped: Rulebook) -> None:
    reasons = {}
    for day in ("2023-03-01", "2023-03-02"):
        findings = judged(shipped, day, "海勃湾区").records[0].findings
        reasons[day] = {f.rule: f for f in findings}["wuhai-2023-5/lease-term-max-20y"].reason
    assert reasons == {"2023-03-01": "date", "2023-03-02": None}


# --- places ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "海勃湾区",
        "150302",
        "150302000000",
        "内蒙古自治区乌海市海勃湾区",
        "乌海市海勃湾区",
        "乌海市",
        "150300",
    ],
)
def test_a_place_by_name_code_and_full_name(name: str, shipped: Rulebook) -> None:
    findings = {f.rule: f for f in judged(shipped, "2023-06-01", name).records[0].findings}
    assert findings["wuhai-2023-5/lease-term-max-20y"].verdict == "违反"


def test_a_place_by_its_old_name(shipped: Rulebook) -> None:
    facts = {"行政区": "旬阳县", "供应方式": "长期租赁", "行为日期": "2023-06-01"}
    (record,) = check_dicts(shipped, [{"subject": "parcel_supply", "id": "A", "facts": facts}]).records
    bound = {f.document for f in record.findings if f.reason != "place"}
    assert bound == {"ankang-2023"}


@pytest.mark.parametrize("name", ["朝阳区", "110105", "呼和浩特市新城区"])
def test_a_place_that_no_document_binds(name: str, shipped: Rulebook) -> None:
    report = judged(shipped, "2023-06-01", name)
    (record,) = report.records
    assert {finding.verdict for finding in record.findings} == {"不适用"}
    assert {finding.reason for finding in record.findings} == {"place"}
    assert status_of(record) == "无适用规则"
    assert "无适用规则" in render_console(report)


def test_nothing_applies_to_a_place_outside_at_any_time() -> None:
    report = judged(versions(None), "2023-06-01", "南区")
    assert status_of(report.records[0]) == "无适用规则"
