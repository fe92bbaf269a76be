"""The text of a document, cut at its numbering: 一、 （一） 1. 第一条 第一阶段 附件, and the notice before them.

`parse_document` makes a tree of the text; `locate` finds the words of a clause named as in `clauses.yaml`.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Literal
from xml.etree import ElementTree

from landrules.facts.notes import InputError, Note, Place
from landrules.facts.read_text import decode

__all__ = ["DocumentText", "locate", "number_of", "parse_document", "read_document", "squeezed"]

_LIMIT = 20_000_000
_NUMERALS = "一二三四五六七八九十百零〇两"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SENTENCE_END = "。！？；"
_TERMINAL = "。！？；：!?;:…”）)》"
_PAGE_NUMBER = re.compile(r"[-—–\s]*\d{1,3}[-—–\s]*")
# A text of which most lines are full but no longer than this was cut into lines to fit a page.
_WIDEST_WRAP = 90
_FULL_SHARE = 0.85
_INDENT = 4
_LONG_LINE = 25

Kind = Literal[
    "root", "annex", "mention", "copies", "chapter", "section", "article", "paren", "stage", "item", "subitem"
]
_RANKS: dict[Kind, int] = {
    "root": -1,
    "annex": 0,
    "mention": 0,
    "copies": 0,
    "chapter": 1,
    "section": 2,
    "article": 2,
    "paren": 3,
    "stage": 3,
    "item": 4,
    "subitem": 5,
}
_MARKERS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("annex", re.compile(r"附\s*件\s*(\d*)\s*:?$")),
    # A line of the body that only names an attachment belongs to no clause.
    ("mention", re.compile(r"附\s*件\s*()\d*\s*:\s*(?=\S)")),
    ("copies", re.compile(r"抄\s*送\s*()(?=:)")),
    ("chapter", re.compile(rf"第([{_NUMERALS}\d]+)章(?=\s|$)")),
    ("article", re.compile(rf"第([{_NUMERALS}\d]+)条(?=\s|$|:)")),
    ("stage", re.compile(rf"第([{_NUMERALS}\d]+)阶段(?=\s|$|[:(,、])")),
    ("section", re.compile(rf"([{_NUMERALS}]+)、")),
    ("paren", re.compile(rf"\(([{_NUMERALS}]+)\)")),
    ("item", re.compile(r"(\d{1,3})[.、](?!\d)")),
    ("subitem", re.compile(r"\((\d{1,3})\)")),
)


@dataclass(slots=True)
class _Node:
    """A numbered part: its own lines, of which the first carries the number, and the parts below it."""

    kind: Kind
    number: int
    lines: list[str] = field(default_factory=list)
    children: list[_Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A text cut at its numbering. `width` is that of its lines where it was cut to fit a page, else 0."""

    root: _Node
    width: int


# --- reading --------------------------------------------------------------------------------------------------


def read_document(data: bytes, file: str) -> str:
    """The text of a txt (UTF-8, UTF-16 with mark, GB18030) or docx file.

    Raises:
        InputError: when it is neither, or damaged.
    """
    if data.startswith(b"PK"):
        return _docx(data, file)
    if data.startswith((b"%PDF", b"\xd0\xcf\x11\xe0")):
        message = "不是文本：PDF 和旧式 doc 读不了；请另存为 txt 或者 docx"
        raise InputError(Note("error", "source-kind", message, Place(file=file)))
    return decode(data, file)[0]


def _docx(data: bytes, file: str) -> str:
    place = Place(file=file)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            part = archive.getinfo("word/document.xml")
            if part.file_size > _LIMIT:
                raise InputError(
                    Note("error", "source-size", "文档太大，不打开；请另存为 txt 后再绑定", place)
                )
            content = archive.read(part)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, EOFError) as error:
        message = "不是能读的 docx 文件（损坏、加密，或者是别的压缩包）；请用 Word 另存为 docx 或者 txt"
        raise InputError(Note("error", "source-kind", message, place)) from error
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        message = "文档里有 XML 实体声明，正常的文档没有，为安全起见不打开；请另存为 txt"
        raise InputError(Note("error", "source-entities", message, place))
    try:
        tree = ElementTree.fromstring(content)  # noqa: S314 - declarations of entities were refused above
    except ElementTree.ParseError as error:
        message = "文档的正文损坏，读不出；请用 Word 打开后另存为 docx 或者 txt"
        raise InputError(Note("error", "source-kind", message, place)) from error
    return "\n".join(_paragraph(paragraph) for paragraph in tree.iter(f"{_WORD}p"))


