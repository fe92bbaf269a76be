"""What a clerk may write in a feature file, and what is said of what they mistype."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landrules.engine.bdd.index import ScenarioRef, scenario_index
from landrules.engine.bdd.reading import Feature, feature_files, is_chinese, read_feature
from landrules.facts.notes import InputError, Note

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
# language: zh-CN
@重点
功能: 租期上限
  规则条目: somewhere-1/lease-term

  背景:
    假如 一宗供地宗地
    并且 供应方式 为 长期租赁

  场景: 恰为上限
    假如 出租年期 为 20 年
    当 按“somewhere-1/lease-term”判断
    那么 结论为 符合

  @边界
  场景大纲: 上限前后
    假如 出租年期 为 <年期>
    当 按“somewhere-1/lease-term”判断
    那么 结论为 <结论>

    例子:
      | 年期  | 结论 |
      | 19 年 | 符合 |
      | 21 年 | 违反 |

  场景: 没有年期
    当 按“somewhere-1/lease-term”判断
    那么 结论为 适用缺资料
"""


def write(folder: Path, text: str, name: str = "租期.feature", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def read(folder: Path, text: str, encoding: str = "utf-8") -> Feature:
    return read_feature(write(folder, text, encoding=encoding), "租期.feature")


def problems(folder: Path, text: str) -> tuple[Note, ...]:
    with pytest.raises(InputError) as caught:
        read(folder, text)
    return caught.value.notes


def test_an_outline_is_one_scenario_for_each_row(tmp_path: Path) -> None:
    feature = read(tmp_path, GOOD)

    assert (feature.title, feature.description) == ("租期上限", "规则条目: somewhere-1/lease-term")
    assert [(scenario.name, scenario.line) for scenario in feature.scenarios] == [
        ("恰为上限", 10),
        ("上限前后〔19 年，符合〕", 23),
        ("上限前后〔21 年，违反〕", 24),
        ("没有年期", 26),
    ]
    assert [step.text for step in feature.scenarios[2].steps] == [
        "一宗供地宗地",
        "供应方式 为 长期租赁",
        "出租年期 为 21 年",
        "按“somewhere-1/lease-term”判断",
        "结论为 违反",
    ]
    assert [step.kind for step in feature.scenarios[2].steps] == ["given", "given", "given", "when", "then"]
    assert feature.scenarios[2].tags == ("重点", "边界")


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace(":", "："),
        GOOD.replace("# language: zh-CN\n", ""),
        GOOD.replace("  ", ""),
        GOOD.replace("    ", "\t"),
        GOOD.replace("    ", "\u3000\u3000"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("|", "｜"),
        GOOD.replace("@", "＠"),
        GOOD.replace("并且", "而且").replace("假如", "假设"),
        GOOD.replace("并且", "同时").replace("假如", "假定"),
    ],
    ids=[
        "colons",
        "no language",
        "no indent",
        "tabs",
        "wide spaces",
        "crlf",
        "bars",
        "at",
        "words",
        "more words",
    ],
)
def test_the_ways_to_write_the_same(tmp_path: Path, text: str) -> None:
    def said(feature: Feature) -> list[tuple[str, list[tuple[str, str]]]]:
        return [(part.name, [(step.kind, step.text) for step in part.steps]) for part in feature.scenarios]

    assert said(read(tmp_path, text)) == said(read(tmp_path, GOOD))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    assert len(read(tmp_path, GOOD, encoding).scenarios) == 4


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("场景: 恰为上限", "场景 恰为上限", 10, "“场景”后面缺冒号；请写成“场景: …”"),
        ("场景: 恰为上限", "情景: 恰为上限", 10, "请改成“场景:”"),
        ("场景: 恰为上限", "Scenario: 恰为上限", 10, "“Scenario”不是这里用的关键词；请改成“场景:”"),
        ("功能: 租期上限", "Feature：租期上限", 3, "请改成“功能:”"),
        ("假如 出租年期 为 20 年", "如果 出租年期 为 20 年", 11, "“如果”不是步骤的关键词；请改成“假如”"),
        ("假如 出租年期 为 20 年", "Given 出租年期 为 20 年", 11, "请改成“假如”"),
        ("假如 出租年期 为 20 年", "假如：出租年期 为 20 年", 11, "“假如”后面不要写冒号"),
        ("那么 结论为 符合", "则 结论为 符合", 13, "请改成“那么”"),
        ("那么 结论为 符合", "结论为 符合", 13, "看不懂这一行“结论为 符合”；步骤以 假如、当、那么、并且、但是 开头"),
        ("    例子:", "    示例:", 21, "请改成“例子:”"),
        ("| 21 年 | 违反 |", "| 21 年 |", 24, "列数与第一行不同"),
        ("zh-CN", "cn", 1, "请写成“# language: zh-CN”"),
        ("zh-CN", "en", 1, "请写成“# language: zh-CN”"),
        ("# language: zh-CN\n@重点\n功能: 租期上限", "租期上限", 1, "文件应以“功能: 名称”开头"),
        ("    当 按“somewhere-1/lease-term”判断\n    那么 结论为 符合\n", "    那么 结论为 符合\n", 10, "缺“当”这一步"),
        ("    那么 结论为 符合\n", "", 10, "缺“那么”这一步"),
        ("场景: 没有年期", "场景: 恰为上限", 26, "场景名称“恰为上限”与第 10 行的重复"),
        ("场景: 没有年期", "场景:", 26, "场景没有名称"),
        ("假如 出租年期 为 <年期>", "假如 出租年期 为 <年限>", 21, "例子表里没有 <年限> 这一列，现有：年期、结论"),
        ("假如 出租年期 为 20 年", "假如 出租年期 为 <年期>", 10, "用了占位<年期>，但没有“例子:”表格"),
        ("@边界", "@边界(一)", 16, "标签“@边界(一)”里有不能用的符号"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in GOOD

    [note] = problems(tmp_path, GOOD.replace(old, new, 1))

    assert (note.place.file, note.place.row) == ("租期.feature", line)
    assert message in note.message


def test_then_before_when(tmp_path: Path) -> None:
    when, then = "    当 按“somewhere-1/lease-term”判断\n", "    那么 结论为 符合\n"

    [note] = problems(tmp_path, GOOD.replace(when + then, then + when, 1))

    assert "写在了“当”前面" in note.message


def test_a_first_step_that_joins_to_nothing(tmp_path: Path) -> None:
    text = GOOD.replace("    假如 一宗供地宗地\n", "")

    assert "第一步不能用“并且”" in problems(tmp_path, text)[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "文件里没有“功能:”"), ("功能: 空", "功能下面没有场景"), ("# 只有注释\n", "文件里没有“功能:”")],
)
def test_nothing_to_run(tmp_path: Path, text: str, message: str) -> None:
    assert message in problems(tmp_path, text)[0].message


