"""From a report on one record to what a process branches on and shows: plain JSON, nothing of SpiffWorkflow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import Finding, RecordFindings, Report
from landrules.engine.report.summary import status_of, summarise

__all__ = ["Conclusion", "conclusion_of", "opinion_of"]

Conclusion = Literal["执行错误", "违反", "缺资料", "须会审", "符合", "无适用规则"]
"""What a process branches on; the first that fits. The order is that of `engine/case/routing.yaml`.

执行错误: a rule failed, so nobody may read the rest as 符合. 违反: of a 必须 rule. 缺资料: a 必须 or 原则上 rule applies and
facts are missing. 须会审: only 原则上 rules are violated, or whether a 必须 or 原则上 rule applies is open.
"""


def conclusion_of(record: RecordFindings) -> Conclusion:
    """What the findings of a record come to."""
    found: set[Conclusion] = set()
    for finding in record.findings:
        weighty = finding.level != "信息"
        match finding.verdict:
            case Verdict.ERROR:
                found.add("执行错误")
            case Verdict.VIOLATED if weighty:
                found.add("违反" if finding.level == "错误" else "须会审")
            case Verdict.OPEN if weighty:
                found.add("缺资料" if finding.stage == "requirement" else "须会审")
            case Verdict.MET:
                found.add("符合")
            case _:
                pass
    if record.error:
        return "执行错误"
    order: tuple[Conclusion, ...] = ("执行错误", "违反", "缺资料", "须会审", "符合")
    return next((name for name in order if name in found), "无适用规则")


def opinion_of(report: Report) -> dict[str, Any]:
    """The 预审意见 on the first record of a report, small enough to be kept in the data of a process.

    `violations`, `lacking` (适用，缺资料), `possible` (可能适用) and `failed` list findings; `missing` the facts that are lacking.
    """
    record = report.records[0]
    summary = summarise(report)
    open_ones = [finding for finding in record.findings if finding.verdict is Verdict.OPEN]
    lacking = [finding for finding in open_ones if finding.stage == "requirement"]
    labels: dict[str, str] = {}
    for finding in lacking:
        labels.update(zip(finding.missing, finding.missing_labels, strict=False))
    return {
        "title": "预审意见",
        "conclusion": conclusion_of(record),
        "status": status_of(record),
        "verdicts": dict(summary.verdicts),
        "violations": _told(record.findings, Verdict.VIOLATED),
        "lacking": _told(lacking),
        "possible": _told(finding for finding in open_ones if finding.stage != "requirement"),
        "failed": _told(record.findings, Verdict.ERROR),
        "error": record.error,
        "missing": [{"key": key, "label": label} for key, label in labels.items()],
        "notes": [note.describe() for note in (*record.notes, *report.notes) if note.severity != "info"],
        "engine": report.engine,
        "rulesets": {used.id: used.hash for used in report.rulesets},
        "input_hash": report.input_hash,
    }


def _told(findings: Iterable[Finding], verdict: Verdict | None = None) -> list[dict[str, str]]:
    return [
        {
            "rule": finding.rule,
            "title": finding.title,
            "clause": finding.clause,
            "level": finding.level,
            "message": finding.message,
        }
        for finding in findings
        if verdict is None or finding.verdict is verdict
    ]
