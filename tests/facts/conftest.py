"""Fixtures of the reader tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from landrules.facts.quantities import format_quantity
from landrules.facts.read_records import Reading, read_bytes
from landrules.facts.records import Record
from landrules.facts.vocabulary import Vocabulary, load_vocabulary

Read = Callable[..., Reading]
Shown = Callable[[Record, str], str]


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


@pytest.fixture
def read(vocabulary: Vocabulary) -> Read:
    """Reads bytes or text as a file of that name."""

    def read_content(content: bytes | str, file: str = "计划.csv", subject: str | None = None) -> Reading:
        data = content.encode() if isinstance(content, str) else content
        return read_bytes(data, file, vocabulary, subject=subject)

    return read_content


@pytest.fixture
def shown(vocabulary: Vocabulary) -> Shown:
    """A fact of a record as text with its canonical unit, or its state."""

    def show(record: Record, key: str) -> str:
        entry = record.entries.get(key)
        if entry is None:
            return "absent"
        if entry.state != "known":
            return entry.state
        fact = vocabulary.subjects[record.subject].facts[key]
        if fact.numeric:
            assert not isinstance(entry.value, bool | str | frozenset)
            return format_quantity(entry.value, fact.unit)  # type: ignore[arg-type]
        return str(entry.value)

    return show
