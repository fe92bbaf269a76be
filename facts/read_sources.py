"""Gets the bytes of a file, tells what they are, and keeps hostile ones out before any parser sees them."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from landrules.facts.notes import InputError, Note, Place

__all__ = ["Cell", "CellProblem", "Kind", "Merge", "Sheet", "check_archive", "load_bytes", "sniff"]

Kind = Literal["xlsx", "xls", "html", "json", "text"]

LIMIT_FILE = 100 * 1024 * 1024
LIMIT_UNPACKED = 200 * 1024 * 1024
LIMIT_RATIO = 200
LIMIT_CELLS = 5_000_000
_RATIO_FROM = 10 * 1024 * 1024

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_HTML = re.compile(rb"<(?:!doctype\s+html|html|table|body|head|meta|div|style)\b", re.IGNORECASE)
_XLS_BEGIN = bytes.fromhex("0908100000060500")
_XLS_FILEPASS = 0x002F
_XLS_RECORDS = 20
_PROLOG_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class CellProblem:
    """A cell without a usable value (a formula never calculated, `#REF!`): what it holds, and what to do."""

    code: str
    message: str
    text: str = ""


Cell = str | int | Decimal | date | bool | CellProblem | None
"""A cell as read, before its column is known; a number is exact."""


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged range; rows as the program shows them (from 1), columns from 0, ends included."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A grid of cells: each row with its number as the program shows it. `name` is None for a text file."""

    name: str | None
    rows: Sequence[tuple[int, Sequence[Cell]]]
    merges: tuple[Merge, ...] = ()
    notes: tuple[Note, ...] = ()
    formats_known: bool = True


def load_bytes(path: Path) -> bytes:
    """The bytes of the file at `path`.

    Raises:
        InputError: when there is no such file, it is a folder or a device, may not be read, is empty or too large.
    """
    place = Place(file=path.name)
    try:
        if not path.exists():
            raise _refuse("file-missing", f"找不到文件 {path}；请核对路径和文件名", place)
        if path.is_dir():
            raise _refuse("file-is-folder", "这是文件夹，不是文件；请指明其中的文件", place)
        if not path.is_file():
            raise _refuse(
                "file-kind", "这不是普通文件；请把内容存成 xlsx、xls、csv、json 或 jsonl 文件", place
            )
        if path.stat().st_size > LIMIT_FILE:
            limit = LIMIT_FILE // (1024 * 1024)
            raise _refuse("file-too-large", f"文件超过 {limit} MB；请拆成几个文件", place)
        data = path.read_bytes()
    except PermissionError:
        raise _refuse(
            "file-permission", "没有读取权限；请换有权限的账号，或让文件所有者开放读取", place
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refuse(
            "file-unreadable", f"读不了文件（{reason}）；请核对路径，或换个位置再存一份", place
        ) from None
    if not data.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise _refuse("file-empty", "文件是空的，没有可判断的内容；请核对是否选错了文件", place)
    return data


def sniff(data: bytes, file: str) -> Kind:
    """What the bytes are, by their content; the name of the file plays no part.

    Raises:
        InputError: for what cannot be read (encrypted, another program's file, a bare archive), with the way out.
    """
    place = Place(file=file)
    if data.startswith(_OLE):
        return _sniff_ole(data, place)
    if data.startswith((_ZIP, _EMPTY_ZIP)):
        return _sniff_zip(data, place)
    if data.startswith(b"%PDF"):
        raise _refuse("file-kind", "这是 PDF，读不出表格；请用原来的 Excel 文件，或另存为 xlsx", place)
    head = data[:4096].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head or head.startswith(b"MIME-Version:"):
        raise _refuse("file-kind", "这是 Excel 的网页或 XML 存档格式；请用 Excel 打开后另存为 xlsx", place)
    if head.startswith(b"<") and _HTML.search(head):
        return "html"
    if head.startswith((b"{", b"[")):
        return "json"
    return "text"


def check_archive(data: bytes, file: str) -> zipfile.ZipFile:
    """Open a zip after looking at its directory only: sizes, ratios, encryption and, in XML parts, entity declarations.

    Raises:
        InputError: when it is corrupt, encrypted, a zip bomb, or declares XML entities.
    """
    place = Place(file=file)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise _corrupt(place) from None
    if any(part.flag_bits & 1 for part in parts):
        raise _refuse(
            "workbook-encrypted", "文件加了密码，读不了；请用 Excel 打开，去掉密码后另存为 xlsx", place
        )
    unpacked = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    if unpacked > LIMIT_UNPACKED or (unpacked > _RATIO_FROM and unpacked > LIMIT_RATIO * packed):
        size = f"{unpacked / 1024 / 1024:.0f} MB（压缩后 {packed / 1024 / 1024:.1f} MB）"
        message = (
            f"工作簿展开后达 {size}，超出限度或压缩比异常，为安全起见不打开；请只留要判断的行另存为 xlsx"
        )
        raise _refuse("zip-bomb", message, place)
    for part in parts:
        if part.filename.endswith((".xml", ".rels")) and _declares_entities(archive, part, place):
            message = (
                "工作簿里有 XML 实体声明（DOCTYPE），正常的表格没有，为安全起见不打开；请用 Excel 另存为 xlsx"
            )
            raise _refuse("xml-entities", message, place)
    return archive


def _declares_entities(archive: zipfile.ZipFile, part: zipfile.ZipInfo, place: Place) -> bool:
    """True when a DOCTYPE stands before the root element, in whichever encoding."""
    head = b""
    try:
        with archive.open(part) as stream:
            while chunk := stream.read(_PROLOG_CHUNK):
                head += chunk.replace(b"\x00", b"")
                if b"<!DOCTYPE" in head:
                    return True
                if re.search(rb"<[A-Za-z_]", head):
                    return False
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, struct.error):
        raise _corrupt(place) from None
    return False


