"""Reads one cell, JSON value or Gherkin word into an `Entry` of a fact; says clearly when it cannot."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

from landrules.facts.quantities import (
    Unit,
    compatible,
    format_quantity,
    normalise_text,
    parse_number,
    round_half_up,
    squash,
)
from landrules.facts.records import Entry
from landrules.facts.vocabulary import Fact

__all__ = ["Reading", "as_text", "parse_date", "read_spelling", "read_value", "suggest"]

_TRUE = {"是", "true", "yes", "y", "√", "✓", "✔", "对", "t"}
_FALSE = {"否", "false", "no", "n", "×", "✗", "✘", "错", "f", "不是"}
_UNKNOWN = {"未知", "不详", "不清楚", "待定", "待核", "待核实", "待补充", "?", "？"}
_NONE = {"无", "不涉及", "不适用", "n/a", "na", "-", "—", "--", "——", "/", "none"}
_BLANK = {"", "null", "nan"}
_YEARS = range(1949, 2301)
# A term of 70 years on top of a long lease ends well after 2100; the year 8014 of a published table does not exist.
_HECTARE_DIGITS = 6
_FAKE_DATE = date(1900, 1, 1)
_BEIJING = timezone(timedelta(hours=8))
_MONTHS = range(1, 13)
# Writing out 1e999999999 would fill the memory; no land quantity needs more.
_PLAIN_DIGITS = 40
_PLAIN_BITS = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """Outcome of reading one value: an entry, or None for a blank; `problem` is set where the text is unusable.

    `hint` tells of something harmless that a person should know (a placeholder read as blank).
    """

    entry: Entry | None
    problem: str = ""
    hint: str = ""


def suggest(word: str, known: Sequence[str]) -> str:
    """`“X”` of the known words nearest to `word`, empty when none is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if not near:
        near = sorted((name for name in known if len(word) > 1 and (word in name or name in word)), key=len)[
            :1
        ]
    return f"“{near[0]}”" if near else ""


def read_value(fact: Fact, raw: object, heading_unit: Unit | None = None) -> Reading:
    """Read `raw` (text, bool, int, Decimal, date, list) as a value of `fact`.

    `heading_unit` is the unit in the column heading, used where the cell has none of its own; without either the
    canonical unit of the fact holds. A binary float is read from its shortest decimal text. Areas whose
    canonical unit is 公顷 are kept to six decimals (CONVENTIONS §6).
    """
    if raw is None:
        return Reading(None)
    if isinstance(raw, list | tuple | set | frozenset):
        return _read_list(fact, ["" if item is None else as_text(item) for item in raw])
    text = as_text(raw)
    lowered = normalise_text(text).lower()
    if lowered in _BLANK:
        return Reading(None)
    if lowered in _UNKNOWN and text not in fact.values:
        return Reading(Entry(None, "unknown", text))
    if lowered in _NONE and text not in fact.values:
        if fact.type == "set":
            return Reading(Entry(frozenset(), "known", text))
        hint = f"“{fact.label}”填“{text}”，按未给出处理，不当作 0、否或通过"
        return Reading(Entry(None, "none", text), hint=hint)
    match fact.type:
        case "bool":
            return _read_truth(fact, text, lowered)
        case "number" | "integer":
            return _read_number(fact, text, heading_unit)
        case "date":
            return _read_date(fact, raw, text)
        case "enum":
            return _read_choice(fact, text)
        case "set":
            return _read_members(fact, re.split(r"[；;、,，|\n]", text))
        case "text":
            return _read_text(fact, text)


def read_spelling(fact: Fact, raw: object) -> Mapping[str, str] | None:
    """What a further way to write a value says, as values by fact key; None where `raw` is none of those."""
    if not fact.spellings or not isinstance(raw, str):
        return None
    wanted = squash(raw)
    if any(wanted == squash(value) for value in fact.values):
        return None
    return fact.spellings.get(wanted)


