"""The pytest plugin: collects Chinese feature files as they are and runs them through pytest-bdd.

`pytest features/` needs no Python file. Settings (pytest.ini or pyproject.toml): `landrules_rulesets` names ruleset
folders, by default the shipped ones; `landrules_features = false` leaves feature files alone. The engine is imported
when a first scenario runs, since every pytest of the environment loads this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from pytest_bdd import given, scenario, then, when
from pytest_bdd.feature import features as read_by_pytest_bdd
from pytest_bdd.gherkin_parser import GherkinDocument
from pytest_bdd.parser import FeatureParser
from pytest_bdd.parsers import StepParser

from landrules.engine.bdd.reading import Feature, Kind, is_chinese, read_feature
from landrules.engine.bdd.sentences import understand
from landrules.engine.bdd.stopped import Stopped
from landrules.facts.notes import InputError, Note

if TYPE_CHECKING:
    from pytest_bdd.parser import Feature as PytestFeature
    from pytest_bdd.parser import Scenario as PytestScenario
    from pytest_bdd.parser import Step as PytestStep

    from landrules.engine.bdd.course import Bench

Walk = Callable[[Kind, str, tuple[tuple[str, ...], ...]], None]

_MOST_NOTES = 20
_WHERE = pytest.StashKey[tuple[str, str]]()
_TAGS = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Settings of the plugin."""
    parser.addini("landrules_rulesets", "规则集文件夹，缺省为随附的全部文件", type="paths", default=[])
    parser.addini("landrules_features", "是否运行中文场景文件（.feature）", type="bool", default=True)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> FeatureFile | None:
    """A Chinese feature file is collected; others are left to whoever they belong to."""
    if file_path.suffix != ".feature" or not parent.config.getini("landrules_features"):
        return None
    return FeatureFile.from_parent(parent, path=file_path) if is_chinese(file_path) else None


class FeatureFile(pytest.Module):
    """A feature file as a test module: each scenario is a test made by pytest-bdd, named by its title."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Read the file, hand it to pytest-bdd, and collect what that makes of it."""
        name = (
            self.path.relative_to(self.config.rootpath)
            if self.path.is_relative_to(self.config.rootpath)
            else self.path
        )
        try:
            feature = read_feature(self.path, name.as_posix())
        except InputError as error:
            raise self.CollectError(_listed(error.notes)) from None
        _register_tags(self.config, feature)
        self.obj = _module(self.path, feature)
        return super().collect()

    def funcnamefilter(self, name: str) -> bool:
        """Whatever its title, a scenario is a test."""
        return not name.startswith("__")


class _Prepared(FeatureParser):
    """pytest-bdd's reader given what ours has read, so that full-width colons and other encodings work there too."""

    def __init__(self, path: Path, feature: Feature) -> None:
        super().__init__(str(path.parent), path.name)
        self.tree = feature.tree

    def _parse_feature_file(self) -> GherkinDocument:
        return GherkinDocument.from_dict(self.tree)


def _module(path: Path, feature: Feature) -> ModuleType:
    prepared = _Prepared(path, feature)
    read_by_pytest_bdd[prepared.abs_filename] = prepared.parse()
    module = ModuleType(path.stem)
    for title, line in feature.lines.items():
        test = scenario(path.name, title, features_base_dir=str(path.parent))(_nothing)
        # Where pytest says that the test stands: the line in the feature file, not the one in pytest-bdd.
        code = _nothing.__code__.replace(co_filename=str(path), co_firstlineno=line)
        test.place_as = FunctionType(code, {})  # type: ignore[attr-defined]  # pytest looks for it
        name = unique = re.sub(r"[\[\]:/\\\s]+", "_", title).strip("_") or "场景"
        number = 1
        while hasattr(module, unique):
            number += 1
            unique = f"{name}_{number}"
        setattr(module, unique, test)
    return module


def _nothing() -> None:
    """The steps of a scenario are the whole test."""


def _register_tags(config: pytest.Config, feature: Feature) -> None:
    """Make the tags of a file known as marks, so that `-m 重点` works and strict markers do not stop it."""
    known = config.stash.setdefault(_TAGS, set())
    for tag in {*feature.tags, *(tag for part in feature.scenarios for tag in part.tags)} - known:
        known.add(tag)
        config.addinivalue_line("markers", f"{tag}: 场景的标签")


