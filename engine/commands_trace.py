"""`landrules trace`: the matrix clause → rules → scenarios → facts.

Exit codes: 0 complete, 1 something is missing, 2 bad usage or input.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from landrules.engine.bdd.index import ScenarioRef, scenario_index
from landrules.engine.commands import (
    Choice,
    Command,
    CommandError,
    bad_input_exits,
    complain,
    complain_notes,
    terminal_color,
    terminal_width,
    write_file,
    write_stdout,
)
from landrules.engine.rulebook import Rulebook, RulebookError
from landrules.engine.trace import Trace, trace_content, trace_lines
from landrules.engine.trace import trace as matrix_of

__all__ = ["trace"]

_INCOMPLETE = 1
_COVERAGE = frozenset(("entry-without-rule", "rule-without-entry"))


@click.command(
    cls=Command,
    epilog="""退出码：
    0  每一条款都有规则或者原因，每条规则都有条目和场景
    1  有缺漏，逐一列出
    2  用法、规则集或者场景文件有误""",
)
@click.option("--document", metavar="文件", multiple=True, help="只列这份文件，如 wuhai-2023-5")
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
@click.option("--features", metavar="文件夹", help="场景文件夹，缺省为当前文件夹下的 features")
@click.option(
    "--format",
    "style",
    type=Choice("console", "html", "json"),
    default="console",
    metavar="格式",
    help="console、html 或 json",
)
@click.option("--out", metavar="文件", help="写到文件，缺省为屏幕")
def trace(
    document: tuple[str, ...],
    rulesets: tuple[str, ...],
    features: str | None,
    style: str,
    out: str | None,
) -> int:
    """条款与规则对照：每一条款有哪些规则、场景，读哪些事实；没有规则的为什么没有。"""
    try:
        rulebook = Rulebook.load(*(Path(path) for path in rulesets))
    except RulebookError as error:
        complain_notes(error.notes)
        raise SystemExit(_INCOMPLETE if all(note.code in _COVERAGE for note in error.notes) else 2) from error
    for name in document:
        if name not in rulebook.documents:
            raise CommandError(f"没有“{name}”这份文件；现有：{'、'.join(sorted(rulebook.documents))}")
    found = matrix_of(rulebook, _scenarios(features), documents=document or None)
    text = _render(found, style, screen=out is None)
    if out is None:
        write_stdout(text)
    else:
        write_file(Path(out), [text])
    for problem in found.problems:
        complain(problem)
    return _INCOMPLETE if found.problems else 0


def _scenarios(folder: str | None) -> tuple[ScenarioRef, ...] | None:
    """All scenarios of the folder; None where none is given and there is no `features` here."""
    path = Path(folder or "features")
    if folder is None and not path.is_dir():
        return None
    with bad_input_exits():
        return scenario_index([path], path)


def _render(found: Trace, style: str, *, screen: bool) -> str:
    match style:
        case "json":
            return json.dumps(trace_content(found), ensure_ascii=False, indent=1) + "\n"
        case "html":
            from landrules.engine.report.trace_html import render_trace_html

            return render_trace_html(found)
        case _:
            from landrules.engine.report.console import paint

            width, color = (terminal_width(), terminal_color()) if screen else (100, False)
            return paint(trace_lines(found), width=width, color=color)
