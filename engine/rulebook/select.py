"""The gate (CONVENTIONS §4): does a provision bind this place on this day, and in which version."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from landrules.engine.rulebook.load import Rulebook
from landrules.engine.rulebook.model import Document, Period, Place, Rule
from landrules.facts.quantities import normalise_text
from landrules.facts.records import Entry
from landrules.facts.values import suggest

__all__ = ["Gate", "canonical_place", "cities_within", "gate", "place_of", "places_of", "unknown_place"]

Reason = Literal["place", "date"]
_ALL_CITY = "本级"
_ELSEWHERE = {"海南"}
"""A province that is called like a district of a city here."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a provision's place and time bind a record: True, False, or None for unknown.

    `version` is the version of the rule to judge by; where the day is unknown and there are several, it is the
    latest and `candidates` holds them all. `reason` and `message` say why the gate is not open; `missing` are
    the facts that would settle it; `uncertain` is why the document's force on the day is uncertain. `day` is the
    day that chose the version.
    """

    place: bool | None
    time: bool | None
    version: Rule
    reason: Reason | None = None
    message: str = ""
    missing: tuple[str, ...] = ()
    uncertain: str = ""
    candidates: tuple[Rule, ...] = ()
    day: date | None = None

    @property
    def open(self) -> bool | None:
        """True when place and time bind, False when one does not, None when that is unknown."""
        if self.place is False or self.time is False:
            return False
        return None if self.place is None or self.time is None else True


def gate(versions: Sequence[Rule], document: Document, entries: Mapping[str, Entry]) -> Gate:
    """The gate of one provision (all versions of a rule, in order) for the entries of one record."""
    place, place_message, place_missing = _place_gate(document, entries)
    time, version, day, uncertain, time_message, time_missing = _time_gate(versions, document, entries)
    reason: Reason | None = None
    message = ""
    if place is False:
        reason, message = "place", place_message
    elif time is False:
        reason, message = "date", time_message
    elif place is None or time is None:
        reason = "place" if place is None else "date"
        message = "；".join(text for text in (place_message, time_message) if text)
    return Gate(
        place=place,
        time=time,
        version=version,
        reason=reason,
        message=message,
        missing=() if reason is None or False in (place, time) else (*place_missing, *time_missing),
        uncertain=uncertain,
        candidates=tuple(versions) if day is None and len(versions) > 1 else (version,),
        day=day,
    )


def _place_gate(document: Document, entries: Mapping[str, Entry]) -> tuple[bool | None, str, tuple[str, ...]]:
    district, city = _text(entries, "district"), _text(entries, "city")
    if district:
        if place_of(document, district) is not None:
            return True, "", ()
        return False, f"辖区外：“{district}”不在{document.city}的辖区内", ()
    if city:
        if place_of(document, city) is not None:
            return True, "", ()
        return False, f"辖区外：“{city}”不是{document.city}", ()
    return None, "缺行政区，不知是否在辖区内", ("district", "city")


def _time_gate(
    versions: Sequence[Rule], document: Document, entries: Mapping[str, Entry]
) -> tuple[bool | None, Rule, date | None, str, str, tuple[str, ...]]:
    """Time gate, version, day, why uncertain, message, missing facts."""
    key = versions[0].gate_fact
    if key is None:
        day = _day(entries, "action_date")
        return True, _nearest(versions, day), day, "", "", ()
    day = _day(entries, key)
    if day is None:
        name = "行为日期" if key == "action_date" else "选用文件版本的日期"
        return None, versions[-1], None, "", f"缺{name}，不知是否在有效期内", (key,)
    version = _nearest(versions, day)
    for period in document.uncertain:
        if period.holds(day):
            why = period.why or "效力不确定"
            return None, version, day, why, f"{day} 是否适用不确定：{why}", ()
    if version.period.holds(day):
        return True, version, day, "", "", ()
    return False, version, day, "", f"不在有效期：{day} 不在 {_span(versions)} 内", ()


def _nearest(versions: Sequence[Rule], day: date | None) -> Rule:
    """The version in force on the day; else the last before it, else the first."""
    if day is None:
        return versions[-1]
    begun = [rule for rule in versions if rule.period.start is None or rule.period.start <= day]
    return begun[-1] if begun else versions[0]


def _span(versions: Sequence[Rule]) -> str:
    return "、".join(_joined(versions))


def _joined(versions: Sequence[Rule]) -> list[str]:
    """The periods as text, those that follow each other without a gap as one."""
    spans: list[Period] = []
    for rule in versions:
        last = spans[-1] if spans else None
        if last and last.end and rule.period.start and (rule.period.start - last.end).days == 1:
            spans[-1] = Period(last.start, rule.period.end)
        else:
            spans.append(Period(rule.period.start, rule.period.end))
    return [span.describe() for span in spans]


def place_of(document: Document, text: str) -> Place | None:
    """The place of the document that a text names: by name, full name, old name, other name or code.

    The city's own name means the city level (市本级).
    """
    wanted = _stripped(document, text)
    for place in document.places:
        names = (place.name, *place.aliases)
        if wanted in names or (place.code and _code(wanted) == place.code):
            return place
    if wanted in (document.city, document.city.removesuffix("市")) or (
        document.city_code and _code(wanted) == document.city_code
    ):
        own = next((place for place in document.places if place.name == document.city + _ALL_CITY), None)
        return own or Place(document.city, document.city_code)
    return None


def _stripped(document: Document, text: str) -> str:
    """The text without white space and without the province and city before a district."""
    wanted = re.sub(r"\s+", "", normalise_text(text))
    short = re.sub(r"(?:省|市|(?:壮族|回族|维吾尔)?自治区)$", "", document.province)
    for prefix in (document.province, short, document.city):
        rest = wanted.removeprefix(prefix)
        wanted = rest if rest and rest != _ALL_CITY else wanted
    return wanted


def _code(text: str) -> str:
    """The six digits of an administrative code, also of the 9- and 12-digit codes of what lies in the district."""
    match = re.fullmatch(r"(\d{6})(?:\d{3}){0,2}", text)
    return match[1] if match else ""


def canonical_place(rulebook: Rulebook, text: str) -> str | None:
    """The name of the place in today's spelling (旧名、代码、全称 → 县级行政区名), None when no document names it."""
    for name in sorted(rulebook.documents):
        place = place_of(rulebook.documents[name], text)
        if place is not None:
            return place.name
    return None


