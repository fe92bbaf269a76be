"""Place configuration: figures that documents leave to the place, each with its document and dates.

```yaml
values:
  - fact: 工业用地最低价标准
    value: 168元/平方米
    place: 谯城区
    from: 2007-01-01
    document: 国土资发〔2006〕307号（十等）
    confirmed_by: 某某局
    date: 2023-05-08
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from landrules.engine.rulebook.load import RulebookError
from landrules.engine.rulebook.model import Period
from landrules.engine.rulebook.parameters import overlap
from landrules.engine.rulebook.reading import Source, read_file
from landrules.engine.rulebook.schema import ConfigurationFile, ConfiguredForm, check
from landrules.facts.notes import InputError, Note
from landrules.facts.records import Entry
from landrules.facts.values import read_value, suggest
from landrules.facts.vocabulary import Fact, Vocabulary

__all__ = ["Configuration", "ConfiguredValue", "configured_entry", "load_configuration"]


_OF_THE_RECORD = frozenset(("district", "city", "action_date", "as_of_date", "deviation_justified"))


@dataclass(frozen=True, slots=True)
class ConfiguredValue:
    """A fact that a place fixes for a period. `entry` has origin `configured` and the document as its basis."""

    fact: str
    place: str
    period: Period
    entry: Entry
    confirmed_by: str
    confirmed_on: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """All values of a configuration file."""

    values: tuple[ConfiguredValue, ...] = ()


def load_configuration(path: Path, vocabulary: Vocabulary) -> Configuration:
    """Read a configuration file.

    Raises:
        RulebookError: with every problem of the file: unknown facts, unreadable values, two values for one day.
    """
    problems: list[Note] = []
    try:
        source = read_file(path, path.name)
    except InputError as error:
        raise RulebookError(*error.notes) from error
    form = check(source, ConfigurationFile, problems)
    values: list[ConfiguredValue] = []
    for index, item in enumerate(form.values if form else ()):
        value = _value(item, index, source, vocabulary, problems)
        if value is not None:
            values.append(value)
    if not problems:
        _check_overlap(values, source, problems)
    if problems:
        raise RulebookError(*problems)
    return Configuration(tuple(values))


def configured_entry(
    configuration: Configuration, fact: str, district: str, city: str, day: date | None
) -> Entry | None:
    """The configured value of a fact (by key) for a district on a day, else for its city; None when there is none.

    `district` and `city` are names as in the configuration (see `canonical_place`). Without a day, the value is
    taken only where the place has a single one.
    """
    for place in (district, city):
        found = [
            value for value in configuration.values if place and value.fact == fact and value.place == place
        ]
        if day is not None:
            found = [value for value in found if value.period.holds(day)]
        if len(found) == 1:
            return found[0].entry
    return None


def _value(
    item: ConfiguredForm, index: int, source: Source, vocabulary: Vocabulary, problems: list[Note]
) -> ConfiguredValue | None:
    facts = _facts(vocabulary, item.fact)
    where = ("values", index)
    if not facts:
        labels = sorted(
            {fact.label for subject in vocabulary.subjects.values() for fact in subject.facts.values()}
        )
        near = suggest(item.fact, labels)
        hint = f"是否指{near}？" if near else "请对照词表的名称填写。"
        message = f"词表里没有事实“{item.fact}”；{hint}"
        problems.append(Note("error", "unknown-fact", message, source.place((*where, "fact"))))
        return None
    if facts[0].key in _OF_THE_RECORD:
        message = f"“{facts[0].label}”是每件事自己的，不能由配置给出；请删去，填在记录里"
        problems.append(Note("error", "configured-fact", message, source.place((*where, "fact"))))
        return None
    reading = read_value(facts[0], item.value)
    if reading.problem or reading.entry is None or reading.entry.state != "known":
        message = reading.problem or f"“{item.fact}”的值“{item.value}”不是一个确定的值；没有值的请整项删去"
        problems.append(Note("error", "configured-value", message, source.place((*where, "value"))))
        return None
    if item.to is not None and item.to < item.from_:
        message = f"起止日颠倒（{item.from_} 至 {item.to}）；请改 from、to"
        problems.append(Note("error", "period", message, source.place((*where, "to"))))
        return None
    entry = replace(reading.entry, origin="configured", basis=item.document, half_step=None)
    period = Period(item.from_, item.to)
    return ConfiguredValue(facts[0].key, item.place, period, entry, item.confirmed_by, item.date, item.note)


def _facts(vocabulary: Vocabulary, name: str) -> list[Fact]:
    found = (subject.fact(name) for subject in vocabulary.subjects.values())
    return [fact for fact in found if fact is not None]


def _check_overlap(values: Sequence[ConfiguredValue], source: Source, problems: list[Note]) -> None:
    groups: dict[tuple[str, str], list[int]] = {}
    for index, value in enumerate(values):
        groups.setdefault((value.fact, value.place), []).append(index)
    for (_, place), indices in groups.items():
        clash = overlap([values[index].period for index in indices])
        if clash:
            shown = "，".join(period.describe() for period in clash)
            message = f"“{place}”的同一事实有两个值时段重叠（{shown}）；请给前一个写上 to"
            problems.append(
                Note("error", "configured-overlap", message, source.place(("values", indices[-1])))
            )
