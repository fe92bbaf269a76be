"""The pytest plugin and the run without pytest, on feature files and rulesets of a user's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from landrules.engine.bdd.run import run_features
from landrules.engine.commands_scenarios import test as command
from landrules.engine.rulebook import Rulebook
from rulebook.small_rulesets import ruleset

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]

INI = """\
[pytest]
addopts = --strict-markers --strict-config
landrules_rulesets = rulesets
disable_test_id_escaping_and_forfeit_all_rights_to_community_support = true
filterwarnings = error
"""

GOOD = """\
# language: zh-CN
功能： 租期上限
  @重点
  场景： 恰为上限
    假如 一宗供地宗地，供应方式 为 长期租赁，出租年期 为 20 年
    当 按“somewhere-1/lease-term”判断
    那么 结论为 符合

  场景大纲： 上限前后
    假如 一宗供地宗地，供应方式 为 长期租赁，出租年期 为 <年期>
    当 按“somewhere-1/lease-term”判断
    那么 结论为 <结论>

    @边界
    例子：
      | 年期  | 结论 |
      | 19 年 | 符合 |
      | 21 年 | 违反 |
"""

WRONG = """\
# language: zh-CN
功能: 写错的
  场景: 结论写错
    假如 一宗供地宗地，供应方式 为 长期租赁，出租年期 为 21 年
    当 按“somewhere-1/lease-term”判断
    那么 结论为 符合

  场景: 步骤写错
    假如 一宗供地宗地，供应方式 为 长期租赁
    当 看一看
    那么 结论为 符合

  场景: 事实写错
    假如 一宗供地宗地
    并且 供应方是 为 长期租赁
    当 按“somewhere-1/lease-term”判断
    那么 结论为 符合
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Callable[..., pytest.Pytester]:
    """A user's folder with a ruleset of its own and these feature files."""

    def make(**features: str) -> pytest.Pytester:
        pytester.makefile(".ini", pytest=INI)
        ruleset(pytester.mkdir("rulesets"))
        folder = pytester.mkdir("features")
        for name, text in features.items():
            (folder / f"{name}.feature").write_text(text, encoding="utf-8")
        return pytester

    return make


def test_feature_files_need_no_python_file(project: Callable[..., pytest.Pytester]) -> None:
    result = project(租期=GOOD).runpytest_inprocess("-v", "features")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "features/租期.feature::恰为上限 PASSED*",
            "features/租期.feature::上限前后[[]19 年-符合] PASSED*",
            "features/租期.feature::上限前后[[]21 年-违反] PASSED*",
        ]
    )


def test_one_scenario_can_be_run_by_its_name(project: Callable[..., pytest.Pytester]) -> None:
    project(租期=GOOD).runpytest_inprocess("features/租期.feature::恰为上限").assert_outcomes(passed=1)


@pytest.mark.parametrize(("tag", "passed", "deselected"), [("重点", 1, 2), ("边界", 2, 1)])
def test_tags_select_under_strict_markers(
    project: Callable[..., pytest.Pytester], tag: str, passed: int, deselected: int
) -> None:
    project(租期=GOOD).runpytest_inprocess("-m", tag).assert_outcomes(passed=passed, deselected=deselected)


def test_a_failure_is_the_chinese_message_alone(project: Callable[..., pytest.Pytester]) -> None:
    result = project(写错=WRONG).runpytest_inprocess("features")

    result.assert_outcomes(failed=3)
    text = result.stdout.str()
    assert "Traceback" not in text
    assert ".py" not in text.split("= FAILURES =")[1].replace("pytest", "")
    result.stdout.fnmatch_lines(
        [
            "features/写错.feature 第 6 行，场景“结论写错”",
            "  那么 结论为 符合",
            "  结论是“违反”，不是“符合”",
            "features/写错.feature 第 10 行，场景“步骤写错”",
            "  当 看一看",
            "  看不懂这一步“看一看”；*",
            "features/写错.feature 第 15 行，场景“事实写错”",
            "  并且 供应方是 为 长期租赁",
            "  “供地宗地”没有事实“供应方是”；是否指“供应方式”？*",
        ]
    )


def test_a_file_that_cannot_be_read_is_the_chinese_message_alone(
    project: Callable[..., pytest.Pytester],
) -> None:
    result = project(坏=GOOD.replace("场景： 恰", "场景 恰")).runpytest_inprocess("features")

    result.assert_outcomes(errors=1)
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines(["features/坏.feature第 4 行：“场景”后面缺冒号；请写成“场景: …”"])


def test_a_broken_ruleset_is_told_in_chinese(project: Callable[..., pytest.Pytester]) -> None:
    pytester = project(租期=GOOD)
    rules = next((pytester.path / "rulesets").rglob("rules.yaml"))
    rules.write_text(
        rules.read_text(encoding="utf-8").replace("出租年期 不超过", "出租年 不超过"), encoding="utf-8"
    )

    result = pytester.runpytest_inprocess("features")

    result.assert_outcomes(failed=3)
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines(["规则集有误，场景没有判断：", "*rules.yaml*出租年*"])


