"""Templates, models and the sample plan: made from the vocabulary, the same every time, and read back."""

from __future__ import annotations

import importlib.util
import io
import json
from datetime import date
from pathlib import Path

import jsonschema
import openpyxl
import pydantic
import pytest

import landrules.facts
from landrules.facts.models import input_json_schema, record_model
from landrules.facts.read_headings import names_of, resolve
from landrules.facts.read_records import read_records
from landrules.facts.templates import heading_of, template_bytes, write_template
from landrules.facts.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()
SUBJECTS = sorted(VOCABULARY.subjects)
SAMPLES = Path(landrules.facts.__path__[0]) / "samples"
SCRIPTS = Path(__file__).resolve().parents[2] / "docs" / "scripts"


@pytest.mark.parametrize("key", SUBJECTS)
def test_every_heading_of_a_template_means_its_own_fact_in_its_unit(key):
    subject = VOCABULARY.subjects[key]
    names = names_of(VOCABULARY, subject)
    for fact in subject.facts.values():
        found, unit, _ = resolve(heading_of(fact), names)
        assert found is fact
        assert unit is None or unit == fact.unit


def test_a_filled_template_is_read_back(tmp_path):
    subject = VOCABULARY.subjects["parcel_supply"]
    path = tmp_path / "模板.xlsx"
    write_template(subject, path)
    book = openpyxl.load_workbook(path)
    sheet = book["供地宗地"]
    headings = {cell.value: cell.column for cell in sheet[1]}
    for heading, value in {
        "地块编号": "A",
        "宗地面积（公顷）": 1.5,
        "供应方式": "先租后让",
        "是否产业用地": "是",
    }.items():
        sheet.cell(2, headings[heading], value)
    book.save(path)
    reading = read_records(path, VOCABULARY)
    (record,) = reading.records
    assert (record.id, record.subject) == ("A", "parcel_supply")
    assert {key: entry.value for key, entry in record.entries.items()} == {
        "land_area": 15000,
        "supply_mode": "先租后让",
        "is_industry_land": True,
    }
    assert not [note for note in reading.all_notes() if note.severity != "info"]


@pytest.mark.parametrize("key", SUBJECTS)
def test_every_template_is_written_filled_and_read_back(key, tmp_path):
    subject = VOCABULARY.subjects[key]
    path = tmp_path / "模板.xlsx"
    write_template(subject, path)
    book = openpyxl.load_workbook(path)
    sheet = book[subject.label]
    headings = {cell.value: cell.column for cell in sheet[1]}
    examples = {"bool": "是", "number": 1.5, "integer": 2, "date": date(2023, 6, 1), "text": "甲"}
    for fact in subject.facts.values():
        value = examples.get(fact.type) or fact.values[0]
        sheet.cell(2, headings[heading_of(fact)], "2023-06" if fact.format == "YYYY-MM" else value)
    book.save(path)
    reading = read_records(path, VOCABULARY)
    (record,) = reading.records
    assert record.subject == key
    assert {name for name, entry in record.entries.items() if entry.state == "known"} == set(subject.facts)
    assert not [note for note in reading.all_notes() if note.severity != "info"]


def test_a_template_guides_the_hand_that_fills_it():
    book = openpyxl.load_workbook(io.BytesIO(template_bytes(VOCABULARY.subjects["parcel_supply"])))
    sheet, words, choices = book.worksheets
    assert (sheet.title, words.title) == ("供地宗地", "填表说明")
    assert choices.sheet_state == "hidden"
    assert [cell.value for cell in sheet[1]][:4] == ["序号", "项目名称", "地块编号", "位置"]
    assert sheet.freeze_panes == "E2"
    lists = [validation.formula1 for validation in sheet.data_validations.dataValidation]
    assert '"是,否"' in lists
    assert any("先租后让" in formula for formula in lists)
    explained = {row[0].value: [cell.value for cell in row] for row in words.iter_rows(min_row=2)}
    assert explained["宗地面积"][4] == "公顷"
    assert "先租后让" in explained["供应方式"][5]


