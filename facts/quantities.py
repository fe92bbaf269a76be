"""Exact numbers with units: the only arithmetic between input text and report.

A quantity is a `fractions.Fraction` in the *base unit* of its `Dimension`
(元, 平方米, 月, 日, 工作日, 分钟, 公斤, or a pure number); no binary float occurs.
Conversions follow provisions/CONVENTIONS §6: 1 公顷 = 15 亩 = 10,000 平方米, 1 万元/亩 = 15 元/平方米.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache

__all__ = [
    "Dimension",
    "Number",
    "Unit",
    "compatible",
    "find_unit",
    "format_fraction",
    "format_quantity",
    "normalise_text",
    "parse_number",
    "round_half_even",
    "round_half_up",
    "squash",
    "unit_names",
]


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a quantity measures, as exponents of the base units; `ratio` marks a share written in %."""

    money: int = 0
    area: int = 0
    month: int = 0
    day: int = 0
    workday: int = 0
    minute: int = 0
    mass: int = 0
    ratio: bool = False

    @property
    def dimensionless(self) -> bool:
        """True for counts and shares."""
        return not any(self.exponents())

    def exponents(self) -> tuple[int, ...]:
        """The exponents of the base units, in the order of the fields, without the ratio mark."""
        return (self.money, self.area, self.month, self.day, self.workday, self.minute, self.mass)

    def times(self, other: Dimension) -> Dimension:
        """Dimension of a product: a share of anything has the dimension of that thing."""
        money, area, month, day, workday, minute, mass = (
            mine + theirs for mine, theirs in zip(self.exponents(), other.exponents(), strict=True)
        )
        return Dimension(money, area, month, day, workday, minute, mass, self.ratio and other.ratio)

    def over(self, other: Dimension) -> Dimension:
        """Dimension of a quotient."""
        money, area, month, day, workday, minute, mass = (
            mine - theirs for mine, theirs in zip(self.exponents(), other.exponents(), strict=True)
        )
        share = self.ratio and not other.ratio and other.dimensionless
        return Dimension(money, area, month, day, workday, minute, mass, share)

    def describe(self) -> str:
        """Chinese name of the dimension, for messages."""
        names = {
            Dimension(): "个数",
            Dimension(ratio=True): "百分比",
            Dimension(money=1): "金额",
            Dimension(area=1): "面积",
            Dimension(money=1, area=-1): "单价",
            Dimension(month=1): "年月",
            Dimension(day=1): "天数",
            Dimension(workday=1): "工作日数",
            Dimension(minute=1): "时长",
            Dimension(mass=1): "重量",
        }
        if self in names:
            return names[self]
        bases = ("元", "平方米", "月", "日", "工作日", "分钟", "公斤")
        return "·".join(
            f"{base}^{power}" for base, power in zip(bases, self.exponents(), strict=True) if power
        )


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measure: `factor` base units each."""

    name: str
    dimension: Dimension
    factor: Fraction
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written: `value` and the `step` of its last digit, both in the unit it was written in.

    `unit` is the unit written beside it, or None.
    """

    value: Fraction
    step: Fraction
    unit: Unit | None = None


_MONEY = Dimension(money=1)
_AREA = Dimension(area=1)
_PRICE = Dimension(money=1, area=-1)
_MU = Fraction(2000, 3)

UNITS: tuple[Unit, ...] = (
    Unit(
        "无",
        Dimension(),
        Fraction(1),
        ("个", "宗", "次", "层", "人", "家", "件", "名", "项", "处", "套", "份"),
    ),
    Unit("%", Dimension(ratio=True), Fraction(1, 100), ("％", "百分比")),
    Unit("平方米", _AREA, Fraction(1), ("㎡", "m²", "m2", "平米", "平方公尺", "m^2")),
    Unit("公顷", _AREA, Fraction(10000), ("ha", "hm²", "hm2")),
    Unit("亩", _AREA, _MU, ("市亩",)),
    Unit("万平方米", _AREA, Fraction(10000), ("万㎡", "万m²", "万m2", "万平米", "万平")),
    Unit("平方公里", _AREA, Fraction(1000000), ("km²", "km2", "平方千米")),
    Unit("元", _MONEY, Fraction(1), ("人民币元",)),
    Unit("万元", _MONEY, Fraction(10000), ("万", "人民币万元")),
    Unit("亿元", _MONEY, Fraction(100000000), ("亿",)),
    Unit(
        "元每平方米",
        _PRICE,
        Fraction(1),
        ("元/平方米", "元/㎡", "元/m²", "元/m2", "元/平米", "元每平米"),
    ),
    Unit("元每亩", _PRICE, 1 / _MU, ("元/亩",)),
    Unit("万元每亩", _PRICE, Fraction(10000) / _MU, ("万元/亩", "万/亩")),
    Unit("元每公顷", _PRICE, Fraction(1, 10000), ("元/公顷",)),
    Unit("万元每公顷", _PRICE, Fraction(1), ("万元/公顷", "万元/ha")),
    Unit("万元每平方米", _PRICE, Fraction(10000), ("万元/平方米", "万元/㎡")),
    Unit("年", Dimension(month=1), Fraction(12), ("周年", "a")),
    Unit("月", Dimension(month=1), Fraction(1), ("个月",)),
    Unit("日", Dimension(day=1), Fraction(1), ("天",)),
    Unit("周", Dimension(day=1), Fraction(7), ("星期",)),
    Unit("工作日", Dimension(workday=1), Fraction(1), ("个工作日",)),
    Unit("小时", Dimension(minute=1), Fraction(60), ("个小时", "h")),
    Unit("分钟", Dimension(minute=1), Fraction(1), ("分", "min")),
    Unit("公斤", Dimension(mass=1), Fraction(1), ("千克", "kg")),
    Unit("吨", Dimension(mass=1), Fraction(1000), ("t",)),
)


