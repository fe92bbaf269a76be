"""Numbers, units, dates, truth and choices from text: exact, and refused where they are not certain."""

from __future__ import annotations

import ast
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import landrules.facts
from landrules.facts.quantities import (
    UNITS,
    find_unit,
    format_fraction,
    format_quantity,
    parse_number,
    round_half_even,
    round_half_up,
    unit_names,
)
from landrules.facts.read_records import read_records
from landrules.facts.values import as_text, parse_date, read_value, suggest
from landrules.facts.vocabulary import load_vocabulary

FACTS = load_vocabulary().subjects["parcel_supply"].facts


@pytest.mark.parametrize(
    ("text", "value", "step", "unit"),
    [
        ("1,234.50", "1234.5", "0.01", None),
        ("６６，６６６．６７ 平方米", "66666.67", "0.01", "平方米"),
        ("5 万元/亩", "5", "1", "万元每亩"),
        ("70年", "70", "1", "年"),
        ("15％", "15", "1", "%"),
        ("-3.0", "-3", "0.1", None),
        ("1.5e3", "1500", "100", None),
        ("100㎡", "100", "1", "平方米"),
        ("2 ㏊", None, None, None),
    ],
)
def test_a_number_is_read_with_its_unit_and_the_step_of_its_last_digit(text, value, step, unit):
    number = parse_number(text)
    if value is None:
        assert number is None or number.unit is not None
        return
    assert number is not None
    assert (number.value, number.step) == (Fraction(value), Fraction(step))
    assert (number.unit.name if number.unit else None) == unit


@pytest.mark.parametrize(
    "text",
    [
        "",
        "70年、40年",
        "约70",
        "≥20",
        "1,23",
        "1.2.3",
        "20 年整",
        "--",
        "1" * 200,
        "٣٫٥",
        "1e9999",
        "0x10",
        "½",
    ],
)
def test_what_is_not_certainly_one_number_is_none(text):
    assert parse_number(text) is None


def test_the_units_convert_exactly():
    hectare, mu, metre = (find_unit(name) for name in ("公顷", "亩", "平方米"))
    assert hectare.factor == 15 * mu.factor == 10000 * metre.factor
    assert mu.factor == Fraction(2000, 3)
    assert find_unit("万元/亩").factor == 15 * find_unit("元/㎡").factor
    assert find_unit("万元/公顷").factor == find_unit("元/平方米").factor


def test_every_spelling_of_a_unit_finds_that_unit():
    for unit in UNITS:
        for spelling in (unit.name, *unit.spellings):
            assert find_unit(spelling) == unit
    assert all(find_unit(name) for name in unit_names())


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6))
def test_a_plain_decimal_survives_reading_and_writing(number):
    read = parse_number(f"{number:f}")
    assert read is not None
    assert read.value == Fraction(number)
    assert Fraction(format_fraction(read.value)) == read.value


@settings(deadline=None)
@given(st.fractions(min_value=-(10**9), max_value=10**9), st.integers(0, 8))
def test_rounding_moves_a_number_by_half_a_step_at_most(value, digits):
    half = Fraction(1, 2 * 10**digits)
    for rounded in (round_half_up(value, digits), round_half_even(value, digits)):
        assert abs(rounded - value) <= half
        assert (rounded * 10**digits).denominator == 1


def test_halves_round_up_or_to_even_as_each_rule_says():
    assert [round_half_up(Fraction(text), 0) for text in ("0.5", "1.5", "2.5", "-2.5")] == [1, 2, 3, -3]
    assert [round_half_even(Fraction(text), 0) for text in ("0.5", "1.5", "2.5", "-2.5")] == [0, 2, 2, -2]


def test_quantities_are_written_in_their_unit():
    assert format_quantity(Fraction(240), find_unit("年")) == "20 年"
    assert format_quantity(Fraction(3, 20), find_unit("%")) == "15%"
    assert format_quantity(Fraction(1, 3) * 10000, find_unit("公顷")) == "0.333333 公顷"


@pytest.mark.parametrize("text", ["是", "true", "TRUE", "√", "Y", " 是 "])
def test_truth_is_read_in_its_usual_forms(text):
    assert read_value(FACTS["is_industry_land"], text).entry.value is True


@pytest.mark.parametrize("text", ["否", "false", "×", "N"])
def test_falsehood_is_read_in_its_usual_forms(text):
    assert read_value(FACTS["is_industry_land"], text).entry.value is False


