"""Records from JSON, JSON lines and Python dicts."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landrules.facts.notes import InputError
from landrules.facts.read_records import read_bytes, read_records, records_from_dicts
from landrules.facts.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()


def codes(reading):
    return [note.code for note in reading.all_notes()]


def line(**facts):
    return json.dumps({"subject": "parcel_supply", "id": "a", "facts": facts}, ensure_ascii=False)


def test_a_fact_may_be_named_by_key_label_or_alias(read):
    for name in ("lease_term", "出租年期", "租赁期限", "租赁期限(年)", "出租年期（年）"):
        record = read(line(**{name: 20}), "a.jsonl").records[0]
        assert record.entries["lease_term"].value == Fraction(240), name


def test_json_numbers_are_read_exactly_from_their_text(read):
    text = '{"subject": "parcel_supply", "facts": {"land_cost": 0.1000000000000000055511151231257827, "deal_price": 1e2}}'
    entries = read(text, "a.json").records[0].entries
    assert entries["land_cost"].value == Fraction("0.1000000000000000055511151231257827")
    assert entries["deal_price"].value == 1_000_000


def test_trailing_zeros_in_json_say_how_precise_a_number_is(read):
    entries = read('{"subject":"parcel_supply","facts":{"land_cost":70.00}}', "a.json").records[0].entries
    assert entries["land_cost"].half_step == Fraction(1, 200)


def test_a_list_a_single_record_and_lines_give_the_same(read):
    one = line(租赁期限=20)
    pretty = json.dumps(json.loads(one), indent=2, ensure_ascii=False)
    entries = [read(text, "a.json").records[0].entries for text in (one, f"[{one}]", pretty, f"\n\n{one}\n")]
    assert all(each == entries[0] for each in entries)


def test_each_record_of_a_list_and_of_lines_knows_its_line(read):
    lines = f"{line(租赁期限=20)}\n\n{line(租赁期限=21)}\n"
    assert [record.place.row for record in read(lines, "a.jsonl").records] == [1, 3]
    listed = f"[\n{line(租赁期限=20)},\n{line(租赁期限=21)}\n]"
    assert [record.place.row for record in read(listed, "a.json").records] == [2, 3]


def test_one_broken_line_is_named_and_hides_no_other(read):
    reading = read(f"{line(租赁期限=20)}\n{{'x': 1\n{line(租赁期限=21)}\n", "a.jsonl")
    assert len(reading.records) == 2
    (note,) = reading.notes
    assert (note.severity, note.code, note.place.row) == ("error", "json-syntax", 2)
    assert "键要用双引号" in note.message


def test_a_list_that_breaks_off_keeps_the_records_before_the_break(read):
    reading = read(f"[{line(租赁期限=20)},\n{line(租赁期限=21)},\n{{]", "a.json")
    assert len(reading.records) == 2
    assert reading.notes[0].place.row == 3
    unfinished = read(f"[{line(租赁期限=20)}", "a.json")
    assert len(unfinished.records) == 1
    assert codes(unfinished) == ["json-syntax"]


def test_a_missing_subject_is_taken_from_the_argument_or_is_an_error(read):
    text = '{"facts": {"租赁期限": 20}}\n' + line(租赁期限=21)
    reading = read(text, "a.jsonl")
    assert [record.subject for record in reading.records] == ["parcel_supply"]
    assert codes(reading) == ["subject-missing"]
    assert [record.subject for record in read(text, "a.jsonl", "供地宗地").records] == ["parcel_supply"] * 2


def test_an_unknown_subject_is_an_error_with_a_suggestion(read):
    reading = read('{"subject": "供地宗", "facts": {}}\n' + line(租赁期限=1), "a.jsonl")
    assert len(reading.records) == 1
    assert "供地宗地" in reading.notes[0].message


def test_an_unknown_fact_is_carried_along_and_reported_with_a_suggestion(read):
    record = read(line(租赁年数=20, 出让年期=30), "a.jsonl").records[0]
    assert record.carried == {"租赁年数": "20"}
    (note,) = record.notes
    assert note.severity == "warning"
    assert "是否指" in note.message


def test_identifying_columns_are_carried_under_their_own_name(read):
    record = read(line(工程名称="甲", 宗地号="乙"), "a.jsonl").records[0]
    assert record.carried == {"项目名称": "甲", "地块编号": "乙"}


def test_absent_null_unknown_and_none_are_told_apart(read):
    record = read(
        line(出租年期=None, 出让年期="未知", 此前已租年限="不涉及", 约定续租年限=""), "a.jsonl"
    ).records[0]
    assert {key: entry.state for key, entry in record.entries.items()} == {
        "grant_term": "unknown",
        "prior_lease_years": "none",
    }


def test_a_fact_given_twice_with_different_values_is_an_error(read):
    record = read(line(出租年期=20, lease_term=30), "a.jsonl").records[0]
    assert record.entries["lease_term"].state == "invalid"
    assert [note.code for note in record.notes] == ["columns-conflict"]


def test_a_key_repeated_in_json_is_not_lost(read):
    text = '{"subject":"parcel_supply","facts":{"出租年期":20,"出租年期":30}}'
    record = read(text, "a.json").records[0]
    assert record.entries["lease_term"].state == "invalid"


def test_repeated_identifiers_are_made_unique_and_both_kept(read):
    reading = read("\n".join([line(出租年期=1)] * 3), "a.jsonl")
    assert [record.id for record in reading.records] == ["a", "a#2", "a#3"]
    assert codes(reading) == ["id-repeated", "id-repeated"]


def test_a_missing_identifier_is_made_from_the_row(read):
    reading = read('{"subject":"parcel_supply","facts":{"出租年期":1}}', "a.json")
    assert reading.records[0].id == "行1"


@pytest.mark.parametrize("content", ['"text"', "3", "[1, 2]", "null"])
def test_what_is_no_record_is_an_error_and_no_traceback(read, content):
    with contextlib.suppress(InputError):
        reading = read(f"[{content}]", "a.json")
        assert not reading.records
        assert all(note.severity == "error" for note in reading.notes)


@pytest.mark.parametrize("value", [{"a": 1}, [[1]], [{"a": 1}]])
def test_a_nested_value_is_an_error_of_that_fact_only(read, value):
    record = read(line(出租年期=value, 出让年期=30), "a.jsonl").records[0]
    assert record.entries["grant_term"].value == 360
    assert record.entries["lease_term"].state == "invalid"
    assert [note.code for note in record.notes] == ["bad-value"]


def test_facts_written_outside_facts_are_read_with_a_warning(read):
    record = read('{"subject":"parcel_supply","出租年期":20}', "a.json").records[0]
    assert record.entries["lease_term"].value == 240
    assert [note.code for note in record.notes] == ["record-extra"]


@pytest.mark.parametrize(
    "number", ["1e999999999", "-1e999999999", "1" * 5000, "1e-999999", "NaN", "Infinity"]
)
def test_monstrous_numbers_cost_nothing_and_are_refused_clearly(read, number):
    text = f'{{"subject":"parcel_supply","facts":{{"出租年期":{number},"出让年期":30}}}}\n{line(出租年期=1)}'
    reading = read(text, "a.jsonl")
    assert reading.records[-1].entries["lease_term"].value == 12
    for note in reading.all_notes():
        assert len(note.message) < 300 or "1111" in note.message


def test_deep_nesting_is_an_error_not_a_crash(read):
    with pytest.raises(InputError, match="嵌套过深"):
        read("[" * 100_000, "a.json")


def test_sets_come_as_lists_or_text(read):
    for value in (["文物", "地下管线"], "文物；地下管线", "文物、地下管线"):
        record = read(line(现状普查完成项=value), "a.jsonl").records[0]
        assert record.entries["census_items_done"].value == frozenset({"文物", "地下管线"})
    assert (
        read(line(现状普查完成项="无"), "a.jsonl").records[0].entries["census_items_done"].value
        == frozenset()
    )


def test_python_dicts_follow_the_same_rules():
    reading = records_from_dicts(
        [
            {
                "subject": "供地宗地",
                "id": 7,
                "facts": {"lease_term": Decimal("20.50"), "lease_start_date": date(2023, 6, 1)},
            }
        ],
        VOCABULARY,
    )
    (record,) = reading.records
    assert record.id == "7"
    assert record.entries["lease_term"].value == 246
    assert record.entries["lease_start_date"].value == date(2023, 6, 1)
    assert len(reading.hash) == 64


def test_the_hash_of_dicts_does_not_depend_on_the_order_of_keys():
    first = records_from_dicts([{"subject": "parcel_supply", "facts": {"a": 1, "b": {"y", "x"}}}], VOCABULARY)
    second = records_from_dicts(
        [{"facts": {"b": {"x", "y"}, "a": 1}, "subject": "parcel_supply"}], VOCABULARY
    )
    assert first.hash == second.hash


def test_a_python_float_is_read_from_its_shortest_decimal_text():
    reading = records_from_dicts([{"subject": "parcel_supply", "facts": {"land_cost": 0.1}}], VOCABULARY)
    assert reading.records[0].entries["land_cost"].value == Fraction(1, 10)


def test_the_hash_is_that_of_the_bytes_read(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text(line(出租年期=1), encoding="utf-8")
    assert read_records(path, VOCABULARY).hash == hashlib.sha256(path.read_bytes()).hexdigest()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(JSON)
def test_any_json_value_gives_records_or_notes(content):
    facts = {"出租年期": content, "出让年期": 1}
    reading = records_from_dicts([{"subject": "parcel_supply", "facts": facts}], VOCABULARY)
    assert reading.records[0].entries["grant_term"].value == 12


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_every_decimal_survives_json_exactly(number):
    text = f'{{"subject":"parcel_supply","facts":{{"land_cost":{number:f}}}}}'
    entry = read_bytes(text.encode(), "a.json", VOCABULARY).records[0].entries["land_cost"]
    assert entry.value == Fraction(number)
    assert isinstance(entry.value, Fraction)
