"""What holds for every tree and every text."""

from datetime import date
from fractions import Fraction
from functools import cache
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from landrules.engine.language import RuleTextError, check_requirement, fmt, kind_of, parse, sentence, write
from landrules.engine.language import tree as t
from landrules.engine.language.words import AGGREGATES, FUNCTIONS, OPERATORS
from landrules.facts.quantities import UNITS, Dimension, find_unit
from language.small_form import SCOPE

COUNT, SHARE = Dimension(), Dimension(ratio=True)
AREA, PRICE, MONTHS = Dimension(area=1), Dimension(money=1, area=-1), Dimension(month=1)
DAYS, WORKDAYS = Dimension(day=1), Dimension(workday=1)
Trees = st.SearchStrategy[Any]


def facts(fact_type: str, dimension: Dimension = COUNT) -> list[t.FactValue]:
    kinds = ("number", "integer") if fact_type == "number" else (fact_type,)
    return [
        t.FactValue(fact.key, fact.label)
        for fact in SCOPE.subject.facts.values()
        if fact.type in kinds and fact.dimension == dimension
    ]


@cache
def literals(dimension: Dimension) -> Trees:
    units = [unit for unit in UNITS if unit.dimension == dimension]
    decimals = st.decimals(-10_000, 10_000, places=4, allow_nan=False).map(Fraction)
    return st.builds(
        lambda number, unit: t.NumberConstant(number * unit.factor, unit), decimals, st.sampled_from(units)
    )


def at_least_two(items: Trees) -> Trees:
    return st.lists(items, min_size=2, max_size=3).map(tuple)


@cache
def numbers(dimension: Dimension, depth: int) -> Trees:
    """Numbers of the dimension, never a bare quotient, whose kind would depend on what it is compared with."""
    leaves: list[Trees] = [
        literals(dimension),
        st.sampled_from(facts("number", dimension) or [None]).filter(bool),
    ]
    if dimension == MONTHS:
        leaves.append(st.just(t.ParameterValue("最长租赁年限")))
        leaves.append(
            st.sampled_from(["工业", "其他（含配套）"]).map(
                lambda use: t.Lookup("法定最高年限", t.TextConstant(use))
            )
        )
    if dimension == AREA:
        leaves.append(st.just(t.Defined("合并面积", SCOPE.definitions["合并面积"])))
    if not depth:
        return st.one_of(leaves)
    same = numbers(dimension, depth - 1)
    units = [unit for unit in UNITS if unit.dimension == dimension]
    more: list[Trees] = [
        st.builds(t.Add, same, same),
        st.builds(t.Subtract, same, same),
        st.builds(t.Multiply, same, literals(COUNT if dimension != SHARE else SHARE)),
        st.builds(t.Divide, same, literals(COUNT)),
        st.builds(t.Negate, same),
        st.builds(t.Coalesce, same, same),
        st.builds(t.Choose, truths(depth - 1), same, same),
        st.builds(t.Larger, at_least_two(same)),
        st.builds(t.Smaller, at_least_two(same)),
        st.builds(
            t.Rounded,
            same,
            st.sampled_from(units),
            st.integers(0, 6),
            st.sampled_from(["half-up", "half-even"]),
        ),
        st.builds(
            t.Aggregate, st.sampled_from(["sum", "largest", "smallest"]), numbers(dimension, 0), columns()
        ),
    ]
    if dimension == COUNT:
        more += [
            st.builds(t.Size, st.sampled_from(facts("set"))),
            st.builds(t.DayOfMonth, days(depth - 1)),
            st.builds(t.Aggregate, st.just("count"), st.none() | truths(0), columns()),
        ]
    if dimension == PRICE:
        more.append(st.builds(t.ApplicableMinimumPrice, same, same, numbers(MONTHS, depth - 1)))
    return st.one_of(*leaves, *more)


def columns() -> Trees:
    return st.lists(
        st.sampled_from(["项目名称", "位置", "mode", "plot_ratio"]), min_size=1, max_size=3, unique=True
    ).map(tuple)