@pytest.mark.parametrize("raw", ["1", "有", 1, 0, "是的吧"])
def test_what_is_not_yes_or_no_is_refused(raw):
    reading = read_value(FACTS["is_industry_land"], raw)
    assert reading.entry.state == "invalid"
    assert "是”或“否" in reading.problem


def test_absent_unknown_and_none_are_three_things():
    fact = FACTS["lease_term"]
    assert read_value(fact, None).entry is None
    assert read_value(fact, "  ").entry is None
    assert read_value(fact, "待核实").entry.state == "unknown"
    assert read_value(fact, "不涉及").entry.state == "none"


def test_a_value_that_is_itself_called_none_is_that_value():
    assert read_value(FACTS["acquisition_method"], "无").entry.value == "无"


def test_an_empty_set_is_written_none_and_a_blank_is_missing():
    assert read_value(FACTS["monitor_items"], "无").entry.value == frozenset()
    assert read_value(FACTS["monitor_items"], "").entry is None


def test_a_count_must_be_whole():
    assert read_value(FACTS["bidder_count"], "2.0").entry.value == 2
    assert read_value(FACTS["bidder_count"], "2.5").entry.state == "invalid"


@pytest.mark.parametrize(
    ("key", "text"), [("far", "0.00"), ("deal_price", "0.0000"), ("contract_sign_date", "1900-01-01")]
)
def test_placeholders_are_missing_and_say_so(key, text):
    reading = read_value(FACTS[key], text)
    assert reading.entry is None
    assert "占位值" in reading.hint


def test_a_price_that_is_zero_for_sure_is_kept():
    assert read_value(FACTS["deal_price"], "0").entry.value == 0


def test_a_conversion_tells_both_units():
    assert read_value(FACTS["reserve_price"], "5 万元/亩").hint == "“出让底价”5 万元/亩 换算为 75 元/平方米"
    assert read_value(FACTS["reserve_price"], "5", find_unit("万元/亩")).hint.startswith(
        "“出让底价”5 万元/亩"
    )


def test_half_a_step_is_in_base_units_of_the_unit_written():
    assert read_value(FACTS["land_area"], "6.6667").entry.half_step == Fraction(1, 2)
    assert read_value(FACTS["land_area"], "100.00 亩").entry.half_step == Fraction(2000, 3) / 200


@pytest.mark.parametrize(
    "raw",
    [Decimal("1e999999999"), 10**5000, float("inf"), Decimal("NaN"), Decimal("sNaN"), float("nan")],
    ids=["exponent", "digits", "infinite", "nan", "snan", "float"],
)
def test_monstrous_python_numbers_become_short_text(raw):
    assert len(as_text(raw)) < 50
    reading = read_value(FACTS["land_cost"], raw)
    assert reading.entry is None or reading.entry.state == "invalid"


@settings(deadline=None)
@given(st.dates(date(1949, 1, 1), date(2100, 12, 31)))
def test_a_day_is_read_from_its_iso_text(day):
    assert parse_date(day.isoformat()) == day
    assert parse_date(f"{day.year}年{day.month}月{day.day}日") == day


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_makes_any_reader_fail(text):
    parse_date(text)
    parse_number(text)
    suggest(text, ["宗地面积", "出让年期"])
    for key in (
        "land_area",
        "bidder_count",
        "is_industry_land",
        "supply_mode",
        "monitor_items",
        "lease_start_date",
        "district",
    ):
        reading = read_value(FACTS[key], text)
        assert reading.entry is None or reading.entry.state in ("known", "unknown", "none", "invalid")
        assert (reading.problem != "") == (reading.entry is not None and reading.entry.state == "invalid")


@settings(deadline=None)
@given(st.floats(0, 10**9, allow_nan=False).map(lambda value: round(value, 6)))
def test_a_float_means_the_decimal_that_it_prints(value):
    entry = read_value(FACTS["land_cost"], value).entry
    assert entry.value == Fraction(Decimal(repr(value)))


def test_no_reader_ever_makes_a_binary_float():
    folder = Path(landrules.facts.__path__[0])
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "float", path.name


def test_every_number_of_a_workbook_becomes_a_rational():
    vocabulary = load_vocabulary()
    reading = read_records(
        Path(landrules.facts.__path__[0]) / "samples" / "wuhai-supply-plan.xlsx", vocabulary
    )
    for record in reading.records:
        for key, entry in record.entries.items():
            if FACTS[key].numeric and entry.state == "known":
                assert isinstance(entry.value, Fraction)
                assert entry.half_step is None or isinstance(entry.half_step, Fraction)
