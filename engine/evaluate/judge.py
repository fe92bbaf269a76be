"""One rule on one situation: the truths of its parts and the verdict (CONVENTIONS §3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from landrules.engine.evaluate.algebra import Truth, Verdict, decide, disjunction
from landrules.engine.evaluate.reference import Situation, evaluate_truth
from landrules.engine.language import tree as t
from landrules.engine.rulebook.model import Rule
from landrules.facts.records import Entry

__all__ = ["Judgement", "Parts", "judge", "parts_of", "presuming_nodes", "unsettled"]

DEVIATION = t.Coalesce(t.FactValue("deviation_justified", "偏离理由是否已书面认可"), t.TruthConstant(False))
"""The general channel of 原则上: unfilled is read as 'none', and that is not a question to ask (CONVENTIONS §3)."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The three expressions that decide a verdict; `deviation` tells whether the general channel is open."""

    when: t.Expression
    exclude: t.Expression
    met: t.Expression
    deviation: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The truths of the parts, without and with an accepted deviation, and the verdict they give."""

    when: Truth
    exclude: Truth
    met: Truth
    verdict: Verdict
    deviated: bool = False


def parts_of(rule: Rule) -> Parts:
    """The expressions of a rule in the form the verdict table reads."""
    met = rule.require if rule.unless is None else t.Or((rule.require, rule.unless))
    exclude = t.TruthConstant(False) if rule.exclude is None else rule.exclude
    return Parts(rule.when, exclude, met, rule.strength == "原则上" and not rule.closed)


def presuming_nodes(parts: Parts) -> tuple[t.Expression, ...]:
    """The nodes of a rule that may answer although a fact is missing, each once, in reading order."""
    found: dict[t.Expression, None] = {}
    for root in (parts.when, parts.exclude, parts.met):
        for node in t.walk(root):
            if isinstance(node, t.Coalesce | t.IsKnown | t.ApplicableMinimumPrice | t.NotYetDue | t.Deadline):
                found[node] = None
    return tuple(found)


def unsettled(nodes: Iterable[t.Expression], entries: Mapping[str, Entry]) -> frozenset[t.Expression]:
    """The presumptions that may not be made: those about a fact that is written, but unusable.

    A default speaks for a blank. Where something stands that could not be read, nothing is presumed of it, so that
    nothing is 符合 after an error (DESIGN §2).
    """
    unusable = {key for key, entry in entries.items() if entry.state == "invalid"}
    if not unusable:
        return frozenset()
    return frozenset(node for node in nodes if unusable.intersection(_presumed_facts(node)))


def _presumed_facts(node: t.Expression) -> tuple[str, ...]:
    match node:
        case t.Coalesce(value=value) | t.IsKnown(value=value):
            return t.facts_of(value)
        case t.ApplicableMinimumPrice(adjusted=adjusted, term=term):
            return (*t.facts_of(adjusted), *t.facts_of(term))
        case t.Deadline(done=done):
            return t.facts_of(done)
        case _:
            return ()


def judge(parts: Parts, situation: Situation) -> Judgement:
    """Evaluate the parts and decide.

    Raises:
        ExecutionError: where a part cannot be evaluated.
    """
    when = evaluate_truth(parts.when, situation)
    exclude: Truth = False
    met: Truth = None
    deviated = False
    if when is not False:
        exclude = evaluate_truth(parts.exclude, situation)
        met = evaluate_truth(parts.met, situation)
        if parts.deviation and met is not True:
            deviated = evaluate_truth(DEVIATION, situation) is True
            met = disjunction((met, deviated))
    return Judgement(when, exclude, met, decide(when, exclude, met), deviated)
