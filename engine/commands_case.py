"""`landrules case`: replay the event logs of approval cases, and list what is due."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

import click
from loguru import logger

from landrules.engine.case.deadlines import DueItem, deadlines
from landrules.engine.case.events import cases_of, read_log, records_of
from landrules.engine.case.matchers import MatcherName, open_matcher
from landrules.engine.case.replay import answer_json, answers, due_json, final_report
from landrules.engine.case.routing import load_routing
from landrules.engine.case.session import Desk
from landrules.engine.checking import prepare
from landrules.engine.commands import (
    USAGE,
    Choice,
    Command,
    CommandError,
    Day,
    Group,
    bad_input_exits,
    complain_notes,
    progress_bar,
    terminal_color,
    terminal_width,
    write_file,
    write_stdout,
)
from landrules.engine.commands_check import rule_patterns
from landrules.engine.findings.model import CheckOptions, Report
from landrules.engine.report.summary import exit_code, summarise
from landrules.engine.rulebook import Rulebook, unknown_place
from landrules.engine.rulebook.configuration import load_configuration
from landrules.facts.calendar import load_workdays
from landrules.facts.notes import Note, Place

__all__ = ["case"]

_LOG = {
    "EVENTS.jsonl": "事件记录，一行一个：{“case”, “subject”, “at”, “set”: {名称: 值}, “unset”: [名称], “event”}"
}
_Function = TypeVar("_Function", bound=Callable[..., object])


@click.group(cls=Group)
def case() -> None:
    """审批案件：事实陆续到来，随时知道违反什么、缺什么、何时到期。"""
    # The command line is the host here: it says where the library's log goes.
    logger.remove()
    logger.add(sys.stderr, level="WARNING", format="{message}", colorize=False)
    logger.enable("landrules.engine.case")


def _common(function: _Function) -> _Function:
    options = [
        click.option(
            "--as-of", type=Day(), metavar="日期", help="评价基准日，用于没有填的案件；不取系统时间"
        ),
        click.option("--place", metavar="地名", default="", help="行政区，用于没有填的案件，如 海勃湾区"),
        click.option("--no-derive", is_flag=True, help="不使用推导值"),
        click.option("--select", metavar="规则", multiple=True, help="只查这些：规则编号、文件编号或 文件/*"),
        click.option("--ignore", metavar="规则", multiple=True, help="不查这些，写法同上"),
        click.option(
            "--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件"
        ),
        click.option("--config", metavar="文件", help="地方配置（等别、最低价标准等），YAML"),
        click.option("--holidays", metavar="文件", help="放假调休安排，YAML，补充或者更正随附的日历"),
        click.option("--out", metavar="文件", help="写到文件，缺省为屏幕"),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@case.command(
    cls=Command,
    arguments=_LOG,
    epilog="退出码与 landrules check 相同：0 无违反无待补充，1 有违反，2 用法或输入有误，3 只有待补充，4 有规则执行出错",
)
@click.argument("path", metavar="EVENTS.jsonl")
@click.option(
    "--matcher",
    type=Choice("durable", "reference"),
    default="durable",
    metavar="匹配器",
    help="durable（durable-rules）或 reference（参照求值器），结论相同",
)
@click.option("--on", type=Day(), metavar="日期", help="视同这一天办理（以此日为行为日期），如 2023-06-01")
@click.option(
    "--format",
    "style",
    type=Choice("json", "console"),
    default="json",
    metavar="格式",
    help="json 或 console",
)
@click.option("--answers", "answers_", metavar="文件", help="另写每一事件之后的答复，JSON 每行一个")
@click.option("--routing", metavar="文件", help="流转规则，YAML，缺省为随附的")
@_common
def run(
    path: str,
    matcher: MatcherName,
    on: date | None,
    style: str,
    answers_: str | None,
    routing: str | None,
    as_of: date | None,
    place: str,
    no_derive: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    rulesets: tuple[str, ...],
    config: str | None,
    holidays: str | None,
    out: str | None,
) -> int:
    """重放事件记录，出每个案件最后状态的预检意见（landrules/report/1，编号即案件）。

    例：landrules case run events.jsonl --format json --out report.json
    """
    with bad_input_exits():
        rulebook = Rulebook.load(*(Path(folder) for folder in rulesets))
        configuration = None if config is None else load_configuration(Path(config), rulebook.vocabulary)
        workdays = load_workdays(None if holidays is None else Path(holidays))
        routes = load_routing(None if routing is None else Path(routing))
        log = read_log(Path(path), rulebook.vocabulary)
    options = CheckOptions(
        on=on,
        as_of=as_of,
        place=_known_place(place, rulebook),
        derive=not no_derive,
        select=rule_patterns(select, rulebook),
        ignore=rule_patterns(ignore, rulebook),
    )
    complain_notes([note for note in log.notes if note.severity == "error"])
    with open_matcher(matcher, rulebook, options, workdays=workdays) as opened:
        if answers_ is not None:
            desk = Desk(rulebook, opened, options, routes, configuration, workdays)
            write_file(Path(answers_), (_json(answer_json(answer)) for answer in answers(desk, log)))
        with progress_bar("判断") as progress:
            report = final_report(
                rulebook,
                log,
                opened,
                options,
                file=path,
                configuration=configuration,
                workdays=workdays,
                settings=_settings(config, holidays),
                progress=progress,
            )
    if out is not None:
        write_file(Path(out), _report(report, style, screen=False))
    else:
        for chunk in _report(report, style, screen=True):
            write_stdout(chunk)
    return _code(report)


@case.command(cls=Command, arguments=_LOG)
@click.argument("path", metavar="EVENTS.jsonl")
@click.option("--on", type=Day(), required=True, metavar="日期", help="看哪一天，如 2023-06-01；不取系统时间")
@click.option(
    "--format",
    "style",
    type=Choice("console", "json"),
    default="console",
    metavar="格式",
    help="console 或 json",
)
@_common
def due(
    path: str,
    on: date,
    style: str,
    as_of: date | None,
    place: str,
    no_derive: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    rulesets: tuple[str, ...],
    config: str | None,
    holidays: str | None,
    out: str | None,
) -> int:
    """列出各案件的期限：今日到期、本周到期、逾期、停表，按末日先后。

    例：landrules case due events.jsonl --on 2023-06-01
    """
    with bad_input_exits():
        rulebook = Rulebook.load(*(Path(folder) for folder in rulesets))
        configuration = None if config is None else load_configuration(Path(config), rulebook.vocabulary)
        workdays = load_workdays(None if holidays is None else Path(holidays))
        log = read_log(Path(path), rulebook.vocabulary)
    options = CheckOptions(
        as_of=as_of,
        place=_known_place(place, rulebook),
        derive=not no_derive,
        select=rule_patterns(select, rulebook),
        ignore=rule_patterns(ignore, rulebook),
    )
    complain_notes([note for note in log.notes if note.severity == "error"])
    cases = cases_of(log, rulebook.vocabulary)
    records = prepare(rulebook, records_of(cases, rulebook.vocabulary), options, configuration, workdays)
    items = deadlines(cases, records, on, rulebook=rulebook, options=options, workdays=workdays)
    text = "".join(_json(due_json(item)) for item in items) if style == "json" else _due_text(items, on)
    if out is not None:
        write_file(Path(out), iter((text,)))
    else:
        write_stdout(text)
    return USAGE if any(note.severity == "error" for note in log.notes) else 0


def _known_place(place: str, rulebook: Rulebook) -> str:
    if place and (problem := unknown_place(rulebook, place)):
        raise CommandError(f"选项“--place”：{problem}")
    return place


def _settings(config: str | None, holidays: str | None) -> list[Note]:
    """The notes by which a report tells which configuration it rests on, as `landrules check` writes them."""
    notes = []
    for key, words, path in (("config", "地方配置", config), ("holidays", "放假安排", holidays)):
        if path is not None:
            digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            message = f"使用了{words}，内容 sha256 {digest}"
            notes.append(Note("info", f"used-{key}", message, Place(file=path)))
    return notes


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"


def _report(report: Report, style: str, *, screen: bool) -> Iterator[str]:
    if style == "json":
        from landrules.engine.report.json_report import json_chunks

        yield from json_chunks(report)
    else:
        from landrules.engine.report.console import render_console

        width, color = (terminal_width(), terminal_color()) if screen else (100, False)
        yield render_console(report, width=width, color=color)


def _due_text(items: Sequence[DueItem], on: date) -> str:
    counts: dict[str, int] = {}
    for item in items:
        counts[item.state] = counts.get(item.state, 0) + 1
    listed = "，".join(f"{state} {count}" for state, count in counts.items()) or "没有期限"
    lines = [f"{on.isoformat()} 期限：{listed}"]
    for item in items:
        day = item.due.isoformat() if item.due else "末日未知  "
        left = (
            ""
            if item.left is None
            else f"，还有 {item.left} 天"
            if item.left >= 0
            else f"，已过 {-item.left} 天"
        )
        moved = (
            f"，原为 {item.written}，停表顺延"
            if item.written and item.due and item.written != item.due
            else ""
        )
        done = f"，{item.done} 完成" if item.done else ""
        open_ = "" if item.applies else "（可能适用）"
        reason = f"：{item.reason}" if item.reason else ""
        lines.append(
            f"{day}  {item.state}  {item.case}  {item.title}{open_}〔{item.rule}〕{left}{done}{moved}{reason}"
        )
    return "\n".join(lines) + "\n"


def _code(report: Report) -> int:
    """As `landrules check`: lines that could not be read show where nothing else does."""
    summary = summarise(report)
    if not report.records:
        return USAGE
    code = exit_code(summary)
    return USAGE if code == 0 and summary.notes["error"] else code
