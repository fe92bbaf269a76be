"""Reads input records from JSON and JSON lines: numbers exactly from their text, repeated keys kept, errors with lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from landrules.facts.notes import InputError, Note, Place

__all__ = ["Item", "Pairs", "items_of", "read_json_items"]

_DEPTH_MESSAGE = "括号嵌套过深；一条记录是 {“subject”: …, “facts”: {…}}，不需要更深的层次"


@dataclass(frozen=True, slots=True)
class Pairs:
    """A JSON object with its keys in order, repeated ones included."""

    items: tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One would-be record and its place."""

    content: object
    place: Place


def read_json_items(text: str, file: str) -> tuple[list[Item], list[Note]]:
    """The records of a JSON list, a single JSON record, or JSON lines; what cannot be parsed is an error note.

    Raises:
        InputError: when nothing in it is readable.
    """
    start = len(text) - len(text.lstrip())
    if text.startswith("[", start):
        items, notes = _read_list(text, file)
    else:
        items, notes = _read_lines(text, file)
    if not items and notes:
        raise InputError(*notes)
    return items, notes


def items_of(records: Sequence[Mapping[str, object]]) -> list[Item]:
    """Python dicts as items, placed by their position from 1."""
    return [Item(_from_python(record), Place(row=number)) for number, record in enumerate(records, 1)]


def _from_python(value: object) -> object:
    if isinstance(value, Mapping):
        return Pairs(tuple((str(key), _from_python(item)) for key, item in value.items()))
    return value


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=lambda pairs: Pairs(tuple(pairs)),
        parse_float=_exact,
        parse_constant=str,
        strict=False,
    )


def _exact(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _read_list(text: str, file: str) -> tuple[list[Item], list[Note]]:
    decoder = _decoder()
    items: list[Item] = []
    position = _skip(text, text.index("[") + 1)
    line, counted = 1, 0
    while position < len(text) and text[position] != "]":
        line, counted = line + text.count("\n", counted, position), position
        try:
            content, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            return items, [_broken(text, file, error, position, bool(items))]
        items.append(Item(content, Place(file=file, row=line)))
        position = _skip(text, end)
        if text.startswith(",", position):
            position = _skip(text, position + 1)
        elif not text.startswith("]", position):
            row = line + text.count("\n", counted, position)
            message = "这条记录之后应是逗号或“]”，其后的记录没有读到；请改正"
            return items, [Note("error", "json-syntax", message, Place(file=file, row=row))]
    if position >= len(text):
        message = "列表没有结束的“]”，文件可能不完整；已读到的记录照常判断"
        return items, [Note("error", "json-syntax", message, Place(file=file, row=line))]
    rest = _skip(text, position + 1)
    if rest < len(text):
        row = line + text.count("\n", counted, rest)
        message = "列表在“]”处已经结束，其后的内容没有读到；请把记录放进同一个列表，或改成每行一条"
        return items, [Note("error", "json-syntax", message, Place(file=file, row=row))]
    return items, []


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _read_lines(text: str, file: str) -> tuple[list[Item], list[Note]]:
    decoder = _decoder()
    start = _skip(text, 0)
    try:
        content, end = decoder.raw_decode(text, start)
        if not text[end:].strip():
            # One record, perhaps over many lines.
            return [Item(content, Place(file=file, row=1 + text.count("\n", 0, start)))], []
    except (ValueError, RecursionError) as error:
        if "\n" in text.strip() and text.split("\n", 1)[0].strip() in ("{", "{}"):
            return [], [_broken(text, file, error, start, False)]
    items: list[Item] = []
    notes: list[Note] = []
    for number, line in _lines(text):
        try:
            content, end = decoder.raw_decode(line)
            rest = line[end:].strip()
        except RecursionError:
            notes.append(Note("error", "json-depth", _DEPTH_MESSAGE, Place(file=file, row=number)))
        except ValueError as error:
            notes.append(_broken_line(_reason(error), file, number))
        else:
            if rest:
                notes.append(_broken_line("后面还有多余的内容", file, number))
            else:
                items.append(Item(content, Place(file=file, row=number)))
    return items, notes


def _broken_line(reason: str, file: str, number: int) -> Note:
    message = f"这一行不是完整的 JSON（{reason}），没有读；请改正，每行一条记录"
    return Note("error", "json-syntax", message, Place(file=file, row=number))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if stripped := line.strip():
            yield number, stripped


def _broken(text: str, file: str, error: Exception, position: int, some: bool) -> Note:
    at = error.pos if isinstance(error, json.JSONDecodeError) else position
    place = Place(file=file, row=1 + text.count("\n", 0, at))
    if isinstance(error, RecursionError):
        return Note("error", "json-depth", _DEPTH_MESSAGE, place)
    kept = "，此前的记录照常判断，其后的没有读到" if some else ""
    column = at - text.rfind("\n", 0, at)
    message = f"JSON 在这一行第 {column} 个字符处写错了（{_reason(error)}）{kept}；请改正后重试"
    return Note("error", "json-syntax", message, place)


def _reason(error: Exception) -> str:
    reasons = {
        "Expecting value": "这里应有一个值",
        "Expecting ',' delimiter": "缺逗号，或多了引号",
        "Expecting ':' delimiter": "缺冒号",
        "Expecting property name enclosed in double quotes": "键要用双引号括起来",
        "Illegal trailing comma before end of object": "末尾多了逗号",
        "Illegal trailing comma before end of array": "末尾多了逗号",
        "Unterminated string starting at": "引号没有成对",
        "Extra data": "后面还有多余的内容",
        "Invalid \\escape": "反斜杠用错了",
        "Invalid control character at": "文字里有控制字符",
    }
    text = str(error)
    found = next((chinese for english, chinese in reasons.items() if text.startswith(english)), "")
    return found or ("数字过长" if "digits" in text else "格式不对")