def _paragraph(paragraph: ElementTree.Element) -> str:
    pieces = []
    for node in paragraph.iter():
        match node.tag.removeprefix(_WORD):
            case "t":
                pieces.append(node.text or "")
            case "tab":
                pieces.append(" ")
            case "br" | "cr":
                pieces.append("\n")
            case _:
                pass
    return "".join(pieces)


# --- cutting --------------------------------------------------------------------------------------------------


def squeezed(text: str) -> str:
    """The text with half-width signs and without any white space: for comparing."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def number_of(text: str) -> int:
    """The number that Chinese numerals or digits below 1000 write; 0 for an empty text."""
    if text.isdigit() or not text:
        return int(text or 0)
    total = digit = 0
    for char in text.replace("两", "二").replace("〇", "零"):
        if char in "十百":
            total += (digit or 1) * (10 if char == "十" else 100)
            digit = 0
        else:
            digit = "零一二三四五六七八九".index(char)
    return total + digit


def parse_document(text: str) -> DocumentText:
    """Cut a text at its numbering. Page numbers standing alone are left out."""
    rows = [" ".join(row.split()) for row in text.replace("\f", "\n").splitlines()]
    rows = [row for row in rows if row and not _PAGE_NUMBER.fullmatch(row)]
    root = _Node("root", 0)
    path = [root]
    last_article = 0
    for row in rows:
        found = _marker(row, last_article)
        if found is not None:
            kind, number = found
            if kind == "article":
                last_article = number
            while _RANKS[path[-1].kind] >= _RANKS[kind]:
                path.pop()
            node = _Node(kind, number)
            path[-1].children.append(node)
            path.append(node)
        path[-1].lines.append(row)
    return DocumentText(root, _wrap_width(rows))


def _marker(row: str, last_article: int) -> tuple[Kind, int] | None:
    normal = unicodedata.normalize("NFKC", row)
    for kind, pattern in _MARKERS:
        match = pattern.match(normal)
        if match:
            return kind, number_of(match[1])
    # 第五条 without a space after it may also be a reference at the start of a line: only the next in turn counts.
    match = re.match(rf"第([{_NUMERALS}\d]+)条(?!第|规定|的)", normal)
    if match and number_of(match[1]) == last_article + 1:
        return "article", last_article + 1
    return None


def _cells(row: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in row)


def _wrap_width(rows: Sequence[str]) -> int:
    widths = sorted(_cells(row) for row in rows)
    if not widths:
        return 0
    middle, wide = widths[len(widths) // 2], widths[len(widths) * 9 // 10]
    return middle if wide <= _WIDEST_WRAP and middle >= wide * _FULL_SHARE else 0


def _paragraphs(node: _Node, width: int) -> list[str]:
    """The node's own lines put together to paragraphs."""
    result: list[str] = []
    going_on = False
    for row, following in zip(node.lines, (*node.lines[1:], ""), strict=True):
        first = not going_on
        result[-1:] = [_joined(result[-1], row)] if going_on else [*result[-1:], row]
        going_on = _goes_on(row, following, width, first=first)
    return result


def _goes_on(row: str, following: str, width: int, *, first: bool) -> bool:
    """Whether a line was cut in the middle of its paragraph. First lines of paragraphs are indented by two characters."""
    if not following or not width:
        return len(row) >= _LONG_LINE and row[-1] not in _TERMINAL
    size = _cells(row)
    if row[-1] in _SENTENCE_END:
        # A sentence that fills its line may end the paragraph: the line after it then is a first line.
        indented = width - _INDENT <= _cells(following) <= width - 2 and following[-1] not in _SENTENCE_END
        if indented or (not first and size <= width - _INDENT):
            return False
    return size >= width - (_INDENT if first else 2)


def _joined(before: str, row: str) -> str:
    narrow = before[-1].isascii() and row[0].isascii() and before[-1].isalpha() and row[0].isalpha()
    return f"{before} {row}" if narrow else before + row


def _whole(node: _Node, width: int) -> list[str]:
    return [
        *_paragraphs(node, width),
        *(text for child in node.children for text in _whole(child, width)),
    ]


# --- locating -------------------------------------------------------------------------------------------------

_Step = tuple[str, int]
_TOKENS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("annex", re.compile(r"附件(\d*)")),
    ("notice", re.compile(r"通知正文()")),
    ("preamble", re.compile(r"序言()")),
    ("copies", re.compile(r"抄送()")),
    ("chapter", re.compile(rf"第([{_NUMERALS}\d]+)章")),
    ("article", re.compile(rf"第([{_NUMERALS}\d]+)条")),
    ("paragraph", re.compile(rf"第([{_NUMERALS}\d]+)[款段]")),
    ("point", re.compile(rf"第([{_NUMERALS}\d]+)项")),
    ("stage", re.compile(rf"第([{_NUMERALS}\d]+)阶段")),
    ("intro", re.compile(r"\(导语\)()")),
    ("all", re.compile(r"\(各项\)()")),
    ("heading", re.compile(r"标题()")),
    ("paren", re.compile(rf"\(([{_NUMERALS}]+)\)")),
    ("subitem", re.compile(r"\((\d+)\)")),
    ("section", re.compile(rf"([{_NUMERALS}]+)")),
    ("item", re.compile(r"(\d+)")),
)


