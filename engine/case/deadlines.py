"""Deadlines across cases: what is due when, with clocks that stop while material is supplied.

The due day is that of the 期限 in a rule. While a case is suspended (停表), periods counted in working days or days stand
still: the due day moves on by the working days, or days, on which the clock stood (the day of stopping counts, the day of
resuming counts as stopped, as the first day of a period never counts). Fixed days and periods in months and years run
on. Where a rule reads the time to be deducted from a fact of the case (补正扣除工作日), that fact is used and nothing is
added. The verdict of the rule itself does not know of stopped clocks: it is `check`'s, on the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Literal

from landrules.engine.case.model import Case, Span
from landrules.engine.case.questions import Asked, questions
from landrules.engine.evaluate.reference import Situation, evaluate, evaluate_truth, missing_year
from landrules.engine.findings.model import CheckOptions
from landrules.engine.language import tree as t
from landrules.engine.rulebook import Rulebook
from landrules.facts.calendar import Workdays
from landrules.facts.records import Record
from landrules.facts.vocabulary import Subject

__all__ = ["DueItem", "DueState", "deadlines", "due_items"]

DueState = Literal["今日到期", "本周到期", "未到期", "停表", "逾期", "按期完成", "逾期完成", "未知"]


@dataclass(frozen=True, slots=True)
class DueItem:
    """One deadline of one case on one day.

    `due` is the last day, clock stops included, `written` the one without them. `left` are the days from the day asked
    to the last one, negative when it has passed. `applies` is False where it is not certain that the rule applies.
    `reason` says why a state is 未知, or what else to know.
    """

    case: str
    rule: str
    title: str
    clause: str
    state: DueState
    due: date | None = None
    written: date | None = None
    done: date | None = None
    left: int | None = None
    applies: bool = True
    reason: str = ""


def deadlines(
    cases: Sequence[Case],
    records: Sequence[Record],
    on: date,
    *,
    rulebook: Rulebook,
    options: CheckOptions | None = None,
    workdays: Workdays | None = None,
) -> tuple[DueItem, ...]:
    """The deadlines of all cases on a day: the soonest first, then by case and rule, those unknown last.

    `records` are the prepared records of the cases, in the same order.
    """
    found = [
        item
        for case, record in zip(cases, records, strict=True)
        for item in due_items(case, record, on, rulebook=rulebook, options=options, workdays=workdays)
    ]
    return tuple(
        sorted(found, key=lambda item: (item.due is None, item.due or date.max, item.case, item.rule))
    )


def due_items(
    case: Case,
    record: Record,
    on: date,
    *,
    rulebook: Rulebook,
    options: CheckOptions | None = None,
    workdays: Workdays | None = None,
) -> tuple[DueItem, ...]:
    """The deadlines of one case, in the order of rules; none for rules that certainly do not apply."""
    workdays = workdays or Workdays()
    subject = rulebook.vocabulary.subjects[record.subject]
    result = []
    asked_of = questions(
        rulebook, record, options or CheckOptions(), workdays, only=lambda rule: bool(rule.text.due)
    )
    for question in asked_of:
        for asked in question.asked:
            nodes = [node for node in t.walk(asked.parts.met) if isinstance(node, t.Deadline)]
            if not nodes:
                continue
            try:
                applies = _applies(asked, question.gate)
                if applies is False:
                    continue
                found = [_item(case, asked, node, on, subject) for node in dict.fromkeys(nodes)]
            except Exception as error:  # noqa: BLE001 - one broken rule must never hide the others (DESIGN §2)
                found = [_blank(case, asked, f"执行错误：{error}")]
                applies = None
            result += [replace(item, applies=applies is True) for item in found]
            break
    return tuple(result)


def _applies(asked: Asked, gate: bool | None) -> bool | None:
    when = evaluate_truth(asked.parts.when, asked.situation)
    excluded = None if when is False else evaluate_truth(asked.parts.exclude, asked.situation)
    if when is False or excluded is True:
        return False
    return True if when is True and excluded is False and gate is True else None


def _blank(case: Case, asked: Asked, reason: str) -> DueItem:
    return DueItem(case.id, asked.rule.id, asked.rule.title, asked.rule.clause, "未知", reason=reason)


def _item(case: Case, asked: Asked, node: t.Deadline, on: date, subject: Subject) -> DueItem:
    situation = asked.situation
    written = evaluate(node.due, situation)
    if not isinstance(written, date):
        return _blank(case, asked, _why_unknown(node.due, situation, subject))
    stopped = [Span(span.start, span.end or max(on, span.start)) for span in case.stops]
    due = evaluate(_with_stops(node.due, situation, stopped), situation)
    done = evaluate(node.done, situation)
    finished = done is not None if node.flag is None else evaluate_truth(node.flag, situation)
    item = replace(_blank(case, asked, ""), written=written)
    if not isinstance(due, date):
        return replace(item, reason=_why_unknown(node.due, situation, subject) or "停表期间的放假安排不全")
    item = replace(item, due=due, left=(due - on).days)
    if finished is True:
        if not isinstance(done, date):
            return replace(item, reason=f"已完成，缺{_labels(node.done, situation, subject)}")
        return replace(item, done=done, left=None, state="按期完成" if done <= due else "逾期完成")
    if due < on:
        return replace(
            item, state="逾期", reason="" if finished is False or node.flag is None else "未填是否完成"
        )
    if case.suspended:
        return replace(item, state="停表", reason=f"自 {case.stops[-1].start} 停表，末日随恢复计时顺延")
    if due == on:
        return replace(item, state="今日到期")
    this_week = due.isocalendar()[:2] == on.isocalendar()[:2]
    return replace(item, state="本周到期" if this_week else "未到期")


def _with_stops(node: t.Expression, situation: Situation, stops: Sequence[Span]) -> t.Expression:
    """The expression in which every period in days or working days ends later by the time the clock stood."""
    if not stops or not any(isinstance(part, t.AddDays | t.AddWorkdays) for part in t.walk(node)):
        return node
    changes: dict[str, object] = {}
    for spec in fields(node):
        part = getattr(node, spec.name)
        if isinstance(part, tuple) and any(part is child for child in _tuples(node)):
            changes[spec.name] = tuple(_with_stops(item, situation, stops) for item in part)
        elif any(part is child for child in t.children(node)):
            changes[spec.name] = _with_stops(part, situation, stops)
    node = replace(node, **changes)  # type: ignore[arg-type]  # the fields of this very node
    if not isinstance(node, t.AddDays | t.AddWorkdays) or _deducts(node.span, situation.values):
        return node
    start, end = evaluate(node.day, situation), evaluate(node, situation)
    if not isinstance(start, date) or not isinstance(end, date):
        return node
    return _stopped(node, start, end, situation, stops)


def _tuples(node: t.Expression) -> Iterator[tuple[object, ...]]:
    """The operands of a node that are tuples of expressions."""
    below = list(t.children(node))
    for spec in fields(node):
        part = getattr(node, spec.name)
        if isinstance(part, tuple) and part and all(any(item is child for child in below) for item in part):
            yield part


def _deducts(span: t.Expression, values: Mapping[str, object]) -> bool:
    """Whether the length of a period is stated by the case itself, so that stopped time is in it already."""
    return any(key in values for key in t.facts_of(span))


def _stopped(
    node: t.AddDays | t.AddWorkdays, start: date, end: date, situation: Situation, stops: Sequence[Span]
) -> t.Expression:
    """A later end: days on which the clock stood do not count; the rest of the period does."""
    moved, counted = end, -1
    while True:
        days = _days_within(stops, start, moved)
        if isinstance(node, t.AddDays):
            stood = len(days)
            later: date | None = end + timedelta(days=stood)
        else:
            stood = sum(situation.workdays.is_workday(day) is True for day in days)
            later = situation.workdays.add(end, stood)
        if stood == counted or later is None:
            return node if later is None else t.DateConstant(later)
        moved, counted = later, stood


def _days_within(stops: Sequence[Span], start: date, end: date) -> set[date]:
    """The days after `start`, up to `end`, on which the clock stood."""
    days: set[date] = set()
    for span in stops:
        day = max(span.start, start) + timedelta(days=1)
        last = min(span.end or end, end)
        while day <= last:
            days.add(day)
            day += timedelta(days=1)
    return days


def _why_unknown(node: t.Expression, situation: Situation, subject: Subject) -> str:
    for part in t.walk(node):
        if isinstance(part, t.AddWorkdays | t.RollWorkday) and (year := missing_year(part, situation)):
            return f"缺{year}年放假安排"
    labels = _labels(node, situation, subject)
    return f"缺{labels}" if labels else "文件未给出期限的数值"


def _labels(node: t.Expression, situation: Situation, subject: Subject) -> str:
    keys = [key for key in t.facts_of(node) if key not in situation.values]
    return "、".join(subject.facts[key].label if key in subject.facts else key for key in keys)
