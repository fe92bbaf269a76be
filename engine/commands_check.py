"""`landrules check`: read, judge, render.

Exit codes: 0 nothing violated and nothing open, 1 violated, 3 only open questions, 2 bad usage or input, 4 a rule
failed to execute.
"""

from __future__ import annotations

import difflib
import getpass
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import click

from landrules.engine.checking import check as check_records
from landrules.engine.checking import prepare
from landrules.engine.commands import (
    USAGE,
    Choice,
    Command,
    CommandError,
    Day,
    bad_input_exits,
    complain_notes,
    progress_bar,
    terminal_color,
    terminal_width,
    write_bytes,
    write_file,
    write_stdout,
)
from landrules.engine.findings.model import CheckOptions, InputFile, Report, Settings
from landrules.engine.home import NO_LEDGER
from landrules.engine.replay import setting_note, vocabulary_of
from landrules.engine.report.summary import exit_code, summarise
from landrules.engine.rulebook import Rulebook, unknown_place
from landrules.engine.rulebook.configuration import load_configuration
from landrules.engine.source import default_store, load_sources, with_clause_texts
from landrules.facts.calendar import load_workdays
from landrules.facts.notes import InputError, Note, Place
from landrules.facts.read_records import read_records
from landrules.facts.records import Record
from landrules.facts.vocabulary import Vocabulary

__all__ = ["check", "rule_patterns"]

