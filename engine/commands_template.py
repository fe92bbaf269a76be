"""`landrules template`: an empty workbook for a fact type, with units, definitions and drop-down lists."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from landrules.engine.commands import Command, CommandError, bad_input_exits, write_bytes, write_stdout
from landrules.facts.templates import template_bytes
from landrules.facts.vocabulary import load_vocabulary

__all__ = ["template"]


@click.command(cls=Command, arguments={"SUBJECT": "事项，如 供地宗地（或者 parcel_supply）"})
@click.argument("subject", metavar="SUBJECT")
@click.option("--out", metavar="文件", required=True, help="写到这个 xlsx 文件")
def template(subject: str, out: str) -> int:
    """生成填报用的空白工作簿：列名、单位、可选值和填表说明。"""
    with bad_input_exits():
        vocabulary = load_vocabulary()
    chosen = vocabulary.subject(subject)
    if chosen is None:
        labels = [known.label for known in vocabulary.subjects.values()]
        near = difflib.get_close_matches(subject, [*labels, *vocabulary.subjects], n=1)
        hint = f"是否指“{near[0]}”？" if near else ""
        raise CommandError(f"没有“{subject}”这类事项；{hint}可用：{'、'.join(labels)}")
    path = Path(out)
    if path.suffix.lower() != ".xlsx":
        raise CommandError(f"“{out}”应以 .xlsx 结尾，生成的是 Excel 工作簿")
    write_bytes(path, [template_bytes(chosen)])
    write_stdout(f"已生成“{chosen.label}”填报表：{out}\n")
    return 0