def test_steps_of_the_users_own_stand_beside_ours(project: Callable[..., pytest.Pytester]) -> None:
    text = GOOD.replace("    那么 结论为 符合\n", "    那么 结论为 符合\n    并且 已经存档\n", 1)
    pytester = project(租期=text)
    pytester.makeconftest(
        """
        from pytest_bdd import then

        @then("已经存档")
        def archived(landrules_bench):
            assert landrules_bench.rulebook.rules
        """
    )

    pytester.runpytest_inprocess("features").assert_outcomes(passed=3)


def test_features_may_also_be_named_in_a_python_file(project: Callable[..., pytest.Pytester]) -> None:
    pytester = project(租期=GOOD.replace("：", ":"))
    pytester.makepyfile(test_own="from pytest_bdd import scenarios\nscenarios('features')\n")
    markers = "markers =\n    重点\n    边界\nlandrules_features = false\n"
    pytester.makefile(".ini", pytest=INI + markers)

    pytester.runpytest_inprocess().assert_outcomes(passed=3)


@pytest.mark.parametrize(
    "text",
    [
        "Feature: login\n  Scenario: a\n    Given b\n",
        "# language: ja\n機能: ログイン\n  シナリオ: a\n    前提 b\n",
    ],
)
def test_feature_files_of_others_are_left_alone(project: Callable[..., pytest.Pytester], text: str) -> None:
    result = project(other=text).runpytest_inprocess("features")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_it_can_be_switched_off(project: Callable[..., pytest.Pytester]) -> None:
    pytester = project(租期=GOOD)
    pytester.makefile(".ini", pytest=INI + "landrules_features = false\n")

    assert pytester.runpytest_inprocess("features").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_workers_share_the_files(project: Callable[..., pytest.Pytester]) -> None:
    pytester = project(甲=GOOD, 乙=GOOD, 丙=WRONG)

    result = pytester.runpytest_subprocess("-n", "2", "--dist", "loadfile", "features")

    result.assert_outcomes(passed=6, failed=3)
    result.stdout.fnmatch_lines(["*features/丙.feature 第 6 行，场景“结论写错”"])


def test_titles_with_signs_make_names_that_can_be_typed(project: Callable[..., pytest.Pytester]) -> None:
    text = GOOD.replace("恰为上限", "20年/240个月: [恰] 为上限").replace("上限前后", "20年/240个月 恰 为上限")

    result = project(租期=text).runpytest_inprocess("-v", "features")

    result.assert_outcomes(passed=3)
    names = re.findall(r"::(\S+) ", result.stdout.str())
    assert names[0] == "20年_240个月_恰_为上限"
    assert names[1].startswith("20年_240个月_恰_为上限_2")


def test_the_same_without_pytest(tmp_path: Path) -> None:
    rulebook = Rulebook.load(ruleset(tmp_path / "rulesets"))
    (tmp_path / "甲.feature").write_text(GOOD, encoding="utf-8")
    (tmp_path / "乙.feature").write_text(WRONG, encoding="utf-8")
    (tmp_path / "丙.feature").write_text("功能: 空", encoding="utf-8")

    outcomes, notes = run_features([tmp_path], rulebook, tmp_path)

    assert [outcome.title for outcome in outcomes if outcome.passed] == [
        "恰为上限",
        "上限前后〔19 年，符合〕",
        "上限前后〔21 年，违反〕",
    ]
    failed = [outcome for outcome in outcomes if not outcome.passed]
    assert [(outcome.file, outcome.line) for outcome in failed] == [
        ("乙.feature", 3),
        ("乙.feature", 8),
        ("乙.feature", 13),
    ]
    assert failed[0].message.startswith(
        "乙.feature 第 6 行，场景“结论写错”\n  那么 结论为 符合\n  结论是“违反”"
    )
    assert [note.place.file for note in notes] == ["丙.feature"]


def test_the_command(tmp_path: Path) -> None:
    rules = ["--rulesets", str(ruleset(tmp_path / "rulesets"))]
    good, wrong = tmp_path / "甲.feature", tmp_path / "乙.feature"
    good.write_text(GOOD, encoding="utf-8")
    wrong.write_text(WRONG, encoding="utf-8")

    def run(*paths: Path) -> tuple[object, str]:
        result = CliRunner().invoke(command, [*map(str, paths), *rules], standalone_mode=False)
        return result.return_value, result.output

    assert run(good) == (0, "场景 3 个：一致 3 个，不一致 0 个\n")
    code, output = run(good, wrong)
    assert code == 1
    assert output.endswith("场景 6 个：一致 3 个，不一致 3 个\n")
    assert "结论是“违反”，不是“符合”" in output
