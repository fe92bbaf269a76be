"""Texts are read, written back in one form, and refused with the place and the reason."""

from datetime import date
from fractions import Fraction

import pytest

from landrules.engine.language import (
    TRUTH,
    Kind,
    RuleTextError,
    Scope,
    check_requirement,
    deadline,
    fmt,
    kind_of,
    parse,
    write,
)
from landrules.engine.language.tree import (
    Aggregate,
    And,
    Compare,
    DateConstant,
    Deadline,
    FactValue,
    Negate,
    Not,
    NumberConstant,
    OneOf,
    Or,
    TextConstant,
    facts_of,
)
from landrules.engine.language.words import OPERATORS
from landrules.facts.quantities import Dimension


def test_every_text_has_one_canonical_form(canonical_case, scope):
    assert fmt(canonical_case["text"], scope) == canonical_case["canonical"]


def test_the_canonical_form_reads_as_the_same_tree(canonical_case, scope):
    tree = parse(canonical_case["text"], scope)
    assert parse(canonical_case["canonical"], scope) == tree
    assert write(parse(canonical_case["canonical"], scope), scope) == canonical_case["canonical"]


def test_white_space_means_nothing(canonical_case, scope):
    tree = parse(canonical_case["canonical"], scope)
    assert parse(canonical_case["canonical"].replace(" ", ""), scope) == tree
    assert parse(canonical_case["canonical"].replace(" ", "\n  "), scope) == tree


def test_errors_say_where_and_why(errors_case, scope):
    with pytest.raises(RuleTextError) as caught:
        parse(errors_case["text"], scope)
    problem = caught.value.problems[0]
    assert (problem.line, problem.column) == (errors_case["line"], errors_case["column"]), problem.describe()
    for words in errors_case["says"]:
        assert words in problem.message


def test_every_problem_of_a_text_is_reported_in_order(scope):
    with pytest.raises(RuleTextError) as caught:
        parse("宗地面积 超过 100\n且 工业占比 超过 5 且 租赁期限", scope)
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(1, 9), (2, 11), (2, 15)]


def test_every_unknown_word_is_reported_at_once(scope):
    with pytest.raises(RuleTextError) as caught:
        parse("租凭期限 > 1年 且 宗地面职 > 1亩", scope)
    assert [problem.column for problem in caught.value.problems] == [1, 13]


def test_the_excerpt_points_at_the_place_in_columns_of_a_terminal(scope):
    with pytest.raises(RuleTextError) as caught:
        parse("是否政府一级供应 且\n宗地面积 超过 100", scope)
    assert caught.value.problems[0].excerpt == "宗地面积 超过 100\n" + " " * 14 + "^^^"
    assert str(caught.value).startswith("第 2 行第 9 列：100 什么？")


def test_columns_count_characters_as_written_even_where_normalising_makes_them_more(scope):
    with pytest.raises(RuleTextError) as caught:
        parse("出让底价 ≥ 5 元/㎡ 且 宗地面积 > 5", scope)
    assert caught.value.problems[0].column == 23


@pytest.mark.parametrize(
    ("spelling", "sign"),
    [(word, meaning) for word, (terminal, meaning) in OPERATORS.items() if terminal == "SIGN"],
)
def test_every_spelling_of_a_comparison_means_its_sign(spelling, sign, scope):
    tree = parse(f"租赁期限 {spelling} 20 年", scope)
    assert isinstance(tree, Compare)
    assert tree.sign == sign


@pytest.mark.parametrize("word", ["且", "和", "并且", "and", "AND", "&&"])
def test_every_spelling_of_and_joins(word, scope):
    assert isinstance(parse(f"是否政府一级供应 {word} 是否与社会资本共同投资建设", scope), And)


@pytest.mark.parametrize("word", ["或", "或者", "or", "||"])
def test_every_spelling_of_or_joins(word, scope):
    assert isinstance(parse(f"是否政府一级供应 {word} 是否与社会资本共同投资建设", scope), Or)


@pytest.mark.parametrize("word", ["非", "不是", "not", "NOT"])
def test_every_spelling_of_not_denies(word, scope):
    assert parse(f"{word} 是否政府一级供应", scope) == Not(FactValue("primary", "是否政府一级供应"))


def test_and_binds_closer_than_or_and_not_closer_than_and(scope):
    tree = parse("非 是否政府一级供应 且 租赁期限 > 1年 或 租赁期限 > 2年", scope)
    assert isinstance(tree, Or)
    assert isinstance(tree.parts[0], And)
    assert isinstance(tree.parts[0].parts[0], Not)


def test_brackets_keep_their_own_and(scope):
    flat = parse("租赁期限 > 1年 且 租赁期限 > 2年 且 租赁期限 > 3年", scope)
    nested = parse("租赁期限 > 1年 且 (租赁期限 > 2年 且 租赁期限 > 3年)", scope)
    assert isinstance(flat, And)
    assert isinstance(nested, And)
    assert (len(flat.parts), len(nested.parts)) == (3, 2)


def test_not_reaches_over_a_comparison(scope):
    assert isinstance(parse("非 租赁期限 > 1年", scope), Not)


def test_a_chain_is_an_and_of_its_links(scope):
    tree = parse("1年 < 租赁期限 ≤ 20年", scope)
    assert isinstance(tree, And)
    assert [link.sign for link in tree.parts if isinstance(link, Compare)] == ["<", "≤"]


