"""`landrules replay`: make a JSON report again and compare.

Exit codes: 0 the same byte for byte, 1 different, 2 impossible or bad usage.
"""

from __future__ import annotations

from pathlib import Path

import click

from landrules.engine.commands import USAGE, Command, bad_input_exits, complain, write_stdout
from landrules.engine.replay import Replay
from landrules.engine.replay import replay as replay_report
from landrules.engine.source import default_store, load_sources

__all__ = ["replay"]

_DIFFERENT = 1
_SHOWN = 20


@click.command(
    cls=Command,
    arguments={"REPORT": "JSON 意见（landrules check --format json 的输出）"},
    epilog="""退出码：
    0  逐字节一致
    1  不一致，说明什么变了
    2  无法重现（缺送审数据等），或者用法有误""",
)
@click.argument("report", metavar="REPORT")
@click.option(
    "--input",
    "inputs",
    metavar="文件",
    multiple=True,
    help="送审数据、地方配置、放假安排，按文件名对应；缺省按意见里的名称在当前文件夹和意见旁边找",
)
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
@click.option("--store", metavar="文件夹", help="绑定的原文所在的文件夹，同 landrules source")
@click.option("--full", is_flag=True, help="不一致的全部列出")
def replay(
    report: str, inputs: tuple[str, ...], rulesets: tuple[str, ...], store: str | None, full: bool
) -> int:
    """重现一份 JSON 意见：用同样的数据和选项再判断一次，逐字节比较。

    例：landrules replay 意见.json
    """
    with bad_input_exits():
        sources = load_sources(default_store() if store is None else Path(store))
    found = replay_report(
        Path(report),
        inputs=[Path(path) for path in inputs],
        rulesets=[Path(path) for path in rulesets],
        sources=sources,
    )
    match found.status:
        case "same":
            write_stdout("一致：重新判断的结果与原意见逐字节相同\n")
            return 0
        case "impossible":
            complain(f"无法重现：{found.reason}")
            return USAGE
        case _:
            _tell(found, full=full)
            return _DIFFERENT


def _tell(found: Replay, *, full: bool) -> None:
    lines = ["不一致：重新判断的结果与原意见不同"]
    if found.changes:
        lines += ["变了的依据：", *(f"  {text}" for text in found.changes)]
    else:
        lines.append("引擎、规则集、数据都没有变：意见文件在生成以后被改动过")
    if found.differences:
        lines.append(f"变了的结果：{len(found.differences)} 处")
        shown = found.differences if full else found.differences[:_SHOWN]
        lines += [f"  {difference.describe()}" for difference in shown]
        if len(shown) < len(found.differences):
            lines.append(f"  … 另有 {len(found.differences) - len(shown)} 处，加 --full 全部列出")
    else:
        lines.append("各条结论没有变")
    write_stdout("\n".join(lines) + "\n")
