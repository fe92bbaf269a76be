"""What a record is asked: each rule with its gate passed, its version chosen and its situation, before any matching.

Both matchers start from the same questions, so that they can differ only in how conditions are joined into a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from landrules.engine.checking import selected_rules
from landrules.engine.evaluate.algebra import Stage, Verdict, stage_of
from landrules.engine.evaluate.derive import known_values
from landrules.engine.evaluate.judge import Parts, judge, parts_of, presuming_nodes, unsettled
from landrules.engine.evaluate.reference import Situation
from landrules.engine.evaluate.situations import day_of, parameters_on, tables_on
from landrules.engine.findings.finding import judged, rule_in_use
from landrules.engine.findings.model import CheckOptions, Mark
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.model import Rule
from landrules.engine.rulebook.select import gate
from landrules.facts.calendar import Workdays
from landrules.facts.records import Record, Value
from landrules.facts.vocabulary import Subject

__all__ = ["Asked", "Outcome", "Question", "Said", "marks_of", "outcome", "questions", "say"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule comes to in a case; `message` says why where it could not be executed."""

    verdict: Verdict
    stage: Stage | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One version of a rule on one record; `version` is its place among the versions of the rule."""

    rule: Rule
    version: int
    parts: Parts
    situation: Situation


@dataclass(frozen=True, slots=True)
class Question:
    """One rule on one record.

    `gate` is False where place or date shut the rule out: then there is nothing to ask, and `asked` is empty. Else
    `asked` holds the versions that may be the one, the first to speak first. `error` says that the question could not
    even be put.
    """

    rule: Rule
    gate: bool | None
    asked: tuple[Asked, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of one asked version: its verdict before the gate, and whether it certainly applies."""

    verdict: Verdict
    stage: Stage | None = None
    message: str = ""


def questions(
    rulebook: Rulebook,
    record: Record,
    options: CheckOptions,
    workdays: Workdays,
    *,
    only: Callable[[Rule], bool] | None = None,
) -> Iterator[Question]:
    """The questions of a prepared record (`landrules.engine.checking.prepare`), in the order of rule ids.

    `only` limits them to rules with a version for which it holds.
    """
    values = known_values(record.entries)
    for versions in selected_rules(rulebook, record.subject, options):
        if only is not None and not any(map(only, versions)):
            continue
        try:
            passed = gate(versions, rulebook.documents[versions[0].document], record.entries)
            if passed.open is False:
                yield Question(passed.version, gate=False)
                continue
            day = passed.day or day_of(values)
            asked = tuple(
                _asked(rule, versions.index(rule), record, values, day, workdays)
                for rule in reversed(passed.candidates)
            )
            yield Question(passed.version, passed.open, asked)
        except Exception as error:  # noqa: BLE001 - one broken rule must never stop a case (DESIGN §2)
            yield Question(versions[0], gate=None, error=_describe(error))


def say(asked: Asked) -> Said:
    """What the reference evaluator says of one version."""
    try:
        judgement = judge(asked.parts, asked.situation)
    except Exception as error:  # noqa: BLE001 - as above
        return Said(Verdict.ERROR, message=_describe(error))
    stage = stage_of(judgement.when, judgement.exclude) if judgement.verdict is Verdict.OPEN else None
    return Said(judgement.verdict, stage)


def outcome(question: Question, speak: Callable[[Asked], Said]) -> Outcome:
    """The outcome of a question, given what is said of each version: the first that may apply speaks for all.

    A gate that is not known to be open leaves everything but 不适用 open (CONVENTIONS §4).
    """
    if question.error:
        return Outcome(Verdict.ERROR, message=question.error)
    if question.gate is False:
        return Outcome(Verdict.NOT_APPLICABLE)
    each = [speak(asked) for asked in question.asked]
    failed = next((said for said in each if said.verdict is Verdict.ERROR), None)
    if failed is not None:
        return Outcome(Verdict.ERROR, message=failed.message)
    applying = (said for said in each if said.verdict is not Verdict.NOT_APPLICABLE)
    said = next(applying, Said(Verdict.NOT_APPLICABLE))
    if said.verdict is Verdict.NOT_APPLICABLE:
        return Outcome(Verdict.NOT_APPLICABLE)
    if question.gate is None:
        return Outcome(Verdict.OPEN, "applicability")
    return Outcome(said.verdict, said.stage)


def marks_of(question: Question, record: Record, subject: Subject) -> tuple[Mark, ...]:
    """The marks of the finding for a question, without the search for what is missing; none where it does not apply."""
    for asked in question.asked:
        try:
            judgement = judge(asked.parts, asked.situation)
            if judgement.verdict is Verdict.NOT_APPLICABLE:
                continue
            return judged(
                rule_in_use(asked.rule),
                judgement,
                asked.situation,
                record.entries,
                subject,
                verdict=judgement.verdict,
                stage=stage_of(judgement.when, judgement.exclude),
                missing=(),
                gate_message="",
            ).marks
        except Exception:  # noqa: BLE001 - a rule that cannot be executed has no marks; its outcome says so
            return ()
    return ()


def _asked(
    rule: Rule,
    version: int,
    record: Record,
    values: Mapping[str, Value],
    day: date | None,
    workdays: Workdays,
) -> Asked:
    parts = parts_of(rule)
    situation = Situation(values, workdays, parameters_on(rule, day), tables_on(rule, day))
    return Asked(
        rule, version, parts, situation.suspending(*unsettled(presuming_nodes(parts), record.entries))
    )


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}：{error}"
