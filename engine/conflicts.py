"""Provisions that do not agree and both apply to a record are shown side by side, with the note of the specification."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import Finding
from landrules.engine.rulebook import Rulebook

__all__ = ["Conflict", "conflicts_of", "side_by_side"]

_RULE_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A conflict note of a rule: `note` as findings show it, `others` the rules that it names beside its own."""

    note: str
    others: tuple[str, ...]


def conflicts_of(rulebook: Rulebook) -> Mapping[str, tuple[Conflict, ...]]:
    """The conflict notes of each rule that has some which name another rule."""
    found: dict[str, tuple[Conflict, ...]] = {}
    for name, versions in rulebook.rules.items():
        texts = dict.fromkeys(text for rule in versions for text in rule.conflicts)
        conflicts = tuple(
            Conflict(f"并列：{text}", others)
            for text in texts
            if (others := tuple(other for other in dict.fromkeys(_RULE_ID.findall(text)) if other != name))
        )
        if conflicts:
            found[name] = conflicts
    return found


def side_by_side(
    findings: Sequence[Finding],
    conflicts: Mapping[str, tuple[Conflict, ...]],
    known: dict[tuple[int, tuple[str, ...]], Finding],
) -> tuple[Finding, ...]:
    """The findings of one record; those of rules that conflict and both surely apply carry the note.

    `known` keeps findings with notes, so that records with the same finding go on sharing it.
    """
    applying = {
        finding.rule
        for finding in findings
        if finding.verdict not in (Verdict.NOT_APPLICABLE, Verdict.ERROR) and finding.stage != "applicability"
    }
    notes: dict[str, dict[str, None]] = {}
    for rule in sorted(applying & conflicts.keys()):
        for conflict in conflicts[rule]:
            present = [other for other in conflict.others if other in applying]
            for name in (rule, *present) if present else ():
                notes.setdefault(name, {})[conflict.note] = None
    return tuple(
        _noted(finding, tuple(notes[finding.rule]), known) if finding.rule in notes else finding
        for finding in findings
    )


def _noted(
    finding: Finding, notes: tuple[str, ...], known: dict[tuple[int, tuple[str, ...]], Finding]
) -> Finding:
    key = (id(finding), notes)
    found = known.get(key)
    if found is None:
        found = known[key] = replace(finding, notes=(*finding.notes, *notes))
    return found
