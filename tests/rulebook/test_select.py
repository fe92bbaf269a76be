from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from landrules.engine.rulebook import Rulebook, canonical_place, gate, place_of, places_of, unknown_place
from landrules.facts.records import Entry
from rulebook.small_rulesets import CLAUSES, DOCUMENT, RULES, entry_of, ruleset

if TYPE_CHECKING:
    from pathlib import Path

    from landrules.engine.rulebook import Gate


@pytest.fixture(scope="module")
def shipped() -> Rulebook:
    return Rulebook.load(subjects=["parcel_supply", "split_transfer"])


def entries(**values: object) -> dict[str, Entry]:
    return {key: Entry(value) for key, value in values.items() if value is not None}  # type: ignore[arg-type]


def judge(rulebook: Rulebook, rule: str, **values: object) -> Gate:
    versions = rulebook.rules[rule]
    return gate(versions, rulebook.documents[versions[0].document], entries(**values))


FLEXIBLE = "wuhai-2023-5/flexible-term-max"
SPLIT = "bozhou-2023/compat-no-split"


@pytest.mark.parametrize(
    ("rule", "district", "day", "place", "time", "message"),
    [
        (FLEXIBLE, "海勃湾区", date(2023, 3, 2), True, True, ""),
        (FLEXIBLE, "海勃湾区", date(2023, 3, 1), True, False, "不在有效期"),
        (FLEXIBLE, "谯城区", date(2023, 6, 1), False, True, "辖区外"),
        (FLEXIBLE, "海勃湾区", None, True, None, "缺行为日期"),
        (FLEXIBLE, None, None, None, None, "缺行政区"),
        (SPLIT, "利辛县", date(2023, 2, 28), True, False, "不在有效期"),
        (SPLIT, "利辛县", date(2023, 4, 15), True, None, "启动阶段"),
        (SPLIT, "利辛县", date(2023, 4, 30), True, None, "启动阶段"),
        (SPLIT, "利辛县", date(2023, 5, 1), True, True, ""),
        (SPLIT, "利辛县", date(2025, 9, 30), True, True, ""),
        (SPLIT, "利辛县", date(2025, 10, 1), True, False, "不在有效期"),
    ],
)
def test_the_gate_follows_the_conventions(
    shipped: Rulebook,
    rule: str,
    district: str | None,
    day: date | None,
    place: bool | None,
    time: bool | None,
    message: str,
) -> None:
    found = judge(shipped, rule, district=district, action_date=day)
    assert (found.place, found.time) == (place, time)
    assert message in found.message
    assert (found.open is True) == (not found.message)


def test_an_open_gate_names_what_would_settle_it(shipped: Rulebook) -> None:
    assert judge(shipped, FLEXIBLE).missing == ("district", "city", "action_date")
    assert judge(shipped, FLEXIBLE, district="海勃湾区").missing == ("action_date",)
    assert judge(shipped, FLEXIBLE, district="谯城区").missing == ()
    uncertain = judge(shipped, SPLIT, district="利辛县", action_date=date(2023, 4, 15))
    assert uncertain.missing == ()
    assert "启动阶段" in uncertain.uncertain


def test_without_a_district_the_city_decides(shipped: Rulebook) -> None:
    assert judge(shipped, FLEXIBLE, city="乌海市").place is True
    assert judge(shipped, FLEXIBLE, city="亳州市").place is False


def test_a_district_that_is_unknown_or_unusable_counts_as_missing(shipped: Rulebook) -> None:
    versions = shipped.rules[FLEXIBLE]
    document = shipped.documents["wuhai-2023-5"]
    for state in ("unknown", "none", "invalid"):
        assert gate(versions, document, {"district": Entry(None, state)}).place is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("海勃湾区", "海勃湾区"),
        ("内蒙古自治区乌海市海勃湾区", "海勃湾区"),
        ("内蒙古乌海市海勃湾区", "海勃湾区"),
        ("乌海市海勃湾区", "海勃湾区"),
        ("内蒙古自治区 乌海市 海勃湾区", "海勃湾区"),
        ("150302", "海勃湾区"),
        ("１５０３０２", "海勃湾区"),
        ("150302000000", "海勃湾区"),
        ("乌海市", "乌海市本级"),
        ("内蒙古自治区乌海市", "乌海市本级"),
        ("乌海市本级", "乌海市本级"),
        ("150300", "乌海市本级"),
        ("乌海高新区", "乌海高新技术产业开发区"),
        ("亳州市利辛县", "利辛县"),
        ("海口市海南区", None),
        ("150", None),
        ("150402", None),
        ("", None),
    ],
)
def test_a_place_may_be_written_in_several_ways(shipped: Rulebook, text: str, name: str | None) -> None:
    assert canonical_place(shipped, text) == name


def test_an_old_name_is_the_place_it_became(tmp_path: Path) -> None:
    rulebook = Rulebook.load(ruleset(tmp_path))
    assert canonical_place(rulebook, "老东县") == "东区"
    assert canonical_place(rulebook, "某市东部高新区") == "东区"


