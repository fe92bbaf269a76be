"""Runs features without pytest: every scenario carried out, in order, with the messages that pytest would show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from landrules.engine.bdd.course import Bench, Course, perform
from landrules.engine.bdd.index import read_features
from landrules.engine.bdd.reading import Feature, Scenario
from landrules.engine.bdd.stopped import Stopped
from landrules.engine.rulebook import Rulebook
from landrules.facts.notes import Note

__all__ = ["Outcome", "run_features"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one scenario; `message` is empty where everything came out as written, else it has its place."""

    file: str
    title: str
    line: int
    message: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything came out as written."""
        return not self.message


def run_features(
    paths: Iterable[Path], rulebook: Rulebook, base: Path | None = None
) -> tuple[tuple[Outcome, ...], tuple[Note, ...]]:
    """Carry out every scenario of the files and folders; the notes tell of files that cannot be read.

    Raises:
        InputError: where a path is not there.
    """
    features, notes = read_features(paths, base)
    bench = Bench(rulebook)
    outcomes = [_outcome(feature, scenario, bench) for feature in features for scenario in feature.scenarios]
    return tuple(outcomes), notes


def _outcome(feature: Feature, scenario: Scenario, bench: Bench) -> Outcome:
    course = Course(bench)
    message = ""
    for step in scenario.steps:
        try:
            perform(course, step.kind, step.text, step.table)
        except Stopped as stop:
            where = f"{feature.file} 第 {step.line} 行，场景“{scenario.name}”"
            message = stop.located(where, f"{step.keyword} {step.text}")
            break
    return Outcome(feature.file, scenario.name, scenario.line, message)
