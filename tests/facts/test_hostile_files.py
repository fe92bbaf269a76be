"""Files that are broken, locked, traps, or no tables at all: a clear Chinese error, at once, and never a traceback."""

from __future__ import annotations

import contextlib
import os
import time
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fact_files import container, part_of, with_parts, xls, xlsx
from landrules.facts import read_sources
from landrules.facts.notes import InputError
from landrules.facts.read_records import read_bytes, read_records
from landrules.facts.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
TABLE = xlsx([["地块编号", "租赁期限(年)"], ["A", 20]])


def refusal(data: bytes, file: str = "计划.xlsx"):
    """The last note of the error that the bytes cause."""
    with pytest.raises(InputError) as caught:
        read_bytes(data, file, VOCABULARY)
    note = caught.value.notes[-1]
    assert note.severity == "error"
    assert "；请" in note.message
    assert note.place.file == file
    return note


def refusal_of_path(path: Path):
    with pytest.raises(InputError) as caught:
        read_records(path, VOCABULARY)
    return caught.value.notes[-1]


@pytest.mark.parametrize("data", [b"", b"  \n\n", b"\xef\xbb\xbf", b"\x00" * 100], ids=repr)
def test_an_empty_file_is_said_to_be_empty(tmp_path, data):
    path = tmp_path / "空.csv"
    path.write_bytes(data)
    assert refusal_of_path(path).code == "file-empty"


def test_an_empty_workbook_holds_no_table():
    assert refusal(xlsx([])).code == "no-table"


def test_a_workbook_without_any_known_heading_holds_no_table():
    assert refusal(xlsx([["甲", "乙"], [1, 2]])).code == "no-table"


def test_a_table_with_headings_and_no_rows_is_empty_and_says_so():
    reading = read_bytes(xlsx([["地块编号", "租期"]]), "a.xlsx", VOCABULARY)
    assert reading.records == ()
    assert [note.code for note in reading.notes] == ["sheet-without-rows"]


def test_an_encrypted_workbook_says_how_to_remove_the_password():
    note = refusal(container("EncryptedPackage", b"secret"))
    assert note.code == "workbook-encrypted"
    assert "用密码进行加密" in note.message


def test_an_encrypted_old_workbook_says_so_too():
    assert refusal(xls([["地块编号", "租期"]], encrypted=True), "a.xls").code == "workbook-encrypted"


@pytest.mark.parametrize("keep", [10, 200, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_corrupt(keep):
    cut = keep if isinstance(keep, int) else int(len(TABLE) * keep)
    assert refusal(TABLE[:cut]).code == "workbook-corrupt"


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "[Content_Types].xml"]
)
@pytest.mark.parametrize("content", [b"", b"<a", b"<a/>", b"\xff\xfe\x00"], ids=repr)
def test_a_workbook_with_a_damaged_part_is_refused_or_read_but_never_crashes(part, content):
    data = with_parts(TABLE, {part: content})
    with contextlib.suppress(InputError):
        read_bytes(data, "a.xlsx", VOCABULARY)


