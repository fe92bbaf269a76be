from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.formatting import format_files, lay_out
from landrules.engine.rulebook.lint import lint
from rulebook.small_rulesets import DOCUMENT, RULES, ruleset

if TYPE_CHECKING:
    from pathlib import Path


def test_the_shipped_rulesets_have_no_errors_and_are_canonical() -> None:
    notes = lint()
    assert [note.describe() for note in notes if note.severity == "error"] == []
    assert [note.describe() for note in notes if note.code == "not-canonical"] == []
    assert format_files([], check=True).changed == ()


def test_a_calendar_year_is_no_threshold(tmp_path: Path) -> None:
    rules = RULES.replace("subject: 供地宗地", "subject: 年度指标").replace(
        "    parameters:\n      最长租期: 20年\n", ""
    )
    rules = rules.replace("供应方式 为 长期租赁", "统计年度 等于 2023 年").replace(
        "出租年期 不超过 最长租期", "统计年度 不低于 0 年"
    )
    assert [note.code for note in lint(paths=[ruleset(tmp_path, rules=rules)])] == []


def test_lint_takes_a_rulebook_or_paths(tmp_path: Path) -> None:
    folder = ruleset(tmp_path)
    assert lint(Rulebook.load(folder)) == lint(paths=[folder]) == ()


@pytest.mark.parametrize(
    ("change", "code", "severity", "row"),
    [
        (("    when:", "      多余: 3年\n    when:"), "unused-parameter", "warning", 11),
        (("不超过 最长租期", "不超过 较小(最长租期, 30 年)"), "bare-number", "warning", 12),
        (("    require:", "    exclude: 供应方式 为 划拨\n    require:"), "dead-exclude", "warning", 12),
        (("为 长期租赁", "为 长期租赁 且 供应方式 为 划拨"), "dead-when", "warning", 11),
        (("不超过 最长租期", "不大于 最长租期"), "not-canonical", "info", 12),
        (("    when:", "    related: [nothing]\n    when:"), "unknown-related", "warning", 11),
        (("modality: 禁止", "modality: 倡导"), "strength", "error", 7),
    ],
)
def test_lint_finds(tmp_path: Path, change: tuple[str, str], code: str, severity: str, row: int) -> None:
    assert change[0] in RULES
    notes = lint(paths=[ruleset(tmp_path, rules=RULES.replace(*change))])
    found = [note for note in notes if note.code == code]
    assert [(note.severity, note.place.row, note.place.file) for note in found] == [
        (severity, row, "somewhere-1/rules.yaml")
    ]


def test_zero_and_one_are_not_thresholds(tmp_path: Path) -> None:
    rules = RULES.replace("不超过 最长租期", "+ 缺省(约定续租年限, 0 年) 不超过 最长租期 × 1")
    assert [note.code for note in lint(paths=[ruleset(tmp_path, rules=rules)])] == []


def test_unused_shared_parameters_and_definitions_are_told(tmp_path: Path) -> None:
    shared = "parameters:\n  共用: 3年\ndefinitions:\n  供地宗地:\n    说法: 出租年期\n"
    notes = lint(paths=[ruleset(tmp_path, parameters=shared)])
    assert [(note.code, note.place.row) for note in notes] == [
        ("unused-parameter", 2),
        ("unused-definition", 5),
    ]


def test_a_folder_named_otherwise_is_told(tmp_path: Path) -> None:
    notes = lint(paths=[ruleset(tmp_path, document=DOCUMENT.replace("somewhere-1", "other"))])
    assert [note.code for note in notes] == ["folder-name"]


UNTIDY = """\
# 开头的说明
rules:
  - id: lease-term   # 标识
    title: '租期上限'
    clause: 第一条
    subject: 供地宗地
    modality: 禁止
    strength: 必须
    checkable: rule
    parameters: {最长租期: 20年}
    # 适用条件
    when: 供应方式=长期租赁   # 行尾说明
    require: |
      出租年期≤最长租期 and
      出租年期>0年

    # 后面的说明
    unless: "是否产业用地 and 缺省(是否房地产用地,否)"
"""

TIDY = """\
# 开头的说明
rules:
  - id: lease-term   # 标识
    title: '租期上限'
    clause: 第一条
    subject: 供地宗地
    modality: 禁止
    strength: 必须
    checkable: rule
    parameters: {最长租期: 20年}
    # 适用条件
    when: 供应方式 为 长期租赁   # 行尾说明
    require: |
      出租年期 不超过 最长租期
      且 出租年期 超过 0 年

    # 后面的说明
    unless: '是否产业用地 且 缺省(是否房地产用地, 否)'
"""


def test_fmt_rewrites_expressions_and_nothing_else(tmp_path: Path) -> None:
    folder = ruleset(tmp_path, rules=UNTIDY)
    path = folder / "rules.yaml"
    assert format_files([folder], check=True).changed == (path.resolve(),)
    assert path.read_text(encoding="utf-8") == UNTIDY
    before = Rulebook.load(folder).rules
    assert format_files([folder]).changed == (path.resolve(),)
    assert path.read_text(encoding="utf-8") == TIDY
    assert format_files([folder]).changed == ()
    assert Rulebook.load(folder).rules == before


def test_fmt_keeps_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    folder = ruleset(tmp_path, rules="\ufeff" + UNTIDY.replace("\n", "\r\n"))
    format_files([folder])
    assert (folder / "rules.yaml").read_bytes() == ("\ufeff" + TIDY.replace("\n", "\r\n")).encode()


def test_fmt_leaves_what_it_cannot_read_and_says_so(tmp_path: Path) -> None:
    rules = UNTIDY.replace("供应方式=长期租赁", "供应方式=长期租凭")
    folder = ruleset(tmp_path, rules=rules)
    result = format_files([folder])
    assert "长期租凭" in (folder / "rules.yaml").read_text(encoding="utf-8")
    assert [note.place.row for note in result.notes] == [12]


def test_a_text_is_laid_out_at_the_joints_outside_brackets() -> None:
    assert lay_out("甲 且 (乙 或 丙) 或 缺省(丁 且 戊, 是)") == "甲\n且 (乙 或 丙)\n或 缺省(丁 且 戊, 是)"
