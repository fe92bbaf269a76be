"""Every python and sh example in docs/builders/*.md runs, in the order of its page, in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from landrules.engine.service.app import close, create_app
from landrules.engine.service.problems import KINDS
from landrules.engine.service.settings import Settings

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "builders"
PAGES = sorted(FOLDER.glob("*.md"))
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What the page shows is what its commands read.
FILES = {"cases.md": ("events.jsonl", "json")}
# `landrules` says with 1 that something is violated and with 3 that questions are open: both are answers.
ANSWERED = (0, 1, 3)


@dataclass(frozen=True, slots=True)
class Block:
    kind: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(kind, text) for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8"))]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    program = {
        "landrules": [sys.executable, "-m", "landrules.engine.cli"],
        "python": [sys.executable, "-W", "error"],
    }[command[0]]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LANDRULES_")}
    return subprocess.run(
        [*program, *command[1:]],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_examples_run(page: Path, tmp_path: Path) -> None:
    found = blocks(page)
    if page.name in FILES:
        name, kind = FILES[page.name]
        (tmp_path / name).write_text(
            next(block.text for block in found if block.kind == kind), encoding="utf-8"
        )
    for block in found:
        if block.kind == "python":
            done = run(["python", "-c", block.text], tmp_path)
            assert done.returncode == 0, f"{block.text}\n{done.stderr}"
        elif block.kind == "sh":
            for line in block.text.replace("\\\n", " ").splitlines():
                command = shlex.split(line, comments=True)
                if command:
                    done = run(command, tmp_path)
                    assert done.returncode in ANSWERED, f"{line}\n{done.stderr}"


def test_from_installation_to_a_verdict_in_ten_lines(tmp_path: Path) -> None:
    first = next(block.text for block in blocks(FOLDER / "library.md") if block.kind == "python")
    assert len([line for line in first.splitlines() if line.strip()]) <= 10
    assert "超出 5 年" in run(["python", "-c", first], tmp_path).stdout


def test_every_setting_and_every_problem_is_documented() -> None:
    text = (FOLDER / "service.md").read_text(encoding="utf-8")
    assert [name for name in [*Settings.model_fields, *KINDS] if f"`{name}`" not in text] == []


def test_every_route_is_documented() -> None:
    text = (FOLDER / "service.md").read_text(encoding="utf-8")
    rulesets = (FOLDER.parents[1] / "rulesets" / "wuhai-2023-5",)
    app = create_app(Settings(rulesets=rulesets))
    close(app.state.pieces)
    # Parameters have Chinese names on the page.
    known = re.sub(r"\{[^}/]*\}", "{}", text)
    missing = [path for path in app.openapi()["paths"] if re.sub(r"\{[^}]*\}", "{}", path) not in known]
    assert missing == []
