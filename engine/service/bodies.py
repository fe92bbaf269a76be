"""Reads request bodies: within limits while they arrive, numbers exactly, every flaw with its place."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from email.message import Message
from email.parser import HeaderParser

from starlette.requests import ClientDisconnect, Request

from landrules.engine.service.problems import Flaw, Problem
from landrules.engine.service.wording import pointer
from landrules.facts.read_json import Pairs
from landrules.facts.values import suggest
from landrules.facts.vocabulary import Vocabulary

__all__ = ["Part", "media_of", "parse_json", "parse_multipart", "plain", "read_body", "records_text"]

_RECORD_KEYS = ("subject", "id", "facts")
_ID_LENGTH = 200
_PARTS = 50
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: `filename` is None for a field."""

    name: str
    filename: str | None
    content: bytes


# --- receiving ------------------------------------------------------------------------------------------------


def media_of(request: Request) -> tuple[str, str]:
    """The media type of the body, lower case, and the boundary of a multipart one."""
    message = Message()
    message["Content-Type"] = request.headers.get("content-type", "")
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    boundary = message.get_param("boundary")
    return declared, boundary if isinstance(boundary, str) else ""


async def read_body(request: Request, limit: int, seconds: float, *, rows: int | None = None) -> bytes:
    """The body, refused as soon as it grows beyond `limit` bytes or, with `rows`, that many lines.

    Raises:
        Problem: too large, too many rows, too slow, or cut off.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size, lines = 0, 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                if rows is not None:
                    lines += chunk.count(b"\n")
                    # The last line may end in a line feed, or not.
                    if lines > rows:
                        raise too_many_rows(rows)
                chunks.append(chunk)
    except TimeoutError:
        raise Problem("body-slow", f"{seconds:g} 秒内没有收完请求体；请检查网络后重试") from None
    except ClientDisconnect:
        raise Problem("bad-request", "请求体没有发完，连接已断开") from None
    return b"".join(chunks)


def _too_large(limit: int) -> Problem:
    return Problem("too-large", f"请求体超过 {limit} 字节的上限；请分几次发送")


def too_many_rows(limit: int, found: int | None = None) -> Problem:
    """The problem of more records than allowed."""
    shown = f"有 {found} 条记录" if found is not None else "记录"
    return Problem(
        "too-many-rows", f"{shown}，超过一次 {limit} 条的上限；请分几次发送，或改用 landrules check"
    )


# --- JSON -----------------------------------------------------------------------------------------------------


def parse_json(data: bytes) -> object:
    """JSON as a tree of `Pairs`, lists and scalars, decimal numbers exact.

    Raises:
        Problem: when it is not JSON in UTF-8.
    """
    return _decode(_text(data))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem("bad-encoding", f"第 {error.start + 1} 个字节处不是 UTF-8；请以 UTF-8 发送") from None


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=lambda pairs: Pairs(tuple(pairs)), parse_float=_exact, parse_constant=_constant
    )


def _exact(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _constant(text: str) -> object:
    raise ValueError(f"JSON 没有 {text} 这个值")


def _decode(text: str, line: int | None = None) -> object:
    try:
        return _decoder().decode(text)
    except RecursionError:
        raise Problem(
            "bad-json", "括号嵌套过深；一条记录是 {“subject”, “id”, “facts”}，不需要更深的层次"
        ) from None
    except json.JSONDecodeError as error:
        at = f"第 {line} 行" if line is not None else f"第 {error.lineno} 行"
        raise Problem("bad-json", f"{at}第 {error.colno} 个字符处不是有效的 JSON；请改正后重发") from None
    except ValueError as error:
        reason = "数字过长" if "digits" in str(error) else str(error)
        raise Problem(
            "bad-json", f"{'' if line is None else f'第 {line} 行：'}{reason}；请改正后重发"
        ) from None


def plain(value: object) -> object:
    """The tree with dicts; a repeated key keeps the last value."""
    match value:
        case Pairs(items):
            return {key: plain(item) for key, item in items}
        case list():
            return [plain(item) for item in value]
        case _:
            return value


# --- records --------------------------------------------------------------------------------------------------


def records_text(
    data: bytes, *, lines: bool, vocabulary: Vocabulary, subject: str | None, rows: int
) -> bytes:
    """The records of a body as the reader takes them (a list, or JSON lines), once all of them have the right form.

    Values are left to the reader, which explains what it cannot use in the report. `subject` is the fact type of
    records that do not say theirs.

    Raises:
        Problem: when it is not JSON, has too many rows or none, or with every flaw of every record.
    """
    text = _text(data)
    flaws: list[Flaw] = []
    records: list[tuple[object, int | None]]
    if lines:
        numbered = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        records = [(_decode(line, number), number) for number, line in numbered]
    else:
        text, found = _list_in(text)
        records = [(item, None) for item in found]
    if len(records) > rows:
        raise too_many_rows(rows, len(records))
    if not records:
        flaws.append(Flaw("no-records", "一条记录也没有", pointer=""))
    for number, (record, line) in enumerate(records):
        _look_at(record, number, line, vocabulary, subject, flaws)
    if flaws:
        raise Problem("bad-record", f"{len(flaws)} 处不合输入格式，没有预检；请改正后重发", flaws)
    return text.encode()


def _list_in(text: str) -> tuple[str, list[object]]:
    """The text of the list of records, and its items; the list may stand in `{"records": […]}`."""
    content = _decode(text)
    if isinstance(content, list):
        return text.strip(_SPACE), content
    names = [name for name, _ in content.items] if isinstance(content, Pairs) else []
    if names != ["records"]:
        message = (
            "应是记录的列表，或 {“records”: [记录, …]}；逐行的记录请用 Content-Type: application/x-ndjson"
        )
        raise Problem("bad-record", message, [Flaw("records-form", message, pointer="")])
    # The list keeps its own text: numbers stay as written, and the hash in the report is that of the list.
    start = _after(text, _after(text, 0, "{"), "")
    _, end = json.decoder.scanstring(text, start + 1)  # type: ignore[attr-defined]
    start = _after(text, end, ":")
    start = _after(text, start, "")
    items, end = _decoder().raw_decode(text, start)
    if not isinstance(items, list):
        raise Problem(
            "bad-record", "“records”应是列表", [Flaw("records-form", "应是列表", pointer="/records")]
        )
    return text[start:end], items


def _after(text: str, position: int, sign: str) -> int:
    """The position after white space and, if given, the sign that follows it."""
    while text[position] in _SPACE:
        position += 1
    return position + len(sign)


def _look_at(
    record: object,
    number: int,
    line: int | None,
    vocabulary: Vocabulary,
    subject: str | None,
    flaws: list[Flaw],
) -> None:
    def flaw(code: str, detail: str, *path: str | int) -> None:
        flaws.append(Flaw(code, detail, pointer=pointer((number, *path)), line=line))

    if not isinstance(record, Pairs):
        flaw("record-form", "这不是一条记录；一条记录是 {“subject”: …, “id”: …, “facts”: {名称: 值}}")
        return
    fields = dict(record.items)
    for name in _repeated(record):
        flaw("key-repeated", "同一个键写了两次，请只留一个", name)
    for name in fields:
        if name not in _RECORD_KEYS:
            flaw("record-extra", "不认识这一项；事实应写在“facts”里", name)
    given = fields.get("subject")
    if given is None:
        if subject is None:
            flaw(
                "subject-missing",
                "没有写明填报表（subject）；请写明，如 parcel_supply，或用 ?subject=",
                "subject",
            )
    elif not isinstance(given, str):
        flaw("subject-form", "填报表（subject）应是文字", "subject")
    elif vocabulary.subject(given) is None:
        known = [*vocabulary.subjects, *(form.label for form in vocabulary.subjects.values())]
        near = suggest(given, known)
        flaw(
            "subject-unknown",
            f"没有这种填报表{f'，是否指{near}？' if near else ''}；可用的见 /v1/vocabulary",
            "subject",
        )
    name_ = fields.get("id")
    if name_ is not None and (isinstance(name_, bool) or not isinstance(name_, str | int)):
        flaw("id-form", "编号（id）应是文字或整数", "id")
    elif isinstance(name_, str) and (len(name_) > _ID_LENGTH or _SURROGATE.search(name_)):
        flaw("id-form", f"编号（id）太长（至多 {_ID_LENGTH} 个字符）或含有无法写出的字符", "id")
    facts = fields.get("facts")
    if not isinstance(facts, Pairs):
        flaw("facts-form", "缺“facts”，应是 {名称: 值} 的映射", "facts")
        return
    for name in _repeated(facts):
        flaw("key-repeated", "同一个名称写了两次，请只留一个", "facts", name)
    for name, value in facts.items:
        parts = value if isinstance(value, list) else [value]
        if any(isinstance(part, Pairs | list) for part in parts):
            flaw("fact-form", "值应是数、文字、是否或一列文字，不能再有层次", "facts", name)
        elif _SURROGATE.search(name) or any(
            isinstance(part, str) and _SURROGATE.search(part) for part in parts
        ):
            flaw("fact-text", "含有无法写出的字符（半个代理对）", "facts", name)


def _repeated(content: Pairs) -> list[str]:
    seen: set[str] = set()
    repeated: dict[str, None] = {}
    for name, _ in content.items:
        if name in seen:
            repeated[name] = None
        seen.add(name)
    return list(repeated)


# --- forms ----------------------------------------------------------------------------------------------------


def parse_multipart(data: bytes, boundary: str) -> list[Part]:
    """The parts of a `multipart/form-data` body (RFC 7578) that is in memory already.

    Raises:
        Problem: when it is not one.
    """
    if not boundary:
        raise Problem("bad-upload", "缺少 boundary；请按 multipart/form-data 上传")
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    pieces = (b"\r\n" + data).split(delimiter)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004 - before, one part at least, after
        raise Problem("bad-upload", "表单不完整或没有内容；请重新上传")
    if len(pieces) - 2 > _PARTS:
        raise Problem("bad-upload", f"表单超过 {_PARTS} 项")
    parts = []
    for piece in pieces[1:-1]:
        head, found, content = piece.partition(b"\r\n\r\n")
        if not found:
            raise Problem("bad-upload", "表单里有一项没有表头；请重新上传")
        message = HeaderParser().parsestr(head.lstrip(b" \t\r\n").decode("utf-8", "replace"))
        fields = _disposition(message)
        if "name" not in fields:
            raise Problem("bad-upload", "表单里有一项没有名称；请重新上传")
        parts.append(Part(fields["name"], fields.get("filename"), content))
    return parts


def _disposition(message: Message) -> Mapping[str, str]:
    found = {}
    for name in ("name", "filename"):
        value = message.get_param(name, header="content-disposition")
        if isinstance(value, tuple):
            value = value[2]
        if isinstance(value, str):
            found[name] = value
    return found