@pytest.mark.parametrize("name", ["Workbook", "WordDocument", "Other"])
def test_an_old_container_without_a_workbook_is_refused(name):
    assert refusal(container(name, b"junk" * 500), "a.xls").code in ("workbook-corrupt", "file-kind")


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    bomb = with_parts(TABLE, {"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * 50_000_000})
    assert len(bomb) < 200_000
    started = time.process_time()
    note = refusal(bomb)
    assert note.code == "zip-bomb"
    assert time.process_time() - started < 1


def test_a_workbook_that_lies_about_its_sizes_is_refused():
    bomb = bytearray(with_parts(TABLE, {"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * 50_000_000}))
    # The size in the directory (offset 24 of each entry) is what a check before unpacking has to go by.
    at = bomb.rindex(b"PK\x01\x02")
    bomb[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    started = time.process_time()
    refusal(bytes(bomb))
    assert time.process_time() - started < 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_billion_laughs_are_refused_in_every_part(part, encoding):
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    text = f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><x>&l9;</x>'
    started = time.process_time()
    assert refusal(with_parts(TABLE, {part: text.encode(encoding)})).code == "xml-entities"
    assert time.process_time() - started < 1


def test_an_encrypted_archive_is_named():
    data = bytearray(TABLE)
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    assert refusal(bytes(data)).code == "workbook-encrypted"


@pytest.mark.parametrize(
    "members", [{"a.txt": b"x"}, {"word/document.xml": b"<a/>"}, {"content.xml": b"<a/>"}]
)
def test_another_archive_is_no_workbook(members):
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert refusal(stream.getvalue()).code == "file-kind"


@pytest.mark.parametrize(
    "head",
    [
        b"%PDF-1.7\n",
        b"MIME-Version: 1.0\n",
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
    ],
    ids=["pdf", "mhtml", "xml"],
)
def test_other_kinds_of_files_say_how_to_convert_them(head):
    assert refusal(head + b"x" * 100, "a.xls").code == "file-kind"


def test_a_page_without_a_table_says_so():
    assert refusal(b"<html><body>404</body></html>", "a.xls").code == "html-without-table"


def test_ten_thousand_columns_are_read_quickly_with_few_notes():
    headings = ["地块编号", "租期", *(f"附加列{n}" for n in range(10_000))]
    rows = [headings, *([f"N{n}", 20, *range(10_000)] for n in range(3))]
    data = "\n".join(",".join(map(str, row)) for row in rows).encode()
    started = time.process_time()
    reading = read_bytes(data, "a.csv", VOCABULARY)
    assert time.process_time() - started < 5
    assert len(reading.records) == 3
    assert len(reading.records[0].carried) == 10_001
    assert len(reading.notes) < 30
    assert reading.notes[-1].code == "unknown-columns"


def test_a_workbook_of_ten_thousand_columns_is_read_quickly():
    data = xlsx([["地块编号", "租期", *(f"附加列{n}" for n in range(10_000))], ["A", 20]])
    started = time.process_time()
    assert read_bytes(data, "a.xlsx", VOCABULARY).records[0].entries["lease_term"].value == 240
    assert time.process_time() - started < 5


def test_a_sheet_that_claims_all_rows_and_columns_is_read_by_what_it_holds():
    sheet = part_of(TABLE, "xl/worksheets/sheet1.xml")
    for claim in (b'ref="A1:XFD1048576"', b'ref="A1"'):
        data = with_parts(TABLE, {"xl/worksheets/sheet1.xml": sheet.replace(b'ref="A1:B2"', claim)})
        started = time.process_time()
        assert len(read_bytes(data, "a.xlsx", VOCABULARY).records) == 1
        assert time.process_time() - started < 2


def test_merges_over_the_whole_sheet_cost_nothing():
    sheet = part_of(TABLE, "xl/worksheets/sheet1.xml")
    merges = (
        b'<mergeCells count="1">' + b'<mergeCell ref="A2:XFD1048576"/>' * 2000 + b"</mergeCells></worksheet>"
    )
    data = with_parts(TABLE, {"xl/worksheets/sheet1.xml": sheet.replace(b"</worksheet>", merges)})
    started = time.process_time()
    assert len(read_bytes(data, "a.xlsx", VOCABULARY).records) == 1
    assert time.process_time() - started < 5


def test_too_many_cells_are_refused(monkeypatch):
    monkeypatch.setattr("landrules.facts.read_workbook.LIMIT_CELLS", 3)
    monkeypatch.setattr("landrules.facts.read_text.LIMIT_CELLS", 3)
    assert refusal(TABLE).code == "table-too-large"
    assert refusal("地块编号,租期\nA,20\n".encode(), "a.csv").code == "table-too-large"


def test_a_file_over_the_limit_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(read_sources, "LIMIT_FILE", 10)
    path = tmp_path / "大.csv"
    path.write_bytes(b"x" * 11)
    assert refusal_of_path(path).code == "file-too-large"


def test_a_missing_file_a_folder_and_a_device_are_named(tmp_path):
    assert refusal_of_path(tmp_path / "没有.xlsx").code == "file-missing"
    assert refusal_of_path(tmp_path).code == "file-is-folder"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert refusal_of_path(tmp_path / "pipe").code == "file-kind"
    assert refusal_of_path(tmp_path / ("长" * 300)).code in ("file-unreadable", "file-missing")
    assert refusal_of_path(Path("a\x00b")).code in ("file-unreadable", "file-missing")


def test_a_file_that_may_not_be_read_says_so(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("x")

    def deny(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", deny)
    assert refusal_of_path(path).code == "file-permission"


def test_stray_nul_bytes_are_taken_out_with_a_warning():
    data = "地块编号,项目名称,租期\nA,甲\x00,20\n".encode() + b"B,\xe4\xb9\x99,21\n" * 50
    reading = read_bytes(data, "a.csv", VOCABULARY)
    assert reading.records[0].carried["项目名称"] == "甲"
    assert [note.code for note in reading.notes if note.severity == "warning"] == ["nul-bytes"]


def test_one_broken_byte_does_not_turn_a_utf8_file_into_another_encoding():
    rows = "".join(f"N{n},示例项目{n},20\n" for n in range(50))
    data = f"地块编号,项目名称,租期\n{rows}".encode().replace("项目7,".encode(), "项".encode() + b"\xe7\x9b,")
    reading = read_bytes(data, "a.csv", VOCABULARY)
    assert len(reading.records) == 50
    (note,) = [note for note in reading.notes if note.code == "bad-bytes"]
    assert note.place.row == 9
    assert reading.records[8].carried["项目名称"] == "示例项目8"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        bytes(range(1, 256)) * 10,
        b"\x7fELF\x02\x01" + b"\x00\xff" * 500,
    ],
    ids=["png", "bytes", "elf"],
)
def test_what_is_no_text_is_refused(data):
    assert refusal(data, "a.csv").code in ("unknown-encoding", "no-table")


@settings(deadline=None)
@given(
    st.binary(min_size=1, max_size=300),
    st.sampled_from(["", "PK\x03\x04", "{", "[", "<table>", "地块编号,租期\n"]),
)
def test_no_bytes_ever_cause_a_traceback(data, head):
    with contextlib.suppress(InputError):
        read_bytes(head.encode() + data, "a.xlsx", VOCABULARY)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(TABLE) - 1), st.integers(1, 255))
def test_no_flipped_byte_of_a_workbook_ever_causes_a_traceback(position, flip):
    data = bytearray(TABLE)
    data[position] ^= flip
    with contextlib.suppress(InputError):
        read_bytes(bytes(data), "a.xlsx", VOCABULARY)


XLS = xls([["地块编号", "租期"], ["A", 20]])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1800), st.integers(1, 255))
def test_no_flipped_byte_of_an_old_workbook_ever_causes_a_traceback(position, flip):
    data = bytearray(XLS)
    data[position] ^= flip
    with contextlib.suppress(InputError):
        read_bytes(bytes(data), "a.xls", VOCABULARY)
