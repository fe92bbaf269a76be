"""A small ruleset written into a folder, with any part replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landrules.engine.rulebook import RulebookError
from landrules.engine.rulebook.load import Rulebook

if TYPE_CHECKING:
    from pathlib import Path

    from landrules.facts.notes import Note

DOCUMENT = """\
id: somewhere-1
title: 某市供地办法
number: 某政发〔2023〕1号
issuer: 某市人民政府
issue_date: 2023-03-02
effective:
  from: 2023-03-02
  to: null
  basis: 第九条
jurisdiction:
  province: 某某省
  city: 某市
  city_code: '990100'
  districts:
    - {name: 东区, code: '990102', aliases: [老东县, 东部高新区]}
    - {name: 西县, code: '990121'}
    - {name: 某市本级, code: '990100'}
"""

CLAUSES = """\
entries:
  - id: lease-term
    clause: 第一条
    topic: 租期
    summary: 租期有上限
    subject: 供地宗地
    modality: 禁止
    strength: 必须
    checkable: rule
  - id: aims
    clause: 第二条
    topic: 目的
    summary: 说明目的
    modality: 倡导
    strength: 鼓励
    checkable: none
    reason: 只说明目的
"""

RULES = """\
rules:
  - id: lease-term
    title: 租期上限
    clause: 第一条
    subject: 供地宗地
    modality: 禁止
    strength: 必须
    checkable: rule
    parameters:
      最长租期: 20年
    when: 供应方式 为 长期租赁
    require: 出租年期 不超过 最长租期
"""


def ruleset(
    folder: Path,
    *,
    name: str = "somewhere-1",
    document: str = DOCUMENT,
    clauses: str = CLAUSES,
    rules: str | None = RULES,
    **others: str,
) -> Path:
    """Write a ruleset folder; `others` are further files by their stem."""
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    files = {"document": document, "clauses": clauses, "rules": rules, **others}
    for stem, text in files.items():
        if text is not None:
            (place / f"{stem}.yaml").write_bytes(text.encode())
    return place


def problems(*paths: Path) -> tuple[Note, ...]:
    """The notes that loading fails with."""
    try:
        Rulebook.load(*paths)
    except RulebookError as error:
        return error.notes
    return ()


def texts(notes: tuple[Note, ...]) -> str:
    """The notes as a person sees them."""
    return "\n".join(note.describe() for note in notes)


def entry_of(clauses: str, name: str) -> str:
    """The clause index with an entry like `lease-term` for another rule."""
    first, second = clauses.index("  - id: lease-term"), clauses.index("  - id: aims")
    return clauses + clauses[first:second].replace("lease-term", name)
