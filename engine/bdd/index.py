"""Which scenarios say what of which rule: an index made from the feature files alone, without rules or engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from landrules.engine.bdd.reading import Feature, Scenario, feature_files, read_feature
from landrules.engine.bdd.sentences import Expectation, Judge, understand, unquote
from landrules.facts.notes import InputError, Note

__all__ = ["ScenarioRef", "read_features", "scenario_index"]


@dataclass(frozen=True, slots=True)
class ScenarioRef:
    """A scenario that judges one rule: `rule` as it is named there, `expected` the verdict, empty where it says none.

    A row of an outline is one, with the row in its title and its line. Scenarios of 预审 are not in the index.
    """

    rule: str
    title: str
    file: str
    line: int
    expected: str


def scenario_index(paths: Iterable[Path], base: Path | None = None) -> tuple[ScenarioRef, ...]:
    """Every scenario of the files and folders that judges a rule, by file and line.

    Files are named relative to `base` where they lie below it, else as given.

    Raises:
        InputError: with everything that is wrong in any of the files, or where a path is not there.
    """
    features, notes = read_features(paths, base)
    if notes:
        raise InputError(*notes)
    return tuple(
        ref for feature in features for scenario in feature.scenarios for ref in _refs(feature, scenario)
    )


def read_features(
    paths: Iterable[Path], base: Path | None = None
) -> tuple[tuple[Feature, ...], tuple[Note, ...]]:
    """The features that can be read, and what is wrong with the others.

    Raises:
        InputError: where a path is not there.
    """
    features: list[Feature] = []
    notes: list[Note] = []
    for path in feature_files(paths):
        inside = base is not None and path.resolve().is_relative_to(base.resolve())
        name = path.resolve().relative_to(base.resolve()).as_posix() if base is not None and inside else ""
        try:
            features.append(read_feature(path, name))
        except InputError as error:
            notes.extend(error.notes)
    return tuple(features), tuple(notes)


def _refs(feature: Feature, scenario: Scenario) -> Iterator[ScenarioRef]:
    rule = expected = ""
    for step in scenario.steps:
        if step.kind == "given":
            continue
        match understand(step.kind, step.text):
            case Judge(rule=named):
                if rule:
                    yield ScenarioRef(rule, scenario.name, feature.file, scenario.line, expected)
                rule, expected = unquote(named), ""
            case Expectation(what="verdict", value=value, rule="", row=None) if not expected:
                expected = "待补充" if value.startswith(("可能适用", "适用", "缺资料")) else value
            case _:
                pass
    if rule:
        yield ScenarioRef(rule, scenario.name, feature.file, scenario.line, expected)
