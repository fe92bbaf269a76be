"""`landrules case run` and `landrules case due`."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from landrules.engine.case.events import read_log
from landrules.engine.case.matchers import ReferenceMatcher
from landrules.engine.case.questions import Outcome
from landrules.engine.case.replay import final_report
from landrules.engine.cli import main
from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import CheckOptions
from landrules.engine.rulebook import Rulebook
from landrules.facts.calendar import Workdays
from landrules.facts.records import Record

PROGRAM = [sys.executable, "-c", "from landrules.engine.cli import main; main()"]


# Looking for what is missing takes `check` long; a few rules are enough here. All are compared in test_differential.
FEW = [
    *("--select", "wuhai-2023-5/lease-term-max-20y"),
    *("--select", "wuhai-2023-5/lease-then-grant-total-term"),
    *("--select", "bozhou-2023/phased-supply-over-100mu"),
]


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


def write(path: Path, *lines: dict[str, Any] | str) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def random_log(seed: int, cases: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A log with corrections and withdrawals in random order, and the input records of its final facts."""
    rng = random.Random(seed)
    choices: dict[str, list[Any]] = {
        "行政区": ["海勃湾区", "谯城区", "利辛县", "原平市", "北京市西城区"],
        "action_date": ["2023-06-01", "2023-03-01", "2024-01-01"],
        "供应方式": ["长期租赁", "先租后让", "弹性年期出让", "出让", "不认识的方式"],
        "出租年期": ["10年", "20年", "25年", "二十年"],
        "出让年期": [30, 40, "50年"],
        "项目类型": ["工业项目"],
        "宗地面积": ["6.6667", "120亩", "未知"],
        "出让底价": ["168元/平方米", "100", 144],
        "项目名称": ["甲", "乙"],
    }
    lines: list[dict[str, Any]] = []
    facts: dict[str, dict[str, Any]] = {f"c{number}": {} for number in range(cases)}
    opened: set[str] = set()
    for minute in range(cases * 6):
        name = rng.choice(sorted(facts))
        own = facts[name]
        changes = {key: rng.choice(choices[key]) for key in rng.sample(sorted(choices), rng.randint(0, 3))}
        unset = rng.sample(sorted(own), min(len(own), rng.choice([0, 0, 1])))
        at = f"2023-06-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00"
        lines.append({"case": name, "subject": "parcel_supply", "at": at, "set": changes, "unset": unset})
        for key in unset:
            del own[key]
        own.update(changes)
        opened.add(name)
    order = list(dict.fromkeys(line["case"] for line in lines))
    return lines, [{"subject": "parcel_supply", "id": name, "facts": facts[name]} for name in order]


