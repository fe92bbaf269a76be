"""One spelling for every JSON value, so that equal content has equal hashes."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, TypeAlias

from landrules.engine.ledger.errors import EntryError

__all__ = ["Tree", "canonical", "digest", "parse"]

Tree: TypeAlias = Any
"""A JSON value: None, truth, number, text, list or object with text keys."""

# JSON may carry half of a surrogate pair as \ud800, which no encoding can write except as that escape.
_SURROGATE = re.compile("[\ud800-\udfff]")


def canonical(tree: Tree) -> str:
    """Compact JSON with sorted keys, encodable in UTF-8.

    Raises:
        EntryError: for what JSON cannot hold (NaN, sets, objects of other kinds, nesting without end).
    """
    try:
        text = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise EntryError(f"内容不能写成 JSON，没有记入台账：{error}") from error
    return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def parse(text: str) -> Tree:
    """What `canonical` wrote."""
    return json.loads(text)


def digest(text: str) -> str:
    """SHA-256 of the text in UTF-8, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()
