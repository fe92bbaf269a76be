"""Working days: what the State Council arranged, what a file adds, and None where nobody knows."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landrules.facts.calendar import Workdays, load_workdays, missing_message
from landrules.facts.notes import InputError

OVERRIDE = """
notice: 国办发明电〔2026〕示例号
years: [2027]
days:
  2027-01-01: 休
  2027-01-02: 班
"""


@pytest.fixture
def with_2027(tmp_path):
    path = tmp_path / "放假安排.yaml"
    path.write_text(OVERRIDE, encoding="utf-8")
    return load_workdays(path)


def test_weekends_holidays_and_shifted_working_days_are_known():
    calendar = load_workdays()
    assert calendar.is_workday(date(2023, 5, 31)) is True
    assert calendar.is_workday(date(2023, 6, 3)) is False
    assert calendar.is_workday(date(2023, 6, 22)) is False
    assert calendar.is_workday(date(2023, 6, 25)) is True


def test_counting_starts_the_day_after():
    calendar = load_workdays()
    assert calendar.add(date(2023, 6, 1), 1) == date(2023, 6, 2)
    assert calendar.add(date(2023, 6, 2), 1) == date(2023, 6, 5)
    assert calendar.add(date(2023, 6, 21), 1) == date(2023, 6, 25)
    assert calendar.add(date(2023, 6, 3), 0) == date(2023, 6, 3)
    assert calendar.add(date(2023, 6, 1), Fraction(10)) == date(2023, 6, 15)


def test_a_day_off_rolls_to_the_next_working_day():
    calendar = load_workdays()
    assert calendar.roll(date(2023, 6, 22)) == date(2023, 6, 25)
    assert calendar.roll(date(2023, 6, 1)) == date(2023, 6, 1)


def test_a_year_without_an_arrangement_is_unknown_and_named():
    calendar = load_workdays()
    assert calendar.is_workday(date(2090, 3, 1)) is None
    assert calendar.roll(date(2090, 3, 1)) is None
    assert calendar.add(date(2090, 3, 1), 1) is None
    assert calendar.missing_years(date(2090, 3, 1), 1) == (2090,)
    assert calendar.missing_years(date(2090, 3, 1)) == (2090,)
    assert calendar.missing_years(date(2023, 6, 1), 5) == ()
    assert missing_message((2090,)) == "缺少2090年放假安排"
    assert missing_message(()) == ""


def test_a_count_that_crosses_into_an_unknown_year_is_unknown():
    calendar = Workdays()
    last = next(year for year in range(2024, 2200) if calendar.is_workday(date(year, 6, 1)) is None) - 1
    assert calendar.add(date(last, 12, 1), 5) is not None
    assert calendar.add(date(last, 12, 25), 10) is None
    assert calendar.missing_years(date(last, 12, 25), 10) == (last + 1,)


def test_a_file_adds_a_year(with_2027):
    assert with_2027.is_workday(date(2027, 1, 1)) is False
    assert with_2027.is_workday(date(2027, 1, 2)) is True
    assert with_2027.is_workday(date(2027, 1, 3)) is False
    assert with_2027.is_workday(date(2027, 1, 4)) is True
    assert with_2027.notice == "国办发明电〔2026〕示例号"
    assert with_2027.is_workday(date(2023, 6, 25)) is True


def test_a_file_that_names_days_only_answers_for_these_days(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("notice: 示例\ndays: {2090-01-01: 休, 2023-06-25: 休}\n", encoding="utf-8")
    calendar = load_workdays(path)
    assert calendar.is_workday(date(2090, 1, 1)) is False
    assert calendar.is_workday(date(2090, 1, 2)) is None
    assert calendar.is_workday(date(2023, 6, 25)) is False


@pytest.mark.parametrize("n", [-1, Fraction(1, 2), 10**9])
def test_a_count_that_is_negative_broken_or_endless_is_refused(n):
    with pytest.raises(ValueError, match="整数"):
        load_workdays().add(date(2023, 6, 1), n)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "映射"),
        ("- 1", "映射"),
        ("{", "YAML"),
        ("days: {2027-01-01: 休}", "文号"),
        ("notice: 示例\ndays: {2027-01-01: 可能}", "只能写 休 或 班"),
        ("notice: 示例\ndays: {元旦: 休}", "不是日期"),
        ("notice: 示例\ndays: [1]", "映射"),
        ("notice: 示例\nyears: 2027", "列表"),
        ("notice: 示例\nyear: [2027]", "不认识“year”"),
        ("notice: 示例\ndays:\n  2027-01-01: 休\n  2027-01-01: 班", "写了两次"),
        ("notice: !!python/object:os.system x", "YAML"),
        ("notice: 示例\ndays: {2027-02-30: 休}", "YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path, text, words):
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        load_workdays(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="读不了"):
        load_workdays(tmp_path / "没有.yaml")


@settings(deadline=None)
@given(st.dates(date(2010, 1, 1), date(2023, 12, 31)), st.integers(0, 60))
def test_the_nth_working_day_has_n_working_days_behind_it(day, n):
    calendar = Workdays()
    found = calendar.add(day, n)
    assert found is not None
    passed = sum(
        bool(calendar.is_workday(day + timedelta(days=step))) for step in range(1, (found - day).days + 1)
    )
    assert passed == n
    assert n == 0 or calendar.is_workday(found)
