"""Both matchers of a case on random cases over all rules: how many verdicts, of which kinds, and how many differ.

python benchmarks/case_differential.py [SECONDS] [SEED] [RULESETS…]
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from case.random_cases import arrivals, focuses
from landrules.engine.case.matchers import DurableMatcher, open_matcher
from landrules.engine.rulebook import Rulebook


def main(seconds: float, seed: int, rulesets: list[str]) -> int:
    rulebook = Rulebook.load(*rulesets)
    rng = random.Random(seed)
    targets = focuses(rulebook)
    verdicts: Counter[str] = Counter()
    seen: dict[str, set[str]] = {}
    cases = events = differing = 0
    end = time.monotonic() + seconds
    with open_matcher("durable", rulebook) as durable, open_matcher("reference", rulebook) as reference:
        assert isinstance(durable, DurableMatcher)
        while time.monotonic() < end:
            cases += 1
            for record in arrivals(targets[cases % len(targets)], rng):
                events += 1
                first, second = durable.outcomes(record), reference.outcomes(record)
                for rule, outcome in second.items():
                    if first[rule] != outcome:
                        differing += 1
                        print("DIFFERS", rule, first[rule], outcome, record.entries, sep="\n  ")
                    verdicts[f"{outcome.verdict}{'/' + outcome.stage if outcome.stage else ''}"] += 1
                    seen.setdefault(rule, set()).add(str(outcome.verdict))
        print(f"rules {len(rulebook.rules)}, cases {cases}, events {events}, verdicts {verdicts.total()}")
        print(", ".join(f"{name} {count}" for name, count in verdicts.most_common()))
        both = sum({"符合", "违反"} <= kinds for kinds in seen.values())
        print(f"rules seen both 符合 and 违反: {both} of {len(rulebook.rules)}")
        print(f"worker restarts {durable.restarts}, fallbacks {durable.fallbacks}, DIFFERENCES {differing}")
    return 1 if differing or durable.fallbacks or not durable.available else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    given = float(arguments[0]) if arguments else 60.0
    sys.exit(main(given, int(arguments[1]) if len(arguments) > 1 else 1, arguments[2:]))