def _sniff_ole(data: bytes, place: Place) -> Kind:
    if "EncryptedPackage".encode("utf-16-le") in data:
        message = "工作簿加了打开密码，读不了；请用 Excel 打开，在“文件—信息—保护工作簿—用密码进行加密”里清空密码后保存"
        raise _refuse("workbook-encrypted", message, place)
    if "WordDocument".encode("utf-16-le") in data:
        raise _refuse("file-kind", "这是 Word 文档，不是表格；请把表格复制到 Excel 存为 xlsx", place)
    if _has_password(data):
        raise _refuse(
            "workbook-encrypted", "工作簿加了密码，读不了；请用 Excel 打开，去掉密码后另存为 xlsx", place
        )
    return "xls"


def _has_password(data: bytes) -> bool:
    """True when an old workbook says FILEPASS among its first records (calamine does not tell this from damage)."""
    position = data.find(_XLS_BEGIN)
    for _ in range(_XLS_RECORDS if position >= 0 else 0):
        kind, length = (int.from_bytes(data[position + at : position + at + 2], "little") for at in (0, 2))
        if kind == _XLS_FILEPASS:
            return True
        position += 4 + length
    return False


def _sniff_zip(data: bytes, place: Place) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise _corrupt(place) from None
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "word/document.xml" in names:
        raise _refuse("file-kind", "这是 Word 文档，不是表格；请把表格复制到 Excel 存为 xlsx", place)
    if "xl/workbook.bin" in names or "content.xml" in names:
        raise _refuse("file-kind", "这种表格格式（xlsb、ods）读不了；请另存为 xlsx", place)
    raise _refuse("file-kind", "这是压缩包，不是表格；请解压后逐个文件判断", place)


def _corrupt(place: Place) -> InputError:
    return _refuse(
        "workbook-corrupt", "工作簿已损坏，打不开；请用 Excel 打开修复后另存，或重新取得原件", place
    )


def _refuse(code: str, message: str, place: Place) -> InputError:
    return InputError(Note("error", code, message, place))
