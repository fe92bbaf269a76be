"""Whether the figures of a ruleset stand in the words of a clause, in any of the ways such documents write them."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction

from landrules.engine.rulebook.model import DatedValue
from landrules.engine.source_text import squeezed
from landrules.facts.quantities import Unit, parse_number

__all__ = ["figure_in", "figures_of"]

_DIGITS = "零一二三四五六七八九"
_FORMAL = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ((1000, "千", "仟"), (100, "百", "佰"), (10, "十", "拾"))
_TEN_THOUSAND = 10_000
_NUMERALS = "零〇一二三四五六七八九十百千万两"
_QUARTERS = {3: "一", 6: "二", 9: "三", 12: "四"}
# What a bare Chinese numeral has to stand beside, since 一 is part of many words.
_COUNTED = "[个名层家年月日天亩种级处项季座倍次人份成米户宗方套户]"
_TWO = 2
_WORDS_OF_ONE = {
    "月": ("每月", "月通报", "按月", "逐月", "月度", "当月"),
    "年": ("每年", "年度", "按年", "当年"),
    "日": ("当日", "每日", "次日"),
    "工作日": ("当日", "一天", "1天"),
}


def figures_of(value: DatedValue) -> tuple[str, ...]:
    """The ways in which the value may be written: regular expressions for text without white space."""
    if value.value is None or isinstance(value.value, bool):
        return ()
    if isinstance(value.value, date):
        return tuple(_days(value.value))
    month = re.fullmatch(r"(\d{4})-0?(\d{1,2})", value.text.strip())
    if month:
        return (rf"{month[1]}年{month[2]}月", rf"{month[1]}-0?{month[2]}(?!\d)")
    number = parse_number(value.text)
    if number is None:
        return (re.escape(squeezed(value.text)),)
    return tuple(_numbers(Fraction(number.value), number.unit))


def figure_in(value: DatedValue, texts: Iterable[str]) -> bool:
    """Whether one of the texts writes the value; a value that cannot be told apart counts as written."""
    ways = figures_of(value)
    squeezed_texts = [re.sub(r"(?<=\d),(?=\d{3})", "", squeezed(text)) for text in texts]
    return not ways or any(re.search(way, text) for way in ways for text in squeezed_texts)


def _numbers(value: Fraction, unit: Unit | None) -> Iterator[str]:
    name = unit.name if unit is not None else ""
    shown = _plain(value)
    digits = rf"(?<![\d.]){re.escape(shown)}(?![\d.]*\d)"
    if name == "%":
        yield rf"{digits}%"
        for words in _chinese(value):
            yield f"百分之{words}(?![{_NUMERALS}])"
        if value % 10 == 0 and 0 < value < 100:  # noqa: PLR2004 - tenths
            yield from (f"(?<![{_NUMERALS}]){words}成" for words in _chinese(value / 10))
            yield rf"(?<![\d.]){int(value / 10)}成"
        if value == 100:  # noqa: PLR2004 - the whole
            yield "全部|全域|一律"
        return
    end = _unit_end(unit)
    yield rf"{digits}个?{end}" if end else digits
    for words in _chinese(value):
        if end:
            yield f"(?<![{_NUMERALS}]){words}个?{end}"
        else:
            yield f"(?<![{_NUMERALS}第]){words}{_COUNTED}"
            yield f"[第前后]{words}(?![{_NUMERALS}章条款项])"
    if not name and value.denominator == 1 and value > 1:
        # 位次等分数 3: 三分之一.
        yield from (f"{words}分之一" for words in _chinese(value))
        yield rf"1/{shown}(?!\d)"
    if value == 1:
        yield from _WORDS_OF_ONE.get(name, ())


def _unit_end(unit: Unit | None) -> str:
    if unit is None or unit.name == "无":
        return ""
    return f"(?:{'|'.join(re.escape(squeezed(name)) for name in (unit.name, *unit.spellings))})"


def _plain(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    text = f"{float(value):f}".rstrip("0")
    return text.rstrip(".")


def _chinese(value: Fraction) -> tuple[str, ...]:
    """The number in Chinese numerals, plain and formal; nothing for what is not a whole number below 10,000."""
    if value.denominator != 1 or not 0 < value < _TEN_THOUSAND:
        return ()
    number = int(value)
    ways = [_numeral(number, _DIGITS, 1), _numeral(number, _FORMAL, 2)]
    if number < 20 and number >= 10:  # noqa: PLR2004 - 十二 and 一十二
        ways.append(f"一{ways[0]}")
    if number == _TWO:
        ways += ["两", "双"]
    return tuple(dict.fromkeys(ways))


def _numeral(number: int, digits: str, column: int) -> str:
    text, gap = "", False
    for place in _PLACES:
        digit, number = divmod(number, place[0])
        if digit:
            text += (digits[0] if gap else "") + digits[digit] + str(place[column])
            gap = False
        elif text:
            gap = True
    if number:
        text += (digits[0] if gap else "") + digits[number]
    return text.removeprefix("一") if text.startswith("一十") else text


def _days(day: date) -> Iterator[str]:
    """`2024年6月30日`; a month stands for its first and last day, quarters and years for theirs."""
    bare_month = rf"(?<!\d)(?<!\d年){day.month}月"
    yield rf"{day.year}年{day.month}月{day.day}日"
    yield rf"{bare_month}{day.day}日"
    yield rf"{day.year}-0?{day.month}-0?{day.day}(?!\d)"
    last = day.day == monthrange(day.year, day.month)[1]
    if last or day.day == 1:
        yield rf"{day.year}年{day.month}月(?!\d)"
    if last:
        yield rf"{day.year}年{day.month}月(?:底|末|份)"
        yield rf"{bare_month}(?:底|末|份)"
        if day.month in _QUARTERS:
            yield rf"{_QUARTERS[day.month]}(?:、[二三四])*季度"
        if day.month == 6:  # noqa: PLR2004 - the half year
            yield "上半年"
        if day.month == 12:  # noqa: PLR2004 - the end of the year
            yield rf"{day.year}年(?:底|末|内|度)"
            yield "年底|年末"
