"""Workers die, hang, babble and err; what a case comes to does not change, and is never 符合 for want of an answer."""

from __future__ import annotations

import os
import random
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from datetime import date

import pytest

from case.random_cases import arrivals, focuses
from landrules.engine.case.matchers import DurableMatcher, ReferenceMatcher
from landrules.engine.case.worker import COMMAND, MissingEngineError, Worker, WorkerError
from landrules.engine.findings.model import CheckOptions
from landrules.engine.rulebook import Rulebook
from landrules.facts.calendar import Workdays
from landrules.facts.records import Entry, Record

READY = 'import sys, json, time, os; print(json.dumps({"ready": True}), flush=True)\n'


def script(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", READY + textwrap.dedent(code))


def matcher(rulebook: Rulebook, command: Sequence[str] = COMMAND, seconds: float = 10.0) -> DurableMatcher:
    return DurableMatcher(rulebook, CheckOptions(), Workdays(), command=command, seconds=seconds)


def some_records(rulebook: Rulebook, count: int) -> list[Record]:
    rng = random.Random(11)
    targets = focuses(rulebook)
    records = [record for _ in range(count) for record in arrivals(rng.choice(targets), rng, 4)]
    return [record for record in records if record.entries][:count]


# --- dying ---


def test_a_worker_killed_again_and_again_changes_nothing(
    rulebook: Rulebook, durable: DurableMatcher, reference: ReferenceMatcher
) -> None:
    assert durable.available
    with matcher(rulebook) as opened:
        for number, record in enumerate(some_records(rulebook, 40)):
            if number % 12 == 0 and opened.worker_pid is not None:
                os.kill(opened.worker_pid, signal.SIGKILL)
            assert opened.outcomes(record) == reference.outcomes(record)
        assert opened.restarts >= 3
        assert opened.fallbacks == 0
        assert opened.available


def test_a_worker_killed_at_any_moment_changes_nothing(
    rulebook: Rulebook, durable: DurableMatcher, reference: ReferenceMatcher
) -> None:
    assert durable.available
    rng = random.Random(3)
    stop = threading.Event()
    with matcher(rulebook) as opened:

        def kill() -> None:
            while not stop.wait(rng.uniform(0.6, 1.2)):
                if (pid := opened.worker_pid) is not None:
                    os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        end = time.monotonic() + 4
        records = some_records(rulebook, 40)
        while time.monotonic() < end:
            for record in records:
                assert opened.outcomes(record) == reference.outcomes(record)
        stop.set()
        killer.join()
        assert opened.restarts >= 2


@pytest.mark.parametrize(
    "code",
    [
        "sys.exit(3)",
        "sys.stdin.readline(); os.abort()",
        "sys.stdin.readline(); print('?', flush=True); time.sleep(60)",
        "sys.stdin.readline(); print(json.dumps({'id': 7, 'fired': {}}), flush=True); time.sleep(60)",
        "sys.stdin.readline(); print(json.dumps({'id': 1, 'fired': {}}), flush=True); time.sleep(60)",
        "sys.stdin.readline(); print(json.dumps({'id': 1, 'error': 'x'}), flush=True); time.sleep(60)",
        "time.sleep(60)",
    ],
    ids=["exits", "aborts", "babbles", "answers another", "answers nothing", "reports an error", "hangs"],
)
def test_where_no_worker_answers_the_reference_evaluator_does(
    code: str, rulebook: Rulebook, reference: ReferenceMatcher, log: list[str]
) -> None:
    records = some_records(rulebook, 4)
    with matcher(rulebook, script(code), seconds=0.3) as opened:
        for record in records:
            assert opened.outcomes(record) == reference.outcomes(record)
        assert opened.fallbacks == 3
        assert not opened.available
    assert sum("由参照求值器判断" in line for line in log) == 3
    assert "此后都由参照求值器判断" in log[-1]


def test_one_poisonous_input_falls_back_and_the_next_is_matched_again(
    rulebook: Rulebook, durable: DurableMatcher, reference: ReferenceMatcher, log: list[str]
) -> None:
    assert durable.available
    fragile = """
    import os
    from landrules.engine.case import worker
    class Fragile(worker.Engine):
        def match(self, facts):
            if any(key.startswith("e") for fact in facts.values() for key in fact):
                os.abort()
            return super().match(facts)
    worker.Engine = Fragile
    worker.main()
    """
    place = {"district": Entry("海勃湾区"), "action_date": Entry(date(2023, 6, 1))}
    harmless = Record("a", "parcel_supply", place)
    poison = Record("b", "parcel_supply", {**place, "supply_mode": Entry("长期租赁")})
    with matcher(rulebook, (sys.executable, "-c", textwrap.dedent(fragile))) as opened:
        for record in (harmless, poison, harmless):
            assert opened.outcomes(record) == reference.outcomes(record)
        assert opened.available
        assert (opened.fallbacks, opened.restarts) == (1, 3)
    assert sum("本次由参照求值器判断" in line for line in log) == 1


# --- missing ---


def test_where_durable_rules_is_missing_the_log_says_so_once(
    rulebook: Rulebook, reference: ReferenceMatcher, log: list[str]
) -> None:
    code = (
        "import sys; sys.modules['durable'] = None\nfrom landrules.engine.case import worker\nworker.main()"
    )
    with matcher(rulebook, (sys.executable, "-c", code)) as opened:
        for record in some_records(rulebook, 5):
            assert opened.outcomes(record) == reference.outcomes(record)
        assert not opened.available
        assert not opened.start()
    assert len(log) == 1
    assert "无法载入 durable-rules" in log[0]
    with pytest.raises(MissingEngineError):
        Worker((sys.executable, "-c", code))


def test_where_no_process_can_be_started_the_reference_evaluator_answers(
    rulebook: Rulebook, reference: ReferenceMatcher, log: list[str]
) -> None:
    with matcher(rulebook, ("there-is-no-such-program",)) as opened:
        record = some_records(rulebook, 1)[0]
        assert opened.outcomes(record) == reference.outcomes(record)
    assert "无法启动" in log[0]


def test_the_library_is_silent_unless_asked(rulebook: Rulebook, capfd: pytest.CaptureFixture[str]) -> None:
    with matcher(rulebook, ("there-is-no-such-program",)) as opened:
        opened.outcomes(some_records(rulebook, 1)[0])
    assert capfd.readouterr() == ("", "")


# --- durable-rules itself ---


@pytest.fixture
def worker(durable: DurableMatcher) -> Worker:
    assert durable.available
    return Worker()


def test_a_fact_that_the_engine_rejects_is_an_error_and_not_an_open_rule(worker: Worker) -> None:
    too_many = {"__seen": {"kind": "case"}, "u0v": {"$or": [{f"a{n}": "t"} for n in range(70)]}}
    with pytest.raises(WorkerError, match="303"):
        worker.match({"s": too_many}, {"s": {f"a{n}": "t" for n in range(70)}})


def test_a_fact_that_was_not_seen_is_an_error(worker: Worker) -> None:
    blind = {"__seen": {"kind": "nothing of the kind"}, "u0v": {"$and": [{"kind": "case"}, {"a0": "t"}]}}
    with pytest.raises(WorkerError, match="未被匹配"):
        worker.match({"s": blind}, {"s": {"a0": "t"}})


def test_answers_do_not_depend_on_the_one_before(worker: Worker) -> None:
    rules = {
        "__seen": {"kind": "case"},
        "u0v": {"$and": [{"kind": "case"}, {"$or": [{"a0": "t"}, {"$neq": {"e0": "w0"}}]}]},
    }
    for _ in range(1200):  # more than the states that may live at once
        assert worker.match({"s": rules}, {"s": {"a0": "t"}}) == {"s": {"u0v"}}
        assert worker.match({"s": rules}, {"s": {"e0": "w0"}}) == {"s": frozenset()}
    assert worker.match({"s": rules}, {"s": {"e0": "w1"}}) == {"s": {"u0v"}}
    assert worker.match({"s": rules}, {"s": {}}) == {"s": frozenset()}
    worker.close()


def test_threads_may_share_a_matcher(
    rulebook: Rulebook, durable: DurableMatcher, reference: ReferenceMatcher
) -> None:
    records = some_records(rulebook, 30)
    expected = [reference.outcomes(record) for record in records]
    wrong: list[Record] = []

    def work() -> None:
        wrong.extend(
            record
            for record, right in zip(records, expected, strict=True)
            if durable.outcomes(record) != right
        )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