def locate(document: DocumentText, clause: str) -> str | None:
    """The words of a clause, paragraphs on lines of their own; None where the text has no such clause.

    `clause` as in the clause index: 二（三）2, 第十七条第二款, 第13条, 附件二（一）, 序言, 通知正文第二段, 四第一阶段; several
    joined by 、 are found one after the other.
    """
    texts = []
    for part in re.split(r"[、,]\s*", unicodedata.normalize("NFKC", clause)):
        steps = _steps(part)
        text = _located(document, steps) if steps else None
        if text is None:
            return None
        texts.append(text)
    return "\n".join(texts)


def _steps(text: str) -> list[_Step]:
    """The steps of a reference; none where it cannot be understood."""
    text = "".join(text.split())
    steps: list[_Step] = []
    while text:
        for kind, pattern in _TOKENS:
            match = pattern.match(text)
            if match:
                steps.append((kind, number_of(match[1])))
                text = text[match.end() :]
                break
        else:
            return []
    return steps


def _located(document: DocumentText, steps: Sequence[_Step]) -> str | None:
    root, width = document.root, document.width
    match steps[0][0]:
        case "notice":
            return _part(_notice(root, width), steps[1:])
        case "preamble":
            return _part(_preamble(document), steps[1:])
        case "annex":
            number = steps[0][1]
            starts = [
                node
                for node in root.children
                if node.kind == "annex" and (not number or node.number == number)
            ]
            steps = steps[1:]
        case _:
            # The body of a notice often is its attachment.
            starts = [root, *(node for node in root.children if node.kind == "annex")]
    for start in starts:
        for text in _found(start, steps, width):
            return text
    return None


def _part(paragraphs: Sequence[str], steps: Sequence[_Step]) -> str | None:
    if not steps:
        return "\n".join(paragraphs) or None
    kind, number = steps[0]
    return paragraphs[number - 1] if kind == "paragraph" and 0 < number <= len(paragraphs) else None


def _notice(root: _Node, width: int) -> list[str]:
    """The sentences after the salutation, up to the signature."""
    paragraphs = _paragraphs(root, width)
    start = next((index for index, text in enumerate(paragraphs) if text[-1] in "：:"), None)
    result: list[str] = []
    for text in paragraphs[start + 1 :] if start is not None else ():
        if text[-1] not in _SENTENCE_END:
            break
        result.append(text)
    return result


def _preamble(document: DocumentText) -> list[str]:
    """The sentences right before the first numbered part."""
    paragraphs = _paragraphs(document.root, document.width)
    result: list[str] = []
    for text in reversed(paragraphs):
        if text[-1] not in _SENTENCE_END and (result or text[-1] not in "：:"):
            break
        result.insert(0, text)
    return result


def _found(node: _Node, steps: Sequence[_Step], width: int) -> Iterator[str]:
    if not steps:
        yield "\n".join(_whole(node, width))
        return
    kind, number = steps[0]
    match kind:
        case "intro":
            paragraphs = _paragraphs(node, width)[1:]
            yield from ["\n".join(paragraphs)] if paragraphs else []
        case "all":
            yield "\n".join(_whole(node, width))
        case "heading":
            yield _paragraphs(node, width)[0]
        case "paragraph":
            yield from _paragraph_of(node, number, width)
        case "point":
            for child in node.children:
                if child.kind in ("paren", "item") and child.number == number:
                    yield from _found(child, steps[1:], width)
        case _:
            for child in _below(node):
                if child.kind == kind and child.number == number:
                    yield from _found(child, steps[1:], width)


def _below(node: _Node) -> Iterator[_Node]:
    """The parts of a node; articles count through the chapters."""
    for child in node.children:
        yield child
        if child.kind == "chapter":
            yield from _below(child)


def _paragraph_of(node: _Node, number: int, width: int) -> Iterator[str]:
    """第几款: the paragraphs of an article; one that only names it is not counted. What is numbered belongs to the last."""
    paragraphs = _paragraphs(node, width)
    if paragraphs and paragraphs[0][-1] not in "。！？；：;:":
        paragraphs = paragraphs[1:]
    if not 0 < number <= len(paragraphs):
        return
    text = paragraphs[number - 1]
    if number == len(paragraphs) and node.children:
        text = "\n".join([text, *(line for child in node.children for line in _whole(child, width))])
    yield text
