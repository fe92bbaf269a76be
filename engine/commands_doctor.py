"""`landrules doctor`: what is installed, what is missing and how to get it. Needs no extra and no network."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from importlib import metadata
from pathlib import Path
from typing import Literal

import click

from landrules.engine.commands import Command, Day, write_stdout
from landrules.engine.home import NO_LEDGER, default_ledger

__all__ = ["Finding", "doctor", "examine"]

State = Literal["正常", "提醒", "问题"]
_EXTRAS = {
    "service": "HTTP 服务与台账",
    "workflow": "BPMN 流程示例",
    "dev": "开发与测试",
}
_SECONDS = 60
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says how to put it right."""

    state: State
    what: str
    text: str
    advice: str = ""


@click.command(
    cls=Command,
    epilog="""退出码：
    0  没有问题（提醒不算）
    1  有问题""",
)
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
@click.option("--store", metavar="地址", help="台账；缺省取服务设置，再缺省为 landrules serve 自用的")
@click.option("--settings", metavar="文件", envvar="LANDRULES_SETTINGS", help="服务设置，YAML 或 TOML")
@click.option("--holidays", metavar="文件", help="放假调休安排，YAML")
@click.option("--on", type=Day(), metavar="日期", help="视同这一天，用来看放假安排是否齐全；缺省为今天")
def doctor(
    rulesets: tuple[str, ...], store: str | None, settings: str | None, holidays: str | None, on: date | None
) -> int:
    """检查安装：组件、规则集、放假安排、台账、服务设置，缺什么、怎么补。不联网，不改动任何东西。"""
    today = on or datetime.now().astimezone().date()
    problems = 0
    for finding in examine(rulesets, store, settings, holidays, today):
        problems += finding.state == "问题"
        write_stdout(f"{finding.state}  {finding.what}：{finding.text}\n")
        if finding.advice:
            write_stdout(f"      → {finding.advice}\n")
    write_stdout("\n没有发现问题\n" if not problems else f"\n{problems} 个问题\n")
    return 1 if problems else 0


def examine(
    rulesets: tuple[str, ...], store: str | None, settings: str | None, holidays: str | None, today: date
) -> Iterator[Finding]:
    """Look at everything, one finding after another; a part that fails does not hide the others."""
    yield _python()
    yield from _packages()
    yield _durable()
    yield _browser()
    yield from _calendar(holidays, today)
    yield from _rules(rulesets)
    where = store
    for finding, found in _settings(settings, store):
        yield finding
        where = where or found
    yield _ledger(where)


def _python() -> Finding:
    text = f"{platform.python_version()}（{platform.system()} {platform.machine()}）"
    return Finding("正常", "Python", text)


def _packages() -> Iterator[Finding]:
    try:
        own = metadata.version("landrules")
        required = metadata.requires("landrules") or []
    except metadata.PackageNotFoundError:
        yield Finding(
            "问题",
            "landrules",
            "没有作为软件包安装",
            "请运行 pip install landrules（源码目录中为 pip install -e .）",
        )
        return
    groups: dict[str, list[str]] = {"": [], **{extra: [] for extra in _EXTRAS}}
    for text in required:
        name = re.split(r"[\s\[<>=!~;(]", text, maxsplit=1)[0]
        marker = text.partition(";")[2]
        if re.search(r"python_version\s*<\s*['\"]3\.13['\"]", marker) and sys.version_info >= (3, 13):
            continue
        found = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
        groups.setdefault(found.group(1) if found else "", []).append(name)
    missing = [name for name in groups[""] if _version(name) is None]
    if missing:
        yield Finding(
            "问题",
            "landrules",
            f"{own}，缺少组件 {'、'.join(missing)}",
            "请重新安装：pip install --force-reinstall landrules",
        )
    else:
        yield Finding("正常", "landrules", f"{own}；{_listed(groups[''])}")
    for extra, purpose in _EXTRAS.items():
        names = groups[extra]
        absent = [name for name in names if _version(name) is None]
        if absent:
            yield Finding(
                "提醒",
                f"可选组件 {extra}",
                f"{purpose}不可用，缺少 {'、'.join(absent)}",
                f"需要时安装：pip install 'landrules[{extra}]'",
            )
        elif names:
            yield Finding("正常", f"可选组件 {extra}", _listed(names))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _listed(names: list[str]) -> str:
    return "，".join(f"{name} {_version(name)}" for name in sorted(names, key=str.lower))


def _durable() -> Finding:
    # In a process of its own: an extension that does not fit this Python may crash, not only fail.
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import durable.engine"],
            check=False,
            capture_output=True,
            timeout=_SECONDS,
            encoding="utf-8",
            errors="replace",
        )
        reason = "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["进程异常退出"])[-1]
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    if not reason:
        return Finding(
            "正常", "durable-rules", f"可以载入（{_version('durable-rules') or _version('durable_rules')}）"
        )
    advice = (
        "Python 3.13 起无法使用；需要时请用 Python 3.11 或 3.12"
        if sys.version_info >= (3, 13)
        else "请装好 C 编译器和 Python 头文件（如 apt-get install gcc python3-dev），再运行 pip install durable-rules"
    )
    return Finding("提醒", "durable-rules", f"不能载入（{reason}）；案件改由参照求值器判断，结论相同", advice)