@cache
def days(depth: int) -> Trees:
    leaves: list[Trees] = [
        st.sampled_from(facts("date")),
        st.dates(date(1949, 1, 1), date(2100, 1, 1)).map(t.DateConstant),
        st.just(t.ParameterValue("起算日")),
    ]
    if not depth:
        return st.one_of(leaves)
    same = days(depth - 1)
    return st.one_of(
        *leaves,
        st.builds(t.AddYears, same, numbers(MONTHS, depth - 1)),
        st.builds(t.AddMonths, same, numbers(MONTHS, depth - 1)),
        st.builds(t.AddDays, same, numbers(DAYS, depth - 1)),
        st.builds(t.AddWorkdays, same, numbers(WORKDAYS, depth - 1)),
        st.builds(t.RollWorkday, same),
        st.builds(t.Later, at_least_two(same)),
        st.builds(t.Earlier, at_least_two(same)),
        st.builds(t.Coalesce, same, same),
    )


months = st.one_of(
    st.just(t.FactValue("report_month", "报送月份")),
    st.builds(
        lambda year, month: t.TextConstant(f"{year}-{month:02}"), st.integers(1949, 2100), st.integers(1, 12)
    ),
    st.builds(t.MonthOf, days(1)),
    st.builds(t.NextMonth, st.just(t.FactValue("report_month", "报送月份"))),
)


@st.composite
def choices(draw: st.DrawFn, depth: int) -> tuple[Any, tuple[str, ...]]:
    """A single value and what it may be compared with."""
    fact = draw(st.sampled_from(facts("enum")))
    values = SCOPE.subject.facts[fact.key].values
    constant = st.sampled_from(values).map(t.TextConstant)
    item: Any = fact
    if depth:
        item = draw(
            st.just(fact)
            | st.builds(t.Coalesce, st.just(fact), constant)
            | st.builds(t.Choose, truths(depth - 1), st.just(fact), constant)
        )
    return item, values


@st.composite
def value_relations(draw: st.DrawFn, depth: int) -> Any:
    if draw(st.booleans()):
        group = draw(st.sampled_from(facts("set")))
        values = SCOPE.subject.facts[group.key].values
        if draw(st.booleans()):
            return t.Contains(group, t.TextConstant(draw(st.sampled_from(values))))
        members = t.Members(tuple(draw(st.lists(st.sampled_from(values), min_size=1, unique=True))))
        return draw(
            st.sampled_from(
                [t.ContainsAll(group, members), t.Subset(group, members), t.Compare(group, "=", members)]
            )
        )
    item, values = draw(choices(depth))
    if draw(st.booleans()):
        return t.OneOf(
            item, t.Members(tuple(draw(st.lists(st.sampled_from(values), min_size=1, unique=True))))
        )
    return t.Compare(item, draw(st.sampled_from(["=", "≠"])), t.TextConstant(draw(st.sampled_from(values))))


quotable = st.text(max_size=8).filter(lambda text: not ("”" in text and '"' in text))
signs = st.sampled_from(["=", "≠", "<", "≤", ">", "≥"])


