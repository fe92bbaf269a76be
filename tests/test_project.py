"""The project's layout and public surface."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {"landrules.engine": "engine", "landrules.facts": "facts", "landrules.rulesets": "rulesets"}
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS: dict[str, Any] = PYPROJECT["tool"]["setuptools"]


def repository_files() -> list[Path]:
    """Files that git tracks or would track; absent (sdist, no git) the test skips."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout")
    command = [
        "git",
        "-c",
        f"safe.directory={ROOT}",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    return [ROOT / name for name in sorted(set(names)) if name and (ROOT / name).is_file()]


def packages_on_disk() -> dict[str, Path]:
    """Every folder of the three rooms that holds an `__init__.py`, by import name."""
    found = {}
    for name, folder in ROOMS.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT / folder).parts
            found[".".join((name, *parts))] = init.parent
    return found


# --- layout ---


def test_packages_in_pyproject_are_those_on_disk() -> None:
    assert SETUPTOOLS["package-dir"] == ROOMS
    assert SETUPTOOLS["packages"] == sorted(packages_on_disk())


def test_every_room_says_it_is_typed() -> None:
    assert [room for room in ROOMS.values() if not (ROOT / room / "py.typed").is_file()] == []


def test_every_data_file_of_a_room_goes_into_the_wheel() -> None:
    shipped: set[Path] = set()
    for package, folder in packages_on_disk().items():
        shipped.update(folder.glob("*.py"))
        for pattern in SETUPTOOLS["package-data"]["*"] + SETUPTOOLS["package-data"].get(package, []):
            shipped.update(folder.glob(pattern))
    # Notes for those who work on a room are read in the repository.
    wanted = {
        path
        for path in repository_files()
        if path.relative_to(ROOT).parts[0] in ROOMS.values() and path.suffix != ".md"
    }
    assert sorted(str(path.relative_to(ROOT)) for path in wanted - shipped) == []


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    # Written in pieces, so that this file passes its own test.
    registries = ["pypi" + r"\.(?:org|io)", "python" + "hosted", "pypi" + "/simple", r"registry\." + "npmjs"]
    registries += [r"mirrors?\.[\w.-]+/" + "py" + "pi", "index" + "-url[ =]+h", "find" + "-links"]
    machine = r"(?<![\w.$}~-])/" + "(?:work|root|Users|home/[a-z_]+)/"
    pattern = re.compile("|".join([*registries, machine]))
    offences = []
    for path in repository_files():
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            match = pattern.search(line.decode("utf-8", errors="replace"))
            if match:
                offences.append(f"{path.relative_to(ROOT)}:{number}: {match.group()}")
    assert offences == []


# --- public surface ---


@pytest.mark.parametrize("name", ["landrules.engine", "landrules.facts"])
def test_all_is_what_is_public(name: str) -> None:
    module = importlib.import_module(name)
    exported = list(getattr(module, "__all__", []))
    # Names that are loaded when they are first used are there from then on.
    assert [attribute for attribute in exported if not hasattr(module, attribute)] == []
    public = {
        attribute
        for attribute in vars(module)
        if not attribute.startswith("_") and (attribute in exported or not _is_submodule(module, attribute))
    }
    # `from __future__ import annotations` leaves a name that nobody means to export.
    public.discard("annotations")
    assert len(exported) == len(set(exported))
    assert set(exported) == public | {attribute for attribute in exported if attribute.startswith("__")}


def _is_submodule(module: ModuleType, attribute: str) -> bool:
    value = getattr(module, attribute)
    return isinstance(value, ModuleType) and value.__name__ == f"{module.__name__}.{attribute}"


def test_version_is_the_same_everywhere() -> None:
    version = PYPROJECT["project"]["version"]
    assert importlib.metadata.version("landrules") == version
    headings = re.findall(
        r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert headings[0] == "Unreleased"
    assert headings[1] == version


# --- README ---


def readme() -> str:
    path = ROOT / "README.md"
    if not path.is_file():
        pytest.skip("there is no README.md yet")
    return path.read_text(encoding="utf-8")


def readme_commands(program: str) -> list[list[str]]:
    """The words of every command in a ```sh block that starts with `program`; continuations are joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", readme(), flags=re.MULTILINE | re.DOTALL)
    lines = [
        line.strip().removeprefix("$ ")
        for block in blocks
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return [shlex.split(line, comments=True) for line in lines if line.startswith(f"{program} ")]


def test_readme_names_the_two_commands_to_start_with() -> None:
    text = readme()
    assert "make demo" in text
    assert "make test" in text


def test_readme_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):(?!=)", makefile, flags=re.MULTILINE))
    named = {
        word for words in readme_commands("make") for word in words[1:] if "=" not in word and word[0] != "-"
    }
    assert sorted(named - targets) == []


def test_readme_landrules_commands_exist() -> None:
    options: dict[tuple[str, ...], set[str]] = {}
    for words in readme_commands("landrules"):
        ours = list(takewhile(lambda word: word not in {"|", "||", "&&", ";", ">", "2>"}, words[1:]))
        # Arguments may stay: click answers --help before it looks at them.
        command = tuple(takewhile(lambda word: not word.startswith("-"), ours))
        options.setdefault(command, set()).update(
            word.split("=")[0] for word in ours if word.startswith("--")
        )
    program = [sys.executable, "-c", "from landrules.engine.cli import main; main()"]
    wrong = []
    for command, used in options.items():
        result = subprocess.run(
            [*program, *command, "--help"], check=False, capture_output=True, encoding="utf-8"
        )
        known = set(re.findall(r"--[a-z][a-z-]*", result.stdout))
        if result.returncode != 0:
            wrong.append(f"landrules {' '.join(command)}: {result.stderr.strip()[-200:]}")
        else:
            wrong.extend(f"landrules {' '.join(command)} {option}: no such option" for option in used - known)
    assert wrong == []
