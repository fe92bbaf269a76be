"""Provisions that do not agree and both apply are shown side by side."""

from __future__ import annotations

from pathlib import Path

from landrules.engine.api import check_dicts
from landrules.engine.conflicts import conflicts_of
from landrules.engine.report.console import render_console
from landrules.engine.report.html import render_html
from landrules.engine.rulebook import Rulebook
from rulebook.small_rulesets import CLAUSES, RULES, entry_of, ruleset

NOTE = "与 somewhere-1/rent-term 的年限不同；默认并列"


def two_rules(folder: Path) -> Rulebook:
    """`lease-term` (长期租赁, 20 years) in conflict with `rent-term` (any lease of 产业用地, 10 years)."""
    other = RULES.removeprefix("rules:\n").replace("lease-term", "rent-term").replace("20年", "10年")
    other = other.replace("供应方式 为 长期租赁", "是否产业用地")
    rules = RULES.replace("    when:", f"    conflicts: [{NOTE}]\n    when:") + other
    return Rulebook.load(ruleset(folder, rules=rules, clauses=entry_of(CLAUSES, "rent-term")))


def notes(rulebook: Rulebook, **facts: str) -> dict[str, tuple[str, ...]]:
    record = {"行政区": "东区", "行为日期": "2023-06-01", "出租年期": "25年", **facts}
    report = check_dicts(rulebook, [{"subject": "parcel_supply", "id": "A", "facts": record}])
    return {finding.rule.partition("/")[2]: finding.notes for finding in report.records[0].findings}


def test_both_findings_carry_the_note(tmp_path: Path) -> None:
    rulebook = two_rules(tmp_path)
    found = notes(rulebook, 供应方式="长期租赁", 是否产业用地="是")
    assert found == {"lease-term": (f"并列：{NOTE}",), "rent-term": (f"并列：{NOTE}",)}


def test_there_is_no_note_where_only_one_applies(tmp_path: Path) -> None:
    rulebook = two_rules(tmp_path)
    for facts in (
        {"供应方式": "长期租赁", "是否产业用地": "否"},
        {"供应方式": "出让", "是否产业用地": "是"},
        {"行政区": "南区", "供应方式": "长期租赁", "是否产业用地": "是"},
    ):
        assert notes(rulebook, **facts) == {"lease-term": (), "rent-term": ()}


def test_the_note_is_shown_to_people(tmp_path: Path) -> None:
    facts = {
        "行政区": "东区",
        "行为日期": "2023-06-01",
        "出租年期": "25年",
        "供应方式": "长期租赁",
        "是否产业用地": "是",
    }
    records = [{"subject": "parcel_supply", "id": name, "facts": facts} for name in "AB"]
    report = check_dicts(two_rules(tmp_path), records)
    assert render_console(report, width=200).count(f"并列：{NOTE}") == 4
    assert render_html(report).count(f"并列：{NOTE}") == 4
    # Records with the same facts go on sharing their findings.
    first, second = (record.findings for record in report.records)
    assert all(mine is theirs for mine, theirs in zip(first, second, strict=True))


def test_the_shipped_conflicts_name_entries_that_exist() -> None:
    rulebook = Rulebook.load()
    entries = {clause.id for document in rulebook.documents.values() for clause in document.clauses}
    conflicts = conflicts_of(rulebook)
    assert conflicts
    named = {other for found in conflicts.values() for conflict in found for other in conflict.others}
    assert named <= entries


def test_two_shipped_documents_stand_side_by_side() -> None:
    facts = {
        "行政区": "忻府区",
        "行为日期": "2022-08-01",
        "land_ownership": "国有",
        "land_use": "工业",
        "transaction_type": "一级市场出让",
        "acquisition_method": "挂牌",
        "lease_to_grant_conversion": "是",
        "是否依法须招拍挂": "是",
        "供应方式": "先租后让",
        "租赁环节取得方式": "挂牌",
        "出让环节取得方式": "协议",
    }
    rulebook = Rulebook.load(subjects=["供地宗地"])
    report = check_dicts(rulebook, [{"subject": "parcel_supply", "id": "A", "facts": facts}])
    found = {finding.rule: finding.notes for finding in report.records[0].findings}
    pair = ("xinzhou-2022-53/online-trading-mandatory", "xinzhou-2022-90/lease-then-grant-by-agreement")
    assert all(any(note.startswith("并列：") for note in found[rule]) for rule in pair)
    open_facts = {key: value for key, value in facts.items() if key != "transaction_type"}
    undecided = check_dicts(rulebook, [{"subject": "parcel_supply", "id": "A", "facts": open_facts}])
    notes = {finding.rule: finding.notes for finding in undecided.records[0].findings}
    assert not any(note.startswith("并列：") for note in notes[pair[1]])
