"""The one error of a scenario: it stops at a step, and a person is told why."""

from __future__ import annotations

__all__ = ["Stopped"]


class Stopped(Exception):  # noqa: N818 - it is as often a wrong expectation as an error
    """A scenario cannot go on; the message is Chinese and says what, why and what to do."""

    def located(self, where: str, step: str) -> str:
        """The message with the place and the step above it."""
        return f"{where}\n  {step}\n  {self}"
