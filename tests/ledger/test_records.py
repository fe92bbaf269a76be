from __future__ import annotations

import io
import re
from contextlib import closing, redirect_stdout
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from landrules.engine.checking import check
from landrules.engine.cli import application
from landrules.engine.commands_log import log
from landrules.engine.findings.model import CheckOptions, InputFile, Report
from landrules.engine.ledger.entry import CASE_EVENT, Stored
from landrules.engine.ledger.errors import EntryError
from landrules.engine.ledger.mask import mask
from landrules.engine.ledger.records import check_entry, event_entry, records_of, report_of
from landrules.engine.ledger.replay import replay
from landrules.engine.ledger.store import Store, append, entries, open_store
from landrules.engine.ledger.verify import verify
from landrules.engine.report.json_report import render_json
from landrules.engine.rulebook import Rulebook
from landrules.facts.read_records import records_from_dicts
from landrules.facts.records import Record
from ledger.making import MORNING, an_entry

ROWS = [
    {
        "subject": "parcel_supply",
        "id": "WH-01",
        "facts": {
            "行政区": "海勃湾区",
            "供应方式": "长期租赁",
            "出租年期": "25年",
            "行为日期": "2023-06-01",
            "宗地面积": "66,666.67 平方米",
            "项目名称": "某某厂房",
            "权利人": "李四",
            "备注": "第一行",
            "没有这一列": "x",
        },
    },
    {"subject": "parcel_supply", "id": "BZ-01", "facts": {"行政区": "谯城区", "土地用途": "未知"}},
]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return Rulebook.load()


@pytest.fixture(scope="module")
def checked(rulebook: Rulebook) -> tuple[tuple[Record, ...], Report]:
    reading = records_from_dicts(ROWS, rulebook.vocabulary)
    options = CheckOptions(as_of=date(2024, 1, 2), ignore=("bozhou-2023/*",))
    inputs = (InputFile("计划.json", reading.hash),)
    return reading.records, check(rulebook, reading.records, options, inputs=inputs, notes=reading.notes)


@pytest.fixture
def stored(rulebook: Rulebook, store: Store, checked: tuple[tuple[Record, ...], Report]) -> Stored:
    append(store, check_entry(rulebook, *checked, at=MORNING, who="王审查", key="k"))
    return next(entries(store))


def test_records_and_reports_come_back_whole(
    stored: Stored, checked: tuple[tuple[Record, ...], Report]
) -> None:
    records, report = checked
    assert tuple(records_of(stored)) == records
    assert render_json(report_of(stored)) == render_json(report)
    assert stored.entry.input_hash == report.input_hash
    assert sum(stored.entry.verdicts.values()) == sum(len(record.findings) for record in report.records)


def test_no_value_of_the_input_is_in_the_chained_content(stored: Stored, store: Store) -> None:
    with store.engine.connect() as connection:
        content = connection.exec_driver_sql("SELECT content FROM landrules_ledger_entry").scalar_one()
    for value in ("李四", "某某厂房", "66,666.67", "66666.67", "25年", "25 年", "2023-06-01", "海勃湾"):
        assert value not in content, value


def test_replay_says_the_same(stored: Stored, rulebook: Rulebook) -> None:
    assert replay(stored, rulebook).describe() == "重算结果与当时一致"


def test_replay_names_what_differs_and_why(stored: Stored, rulebook: Rulebook) -> None:
    name = "wuhai-2023-5/lease-term-max-20y"
    name = name if name in rulebook.rules else next(iter(rulebook.rules_for("parcel_supply")))[0].id
    document = rulebook.documents[name.partition("/")[0]]
    changed = replace(
        rulebook,
        rules={rule: versions for rule, versions in rulebook.rules.items() if rule != name},
        documents={**rulebook.documents, document.id: replace(document, hash="0" * 64)},
    )
    result = replay(stored, changed)
    assert result.status == "different"
    assert {(item.rule, item.what, item.now) for item in result.differences} == {
        (name, "结论", "没有这条规则")
    }
    assert result.changes == (f"规则集 {document.id} 有改动",)


def test_a_masked_entry_cannot_be_replayed(store: Store, stored: Stored, rulebook: Rulebook) -> None:
    mask(store, ["权利人"], at=MORNING, who="王", reason="申请")
    masked, record = entries(store)
    assert masked.entry.outcome["records"][0]["verdicts"] == stored.entry.outcome["records"][0]["verdicts"]
    result = replay(masked, rulebook)
    assert result.status == "impossible"
    assert "已遮蔽，不能重算" in result.reason
    assert "没有存送审数据" in replay(record, rulebook).reason
    with pytest.raises(EntryError):
        report_of(record)
    assert verify(store).intact


