"""`landrules source`: bind a user's own text of a document, list what is bound, and forget it.

Exit codes of `add`: 0 everything found, 1 something is missing or differs, 2 bad usage or input.
"""

from __future__ import annotations

from pathlib import Path

import click

from landrules.engine.commands import Command, CommandError, Group, bad_input_exits, write_stdout
from landrules.engine.rulebook import Rulebook
from landrules.engine.source import (
    Binding,
    bind,
    default_store,
    identify,
    load_sources,
    remove_source,
    save_source,
)
from landrules.engine.source_text import read_document
from landrules.facts.read_sources import load_bytes

__all__ = ["source"]

_MISMATCH = 1
_STORE_HELP = "存放绑定原文的文件夹，缺省为 $LANDRULES_HOME/sources 或 ~/.landrules/sources"


@click.group("source", cls=Group)
def source() -> None:
    """原文：绑定文件的原文，逐条定位、核对数值；意见书随后附条文原文。"""


@source.command(
    "add",
    cls=Command,
    arguments={"FILE": "文件原文：txt（UTF-8、GB18030）或 docx"},
    epilog="""退出码：
    0  条款全部找到，数值都对得上
    1  有找不到、对不上或者与上次不同的，逐一列出（仍然绑定）
    2  用法或者文件有误，没有绑定""",
)
@click.argument("file", metavar="FILE")
@click.option("--document", metavar="文件", help="是哪一份文件，如 wuhai-2023-5；缺省由文号和标题判断")
@click.option("--store", metavar="文件夹", help=_STORE_HELP)
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
def add(file: str, document: str | None, store: str | None, rulesets: tuple[str, ...]) -> int:
    """绑定一份文件的原文。

    例：landrules source add 乌海政发2023年5号.txt
    """
    folder = _store(store)
    with bad_input_exits():
        text = read_document(load_bytes(Path(file)), Path(file).name)
        rulebook = Rulebook.load(*(Path(path) for path in rulesets))
        known = load_sources(folder)
    name = document or identify(rulebook, text)
    listed = "、".join(sorted(rulebook.documents))
    if name is None:
        raise CommandError(
            f"看不出“{file}”是哪一份文件（文号、标题都对不上）；请加 --document，可用：{listed}"
        )
    if name not in rulebook.documents:
        raise CommandError(f"没有“{name}”这份文件；现有：{listed}")
    binding = bind(rulebook, name, text, Path(file).name, before=known.get(name))
    if not binding.source.clauses:
        raise CommandError(
            f"“{file}”里一条都找不到，没有绑定；请核对是否“{rulebook.documents[name].title}”的原文"
        )
    try:
        save_source(binding.source, folder)
    except OSError as error:
        raise CommandError(
            f"无法写入“{folder}”：{error.strerror or error}；请用 --store 换一个文件夹"
        ) from error
    _tell(rulebook, binding)
    return _MISMATCH if binding.missing or binding.wrong or binding.changed else 0


def _tell(rulebook: Rulebook, binding: Binding) -> None:
    document = rulebook.documents[binding.source.document]
    title = f"{document.number}《{document.title}》" if document.number else f"《{document.title}》"
    lines = [
        f"已绑定 {binding.source.document} {title}",
        f"条款  {binding.clauses} 处：找到 {binding.clauses - len(binding.missing)}，找不到 {len(binding.missing)}",
        f"数值  {binding.figures} 个：对得上 {binding.figures - len(binding.wrong)}，对不上 {len(binding.wrong)}",
    ]
    sections = (("找不到", binding.missing), ("对不上", binding.wrong), ("与上次不同", binding.changed))
    for heading, found in sections:
        lines += [f"{heading}  {item.message}" for item in found]
    lines.append(f"原文内容 sha256 {binding.source.hash}")
    write_stdout("\n".join(lines) + "\n")


@source.command("list", cls=Command)
@click.option("--store", metavar="文件夹", help=_STORE_HELP)
def list_sources(store: str | None) -> int:
    """列出已绑定的原文。"""
    with bad_input_exits():
        known = load_sources(_store(store))
    for name, bound in known.items():
        write_stdout(
            f"{name}  {bound.title}  条款 {len(bound.clauses)} 处  来自 {bound.name}  sha256 {bound.hash[:12]}\n"
        )
    if not known:
        write_stdout("没有绑定的原文；用 landrules source add 绑定\n")
    return 0


@source.command("remove", cls=Command, arguments={"DOCUMENT": "文件编号，如 wuhai-2023-5"})
@click.argument("document", metavar="DOCUMENT")
@click.option("--store", metavar="文件夹", help=_STORE_HELP)
def remove(document: str, store: str | None) -> int:
    """不再绑定一份文件的原文。"""
    folder = _store(store)
    if document not in {path.stem for path in folder.glob("*.json")} or not remove_source(document, folder):
        raise CommandError(f"没有绑定“{document}”的原文；用 landrules source list 查看")
    write_stdout(f"已移除 {document} 的原文\n")
    return 0


def _store(store: str | None) -> Path:
    return default_store() if store is None else Path(store)