def verdicts(path: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["schema"] == "landrules/report/1"
    for record in report["records"]:
        for value in (value for verdict in record["verdicts"] for value in verdict["values"]):
            value.pop("basis", None)  # names the rows of the file that a derivation read
    return [(record["id"], record["verdicts"]) for record in report["records"]]


@pytest.mark.parametrize("matcher", ["durable", "reference"])
def test_the_final_state_is_what_check_gives_on_the_final_facts(matcher: str, tmp_path: Path) -> None:
    lines, records = random_log(1, 6)
    log = write(tmp_path / "e.jsonl", *lines)
    write(tmp_path / "records.jsonl", *records)
    common = [*FEW, "--format", "json", "--as-of", "2024-01-01"]
    code = run("case", "run", log, "--matcher", matcher, *common, "--out", tmp_path / "case.json")
    assert code == run("check", tmp_path / "records.jsonl", *common, "--out", tmp_path / "check.json")
    assert verdicts(tmp_path / "case.json") == verdicts(tmp_path / "check.json")


def test_both_matchers_give_the_same_bytes(tmp_path: Path) -> None:
    log = write(tmp_path / "e.jsonl", *random_log(2, 4)[0])
    for name in ("durable", "reference"):
        run(
            "case", "run", log, "--matcher", name, "--out", tmp_path / f"{name}.json",
            "--answers", tmp_path / f"{name}.jsonl", "--on", "2023-06-01", "--place", "海勃湾区", *FEW,
        )  # fmt: skip
    for suffix in ("json", "jsonl"):
        assert (tmp_path / f"durable.{suffix}").read_bytes() == (
            tmp_path / f"reference.{suffix}"
        ).read_bytes()
    answers = [
        json.loads(line) for line in (tmp_path / "durable.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len(answers) == 24
    assert {"case", "number", "newly_violated", "due", "step"} <= answers[0].keys()


def test_bad_lines_are_told_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = {"case": "A", "subject": "parcel_supply", "at": "2023-06-01", "set": {"行政区": "海勃湾区"}}
    log = write(tmp_path / "e.jsonl", good, "oops", {**good, "at": "?"}, {**good, "case": "B"})
    assert run("case", "run", log, "--matcher", "reference", "--out", tmp_path / "r.json", *FEW) == 3
    assert [name for name, _ in verdicts(tmp_path / "r.json")] == ["A", "B"]
    told = capsys.readouterr().err
    assert "第 2 行" in told
    assert "第 3 行" in told
    notes = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["notes"]
    assert [note["place"]["row"] for note in notes] == [2, 3]


@pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="children of a process are looked up in /proc"
)
def test_a_worker_killed_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    log = write(tmp_path / "e.jsonl", *random_log(3, 20)[0])
    code = run("case", "run", log, "--matcher", "reference", "--out", tmp_path / "expected.json", *FEW)
    out = tmp_path / "killed.json"
    command = [
        *PROGRAM,
        "case",
        "run",
        str(log),
        "--out",
        str(out),
        *FEW,
        "--answers",
        str(tmp_path / "a.jsonl"),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process:
        killed = 0
        while process.poll() is None and killed < 2:
            for child in _children(process.pid):
                os.kill(child, signal.SIGKILL)
                killed += 1
            time.sleep(0.8)
        told = process.communicate()[1]
    assert killed, told
    assert "匹配进程出错" in told
    assert process.returncode == code, told
    assert out.read_bytes() == (tmp_path / "expected.json").read_bytes()


def _children(pid: int) -> list[int]:
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in listed.split()]


class Lying(ReferenceMatcher):
    """A matcher that says 符合 of everything."""

    def outcomes(self, record: Record) -> dict[str, Outcome]:
        return {rule: Outcome(Verdict.MET) for rule in super().outcomes(record)}


def test_a_matcher_that_differs_is_an_error_and_never_patched(rulebook: Rulebook, tmp_path: Path) -> None:
    facts = {"行政区": "海勃湾区", "行为日期": "2023-06-01", "供应方式": "长期租赁", "出租年期": "25年"}
    path = write(
        tmp_path / "e.jsonl", {"case": "A", "subject": "parcel_supply", "at": "2023-06-01", "set": facts}
    )
    matcher = Lying(rulebook, CheckOptions(), Workdays())
    log = read_log(path, rulebook.vocabulary)
    report = final_report(rulebook, log, matcher, CheckOptions(), file="e.jsonl")
    found = {finding.rule: finding for finding in report.records[0].findings}
    lease = found["wuhai-2023-5/lease-term-max-20y"]
    assert lease.verdict is Verdict.ERROR
    assert "匹配器得“符合”，参照求值器得“违反”" in lease.message
    assert {finding.verdict for finding in found.values()} <= {Verdict.ERROR, Verdict.MET}


def test_due_lists_what_is_due(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = {
        "行政区": "谯城区",
        "行为日期": "2023-06-01",
        "合同签订日": "2023-06-01",
        "缴款完成日": "2023-06-01",
    }
    log = write(
        tmp_path / "e.jsonl", {"case": "A", "subject": "parcel_supply", "at": "2023-06-01", "set": facts}
    )
    assert run("case", "due", log, "--on", "2023-06-02") == 0
    told = capsys.readouterr().out
    assert told.startswith("2023-06-02 期限：")
    assert "2023-06-02  今日到期  A  " in told
    assert run("case", "due", log, "--on", "2023-06-05", "--format", "json") == 0
    items = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (item,) = [item for item in items if item["rule"] == "bozhou-2023/three-permits-one-workday"]
    assert (item["state"], item["due"], item["left"]) == ("逾期", "2023-06-02", -3)
    assert run("case", "due", log) == 2
