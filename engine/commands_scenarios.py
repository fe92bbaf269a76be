"""`landrules test`: run scenarios without pytest."""

from __future__ import annotations

from pathlib import Path

import click

from landrules.engine.bdd.run import run_features
from landrules.engine.commands import Command, bad_input_exits, complain_notes, write_stdout
from landrules.engine.rulebook import Rulebook

__all__ = ["test"]

_DIFFERENT = 1
_USAGE = 2


@click.command(
    "test",
    cls=Command,
    arguments={"PATH": "场景文件（.feature）或文件夹，可给几个；缺省为 features"},
    epilog="""退出码：
    0  全部与场景写的一致
    1  有场景不一致
    2  场景文件或规则集有误""",
)
@click.argument("paths", metavar="PATH", nargs=-1)
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
def test(paths: tuple[str, ...], rulesets: tuple[str, ...]) -> int:
    """按场景检验规则：逐个场景判断，列出与所写结论不一致的。

    例：landrules test features/wuhai-2023-5
    """
    with bad_input_exits():
        rulebook = Rulebook.load(*(Path(path) for path in rulesets))
        outcomes, notes = run_features([Path(path) for path in paths or ("features",)], rulebook)
    for outcome in outcomes:
        if not outcome.passed:
            write_stdout(outcome.message + "\n\n")
    failed = sum(not outcome.passed for outcome in outcomes)
    write_stdout(f"场景 {len(outcomes)} 个：一致 {len(outcomes) - failed} 个，不一致 {failed} 个\n")
    if notes:
        complain_notes(notes)
        return _USAGE
    return _DIFFERENT if failed else 0