def _browser() -> Finding:
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if found:
        return Finding("正常", "浏览器", f"{Path(found).name}（只用于给文档截图）")
    return Finding(
        "提醒", "浏览器", "没有 Chromium；只影响给文档截图", "需要时安装，如 apt-get install chromium"
    )


def _calendar(holidays: str | None, today: date) -> Iterator[Finding]:
    from landrules.facts.calendar import load_workdays
    from landrules.facts.notes import InputError

    try:
        workdays = load_workdays(None if holidays is None else Path(holidays))
    except InputError as error:
        yield Finding("问题", "放假安排", str(error), "请按提示改正文件")
        return
    covered = [
        year for year in range(2000, today.year + 3) if workdays.is_workday(date(year, 6, 1)) is not None
    ]
    text = f"{covered[0]} 至 {covered[-1]} 年" if covered else "一年也没有"
    text += f"（chinesecalendar {_version('chinesecalendar')}{'，另有补充文件' if holidays else ''}）"
    update = "请运行 pip install --upgrade chinesecalendar，或按国务院办公厅通知写成文件，以 --holidays 给出"
    if today.year not in covered:
        yield Finding("问题", "放假安排", f"缺 {today.year} 年；现有 {text}，涉及的期限只能是待补充", update)
    elif today.year + 1 not in covered:
        yield Finding(
            "提醒", "放假安排", f"缺 {today.year + 1} 年（一般当年 11 月公布）；现有 {text}", update
        )
    else:
        yield Finding("正常", "放假安排", text)


def _rules(rulesets: tuple[str, ...]) -> Iterator[Finding]:
    from landrules.engine.rulebook import Rulebook
    from landrules.facts.notes import InputError

    try:
        rulebook = Rulebook.load(*(Path(path) for path in rulesets))
    except InputError as error:
        first = error.notes[0].describe() if error.notes else str(error)
        more = f"（共 {len(error.notes)} 处）" if len(error.notes) > 1 else ""
        yield Finding(
            "问题",
            "规则集",
            f"不能使用：{first}{more}",
            "全部问题见 landrules lint；随附的规则集损坏的，请重新安装",
        )
        return
    if not rulebook.rules:
        yield Finding("问题", "规则集", "一条规则也没有", "请核对 --rulesets 指的文件夹")
        return
    for name, document in sorted(rulebook.documents.items()):
        count = sum(versions[0].document == name for versions in rulebook.rules.values())
        yield Finding(
            "正常", "规则集", f"{name} {document.number}《{document.title}》 {count} 条，{document.hash}"
        )
    vocabulary = rulebook.vocabulary
    facts = sum(len(form.facts) for form in vocabulary.subjects.values())
    yield Finding("正常", "词表", f"{len(vocabulary.subjects)} 类事项，{facts} 项事实")


def _settings(file: str | None, store: str | None) -> Iterator[tuple[Finding, str]]:
    from landrules.engine.service.settings import (
        SettingsError,
        kept_by_default,
        load_settings,
        unknown_variables,
    )

    try:
        given = {} if store is None else {"store": store}
        settings = kept_by_default(load_settings(None if file is None else Path(file), os.environ, given))
        secret = settings.secret()
        settings.checked()
    except SettingsError as error:
        yield Finding("问题", "服务设置", str(error), "请按提示改正；全部设置见 docs/builders/service.md"), ""
        return
    token = f"有（sha256 {hashlib.sha256(secret.encode()).hexdigest()[:8]}…）" if secret else "无"
    yield Finding("正常", "服务设置", f"监听 {settings.host}:{settings.port}，令牌：{token}"), settings.store
    for message in unknown_variables(os.environ):
        yield Finding("提醒", "服务设置", message), ""


def _ledger(where: str | None) -> Finding:
    if where == NO_LEDGER:
        return Finding(
            "提醒",
            "台账",
            "设为不记台账；预检不留记录，案件接口不可用",
            "需要时以 --store 或 LANDRULES_STORE 给出",
        )
    where = where or str(default_ledger())
    from landrules.engine.ledger.errors import LedgerError

    try:
        return _open_ledger(where)
    except ImportError as error:
        # Nobody asked for a ledger: that the component is missing is no problem yet.
        state: State = "提醒" if where == str(default_ledger()) else "问题"
        return Finding(state, "台账", str(error), "请安装：pip install 'landrules[service]'")
    except LedgerError as error:
        return Finding("问题", "台账", str(error), "请按提示处理；核对用 landrules log verify")


def _open_ledger(where: str) -> Finding:
    from contextlib import closing

    from landrules.engine.ledger.database import locate, writing
    from landrules.engine.ledger.store import lock_head, open_store

    url = locate(where)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if file and not Path(file).exists():
        folder = Path(file).resolve().parent
        there = folder
        if where == str(default_ledger()):
            # The service makes the folder too.
            there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        if there.is_dir() and os.access(there, os.W_OK):
            return Finding("正常", "台账", f"“{file}”还没有，首次使用时建立")
        return Finding("问题", "台账", f"文件夹“{folder}”不存在或不能写入", "请建立文件夹并给予写权限")
    with closing(open_store(where, create=False)) as store:
        # A transaction that takes the writers' lock and writes nothing.
        with writing(store.engine) as connection:
            last = lock_head(connection)
        return Finding("正常", "台账", f"{store.place} 可读写，{last.seq} 条")
