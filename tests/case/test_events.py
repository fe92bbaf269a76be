"""Event logs: what a case is after its events, and what is said of lines that cannot be used."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from landrules.engine.case.events import cases_of, read_log_bytes, records_of
from landrules.engine.case.model import Case, Event, Stated, open_case, replay_events
from landrules.engine.rulebook import Rulebook
from landrules.facts.notes import InputError
from landrules.facts.read_headings import names_of
from landrules.facts.read_records import records_from_dicts

AT = "2023-06-01T09:00:00"


def lines(*content: dict[str, object] | str) -> bytes:
    texts = [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in content]
    return "\n".join(texts).encode()


def line(case: str = "A", **more: object) -> dict[str, object]:
    return {"case": case, "subject": "parcel_supply", "at": AT, **more}


def final(rulebook: Rulebook, *content: dict[str, object] | str) -> tuple[Case, ...]:
    return cases_of(read_log_bytes(lines(*content), "e.jsonl", rulebook.vocabulary), rulebook.vocabulary)


def test_facts_are_set_corrected_and_withdrawn_under_any_of_their_names(rulebook: Rulebook) -> None:
    (case,) = final(
        rulebook,
        line(set={"供应方式": "长期租赁", "宗地面积(亩)": 10, "项目名称": "甲"}),
        line(set={"supply_mode": "先租后让", "出租年期": "25年"}),
        line(unset=["lease_term", "项目名称"]),
    )
    assert case.facts["supply_mode"] == Stated("supply_mode", "先租后让")
    assert sorted(case.facts) == ["land_area", "supply_mode"]
    assert [event.kind for event in case.log] == ["opened", "corrected", "withdrawn"]


def test_order_matters_within_a_case_and_cases_may_be_mixed(rulebook: Rulebook) -> None:
    first, second = final(
        rulebook,
        line("A", set={"出租年期": "25年"}),
        line("B", set={"出租年期": "10年"}),
        line("A", set={"出租年期": "20年"}),
        line("B", set={"出租年期": "30年"}),
    )
    assert (first.id, first.facts["lease_term"].value) == ("A", "20年")
    assert (second.id, second.facts["lease_term"].value) == ("B", "30年")


def test_records_of_cases_are_those_of_an_input_file(rulebook: Rulebook) -> None:
    content = {"供应方式": "长期租赁", "出租年期": "二十年", "没有这一列": "x", "行为日期": "2023-06-01"}
    cases = final(rulebook, line(set=content), line(unset=["没有填过的"]))
    (record,) = records_of(cases, rulebook.vocabulary)
    (expected,) = records_from_dicts(
        [{"subject": "parcel_supply", "id": "A", "facts": content}], rulebook.vocabulary
    ).records
    assert record.entries == expected.entries
    assert [note.code for note in record.notes] == [*(note.code for note in expected.notes), "case-unset"]
    assert {(note.place.file, note.place.row) for note in record.notes} == {("e.jsonl", 2)}


def test_numbers_are_read_exactly(rulebook: Rulebook) -> None:
    text = '{"case": "A", "subject": "parcel_supply", "at": "2023-06-01", "set": {"deal_price": 0.1234567890123456789}}'
    (record,) = records_of(final(rulebook, text), rulebook.vocabulary)
    assert record.entries["deal_price"].text == "0.1234567890123456789"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("not json", "json-syntax"),
        ('["a list"]', "event-form"),
        (line(case=""), "event-case"),
        ({"subject": "parcel_supply", "at": AT}, "event-case"),
        (line(subject="没有这种表"), "event-subject"),
        (line(subject="spatial_plan"), "event-subject"),
        ({"case": "new", "at": AT}, "event-subject"),
        (line(at="昨天"), "event-at"),
        (line(at=None), "event-at"),
        (line(set=["x"]), "event-form"),
        (line(unset="x"), "event-form"),
        (line(unset=[1]), "event-form"),
        (line(event="起飞"), "event-kind"),
        ('{"case": "A", "case": "B", "subject": "parcel_supply", "at": "2023-06-01"}', "event-form"),
        (
            '{"case": "A", "subject": "parcel_supply", "at": "2023-06-01", "set": {"a": 1, "a": 2}}',
            "event-form",
        ),
    ],
)
def test_a_bad_line_is_told_with_its_number_and_the_others_go_on(
    bad: dict[str, object] | str, code: str, rulebook: Rulebook
) -> None:
    data = lines(line(set={"出租年期": "25年"}), bad, line(set={"出租年期": "20年"}))
    log = read_log_bytes(data, "e.jsonl", rulebook.vocabulary)
    (note,) = log.notes
    assert (note.severity, note.place.row) == ("error", 2)
    assert note.code == code
    (case,) = cases_of(log, rulebook.vocabulary)
    assert case.facts["lease_term"].value == "20年"


def test_a_subject_is_needed_once_and_may_be_chinese(rulebook: Rulebook) -> None:
    (case,) = final(rulebook, line(subject="供地宗地"), {"case": "A", "at": AT, "set": {"出租年期": "1年"}})
    assert case.subject == "parcel_supply"
    assert len(case.log) == 2


def test_a_log_of_nothing_is_refused(rulebook: Rulebook) -> None:
    with pytest.raises(InputError):
        read_log_bytes(b"x\ny\n", "e.jsonl", rulebook.vocabulary)


def test_clock_stops_and_ends(rulebook: Rulebook) -> None:
    names = names_of(rulebook.vocabulary, rulebook.vocabulary.subjects["parcel_supply"])
    days = {"opened": 1, "suspended": 2, "resumed": 5, "closed": 9}
    events = [Event(datetime(2023, 6, day), kind) for kind, day in days.items()]  # type: ignore[arg-type]  # noqa: DTZ001
    case = replay_events(open_case("A", "parcel_supply"), events[:2], names)
    assert case.suspended
    case = replay_events(case, events[2:], names)
    assert [(span.start.day, span.end and span.end.day) for span in case.stops] == [(2, 5)]
    assert case.closed
    assert not case.suspended
    odd = replay_events(
        open_case("A", "parcel_supply"), [events[2], events[1], events[1], events[3], events[0]], names
    )
    assert [note.code for note in odd.notes] == ["case-clock", "case-clock", "case-closed"]