_FORMATS = ("console", "json", "html", "xlsx")


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What was read of all paths; `told` are the errors of files that could not be used at all, already printed."""

    records: tuple[Record, ...]
    files: tuple[InputFile, ...]
    notes: tuple[Note, ...]
    told: tuple[Note, ...]


@click.command(
    cls=Command,
    arguments={"PATH": "送审数据：xlsx、xls、csv、json、jsonl，可给几个"},
    epilog="""退出码：
    0  没有违反，也没有待补充
    1  有违反（倡导事项未落实不算）
    2  用法或输入有误
    3  没有违反，有待补充
    4  有规则执行出错""",
)
@click.argument("paths", metavar="PATH", nargs=-1, required=True)
@click.option("--on", type=Day(), metavar="日期", help="视同这一天办理（以此日为行为日期），如 2023-06-01")
@click.option("--as-of", type=Day(), metavar="日期", help="评价基准日，用于没有填的记录；不取系统时间")
@click.option("--place", metavar="地名", default="", help="行政区，用于没有填的记录，如 海勃湾区")
@click.option("--no-derive", is_flag=True, help="不使用推导值")
@click.option("--select", metavar="规则", multiple=True, help="只查这些：规则编号、文件编号或 文件/*")
@click.option("--ignore", metavar="规则", multiple=True, help="不查这些，写法同上")
@click.option("--rulesets", metavar="文件夹", multiple=True, help="规则集文件夹，缺省为随附的全部文件")
@click.option("--config", metavar="文件", help="地方配置（等别、最低价标准等），YAML")
@click.option("--holidays", metavar="文件", help="放假调休安排，YAML，补充或者更正随附的日历")
@click.option("--subject", metavar="事项", help="数据是哪一类事项，如 供地宗地；缺省由列名判断")
@click.option("--no-source", is_flag=True, help="不附条文原文（landrules source add 绑定的）")
@click.option("--store", metavar="文件夹", help="绑定的原文所在的文件夹，同 landrules source")
@click.option(
    "--format",
    "style",
    type=Choice(*_FORMATS),
    default="console",
    metavar="格式",
    help="console、json、html 或 xlsx（汇总表，须有 --out）",
)
@click.option("--out", metavar="文件", help="写到文件，缺省为屏幕")
@click.option("--html", metavar="文件", help="另写一份网页")
@click.option("--json", "json_", metavar="文件", help="另写一份 JSON")
@click.option("--xlsx", metavar="文件", help="另写一份汇总表")
@click.option("--full", is_flag=True, help="屏幕上全部列出，不作归并")
@click.option(
    "--ledger",
    metavar="台账",
    envvar="LANDRULES_LEDGER",
    help="记入台账：SQLite 文件路径或 postgresql://…，缺省取 LANDRULES_LEDGER，没有则不记；none 为不记",
)
@click.option("--who", metavar="姓名", default="", help="台账里记的经办人，缺省为本机用户名")
def check(
    paths: tuple[str, ...],
    on: date | None,
    as_of: date | None,
    place: str,
    no_derive: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    rulesets: tuple[str, ...],
    config: str | None,
    holidays: str | None,
    subject: str | None,
    no_source: bool,
    store: str | None,
    style: str,
    out: str | None,
    html: str | None,
    json_: str | None,
    xlsx: str | None,
    full: bool,
    ledger: str | None,
    who: str,
) -> int:
    """预检：把送审数据逐条对照在其地点和日期有效的规则，出预检意见。

    例：landrules check 供地计划.xlsx --on 2023-06-01 --html 意见.html
    """
    ledger = None if ledger in (None, "", NO_LEDGER) else ledger
    # An output that replaced the ledger would take the record of everything before with it.
    not_to_replace = (*paths, ledger) if ledger and "://" not in ledger else paths
    outputs = _outputs(not_to_replace, {"html": html, "json": json_, "xlsx": xlsx}, style, out)
    with bad_input_exits():
        vocabulary = vocabulary_of([Path(path) for path in rulesets])
        if subject is not None:
            _known_subject(subject, vocabulary)
        configuration = None if config is None else load_configuration(Path(config), vocabulary)
        workdays = load_workdays(None if holidays is None else Path(holidays))
        inputs = _read(paths, vocabulary, subject)
        sources = {} if no_source else load_sources(default_store() if store is None else Path(store))
        # Compiling the rules of what is not there takes longer than judging a plan; patterns may name any rule.
        found = None if select or ignore else {record.subject for record in inputs.records}
        rulebook = Rulebook.load(*(Path(path) for path in rulesets), subjects=found)
    options = CheckOptions(
        on=on,
        as_of=as_of,
        place=place,
        derive=not no_derive,
        select=rule_patterns(select, rulebook),
        ignore=rule_patterns(ignore, rulebook),
    )
    if place and (problem := unknown_place(rulebook, place)):
        raise CommandError(f"选项“--place”：{problem}")
    settings = {
        what: setting_note(what, path, Path(path).read_bytes())
        for what, path in (("config", config), ("holidays", holidays))
        if path is not None
    }
    with progress_bar("判断") as progress:
        report = check_records(
            rulebook,
            inputs.records,
            options,
            configuration=configuration,
            workdays=workdays,
            inputs=inputs.files,
            notes=(*settings.values(), *inputs.notes),
            progress=progress,
        )
    plain = report
    report = with_clause_texts(replace(report, settings=_settings(subject, config, holidays)), sources)
    if style != "console" or out is not None:
        complain_notes(
            [note for note in _all_notes(report) if note.severity == "error" and note not in inputs.told]
        )
    for name, path in outputs:
        _write(report, name, path, full=full)
    if out is None:
        for chunk in _chunks(report, style, full=full, screen=True):
            write_stdout(chunk)
    if ledger is not None:
        records = inputs.records
        if configuration is not None:
            # An entry is replayed from what it holds.
            bare = replace(options, derive=False)
            records = tuple(prepare(rulebook, records, bare, configuration, workdays))
        _record(ledger, who or _user(), rulebook, records, plain)
    return _code(report, inputs)


def _record(ledger: str, who: str, rulebook: Rulebook, records: Sequence[Record], report: Report) -> None:
    """Append the check to the ledger; the report has been written by then."""
    try:
        from landrules.engine.ledger.errors import LedgerError
        from landrules.engine.ledger.records import check_entry
        from landrules.engine.ledger.store import append, open_store
    except ImportError as error:
        raise CommandError(f"意见已出，但没有记入台账：{error}") from error
    try:
        with closing(open_store(ledger)) as store:
            entry = check_entry(rulebook, records, report, at=datetime.now(UTC), who=who)
            number = append(store, entry).seq
    except LedgerError as error:
        raise CommandError(f"意见已出，但没有记入台账：{error}") from error
    sys.stderr.write(f"已记入台账，第 {number} 条\n")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "本机"


def rule_patterns(patterns: Sequence[str], rulebook: Rulebook) -> tuple[str, ...]:
    """The patterns, each of which must mean at least one rule.

    Raises:
        CommandError: naming the nearest rule or document where one means nothing.
    """
    rules = sorted(rulebook.rules)
    for pattern in patterns:
        document = pattern.removesuffix("/*")
        bare = "/" not in pattern and any(rule.endswith(f"/{pattern}") for rule in rules)
        if pattern in rules or document in rulebook.documents or bare:
            continue
        names = [*rules, *rulebook.documents, *(rule.partition("/")[2] for rule in rules)]
        near = difflib.get_close_matches(pattern, names, n=1)
        hint = f"是否指 {near[0]}？" if near else ""
        raise CommandError(f"没有“{pattern}”这条规则或这份文件；{hint}用 landrules list 查看全部")
    return tuple(patterns)


def _outputs(
    paths: Sequence[str], beside: Mapping[str, str | None], style: str, out: str | None
) -> list[tuple[str, Path]]:
    """The files to write, each with its format.

    Raises:
        CommandError: where one would overwrite an input or another one, or a workbook would go to the screen.
    """
    if style == "xlsx" and out is None:
        raise CommandError("汇总表不能显示在屏幕上，请加 --out 文件.xlsx")
    outputs = [(name, Path(path)) for name, path in beside.items() if path is not None]
    if out is not None:
        outputs.append((style, Path(out)))
    taken = {Path(path).resolve() for path in paths}
    for _, path in outputs:
        if path.resolve() in taken:
            raise CommandError(f"“{path}”已用作送审数据、台账或另一份输出，请换一个文件名")
        taken.add(path.resolve())
    return outputs


def _write(report: Report, style: str, path: Path, *, full: bool) -> None:
    if style == "xlsx":
        from landrules.engine.report.xlsx import render_xlsx

        write_bytes(path, [render_xlsx(report)])
    else:
        write_file(path, _chunks(report, style, full=full))


def _known_subject(name: str, vocabulary: Vocabulary) -> None:
    if vocabulary.subject(name) is None:
        labels = [known.label for known in vocabulary.subjects.values()]
        near = difflib.get_close_matches(name, labels, n=1)
        hint = f"是否指“{near[0]}”？" if near else ""
        raise CommandError(f"没有“{name}”这类事项；{hint}可用：{'、'.join(labels)}")


def _settings(subject: str | None, config: str | None, holidays: str | None) -> Settings:
    """What the report has to name so that it can be made again."""
    return Settings(subject or "", _used(config), _used(holidays))


def _used(path: str | None) -> InputFile | None:
    return None if path is None else InputFile(path, hashlib.sha256(Path(path).read_bytes()).hexdigest())


def _read(paths: Iterable[str], vocabulary: Vocabulary, subject: str | None) -> _Inputs:
    records: list[Record] = []
    files: list[InputFile] = []
    notes: list[Note] = []
    told: list[Note] = []
    for path in paths:
        try:
            with progress_bar(f"读取 {Path(path).name}") as progress:
                reading = read_records(Path(path), vocabulary, subject=subject, progress=progress)
        except InputError as error:
            told.extend(_placed(note, path) for note in error.notes)
            continue
        records.extend(reading.records)
        notes.extend(reading.notes)
        files.append(InputFile(path, reading.hash))
    complain_notes(told)
    if told and not files:
        raise SystemExit(USAGE)
    return _Inputs(tuple(records), tuple(files), (*told, *notes), tuple(told))


def _all_notes(report: Report) -> list[Note]:
    notes = [*report.notes, *(note for record in report.records for note in record.notes)]
    return list(dict.fromkeys(notes))


def _placed(note: Note, path: str) -> Note:
    """The note, with the file's name where it has none."""
    return (
        note if note.place.file else Note(note.severity, note.code, note.message, Place(file=Path(path).name))
    )


def _chunks(report: Report, style: str, *, full: bool, screen: bool = False) -> Iterator[str]:
    match style:
        case "json":
            from landrules.engine.report.json_report import json_chunks

            yield from json_chunks(report)
        case "html":
            from landrules.engine.report.html import html_chunks

            yield from html_chunks(report)
        case _:
            from landrules.engine.report.console import render_console

            width, color = (terminal_width(), terminal_color()) if screen else (100, False)
            yield render_console(report, width=width, color=color, full=full)


def _code(report: Report, inputs: _Inputs) -> int:
    """The exit code: a file that could not be used outweighs the verdicts on the others.

    Cells that could not be read leave facts open and show in the verdicts; where no verdict rests on them, the
    input is still not in order.
    """
    summary = summarise(report)
    if inputs.told or not report.records:
        return USAGE
    code = exit_code(summary)
    return USAGE if code == 0 and summary.notes["error"] else code
