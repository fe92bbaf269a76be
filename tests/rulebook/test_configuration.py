from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from landrules.engine.rulebook import RulebookError
from landrules.engine.rulebook.configuration import Configuration, configured_entry, load_configuration
from landrules.facts.vocabulary import Vocabulary, load_vocabulary

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
values:
  - fact: 工业用地最低价标准
    value: 11.2万元/亩
    place: 谯城区
    from: 2007-01-01
    to: 2023-12-31
    document: 国土资发〔2006〕307号
    confirmed_by: 某局
    date: 2023-05-08
  - fact: 工业用地最低价标准
    value: 180 元/平方米
    place: 谯城区
    from: 2024-01-01
    document: 某政发〔2024〕1号
    confirmed_by: 某局
    date: 2024-01-05
  - fact: split_ratio_limit
    value: 50%
    place: 亳州市
    from: 2023-01-01
    document: 某文〔2023〕2号
    confirmed_by: 某局
    date: 2023-05-08
"""


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


@pytest.fixture(scope="module")
def ratio(vocabulary: Vocabulary) -> str:
    fact = vocabulary.subjects["split_transfer"].fact("最大分割比例标准")
    assert fact is not None
    return fact.key


def load(tmp_path: Path, text: str, vocabulary: Vocabulary) -> Configuration:
    path = tmp_path / "配置.yaml"
    path.write_text(text, encoding="utf-8")
    return load_configuration(path, vocabulary)


def problem(tmp_path: Path, text: str, vocabulary: Vocabulary) -> str:
    with pytest.raises(RulebookError) as caught:
        load(tmp_path, text, vocabulary)
    return "\n".join(note.describe() for note in caught.value.notes)


def test_a_district_value_comes_before_the_city_and_follows_the_day(
    tmp_path: Path, vocabulary: Vocabulary, ratio: str
) -> None:
    found = load(tmp_path, TEXT.replace("split_ratio_limit", ratio), vocabulary)
    price = "industrial_min_price"
    before = configured_entry(found, price, "谯城区", "亳州市", date(2023, 12, 31))
    after = configured_entry(found, price, "谯城区", "亳州市", date(2024, 1, 1))
    assert before is not None
    assert (before.value, before.origin, before.basis) == (
        Fraction(168),
        "configured",
        "国土资发〔2006〕307号",
    )
    assert before.half_step is None
    assert after is not None
    assert after.value == 180
    city = configured_entry(found, ratio, "利辛县", "亳州市", date(2023, 6, 1))
    assert city is not None
    assert city.value == Fraction(1, 2)


def test_what_is_not_configured_is_missing(tmp_path: Path, vocabulary: Vocabulary, ratio: str) -> None:
    found = load(tmp_path, TEXT.replace("split_ratio_limit", ratio), vocabulary)
    price = "industrial_min_price"
    assert configured_entry(found, price, "利辛县", "亳州市", date(2023, 6, 1)) is None
    assert configured_entry(found, price, "谯城区", "亳州市", date(2006, 12, 31)) is None
    assert configured_entry(found, price, "谯城区", "亳州市", None) is None
    assert configured_entry(found, price, "", "", date(2023, 6, 1)) is None


def test_all_mistakes_of_a_configuration_are_told_at_once(tmp_path: Path, vocabulary: Vocabulary) -> None:
    text = TEXT.replace("    document: 某文〔2023〕2号\n", "").replace("from: 2007-01-01", "from: 2007-13-01")
    shown = problem(tmp_path, text, vocabulary)
    assert "缺少“document”" in shown
    assert "配置.yaml第 5 行" in shown


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("fact: 工业用地最低价标准", "fact: 工业用地最低价", "是否指“工业用地最低价标准”"),
        ("11.2万元/亩", "11.2亩", "单位"),
        ("11.2万元/亩", "未知", "不是一个确定的值"),
        ("to: 2023-12-31", "to: 2024-01-01", "时段重叠"),
        ("to: 2023-12-31", "to: 2006-12-31", "起止日颠倒"),
        ("fact: 工业用地最低价标准", "fact: 行为日期", "不能由配置给出"),
    ],
)
def test_a_mistake_in_a_configuration_is_explained(
    tmp_path: Path, vocabulary: Vocabulary, ratio: str, old: str, new: str, expected: str
) -> None:
    text = TEXT.replace("split_ratio_limit", ratio)
    assert old in text
    assert expected in problem(tmp_path, text.replace(old, new), vocabulary)
