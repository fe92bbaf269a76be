"""How long a table takes: reading it, checking it and writing the report, as ratios to reading, in one run.

Usage: python benchmarks/check_table.py [ROWS]. The rows are invented; half of them differ in one fact from all others.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from landrules.engine import CheckOptions, Rulebook, check, render_html, render_json
from landrules.facts.read_records import read_records

PLACES = ("海勃湾区", "谯城区", "汉滨区", "忻府区")
MODES = ("出让", "长期租赁", "先租后让", "弹性年期出让")


def rows(count: int) -> list[dict[str, object]]:
    """Invented records, a quarter in each of four cities."""
    made: list[dict[str, object]] = []
    for number in range(count):
        facts: dict[str, object] = {
            "行政区": PLACES[number % 4],
            "行为日期": "2023-06-01",
            "供应方式": MODES[number // 4 % 4],
            "出让年期": 20 + number % 40,
            "宗地面积": f"{1 + number % 2 * number / 10000:.4f}",
        }
        made.append({"subject": "parcel_supply", "id": str(number), "facts": facts})
    return made


def main(count: int) -> None:
    """Measure once and print."""
    rulebook = Rulebook.load(subjects=["parcel_supply"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(count)), "utf-8")
        began = time.perf_counter()
        reading = read_records(path, rulebook.vocabulary)
        read = time.perf_counter()
    report = check(rulebook, reading.records, CheckOptions())
    checked = time.perf_counter()
    as_json = render_json(report)
    written = time.perf_counter()
    as_html = render_html(report)
    shown = time.perf_counter()
    base = read - began
    verdicts = sum(len(record.findings) for record in report.records)
    print(f"{count} rows, {verdicts} verdicts; read 1.0 ({base:.2f} s)")
    print(
        f"check {(checked - read) / base:.1f}, json {(written - checked) / base:.1f} ({len(as_json) / 1e6:.1f} MB), ",
        end="",
    )
    print(f"html {(shown - written) / base:.1f} ({len(as_html) / 1e6:.1f} MB)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
