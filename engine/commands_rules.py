"""`landrules explain`, `list`, `lint` and `fmt`: commands about rules rather than records."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from landrules.engine.commands import (
    USAGE,
    Choice,
    Command,
    CommandError,
    bad_input_exits,
    complain_notes,
    terminal_color,
    terminal_width,
    write_stdout,
)
from landrules.engine.rulebook import Rulebook
from landrules.facts.notes import InputError

__all__ = ["explain", "fmt", "lint", "list_rules"]


def _load(rulesets: tuple[str, ...]) -> Rulebook:
    with bad_input_exits():
        return Rulebook.load(*(Path(path) for path in rulesets))


@click.command(
    "explain", cls=Command, arguments={"RULE": "规则编号，如 wuhai-2023-5/lease-term-max-20y；文件部分可省"}
)
@click.argument("rule", metavar="RULE")
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
@click.option(
    "--format",
    "style",
    type=Choice("console", "markdown"),
    default="console",
    metavar="格式",
    help="console 或 markdown",
)
@click.option("--features", metavar="文件夹", help="场景文件夹，用来列出用例；缺省为当前文件夹下的 features")
@click.option("--store", metavar="文件夹", help="绑定的原文所在的文件夹，同 landrules source")
def explain(rule: str, rulesets: tuple[str, ...], style: str, features: str | None, store: str | None) -> int:
    """解释一条规则：依据哪一条、管什么、要求什么、数值从哪来、缺资料时怎么读。"""
    from landrules.engine.explain import explain as page_of
    from landrules.engine.explain import page_lines, page_markdown
    from landrules.engine.report.console import paint

    rulebook = _load(rulesets)
    name = _rule_id(rule, rulebook)
    page = page_of(rulebook, name, cases=_cases(name, features), clause_text=_words(rulebook, name, store))
    if style == "markdown":
        write_stdout(page_markdown(page))
    else:
        write_stdout(paint(page_lines(page), width=terminal_width(), color=terminal_color()))
    return 0


def _words(rulebook: Rulebook, rule: str, store: str | None) -> str:
    """The words of the rule's clause, where the user has bound the document's text."""
    from landrules.engine.source import default_store, load_sources

    with bad_input_exits():
        sources = load_sources(default_store() if store is None else Path(store))
    latest = rulebook.rules[rule][-1]
    return sources[latest.document].text(latest.clause) if latest.document in sources else ""


def _cases(rule: str, folder: str | None) -> list[str]:
    """The scenarios of a rule; what cannot be read is told and left out, since the page says much else."""
    from landrules.engine.bdd.index import scenario_index

    path = Path(folder or "features")
    if folder is None and not path.is_dir():
        return []
    document = path / rule.partition("/")[0]
    try:
        found = scenario_index([document if document.is_dir() else path], path)
    except InputError as error:
        complain_notes(error.notes)
        return []
    return [
        f"{ref.title}{f' → {ref.expected}' if ref.expected else ''}（{ref.file} 第 {ref.line} 行）"
        for ref in found
        if ref.rule in (rule, rule.partition("/")[2])
    ]


def _rule_id(name: str, rulebook: Rulebook) -> str:
    if name in rulebook.rules:
        return name
    ending = [rule for rule in rulebook.rules if rule.endswith(f"/{name}")]
    if len(ending) == 1:
        return ending[0]
    if ending:
        raise CommandError(f"“{name}”在几份文件里都有，请写全：{'、'.join(ending)}")
    for document in rulebook.documents.values():
        for clause in document.clauses:
            if name in (clause.id, clause.id.partition("/")[2]):
                raise CommandError(f"“{name}”（{document.number} {clause.clause}）没有规则：{clause.reason}")
    names = [*rulebook.rules, *(rule.partition("/")[2] for rule in rulebook.rules)]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"是否指 {near[0]}？" if near else ""
    raise CommandError(f"没有“{name}”这条规则；{hint}用 landrules list 查看全部")


@click.command("list", cls=Command)
@click.option("--document", metavar="文件", help="只列这份文件的规则，如 wuhai-2023-5")
@click.option("--subject", metavar="事项", help="只列这类事项的规则，如 供地宗地")
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
def list_rules(document: str | None, subject: str | None, rulesets: tuple[str, ...]) -> int:
    """列出文件与规则。"""
    from landrules.engine.report.console import Line, paint

    rulebook = _load(rulesets)
    if document is not None and document not in rulebook.documents:
        raise CommandError(f"没有“{document}”这份文件；现有：{'、'.join(sorted(rulebook.documents))}")
    chosen = None if subject is None else rulebook.vocabulary.subject(subject)
    if subject is not None and chosen is None:
        labels = "、".join(entry.label for entry in rulebook.vocabulary.subjects.values())
        raise CommandError(f"没有“{subject}”这类事项；现有：{labels}")
    lines: list[Line] = []
    total = 0
    for name, entry in sorted(rulebook.documents.items()):
        if document not in (None, name):
            continue
        rules = [
            versions[-1]
            for rule, versions in sorted(rulebook.rules.items())
            if versions[-1].document == name and (chosen is None or versions[-1].subject == chosen.key)
        ]
        if not rules and subject is not None:
            continue
        total += len(rules)
        lines += [Line("")] if lines else []
        lines.append(Line(f"{name}  {entry.number}《{entry.title}》  {len(rules)} 条规则", "title", hang=4))
        for rule in rules:
            label = rulebook.vocabulary.subjects[rule.subject].label
            head = f"{rule.id}  {rule.clause}  {rule.title}（{label}，{rule.modality}，{rule.strength}）"
            lines.append(Line(head, indent=2, hang=4))
    lines += [Line(""), Line(f"共 {total} 条规则")]
    write_stdout(paint(lines, width=terminal_width(), color=terminal_color()))
    return 0


@click.command(cls=Command, arguments={"PATH": "规则集文件夹，可给几个；缺省为随附的全部文件"})
@click.argument("paths", metavar="PATH", nargs=-1)
def lint(paths: tuple[str, ...]) -> int:
    """检查规则文件，一次列出全部问题。有错误时退出码为 1，只有提醒时为 0。"""
    from landrules.engine.rulebook.lint import lint as lint_rulesets

    notes = lint_rulesets(paths=[Path(path) for path in paths])
    words = {"error": "错误", "warning": "提醒", "info": "说明"}
    for note in notes:
        write_stdout(f"{words[note.severity]}  {note.describe()}  [{note.code}]\n")
    errors = sum(note.severity == "error" for note in notes)
    if notes:
        write_stdout(f"\n共 {len(notes)} 条：错误 {errors}，其他 {len(notes) - errors}\n")
    else:
        write_stdout("没有发现问题\n")
    return 1 if errors else 0


@click.command(cls=Command, arguments={"PATH": "规则集文件夹，可给几个；缺省为当前文件夹下的 rulesets"})
@click.argument("paths", metavar="PATH", nargs=-1)
@click.option("--check", is_flag=True, help="只看哪些文件要改，不改；有要改的，退出码为 1")
def fmt(paths: tuple[str, ...], check: bool) -> int:
    """把规则文件里的表达式改成统一写法，注释和版式不动。"""
    from landrules.engine.rulebook.formatting import format_files

    # Without paths the rulebook would take the installed rulesets, which are not the user's to rewrite.
    chosen = [Path(path) for path in paths] or [Path("rulesets")]
    if not paths and not chosen[0].is_dir():
        raise CommandError("当前文件夹下没有 rulesets，请给出规则集文件夹")
    with bad_input_exits():
        done = format_files(chosen, check=check)
    complain_notes(done.notes)
    for path in done.changed:
        write_stdout(f"{'要改' if check else '已改'}  {path}\n")
    if not done.changed:
        write_stdout("写法都已统一\n")
    unreadable = any(note.severity == "error" for note in done.notes)
    return USAGE if unreadable else int(check and bool(done.changed))