def test_every_mistyped_word_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("场景: 恰为上限", "情景: 恰为上限").replace("    例子:", "    示例:")

    assert [note.place.row for note in problems(tmp_path, text)] == [10, 21]


def test_free_text_below_a_title_is_left_alone(tmp_path: Path) -> None:
    text = GOOD.replace("  规则条目:", "  条文大意: 承租人和出租人约定的期限\n  规则条目:")

    assert read(tmp_path, text).description.startswith("条文大意: 承租人和出租人约定的期限\n")


def test_rules_group_scenarios_and_have_their_own_background(tmp_path: Path) -> None:
    text = """\
功能: 两条
  规则: 甲
    背景:
      假如 一宗供地宗地
    场景: 一
      当 预审
      那么 没有违反
  规则: 乙
    场景: 二
      假如 一件分割转让
      当 预审
      那么 没有违反
"""
    first, second = read(tmp_path, text).scenarios

    assert [step.text for step in first.steps] == ["一宗供地宗地", "预审", "没有违反"]
    assert [step.text for step in second.steps] == ["一件分割转让", "预审", "没有违反"]


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        (GOOD, True),
        ("Feature: 登录\n", True),
        ("# language: cn\nFeature: x\n", True),
        ("Feature: login\n  Scenario: a\n", False),
        ("# language: ja\n機能: ログイン\n", False),
    ],
)
def test_feature_files_of_others_are_known(tmp_path: Path, text: str, *, ours: bool) -> None:
    assert is_chinese(write(tmp_path, text)) is ours


def test_the_index_names_rule_verdict_and_place(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "features/甲/租期.feature")
    write(tmp_path, GOOD.replace("租期上限", "另一个"), "features/乙.feature")

    index = scenario_index([tmp_path / "features"], tmp_path)

    assert len(index) == 8
    assert index[4:] == (
        ScenarioRef("somewhere-1/lease-term", "恰为上限", "features/甲/租期.feature", 10, "符合"),
        ScenarioRef(
            "somewhere-1/lease-term", "上限前后〔19 年，符合〕", "features/甲/租期.feature", 23, "符合"
        ),
        ScenarioRef(
            "somewhere-1/lease-term", "上限前后〔21 年，违反〕", "features/甲/租期.feature", 24, "违反"
        ),
        ScenarioRef("somewhere-1/lease-term", "没有年期", "features/甲/租期.feature", 26, "待补充"),
    )


def test_the_index_tells_of_every_bad_file(tmp_path: Path) -> None:
    write(tmp_path, "功能: 空", "甲.feature")
    write(tmp_path, "功能: 空", "乙.feature")

    with pytest.raises(InputError) as caught:
        scenario_index([tmp_path], tmp_path)

    assert {note.place.file for note in caught.value.notes} == {"甲.feature", "乙.feature"}


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="没有这个文件或文件夹"):
        feature_files([tmp_path / "没有"])
