from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from landrules.engine.report.console import cells, render_console, wrap
from sample_report import clean_report, lease_violated, met, missing, outside, record, sample_report
from snapshots import matches

EXPECTED = Path(__file__).parent / "expected"


def test_console_is_as_expected() -> None:
    matches(render_console(sample_report()), EXPECTED / "sample.txt")


def test_clean_report_is_as_expected() -> None:
    matches(render_console(clean_report()), EXPECTED / "clean.txt")


def test_nothing_is_coloured_unless_asked() -> None:
    assert "\x1b" not in render_console(sample_report())
    assert "\x1b" in render_console(sample_report(), color=True)


def test_colour_changes_nothing_but_colour() -> None:
    coloured = re.sub(r"\x1b\[[\d;]*m", "", render_console(sample_report(), color=True))
    plain = render_console(sample_report())
    assert [line.rstrip() for line in coloured.splitlines()] == plain.splitlines()


def test_control_characters_of_a_cell_do_not_reach_the_terminal() -> None:
    text = render_console(sample_report())
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "[bold]" in render_console(sample_report(), color=True)


def test_it_never_speaks_of_an_approval() -> None:
    text = render_console(sample_report())
    assert "预检意见" in text
    assert not re.search("审批|批准|审查通过", text)


def test_rendering_twice_gives_the_same_text() -> None:
    assert render_console(sample_report(), full=True) == render_console(sample_report(), full=True)


@pytest.mark.parametrize("width", [40, 60, 100, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    widest = max(cells(line) for line in render_console(sample_report(), width=width).splitlines())
    # A closing mark stays with the character before it, and a word is not torn.
    assert widest <= width + 30


def test_many_open_questions_are_grouped_and_full_lists_them() -> None:
    rows = tuple(record(number, missing("start_date")) for number in range(1, 101))
    report = replace(sample_report(), records=rows)
    assert "100 条：[1] WH-01 光伏组件厂、[2] WH-02 光伏组件厂、[3] WH-03 光伏组件厂 等" in render_console(
        report
    )
    assert render_console(report).count("分期供应首期一年内开工") == 1
    assert render_console(report, full=True).count("分期供应首期一年内开工") == 100


def test_what_is_not_listed_is_counted() -> None:
    rows = tuple(record(number, lease_violated()) for number in range(1, 101))
    text = render_console(replace(sample_report(), records=rows))
    assert "违反：100 处，涉及 100 条记录" in text
    assert "另有 40 条有违反的记录未列出" in text


def test_notes_alike_stand_together() -> None:
    note = sample_report().notes[0]
    notes = tuple(replace(note, place=replace(note.place, row=row)) for row in range(1, 51))
    text = render_console(replace(clean_report(), notes=notes), width=400)
    assert "读表说明：50 条" in text
    assert "同类另有 49 条（第 2、3、4、5、6、7、8、9、10、11 等 行）" in text


def test_a_place_that_no_document_binds_has_no_applicable_rule() -> None:
    report = replace(sample_report(), records=(record(1, outside()),))
    text = render_console(report)
    assert "无适用规则" in text
    assert "符合全部适用规则" not in text


def test_documents_of_other_places_are_only_named() -> None:
    report = replace(sample_report(), records=(record(1, met(), outside()),))
    text = render_console(report)
    assert "未涉及    亳政〔2023〕1号 规则版本 fedcba987654" in text


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("土地用途管制", ["土地用途", "管制"]),
        ("限值，差额，", ["限值，差", "额，"]),
        ("abc def ghi", ["abc def", "ghi"]),
        ("", [""]),
    ],
)
def test_text_is_broken_between_chinese_characters_and_before_no_mark(text: str, rows: list[str]) -> None:
    assert wrap(text, 8) == rows
