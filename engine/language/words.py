"""The words and signs of the language, for reading and for writing, and the index of names for longest match."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from landrules.facts.quantities import Unit

__all__ = [
    "AGGREGATES",
    "FUNCTIONS",
    "OPERATORS",
    "Names",
    "decimal_text",
    "longest_first",
    "name_index",
    "normalise_name",
    "quantity_text",
    "starts_word",
    "unit_text",
]

OPERATORS: Mapping[str, tuple[str, str]] = {
    spelling: (terminal, meaning)
    for terminal, meaning, spellings in (
        ("_AND", "且", "且 和 并且 and &&"),
        ("_OR", "或", "或 或者 or ||"),
        ("_NOT", "非", "非 not"),
        ("ISNT", "≠", "不是"),
        ("SIGN", "=", "等于 为 = =="),
        ("SIGN", "≠", "不等于 不为 ≠ != <>"),
        ("SIGN", ">", "超过 大于 多于 高于 晚于 >"),
        ("SIGN", "≥", "不低于 不少于 不小于 不早于 ≥ ≧ >="),
        ("SIGN", "<", "低于 小于 少于 早于 不满 <"),
        ("SIGN", "≤", "不超过 不大于 不高于 不多于 不晚于 ≤ ≦ <="),
        ("MEMBERSHIP", "属于", "属于"),
        ("MEMBERSHIP", "不属于", "不属于"),
        ("MEMBERSHIP", "包含全部", "包含全部"),
        ("MEMBERSHIP", "不包含全部", "不包含全部"),
        ("MEMBERSHIP", "仅限于", "仅限于"),
        ("MEMBERSHIP", "不仅限于", "不仅限于"),
        ("CONTAINS", "包含", "包含"),
        ("CONTAINS", "不包含", "不包含"),
        ("_PLUS", "+", "+"),
        ("_MINUS", "−", "- −"),
        ("_TIMES", "×", "* ×"),
        ("_DIVIDE", "÷", "/ ÷"),
        ("_IF", "若", "若"),
        ("_THEN", "则", "则"),
        ("_ELSE", "否则", "否则"),
        ("YES", "是", "是"),
        ("NO", "否", "否"),
        ("_BY", "按", "按"),
        ("_COMMA", "，", ", 、"),
        ("OPEN", "（", "("),
        ("CLOSE", "）", ")"),
        ("LBRACE", "{", "{"),
        ("RBRACE", "}", "}"),
    )
    for spelling in spellings.split()
}
"""Spelling → terminal of the grammar, and what it means there."""

FUNCTIONS: Mapping[str, tuple[int, int | None]] = {
    "缺省": (2, 2),
    "已知": (1, 1),
    "未知": (1, 1),
    "任一已知": (1, None),
    "较大": (2, None),
    "较小": (2, None),
    "较晚": (2, None),
    "较早": (2, None),
    "年后": (2, 2),
    "月后": (2, 2),
    "日后": (2, 2),
    "工作日后": (2, 2),
    "顺延至工作日": (1, 1),
    "所属月份": (1, 1),
    "次月": (1, 1),
    "日号": (1, 1),
    "项数": (1, 1),
    "四舍五入": (3, 3),
    "修约": (3, 3),
    "适用最低价": (3, 3),
    "未到期": (1, 1),
}
"""Function → fewest and most arguments."""

AGGREGATES: Mapping[str, str] = {"合计": "sum", "计数": "count", "最大": "largest", "最小": "smallest"}


@dataclass(frozen=True, slots=True)
class Names:
    """Known names by their first character, longest first, as they are after normalising.

    `expressions` are names that stand for something, `values` are allowed values; each maps the normalised
    name to the names as declared.
    """

    by_start: Mapping[str, tuple[str, ...]]
    expressions: Mapping[str, tuple[str, ...]]
    values: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=16384)
def normalise_name(name: str) -> str:
    """The name in half-width digits, letters, brackets and signs, character by character."""
    return name if name.isascii() else "".join(unicodedata.normalize("NFKC", char) for char in name)


def name_index(expressions: Iterable[str], values: Iterable[str]) -> Names:
    """Index the names of a scope."""
    named = _by_normal(expressions)
    valued = _by_normal(values)
    return Names(longest_first({**named, **valued}), named, valued)


def _by_normal(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        normal = normalise_name(name)
        # Every scope indexes a thousand names, of which hardly any two are alike.
        if normal in found:
            found[normal] = (*(other for other in found[normal] if other != name), name)
        else:
            found[normal] = (name,)
    return found


def longest_first(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Words by their first character, longest first."""
    groups: dict[str, list[str]] = {}
    for word in words:
        if word:
            groups.setdefault(word[0], []).append(word)
    for group in groups.values():
        # By length, and in alphabetical order among equals; two sorts in C are quicker than one with a Python key.
        group.sort()
        group.sort(key=len, reverse=True)
    return {start: tuple(group) for start, group in groups.items()}


_LATIN = re.compile(r"[A-Za-z0-9_]")


def starts_word(text: str, position: int, word: str) -> bool:
    """True when `word` stands at the position and does not end inside a Latin word."""
    end = position + len(word)
    if not text.startswith(word, position):
        return False
    return not (_LATIN.match(word[-1]) and end < len(text) and _LATIN.match(text[end]))


def decimal_text(value: Fraction) -> str:
    """The exact decimal, without exponent or trailing zeros.

    Raises:
        ValueError: when the expansion does not end; no literal of the language has such a value.
    """
    rest, digits = value.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest //= prime
            count += 1
        digits = max(digits, count)
    if rest != 1:
        raise ValueError(f"{value} is no decimal")
    text = str(abs(value.numerator) * 10**digits // value.denominator).rjust(digits + 1, "0")
    text = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return "-" + text if value < 0 else text


_UNIT_TEXT = {"无": "", "月": "个月", "工作日": "个工作日", "小时": "小时"}


def unit_text(unit: Unit) -> str:
    """How a unit is written behind a number: 元/平方米, 个月; nothing for counts."""
    return _UNIT_TEXT.get(unit.name, unit.name.replace("每", "/"))


def quantity_text(value: Fraction, unit: Unit) -> str:
    """A value in base units as an exact literal of the language: `20 年`, `15%`, `3`.

    Raises:
        ValueError: when the value is no decimal in that unit.
    """
    number = decimal_text(value / unit.factor)
    name = unit_text(unit)
    return number + name if name in ("", "%") else f"{number} {name}"
