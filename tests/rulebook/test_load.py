from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from landrules.engine.language import tree as t
from landrules.engine.rulebook import Rulebook, RulebookError
from landrules.engine.rulebook.model import Period
from rulebook.small_rulesets import CLAUSES, DOCUMENT, RULES, entry_of, problems, ruleset, texts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shipped() -> Rulebook:
    return Rulebook.load()


def test_the_shipped_rulesets_load(shipped: Rulebook) -> None:
    assert {"wuhai-2023-5", "bozhou-2023"} <= set(shipped.documents)
    rule = shipped.rules["wuhai-2023-5/lease-term-max-20y"][0]
    assert rule.flagship
    assert rule.parameters["最长租赁年限"].values[0].value == 240
    assert rule.period == Period(date(2023, 3, 2), None, shipped.documents["wuhai-2023-5"].period.why)
    assert list(shipped.rules) == sorted(shipped.rules)


def test_every_entry_of_a_shipped_document_has_a_rule_or_a_reason(shipped: Rulebook) -> None:
    for document in shipped.documents.values():
        for clause in document.clauses:
            assert (clause.id in shipped.rules) != bool(clause.reason), clause.id


def test_rules_may_look_up_statutory_tables(shipped: Rulebook) -> None:
    rule = shipped.rules["wuhai-2023-5/flexible-term-max"][0]
    assert rule.tables["法定最高出让年限"].at("工业", date(2023, 6, 1)).value == 600  # type: ignore[union-attr]
    assert any(isinstance(node, t.Lookup) for node in t.walk(rule.require))


def test_declared_derivations_are_compiled(shipped: Rulebook) -> None:
    assert isinstance(shipped.derivations["parcel_supply"]["related_split_area"], t.Subtract)


def test_subjects_limit_what_is_compiled(shipped: Rulebook) -> None:
    part = Rulebook.load(subjects=["分割转让"])
    assert {versions[0].subject for versions in part.rules.values()} == {"split_transfer"}
    assert part.hash == shipped.hash
    assert part.rules_for("split_transfer") == shipped.rules_for("分割转让")


def test_an_unknown_subject_is_refused_with_a_suggestion() -> None:
    with pytest.raises(RulebookError, match="是否指“供地宗地”"):
        Rulebook.load(subjects=["供地宗"])


def test_a_deadline_alone_is_the_requirement_and_with_require_both_hold(tmp_path: Path) -> None:
    block = "    deadline:\n      due: 年后(开工期起算日, 最长租期)\n      done: 全面开工日\n"
    alone = RULES.replace("    require: 出租年期 不超过 最长租期\n", block)
    both = RULES + block
    first = Rulebook.load(ruleset(tmp_path / "a", rules=alone)).rules["somewhere-1/lease-term"][0]
    second = Rulebook.load(ruleset(tmp_path / "b", rules=both)).rules["somewhere-1/lease-term"][0]
    assert isinstance(first.require, t.Deadline)
    assert isinstance(second.require, t.And)
    assert second.text.due == "年后(开工期起算日, 最长租期)"


def test_rules_may_stand_in_several_files(tmp_path: Path) -> None:
    folder = ruleset(tmp_path, clauses=entry_of(CLAUSES, "lease-two"))
    (folder / "rules").mkdir()
    (folder / "rules" / "two.yaml").write_text(RULES.replace("lease-term", "lease-two"), encoding="utf-8")
    assert set(Rulebook.load(folder).rules) == {"somewhere-1/lease-term", "somewhere-1/lease-two"}


def test_a_city_adds_its_own_facts(tmp_path: Path) -> None:
    facts = "key: parcel_supply\nfacts:\n  - {key: own_flag, label: 本市特别认定, type: bool}\n"
    rules = RULES.replace("供应方式 为 长期租赁", "本市特别认定")
    rulebook = Rulebook.load(ruleset(tmp_path, rules=rules, facts=facts))
    assert rulebook.rules["somewhere-1/lease-term"][0].when == t.FactValue("own_flag", "本市特别认定")


def test_a_parameter_left_blank_has_no_value(tmp_path: Path) -> None:
    rules = RULES.replace("最长租期: 20年", "最长租期: {value: null, unit: 年}")
    rule = Rulebook.load(ruleset(tmp_path, rules=rules)).rules["somewhere-1/lease-term"][0]
    assert rule.parameters["最长租期"].values[0].value is None


def test_a_parameter_has_dated_values(tmp_path: Path) -> None:
    dated = "最长租期: [{value: 10年, to: 2023-12-31}, {value: 20年, from: 2024-01-01}]"
    rule = Rulebook.load(ruleset(tmp_path, rules=RULES.replace("最长租期: 20年", dated))).rules[
        "somewhere-1/lease-term"
    ][0]
    parameter = rule.parameters["最长租期"]
    assert [parameter.at(day).value for day in (date(2023, 12, 31), date(2024, 1, 1))] == [120, 240]  # type: ignore[union-attr]
    assert parameter.at(None) is None


