"""`landrules fmt`: expressions in ruleset files in canonical spelling, everything else left as it is."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from landrules.engine.language import write
from landrules.engine.rulebook.compile import Written
from landrules.engine.rulebook.load import assemble
from landrules.engine.rulebook.reading import Source, Span, Where, read_yaml
from landrules.facts.notes import InputError, Note

__all__ = ["Formatted", "canonical", "format_files", "lay_out"]

_OPENING, _CLOSING = "({“", ")}”"
_JOINTS = (" 且 ", " 或 ")


@dataclass(frozen=True, slots=True)
class Formatted:
    """What `format_files` did: the files changed (or to be changed), and what could not be formatted."""

    changed: tuple[Path, ...]
    notes: tuple[Note, ...]


def format_files(paths: Sequence[Path | str], *, check: bool = False) -> Formatted:
    """Rewrite the expressions of the rulesets at the paths; with `check` only tell which files would change.

    Only the expressions change; comments, order and layout stay. A text that cannot be read is left as it is, and noted.
    """
    bench = assemble(paths)
    by_source: dict[int, list[Written]] = {}
    sources: dict[int, Source] = {}
    for written in bench.written:
        by_source.setdefault(id(written.source), []).append(written)
        sources[id(written.source)] = written.source
    folders = {ruleset.folder.name: ruleset.folder for ruleset in bench.rulesets}
    changed = []
    for key, source in sources.items():
        text = _rewritten(source, by_source[key])
        if text != source.text:
            folder, _, name = source.file.partition("/")
            path = folders[folder] / name
            changed.append(path)
            if not check:
                _save(path, text)
    return Formatted(tuple(sorted(changed)), tuple(bench.problems))


def canonical(written: Written) -> bool:
    """Whether the expression stands in canonical spelling, line breaks aside."""
    return " ".join(written.text.split()) == write(written.tree, written.scope)


def lay_out(text: str) -> str:
    """A canonical text over several lines: one at each 且 and 或 that stands in no brackets."""
    depth = 0
    pieces, start = [], 0
    for index, character in enumerate(text):
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif depth == 0 and text[index : index + 3] in _JOINTS:
            pieces.append(text[start:index])
            start = index + 1
    return "\n".join([*pieces, text[start:]])


def _save(path: Path, text: str) -> None:
    """Write the text with the byte order mark and line ends that the file has."""
    before = path.read_bytes()
    if b"\r\n" in before:
        text = text.replace("\n", "\r\n")
    path.write_bytes((codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b"") + text.encode())


@dataclass(frozen=True, slots=True)
class _Change:
    """A stretch of a file that is to read differently: the value at `where` becomes `wanted`."""

    start: int
    end: int
    new: str
    where: Where
    wanted: str


def _rewritten(source: Source, expressions: Iterable[Written]) -> str:
    changes = [change for written in expressions if (change := _change(source, written))]
    text = _applied(source.text, changes)
    if _reads(source, text, changes):
        return text
    # A guard against quoting mistakes: the changes that read back as meant, one by one.
    return _applied(
        source.text,
        [change for change in changes if _reads(source, _applied(source.text, [change]), [change])],
    )


def _change(source: Source, written: Written) -> _Change | None:
    span = source.spans[written.where]
    body = source.text[span.start : span.end].rstrip()
    wanted = write(written.tree, written.scope)
    several = "\n" in body
    if written.text == (lay_out(wanted) if several else wanted):
        return None
    new = _block(body, wanted, _indent(source, span)) if several else _line(body, wanted)
    return _Change(span.start, span.start + len(body), new, written.where, wanted)


def _applied(text: str, changes: Iterable[_Change]) -> str:
    for change in sorted(changes, key=lambda change: change.start, reverse=True):
        text = text[: change.start] + change.new + text[change.end :]
    return text


def _reads(source: Source, text: str, changes: Iterable[_Change]) -> bool:
    """The text still has the values of the file, those changed as wanted."""
    try:
        again = read_yaml(text, source.file)
    except InputError:
        return False
    if again.spans.keys() != source.spans.keys():
        return False
    found = {change.where: again.value(change.where) for change in changes}
    return all(" ".join(str(found[change.where]).split()) == change.wanted for change in changes)


def _line(body: str, wanted: str) -> str:
    if body.startswith(("'", '"')) or wanted[0] in "-?:,[]{}#&*!|>'\"%@`" or ": " in wanted or " #" in wanted:
        return "'" + wanted.replace("'", "''") + "'"
    return wanted


def _block(body: str, wanted: str, indent: str) -> str:
    header = body.split("\n", 1)[0] if body.startswith("|") else "|-"
    return "\n".join([header, *(indent + line for line in lay_out(wanted).split("\n"))])


def _indent(source: Source, span: Span) -> str:
    """Indentation of the lines of a block: two more than that of the line its key stands on."""
    start = source.text.rfind("\n", 0, span.start) + 1
    line = source.text[start : span.start]
    key = line.lstrip(" -")
    return " " * (len(line) - len(key) + 2)