def test_masking_a_fact_takes_the_wording_made_of_it(
    store: Store, stored: Stored, rulebook: Rulebook
) -> None:
    mask(store, ["lease_term"], at=MORNING, who="王", reason="申请")
    with store.engine.connect() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM landrules_ledger_sealed").scalars().all()
    assert [body for body in bodies if body and ("25年" in body or "25 年" in body)] == []
    assert [body for body in bodies if body and "李四" in body] != []


def test_case_events(rulebook: Rulebook, store: Store, checked: tuple[tuple[Record, ...], Report]) -> None:
    records, report = checked
    event = {
        "case": "案7",
        "subject": "parcel_supply",
        "at": "2023-06-02T09:00:00+08:00",
        "set": {"出租年期": "25年", "权利人": "李四"},
        "unset": ["remark"],
        "comment": "李四来电",
    }
    one = replace(report, records=report.records[:1])
    append(
        store, event_entry(rulebook, event, at=MORNING, who="窗口", record=records[0], report=one, id="e1")
    )
    append(store, event_entry(rulebook, {"case": "案7", "type": "withdrawn"}, at=MORNING, who="窗口"))
    first, second = entries(store)
    assert (first.entry.kind, first.entry.case, first.entry.input["event"]) == (CASE_EVENT, "案7", event)
    assert replay(first, rulebook).status == "same"
    assert replay(second, rulebook).status == "impossible"
    mask(store, ["lease_term", "权利人", "comment"], at=MORNING, who="王", reason="申请", case="案7")
    with store.engine.connect() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM landrules_ledger_sealed").scalars().all()
    assert [body for body in bodies if body and ("李四" in body or "25年" in body)] == []
    assert verify(store).intact


# --- the command line ---


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(log, [str(argument) for argument in arguments], standalone_mode=False)


def test_the_commands(tmp_path: Path, rulebook: Rulebook, checked: tuple[tuple[Record, ...], Report]) -> None:
    path = tmp_path / "台账.sqlite3"
    old = datetime(2020, 1, 1, tzinfo=UTC)
    with closing(open_store(path)) as store:
        append(store, an_entry(1, at=old))
        append(store, check_entry(rulebook, *checked, at=MORNING, who="王审查"))
    done = _run("verify", "--store", path)
    assert (done.return_value, done.output[:11]) == (0, "台账完整：共 2 条（")
    head = done.output.split("末条 ")[1].strip()

    done = _run("replay", "2", "--store", path)
    assert (done.return_value, done.output) == (0, "第 2 条：重算结果与当时一致\n")
    assert _run("replay", "--store", path).return_value == 3

    out = tmp_path / "导出.jsonl"
    assert _run("export", "--store", path, "--out", out).output == f"已导出 2 条到“{out}”\n"
    assert _run("export", "--store", path).output == out.read_text(encoding="utf-8")
    assert _run("verify", "--file", out, "--head", head).return_value == 0

    done = _run("mask", "权利人", "--store", path, "--who", "王", "--reason", "申请", "--entry", "2")
    assert done.output.startswith("已遮蔽 1 条中的 ")
    archive = tmp_path / "归档.jsonl"
    done = _run("retain", "--store", path, "--who", "王", "--before", "2021-01-01", "--archive", archive)
    assert done.output.startswith(f"已归档 1 条（至第 1 条）到“{archive}”，文件 sha256 ")
    assert _run("verify", "--store", path, "--head", head).return_value == 0
    done = _run("verify", "--store", path, "--head", "9:" + "0" * 64)
    assert (done.return_value, "末尾被截断" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("verify",), "请用 --store 给出台账"),
        (("verify", "--store", "没有.sqlite3"), "没有台账文件“没有.sqlite3”"),
        (("verify", "--file", "没有.jsonl"), "无法读取"),
        (("verify", "--store", "x", "--head", "12"), "末条哈希写得不对"),
        (("replay", "7", "--store", "a.sqlite3"), "台账没有第 7 条"),
        (
            ("mask", "没有", "--store", "a.sqlite3", "--who", "王", "--reason", "x"),
            "台账中没有尚未遮蔽的“没有”",
        ),
    ],
)
def test_what_the_commands_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LANDRULES_LEDGER", raising=False)
    open_store("a.sqlite3").close()
    assert message in str(_run(*arguments).exception)


def test_the_program_has_the_commands() -> None:
    done = CliRunner().invoke(application, ["log", "--help"])
    assert done.exit_code == 0
    for name in ("verify", "export", "replay", "mask", "retain"):
        assert f"  {name}  " in done.output


def test_the_example_of_the_documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[2] / "docs" / "builders" / "ledger.md"
    if not page.is_file():
        pytest.skip("docs/ 不在此处")
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(example, str(page), "exec"), {})  # noqa: S102 - our own documentation
    assert "1 王审查" in printed.getvalue()
    assert "重算结果与当时一致" in printed.getvalue()
