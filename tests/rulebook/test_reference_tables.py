from __future__ import annotations

from datetime import date

import pytest

from landrules.facts.notes import InputError
from landrules.facts.reference_tables import load_reference_tables, use_code_schemes, use_name


def test_statutory_terms_hold_from_the_day_of_the_regulation() -> None:
    table = load_reference_tables()["法定最高出让年限"]
    years = {key: rows[0].value / 12 for key, rows in table.rows.items()}
    assert years == {"居住": 70, "工业": 50, "教科文卫体": 50, "商业旅游娱乐": 40, "综合或其他": 50}
    assert table.value("工业", date(1990, 5, 18)) is None
    assert table.value("工业", date(1990, 5, 19)) == 600


def test_minimum_prices_fall_from_grade_to_grade_and_say_how_sure_they_are() -> None:
    table = load_reference_tables()["工业用地出让最低价标准"]
    prices = [rows[0].value for rows in table.rows.values()]
    assert len(prices) == 15
    assert prices == sorted(prices, reverse=True)
    assert table.value("十等", date(2007, 1, 1)) == 168
    assert {key: rows[0].confidence for key, rows in table.rows.items() if rows[0].confidence != "A-"} == {
        "一等": "B-",
        "二等": "B-",
        "五等": "B-",
        "六等": "A",
    }


def test_one_code_names_different_uses_in_different_schemes() -> None:
    assert use_name("gbt-21010-2017", "0601") == "工业用地"
    assert use_name("land-sea-2023", "0601") == "农村道路"
    assert use_name("landchina-2007", "0601") is None
    assert set(use_code_schemes()) == {"landchina-2007", "gbt-21010-2017", "third-survey", "land-sea-2023"}


def test_a_code_without_its_scheme_is_never_read() -> None:
    with pytest.raises(InputError, match="代码须连同分类填写"):
        use_name("", "05")
