"""`landrules replay`: byte for byte, or what has changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from landrules.engine.api import check_dicts
from landrules.engine.cli import main
from landrules.engine.report.json_report import render_json, report_from_json, report_schema
from landrules.engine.rulebook import Rulebook
from rulebook.small_rulesets import RULES, ruleset

CONFIGURATION = """\
values:
  - fact: 工业用地最低价标准
    value: 168元/平方米
    place: 东区
    from: 2007-01-01
    document: 某发〔2006〕1号
    confirmed_by: 某局
    date: 2023-05-08
"""
HOLIDAYS = "notice: 某发〔2026〕1号\nyears: [2090]\ndays: {2090-01-01: 休}\n"
TEXT = "某政发〔2023〕1号\n第一条 不超过20年。\n第二条 规范供地。\n"


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder with a ruleset, an input and the report on it."""

    folder: Path
    run: Callable[..., tuple[int, str, str]]

    def check(self, *options: str) -> None:
        code, _, err = self.run(
            "check", "计划.jsonl", *self._rules(), "--format", "json", "--out", "意见.json", *options
        )
        assert (code, err) == (1, "")

    def replay(self, *options: str) -> tuple[int, str, str]:
        return self.run("replay", "意见.json", *self._rules(), *options)

    def edit(self, name: str, before: str, after: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")

    def _rules(self) -> list[str]:
        return ["--rulesets", "somewhere-1", "--store", "store"]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        captured = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, captured.out, captured.err

    monkeypatch.chdir(tmp_path)
    ruleset(tmp_path)
    facts = {"行政区": "东区", "供应方式": "长期租赁", "行为日期": "2023-06-01"}
    records = [
        {"id": "A", "facts": {**facts, "出租年期": "25年", "新列": "x"}},
        {"id": "B", "facts": {**facts, "出租年期": "15年"}},
    ]
    text = "\n".join(json.dumps({"subject": "parcel_supply", **item}, ensure_ascii=False) for item in records)
    (tmp_path / "计划.jsonl").write_text(text, encoding="utf-8")
    return Bench(tmp_path, run)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--on", "2023-07-01", "--as-of", "2023-08-01", "--place", "西县", "--no-derive"],
        ["--select", "lease-term", "--ignore", "nothing-else"],
        ["--subject", "供地宗地"],
    ],
)
def test_a_report_comes_out_the_same(bench: Bench, options: list[str]) -> None:
    if "nothing-else" in options:
        options = options[:2]
    bench.check(*options)
    code, out, err = bench.replay()
    assert (code, err) == (0, "")
    assert "逐字节相同" in out


def test_configuration_and_calendar_are_found_and_told(bench: Bench) -> None:
    (bench.folder / "地方.yaml").write_text(CONFIGURATION, encoding="utf-8")
    (bench.folder / "放假.yaml").write_text(HOLIDAYS, encoding="utf-8")
    bench.check("--config", "地方.yaml", "--holidays", "放假.yaml")
    content = json.loads((bench.folder / "意见.json").read_text(encoding="utf-8"))
    jsonschema.validate(content, report_schema())
    assert content["input"]["settings"].keys() == {"configuration", "holidays"}
    assert content["engine_data"].keys() == {"vocabulary", "reference", "calendar"}
    assert bench.replay()[0] == 0
    bench.edit("地方.yaml", "168元", "170元")
    code, out, _ = bench.replay()
    assert code == 1
    assert "输入 地方.yaml：内容有改动" in out
    (bench.folder / "放假.yaml").unlink()
    code, _, err = bench.replay()
    assert code == 2
    assert "放假.yaml" in err


def test_a_changed_rule_is_named_with_what_came_of_it(bench: Bench) -> None:
    bench.check()
    bench.edit("somewhere-1/rules.yaml", "20年", "30年")
    code, out, _ = bench.replay()
    assert code == 1
    assert "规则集 somewhere-1：内容有改动" in out
    assert "[A] somewhere-1/lease-term 结论：违反 → 符合" in out
    assert "引擎：" not in out


def test_a_changed_input_is_named(bench: Bench) -> None:
    bench.check()
    bench.edit("计划.jsonl", "25年", "26年")
    code, out, _ = bench.replay()
    assert code == 1
    assert "输入 计划.jsonl：内容有改动" in out
    assert "[A] somewhere-1/lease-term 差额：超出 5 年 → 超出 6 年" in out


