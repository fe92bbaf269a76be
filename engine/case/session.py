"""A case kept open: each event gives the case after it and what to tell about it.

    with open_matcher("durable", rulebook) as matcher:
        desk = Desk(rulebook, matcher)
        case, answer = desk.submit(open_case("2023-17", "parcel_supply"), Event(at, set={"供应方式": "长期租赁"}))

Nothing of a case is kept here or in the matcher: “newly violated” compares what the case comes to before and after the
event, each worked out afresh from its facts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from loguru import logger

from landrules.engine.case.deadlines import DueItem, due_items
from landrules.engine.case.events import records_of
from landrules.engine.case.matchers import Matcher
from landrules.engine.case.model import Case, Event, EventKind, apply_event
from landrules.engine.case.questions import Outcome, marks_of, questions
from landrules.engine.case.routing import NextStep, Routing, Standing, load_routing, next_step
from landrules.engine.checking import check, prepare
from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.finding import LEVELS
from landrules.engine.findings.model import CheckOptions, Level, Mark, RecordFindings
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.configuration import Configuration
from landrules.facts.calendar import Workdays
from landrules.facts.read_headings import Names, names_of
from landrules.facts.records import Record

__all__ = ["Answer", "Desk"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell after event `number` of a case; all tuples hold rule ids in their order.

    `newly_violated` are raised by this event; `newly_settled` were open or violated before and are 符合 or 不适用 now (with
    the first event: are 符合); `newly_open` were not open before. `violated`, `lacking` (适用，缺资料), `possible` (可能适用) and `failed` (执行错误) are how
    the case stands now.
    """

    case: str
    number: int
    event: EventKind
    outcomes: Mapping[str, Outcome]
    newly_violated: tuple[str, ...]
    newly_settled: tuple[str, ...]
    newly_open: tuple[str, ...]
    violated: tuple[str, ...]
    lacking: tuple[str, ...]
    possible: tuple[str, ...]
    failed: tuple[str, ...]
    due: tuple[DueItem, ...]
    overdue: tuple[str, ...]
    step: NextStep


@dataclass(slots=True)
class Desk:
    """Submits events to cases: rules, a matcher, and how to judge. Thread-safe with a thread-safe matcher.

    `matcher` must have been opened with the same rulebook, options and workdays.
    """

    rulebook: Rulebook
    matcher: Matcher
    options: CheckOptions = field(default_factory=CheckOptions)
    routing: Routing = field(default_factory=load_routing)
    configuration: Configuration | None = None
    workdays: Workdays = field(default_factory=Workdays)
    _names: dict[str, Names] = field(default_factory=dict, init=False, repr=False)

    def submit(
        self,
        case: Case,
        event: Event,
        *,
        beside: Sequence[Record] = (),
        before: Mapping[str, Outcome] | None = None,
    ) -> tuple[Case, Answer]:
        """The case after the event, and what to tell about it.

        `beside` are the records (`record`) of other cases, whose rows derivations may read; `before` what the case came to before the event
        (`Answer.outcomes` of the last answer), worked out again where it is not given.
        """
        began = time.perf_counter()
        if before is None:
            before = self.outcomes(case, beside) if case.log else {}
        after = apply_event(case, event, self._names_of(case.subject))
        records = self.prepared((self.record(after), *beside))
        now = self.matcher.outcomes(records[0])
        answer = self._answer(after, event.at.date(), records[0], before, now)
        seconds = time.perf_counter() - began
        log = logger.bind(case=after.id, event=answer.event, seconds=seconds)
        log.debug("案件事件：下一步 {step}", step=answer.step.step)
        return after, answer

    def outcomes(self, case: Case, beside: Sequence[Record] = ()) -> Mapping[str, Outcome]:
        """What each rule comes to on the case as it stands."""
        return self.matcher.outcomes(self.prepared((self.record(case), *beside))[0])

    def findings(self, case: Case, beside: Sequence[Record] = ()) -> RecordFindings:
        """The full findings of the case as it stands: exactly what `check` gives on its facts."""
        records = (self.record(case), *beside)
        report = check(
            self.rulebook, records, self.options, configuration=self.configuration, workdays=self.workdays
        )
        return report.records[0]

    def record(self, case: Case) -> Record:
        """The record of a case as it stands, as read from an input file."""
        return records_of((case,), self.rulebook.vocabulary)[0]

    def prepared(self, records: Sequence[Record]) -> list[Record]:
        """Records with options, configuration and derivations, as rules read them."""
        return prepare(self.rulebook, records, self.options, self.configuration, self.workdays)

    def _names_of(self, subject: str) -> Names:
        found = self._names.get(subject)
        if found is None:
            vocabulary = self.rulebook.vocabulary
            found = self._names[subject] = names_of(vocabulary, vocabulary.subjects[subject])
        return found

    def _answer(
        self, case: Case, on: date, record: Record, before: Mapping[str, Outcome], now: Mapping[str, Outcome]
    ) -> Answer:
        due = due_items(
            case, record, on, rulebook=self.rulebook, options=self.options, workdays=self.workdays
        )
        overdue = tuple(dict.fromkeys(item.rule for item in due if item.state == "逾期" and item.applies))
        kinds = [event.kind for event in case.log if event.kind is not None]
        levels: dict[str, Level] = {rule: LEVELS[self.rulebook.rules[rule][-1].strength] for rule in now}

        def marks() -> dict[str, Sequence[Mark]]:
            subject = self.rulebook.vocabulary.subjects[record.subject]
            asked = questions(self.rulebook, record, self.options, self.workdays)
            return {question.rule.id: marks_of(question, record, subject) for question in asked}

        standing = Standing(case.subject, now, levels, marks, kinds, case.suspended, overdue)
        was = {rule: outcome.verdict for rule, outcome in before.items()}
        unsettled = (Verdict.OPEN, Verdict.VIOLATED, Verdict.ERROR)

        def those(*verdicts: Verdict, stage: str | None = None) -> tuple[str, ...]:
            return tuple(
                rule
                for rule, outcome in now.items()
                if outcome.verdict in verdicts and (stage is None or outcome.stage == stage)
            )

        violated, still_open = those(Verdict.VIOLATED), those(Verdict.OPEN)
        settled = those(Verdict.MET, Verdict.NOT_APPLICABLE)
        return Answer(
            case=case.id,
            number=len(case.log),
            event=kinds[-1],
            outcomes=now,
            newly_violated=tuple(rule for rule in violated if was.get(rule) is not Verdict.VIOLATED),
            newly_settled=tuple(
                rule
                for rule in settled
                if (was[rule] in unsettled if rule in was else now[rule].verdict is Verdict.MET)
            ),
            newly_open=tuple(rule for rule in still_open if was.get(rule) is not Verdict.OPEN),
            violated=violated,
            lacking=those(Verdict.OPEN, stage="requirement"),
            possible=those(Verdict.OPEN, stage="applicability"),
            failed=those(Verdict.ERROR),
            due=due,
            overdue=overdue,
            step=next_step(self.routing, standing),
        )
