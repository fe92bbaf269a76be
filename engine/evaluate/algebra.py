"""The verdict algebra: strong Kleene truth and the verdict table of provisions/CONVENTIONS §3."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

__all__ = ["Stage", "Truth", "Verdict", "conjunction", "decide", "disjunction", "negation", "stage_of"]

Truth = bool | None
"""True, False, or None for unknown."""

Stage = Literal["applicability", "requirement"]
"""What a 待补充 is open about: whether the rule applies (可能适用), or whether it is met (适用，缺资料)."""


class Verdict(StrEnum):
    """What one rule says of one record; `ERROR` (执行错误) is kept apart from the four verdicts."""

    MET = "符合"
    VIOLATED = "违反"
    OPEN = "待补充"
    NOT_APPLICABLE = "不适用"
    ERROR = "执行错误"


def conjunction(parts: Iterable[Truth]) -> Truth:
    """且: false where any part is, else unknown where any part is, else true."""
    result: Truth = True
    for part in parts:
        if part is False:
            return False
        if part is None:
            result = None
    return result


def disjunction(parts: Iterable[Truth]) -> Truth:
    """或: true where any part is, else unknown where any part is, else false."""
    result: Truth = False
    for part in parts:
        if part is True:
            return True
        if part is None:
            result = None
    return result


def negation(part: Truth) -> Truth:
    """非: the other truth; unknown stays unknown."""
    return None if part is None else not part


def decide(when: Truth, exclude: Truth, met: Truth) -> Verdict:
    """The verdict table (CONVENTIONS §3): the first row that matches.

    `met` is (require and deadline) or unless or an accepted deviation.
    """
    if when is False or exclude is True:
        return Verdict.NOT_APPLICABLE
    if when is None:
        return Verdict.OPEN
    if met is True:
        return Verdict.MET
    if exclude is None or met is None:
        return Verdict.OPEN
    return Verdict.VIOLATED


def stage_of(when: Truth, exclude: Truth) -> Stage:
    """What is open in a 待补充 with these truths."""
    return "requirement" if when is True and exclude is False else "applicability"
