"""One rulebook for many threads; and a log that is silent until the host wants it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

from landrules.engine import CheckOptions, Rulebook, check_dicts, render_html, render_json
from landrules.engine.evaluate import judge

RULEBOOK = Path(__file__).resolve().parents[2] / "rulesets" / "wuhai-2023-5"
FACTS = {"行政区": "海勃湾区", "供应方式": "长期租赁", "行为日期": "2023-06-01"}


def records(first: int) -> list[dict[str, Any]]:
    return [
        {
            "subject": "parcel_supply",
            "id": f"{first}-{n}",
            "facts": {**FACTS, "出租年期": 10 + first + n, "项目名称": f"甲{n % 2}"},
        }
        for n in range(5)
    ]


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return Rulebook.load(RULEBOOK)


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """What the library logs, once it is switched on."""
    told: list[Any] = []
    handler = logger.add(lambda message: told.append(message.record), level=0)
    try:
        yield told
    finally:
        logger.disable("landrules")
        logger.remove(handler)


def test_many_threads_with_one_rulebook_give_the_bytes_of_one(rulebook: Rulebook) -> None:
    jobs = list(range(24))
    alone = [render_json(check_dicts(rulebook, records(job))) for job in jobs]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    barrier = threading.Barrier(8)

    def work(job: int) -> tuple[str, int]:
        if job < 8:
            barrier.wait(30)
        report = check_dicts(rulebook, records(job), CheckOptions())
        return render_json(report), len(render_html(report))

    try:
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(work, jobs))
    finally:
        sys.setswitchinterval(interval)
    assert [text for text, _ in together] == alone


def test_the_library_is_silent_by_default(rulebook: Rulebook, logged: list[Any]) -> None:
    check_dicts(rulebook, records(0))
    assert logged == []


def test_a_check_says_how_long_it_took(rulebook: Rulebook, logged: list[Any]) -> None:
    logger.enable("landrules")
    check_dicts(rulebook, records(0))
    (entry,) = logged
    assert entry["extra"]["records"] == 5
    assert entry["extra"]["rules_failed"] == 0
    assert 0 < entry["extra"]["seconds"] < 60
    assert entry["name"].startswith("landrules.engine")
    assert "海勃湾区" not in str(entry["message"])


def test_a_rule_that_fails_is_named_with_its_record(
    rulebook: Rulebook, logged: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger.enable("landrules")

    def broken(*_: object) -> None:
        raise ZeroDivisionError("海勃湾区")

    monkeypatch.setattr("landrules.engine.checking.judge", broken)
    assert judge.judge is not broken
    check_dicts(rulebook, records(0)[:1], CheckOptions(select=("lease-term-max-20y",)))
    failed = logged[0]
    assert failed["level"].name == "ERROR"
    assert failed["extra"] == {
        "record": "0-0",
        "rule": "wuhai-2023-5/lease-term-max-20y",
        "document": "wuhai-2023-5",
    }
    assert "海勃湾区" not in failed["message"]


def test_a_host_that_switched_the_log_on_keeps_it_whatever_is_imported_later() -> None:
    program = (
        "import sys\n"
        "from loguru import logger\n"
        "import landrules.engine\n"
        "logger.enable('landrules')\n"
        "import landrules.engine.case.session, landrules.engine.api, landrules.engine.service.app\n"
        "from landrules.engine import Rulebook, check_dicts\n"
        f"check_dicts(Rulebook.load({str(RULEBOOK)!r}), [])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, encoding="utf-8")
    assert "预检 0 条记录" in done.stderr


def test_importing_configures_nothing_of_the_host() -> None:
    program = (
        "import logging\nfrom loguru import logger\nbefore = dict(logger._core.handlers)\n"
        "import landrules.engine.api, landrules.engine.case.session, landrules.engine.service.app\n"
        "assert logger._core.handlers == before\nassert logging.getLogger().handlers == []\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
