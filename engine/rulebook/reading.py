"""Reads YAML as plain text trees: no tags, anchors, aliases or duplicate keys, and every value keeps its place.

Nothing is resolved: `1e3`, `on` and `2023-03-02` stay the text that was written, so that numbers are exact and
no date is guessed. Only an empty value, `null` and `~` are None. What a text means is for the schema to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml import events

from landrules.facts.notes import InputError, Note, Place

__all__ = ["MAX_DEPTH", "MAX_NODES", "MAX_SIZE", "Source", "Span", "Tree", "Where", "read_file", "read_yaml"]

Tree = str | list[Any] | dict[str, Any] | None
"""What a file holds: text, lists and mappings of it, or None."""

Where = tuple[str | int, ...]
"""Path to a value: keys and list positions from the top."""

MAX_SIZE = 2_000_000
MAX_DEPTH = 12
MAX_NODES = 100_000
_NULLS = frozenset(("", "null", "Null", "NULL", "~"))
_loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Span(NamedTuple):
    """Where a value stands: offsets into the text, and line and column (from 1) of its start.

    A tuple, because one is made for every value of every file and start-up has to be quick.
    """

    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Source:
    """One file read: its name for messages, its text, its content and the place of every value."""

    file: str
    text: str
    content: Tree
    spans: Mapping[Where, Span]

    def place(self, where: Where, line: int = 0, column: int = 0) -> Place:
        """The place of the value at `where`, or of the nearest value around it.

        `line` and `column` (from 1) point into the value, which may be folded or quoted in the file.
        """
        while where not in self.spans and where:
            where, line, column = where[:-1], 0, 0
        span = self.spans.get(where)
        if span is None:
            return Place(file=self.file)
        if not line:
            return _place(self.file, span.line, span.column)
        value = self.value(where)
        offset = self.offset(span, value, line, column) if isinstance(value, str) else span.start
        before = self.text[:offset]
        return _place(self.file, before.count("\n") + 1, offset - before.rfind("\n"))

    def value(self, where: Where) -> Tree:
        """The value at `where`."""
        found: Any = self.content
        for step in where:
            found = found[step]
        return found  # type: ignore[no-any-return]

    def offset(self, span: Span, value: str, line: int, column: int) -> int:
        """Offset in the file of a line and column (from 1) of a scalar's value.

        Folding and quoting only touch white space and quotes, so the visible characters are matched in order.
        """
        lines = value.split("\n")
        wanted = sum(len(text) + 1 for text in lines[: line - 1]) + column - 1
        at = last = span.start
        for index, character in enumerate(value[: wanted + 1]):
            if character.isspace():
                continue
            found = self.text.find(character, at, span.end)
            if found < 0:
                break
            last, at = found, found + 1
            if index == wanted:
                return found
        return min(at, span.end) if wanted >= len(value) else last


def read_file(path: Path, name: str) -> Source:
    """Read a YAML file; `name` is what messages call it.

    Raises:
        InputError: when the file cannot be read safely; with the place and what to do.
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MAX_SIZE else b""
    except OSError as error:
        message = f"文件读不出来（{error.strerror or error}）；请检查文件是否存在、是否有读取权限"
        raise InputError(Note("error", "yaml-unreadable", message, Place(file=name))) from error
    if size > MAX_SIZE:
        raise InputError(_too_large(name, size))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        message = "文件不是 UTF-8 编码；请在编辑器里另存为 UTF-8"
        raise InputError(Note("error", "yaml-encoding", message, Place(file=name, row=line))) from error
    return read_yaml(text, name)


def read_yaml(text: str, name: str) -> Source:
    """Read YAML text into a `Source`.

    Raises:
        InputError: on YAML that is broken or uses what rule files may not (tags, anchors, aliases, two keys of
            one name, several documents), or that is too large or too deep.
    """
    if len(text) > MAX_SIZE:
        raise InputError(_too_large(name, len(text)))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    builder = _Builder(name)
    loader = None
    try:
        loader = _loader(text)
        while not isinstance(event := loader.get_event(), events.StreamEndEvent):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise InputError(_broken(name, error)) from error
    except yaml.reader.ReaderError as error:
        message = f"文件里有 YAML 不允许的控制字符（{error.reason}）；请删去不可见字符"
        raise InputError(Note("error", "yaml-syntax", message, Place(file=name))) from error
    finally:
        if loader is not None:
            loader.dispose()
    if builder.problems:
        raise InputError(*builder.problems)
    return Source(name, text, builder.content, builder.spans)


