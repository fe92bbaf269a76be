from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landrules.engine.rulebook.reading import MAX_DEPTH, MAX_NODES, MAX_SIZE, read_file, read_yaml
from landrules.facts.notes import InputError

if TYPE_CHECKING:
    from pathlib import Path


def codes(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_yaml(text, "规则.yaml")
    return [note.code for note in caught.value.notes]


def rejected(text: str) -> str:
    with pytest.raises(InputError) as caught:
        read_yaml(text, "规则.yaml")
    return str(caught.value)


def test_numbers_dates_and_truths_stay_the_text_that_was_written() -> None:
    content = read_yaml("a: 1e3\nb: on\nc: 2023-03-02\nd: 0x1F\ne: 007\nf: 1_000\ng: .inf\n", "x").content
    assert content == {
        "a": "1e3",
        "b": "on",
        "c": "2023-03-02",
        "d": "0x1F",
        "e": "007",
        "f": "1_000",
        "g": ".inf",
    }


def test_only_an_unquoted_empty_value_or_null_is_none() -> None:
    assert read_yaml("a:\nb: null\nc: ~\nd: ''\ne: 'null'\n", "x").content == {
        "a": None,
        "b": None,
        "c": None,
        "d": "",
        "e": "null",
    }


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system [ls]", "!!str 1", "!own x", "!!set {a}", "! x"]
)
def test_tags_are_refused(tag: str) -> None:
    assert codes(f"a: {tag}\n") == ["yaml-tag"]


def test_a_tag_directive_is_refused() -> None:
    assert codes("%TAG ! tag:example.com,2000:\n---\na: 1\n") == ["yaml-tag"]


def test_an_anchor_bomb_stops_at_the_first_anchor() -> None:
    bomb = 'a: &a ["x","x"]\n' + "".join(f"b{i}: &b{i} [*a,*a,*a,*a]\n" for i in range(50))
    assert codes(bomb) == ["yaml-anchor"]
    assert "第 1 行" in rejected(bomb)


def test_aliases_and_merge_keys_are_refused() -> None:
    assert codes("a: *b\n") == ["yaml-anchor"]
    assert codes("a: &x {b: 1}\nc:\n  <<: *x\n") == ["yaml-anchor"]


def test_every_duplicate_key_is_named_with_its_line() -> None:
    with pytest.raises(InputError) as caught:
        read_yaml("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n", "规则.yaml")
    assert [(note.code, note.place.row) for note in caught.value.notes] == [
        ("yaml-duplicate-key", 4),
        ("yaml-duplicate-key", 5),
    ]
    assert "“c”写了两次" in caught.value.notes[0].message


@pytest.mark.parametrize("text", ["? [a, b]\n: 1\n", "? {a: 1}\n: 1\n", "{[a]: 1}\n"])
def test_a_key_must_be_a_word(text: str) -> None:
    assert codes(text) == ["yaml-key"]


def test_deep_nesting_is_refused_without_recursion() -> None:
    assert codes("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == ["yaml-depth"]
    assert codes("[" * 50_000) == ["yaml-depth"]


def test_huge_files_are_refused(tmp_path: Path) -> None:
    assert codes("# " + "x" * MAX_SIZE) == ["yaml-size"]
    assert codes("[" + "a," * MAX_NODES + "a]") == ["yaml-size"]
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MAX_SIZE + 1))
    with pytest.raises(InputError, match="上限"):
        read_file(large, "large.yaml")


def test_broken_yaml_is_explained_with_its_place() -> None:
    message = rejected("a: 1\nb: [1, 2\nc: 3\n")
    assert "规则.yaml" in message
    assert "第 3 行" in message
    assert "缩进" in message


@pytest.mark.parametrize("text", ["a: \x00\n", "a: \x07\n"])
def test_control_characters_are_refused(text: str) -> None:
    assert codes(text) == ["yaml-syntax"]


def test_only_one_yaml_document_a_file() -> None:
    assert codes("a: 1\n---\nb: 2\n") == ["yaml-documents"]


def test_a_file_in_gb18030_is_told_to_be_saved_as_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("a: 1\nb: 租赁\n".encode("gb18030"))
    with pytest.raises(InputError, match="UTF-8") as caught:
        read_file(path, "x.yaml")
    assert caught.value.notes[0].place.row == 2


def test_byte_order_mark_and_crlf_are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("\ufeffa: 1\r\nb: |\r\n  甲\r\n  乙\r\n".encode())
    source = read_file(path, "x.yaml")
    assert source.content == {"a": "1", "b": "甲\n乙\n"}
    assert source.spans["b",].line == 2


def test_a_missing_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="读不出来"):
        read_file(tmp_path / "none.yaml", "none.yaml")


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("when: 甲 且 乙\n", 1, 5, (1, 11)),
        ("when: '甲 且 乙'\n", 1, 5, (1, 12)),
        ("when: |-\n  甲\n  且 乙\n", 2, 3, (3, 5)),
        ("when: >-\n  甲\n  且 乙\n", 1, 3, (3, 3)),
        ("when: 甲\n  且 乙\n", 1, 3, (2, 3)),
    ],
)
def test_a_column_of_a_value_is_found_in_the_file(
    text: str, line: int, column: int, expected: tuple[int, int]
) -> None:
    place = read_yaml(text, "x").place(("when",), line, column)
    assert (place.row, place.column) == (expected[0], f"第 {expected[1]} 列")


def test_an_empty_file_holds_nothing() -> None:
    assert read_yaml("", "x").content is None
    assert read_yaml("# 空\n", "x").content is None
