"""`landrules serve`: the HTTP service."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from landrules.engine.commands import Command, CommandError, bad_input_exits

__all__ = ["serve"]


@click.command(
    cls=Command,
    epilog="""设置的先后：命令行选项，其次环境变量（LANDRULES_HOST、LANDRULES_TOKEN 等），再次设置文件，最后缺省值。
    监听本机以外的地址必须设访问令牌：LANDRULES_TOKEN 或 LANDRULES_TOKEN_FILE。
    全部设置见 docs/builders/service.md。""",
)
@click.option("--host", metavar="地址", help="监听地址，缺省 127.0.0.1（只有本机能访问）")
@click.option("--port", type=int, metavar="端口", help="监听端口，缺省 8000")
@click.option(
    "--settings", "file", metavar="文件", envvar="LANDRULES_SETTINGS", help="服务设置，YAML 或 TOML"
)
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
@click.option("--config", metavar="文件", help="地方配置（等别、最低价标准等），YAML")
@click.option("--holidays", metavar="文件", help="放假调休安排，YAML，补充或者更正随附的日历")
@click.option(
    "--store",
    metavar="地址",
    help="台账：SQLite 文件路径或 postgresql://…，缺省为 $LANDRULES_HOME 或 ~/.landrules 下的 ledger.sqlite3；"
    "none 为不记台账，也没有案件接口",
)
@click.option("--webhooks", metavar="文件", help="通知的订阅，YAML；见 docs/builders/webhooks.md")
@click.option("--check-only", is_flag=True, help="只核对设置、规则和台账能否使用，不启动")
def serve(
    host: str | None,
    port: int | None,
    file: str | None,
    rulesets: tuple[str, ...],
    config: str | None,
    holidays: str | None,
    store: str | None,
    webhooks: str | None,
    check_only: bool,
) -> int:
    """启动 HTTP 服务和网页；以 Ctrl-C 或 SIGTERM 停止，进行中的请求做完再停。

    例：landrules serve --store 台账.sqlite
    """
    from landrules.engine.service.settings import (
        SettingsError,
        kept_by_default,
        load_settings,
        make_default_folder,
        unknown_variables,
    )

    options = {
        "host": host,
        "port": port,
        "rulesets": list(rulesets) or None,
        "config": config,
        "holidays": holidays,
        "store": store,
        "webhooks": webhooks,
    }
    given = {name: value for name, value in options.items() if value is not None}
    for message in unknown_variables(os.environ):
        sys.stderr.write(f"提醒：{message}\n")
    try:
        settings = load_settings(None if file is None else Path(file), os.environ, given)
        settings = kept_by_default(settings).checked()
        make_default_folder(settings)
    except SettingsError as error:
        raise CommandError(str(error)) from error
    try:
        from landrules.engine.ledger.errors import LedgerError
        from landrules.engine.service.app import close, create_app
        from landrules.engine.service.requests import pieces
        from landrules.engine.service.server import serve as run
        from landrules.engine.webhook.errors import WebhookError
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("landrules"):
            raise
        raise CommandError(
            f"缺少组件 {error.name}，不能启动服务；请安装：pip install 'landrules[service]'"
        ) from error
    except ImportError as error:
        # The ledger says in Chinese what it misses.
        raise CommandError(str(error)) from error
    try:
        with bad_input_exits():
            if check_only:
                close(pieces(create_app(settings)))
                sys.stdout.write("设置、规则和台账都可以使用\n")
            else:
                run(settings)
    except (LedgerError, SettingsError, WebhookError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"不能启动：{error.strerror or error}") from error
    return 0
