"""`landrules docs`: write the reference pages that are made from rules, scenarios and vocabulary.

Exit codes: 0 done, with `--check` 0 current and 1 not, 2 bad usage or input.
"""

from __future__ import annotations

from pathlib import Path

import click

from landrules.engine.bdd.index import scenario_index
from landrules.engine.commands import Command, bad_input_exits, write_file, write_stdout
from landrules.engine.pages import MARK, pages
from landrules.engine.rulebook import Rulebook

__all__ = ["docs"]

_STALE = 1


@click.command(cls=Command)
@click.option(
    "--out", metavar="文件夹", default="docs", help="文档文件夹，缺省为 docs；写到其中的 rules 和 reference"
)
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
@click.option("--features", metavar="文件夹", help="场景文件夹，缺省为当前文件夹下的 features")
@click.option("--check", is_flag=True, help="只看哪些页要更新，不写；有要更新的，退出码为 1")
def docs(out: str, rulesets: tuple[str, ...], features: str | None, check: bool) -> int:
    """由规则、场景和词表生成参考文档：每条规则一页，每类事项一页。"""
    folder = Path(features or "features")
    with bad_input_exits():
        rulebook = Rulebook.load(*(Path(path) for path in rulesets))
        scenarios = scenario_index([folder], folder) if features or folder.is_dir() else ()
    made = pages(rulebook, scenarios)
    base = Path(out)
    stale = [path for path, text in made.items() if not _same(base / path, text)]
    old = [path for path in _generated(base) if path.relative_to(base).as_posix() not in made]
    for name in stale:
        if not check:
            write_file(base / name, [made[name]])
        write_stdout(f"{'要更新' if check else '已写'}  {base / name}\n")
    for path in old:
        if not check:
            path.unlink()
        write_stdout(f"{'要删去' if check else '已删去'}  {path}\n")
    if not stale and not old:
        write_stdout(f"{len(made)} 页都是新的\n")
    return _STALE if check and (stale or old) else 0


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _generated(base: Path) -> list[Path]:
    """The pages that an earlier run made; what people wrote is left alone."""
    found = [path for part in ("rules", "reference") for path in sorted((base / part).rglob("*.md"))]
    return [path for path in found if path.read_text(encoding="utf-8").startswith(MARK)]
