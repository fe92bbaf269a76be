"""The command line as users meet it: help, errors, output, exit codes. One process for what imports decide."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from landrules.engine.cli import COMMANDS, main
from landrules.engine.report.json_report import report_schema

RULESETS = ["--rulesets", str(Path(__file__).resolve().parents[2] / "rulesets" / "wuhai-2023-5")]
VIOLATED = {"行政区": "海勃湾区", "供应方式": "长期租赁", "出租年期": "25年", "行为日期": "2023-06-01"}
OUTSIDE = {"行政区": "谯城区", "供应方式": "长期租赁", "出租年期": "25年", "行为日期": "2023-06-01"}
OPEN = {"行政区": "海勃湾区", "供应方式": "长期租赁", "行为日期": "2023-06-01"}
ONLY_LEASE = ["--select", "lease-term-max-20y"]


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, captured.out, captured.err


def records(path: Path, *facts: dict[str, str]) -> str:
    lines = [
        json.dumps({"subject": "parcel_supply", "id": f"R{number}", "facts": entry}, ensure_ascii=False)
        for number, entry in enumerate(facts, start=1)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


# --- help -----------------------------------------------------------------------------------------------------


def test_help_is_chinese_and_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("--help", capsys=capsys)
    assert code == 0
    assert all(word in out for word in ("用法：", "命令：", "选项：", "预检意见"))
    assert all(f"  {name} " in out for name in COMMANDS)
    assert "Usage" not in out
    assert "Show this message" not in out


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_chinese_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(name, "--help", capsys=capsys)
    assert code == 0
    assert f"用法：landrules {name}" in out
    assert not any(word in out for word in ("Usage", "Options", "Commands", "Show this"))


def test_no_arguments_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys=capsys)
    assert code == 0
    assert "用法：" in out


def test_help_loads_neither_the_engine_nor_the_renderers() -> None:
    program = (
        "import sys\nfrom landrules.engine.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'lark', 'rich', 'jinja2', 'pydantic', 'openpyxl', 'yaml', 'landrules.engine.rulebook'}\n"
        "print('HEAVY', sorted(heavy & sys.modules.keys()))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, encoding="utf-8"
    )
    assert result.stdout.splitlines()[-1] == "HEAVY []"


# --- errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chek"], "没有“chek”这个命令，是否指 check？"),
        (["log"], "缺少命令，可用：export"),
        (["check"], "缺少参数“PATH”"),
        (["check", "x.csv", "--onn", "2023-06-01"], "没有“--onn”这个选项，是否指 --on？"),
        (["check", "x.csv", "--on"], "选项“--on”的用法不对：它后面要跟一个值"),
        (
            ["check", "x.csv", "--on", "2023-02-30"],
            "选项“--on”的值不对：“2023-02-30”不是有效日期，请写成 2023-06-01 的样式",
        ),
        (["check", "x.csv", "--no-derive=1"], "选项“--no-derive”的用法不对：它后面不能跟值"),
        (["check", "x.csv", "--format", "pdf"], "可选：console、json、html、xlsx"),
        (["explain"], "缺少参数“RULE”"),
        (["explain", "a", "b"], "多出了参数“b”"),
        (["template", "宗地", "--out", "x.xlsx"], "没有“宗地”这类事项"),
        (["template", "供地宗地", "--out", "x.doc"], "应以 .xlsx 结尾"),
    ],
)
def test_wrong_usage_is_explained_in_chinese(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(*arguments, capsys=capsys)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.startswith("错误：")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--select", "lease-term-max"],
            "没有“lease-term-max”这条规则或这份文件；是否指 lease-term-max-20y？",
        ),
        (["--ignore", "wuhai-2023-6/*"], "没有“wuhai-2023-6/*”这条规则或这份文件"),
        (["--subject", "供地"], "没有“供地”这类事项；是否指“供地宗地”？"),
        (["--place", "海勃湾"], "没有文件约束"),
        (["--config", "absent.yaml"], "absent.yaml"),
        (["--rulesets", "absent"], "没有这个规则集文件夹"),
    ],
)
def test_wrong_names_are_answered_with_a_suggestion(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED)
    code, out, err = run("check", path, *RULESETS, *arguments, capsys=capsys)
    assert (code, out) == (2, "")
    assert message in err


def test_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run("check", str(tmp_path / "没有.xlsx"), *RULESETS, capsys=capsys)
    assert (code, out) == (2, "")
    assert "没有.xlsx" in err


# --- check ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "code", "conclusion"),
    [
        ([VIOLATED], 1, "1 条记录有违反"),
        ([OPEN], 3, "1 项适用而缺资料"),
        ([OUTSIDE], 0, "无适用规则"),
        ([{**VIOLATED, "出租年期": "20年"}], 0, "1 条记录符合全部适用规则"),
        ([VIOLATED, OPEN, OUTSIDE], 1, "1 条记录无适用规则"),
        ([{"供应方式": "出让"}], 0, "无适用规则"),
        ([{"供应方式": "长期租赁", "出租年期": "30年"}], 3, "1 项是否适用待定"),
    ],
)
def test_exit_code_tells_the_outcome(
    facts: list[dict[str, str]],
    code: int,
    conclusion: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = records(tmp_path / "in.jsonl", *facts)
    found, out, err = run("check", path, *RULESETS, *ONLY_LEASE, capsys=capsys)
    assert (found, err) == (code, "")
    assert conclusion in out.replace("\n          ", "")


def test_an_unreadable_file_is_reported_and_the_others_still_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "坏.xlsx"
    bad.write_bytes(b"")
    good = records(tmp_path / "in.jsonl", VIOLATED)
    code, out, err = run("check", str(bad), good, *RULESETS, capsys=capsys)
    assert code == 2
    assert "坏.xlsx" in err
    assert "租赁期限上限20年" in out
    assert "坏.xlsx" in out


def test_a_bad_cell_is_reported_with_its_place_and_other_rows_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = records(tmp_path / "in.jsonl", {**VIOLATED, "出租年期": "很久"}, VIOLATED)
    code, out, _ = run("check", path, *RULESETS, *ONLY_LEASE, capsys=capsys)
    assert code == 1
    assert "第 1 行" in out
    assert "很久" in out
    assert "适用而缺资料：1 项" in out


def test_on_judges_as_if_done_that_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED)
    code, _, _ = run("check", path, *RULESETS, "--on", "2020-01-01", capsys=capsys)
    assert code == 0


def test_place_fills_a_missing_district(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = {name: value for name, value in VIOLATED.items() if name != "行政区"}
    path = records(tmp_path / "in.jsonl", facts)
    assert run("check", path, *RULESETS, *ONLY_LEASE, capsys=capsys)[0] == 3
    assert run("check", path, *RULESETS, *ONLY_LEASE, "--place", "海勃湾区", capsys=capsys)[0] == 1


def test_select_and_ignore_choose_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED)
    _, out, _ = run("check", path, *RULESETS, *ONLY_LEASE, "--format", "json", capsys=capsys)
    assert [verdict["rule"] for verdict in json.loads(out)["records"][0]["verdicts"]] == [
        "wuhai-2023-5/lease-term-max-20y"
    ]
    _, out, _ = run("check", path, *RULESETS, "--ignore", "wuhai-2023-5/*", "--format", "json", capsys=capsys)
    assert json.loads(out)["records"][0]["verdicts"] == []


def test_json_on_standard_output_fits_the_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED, OPEN, OUTSIDE)
    _, out, _ = run("check", path, *RULESETS, "--format", "json", capsys=capsys)
    jsonschema.Draft202012Validator(report_schema()).validate(json.loads(out))


def test_html_and_json_are_written_beside_the_console_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED)
    page, data = tmp_path / "新" / "意见.html", tmp_path / "意见.json"
    code, out, _ = run("check", path, *RULESETS, "--html", str(page), "--json", str(data), capsys=capsys)
    assert code == 1
    assert out.startswith("预检意见")
    assert "租赁期限上限20年" in page.read_text(encoding="utf-8")
    assert json.loads(data.read_text(encoding="utf-8"))["schema"] == "landrules/report/1"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["in.jsonl", "意见.json", "新"]


def test_out_gets_the_same_text_as_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED)
    _, screen, _ = run("check", path, *RULESETS, capsys=capsys)
    _, nothing, _ = run("check", path, *RULESETS, "--out", str(tmp_path / "o.txt"), capsys=capsys)
    assert nothing == ""
    assert (tmp_path / "o.txt").read_text(encoding="utf-8") == screen


def test_an_output_never_overwrites_an_input_or_another_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED)
    before = Path(path).read_bytes()
    page = str(tmp_path / "o.html")
    for arguments in (["--out", path], ["--html", page, "--format", "html", "--out", page]):
        code, _, err = run("check", path, *RULESETS, *arguments, capsys=capsys)
        assert code == 2
        assert "请换一个文件名" in err
    assert Path(path).read_bytes() == before


def test_a_workbook_needs_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED)
    assert run("check", path, *RULESETS, "--format", "xlsx", capsys=capsys)[0] == 2
    book = tmp_path / "o.xlsx"
    assert run("check", path, *RULESETS, "--format", "xlsx", "--out", str(book), capsys=capsys)[0] == 1
    assert book.read_bytes()[:2] == b"PK"


@pytest.mark.parametrize("name", ["", "in.jsonl/o.json"])
def test_a_place_that_cannot_be_written_is_explained(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED)
    code, _, err = run("check", path, *RULESETS, "--out", str(tmp_path / name), capsys=capsys)
    assert code == 2
    assert err.startswith("错误：")
    assert [item.name for item in tmp_path.iterdir()] == ["in.jsonl"]


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    path = records(tmp_path / "in.jsonl", VIOLATED, OPEN, OUTSIDE)
    outputs = []
    for seed in ("1", "2"):
        page, data = tmp_path / f"{seed}.html", tmp_path / f"{seed}.json"
        command = [sys.executable, "-m", "landrules.engine.cli", "check", path, *RULESETS, *ONLY_LEASE]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "ascii"}
        result = subprocess.run(
            [*command, "--html", str(page), "--json", str(data)],
            check=False,
            capture_output=True,
            env=environment,
        )
        assert (result.returncode, result.stderr) == (1, b"")
        outputs.append((result.stdout, page.read_bytes(), data.read_bytes()))
    assert outputs[0] == outputs[1]
    assert outputs[0][0].decode("utf-8").startswith("预检意见")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell with pipes")
def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    path = records(tmp_path / "in.jsonl", *[VIOLATED] * 400)
    command = f'"{sys.executable}" -m landrules.engine.cli check "{path}" {" ".join([*RULESETS, *ONLY_LEASE])} --format json | head -c 10'
    result = subprocess.run(["bash", "-c", command], check=False, capture_output=True)
    assert result.stderr == b""


# --- rules ----------------------------------------------------------------------------------------------------


def test_explain_tells_clause_sentence_figures_and_readings(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("explain", "lease-term-max-20y", *RULESETS, capsys=capsys)
    assert code == 0
    for text in (
        "乌海政发〔2023〕5号 二（三）2",
        "不得做",
        "要求：",
        "最长租赁年限：20 年",
        "读取的事实",
        "缺省口径",
        "歧义与默认口径",
    ):
        assert text in out


def test_explain_as_markdown_has_a_heading_and_tables(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        "explain", "wuhai-2023-5/lease-term-max-20y", "--format", "markdown", *RULESETS, capsys=capsys
    )
    assert code == 0
    assert out.startswith("# ")
    assert "| 参数 | 数值 | 时段 | 依据 |" in out


def test_explain_says_why_an_entry_has_no_rule(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run("explain", "lease-term-max-20", *RULESETS, capsys=capsys)
    assert code == 2
    assert "是否指 lease-term-max-20y？" in err


def test_list_shows_documents_and_rules(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("list", "--subject", "供地宗地", *RULESETS, capsys=capsys)
    assert code == 0
    assert "乌海政发〔2023〕5号" in out
    assert "wuhai-2023-5/lease-term-max-20y" in out


def test_template_writes_a_workbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.xlsx"
    code, out, _ = run("template", "供地宗地", "--out", str(path), capsys=capsys)
    assert code == 0
    assert str(path) in out
    assert path.read_bytes()[:2] == b"PK"