_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def normalise_text(text: str) -> str:
    """Full-width digits, letters, brackets and signs to half-width, outer and invisible space away; 中文 stays."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace(" ", " ").replace("−", "-").strip()


def squash(text: str) -> str:
    """Text for comparing names: half-width, lower case, without any white space."""
    return re.sub(r"\s+", "", normalise_text(text)).lower()


@cache
def _unit_table() -> dict[str, Unit]:
    table: dict[str, Unit] = {}
    for unit in UNITS:
        for spelling in (unit.name, *unit.spellings):
            table[spelling] = unit
            table[normalise_text(spelling).lower()] = unit
    return table


def unit_names() -> tuple[str, ...]:
    """Every spelling of every unit, longest first (for longest-match reading)."""
    return tuple(sorted(_unit_table(), key=lambda name: (-len(name), name)))


def find_unit(name: str) -> Unit | None:
    """The unit of that name or spelling, None when there is none."""
    table = _unit_table()
    return table.get(name) or table.get(normalise_text(name).lower().replace(" ", ""))


def compatible(left: Dimension, right: Dimension) -> bool:
    """True when quantities of the two dimensions may be compared, added or converted."""
    return left == right


_LONGEST_NUMBER = 100
_NUMBER = re.compile(r"([+-]?)(\d{1,3}(?:[, ]\d{3})+|\d+)(\.\d+)?(?:[eE]([+-]?\d{1,3}))?")


def parse_number(text: str) -> Number | None:
    """Read `1,234.50`, `６６，６６６．６７ 平方米`, `5 万元/亩`, `70年`, `15%`; None when it is not one number.

    The number must be the whole text but for one unit behind it. Nothing is guessed: a text with two
    numbers (`70年、40年`) is not a number.
    """
    cleaned = normalise_text(text)
    if len(cleaned) > _LONGEST_NUMBER:
        return None
    match = _NUMBER.match(cleaned)
    if match is None:
        return None
    rest = cleaned[match.end() :].strip()
    unit: Unit | None = None
    if rest:
        unit = find_unit(rest)
        if unit is None:
            return None
    sign, whole, decimals, exponent = match.groups()
    digits = (decimals or ".")[1:]
    step = Fraction(1, 10 ** len(digits))
    value = Fraction(int(re.sub("[, ]", "", whole) + digits)) * step
    if exponent:
        value *= Fraction(10) ** int(exponent)
        step *= Fraction(10) ** int(exponent)
    return Number(-value if sign == "-" else value, step, unit)


def round_half_up(value: Fraction, digits: int) -> Fraction:
    """四舍五入 to `digits` decimals, halves away from zero (CONVENTIONS §2, `round4`)."""
    scale = 10**digits
    scaled = abs(value) * scale
    whole = (scaled.numerator * 2 + scaled.denominator) // (scaled.denominator * 2)
    return Fraction(whole if value >= 0 else -whole, scale)


def round_half_even(value: Fraction, digits: int) -> Fraction:
    """修约 to `digits` decimals after GB/T 8170 (四舍六入五成双)."""
    scale = 10**digits
    return Fraction(round(value * scale), scale)


def format_fraction(value: Fraction, digits: int = 6) -> str:
    """Plain decimal text: exact where the expansion ends within `digits` decimals, else rounded half up.

    No exponent, no trailing zeros, no thousands separators: `'66666.666667'`.
    """
    rounded = round_half_up(value, digits)
    scaled = abs(rounded.numerator) * 10**digits // rounded.denominator
    whole, part = divmod(scaled, 10**digits)
    text = str(whole)
    if part:
        text += "." + str(part).rjust(digits, "0").rstrip("0")
    return "-" + text if rounded < 0 else text


def format_quantity(value: Fraction, unit: Unit, digits: int = 6) -> str:
    """A base-unit value as text in `unit`: `'20 年'`, `'15%'`, `'3'`."""
    number = format_fraction(value / unit.factor, digits)
    if unit.name == "无":
        return number
    if unit.name == "%":
        return number + "%"
    return f"{number} {unit.name.replace('每', '/')}"


# The exponent tuple and the fields must not drift apart.
assert len(fields(Dimension)) == len(Dimension().exponents()) + 1  # noqa: S101