@cache
def truths(depth: int) -> Trees:
    leaves: list[Trees] = [
        st.sampled_from(facts("bool")),
        st.booleans().map(t.TruthConstant),
        st.just(t.Defined("属于租赁供地", SCOPE.definitions["属于租赁供地"])),
        value_relations(0),
        st.builds(t.IsKnown, st.sampled_from(facts("date") + facts("enum") + facts("number"))),
        st.builds(
            t.Compare, st.just(t.FactValue("district", "行政区")), st.just("="), quotable.map(t.TextConstant)
        ),
    ]
    if not depth:
        return st.one_of(leaves)
    same = truths(depth - 1)
    dimension = st.sampled_from([COUNT, SHARE, AREA, PRICE, MONTHS, DAYS])
    pairs = dimension.flatmap(lambda chosen: st.tuples(*[numbers(chosen, depth - 1)] * 3))
    share = st.builds(
        t.Divide, st.sampled_from(facts("number", AREA)), st.sampled_from(facts("number", AREA))
    )
    return st.one_of(
        *leaves,
        st.builds(t.And, at_least_two(same)),
        st.builds(t.Or, at_least_two(same)),
        st.builds(t.Not, same),
        st.builds(lambda sides, sign: t.Compare(sides[0], sign, sides[1]), pairs, signs),
        st.builds(
            lambda sides, first, second: t.And(
                (t.Compare(sides[0], first, sides[1]), t.Compare(sides[1], second, sides[2]))
            ),
            pairs,
            signs,
            signs,
        ),
        st.builds(t.Compare, share, signs, literals(SHARE)),
        st.builds(t.Compare, share, signs, literals(COUNT)),
        st.builds(t.Compare, days(depth - 1), signs, days(depth - 1)),
        st.builds(t.Compare, months, signs, months),
        st.builds(t.Compare, same, st.sampled_from(["=", "≠"]), same),
        value_relations(depth - 1),
        st.builds(t.Choose, same, same, same),
        st.builds(t.Coalesce, same, same),
        st.builds(t.AnyKnown, st.lists(st.sampled_from(facts("number", AREA)), min_size=1).map(tuple)),
        st.builds(t.NotYetDue, days(depth - 1)),
    )


def usable(tree: t.Expression) -> bool:
    """Within the limits of a text."""
    return sum(1 for _ in t.walk(tree)) < 200


@settings(max_examples=300, deadline=None)
@given(truths(3).filter(usable))
def test_what_is_written_reads_as_the_same_tree(tree):
    check_requirement(tree, SCOPE)
    text = write(tree, SCOPE)
    assert parse(text, SCOPE) == tree
    assert fmt(text, SCOPE) == text


@settings(max_examples=100, deadline=None)
@given(truths(2).filter(usable))
def test_every_tree_can_be_told(tree):
    assert sentence(tree, {}, SCOPE)
    assert sentence(tree, {})


@settings(max_examples=100, deadline=None)
@given(numbers(AREA, 2) | numbers(SHARE, 2) | numbers(COUNT, 2))
def test_numbers_read_back_too(tree):
    assert parse(write(tree, SCOPE), SCOPE) == tree
    assert kind_of(tree, SCOPE).type == "number"


WORDS = [
    *OPERATORS,
    *FUNCTIONS,
    *AGGREGATES,
    *SCOPE.names.expressions,
    *SCOPE.names.values,
    *(unit.name for unit in UNITS),
    "20",
    "1,000",
    "2023-06-30",
    "2022-04",
    "“旬阳市”",
    '"',
    "“",
    " ",
    "\n",
    "，",
    "😀",
]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=20).map("".join))
@example("\x00")
@example("２" * 3999)
@example("9" * 3999)
@example("9" * 3990 + "年")
@example("0000-00-00")
@example("②年")
@example("½亩")
@example("“")
@example("租赁期限 为 ”")
def test_any_text_is_read_or_refused_with_a_place(text):
    try:
        tree = parse(text, SCOPE)
    except RuleTextError as error:
        problems = error.problems
    else:
        assert parse(write(tree, SCOPE), SCOPE) == tree
        return
    assert problems
    for problem in problems:
        assert problem.message
        assert problem.line is not None
        assert problem.column is not None
        assert 1 <= problem.line <= text.count("\n") + 1
        assert problem.column >= 1


@settings(max_examples=100, deadline=None)
@given(st.decimals(0, 1_000_000, places=6, allow_nan=False), st.sampled_from(UNITS))
def test_a_number_keeps_its_exact_value(number, unit):
    exact = Fraction(number)
    found = find_unit(unit.name)
    assert found is not None
    tree = t.NumberConstant(exact * unit.factor, unit)
    assert parse(write(tree, SCOPE), SCOPE) == tree
