"""`landrules check --ledger`: the check is on record, and an unwritable ledger loses no report."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from landrules.engine.cli import main
from landrules.engine.ledger.store import entries, open_store

LEASE = {"行政区": "海勃湾区", "供应方式": "长期租赁", "出租年期": "25年", "行为日期": "2023-06-01"}

PLACE = """\
values:
  - fact: 工业用地最低价标准
    value: 11.2万元/亩
    place: 海勃湾区
    from: 2007-01-01
    document: 国土资发〔2006〕307号
    confirmed_by: 某局
    date: 2023-05-08
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.jsonl"
    record = {"subject": "parcel_supply", "id": "1", "facts": LEASE}
    path.write_text(json.dumps(record, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_a_check_is_put_on_record_and_comes_out_the_same_when_repeated(
    plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = str(tmp_path / "台账.sqlite3")
    assert run("check", str(plan), "--ledger", ledger, "--who", "经办人") == 1
    assert "已记入台账，第 1 条" in capsys.readouterr().err
    with closing(open_store(ledger)) as store:
        assert [stored.entry.who for stored in entries(store)] == ["经办人"]
    assert run("log", "verify", "--store", ledger) == 0
    assert run("log", "replay", "1", "--store", ledger) == 0
    assert "与当时一致" in capsys.readouterr().out


def test_the_environment_names_the_ledger(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDRULES_LEDGER", str(tmp_path / "l.sqlite3"))
    run("check", str(plan))
    run("check", str(plan))
    assert "第 2 条" in capsys.readouterr().err


def test_a_ledger_that_cannot_be_written_loses_no_report(
    plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "没有" / "l.sqlite3"
    out = tmp_path / "report.json"
    assert run("check", str(plan), "--format", "json", "--out", str(out), "--ledger", str(missing)) == 2
    assert "意见已出，但没有记入台账" in capsys.readouterr().err
    assert json.loads(out.read_text(encoding="utf-8"))["schema"] == "landrules/report/1"


def test_a_report_never_takes_the_place_of_the_ledger(
    plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "l.sqlite3"
    run("check", str(plan), "--ledger", str(ledger))
    before = ledger.read_bytes()
    assert run("check", str(plan), "--ledger", str(ledger), "--json", str(ledger)) == 2
    assert ledger.read_bytes() == before
    assert "请换一个文件名" in capsys.readouterr().err


def test_none_puts_nothing_on_record(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANDRULES_LEDGER", str(tmp_path / "l.sqlite3"))
    assert run("check", str(plan), "--ledger", "none") == 1
    assert "台账" not in capsys.readouterr().err
    assert not (tmp_path / "l.sqlite3").exists()


def test_a_workbook_judged_with_a_place_configuration_comes_out_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = Path(__file__).parents[2] / "facts" / "samples"
    config = tmp_path / "place.yaml"
    config.write_text(PLACE, encoding="utf-8")
    ledger = str(tmp_path / "l.sqlite3")
    plan = str(samples / "wuhai-supply-plan.xlsx")
    run("check", plan, "--on", "2023-06-01", "--config", str(config), "--ledger", ledger)
    assert "第 1 条" in capsys.readouterr().err
    assert run("log", "replay", "1", "--store", ledger) == 0
    assert "与当时一致" in capsys.readouterr().out
