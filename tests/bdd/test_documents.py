"""The page for authors says what is so, and the shipped scenarios hold every visible boundary case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from landrules.engine.bdd.index import scenario_index
from landrules.engine.bdd.reading import Kind
from landrules.engine.bdd.run import run_features
from landrules.engine.bdd.sentences import understand
from landrules.engine.rulebook import Rulebook
from oracle.cases import load

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "authors" / "scenarios.md").read_text(encoding="utf-8")
KINDS: dict[str, Kind] = {"假如": "given", "并且": "given", "当": "when", "那么": "then"}
SENTENCES = re.findall(rf"`({'|'.join(KINDS)}) ([^`]+)`", PAGE)


@pytest.mark.parametrize(("word", "text"), SENTENCES)
def test_every_sentence_of_the_page_is_one(word: str, text: str) -> None:
    assert understand(KINDS[word], text) is not None


def test_every_example_of_the_page_comes_out_as_written(tmp_path: Path) -> None:
    blocks = [block for block in re.findall(r"```gherkin\n(.*?)```", PAGE, re.DOTALL) if "当 " in block]
    for number, block in enumerate(blocks):
        text = block if "功能:" in block else f"功能: 例\n{block}"
        (tmp_path / f"{number}.feature").write_text(text, encoding="utf-8")

    outcomes, notes = run_features([tmp_path], Rulebook.load(subjects=["parcel_supply"]))

    assert notes == ()
    assert [outcome.message for outcome in outcomes if not outcome.passed] == []
    assert len(outcomes) == 4


def test_every_visible_boundary_case_is_a_scenario(shared: Path) -> None:
    index = scenario_index([ROOT / "features"], ROOT)
    told = {
        (ref.rule, number, ref.expected) for ref in index for number in re.findall(r"（(c\d+)）", ref.title)
    }
    cases = {(f"{case.document}/{case.provision}", case.id, case.expect) for case in load(shared).cases}

    assert sorted(cases - told) == []
