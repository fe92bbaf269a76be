"""Hashes of the shipped data that verdicts rest on beside the rulesets: vocabulary and reference tables."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

__all__ = ["calendar_release", "reference_hash", "vocabulary_hash"]

_HERE = Path(__file__).parent


@cache
def vocabulary_hash() -> str:
    """SHA-256 over the shipped vocabulary; a city's own facts are part of its ruleset and of that hash."""
    return _folder_hash(_HERE / "vocabulary")


@cache
def reference_hash() -> str:
    """SHA-256 over the shipped reference tables."""
    return _folder_hash(_HERE / "reference")


def calendar_release() -> str:
    """The release of the package that knows the holiday arrangements of past years."""
    from importlib.metadata import version  # noqa: PLC0415 - not needed for `--help`

    return f"chinesecalendar {version('chinesecalendar')}"


def _folder_hash(folder: Path) -> str:
    """Over names and contents of the YAML files; line ends do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{path.name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