def test_numbers_are_exact_in_base_units(scope):
    tree = parse("宗地面积 > 0.1 亩", scope)
    assert isinstance(tree, Compare)
    assert isinstance(tree.right, NumberConstant)
    assert tree.right.value == Fraction(200, 3)


def test_a_minus_before_a_number_belongs_to_it_unless_brackets_part_them(scope):
    close, apart = parse("-5亩", scope), parse("-(5亩)", scope)
    assert isinstance(close, NumberConstant)
    assert close.value == -Fraction(10000, 3)
    assert isinstance(apart, Negate)


def test_dates_in_both_forms_are_the_same_day(scope):
    assert parse("2023-06-30", scope) == parse("2023年6月30日", scope) == DateConstant(date(2023, 6, 30))


def test_a_name_that_is_fact_and_value_is_read_by_its_place(scope):
    assert facts_of(parse("控制指标 包含 容积率 且 容积率 > 1", scope)) == ("controls", "plot_ratio")


def test_a_value_that_is_also_a_keyword_needs_quotation_marks(scope):
    tree = parse("供地方式 为 “是”", scope)
    assert isinstance(tree, Compare)
    assert tree.right == TextConstant("是")
    with pytest.raises(RuleTextError):
        parse("供地方式 为 是", scope)


def test_grouping_facts_are_kept_by_key_and_columns_by_name(scope):
    tree = parse("合计(宗地面积 按 项目名称、行政区)", scope)
    assert isinstance(tree, Aggregate)
    assert tree.by == ("项目名称", "district")


def test_not_one_of_is_a_denied_one_of(scope):
    tree = parse("供地方式 不属于 {划拨}", scope)
    assert isinstance(tree, Not)
    assert isinstance(tree.part, OneOf)


def test_a_parameter_and_a_fact_of_one_name_are_refused(scope):
    clash = Scope(scope.subject, parameters={"租赁期限": Kind("number", Dimension(month=1))})
    with pytest.raises(RuleTextError, match="既是事实又是参数"):
        parse("租赁期限 > 1年", clash)


def test_prices_in_different_units_compare(scope):
    assert (
        kind_of(parse("出让底价 ≥ 5 万元/亩 且 成交价款 ÷ 宗地面积 ≥ 168 元/平方米", scope), scope) == TRUTH
    )


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("宗地面积 × 50%", Dimension(area=1)),
        ("50% × 50%", Dimension(ratio=True)),
        ("总宗数 × 50%", Dimension()),
        ("成交价款 ÷ 宗地面积", Dimension(money=1, area=-1)),
        ("出让底价 × 建筑面积", Dimension(money=1)),
        ("租赁期限 + 6个月", Dimension(month=1)),
        ("项数(处理措施)", Dimension()),
        ("法定最高年限(用途)", Dimension(month=1)),
        ("标准地宗数 ÷ 总宗数 + 5%", Dimension(ratio=True)),
    ],
)
def test_dimensions_follow_the_arithmetic(text, dimension, scope):
    assert kind_of(parse(text, scope), scope).dimension == dimension


def test_a_share_times_a_plain_number_is_no_share(scope):
    with pytest.raises(RuleTextError, match="百分比"):
        parse("标准地宗数 ÷ 总宗数 × 100 > 40%", scope)


def test_what_is_expected_is_checked_at_its_place(scope):
    assert parse("租赁期限 > 1年", scope, TRUTH)
    with pytest.raises(RuleTextError, match="第 1 行第 1 列：这里要一个判断"):
        parse("租赁期限", scope, TRUTH)
    with pytest.raises(RuleTextError, match="这里要日期"):
        parse("租赁期限", scope, Kind("date"))


def test_a_requirement_must_be_a_truth(scope):
    check_requirement(parse("租赁期限 > 1年", scope), scope)
    with pytest.raises(RuleTextError, match="这里要一个判断"):
        check_requirement(parse("租赁期限", scope), scope)


def test_a_tree_of_another_form_is_refused(scope):
    with pytest.raises(RuleTextError, match="没有事实"):
        kind_of(FactValue("elsewhere", "别处"), scope)


def test_a_deadline_is_built_from_texts_or_trees(scope):
    built = deadline("日后(起始日, 3日)", parse("届满日", scope), "是否政府一级供应", scope)
    assert isinstance(built, Deadline)
    assert kind_of(built, scope) == TRUTH
    assert facts_of(built) == ("as_of_date", "start", "end", "primary")


@pytest.mark.parametrize(
    ("due", "done", "flag"),
    [("租赁期限", "届满日", None), ("届满日", "租赁期限", None), ("届满日", "届满日", "租赁期限")],
)
def test_a_deadline_of_the_wrong_kinds_is_refused(due, done, flag, scope):
    with pytest.raises(RuleTextError):
        deadline(due, done, flag, scope)
    with pytest.raises(RuleTextError):
        deadline(*(None if part is None else parse(part, scope) for part in (due, done, flag)), scope)


def test_a_deadline_has_no_text(scope):
    with pytest.raises(ValueError, match="deadline"):
        write(deadline("起始日", "届满日", None, scope), scope)


def test_a_subject_is_scope_enough_for_writing(scope):
    assert write(parse("租赁期限 > 最长租赁年限 且 起始日 < 届满日", scope), scope.subject) == (
        "租赁期限 超过 最长租赁年限 且 起始日 早于 届满日"
    )
