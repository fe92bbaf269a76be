from __future__ import annotations

import random
from contextlib import suppress

import pytest

from landrules.facts.notes import InputError, Note
from landrules.facts.read_records import read_bytes
from landrules.facts.templates import template_bytes
from landrules.facts.vocabulary import Vocabulary, load_vocabulary

LINE = '{"subject": "parcel_supply", "id": "1", "facts": {"出租年期": "25年", "供应方式": "长期租赁"}}\n'


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


def damaged(seed: bytes, rng: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(rng.randrange(1, 12)):
        place = rng.randrange(max(1, len(data)))
        match rng.randrange(4):
            case 0 if data:
                data[place] = rng.randrange(256)
            case 1:
                data[place:place] = bytes(rng.randrange(256) for _ in range(rng.randrange(5)))
            case 2:
                del data[place : place + rng.randrange(20)]
            case _:
                data = data[:place] + data[place : place + 30] * rng.randrange(3) + data[place:]
    return bytes(data)


@pytest.mark.parametrize("kind", ["xlsx", "jsonl", "csv"])
def test_a_damaged_file_is_read_or_refused_with_a_reason_and_never_crashes(
    vocabulary: Vocabulary, kind: str
) -> None:
    seeds = {
        "xlsx": template_bytes(vocabulary.subjects["violation_case"]),
        "jsonl": LINE.encode() * 3,
        "csv": "供应方式,出租年期\n长期租赁,25\n".encode("gb18030"),
    }
    rng = random.Random(kind)
    for _ in range(150):
        notes: tuple[Note, ...] = ()
        with suppress(InputError):
            notes = read_bytes(damaged(seeds[kind], rng), f"送审.{kind}", vocabulary).all_notes()
        assert all(note.message for note in notes)


def test_an_archive_whose_directory_points_before_its_beginning_is_called_damaged(
    vocabulary: Vocabulary,
) -> None:
    data = bytearray(template_bytes(vocabulary.subjects["violation_case"]))
    # Cutting bytes off the front makes every offset in the directory point elsewhere, the first one before the start.
    del data[4:19]
    with pytest.raises(InputError) as refused:
        read_bytes(bytes(data), "送审.xlsx", vocabulary)
    assert refused.value.notes[0].message