def parse_date(text: str) -> date | None:
    """A calendar day written `2023-06-01`, `2023/6/1`, `2023.6.1`, `2023年6月1日`, `20230601`, with or without a time.

    A time with a zone means the day that it then is in China (`2023-05-31T16:00:00Z` is 2023-06-01). None when it is
    not a day; an impossible day (`2023-02-30`) is None too.
    """
    cleaned = normalise_text(text)
    match = re.fullmatch(
        r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?"
        r"(?:[T ](\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(?:(Z)|([+-])(\d{2}):?(\d{2}))?)?",
        cleaned,
    ) or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", cleaned)
    if match is None:
        return None
    parts = (*match.groups(), *[None] * 6)
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
        if parts[5] is None and parts[6] is None:
            return day
        away = timedelta(hours=int(parts[7] or 0), minutes=int(parts[8] or 0))
        zone = timezone(-away if parts[6] == "-" else away)
        clock = time(int(parts[3] or 0), int(parts[4] or 0), tzinfo=zone)
        return datetime.combine(day, clock).astimezone(_BEIJING).date()
    except (ValueError, OverflowError):
        return None


def as_text(raw: object) -> str:
    """Any raw value as the text a person would have written: exact digits, ISO days, 是/否."""
    match raw:
        case str():
            return raw.strip()
        case bool():
            return "是" if raw else "否"
        case float():
            return as_text(Decimal(repr(raw))).removesuffix(".0")
        case Decimal():
            plain = raw.is_finite() and abs(int(raw.as_tuple().exponent)) <= _PLAIN_DIGITS
            return format(raw, "f") if plain else str(raw)
        case int():
            return str(raw) if raw.bit_length() <= _PLAIN_BITS else "（过大的整数）"
        case datetime():
            return raw.date().isoformat() if raw.time().isoformat() == "00:00:00" else raw.isoformat(" ")
        case date():
            return raw.isoformat()
        case _:
            return str(raw).strip()


def _invalid(text: str, problem: str) -> Reading:
    return Reading(Entry(None, "invalid", text), problem=problem)


def _read_truth(fact: Fact, text: str, lowered: str) -> Reading:
    if lowered in _TRUE:
        return Reading(Entry(True, text=text))
    if lowered in _FALSE:
        return Reading(Entry(False, text=text))
    return _invalid(text, f"“{fact.label}”应填“是”或“否”，现为“{text}”；请改填，不清楚的留空")


def _read_number(fact: Fact, text: str, heading_unit: Unit | None) -> Reading:
    number = parse_number(text)
    if number is None:
        numbers = re.findall(r"\d+(?:\.\d+)?", normalise_text(text))
        if len(numbers) > 1:
            problem = (
                f"“{fact.label}”一格里有多个数（“{text}”），无法取其一；请按用途或宗地拆成多行，每行一个数"
            )
        else:
            problem = f"“{fact.label}”应是数字（单位 {fact.unit.name}），现为“{text}”；请只填数字，单位写在列名里或数字后"
        return _invalid(text, problem)
    unit = number.unit or heading_unit or fact.unit
    if not compatible(unit.dimension, fact.dimension) and fact.unit.name == "无":
        problem = (
            f"“{fact.label}”没有单位，现为“{text}”，单位是{unit.name}（{unit.dimension.describe()}）；"
            "请核对是不是这一项，是的去掉单位"
        )
        return _invalid(text, problem)
    if not compatible(unit.dimension, fact.dimension):
        problem = (
            f"“{fact.label}”的单位应能换算为{fact.unit.name}（{fact.dimension.describe()}），"
            f"现为“{text}”，单位是{unit.name}（{unit.dimension.describe()}）；请改用{fact.unit.name}"
        )
        return _invalid(text, problem)
    value = number.value * unit.factor
    if value < 0 and not fact.signed:
        return _invalid(text, f"“{fact.label}”不能是负数，现为“{text}”；请核对")
    if fact.key == "far" and value == 0 and "." in text:
        return Reading(None, hint=f"“{fact.label}”的 {text} 是占位值，按未填处理")
    if fact.key == "deal_price" and value == 0 and re.search(r"\.0{4}", text):
        return Reading(None, hint=f"“{fact.label}”的 {text} 是占位值，按未填处理；价款确为 0 请填 0")
    if fact.type == "integer":
        if (value / fact.unit.factor).denominator != 1:
            return _invalid(text, f"“{fact.label}”应是整数，现为“{text}”；请核对")
        return Reading(Entry(value, text=text))
    step = number.step * unit.factor
    if fact.unit.name == "公顷":
        value = round_half_up(value / fact.unit.factor, _HECTARE_DIGITS) * fact.unit.factor
    half_step = step / 2 if value else None
    hint = ""
    if unit != fact.unit:
        written = text if number.unit else f"{text} {unit.name.replace('每', '/')}"
        hint = f"“{fact.label}”{written} 换算为 {format_quantity(value, fact.unit)}"
    return Reading(Entry(value, text=text, half_step=half_step), hint=hint)


