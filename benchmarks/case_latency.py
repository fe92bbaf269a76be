"""Latency per event of a case with both matchers, in one run: the matcher alone, and the whole answer to an event.

python benchmarks/case_latency.py [CASES] [SEED] [RULESETS…]
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from datetime import datetime

from case.random_cases import arrivals, focuses
from landrules.engine.case.matchers import open_matcher
from landrules.engine.case.model import Case, Event, open_case
from landrules.engine.case.session import Desk
from landrules.engine.rulebook import Rulebook

_EVENTS = (
    {"行政区": "海勃湾区", "供应方式": "长期租赁", "行为日期": "2023-06-01"},
    {"出租年期": "25年"},
    {"项目类型": "工业项目", "宗地面积": "120亩"},
    {"出租年期": "20年"},
    {"出让底价": "168元/平方米"},
)


def main(cases: int, seed: int, rulesets: list[str]) -> None:
    rulebook = Rulebook.load(*rulesets)
    rng = random.Random(seed)
    targets = focuses(rulebook)
    records = [record for number in range(cases) for record in arrivals(targets[number % len(targets)], rng)]
    rules = statistics.mean(len(rulebook.rules_for(record.subject)) for record in records)
    print(
        f"rules {len(rulebook.rules)}, {rules:.0f} of them asked of a record on average, events {len(records)}"
    )
    with open_matcher("durable", rulebook) as durable, open_matcher("reference", rulebook) as reference:
        warm = {record.subject: record for record in records}
        for record in warm.values():  # compiling happens once for each subject
            began = time.perf_counter()
            durable.outcomes(record)
            reference.outcomes(record)
        taken: dict[str, list[float]] = {"durable": [], "reference": []}
        for record in records:
            for name, matcher in (("durable", durable), ("reference", reference)):
                began = time.perf_counter()
                matcher.outcomes(record)
                taken[name].append(time.perf_counter() - began)
        _show("matcher alone, random cases", taken)
        whole: dict[str, list[float]] = {"durable": [], "reference": []}
        desks = {"durable": Desk(rulebook, durable), "reference": Desk(rulebook, reference)}
        for number in range(max(10, cases // 10)):
            for name, desk in desks.items():
                whole[name] += _submit(desk, number)
        _show("whole answer to an event, one lease case", whole)


def _submit(desk: Desk, number: int) -> list[float]:
    case: Case = open_case(f"c{number}", "parcel_supply")
    taken = []
    before = None
    for minute, facts in enumerate(_EVENTS):
        event = Event(datetime(2023, 6, 1, 9, minute), set=facts)  # noqa: DTZ001 - the clock on an office's wall
        began = time.perf_counter()
        case, answer = desk.submit(case, event, before=before)
        taken.append(time.perf_counter() - began)
        before = answer.outcomes
    return taken


def _show(title: str, taken: dict[str, list[float]]) -> None:
    print(title)
    middle: Callable[[str], float] = lambda name: statistics.median(taken[name])  # noqa: E731 - used twice, here
    for name, seconds in taken.items():
        tail = statistics.quantiles(seconds, n=20)[-1]
        print(
            f"  {name:9} median {middle(name) * 1e3:7.2f} ms   p95 {tail * 1e3:7.2f} ms   ({len(seconds)} events)"
        )
    print(f"  ratio of medians durable/reference {middle('durable') / middle('reference'):.2f}")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 300, int(given[1]) if len(given) > 1 else 1, given[2:])
