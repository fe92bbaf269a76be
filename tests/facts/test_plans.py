"""Supply plans as cities make them: their headings, their words for values, and the names of forms."""

from __future__ import annotations

import json

import pytest

from landrules.facts.models import record_model
from landrules.facts.notes import InputError
from landrules.facts.quantities import squash
from landrules.facts.read_headings import names_of, resolve
from landrules.facts.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
PARCEL = VOCABULARY.subjects["parcel_supply"]


def codes(notes):
    return [note.code for note in notes]


def values(record):
    return {key: entry.value for key, entry in record.entries.items()}


@pytest.mark.parametrize("key", sorted(VOCABULARY.subjects))
def test_no_name_of_a_form_means_two_things(key):
    meant: dict[str, set[str]] = {}
    for fact in VOCABULARY.subjects[key].facts.values():
        for name in (fact.key, fact.label, *fact.aliases):
            meant.setdefault(squash(name), set()).add(fact.key)
    for column, aliases in VOCABULARY.identifying.items():
        for name in (column, *aliases):
            meant.setdefault(squash(name), set()).add(column)
    assert {name: facts for name, facts in meant.items() if len(facts) > 1} == {}


def test_no_heading_is_both_a_fact_and_known_to_be_none():
    names = names_of(VOCABULARY, PARCEL)
    assert [heading for heading in VOCABULARY.not_facts if resolve(heading, names)[0] is not None] == []


def test_every_way_to_write_a_value_ends_in_allowed_values():
    for fact in PARCEL.facts.values():
        for text, meant in fact.spellings.items():
            for key, value in meant.items():
                assert value in PARCEL.facts[key].values, (text, key, value)


@pytest.mark.parametrize(
    ("heading", "key", "shown_value"),
    [
        ("面积（亩）", "land_area", "6 公顷"),
        ("用地面积（亩）", "land_area", "6 公顷"),
        ("地块面积（亩）", "land_area", "6 公顷"),
        ("宗地面积（亩）", "land_area", "6 公顷"),
        ("出让面积/亩", "land_area", "6 公顷"),
        ("用地规模(亩)", "land_area", "6 公顷"),
        ("拟供应面积（亩）", "land_area", "6 公顷"),
        ("出让年限", "grant_term", "90 年"),
        ("使用年限（年）", "grant_term", "90 年"),
        ("年限", "grant_term", "90 年"),
        ("租赁年限", "lease_term", "90 年"),
        ("租赁期限(年)", "lease_term", "90 年"),
        ("成交价（万元）", "deal_price", "90 万元"),
        ("成交总价", "deal_price", "90 万元"),
        ("底价（元/㎡）", "reserve_price", "90 元/平方米"),
    ],
)
def test_headings_of_plans_mean_their_facts(read, shown, heading, key, shown_value):
    record = read(f"地块编号,供地安排,{heading}\nA,一次性供地,90\n").records[0]
    assert shown(record, key) == shown_value


@pytest.mark.parametrize(
    ("heading", "reason"),
    [
        ("起始价（元/㎡）", "不是出让底价"),
        ("起始价", "不是出让底价"),
        ("容积率上限", "不是一个数"),
        ("总用地面积（公顷）", "代征道路"),
        ("供应时间", "行为日期"),
        ("成交单价（元/㎡）", "总额"),
    ],
)
def test_headings_that_differ_in_meaning_are_carried_along_with_the_reason(read, heading, reason):
    reading = read(f"地块编号,供地安排,{heading}\nA,一次性供地,90\n")
    assert set(values(reading.records[0])) == {"supply_phasing"}
    assert reading.records[0].carried[heading] == "90"
    (note,) = reading.notes
    assert (note.severity, note.code, note.place.column) == ("info", "column-not-judged", heading)
    assert reason in note.message


@pytest.mark.parametrize(
    ("written", "mode", "method"),
    [
        ("挂牌出让", "出让", "挂牌"),
        ("招标出让", "出让", "招标"),
        ("拍卖 出让", "出让", "拍卖"),
        ("协议出让", "出让", "协议"),
        ("行政划拨", "划拨", "划拨"),
        ("弹性年期", "弹性年期出让", None),
        ("弹性年期挂牌出让", "弹性年期出让", "挂牌"),
        ("公开出让", "出让", None),
        ("先租后让", "先租后让", None),
        ("划拨", "划拨", None),
        ("挂牌", None, "挂牌"),
    ],
)
@pytest.mark.parametrize("heading", ["供地方式", "供应方式", "拟供应方式"])
def test_ways_of_supply_are_split_in_every_table_and_in_json(read, heading, written, mode, method):
    wanted = {key: value for key, value in (("supply_mode", mode), ("acquisition_method", method)) if value}
    table = read(f"地块编号,供地安排,{heading}\nA,,{written}\n").records[0]
    line = json.dumps({"subject": "parcel_supply", "facts": {heading: written}}, ensure_ascii=False)
    for record in (table, read(line, "a.jsonl").records[0]):
        assert values(record) == wanted
        assert not [note for note in record.notes if note.severity == "error"]
        assert record.carried.get(heading, "") == ("" if mode else written)


