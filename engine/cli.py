"""The `landrules` command: a table of commands, each in a module of its own that is loaded when it is used."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Sequence

import click

from landrules.engine.commands import USAGE, CommandError, Group, Lazy, complain, explain_usage

__all__ = ["COMMANDS", "application", "main"]

COMMANDS = {
    "check": Lazy("landrules.engine.commands_check:check", "预检：逐条对照规则，出预检意见"),
    "explain": Lazy(
        "landrules.engine.commands_rules:explain", "解释一条规则：条款、要求、参数、缺省口径、歧义"
    ),
    "list": Lazy("landrules.engine.commands_rules:list_rules", "列出文件与规则"),
    "lint": Lazy("landrules.engine.commands_rules:lint", "检查规则文件，列出全部问题"),
    "fmt": Lazy("landrules.engine.commands_rules:fmt", "把规则文件改成统一写法"),
    "trace": Lazy("landrules.engine.commands_trace:trace", "条款与规则对照：条款、规则、场景、事实"),
    "test": Lazy("landrules.engine.commands_scenarios:test", "按场景（features）检验规则"),
    "template": Lazy("landrules.engine.commands_template:template", "生成填报用的空白工作簿"),
    "source": Lazy("landrules.engine.commands_source:source", "原文：绑定文件原文，核对条款和数值"),
    "replay": Lazy("landrules.engine.commands_replay:replay", "重现一份 JSON 意见，或者说明什么变了"),
    "docs": Lazy("landrules.engine.commands_docs:docs", "由规则、场景和词表生成参考文档"),
    "log": Lazy("landrules.engine.commands_log:log", "台账：核对、导出、重算、遮蔽、归档"),
    "case": Lazy("landrules.engine.commands_case:case", "审批案件：重放事件记录，列出期限"),
    "serve": Lazy("landrules.engine.commands_serve:serve", "HTTP 服务和网页"),
    "doctor": Lazy("landrules.engine.commands_doctor:doctor", "检查安装：缺什么，怎么补"),
}

_INTERRUPTED = 130
_COLLECT_AFTER = 100_000


@click.group(cls=Group, lazy=COMMANDS, invoke_without_command=True)
@click.option("--version", is_flag=True, help="显示版本")
@click.pass_context
def application(ctx: click.Context, version: bool) -> None:
    """对照土地管理政策文件预检用地事项。

    结果一律是“预检意见”，供审查参考，不替代审查结论。
    """
    if version:
        from importlib.metadata import version as installed

        click.echo(f"landrules {installed('landrules')}")
    elif ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        # Windows consoles and pipes have their own encodings, in which Chinese may not exist.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    # Rules and records live until the end and hold no cycles; looking for garbage every 700 objects takes a tenth of
    # a second at the start and more on long tables.
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    sys.exit(_run(sys.argv[1:] if arguments is None else list(arguments)))


def _run(arguments: Sequence[str]) -> int:
    try:
        result = application.main(list(arguments), prog_name="landrules", standalone_mode=False)
    except CommandError as error:
        complain(error.message)
        return error.code
    except click.ClickException as error:
        complain(explain_usage(error))
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        complain("已中断")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader (`head`, a pager) has had enough. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    main()
