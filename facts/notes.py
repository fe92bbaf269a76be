"""What a reader, the rulebook or the evaluation has to tell a person: where, what, why, what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["InputError", "Note", "Place", "Severity"]

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: file name, sheet, row (1-based as the program shows it) and column heading or letter."""

    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None

    def describe(self) -> str:
        """`计划.xlsx〔宗地表〕第 5 行 “面积(亩)”列`, with what is known of it."""
        text = self.file or ""
        if self.sheet:
            text += f"〔{self.sheet}〕"
        if self.row is not None:
            text += f"第 {self.row} 行"
        if self.column:
            text += f"“{self.column}”"
        return text


@dataclass(frozen=True, slots=True)
class Note:
    """One message to the user; `code` is stable, `message` is Chinese and says what, why and what to do."""

    severity: Severity
    code: str
    message: str
    place: Place = field(default_factory=Place)

    def describe(self) -> str:
        """The place, then the message."""
        where = self.place.describe()
        return f"{where}：{self.message}" if where else self.message


class InputError(Exception):
    """Input that cannot be used at all; carries every note that explains it."""

    def __init__(self, *notes: Note) -> None:
        super().__init__("；".join(note.describe() for note in notes))
        self.notes = notes
