"""A rule text cannot make the program deep, large or slow."""

import subprocess
import sys
import time

import pytest

from landrules.engine.language import RuleTextError, Scope, parse


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("是 且 " * 1000 + "是", "超过上限 4000"),
        ("(" * 41 + "是" + ")" * 41, "括号嵌套超过 40 层"),
        ("(" * 1500, "括号嵌套超过 40 层"),
        ("非 " * 41 + "是", "超过上限 40"),
        ("租赁期限" + " + 租赁期限" * 45 + " > 1年", "超过上限 40"),
        ("是 且 " * 501 + "是", "超过上限 500"),
        ("−" * 1900 + "5亩", "超过上限"),
        ("+" * 2500, "超过 2000 个词"),
    ],
    ids=["long", "brackets", "unclosed brackets", "denials", "sum", "wide", "signs", "words"],
)
def test_too_much_is_refused_with_the_limit(text, says, scope):
    started = time.perf_counter()
    with pytest.raises(RuleTextError) as caught:
        parse(text, scope)
    assert says in caught.value.problems[0].message
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "text",
    ["(" * 40 + "是" + ")" * 40, "非 " * 39 + "是", "是 且 " * 400 + "是"],
    ids=["brackets", "denials", "wide"],
)
def test_as_much_as_the_limit_is_read(text, scope):
    assert parse(text, scope)


def test_definitions_cannot_grow_without_limit(scope):
    def doubled(times):
        definitions = {"甲": parse("租赁期限 > 1年", scope)}
        for step in range(times):
            (known,) = definitions
            text = f"{known} 且 {known}"
            definitions = {f"乙{step}": parse(text, Scope(scope.subject, definitions=definitions))}
        return definitions

    assert doubled(8)
    with pytest.raises(RuleTextError, match="连同所用的定义"):
        doubled(30)


def test_a_text_full_of_unknown_words_is_refused_soon(scope):
    started = time.perf_counter()
    with pytest.raises(RuleTextError) as caught:
        parse("甲乙丙 " * 900, scope)
    assert len(caught.value.problems) <= 20
    assert time.perf_counter() - started < 2


def test_importing_the_language_does_not_import_the_parser():
    code = "import sys, landrules.engine.language; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_three_hundred_rules_are_read_in_under_a_second(scope):
    text = (
        "供地方式 属于 {长期租赁、短期租赁} 且 缺省(是否政府一级供应, 是) 且 "
        "租赁期限 + 缺省(自动续租年限, 0年) 不超过 最长租赁年限 且 四舍五入(合并面积, 亩, 4) 超过 100 亩"
    )
    parse(text, scope)
    started = time.process_time()
    for _ in range(300):
        parse(text, scope)
    assert time.process_time() - started < 1
