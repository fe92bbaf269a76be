"""The public Python interface: the example of the documentation, on dicts and on files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from landrules import engine
from landrules.engine.api import check_dicts, check_files
from landrules.engine.findings.model import CheckOptions
from landrules.engine.report.json_report import render_json, report_from_json
from landrules.engine.report.summary import summarise
from landrules.engine.rulebook import Rulebook
from landrules.facts.notes import InputError

RULEBOOK = Path(__file__).resolve().parents[1] / "rulesets" / "wuhai-2023-5"
RECORD = {
    "subject": "parcel_supply",
    "id": "WH-01",
    "facts": {"行政区": "海勃湾区", "供应方式": "长期租赁", "出租年期": "25年", "行为日期": "2023-06-01"},
}


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return Rulebook.load(RULEBOOK, subjects=["parcel_supply"])


def test_example_of_the_docstring_runs() -> None:
    lines = [line.strip() for line in (engine.__doc__ or "").splitlines() if line.startswith("    ")]
    result = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, encoding="utf-8"
    )
    assert "租赁期限上限20年" in result.stdout


def test_every_public_name_is_importable_in_a_fresh_interpreter() -> None:
    program = (
        "from landrules.engine import *; import landrules.engine as e; print(callable(check), *e.__all__)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, encoding="utf-8"
    )
    assert result.stdout.split() == ["True", *engine.__all__]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = engine.no_such_name  # type: ignore[attr-defined]


def test_dicts_are_checked_without_files(rulebook: Rulebook) -> None:
    summary = summarise(check_dicts(rulebook, [RECORD], CheckOptions(select=("lease-term-max-20y",))))
    assert summary.violations["错误"] == 1


def test_dicts_and_files_give_the_same_verdicts(rulebook: Rulebook, tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text(json.dumps([RECORD], ensure_ascii=False), encoding="utf-8")
    from_files = check_files(rulebook, [path])
    from_dicts = check_dicts(rulebook, [RECORD])
    assert [record.findings for record in from_files.records] == [
        record.findings for record in from_dicts.records
    ]


def test_an_unusable_file_is_an_input_error(rulebook: Rulebook, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.xlsx"):
        check_files(rulebook, [tmp_path / "absent.xlsx"])


def test_a_real_report_is_read_back_into_the_same_bytes(rulebook: Rulebook) -> None:
    text = render_json(check_dicts(rulebook, [RECORD]))
    assert render_json(report_from_json(text)) == text
