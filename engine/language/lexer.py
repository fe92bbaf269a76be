"""Rule text to tokens: the longest known name, word, sign or literal at each place; white space is free."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from landrules.engine.language.errors import RuleTextError, Span, locate
from landrules.engine.language.words import (
    AGGREGATES,
    FUNCTIONS,
    OPERATORS,
    Names,
    longest_first,
    starts_word,
)
from landrules.facts.quantities import unit_names

__all__ = ["MAX_LENGTH", "MAX_TOKENS", "Lexeme", "is_name", "nearest", "scan"]

MAX_LENGTH = 4000
MAX_TOKENS = 2000
MAX_BRACKETS = 40
MAX_PROBLEMS = 20

_NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?![0-9])|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}(?![0-9])|[0-9]{4}年[0-9]{1,2}月(?![0-9])")
_QUOTES = {"“": "”", '"': '"', "”": "”"}
_SPACE = re.compile(r"\s+")
_LATIN_WORD = re.compile(r"[A-Za-z0-9_]+")
# Words of one character that may end a run of unknown characters; the others occur inside too many names.
_BREAKS = "且或为和"
# Tokens that, directly before unknown characters, are more likely the first part of the unknown word.
_INSIDE_WORDS = ("NAME", "NUMBER", "UNIT", "YES", "NO", "_NOT", "_BY", "_THEN", "_IF")


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One token: `type` is a terminal of the grammar, `text` its normalised form or meaning.

    The text of a NUMBER is the number, a blank and its unit (`20 年`, `3 `).
    """

    type: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class _Normal:
    """Text normalised character by character; `origin[i]` is where character i stood, with the end appended."""

    text: str
    origin: Sequence[int]

    def span(self, start: int, end: int) -> Span:
        return Span(self.origin[start], self.origin[end])


def scan(text: str, names: Names) -> list[Lexeme]:
    """Split the text into tokens.

    Raises:
        RuleTextError: with every unknown word and unreadable literal of the text.
    """
    if len(text) > MAX_LENGTH:
        message = f"表达式有 {len(text)} 个字符，超过上限 {MAX_LENGTH}；请用“定义”拆成几个有名称的部分"
        raise RuleTextError((locate(text, Span(MAX_LENGTH, MAX_LENGTH + 1), message),))
    normal = _normalise(text)
    found: list[Lexeme] = []
    problems: list[tuple[Span, str]] = []
    brackets: list[str] = []
    position = 0
    while position < len(normal.text):
        space = _SPACE.match(normal.text, position)
        if space:
            position = space.end()
            continue
        position = _next(text, normal, position, names, found, problems, brackets)
        if len(problems) >= MAX_PROBLEMS:
            break
        if len(brackets) > MAX_BRACKETS:
            problems.append((found[-1].span, f"括号嵌套超过 {MAX_BRACKETS} 层；请用“定义”拆开"))
            break
        if len(found) > MAX_TOKENS:
            problems.append((found[-1].span, f"表达式超过 {MAX_TOKENS} 个词；请用“定义”拆开"))
            break
    if problems:
        raise RuleTextError(tuple(locate(text, span, message) for span, message in problems))
    return found


def nearest(word: str, known: Sequence[str], count: int = 3) -> list[str]:
    """The known words most like the given one, best first."""
    near = difflib.get_close_matches(word, known, n=count, cutoff=0.5)
    if not near and len(word) > 1:
        near = sorted((name for name in known if word in name or (len(name) > 1 and name in word)), key=len)[
            :count
        ]
    return near


def is_name(word: str, names: Names) -> bool:
    """True when the word, written bare, is read as one name."""
    try:
        return [(item.type, item.span) for item in scan(word, names)] == [("NAME", Span(0, len(word)))]
    except RuleTextError:
        return False


def _normalise(text: str) -> _Normal:
    parts: list[str] = []
    origin: list[int] = []
    quote = ""
    for index, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
            plain = char
        else:
            quote = _QUOTES.get(char, "")
            # A full-width comma never stands between thousands, so it stays apart from the half-width one.
            plain = "、" if char == "，" else char if char.isascii() else unicodedata.normalize("NFKC", char)
        parts.append(plain)
        origin.extend([index] * len(plain))
    origin.append(len(text))
    return _Normal("".join(parts), origin)


@cache
def _operators() -> dict[str, tuple[str, ...]]:
    return longest_first(OPERATORS)


@cache
def _calls() -> dict[str, tuple[str, ...]]:
    return longest_first([*FUNCTIONS, *AGGREGATES])


@cache
def _units() -> dict[str, tuple[str, ...]]:
    return longest_first(unit_names())


def _longest(text: str, position: int, words: dict[str, tuple[str, ...]] | Names) -> str:
    groups = words.by_start if isinstance(words, Names) else words
    for word in groups.get(text[position], ()):
        if starts_word(text, position, word):
            return word
    return ""


def _operator(text: str, position: int) -> str:
    word = _longest(text, position, _operators())
    if word:
        return word
    latin = _LATIN_WORD.match(text, position)
    return latin[0] if latin and latin[0].lower() in OPERATORS else ""


def _call(text: str, position: int) -> str:
    word = _longest(text, position, _calls())
    if not word:
        return ""
    end = position + len(word)
    space = _SPACE.match(text, end)
    return word if text.startswith("(", space.end() if space else end) else ""


def _unit(text: str, position: int, names: Names) -> str:
    """The longest unit at the position; `5 万元/亩均税收` divides by a fact and has the unit 万元."""
    if position >= len(text):
        return ""
    for word in _units().get(text[position], ()):
        if not starts_word(text, position, word):
            continue
        slash = word.find("/")
        if slash < 0 or len(_longest(text, position + slash + 1, names)) <= len(word) - slash - 1:
            return word
    return ""