def test_what_was_read_of_other_words_is_told_once_a_file(read):
    reading = read("地块编号,供地方式,面积\nA,挂牌出让,1\nB,挂牌出让,1\nC,行政划拨,1\nD,挂牌,1\n")
    assert codes(reading.notes) == ["values-read-as", "values-incomplete"]
    whole, partly = reading.notes
    assert "挂牌出让（2）→ 供应方式＝出让、取得方式＝挂牌" in whole.message
    assert "“供应方式”按未填处理" in partly.message
    assert all(record.notes == () for record in reading.records)


@pytest.mark.parametrize(
    ("written", "use", "kind"),
    [
        ("工业用地", "工业", "工业"),
        ("二类工业用地", "工业", "工业"),
        ("商服用地", "商服", "商业旅游娱乐"),
        ("城镇住宅用地", None, "居住"),
        ("科研用地", "科研", "教科文卫体"),
        ("工业", "工业", None),
    ],
)
def test_uses_of_land_are_understood_as_far_as_they_say(read, written, use, kind):
    reading = read(f"地块编号,规划用途,面积\nA,{written},1\n")
    wanted = {"land_area": 10000, "land_use": use, "land_use_class": kind}
    assert values(reading.records[0]) == {key: value for key, value in wanted.items() if value}
    assert ("values-incomplete" in codes(reading.notes)) is (use is None)


def test_a_use_that_is_unknown_or_several_says_what_to_do(read):
    unknown, several = read("地块编号,土地用途,面积\nA,科教文卫,1\nB,商服用地、城镇住宅用地,1\n").records
    assert [record.entries["land_use"].state for record in (unknown, several)] == ["invalid", "invalid"]
    assert "可填：工业、采矿" in unknown.notes[0].message
    assert "拆成多行" in several.notes[0].message


def test_a_column_that_contradicts_what_a_value_says_is_an_error(read):
    text = "地块编号,供地方式,取得方式\nA,挂牌出让,协议\nB,挂牌出让,挂牌\nC,挂牌出让,未知\n"
    conflict, same, unknown = read(text).records
    assert conflict.entries["acquisition_method"].state == "invalid"
    assert codes(conflict.notes) == ["columns-conflict"]
    assert same.entries["acquisition_method"].value == unknown.entries["acquisition_method"].value == "挂牌"
    assert same.notes == unknown.notes == ()


def test_a_class_of_use_that_a_person_chose_stays(read):
    text = "地块编号,土地用途,法定年限用途类别\nA,科研用地,综合或其他\n"
    assert read(text).records[0].entries["land_use_class"].value == "综合或其他"


@pytest.mark.parametrize("heading", ["年限", "使用年限", "土地使用年限（年）"])
def test_a_term_of_no_said_right_is_no_grant_term_of_a_lease(read, heading):
    text = f"地块编号,供应方式,{heading}\nA,长期租赁,20\nB,先租后让,40\nC,挂牌出让,50\n"
    lease, both, grant = read(text).records
    for record in (lease, both):
        assert "grant_term" not in record.entries
        assert record.carried[heading] in ("20", "40")
        assert codes(record.notes) == ["term-unclear"]
    assert grant.entries["grant_term"].value == 600
    assert grant.notes == ()


def test_a_grant_term_said_to_be_one_is_kept_for_lease_then_grant(read):
    record = read("地块编号,供应方式,出让年限,租赁年限\nA,先租后让,40,10\n").records[0]
    assert (record.entries["grant_term"].value, record.entries["lease_term"].value) == (480, 120)


def test_a_unit_in_a_heading_is_told_once_and_one_in_a_cell_where_it_stands(read):
    reading = read("地块编号,面积（亩）,供应方式\nA,90,出让\nB,80,出让\nC,2公顷,出让\n")
    assert codes(reading.notes) == ["unit-read-as"]
    assert [codes(record.notes) for record in reading.records] == [[], [], []]
    in_cells = read("地块编号,底价,供应方式\nA,5万元/亩,出让\n").records[0]
    assert codes(in_cells.notes) == ["value-read-as"]


def test_the_models_accept_what_the_readers_understand():
    model = record_model(PARCEL)
    record = {"subject": "宗地供应", "facts": {"供地方式": "挂牌出让", "土地用途": "城镇住宅用地"}}
    assert model.model_validate(record)


@pytest.mark.parametrize("name", ["宗地供应", "供地宗地", "parcel_supply", "供应宗地"])
def test_a_form_has_near_names(read, name):
    line = json.dumps({"subject": name, "facts": {"租期": 20}}, ensure_ascii=False)
    assert read(line, "a.jsonl").records[0].subject == "parcel_supply"
    assert read("地块编号,租期\nA,20\n", subject=name).records[0].subject == "parcel_supply"


def test_names_of_forms_are_unambiguous():
    taken = [name for form in VOCABULARY.subjects.values() for name in {form.key, form.label, *form.aliases}]
    assert len(taken) == len(set(taken))


def test_an_alias_of_a_form_that_another_has_is_an_error(tmp_path):
    path = tmp_path / "facts.yaml"
    path.write_text("key: local_form\nlabel: 本地表\naliases: [宗地供应]\nfacts: []\n", encoding="utf-8")
    with pytest.raises(InputError, match="宗地供应"):
        load_vocabulary([path])