# --- steps ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def landrules_bench(request: pytest.FixtureRequest) -> Bench:
    """The rules that scenarios are judged by, loaded once."""
    from landrules.engine.bdd.course import Bench  # noqa: PLC0415 - see the module's docstring
    from landrules.engine.rulebook import Rulebook  # noqa: PLC0415 - as above

    try:
        return Bench(Rulebook.load(*request.config.getini("landrules_rulesets")))
    except InputError as error:
        message = f"规则集有误，场景没有判断：\n{_listed(error.notes)}"
    pytest.fail(message, pytrace=False)


@pytest.fixture
def landrules_walk(landrules_bench: Bench) -> Walk:
    """Carries out the steps of one scenario, each with its kind, its text and its table."""
    from landrules.engine.bdd.course import Course, perform  # noqa: PLC0415 - see the module's docstring

    return partial(perform, Course(landrules_bench))


class _Sentences(StepParser):
    """Matches every step of a kind that is one of our sentences; a step of the user's own goes before these."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"landrules {kind}")
        self.kind: Kind = kind

    def is_matching(self, name: str) -> bool:
        """Whether it is a sentence of this kind."""
        return understand(self.kind, name) is not None

    def parse_arguments(self, name: str) -> dict[str, Any]:
        """The sentence itself; what it says is read when it is carried out."""
        return {"sentence": name}


@given(_Sentences("given"))
def _given(
    sentence: str,
    landrules_walk: Walk,
    request: pytest.FixtureRequest,
    datatable: Sequence[Sequence[str]] = (),
) -> None:
    _carry_out("given", sentence, datatable, landrules_walk, request)


@when(_Sentences("when"))
def _when(
    sentence: str,
    landrules_walk: Walk,
    request: pytest.FixtureRequest,
    datatable: Sequence[Sequence[str]] = (),
) -> None:
    _carry_out("when", sentence, datatable, landrules_walk, request)


@then(_Sentences("then"))
def _then(
    sentence: str,
    landrules_walk: Walk,
    request: pytest.FixtureRequest,
    datatable: Sequence[Sequence[str]] = (),
) -> None:
    _carry_out("then", sentence, datatable, landrules_walk, request)


def _carry_out(
    kind: Kind, sentence: str, table: Sequence[Sequence[str]], walk: Walk, request: pytest.FixtureRequest
) -> None:
    message = ""
    try:
        walk(kind, sentence, tuple(tuple(row) for row in table))
    except Stopped as stop:
        message = stop.located(*request.node.stash[_WHERE])
    if message:
        # Without a traceback: the reader is a clerk, and the message says all there is to do.
        pytest.fail(message, pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_bdd_before_step(
    request: pytest.FixtureRequest, feature: PytestFeature, scenario: PytestScenario, step: PytestStep
) -> None:
    """Remember where the scenario is, for messages."""
    request.node.stash[_WHERE] = _place(request, feature, scenario, step)


def pytest_bdd_step_func_lookup_error(
    request: pytest.FixtureRequest, feature: PytestFeature, scenario: PytestScenario, step: PytestStep
) -> None:
    """A step that nobody knows: say so in Chinese, with what can be written."""
    if request.node.getparent(FeatureFile) is not None:
        request.node.stash[_WHERE] = _place(request, feature, scenario, step)
        kinds: dict[str, Kind] = {"given": "given", "when": "when", "then": "then"}
        _carry_out(kinds[step.type], step.name, (), request.getfixturevalue("landrules_walk"), request)


def _place(
    request: pytest.FixtureRequest, feature: PytestFeature, scenario: PytestScenario, step: PytestStep
) -> tuple[str, str]:
    path, root = Path(feature.filename), request.config.rootpath
    file = (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
    return f"{file} 第 {step.line_number} 行，场景“{scenario.name}”", f"{step.keyword} {step.name}"


def _listed(notes: Sequence[Note]) -> str:
    lines = [note.describe() for note in notes[:_MOST_NOTES]]
    if len(notes) > _MOST_NOTES:
        lines.append(f"……共 {len(notes)} 处")
    return "\n".join(lines)
