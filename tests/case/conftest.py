"""Fixtures of the case tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from loguru import logger

from landrules.engine.case.matchers import DurableMatcher, ReferenceMatcher, open_matcher
from landrules.engine.rulebook import Rulebook


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return Rulebook.load()


@pytest.fixture(scope="module")
def durable(rulebook: Rulebook) -> Iterator[DurableMatcher]:
    """The matcher on durable-rules; skips where that cannot be imported."""
    matcher = open_matcher("durable", rulebook)
    assert isinstance(matcher, DurableMatcher)
    with matcher:
        if not matcher.start():
            pytest.skip(
                "durable-rules cannot be imported here (it needs Python 3.11 or 3.12 and a C compiler)"
            )
        yield matcher


@pytest.fixture(scope="module")
def reference(rulebook: Rulebook) -> ReferenceMatcher:
    matcher = open_matcher("reference", rulebook)
    assert isinstance(matcher, ReferenceMatcher)
    return matcher


@pytest.fixture
def log() -> Iterator[list[str]]:
    """What the case engine logs at WARNING and above."""
    lines: list[str] = []
    logger.enable("landrules.engine.case")
    sink = logger.add(lambda message: lines.append(str(message).strip()), level="WARNING", format="{message}")
    yield lines
    logger.remove(sink)
    logger.disable("landrules.engine.case")
