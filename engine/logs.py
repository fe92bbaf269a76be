"""What the library logs, through loguru, without configuring it: silent until the host says `logger.enable("landrules")`.

A check leaves one record with `records`, `rules_failed` and `seconds`, and one more for every rule that could not be
executed, with `record`, `rule` and `document`. Cases log likewise with `case` (see `landrules.engine.case`). No record
carries the contents of what is checked.
"""

from __future__ import annotations

from loguru import logger

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import Report

__all__ = ["log_report"]


def log_report(report: Report, seconds: float) -> None:
    """Tell the log what a check came to."""
    failed = 0
    for record in report.records:
        for finding in record.findings:
            if finding.verdict is Verdict.ERROR:
                failed += 1
                logger.bind(record=record.id, rule=finding.rule, document=finding.document).error(
                    "规则未能执行，其他规则照常判断"
                )
    log = logger.bind(records=len(report.records), rules_failed=failed, seconds=seconds)
    log.info("预检 {count} 条记录，用时 {time:.3f} 秒", count=len(report.records), time=seconds)
