"""The generated reference pages: complete, current, and made the same every time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from landrules.engine.bdd.index import scenario_index
from landrules.engine.cli import main
from landrules.engine.pages import MARK, pages
from landrules.engine.rulebook import Rulebook
from rulebook.small_rulesets import RULES, ruleset

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)]+\.md)\)")


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, captured.out, captured.err


@pytest.fixture(scope="module")
def made() -> Mapping[str, str]:
    features = ROOT / "features"
    return pages(Rulebook.load(), scenario_index([features], features))


def test_the_committed_pages_are_current(made: Mapping[str, str]) -> None:
    stale = [name for name, text in made.items() if _read(ROOT / "docs" / name) != text]
    assert stale == [], "run `make docs`"


def test_no_page_is_left_over(made: Mapping[str, str]) -> None:
    found = [path for part in ("rules", "reference") for path in (ROOT / "docs" / part).rglob("*.md")]
    generated = {path.relative_to(ROOT / "docs").as_posix() for path in found if _read(path).startswith(MARK)}
    assert generated <= made.keys(), "run `make docs`"


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def test_every_rule_document_and_fact_type_has_a_page(made: Mapping[str, str]) -> None:
    rulebook = Rulebook.load()
    expected = {f"rules/{rule}.md" for rule in rulebook.rules}
    expected |= {f"rules/{document}/README.md" for document in rulebook.documents}
    expected |= {f"reference/vocabulary/{subject}.md" for subject in rulebook.vocabulary.subjects}
    assert made.keys() == expected | {"rules/README.md", "reference/vocabulary/README.md"}


def test_every_link_leads_to_a_page(made: Mapping[str, str]) -> None:
    for name, text in made.items():
        for target in LINK.findall(text):
            path = (ROOT / "docs" / name).parent / target
            assert path.resolve().relative_to(ROOT / "docs").as_posix() in made, name


def test_a_page_says_what_the_rule_rests_on(made: Mapping[str, str]) -> None:
    page = made["rules/bozhou-2023/zone-top-third.md"]
    for heading in ("判断", "所用说法", "参数", "读取的事实", "缺省口径", "歧义与默认口径", "用例"):
        assert f"\n## {heading}" in page


def test_pages_are_written_checked_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ruleset(tmp_path)
    options = ["--rulesets", str(folder), "--out", str(tmp_path / "docs")]
    assert run("docs", *options, "--check", capsys=capsys)[0] == 1
    assert run("docs", *options, capsys=capsys)[0] == 0
    assert run("docs", *options, "--check", capsys=capsys)[0] == 0
    own = tmp_path / "docs" / "rules" / "自己写的.md"
    own.write_text("# 说明\n", encoding="utf-8")
    ruleset(tmp_path, rules=RULES.replace("title: 租期上限", "title: 租期的上限"))
    code, out, _ = run("docs", *options, "--check", capsys=capsys)
    assert code == 1
    assert "lease-term.md" in out
    left = tmp_path / "docs" / "rules" / "somewhere-1" / "gone.md"
    left.write_text(f"{MARK}\n\n# 旧页\n", encoding="utf-8")
    assert run("docs", *options, capsys=capsys)[0] == 0
    assert not left.exists()
    assert own.is_file()