def cities_within(rulebook: Rulebook, text: str) -> tuple[str, ...]:
    """The cities that a text speaks of without being the name of one place: `海勃湾`, `海勃湾区、乌达区`, `亳州经开区`."""
    wanted = re.sub(r"\s+", "", normalise_text(text))
    found: dict[str, None] = {}
    for _, document in sorted(rulebook.documents.items()):
        names = [name for place in document.places for name in (place.name, *place.aliases)]
        whole = any(name in wanted for name in names if len(name) > len(_ALL_CITY))
        short = wanted in {name[:-1] for name in names} - _ELSEWHERE
        if whole or short or wanted.startswith(document.city.removesuffix("市")):
            found[document.city] = None
    return tuple(found)


def places_of(rulebook: Rulebook) -> Mapping[str, tuple[str, ...]]:
    """Every name of a place that documents bind → the ids of these documents."""
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(rulebook.documents):
        document = rulebook.documents[name]
        names = [
            document.city,
            *(label for place in document.places for label in (place.name, *place.aliases)),
        ]
        for label in dict.fromkeys(names):
            found[label] = (*found.get(label, ()), name)
    return found


def unknown_place(rulebook: Rulebook, text: str) -> str:
    """What to tell about a place that no document names, with a suggestion; empty when the place is known."""
    if canonical_place(rulebook, text) is not None:
        return ""
    known = places_of(rulebook)
    near = suggest(normalise_text(text), tuple(known))
    hint = f"是否指{near}？" if near else ""
    cities = "、".join(dict.fromkeys(document.city for document in rulebook.documents.values()))
    return f"没有文件约束“{text}”；{hint}请填县级行政区全称（现有规则集的地级市：{cities}），功能区填所在的县、区"


def _text(entries: Mapping[str, Entry], key: str) -> str:
    entry = entries.get(key)
    if entry is None or entry.state != "known" or not isinstance(entry.value, str):
        return ""
    return entry.value.strip()


def _day(entries: Mapping[str, Entry], key: str) -> date | None:
    entry = entries.get(key)
    if entry is None or entry.state != "known" or not isinstance(entry.value, date):
        return None
    return entry.value