def test_another_engine_is_named(bench: Bench) -> None:
    bench.check()
    report = json.loads((bench.folder / "意见.json").read_text(encoding="utf-8"))
    bench.edit("意见.json", report["engine"], "landrules 0.0.1")
    bench.edit("意见.json", report["engine_data"]["vocabulary"], "0" * 64)
    code, out, _ = bench.replay()
    assert code == 1
    assert f"引擎：当时 landrules 0.0.1，现在 {report['engine']}" in out
    assert "词表：当时 000000000000，现在" in out
    assert "各条结论没有变" in out


def test_a_ruleset_that_is_gone_and_a_pattern_without_rule(bench: Bench) -> None:
    bench.check("--select", "lease-term")
    rules = RULES.replace("lease-term", "rent-term")
    clauses = (bench.folder / "somewhere-1" / "clauses.yaml").read_text(encoding="utf-8")
    shutil.rmtree(bench.folder / "somewhere-1")
    ruleset(bench.folder, rules=rules, clauses=clauses.replace("lease-term", "rent-term"))
    code, out, _ = bench.replay()
    assert code == 1
    assert "选项：只查的“lease-term”现在不对应任何规则" in out
    assert "结论：违反 → 没有这条规则" in out


def test_an_edited_report_is_caught(bench: Bench) -> None:
    bench.check()
    bench.edit("意见.json", '"verdict": "违反"', '"verdict": "符合"')
    code, out, _ = bench.replay()
    assert code == 1
    assert "意见文件在生成以后被改动过" in out
    assert "[A] somewhere-1/lease-term 结论：符合 → 违反" in out


def test_another_layout_of_the_same_report_is_told(bench: Bench) -> None:
    bench.check()
    path = bench.folder / "意见.json"
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False), encoding="utf-8"
    )
    code, out, _ = bench.replay()
    assert code == 1
    assert "排布" in out


def test_inputs_are_looked_for_beside_the_report(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.check()
    elsewhere = bench.folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    options = ["--rulesets", str(bench.folder / "somewhere-1"), "--store", str(bench.folder / "store")]
    assert bench.run("replay", str(bench.folder / "意见.json"), *options)[0] == 0


def test_a_missing_input_can_be_given(bench: Bench) -> None:
    bench.check()
    (bench.folder / "计划.jsonl").rename(bench.folder / "改名.jsonl")
    code, _, err = bench.replay()
    assert code == 2
    assert "找不到送审数据“计划.jsonl”" in err
    assert bench.replay("--input", "改名.jsonl")[0] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "读不了"),
        ("{", "不是有效的 JSON"),
        ("{}", "不是 landrules/report/1 格式的报告"),
        ('{"schema": "landrules/report/1"}', "不完整或被改动过"),
    ],
)
def test_what_is_no_report_is_impossible(bench: Bench, text: str | None, message: str) -> None:
    if text is not None:
        (bench.folder / "意见.json").write_text(text, encoding="utf-8")
    code, _, err = bench.replay()
    assert code == 2
    assert message in err


def test_a_report_on_records_without_a_file_is_impossible(bench: Bench) -> None:
    facts = {"行政区": "东区", "供应方式": "长期租赁", "出租年期": "25年", "行为日期": "2023-06-01"}
    report = check_dicts(
        Rulebook.load("somewhere-1"), [{"subject": "parcel_supply", "id": "A", "facts": facts}]
    )
    text = render_json(report)
    assert report_from_json(text) == report
    (bench.folder / "意见.json").write_text(text, encoding="utf-8")
    code, _, err = bench.replay()
    assert code == 2
    assert "意见不是由文件做出的" in err


def test_the_words_of_clauses_are_reproduced_from_the_bound_text(bench: Bench) -> None:
    path = bench.folder / "办法.txt"
    path.write_text(TEXT, encoding="utf-8")
    add = ["source", "add", str(path), "--rulesets", "somewhere-1", "--store", "store"]
    assert bench.run(*add)[0] == 0
    bench.check()
    assert "不超过20年。" in (bench.folder / "意见.json").read_text(encoding="utf-8")
    assert bench.replay()[0] == 0
    path.write_text(TEXT.replace("第二条", "第二条 一律"), encoding="utf-8")
    assert bench.run(*add)[0] == 1
    code, out, _ = bench.replay()
    assert code == 1
    assert "规则集 somewhere-1：绑定的原文不同" in out
    assert bench.run("source", "remove", "somewhere-1", "--store", "store")[0] == 0
    assert "规则集 somewhere-1：现在没有绑定原文" in bench.replay()[1]
    bench.check("--no-source")
    assert bench.replay()[0] == 0
