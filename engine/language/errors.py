"""What is wrong with a rule text, and where: every problem with line, column, advice and the line itself."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

__all__ = ["Problem", "RuleTextError", "Span", "locate"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a rule text: character offsets, `end` excluded."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The stretch from here to the end of the other."""
        return Span(self.start, other.end)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: a Chinese `message`; `line` and `column` count from 1, None where there is no text.

    `excerpt` is the line of the rule with a caret line below it.
    """

    message: str
    line: int | None = None
    column: int | None = None
    excerpt: str = ""

    def describe(self) -> str:
        """The place, the message and the excerpt, over several lines."""
        where = f"第 {self.line} 行第 {self.column} 列：" if self.line is not None else ""
        return f"{where}{self.message}" + (f"\n{self.excerpt}" if self.excerpt else "")


class RuleTextError(Exception):
    """A rule text that cannot be read or whose types do not fit; `problems` has at least one entry."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(problem.describe() for problem in problems))
        self.problems = problems


def locate(text: str, span: Span, message: str) -> Problem:
    """The problem at that stretch of the text, with line, column and caret excerpt."""
    start = min(span.start, len(text))
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    whole = text[line_start : line_end if line_end >= 0 else len(text)]
    before = text[line_start:start]
    marked = whole[start - line_start : max(span.end, start + 1) - line_start] or " "
    excerpt = f"{whole.rstrip()}\n{_columns(before, ' ')}{_columns(marked, '^')}"
    return Problem(message, text.count("\n", 0, start) + 1, start - line_start + 1, excerpt)


def _columns(text: str, mark: str) -> str:
    """As many marks as the text is wide in a terminal, where 中文 takes two columns."""
    return "".join(mark * (2 if unicodedata.east_asian_width(char) in "WF" else 1) for char in text)
