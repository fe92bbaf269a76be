"""Tables of the national land-market site (供地结果): which columns mean what, and the quirks of what is published.

The mapping itself is data: facts/vocabulary/imports.yaml. The quirks were measured on the whole national set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from landrules.facts.notes import Note, Place
from landrules.facts.quantities import normalise_text, parse_number, squash
from landrules.facts.read_headings import Column, Names
from landrules.facts.records import Entry
from landrules.facts.values import parse_date
from landrules.facts.vocabulary import Vocabulary

__all__ = ["Market", "adapt_columns", "carried_note", "detect", "refine"]

# The columns of the published result page that hold no fact by themselves, whatever they are called elsewhere.
_PUBLISHED = {
    "土地来源",
    "行业分类",
    "土地级别",
    "约定容积率下限",
    "约定容积率上限",
    "约定交地时间",
    "约定开工时间",
    "约定竣工时间",
    "实际开工时间",
    "实际竣工时间",
    "批准单位",
    "分期支付约定",
}
_SIGNATURE = (
    "供地方式",
    "土地用途",
    "土地使用年限",
    "土地来源",
    "土地级别",
    "成交价格(万元)",
    "约定容积率下限",
    "合同签订日期",
)
_SIGNATURE_NEEDED = 5
_FIRST_YEAR, _LAST_YEAR = 1949, 2100
_FAKE_DATE = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Market:
    """A recognised import: its name in imports.yaml and, by squashed heading, what each mapped column gives."""

    name: str
    columns: Mapping[str, Mapping[str, Any]]


def detect(columns: Sequence[Column], vocabulary: Vocabulary) -> Market | None:
    """The import whose headings these are, None for any other table."""
    content = vocabulary.imports.get("landchina_results")
    headings = {squash(column.heading) for column in columns}
    if content is None or sum(squash(name) in headings for name in _SIGNATURE) < _SIGNATURE_NEEDED:
        return None
    mapped = {squash(name): column for name, column in content["columns"].items()}
    return Market("landchina_results", mapped)


def adapt_columns(columns: Sequence[Column], market: Market, names: Names) -> tuple[Column, ...]:
    """The columns read as imports.yaml says; columns that people added to the table keep the meaning of the vocabulary."""
    adapted = []
    for column in columns:
        heading = squash(column.heading)
        target = market.columns.get(heading)
        if target is None:
            plain = Column(column.index, column.heading, carry=column.heading)
            adapted.append(plain if column.heading in _PUBLISHED else column)
        elif "map" in target:
            mapping = {normalise_text(value): dict(facts) for value, facts in target["map"].items()}
            adapted.append(replace(column, fact=None, unit=None, carry=column.heading, mapping=mapping))
        else:
            fact = names.subject.facts[target["fact"]]
            unit = column.unit or names.units.get(heading)
            adapted.append(replace(column, fact=fact, unit=unit, carry="", vague=False))
    return tuple(adapted)


def carried_note(columns: Sequence[Column], place: Place) -> Note:
    """One note a sheet: how it was recognised, and which columns are carried along unjudged."""
    carried = [
        column.heading
        for column in columns
        if column.fact is None and not column.known and column.mapping is None
    ]
    message = f"按中国土地市场网供地结果表读取；照抄不判断的列：{'、'.join(carried) or '无'}"
    if "土地级别" in carried:
        message += "。“土地级别”多为当地基准地价级别，不是全国土地等别"
    if "土地来源" in carried:
        message += "；“土地来源”填的是存量面积（公顷）"
    return Note("info", "land-market-table", message, place)


def refine(entries: dict[str, Entry], carried: dict[str, str], notes: list[Note], place: Place) -> None:
    """Apply what is known of published rows to one row: changes `entries`, `carried` and `notes` in place."""
    _refine_term(entries, carried, notes, place)
    _check_far(carried, notes, place)
    _check_dates(carried, notes, place)
    _tell_source(entries, carried)
    mode = entries.get("supply_mode")
    price = entries.get("deal_price")
    if mode is not None and mode.value == "出让" and (price is None or price.state != "known"):
        message = "出让而没有成交价格，与价格有关的条款只能待补充；请补填成交价款"
        notes.append(Note("info", "market-no-price", message, replace(place, column="成交价格(万元)")))


def _refine_term(entries: dict[str, Entry], carried: dict[str, str], notes: list[Note], place: Place) -> None:
    term = entries.get("grant_term")
    if term is None:
        return
    column = replace(place, column="土地使用年限")
    mode = entries.get("supply_mode")
    if term.state == "known" and term.value == Fraction(0):
        del entries["grant_term"]
        carried["土地使用年限"] = term.text
        notes.append(
            Note("info", "value-read-as", f"“土地使用年限”的 {term.text} 是占位值，按未填处理", column)
        )
    elif mode is not None and mode.value == "租赁" and term.state == "known":
        del entries["grant_term"]
        carried["土地使用年限"] = term.text
        message = (
            f"租赁供地的“土地使用年限”（{term.text}）没有确定的对应，照抄不判断；要判断租期请填“出租年期”"
        )
        notes.append(Note("warning", "market-lease-term", message, column))
    elif term.state == "invalid" and len(re.findall(r"\d+", term.text)) > 1:
        notes[:] = [
            note for note in notes if not (note.code == "bad-value" and note.place.column == "土地使用年限")
        ]
        message = (
            f"年限按用途分列（{term.text}），无法取其一，按未填处理；要判断请按用途拆成多行，每行一个年限"
        )
        notes.append(Note("warning", "market-mixed-terms", message, column))


def _check_far(carried: Mapping[str, str], notes: list[Note], place: Place) -> None:
    lower = parse_number(carried.get("约定容积率下限", ""))
    upper = parse_number(carried.get("约定容积率上限", ""))
    # 0.00 on either side stands for a bound that was not agreed.
    if lower and upper and lower.value > upper.value > 0:
        message = f"约定容积率下限 {carried['约定容积率下限']} 大于上限 {carried['约定容积率上限']}；可能填反，请核对"
        notes.append(Note("warning", "market-far-bounds", message, replace(place, column="约定容积率下限")))


def _check_dates(carried: Mapping[str, str], notes: list[Note], place: Place) -> None:
    days: dict[str, date] = {}
    for name in ("约定交地时间", "约定开工时间", "约定竣工时间"):
        text = carried.get(name)
        if not text:
            continue
        day = parse_date(text)
        if day is None or (day != _FAKE_DATE and not _FIRST_YEAR <= day.year <= _LAST_YEAR):
            message = f"“{text}”不是可信的日期；本列不参与判断，请核对"
            notes.append(Note("warning", "market-date", message, replace(place, column=name)))
        elif day != _FAKE_DATE:
            days[name] = day
    start, end = days.get("约定开工时间"), days.get("约定竣工时间")
    if start and end and start > end:
        message = f"约定开工时间 {start} 晚于约定竣工时间 {end}；可能填反，请核对"
        notes.append(
            Note("warning", "market-start-after-end", message, replace(place, column="约定开工时间"))
        )


def _tell_source(entries: Mapping[str, Entry], carried: dict[str, str]) -> None:
    """土地来源 holds the area taken from existing stock; its relation to the plot's area tells the kind."""
    stock = parse_number(carried.get("土地来源", ""))
    area = entries.get("land_area")
    if stock is None or area is None or not isinstance(area.value, Fraction):
        return
    existing = stock.value * 10000
    if existing == 0:
        kind = "新增建设用地"
    elif existing == area.value:
        kind = "现有建设用地"
    elif 0 < existing < area.value:
        kind = "新增建设用地（来自存量库）"
    else:
        return
    carried["土地来源（判读）"] = kind
