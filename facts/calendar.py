"""Chinese working days: the State Council's holiday arrangements, never a guess (CONVENTIONS §8).

The arrangements of past years come with the package chinesecalendar; a file kept by the user adds years or corrects days.
Where a year has no arrangement the answer is None, and `missing_years` names the years for the message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import chinese_calendar
import yaml

from landrules.facts.notes import InputError, Note, Place

__all__ = ["Workdays", "load_workdays", "missing_message"]

_WORDS = {"班": True, "上班": True, "工作日": True, "休": False, "休息": False, "放假": False, "假": False}
_SATURDAY = 5
_YEARS = range(1949, 2101)
_LONGEST_COUNT = 20_000


@dataclass(frozen=True, slots=True)
class Workdays:
    """A working-day calendar.

    `days` says of single days whether they are working days and goes before everything else. `years` are those whose
    arrangement `days` gives in full: their other days follow the week. `notice` is the document number behind both.
    """

    days: Mapping[date, bool] = field(default_factory=dict)
    years: frozenset[int] = frozenset()
    notice: str = ""

    def is_workday(self, day: date) -> bool | None:
        """Whether people work on `day`; None where its year has no arrangement."""
        if day in self.days:
            return self.days[day]
        if day.year in self.years:
            return day.weekday() < _SATURDAY
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return None

    def add(self, day: date, n: int | Fraction) -> date | None:
        """The `n`-th working day after `day`, which itself does not count; `day` for 0.

        None where an arrangement is missing on the way.

        Raises:
            ValueError: when `n` is negative, not whole or beyond all calendars.
        """
        return _count(self, day, n)[0]

    def roll(self, day: date) -> date | None:
        """`day` if it is a working day, else the next one; None where an arrangement is missing."""
        return _roll(self, day)[0]

    def missing_years(self, day: date, n: int | Fraction | None = None) -> tuple[int, ...]:
        """The years whose arrangement is missing for `add(day, n)`, or for `roll(day)` when `n` is None.

        One year at most: beyond it nobody can count.
        """
        year = _roll(self, day)[1] if n is None else _count(self, day, n)[1]
        return () if year is None else (year,)


def missing_message(years: tuple[int, ...]) -> str:
    """`缺少2027年放假安排`, empty when nothing is missing."""
    return f"缺少{'、'.join(map(str, years))}年放假安排" if years else ""


def load_workdays(override: Path | None = None) -> Workdays:
    """The calendar of chinesecalendar, with the arrangements of a file of the user's on top.

    The file is YAML: `{notice: 国办发明电〔2026〕…号, years: [2027], days: {2027-01-01: 休, 2027-02-20: 班}}`. `years` lists the
    years of which `days` gives every departure from the plain week.

    Raises:
        InputError: with every mistake in the file.
    """
    if override is None:
        return Workdays()
    place = Place(file=override.name)
    try:
        text = override.read_text(encoding="utf-8-sig")
        content = yaml.safe_load(text)
        repeated = list(_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader)))
    except OSError:
        raise InputError(
            Note("error", "calendar-file", "读不了放假安排文件；请核对路径和权限", place)
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        message = "放假安排文件不是有效的 YAML（UTF-8）；请按 {notice: 文号, years: [2027], days: {2027-01-01: 休}} 的样式写"
        raise InputError(Note("error", "calendar-file", message, place)) from None
    if not isinstance(content, dict):
        message = "放假安排文件应是映射：notice（文号）、years（年份）、days（日期: 休或班）"
        raise InputError(Note("error", "calendar-file", message, place))
    problems = [f"“{key}”写了两次；请删去一个" for key in repeated]
    problems += [
        f"不认识“{key}”；只有 notice、years、days"
        for key in content
        if key not in ("notice", "years", "days")
    ]
    days = _days(content.get("days"), problems)
    years = _years(content.get("years"), problems)
    notice = content.get("notice")
    if not isinstance(notice, str) or not notice.strip():
        problems.append("缺 notice：放假安排通知的文号；请写明依据")
    if problems:
        raise InputError(*(Note("error", "calendar-file", problem, place) for problem in problems))
    return Workdays(days, years, str(notice).strip())


def _count(calendar: Workdays, day: date, n: int | Fraction) -> tuple[date | None, int | None]:
    """The day found and None, or None and the year that is missing."""
    whole = Fraction(n)
    if whole.denominator != 1 or not 0 <= whole <= _LONGEST_COUNT:
        raise ValueError(f"工作日数应是 0 到 {_LONGEST_COUNT} 的整数，现为 {n}")
    left = int(whole)
    while left:
        day += timedelta(days=1)
        working = calendar.is_workday(day)
        if working is None:
            return None, day.year
        left -= working
    return day, None


def _roll(calendar: Workdays, day: date) -> tuple[date | None, int | None]:
    """As `_count`."""
    while (working := calendar.is_workday(day)) is False:
        day += timedelta(days=1)
    return (day, None) if working else (None, day.year)


def _days(content: object, problems: list[str]) -> dict[date, bool]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        problems.append("days 应是“日期: 休”或“日期: 班”的映射")
        return {}
    days: dict[date, bool] = {}
    for key, word in content.items():
        working = _WORDS.get(str(word))
        if type(key) is not date:
            problems.append(f"days 里的“{key}”不是日期；请写成 2027-01-01 的样式")
        elif working is None:
            problems.append(f"days 里 {key} 的“{word}”不认识；只能写 休 或 班")
        else:
            days[key] = working
    return days


def _years(content: object, problems: list[str]) -> frozenset[int]:
    if content is None:
        return frozenset()
    if not isinstance(content, list) or not all(type(year) is int and year in _YEARS for year in content):
        problems.append("years 应是年份的列表，如 [2027]")
        return frozenset()
    return frozenset(content)


def _repeated_keys(node: object) -> Iterator[str]:
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.value in seen:
            yield key.value
        seen.add(key.value)
        yield from _repeated_keys(value)