class _Builder:
    """Builds the tree from parser events, on a stack of its own so that depth costs no recursion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.content: Tree = None
        self.spans: dict[Where, Span] = {}
        self.problems: list[Note] = []
        self._stack: list[tuple[list[Any] | dict[str, Any], Where]] = []
        self._keys: list[str | None] = []
        self._documents = 0
        self._nodes = 0

    def take(self, event: Any) -> None:
        """Take in one event of the parser."""
        match event:
            case events.ScalarEvent():
                self._forbid(event)
                self._scalar(event)
            case events.MappingStartEvent():
                self._open(event, {})
            case events.SequenceStartEvent():
                self._open(event, [])
            case events.MappingEndEvent() | events.SequenceEndEvent():
                self._stack.pop()
                self._keys.pop()
            case events.AliasEvent():
                self._stop(
                    "yaml-anchor", f"不允许引用（*{event.anchor}）；请把内容直接写出来", event.start_mark
                )
            case events.DocumentStartEvent():
                self._documents += 1
                if event.tags:
                    self._stop("yaml-tag", "不允许 %TAG 指令；请删去", event.start_mark)
                if self._documents > 1:
                    message = "一个文件只能有一份 YAML（多了一条“---”）；请拆成多个文件"
                    self._stop("yaml-documents", message, event.start_mark)

    def _forbid(self, event: Any) -> None:
        if event.anchor is not None:
            self._stop("yaml-anchor", f"不允许锚点（&{event.anchor}）；请把内容直接写出来", event.start_mark)
        if event.tag is not None:
            self._stop("yaml-tag", f"不允许标签（{event.tag}）；请删去，只写文字", event.start_mark)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            message = f"文件里的条目超过 {MAX_NODES} 个；请拆成多个文件"
            self._stop("yaml-size", message, event.start_mark)

    def _stop(self, code: str, message: str, mark: Any) -> None:
        raise InputError(Note("error", code, message, _place(self.name, mark.line + 1, mark.column + 1)))

    def _open(self, event: Any, container: list[Any] | dict[str, Any]) -> None:
        self._forbid(event)
        if len(self._stack) >= MAX_DEPTH:
            message = f"嵌套超过 {MAX_DEPTH} 层；规则文件用不到这么深，请检查缩进"
            self._stop("yaml-depth", message, event.start_mark)
        if self._stack and isinstance(self._stack[-1][0], dict) and self._keys[-1] is None:
            self._stop("yaml-key", "“键”应是一个词，不能是列表或映射；请检查缩进", event.start_mark)
        where = self._put(container, event)
        self._stack.append((container, where))
        self._keys.append(None)

    def _scalar(self, event: Any) -> None:
        if self._stack and isinstance(self._stack[-1][0], dict) and self._keys[-1] is None:
            self._keys[-1] = self._key(event)
            return
        plain = event.style is None or event.style == ""
        self._put(None if plain and event.value in _NULLS else event.value, event)

    def _key(self, event: Any) -> str:
        container, where = self._stack[-1]
        key: str = event.value
        if key in container:
            first = self.spans[(*where, key)].line
            message = f"“{key}”写了两次（前一次在第 {first} 行附近）；请只留一个"
            mark = event.start_mark
            place = _place(self.name, mark.line + 1, mark.column + 1)
            self.problems.append(Note("error", "yaml-duplicate-key", message, place))
        return key

    def _put(self, value: Tree, event: Any) -> Where:
        start, end = event.start_mark, event.end_mark
        span = Span(start.index, end.index, start.line + 1, start.column + 1)
        if not self._stack:
            self.content = value
            self.spans[()] = span
            return ()
        container, above = self._stack[-1]
        if isinstance(container, list):
            where: Where = (*above, len(container))
            container.append(value)
        else:
            key = self._keys[-1] or ""
            self._keys[-1] = None
            where = (*above, key)
            container[key] = value
        self.spans[where] = span
        return where


def _place(file: str, line: int, column: int) -> Place:
    return Place(file=file, row=line, column=f"第 {column} 列")


def _too_large(name: str, size: int) -> Note:
    message = f"文件有 {size:,} 字节，超过 {MAX_SIZE:,} 字节的上限；请拆成多个文件"
    return Note("error", "yaml-size", message, Place(file=name))


def _broken(name: str, error: yaml.MarkedYAMLError) -> Note:
    mark = error.problem_mark or error.context_mark
    place = _place(name, mark.line + 1, mark.column + 1) if mark is not None else Place(file=name)
    reason = error.problem or error.context or "语法错误"
    message = f"这里不是正确的 YAML（{reason}）；常见原因：缩进不齐、冒号后缺空格、文字里有“: ”或“ #”却没有加引号、用了制表符"
    return Note("error", "yaml-syntax", message, place)
