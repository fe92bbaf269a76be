"""Compares text with a plain expected file; `UPDATE_EXPECTED=1 pytest` rewrites the files for a person to read."""

from __future__ import annotations

import os
from pathlib import Path


def matches(text: str, expected: Path) -> None:
    if os.environ.get("UPDATE_EXPECTED"):
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_text(text, encoding="utf-8", newline="\n")
    assert text == expected.read_text(encoding="utf-8")
