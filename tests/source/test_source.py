"""`landrules source`: bound texts are compared with rulesets, kept, shown in reports and forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from landrules.engine.api import check_dicts
from landrules.engine.cli import main
from landrules.engine.report.console import render_console
from landrules.engine.report.html import render_html
from landrules.engine.report.json_report import render_json, report_from_json, report_schema
from landrules.engine.rulebook import Rulebook
from landrules.engine.source import bind, identify, load_sources, save_source, with_clause_texts
from landrules.facts.notes import InputError
from rulebook.small_rulesets import CLAUSES, RULES, entry_of, ruleset

TEXT = """\
某政发〔2023〕1号
某市供地办法
第一条 长期租赁的租期，不超过20年。<b>
第二条 为了规范供地。
"""
DOCUMENTS = ["ankang-2023", "bozhou-2023", "wuhai-2023-5", "xinzhou-2022-53", "xinzhou-2022-90"]


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, captured.out, captured.err


@pytest.fixture
def add(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> object:
    """Binds a text to the small ruleset and gives exit code, output and errors."""
    folder = ruleset(tmp_path)

    def bound(text: str, *more: str) -> tuple[int, str, str]:
        path = tmp_path / "办法.txt"
        path.write_text(text, encoding="utf-8")
        options = ["--rulesets", str(folder), "--store", str(tmp_path / "store"), *more]
        return run("source", "add", str(path), *options, capsys=capsys)

    return bound


@pytest.fixture(scope="module")
def shipped() -> Rulebook:
    return Rulebook.load()


# --- the five documents ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_published_text_is_recognised_and_every_clause_found(
    document: str, shared: Path, shipped: Rulebook
) -> None:
    text = (shared / "sources" / f"{document}.txt").read_text(encoding="utf-8")
    assert identify(shipped, text) == document
    binding = bind(shipped, document, text, "x.txt")
    assert [item.message for item in binding.missing] == []
    named = {clause.clause for clause in shipped.documents[document].clauses}
    assert {entry.clause for entry in binding.source.clauses} == named
    # Figures that a document gives in other words than numbers are told by the command; they are few.
    assert len(binding.wrong) <= 1


@pytest.mark.parametrize(
    ("document", "before", "after", "clause", "figure"),
    [
        ("wuhai-2023-5", "20年", "25年", "二（三）2", "20年"),
        ("wuhai-2023-5", "70%", "60%", "二（三）4", "70%"),
        ("bozhou-2023", "100亩", "150亩", "二（七）25", "100亩"),
    ],
)
def test_a_figure_changed_in_the_text_is_named(
    document: str, before: str, after: str, clause: str, figure: str, shared: Path, shipped: Rulebook
) -> None:
    text = (shared / "sources" / f"{document}.txt").read_text(encoding="utf-8")
    assert before in text
    first = bind(shipped, document, text, "x.txt")
    second = bind(shipped, document, text.replace(before, after), "x.txt", before=first.source)
    assert any(item.clause == clause and figure in item.message for item in second.wrong)
    assert clause in {item.clause for item in second.changed}


# --- texts of our own -----------------------------------------------------------------------------------------


def test_a_text_is_bound(add, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, err = add(TEXT)
    assert (code, err) == (0, "")
    assert "已绑定 somewhere-1" in out
    assert "条款  2 处：找到 2，找不到 0" in out
    assert "数值  1 个：对得上 1，对不上 0" in out
    bound = load_sources(tmp_path / "store")["somewhere-1"]
    assert bound.text("第二条") == "第二条 为了规范供地。"
    assert bound.text("第九条") == ""


def test_the_same_text_gives_the_same_file(add, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    add(TEXT)
    first = (tmp_path / "store" / "somewhere-1.json").read_bytes()
    code, out, _ = add(TEXT)
    assert code == 0
    assert "与上次不同" not in out
    assert (tmp_path / "store" / "somewhere-1.json").read_bytes() == first


def test_layout_is_no_change(add) -> None:  # type: ignore[no-untyped-def]
    add(TEXT)
    assert add(TEXT.replace("租期，", "租期，\u3000").replace("第二条 ", "\n\n第二条   "))[0] == 0


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("不超过20年", "不超过25年", "“第一条”里没有“最长租期”的数值 20年"),
        ("第二条", "第四条", "文本里找不到“第二条”；没有规则依据这一条"),
        ("第一条", "第四条", "文本里找不到“第一条”；涉及规则 somewhere-1/lease-term"),
    ],
)
def test_what_does_not_fit_is_named(add, before: str, after: str, message: str) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = add(TEXT.replace(before, after))
    assert code == 1
    assert message in out


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("为了规范", "为了严格规范", "“第二条”的文字与上次绑定的不同"),
        ("第二条", "第四条", "“第二条”上次有，这次没有了"),
    ],
)
def test_what_changed_since_the_last_time_is_named(  # type: ignore[no-untyped-def]
    add, before: str, after: str, message: str
) -> None:
    add(TEXT)
    code, out, _ = add(TEXT.replace(before, after))
    assert code == 1
    assert message in out


def test_the_document_is_recognised_by_number_or_title(tmp_path: Path) -> None:
    rulebook = Rulebook.load(ruleset(tmp_path))
    assert identify(rulebook, "某政发〔２０２３〕 1号\n一、") == "somewhere-1"
    assert identify(rulebook, "某市\n供地办法\n一、") == "somewhere-1"
    assert identify(rulebook, "别的办法") is None


def test_an_unrecognised_text_asks_for_the_document(add) -> None:  # type: ignore[no-untyped-def]
    text = "第一条 不超过20年。\n第二条 规范。"
    code, _, err = add(text)
    assert code == 2
    assert "请加 --document，可用：somewhere-1" in err
    assert add(text, "--document", "somewhere-1")[0] == 0
    assert "没有“elsewhere”这份文件" in add(text, "--document", "elsewhere")[2]


def test_a_text_without_any_clause_is_not_bound(add, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, _, err = add("某政发〔2023〕1号\n无关的文字。")
    assert code == 2
    assert "一条都找不到" in err
    assert not (tmp_path / "store").exists()


def test_presumed_and_blank_figures_are_not_looked_for(tmp_path: Path) -> None:
    rules = RULES.replace("最长租期: 20年", "最长租期: {value: 30年, basis: 默认口径}")
    binding = bind(Rulebook.load(ruleset(tmp_path, rules=rules)), "somewhere-1", TEXT, "x.txt")
    assert (binding.figures, binding.wrong) == (0, ())


def test_words_that_the_meaning_quotes_stand_for_the_figure(tmp_path: Path) -> None:
    rules = RULES.replace("最长租期: 20年", "最长租期: 20年\n      最多地块: {value: 1, meaning: “一次一宗”}")
    rules = rules.replace("不超过 最长租期", "不超过 最长租期 且 意向用地者数 不超过 最多地块")
    rulebook = Rulebook.load(ruleset(tmp_path, rules=rules))
    text = TEXT.replace("租期，", "租期，一次一宗，")
    assert bind(rulebook, "somewhere-1", text, "x.txt").wrong == ()
    assert len(bind(rulebook, "somewhere-1", TEXT, "x.txt").wrong) == 1
    assert len(bind(rulebook, "somewhere-1", text.replace("20年", "25年"), "x.txt").wrong) == 1


# --- list, remove, damage -------------------------------------------------------------------------------------


def test_list_and_remove(add, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    store = ["--store", str(tmp_path / "store")]
    assert "没有绑定的原文" in run("source", "list", *store, capsys=capsys)[1]
    add(TEXT)
    assert (
        "somewhere-1  某市供地办法  条款 2 处  来自 办法.txt"
        in run("source", "list", *store, capsys=capsys)[1]
    )
    assert run("source", "remove", "somewhere-1", *store, capsys=capsys)[0] == 0
    code, _, err = run("source", "remove", "somewhere-1", *store, capsys=capsys)
    assert code == 2
    assert "没有绑定“somewhere-1”的原文" in err
    assert run("source", "remove", "../somewhere", *store, capsys=capsys)[0] == 2


def test_the_store_is_in_the_home_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDRULES_HOME", str(tmp_path / "home"))
    path = tmp_path / "办法.txt"
    path.write_text(TEXT, encoding="utf-8")
    assert run("source", "add", str(path), "--rulesets", str(ruleset(tmp_path)), capsys=capsys)[0] == 0
    assert (tmp_path / "home" / "sources" / "somewhere-1.json").is_file()


def test_a_tampered_file_is_refused(add, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    add(TEXT)
    path = tmp_path / "store" / "somewhere-1.json"
    path.write_text(path.read_text(encoding="utf-8").replace("20年", "99年"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_sources(tmp_path / "store")
    assert caught.value.notes[0].code == "source-damaged"


# --- reports --------------------------------------------------------------------------------------------------

LEASES = [
    {"subject": "parcel_supply", "id": name, "facts": {"行政区": "东区", "行为日期": "2023-06-01", **facts}}
    for name, facts in (
        ("A", {"供应方式": "长期租赁", "出租年期": "25年"}),
        ("B", {"供应方式": "出让"}),
        ("C", {"供应方式": "长期租赁"}),
        ("D", {}),
    )
]


def test_findings_that_apply_carry_the_words(tmp_path: Path) -> None:
    rulebook = Rulebook.load(ruleset(tmp_path))
    source = bind(rulebook, "somewhere-1", TEXT, "x.txt").source
    report = check_dicts(rulebook, LEASES)
    shown = with_clause_texts(report, {"somewhere-1": source})
    words = [record.findings[0].clause_text for record in shown.records]
    assert words == [source.text("第一条"), "", source.text("第一条"), ""]
    assert shown.rulesets[0].source == source.hash
    assert with_clause_texts(report, {}) is report
    assert with_clause_texts(report, {"elsewhere": source}) is report


def test_reports_show_the_words_once_and_escaped(tmp_path: Path) -> None:
    rulebook = Rulebook.load(ruleset(tmp_path))
    source = bind(rulebook, "somewhere-1", TEXT, "x.txt").source
    plain = check_dicts(rulebook, LEASES)
    report = with_clause_texts(plain, {"somewhere-1": source})
    text = render_json(report)
    jsonschema.validate(json.loads(text), report_schema())
    assert render_json(report_from_json(text)) == text
    assert "clause_text" not in render_json(plain)
    assert "长期租赁的租期，不超过20年。" in render_console(report)
    page = render_html(report)
    assert page.count("长期租赁的租期，不超过20年。&lt;b&gt;") == 1
    assert page.count('href="#c1"') == 2
    assert "条款原文" not in render_html(plain)


def test_check_shows_what_is_bound_unless_told_not_to(  # type: ignore[no-untyped-def]
    add, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(TEXT)
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(item, ensure_ascii=False) for item in LEASES), encoding="utf-8")
    options = [
        "--rulesets",
        str(tmp_path / "somewhere-1"),
        "--store",
        str(tmp_path / "store"),
        "--format",
        "json",
    ]
    assert '"clause_text": "第一条' in run("check", str(path), *options, capsys=capsys)[1]
    assert "clause_text" not in run("check", str(path), *options, "--no-source", capsys=capsys)[1]


def test_explain_shows_what_is_bound(  # type: ignore[no-untyped-def]
    add, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(TEXT)
    options = ["--rulesets", str(tmp_path / "somewhere-1"), "--store", str(tmp_path / "store")]
    assert "条文原文" in run("explain", "lease-term", *options, capsys=capsys)[1]


def test_a_clause_without_text_leaves_its_findings_alone(tmp_path: Path) -> None:
    clauses = entry_of(CLAUSES, "rent-term").replace("clause: 第一条", "clause: 第九条", 1)
    rules = RULES.replace("clause: 第一条", "clause: 第九条") + RULES.removeprefix("rules:\n").replace(
        "lease-term", "rent-term"
    )
    rulebook = Rulebook.load(ruleset(tmp_path, clauses=clauses, rules=rules))
    source = bind(rulebook, "somewhere-1", TEXT, "x.txt").source
    save_source(source, tmp_path / "store")
    report = with_clause_texts(check_dicts(rulebook, LEASES[:1]), load_sources(tmp_path / "store"))
    words = {finding.rule: bool(finding.clause_text) for finding in report.records[0].findings}
    assert words == {"somewhere-1/lease-term": False, "somewhere-1/rent-term": True}
