"""Figures as documents write them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from landrules.engine.rulebook.model import DatedValue
from landrules.engine.source_figures import figure_in
from landrules.facts.values import parse_date


def value(text: str) -> DatedValue:
    return DatedValue(parse_date(text) if text.count("-") == 2 else Fraction(1), None, text=text)


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ("20年", "不超过20年"),
        ("20年", "不超过 20 年"),
        ("20年", "不超过二十年"),
        ("20年", "不超过贰拾年"),
        ("20年", "不超过２０周年"),
        ("70%", "按70%执行"),
        ("70%", "按百分之七十执行"),
        ("70%", "按七成执行"),
        ("15%", "不超过１５％"),
        ("100亩", "超过100亩的"),
        ("1000亩", "超过1,000亩的"),
        ("105年", "一百零五年"),
        ("3", "排名前三分之一的"),
        ("2", "对前两名给予奖励"),
        ("2", "两个以上方案"),
        ("1", "第一季度"),
        ("1个月", "实行月通报"),
        ("5个工作日", "5个工作日内"),
        ("2024-06-30", "2024年6月前"),
        ("2024-06-30", "2023年5月-2024年6月"),
        ("2024-06-30", "6月底前"),
        ("2024-03-31", "一、二季度开工率"),
        ("2023-12-31", "2023年底前"),
        ("2023-05-01", "2023年5月起"),
        ("2022-06-16", "2022年 6月 16日"),
        ("2023年", "自2023年起"),
    ],
)
def test_a_figure_is_found(figure: str, text: str) -> None:
    assert figure_in(value(figure), [text])


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ("20年", "不超过25年"),
        ("20年", "不超过120年"),
        ("20年", "不超过2.20年"),
        ("20年", "不超过二十五年"),
        ("20年", "不超过20亩"),
        ("70%", "按7%或者170%"),
        ("70%", "百分之七十五"),
        ("100亩", "超过1000亩的"),
        ("1", "统一规划，一并落实"),
        ("3", "十三个"),
        ("2024-06-30", "2024年7月"),
        ("2024-06-30", "2025年6月30日内的2024年"),
        ("2022-06-16", "2022年6月"),
    ],
)
def test_another_figure_is_not_it(figure: str, text: str) -> None:
    assert not figure_in(value(figure), [text])


def test_truths_are_not_looked_for() -> None:
    assert figure_in(DatedValue(True, None, text="是"), [])
    assert not figure_in(DatedValue(date(2024, 6, 30), None, text="2024-06-30"), [])