def test_all_problems_of_all_files_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    document = DOCUMENT.replace("issuer: 某市人民政府\n", "").replace("'990102'", "'9901'")
    one = ruleset(tmp_path, document=document)
    rules = RULES.replace("modality: 禁止", "modality: 严禁").replace("    when:", "    wenn: x\n    when:")
    two = ruleset(tmp_path, name="two", document=DOCUMENT.replace("somewhere-1", "two"), rules=rules)
    three = ruleset(
        tmp_path,
        name="three",
        document=DOCUMENT.replace("somewhere-1", "three"),
        rules=RULES.replace("出租年期 不超过", "出租年限 不超过"),
    )
    shown = texts(problems(one, two, three))
    assert "somewhere-1/document.yaml" in shown
    assert "缺少“issuer”（发文机关）" in shown
    assert "6 位行政区划代码" in shown
    assert "two/rules.yaml第 6 行" in shown
    assert "“modality”不能是“严禁”；可填：义务、禁止" in shown
    assert "没有“wenn”这一项；是否指“when”" in shown
    assert "three/rules.yaml第 12 行“第 14 列”" in shown
    assert "出租年期" in shown


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("出租年期 不超过 最长租期", "出租年期 不超过 最长租赁期"), "最长租期"),
        (("出租年期 不超过 最长租期", "宗地面积 不超过 100"), "100"),
        (("为 长期租赁", "为 长期租凭"), "长期租赁"),
        (("subject: 供地宗地", "subject: 供地宗"), "是否指“供地宗地”"),
        (("最长租期: 20年", "最长租期: 20粒"), "读不懂"),
        (("最长租期: 20年", "出租年期: 20年"), "同名"),
        (("最长租期: 20年", "最长租期: [{value: 10年}, {value: 20年}]"), "时段重叠"),
        (
            ("最长租期: 20年", "最长租期: [{value: 10年, to: 2023-12-31}, {value: 3亩, from: 2024-01-01}]"),
            "种类不同",
        ),
        (("modality: 禁止", "modality: 倡导"), "强度一律是“鼓励”"),
        (("    require: 出租年期 不超过 最长租期\n", ""), "适用即符合"),
        (("    when:", "    effective: {from: 2022-01-01}\n    when:"), "超出文件的"),
        (("    when:", "    gate_fact: 宗地面积\n    when:"), "不是“供地宗地”的日期事实"),
        (("strength: 必须", "strength: 原则上"), "条款索引里是“必须”"),
        (("id: lease-term", "id: lease-terms"), "是否指“lease-term”"),
        (("    when:", "    exception_to: [lease-trem]\n    when:"), "是否指“somewhere-1/lease-term”"),
        (("    when:", "    flagship: yes\n    when:"), "true 或 false"),
    ],
)
def test_a_mistake_in_a_rule_is_explained(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    assert change[0] in RULES
    notes = problems(ruleset(tmp_path, rules=RULES.replace(*change)))
    assert expected in texts(notes)
    assert all(note.place.row for note in notes)


def test_an_entry_needs_a_rule_or_a_reason(tmp_path: Path) -> None:
    shown = texts(problems(ruleset(tmp_path, clauses=CLAUSES.replace("    reason: 只说明目的\n", ""))))
    assert "条目“aims”既没有规则也没有说明原因" in shown


def test_a_rule_needs_an_entry(tmp_path: Path) -> None:
    rules = RULES + RULES.removeprefix("rules:\n").replace("lease-term", "other")
    assert "在 clauses.yaml 里没有同名条目" in texts(problems(ruleset(tmp_path, rules=rules)))


def test_two_documents_of_one_id_are_refused(tmp_path: Path) -> None:
    ruleset(tmp_path)
    ruleset(tmp_path, name="copy")
    assert "已被“copy”使用" in texts(problems(tmp_path))


def test_a_file_that_would_not_be_read_is_an_error(tmp_path: Path) -> None:
    assert "“rule.yaml”" in texts(problems(ruleset(tmp_path, rule=RULES)))


def test_a_path_without_rulesets_is_an_error(tmp_path: Path) -> None:
    assert "document.yaml" in texts(problems(tmp_path / "none"))
    assert "document.yaml" in texts(problems(tmp_path))


def test_definitions_are_put_in_place(tmp_path: Path) -> None:
    shared = "definitions:\n  供地宗地:\n    实际租期: 出租年期 + 缺省(约定续租年限, 0年)\n"
    rules = RULES.replace("出租年期 不超过", "实际租期 不超过")
    rule = Rulebook.load(ruleset(tmp_path, rules=rules, parameters=shared)).rules["somewhere-1/lease-term"][0]
    assert any(isinstance(node, t.Defined) and node.name == "实际租期" for node in t.walk(rule.require))


# --- versions ----------------------------------------------------------------------------------------------------


def versions(first: str, second: str) -> str:
    other = RULES.removeprefix("rules:\n").replace("20年", "10年")
    return RULES.replace("    when:", f"    effective: {first}\n    when:") + other.replace(
        "    when:", f"    effective: {second}\n    when:"
    )


def test_a_rule_may_have_versions_in_order_of_their_periods(tmp_path: Path) -> None:
    rules = versions("{from: 2024-01-01}", "{to: 2023-12-31}")
    found = Rulebook.load(ruleset(tmp_path, rules=rules)).rules["somewhere-1/lease-term"]
    assert [rule.period.start for rule in found] == [date(2023, 3, 2), date(2024, 1, 1)]


def test_versions_that_share_a_day_are_refused(tmp_path: Path) -> None:
    rules = versions("{from: 2024-01-01}", "{to: 2024-01-01}")
    assert "两个版本时段重叠" in texts(problems(ruleset(tmp_path, rules=rules)))


# --- exceptions --------------------------------------------------------------------------------------------------


def with_exception(extra: str = "", first: str = "") -> str:
    other = RULES.removeprefix("rules:\n").replace("lease-term", "special").replace("20年", "30年")
    other = other.replace("    when:", f"    exception_to: [lease-term]\n{extra}    when:")
    return RULES.replace("    when:", f"{first}    when:") + other


def test_an_exception_keeps_its_own_parameters(tmp_path: Path) -> None:
    folder = ruleset(tmp_path, rules=with_exception(), clauses=entry_of(CLAUSES, "special"))
    rule = Rulebook.load(folder).rules["somewhere-1/lease-term"][0]
    assert rule.exclude is not None
    assert {name: value.values[0].value for name, value in rule.parameters.items()} == {
        "最长租期": 240,
        "最长租期（租期上限）": 360,
    }
    assert t.ParameterValue("最长租期（租期上限）") in list(t.walk(rule.exclude))


def test_an_exception_holds_only_in_its_own_period(tmp_path: Path) -> None:
    rules = with_exception("    effective: {from: 2024-01-01, to: 2024-12-31}\n")
    found = Rulebook.load(ruleset(tmp_path, rules=rules, clauses=entry_of(CLAUSES, "special"))).rules
    parts = found["somewhere-1/lease-term"]
    assert [(part.period.start, part.period.end, part.exclude is None) for part in parts] == [
        (date(2023, 3, 2), date(2023, 12, 31), True),
        (date(2024, 1, 1), date(2024, 12, 31), False),
        (date(2025, 1, 1), None, True),
    ]


def test_exceptions_in_a_circle_are_refused(tmp_path: Path) -> None:
    rules = with_exception(first="    exception_to: [special]\n")
    assert "例外绕成了圈" in texts(
        problems(ruleset(tmp_path, rules=rules, clauses=entry_of(CLAUSES, "special")))
    )


# --- hashes ------------------------------------------------------------------------------------------------------


def test_the_hash_is_of_the_contents_alone(tmp_path: Path) -> None:
    second = RULES.removeprefix("rules:\n").replace("lease-term", "lease-two")
    clauses = entry_of(CLAUSES, "lease-two")
    plain = ruleset(tmp_path / "a", rules=RULES + second, clauses=clauses)
    turned = ruleset(
        tmp_path / "b",
        document="# 说明\n" + DOCUMENT.replace("\n", "\r\n"),
        rules="rules:\n" + second + "\n# 另一条\n" + RULES.removeprefix("rules:\n"),
        clauses=clauses,
    )
    split = ruleset(tmp_path / "c", rules=None, clauses=clauses)
    (split / "rules").mkdir()
    (split / "rules" / "z.yaml").write_text(RULES, encoding="utf-8")
    (split / "rules" / "a.yaml").write_text("rules:\n" + second, encoding="utf-8")
    assert len({Rulebook.load(folder).hash for folder in (plain, turned, split)}) == 1


@pytest.mark.parametrize(("old", "new"), [("20年", "21年"), ("租期上限", "租期的上限")])
def test_the_hash_changes_with_the_contents(tmp_path: Path, old: str, new: str) -> None:
    before = Rulebook.load(ruleset(tmp_path / "a")).hash
    assert Rulebook.load(ruleset(tmp_path / "b", rules=RULES.replace(old, new))).hash != before


def test_the_hash_does_not_depend_on_the_order_of_paths(tmp_path: Path) -> None:
    folders = [
        ruleset(tmp_path, name=n, document=DOCUMENT.replace("somewhere-1", n)) for n in ("a", "b", "c")
    ]
    assert len({Rulebook.load(*order).hash for order in permutations(folders, 3)}) == 1
