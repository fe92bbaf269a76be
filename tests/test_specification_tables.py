"""Facts that arrive in the blank form: written into the template, read back, and judged as the specification says.

What `test_specification.py` compares for facts in JSON, compared again through the reader of workbooks and of csv.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from landrules.engine.checking import check
from landrules.engine.findings.model import CheckOptions
from landrules.engine.rulebook import Rulebook
from landrules.facts.read_records import read_bytes
from landrules.facts.templates import heading_of, template_bytes
from landrules.facts.vocabulary import Fact, Subject
from oracle import cases, notation

DRAWS = 4
_FAR_PLACE = "淮南市"

Written = Callable[[Subject, list[cases.Raw]], bytes]


def in_workbook(subject: Subject, rows: list[cases.Raw]) -> bytes:
    """Rows below the headings of the template, in cells of the types that a person would leave there."""
    book = openpyxl.load_workbook(io.BytesIO(template_bytes(subject)))
    sheet = book[subject.label]
    at = {cell.value: cell.column for cell in sheet[1]}
    for number, row in enumerate(rows, 2):
        sheet.cell(number, at["序号"], number - 1)
        for key, value in row.items():
            fact = subject.facts[key]
            sheet.cell(number, at[heading_of(fact)], in_cell(fact, value))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def in_csv(subject: Subject, rows: list[cases.Raw]) -> bytes:
    """The same as text, the columns in another order."""
    facts = list(subject.facts.values())[::-1]
    content = io.StringIO()
    writer = csv.writer(content)
    writer.writerow(["序号", *map(heading_of, facts)])
    for number, row in enumerate(rows, 1):
        cells = [in_cell(fact, row[fact.key]) if fact.key in row else "" for fact in facts]
        writer.writerow([number, *(cell.isoformat() if isinstance(cell, date) else cell for cell in cells)])
    return content.getvalue().encode("utf-8-sig")


def in_cell(fact: Fact, value: object) -> str | int | Decimal | date:
    match value:
        case bool():
            return "是" if value else "否"
        case list():
            return "；".join(map(str, value)) or "无"
        case str() if fact.type == "date":
            return date.fromisoformat(value)
        case int() | Decimal() | str():
            return value
    raise AssertionError(value)


@pytest.mark.parametrize("written", [in_workbook, in_csv])
def test_facts_written_into_the_form_get_the_verdict_of_the_specification(
    shared: Path, written: Written
) -> None:
    rulebook, provisions = Rulebook.load(), cases.load(shared)
    by_subject: dict[str, list[notation.Provision]] = {}
    for rule, provision in provisions.provisions.items():
        if rule in rulebook.rules:
            by_subject.setdefault(provision.subject, []).append(provision)
    wrong: list[str] = []
    compared = 0
    for key, of_subject in by_subject.items():
        subject = rulebook.vocabulary.subjects[key]
        drawn: list[tuple[notation.Provision, cases.Raw]] = []
        for provision in of_subject:
            rng = random.Random(f"table {provision.name}")
            document = provisions.document(provision)
            for _ in range(DRAWS):
                facts = cases.random_facts(provision, provisions.vocabulary, rng, document=document)
                drawn.append((provision, facts))
        file = "表.csv" if written is in_csv else "表.xlsx"
        # An empty row is skipped as one: a place where no document holds keeps it in the table.
        data = written(subject, [dict(facts) or {"district": _FAR_PLACE} for _, facts in drawn])
        reading = read_bytes(data, file, rulebook.vocabulary, subject=key)
        assert [record.id for record in reading.records] == [
            str(number) for number in range(1, len(drawn) + 1)
        ]
        for (provision, facts), record in zip(drawn, reading.records, strict=True):
            expected = expect(provisions, provision, facts)
            options = CheckOptions(derive=False, select=(provision.name,))
            (found,) = check(rulebook, [record], options).records[0].findings
            compared += 1
            if facts and found.verdict.value != expected:
                wrong.append(f"{provision.name} {facts}: {found.verdict} instead of {expected}")
    assert compared > 1000
    assert not wrong, "\n".join(wrong[:20])


def expect(provisions: cases.Library, provision: notation.Provision, facts: Mapping[str, object]) -> str:
    types = provisions.types(provision)
    return notation.judge_gated(
        provisions.document(provision), provision, notation.read_facts(types, facts)
    ).verdict