def test_an_unknown_place_gets_a_suggestion(shipped: Rulebook) -> None:
    assert "是否指“海勃湾区”" in unknown_place(shipped, "海渤湾区")
    assert "乌海市" in unknown_place(shipped, "南京市鼓楼区")
    assert unknown_place(shipped, "150302") == ""


def test_the_places_that_documents_bind_are_known(shipped: Rulebook) -> None:
    places = places_of(shipped)
    assert places["谯城区"] == ("bozhou-2023",)
    assert "乌海市" in places


def test_two_cities_may_have_districts_of_one_name(tmp_path: Path) -> None:
    ruleset(tmp_path)
    other = DOCUMENT.replace("somewhere-1", "other").replace("某市", "别市").replace("9901", "9902")
    ruleset(tmp_path, name="other", document=other)
    rulebook = Rulebook.load(tmp_path)
    assert places_of(rulebook)["东区"] == ("other", "somewhere-1")
    assert place_of(rulebook.documents["somewhere-1"], "别市东区") is None


def with_gate(tmp_path: Path, line: str, subject: str = "供地宗地") -> Rulebook:
    rules = RULES.replace("    when:", f"    {line}\n    when:").replace("供地宗地", subject)
    return Rulebook.load(ruleset(tmp_path, rules=rules))


def test_another_date_fact_may_choose_the_law(tmp_path: Path) -> None:
    rulebook = with_gate(tmp_path, "gate_fact: 租期起始日")
    rule = "somewhere-1/lease-term"
    known = {"district": "东区", "action_date": date(2020, 1, 1)}
    assert judge(rulebook, rule, **known, lease_start_date=date(2023, 6, 1)).open is True
    assert judge(rulebook, rule, **known).missing == ("lease_start_date",)


def test_a_rule_may_have_no_date_gate(tmp_path: Path) -> None:
    rulebook = with_gate(tmp_path, "gate_fact: none")
    assert judge(rulebook, "somewhere-1/lease-term", district="东区").open is True


def test_yearly_indicators_have_no_date_gate(tmp_path: Path) -> None:
    rules = """\
rules:
  - id: lease-term
    title: 一
    clause: 第一条
    subject: 年度指标
    modality: 禁止
    strength: 必须
    checkable: rule
    when: 是
    require: 评价基准日 晚于 2023-01-01
"""
    rulebook = Rulebook.load(ruleset(tmp_path, rules=rules))
    rule = rulebook.rules["somewhere-1/lease-term"][0]
    assert rule.gate_fact is None
    assert judge(rulebook, rule.id, district="某市本级").open is True


def two_versions(tmp_path: Path) -> Rulebook:
    later = RULES.removeprefix("rules:\n").replace("20年", "10年")
    rules = RULES.replace("    when:", "    effective: {to: 2023-12-31}\n    when:")
    rules += later.replace("    when:", "    effective: {from: 2024-01-01}\n    when:")
    return Rulebook.load(ruleset(tmp_path, rules=rules))


@pytest.mark.parametrize(
    ("day", "months"),
    [
        (date(2023, 3, 2), 240),
        (date(2023, 12, 31), 240),
        (date(2024, 1, 1), 120),
        (date(2030, 1, 1), 120),
    ],
)
def test_the_version_of_the_day_is_chosen(tmp_path: Path, day: date, months: int) -> None:
    found = judge(two_versions(tmp_path), "somewhere-1/lease-term", district="东区", action_date=day)
    assert found.open is True
    assert found.version.parameters["最长租期"].values[0].value == months
    assert found.candidates == (found.version,)


def test_without_a_day_every_version_is_a_candidate(tmp_path: Path) -> None:
    found = judge(two_versions(tmp_path), "somewhere-1/lease-term", district="东区")
    assert len(found.candidates) == 2
    assert found.version is found.candidates[-1]


def test_a_new_version_changes_nothing_before_its_first_day(tmp_path: Path) -> None:
    one = RULES.replace("    when:", "    effective: {to: 2023-12-31}\n    when:")
    before = Rulebook.load(ruleset(tmp_path / "a", rules=one))
    after = two_versions(tmp_path / "b")
    for day in (date(2023, 3, 1), date(2023, 3, 2), date(2023, 7, 1), date(2023, 12, 31)):
        old, new = (
            judge(book, "somewhere-1/lease-term", district="东区", action_date=day)
            for book in (before, after)
        )
        assert (old.open, old.version.require, old.version.parameters) == (
            new.open,
            new.version.require,
            new.version.parameters,
        )


def test_an_exception_closes_the_other_rule_where_it_applies(tmp_path: Path) -> None:
    other = RULES.removeprefix("rules:\n").replace("lease-term", "special")
    rules = RULES + other.replace("    when:", "    exception_to: [lease-term]\n    when:")
    rulebook = Rulebook.load(ruleset(tmp_path, rules=rules, clauses=entry_of(CLAUSES, "special")))
    assert rulebook.rules["somewhere-1/lease-term"][0].exclude is not None
