"""Replays an event log: the final state of every case as a record of `landrules/report/1`, and the answers on the way.

Verdicts are the matcher's; what explains them (values, limits, missing facts, marks) is `check`'s on the same facts.
Where the two differ nothing is patched: the finding becomes 执行错误 and says what each of them came to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from loguru import logger

from landrules.engine.case.deadlines import DueItem
from landrules.engine.case.events import Log, cases_of, records_of
from landrules.engine.case.matchers import Matcher
from landrules.engine.case.model import Case, open_case
from landrules.engine.case.questions import Outcome
from landrules.engine.case.session import Answer, Desk
from landrules.engine.checking import check, prepare
from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.finding import failed
from landrules.engine.findings.model import CheckOptions, Finding, InputFile, RecordFindings, Report
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.configuration import Configuration
from landrules.facts.calendar import Workdays
from landrules.facts.notes import Note
from landrules.facts.records import Record

__all__ = ["answer_json", "answers", "due_json", "final_report"]

Progress = Callable[[int, int], None]


def final_report(
    rulebook: Rulebook,
    log: Log,
    matcher: Matcher,
    options: CheckOptions,
    *,
    file: str,
    configuration: Configuration | None = None,
    workdays: Workdays | None = None,
    settings: Sequence[Note] = (),
    progress: Progress | None = None,
) -> Report:
    """The report on all cases of a log as they stand at its end, judged together as `check` judges records."""
    workdays = workdays or Workdays()
    cases = cases_of(log, rulebook.vocabulary)
    records = records_of(cases, rulebook.vocabulary)
    report = check(
        rulebook,
        records,
        options,
        configuration=configuration,
        workdays=workdays,
        inputs=(InputFile(file, log.hash),),
        notes=(*settings, *log.notes),
    )
    prepared = prepare(rulebook, records, options, configuration, workdays)
    explained = []
    for number, (record, found) in enumerate(zip(prepared, report.records, strict=True), 1):
        explained.append(_explained(rulebook, found, matcher.outcomes(record)))
        if progress is not None:
            progress(number, len(prepared))
    return replace(report, records=tuple(explained))


def answers(desk: Desk, log: Log) -> Iterator[Answer]:
    """The answer after each line of a log; derivations over related rows read the other cases as they then stand.

    What is new in an answer is new since the last answer of the same case.
    """
    cases: dict[str, Case] = {}
    records: dict[str, Record] = {}
    before: dict[str, Mapping[str, Outcome]] = {}
    for line in log.lines:
        case = cases.get(line.case) or open_case(line.case, line.subject)
        related = desk.options.derive and line.subject in desk.rulebook.derivations
        beside = [
            record
            for name, record in records.items()
            if related and name != line.case and record.subject == line.subject
        ]
        after, answer = desk.submit(case, line.event, beside=beside, before=before.get(line.case))
        cases[line.case], before[line.case] = after, answer.outcomes
        if related:
            records[line.case] = desk.record(after)
        yield answer


def _explained(rulebook: Rulebook, found: RecordFindings, outcomes: Mapping[str, Outcome]) -> RecordFindings:
    findings = tuple(
        _finding(rulebook, found.id, finding, outcomes.get(finding.rule)) for finding in found.findings
    )
    asked: Sequence[str] = [finding.rule for finding in found.findings]
    return replace(found, findings=findings) if list(outcomes) == asked else _misasked(rulebook, found)


def _finding(rulebook: Rulebook, case: str, finding: Finding, matched: Outcome | None) -> Finding:
    """The finding where the matcher came to the same; else 执行错误."""
    explained = Outcome(finding.verdict, finding.stage if finding.verdict is Verdict.OPEN else None)
    if matched is not None and (matched.verdict, matched.stage) == (explained.verdict, explained.stage):
        return finding
    came = "没有结论" if matched is None else _words(matched)
    logger.bind(case=case, rule=finding.rule).error(
        "匹配器与参照求值器不一致：{}，{}", came, _words(explained)
    )
    versions = rulebook.rules[finding.rule]
    return failed(versions[-1], f"匹配器得“{came}”，参照求值器得“{_words(explained)}”，两者不一致")


def _misasked(rulebook: Rulebook, found: RecordFindings) -> RecordFindings:
    findings = tuple(
        failed(rulebook.rules[finding.rule][-1], "匹配器所问的规则与参照求值器不同")
        for finding in found.findings
    )
    return replace(found, findings=findings)


def _words(outcome: Outcome) -> str:
    stages = {"applicability": "（可能适用）", "requirement": "（缺资料）", None: ""}
    return f"{outcome.verdict}{stages[outcome.stage]}"


def answer_json(answer: Answer) -> dict[str, object]:
    """An answer as plain JSON."""
    return {
        "case": answer.case,
        "number": answer.number,
        "event": answer.event,
        "newly_violated": list(answer.newly_violated),
        "newly_settled": list(answer.newly_settled),
        "newly_open": list(answer.newly_open),
        "violated": list(answer.violated),
        "lacking": list(answer.lacking),
        "possible": list(answer.possible),
        "failed": list(answer.failed),
        "due": [due_json(item) for item in answer.due],
        "overdue": list(answer.overdue),
        "step": {"step": answer.step.step, "why": answer.step.why, "because": list(answer.step.because)},
    }


def due_json(item: DueItem) -> dict[str, object]:
    """A deadline as plain JSON."""
    return {
        "case": item.case,
        "rule": item.rule,
        "title": item.title,
        "clause": item.clause,
        "state": item.state,
        "due": item.due and item.due.isoformat(),
        "written": item.written and item.written.isoformat(),
        "done": item.done and item.done.isoformat(),
        "left": item.left,
        "applies": item.applies,
        "reason": item.reason,
    }
