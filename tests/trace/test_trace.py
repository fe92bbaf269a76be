"""The matrix of `landrules trace`: complete by construction, in three formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from landrules.engine.bdd.index import ScenarioRef, scenario_index
from landrules.engine.cli import main
from landrules.engine.rulebook import Rulebook
from landrules.engine.trace import Trace, trace, trace_content
from rulebook.small_rulesets import CLAUSES, entry_of, ruleset

FEATURES = Path(__file__).resolve().parents[2] / "features"
SCENARIO = ScenarioRef("somewhere-1/lease-term", "租期25年", "somewhere-1/a.feature", 3, "违反")


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, captured.out, captured.err


@pytest.fixture(scope="module")
def shipped() -> Trace:
    return trace(Rulebook.load(), scenario_index([FEATURES], FEATURES))


def test_the_shipped_rulesets_are_covered(shipped: Trace) -> None:
    assert shipped.problems == ()
    assert [document.id for document in shipped.documents] == [
        "ankang-2023",
        "bozhou-2023",
        "wuhai-2023-5",
        "xinzhou-2022-53",
        "xinzhou-2022-90",
    ]
    entries = [entry for document in shipped.documents for entry in document.entries]
    assert all(bool(entry.rules) != bool(entry.reason) for entry in entries)
    assert all(entry.facts and entry.scenarios for entry in entries if entry.rules)


def test_every_rule_and_every_entry_is_in_the_matrix(shipped: Trace) -> None:
    rulebook = Rulebook.load()
    rules = [rule for document in shipped.documents for entry in document.entries for rule in entry.rules]
    assert sorted(rules) == sorted(rulebook.rules)
    for document in shipped.documents:
        index = [clause.id.partition("/")[2] for clause in rulebook.documents[document.id].clauses]
        assert [entry.id for entry in document.entries] == index


def test_the_json_has_the_agreed_shape(shipped: Trace) -> None:
    content = trace_content(shipped)
    assert list(content) == ["documents"]
    documents = content["documents"]
    assert isinstance(documents, list)
    assert all(list(document) == ["id", "entries"] for document in documents)
    for entry in (entry for document in documents for entry in document["entries"]):
        assert {"id", "clause", "checkable", "rules", "scenarios", "reason"} <= entry.keys()
        assert "/" not in entry["id"]
        assert all(rule.count("/") == 1 for rule in entry["rules"])
        assert entry["checkable"] in ("rule", "aggregate", "deadline", "process", "none")
        assert all(scenario.keys() == {"title", "file", "line", "expect"} for scenario in entry["scenarios"])


def test_a_rule_without_a_scenario_is_an_error(tmp_path: Path) -> None:
    rulebook = Rulebook.load(ruleset(tmp_path))
    assert trace(rulebook, [SCENARIO]).problems == ()
    assert trace(rulebook).problems == ()
    (problem,) = trace(rulebook, []).problems
    assert "somewhere-1 第一条 条目“lease-term”有规则没有场景" in problem


def test_a_scenario_may_name_its_rule_without_the_document(tmp_path: Path) -> None:
    rulebook = Rulebook.load(ruleset(tmp_path))
    bare = ScenarioRef("lease-term", "租期25年", "somewhere-1/a.feature", 3, "违反")
    assert trace(rulebook, [bare]).documents[0].entries[0].scenarios == (bare,)


def test_a_scenario_of_a_rule_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    rulebook = Rulebook.load(ruleset(tmp_path))
    wrong = ScenarioRef("somewhere-1/lease", "租期", "somewhere-1/a.feature", 9, "符合")
    other = ScenarioRef("elsewhere-2/lease", "租期", "elsewhere-2/a.feature", 9, "符合")
    (problem,) = trace(rulebook, [SCENARIO, wrong, other]).problems
    assert "somewhere-1/a.feature 第 9 行" in problem


@pytest.mark.parametrize(
    ("clauses", "message"),
    [
        (entry_of(CLAUSES, "other"), "条目“other”既没有规则也没有说明原因"),
        (
            CLAUSES.replace("lease-term", "rent-term") + "    \n",
            "规则“lease-term”在 clauses.yaml 里没有同名条目",
        ),
    ],
)
def test_gaps_are_listed_with_exit_code_1(
    clauses: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ruleset(tmp_path, clauses=clauses)
    code, out, err = run("trace", "--rulesets", str(folder), capsys=capsys)
    assert code == 1
    assert out == ""
    assert message in err


def test_a_ruleset_that_cannot_be_read_is_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ruleset(tmp_path, rules="rules: [")
    assert run("trace", "--rulesets", str(folder), capsys=capsys)[0] == 2


def test_the_console_lists_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run("trace", "--document", "wuhai-2023-5", "--features", str(FEATURES), capsys=capsys)
    assert (code, err) == (0, "")
    assert "wuhai-2023-5/lease-term-max-20y" in out
    assert "bozhou-2023" not in out
    assert "共 1 份文件" in out


def test_an_unknown_document_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run("trace", "--document", "wuhai", capsys=capsys)
    assert code == 2
    assert "没有“wuhai”这份文件" in err


def test_json_and_html_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--features", str(FEATURES), "--out"]
    assert run("trace", "--format", "json", *options, str(tmp_path / "t.json"), capsys=capsys)[0] == 0
    assert run("trace", "--format", "html", *options, str(tmp_path / "t.html"), capsys=capsys)[0] == 0
    documents = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))["documents"]
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert page.count('<tr class="entry"') == sum(len(document["entries"]) for document in documents)
    assert "://" not in page
    assert 'class="gap"' not in page


def test_a_gap_is_marked_on_the_page(tmp_path: Path) -> None:
    from landrules.engine.report.trace_html import render_trace_html  # noqa: PLC0415

    page = render_trace_html(trace(Rulebook.load(ruleset(tmp_path)), []))
    assert 'class="gap"' in page
    assert "没有场景" in page