def test_a_template_is_the_same_to_the_byte_every_time():
    subject = VOCABULARY.subjects["split_transfer"]
    assert template_bytes(subject) == template_bytes(subject)


def test_the_schema_describes_every_fact_in_chinese():
    schema = input_json_schema(VOCABULARY)
    jsonschema.Draft202012Validator.check_schema(schema)
    facts = schema["$defs"]["ParcelSupplyFacts"]["properties"]
    assert set(facts) == set(VOCABULARY.subjects["parcel_supply"].facts)
    assert facts["reserve_price"]["title"] == "出让底价"
    assert "单位：元/平方米" in facts["reserve_price"]["description"]
    assert "先租后让" in json.dumps(facts["supply_mode"], ensure_ascii=False)


@pytest.mark.parametrize(
    ("facts", "valid"),
    [
        (
            {
                "lease_term": 20,
                "supply_mode": "长期租赁",
                "is_industry_land": True,
                "monitor_items": ["环境保护"],
            },
            True,
        ),
        ({"lease_term": "5 年", "is_industry_land": "是", "action_date": "2023-06-01", "city": None}, True),
        ({"lease_term": -1}, False),
        ({"supply_mode": "出租"}, False),
        ({"monitor_items": ["别的"]}, False),
    ],
)
def test_the_schema_and_the_models_tell_right_from_wrong(facts, valid):
    record = {"subject": "parcel_supply", "id": "a", "facts": facts}
    validator = jsonschema.Draft202012Validator(input_json_schema(VOCABULARY))
    assert validator.is_valid(record) is validator.is_valid([record]) is valid
    model = record_model(VOCABULARY.subjects["parcel_supply"])
    if valid:
        assert model.model_validate(record)
    else:
        with pytest.raises(pydantic.ValidationError, match=r"请|可填"):
            model.model_validate(record)


def test_the_models_gather_every_error_under_key_label_and_alias():
    model = record_model(VOCABULARY.subjects["parcel_supply"])
    with pytest.raises(pydantic.ValidationError) as caught:
        model.model_validate(
            {"subject": "供地宗地", "facts": {"租赁期限": "很久", "供应方式": "出租", "land_area": "5 万元"}}
        )
    assert {error["loc"][-1] for error in caught.value.errors()} == {"lease_term", "supply_mode", "land_area"}


def _maker():
    spec = importlib.util.spec_from_file_location("make_samples", SCRIPTS / "make_samples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _cells(source):
    sheet = openpyxl.load_workbook(source).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()], sorted(
        map(str, sheet.merged_cells.ranges)
    )


def test_the_sample_plan_is_what_its_script_makes():
    module = _maker()
    made = module.workbook_bytes(module.plan_workbook())
    assert made == module.workbook_bytes(module.plan_workbook())
    assert _cells(io.BytesIO(made)) == _cells(SAMPLES / "wuhai-supply-plan.xlsx")


def test_the_sample_plan_reads_as_thirty_odd_parcels_with_one_bad_cell():
    reading = read_records(SAMPLES / "wuhai-supply-plan.xlsx", VOCABULARY)
    assert 30 <= len(reading.records) <= 36
    assert {record.entries["district"].value for record in reading.records} == {
        "海勃湾区",
        "乌达区",
        "海南区",
    }
    assert not [note for note in reading.notes if note.severity != "info"]
    bad = [
        (record.id, note.code)
        for record in reading.records
        for note in record.notes
        if note.severity != "info"
    ]
    assert bad == [("HN2023-31", "bad-value")]
    prices = [
        record.entries["reserve_price"].text
        for record in reading.records
        if "reserve_price" in record.entries
    ]
    assert {price.lstrip("0123456789.") for price in prices} == {"元/㎡", "万元/亩", "万元/公顷"}


def test_the_sample_plan_holds_plots_on_both_sides_of_a_hundred_mu():
    reading = read_records(SAMPLES / "wuhai-supply-plan.xlsx", VOCABULARY)
    areas = [record.entries["land_area"].value * 15 / 10000 for record in reading.records]
    near = [area for area in areas if abs(area - 100) < 1]
    assert min(near) < 100 < max(near)