def _next(
    source: str,
    normal: _Normal,
    position: int,
    names: Names,
    found: list[Lexeme],
    problems: list[tuple[Span, str]],
    brackets: list[str],
) -> int:
    """Read one token at the position; returns where the next one starts."""
    text = normal.text
    if text[position] in _QUOTES:
        return _quoted(source, normal, position, found, problems)
    name = _longest(text, position, names)
    call = _call(text, position)
    operator = _operator(text, position)
    if call and len(call) >= max(len(name), len(operator)):
        found.append(
            Lexeme(
                "AGGREGATE" if call in AGGREGATES else "FUNCTION",
                call,
                normal.span(position, position + len(call)),
            )
        )
        return position + len(call)
    if text[position].isdigit() and text[position].isascii():
        end = _literal(normal, position, names, found, problems, brackets, len(name))
        if end:
            return end
    if operator and len(operator) >= len(name):
        terminal, meaning = OPERATORS[operator.lower()]
        span = normal.span(position, position + len(operator))
        _track(terminal, found, brackets)
        found.append(Lexeme(terminal, meaning, span))
        return position + len(operator)
    if name:
        found.append(Lexeme("NAME", name, normal.span(position, position + len(name))))
        return position + len(name)
    unit = _unit(text, position, names)
    if unit:
        found.append(Lexeme("UNIT", unit, normal.span(position, position + len(unit))))
        return position + len(unit)
    return _unknown(source, normal, position, names, found, problems)


def _track(terminal: str, found: list[Lexeme], brackets: list[str]) -> None:
    match terminal:
        case "OPEN":
            brackets.append(
                "call" if found and found[-1].type in ("FUNCTION", "AGGREGATE", "NAME") else "group"
            )
        case "LBRACE":
            brackets.append("call")
        case "CLOSE" | "RBRACE" if brackets:
            brackets.pop()
        case _:
            pass


def _literal(
    normal: _Normal,
    position: int,
    names: Names,
    found: list[Lexeme],
    problems: list[tuple[Span, str]],
    brackets: list[str],
    name_length: int,
) -> int:
    """Read a date, month or number; returns its end, 0 where a longer name stands there."""
    text = normal.text
    for terminal, pattern in (("DATE", _DATE), ("MONTH", _MONTH)):
        match = pattern.match(text, position)
        if match and match.end() - position >= name_length:
            found.append(Lexeme(terminal, match[0], normal.span(position, match.end())))
            return match.end()
    match = _NUMBER.match(text, position)
    if match is None:
        return 0
    space = _SPACE.match(text, match.end())
    unit_start = space.end() if space else match.end()
    unit = _unit(text, unit_start, names)
    end = unit_start + len(unit) if unit else match.end()
    if end - position < name_length:
        return 0
    span = normal.span(position, end)
    if "," in match[0] and brackets and brackets[-1] == "call":
        plain = match[0].replace(",", "")
        apart = match[0].replace(",", "，")
        problems.append((span, f"“{match[0]}”有两种读法：一个数写成 {plain}，几项之间用全角逗号写成 {apart}"))
    found.append(Lexeme("NUMBER", f"{match[0].replace(',', '')} {unit}", span))
    return end


def _quoted(
    source: str, normal: _Normal, position: int, found: list[Lexeme], problems: list[tuple[Span, str]]
) -> int:
    opening = normal.text[position]
    end = normal.text.find(_QUOTES[opening], position + 1)
    if opening == "”":
        problems.append((normal.span(position, position + 1), "多出一个右引号“”；引号成对写，如 “旬阳市”"))
        return position + 1
    if end < 0:
        problems.append((normal.span(position, len(normal.text)), "引号没有收尾；引号成对写，如 “旬阳市”"))
        return len(normal.text)
    span = normal.span(position, end + 1)
    found.append(Lexeme("STRING", source[span.start + 1 : span.end - 1], span))
    return end + 1


def _unknown(
    source: str,
    normal: _Normal,
    position: int,
    names: Names,
    found: list[Lexeme],
    problems: list[tuple[Span, str]],
) -> int:
    """Note a run of characters that belongs to no known word; returns its end."""
    text = normal.text
    end = _run_end(text, position, names)
    span = normal.span(position, end)
    for earlier in reversed(found):
        if earlier.span.end != span.start or earlier.type not in _INSIDE_WORDS:
            break
        span = Span(earlier.span.start, span.end)
    word = source[span.start : span.end]
    known = [name for group in (*names.expressions.values(), *names.values.values()) for name in group]
    near = nearest(word, known)
    if word in ("已知", "未知"):
        advice = "判断是否填报写 已知(…)、未知(…)"
    elif len(word) == 1 and not word.isalnum():
        advice = "这个符号不属于规则语言"
    elif near:
        advice = f"是不是 {'、'.join(f'“{name}”' for name in near)}？词表之外的取值要加引号"
    else:
        advice = "请用词表里的名称或取值；词表之外的取值要加引号，如 “旬阳市”"
    problems.append((span, f"不认识“{word}”：{advice}"))
    return end


def _run_end(text: str, position: int, names: Names) -> int:
    latin = _LATIN_WORD.match(text, position)
    end = latin.end() if latin else position + 1
    while end < len(text) and text[end].isalnum() and text[end] not in _BREAKS:
        latin = _LATIN_WORD.match(text, end)
        stop = max(len(_longest(text, end, names)), len(_operator(text, end)), len(_call(text, end)))
        if stop > 1 and not latin:
            break
        end = latin.end() if latin else end + 1
    return end