def _read_date(fact: Fact, raw: object, text: str) -> Reading:
    if isinstance(raw, datetime):
        day: date | None = (raw if raw.tzinfo is None else raw.astimezone(_BEIJING)).date()
    else:
        day = raw if isinstance(raw, date) else parse_date(text)
    if day is None:
        return _invalid(text, f"“{fact.label}”不是有效日期，现为“{text}”；请按 2023-06-01 的样式填写")
    if day == _FAKE_DATE:
        return Reading(None, hint=f"“{fact.label}”的 {text} 是占位值，按未填处理")
    if day.year not in _YEARS:
        return _invalid(text, f"“{fact.label}”的年份 {day.year} 不可信，现为“{text}”；请核对")
    return Reading(Entry(day, text=text))


def _read_choice(fact: Fact, text: str) -> Reading:
    wanted = normalise_text(text)
    for value in fact.values:
        if text == value or wanted == normalise_text(value):
            return Reading(Entry(value, text=text))
    known = {squash(value) for value in (*fact.values, *fact.spellings)}
    parts = [part for part in re.split(r"[、，,;；/+\n]|及|和|兼容", wanted) if part]
    if len(parts) > 1 and all(squash(part) in known for part in parts):
        return _invalid(
            text, f"“{fact.label}”一格里写了几种（“{text}”），无法取其一；请拆成多行，每行一种，未定的留空"
        )
    near = suggest(text, [*fact.values, *fact.spellings])
    hint = f"是否指{near}？" if near else ""
    return _invalid(text, f"“{fact.label}”没有“{text}”这一项；{hint}可填：{'、'.join(fact.values)}")


def _read_list(fact: Fact, items: list[str]) -> Reading:
    """A list as JSON has it: an empty one says 'none of them', one of a single item what that item says."""
    if len(items) == 1:
        return read_value(fact, items[0])
    if fact.type != "set":
        text = "；".join(items)
        return _invalid(text, f"“{fact.label}”只能填一个值，现有 {len(items)} 个（“{text}”）；请拆成多行")
    return _read_members(fact, items)


def _read_members(fact: Fact, items: list[str]) -> Reading:
    text = "；".join(items)
    if items and not any(map(normalise_text, items)):
        return Reading(None)
    by_text = {normalise_text(value): value for value in fact.values}
    members: set[str] = set()
    for item in items:
        wanted = normalise_text(item)
        if not wanted:
            continue
        if wanted not in by_text:
            near = suggest(wanted, fact.values)
            hint = f"是否指{near}？" if near else ""
            return _invalid(text, f"“{fact.label}”没有“{item}”这一项；{hint}可填：{'、'.join(fact.values)}")
        members.add(by_text[wanted])
    return Reading(Entry(frozenset(members), text=text))


def _read_text(fact: Fact, text: str) -> Reading:
    if fact.format == "YYYY-MM":
        match = re.fullmatch(r"(\d{4})(?:-|/|\.|年)(\d{1,2})月?(?:-\d{1,2}.*)?", normalise_text(text))
        if match is None or int(match[2]) not in _MONTHS or int(match[1]) not in _YEARS:
            return _invalid(text, f"“{fact.label}”应写成 2023-06 的样式，现为“{text}”；请改填")
        return Reading(Entry(f"{match[1]}-{int(match[2]):02d}", text=text))
    return Reading(Entry(text, text=text))
