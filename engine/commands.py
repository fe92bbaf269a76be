"""What all commands share: Chinese help and errors, argument types, output files, progress.

Click's own texts are English; the classes here say everything again in Chinese and leave the parsing to click.
"""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from landrules.facts.notes import InputError, Note

__all__ = [
    "Choice",
    "Command",
    "CommandError",
    "Day",
    "Group",
    "Lazy",
    "bad_input_exits",
    "complain",
    "complain_notes",
    "explain_usage",
    "progress_bar",
    "terminal_color",
    "terminal_width",
    "write_bytes",
    "write_file",
    "write_stdout",
]

USAGE = 2
_PIPE_WIDTH = 100
_WIDEST = 120
_SLOW_SECONDS = 1.0


class CommandError(Exception):
    """A command cannot go on; the message is Chinese and says what, why and what to do. `code` is the exit code."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


# --- help -----------------------------------------------------------------------------------------------------


def _cells(text: str) -> int:
    return sum(2 if "\u2e80" <= char <= "\uffef" else 1 for char in text)


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = min(max(_cells(left) for left, _ in rows), 28)
    lines = []
    for left, right in rows:
        if _cells(left) > width:
            lines += [f"  {left}", f"  {' ' * width}  {right}".rstrip()]
        else:
            lines.append(f"  {left}{' ' * (width - _cells(left))}  {right}".rstrip())
    return lines


def _paragraphs(text: str | None) -> list[str]:
    return [f"  {line.strip()}".rstrip() for line in (text or "").strip().splitlines()]


def _option_rows(command: click.Command, ctx: click.Context) -> list[tuple[str, str]]:
    rows = []
    for param in command.get_params(ctx):
        if isinstance(param, click.Option) and not param.hidden:
            names = ", ".join([*param.opts, *param.secondary_opts])
            if not param.is_flag and not param.count:
                names += f" {param.metavar or '值'}"
            extra = "（可重复）" if param.multiple else ""
            rows.append((names, (param.help or "") + extra))
    return rows


class Command(click.Command):
    """A click command whose help is Chinese; `arguments` explains its arguments."""

    def __init__(self, *args: Any, arguments: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arguments = arguments or {}

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, explained in Chinese."""
        return _chinese_help(super().get_help_option(ctx))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """用法, what it does, 参数, 选项."""
        formatter.write(_help_text(self, ctx, self.arguments, ()))


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command that is imported when it is used: `target` is `module:attribute`, `help` one Chinese line."""

    target: str
    help: str

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - the table of commands names commands
        return command


class Group(click.Group):
    """A click group with Chinese help, whose commands are loaded when used."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy] | None = None, **kwargs: Any) -> None:
        # Without this, click answers a missing command with the whole help as an error.
        kwargs.setdefault("no_args_is_help", False)
        super().__init__(*args, **kwargs)
        self.lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, those of the table in its order."""
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now if need be."""
        if cmd_name in self.lazy:
            return self.lazy[cmd_name].load()
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with the unknown command named in Chinese."""
        name = str(args[0])
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            hint = f"，是否指 {near[0]}？" if near else f"；可用：{'、'.join(self.list_commands(ctx))}"
            raise CommandError(f"没有“{name}”这个命令{hint}")
        return super().resolve_command(ctx, args)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, explained in Chinese."""
        return _chinese_help(super().get_help_option(ctx))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """用法, what it does, 命令, 选项."""
        rows = [(name, lazy.help) for name, lazy in self.lazy.items()]
        rows += [
            (name, (command.help or "").strip().partition("\n")[0])
            for name, command in sorted(self.commands.items())
            if not command.hidden
        ]
        formatter.write(_help_text(self, ctx, {}, rows))


def _chinese_help(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.help = "显示本说明"
    return option


def _help_text(
    command: click.Command,
    ctx: click.Context,
    arguments: Mapping[str, str],
    commands: Sequence[tuple[str, str]],
) -> str:
    lines = [f"用法：{ctx.command_path} {_usage_pieces(command, ctx)}", "", *_paragraphs(command.help)]
    sections = [
        ("参数", list(arguments.items())),
        ("命令", list(commands)),
        ("选项", _option_rows(command, ctx)),
    ]
    for heading, rows in sections:
        if rows:
            lines += ["", f"{heading}：", *_table(rows)]
    if command.epilog:
        lines += ["", *_paragraphs(command.epilog)]
    return "\n".join(lines) + "\n"


def _usage_pieces(command: click.Command, ctx: click.Context) -> str:
    pieces = ["[选项]"]
    for param in command.get_params(ctx):
        if isinstance(param, click.Argument):
            name = param.metavar or (param.name or "").upper()
            name = name if param.required else f"[{name}]"
            pieces.append(name + ("…" if param.nargs == -1 else ""))
    if isinstance(command, click.Group):
        pieces.append("命令 …")
    return " ".join(pieces)


# --- errors ---------------------------------------------------------------------------------------------------


def explain_usage(error: click.ClickException) -> str:
    """Click's complaint in Chinese."""
    text = _complaint(error)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        text += f"。用法见 {error.ctx.command_path} --help"
    return text


def _complaint(error: click.ClickException) -> str:
    match error:
        case click.NoSuchOption():
            near = error.possibilities or []
            return f"没有“{error.option_name}”这个选项" + (f"，是否指 {near[0]}？" if near else "")
        case click.MissingParameter():
            return f"缺少{_param_name(error.param)}"
        case click.BadOptionUsage():
            return f"选项“{error.option_name}”的用法不对：" + (
                "它后面要跟一个值" if "require" in error.message else "它后面不能跟值"
            )
        case click.BadParameter():
            return f"{_param_name(error.param)}的值不对：{error.message}"
        case click.FileError():
            return f"无法打开文件“{error.ui_filename}”"
        case click.UsageError(ctx=click.Context(command=click.Group() as group) as ctx) if (
            error.message.startswith("Missing command")
        ):
            return f"缺少命令，可用：{'、'.join(group.list_commands(ctx))}"
        case click.UsageError() if "extra argument" in error.message:
            extra = error.message.partition("(")[2].rstrip(")")
            return f"多出了参数“{extra}”"
        case _:
            return f"命令的用法不对（{error.message}）"


def _param_name(param: click.Parameter | None) -> str:
    match param:
        case click.Argument():
            return f"参数“{param.metavar or (param.name or '').upper()}”"
        case click.Option():
            return f"选项“{max(param.opts, key=len)}”"
        case _:
            return "参数"


def complain(message: str) -> None:
    """One error line for the user, on standard error."""
    sys.stderr.write(f"错误：{message}\n")


def complain_notes(notes: Sequence[Note]) -> None:
    """Errors and warnings of a reader or the rulebook, on standard error."""
    words = {"error": "错误", "warning": "提醒", "info": "说明"}
    for note in notes:
        sys.stderr.write(f"{words[note.severity]}：{note.describe()}\n")


# --- argument types -------------------------------------------------------------------------------------------


if TYPE_CHECKING:
    _DayType = click.ParamType[date]
    _WordType = click.ParamType[str]
else:
    # Older releases of click have no type arguments here.
    _DayType = _WordType = click.ParamType


class Day(_DayType):
    """A calendar day as `2023-06-01`; other common spellings are understood."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or a Chinese complaint."""
        from landrules.facts.values import parse_date  # noqa: PLC0415 - not needed for `--help`

        if isinstance(value, date):
            return value
        day = parse_date(str(value))
        if day is None:
            self.fail(f"“{value}”不是有效日期，请写成 2023-06-01 的样式", param, ctx)
        return day


class Choice(_WordType):
    """One of a few words."""

    name = "choice"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word, or a Chinese complaint."""
        if str(value) not in self.words:
            self.fail(f"“{value}”不在可选范围内，可选：{'、'.join(self.words)}", param, ctx)
        return str(value)


# --- output ---------------------------------------------------------------------------------------------------


def terminal_color() -> bool:
    """Whether standard output is a terminal that wants colour (NO_COLOR, TERM=dumb)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def terminal_width() -> int:
    """The terminal's width, or a fixed one for files and pipes, so that their content does not depend on a window."""
    if not sys.stdout.isatty():
        return _PIPE_WIDTH
    return min(shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns, _WIDEST)


def write_stdout(text: str) -> None:
    """Write text to standard output."""
    sys.stdout.write(text)
    sys.stdout.flush()


def write_file(path: Path, chunks: Iterable[str]) -> None:
    """Write a text file (UTF-8, line feeds) as `write_bytes` does.

    Raises:
        CommandError: when it cannot be written.
    """
    write_bytes(path, (chunk.encode() for chunk in chunks))


def write_bytes(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file whole or not at all: beside its place first, then moved there. Its folder is created.

    Raises:
        CommandError: when it cannot be written.
    """
    if path.is_dir():
        raise CommandError(f"“{path}”是文件夹，请给出文件名，如 {path / 'report.html'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(chunks)
            # mkstemp makes files private; a report is an ordinary file.
            Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandError(
            f"无法写入“{path}”：{error.strerror or error}；请检查文件夹权限，或换一个位置"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A callback `(done, total)` that draws a bar on standard error once it has taken a second; None without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    started = time.monotonic()
    bars: list[Any] = []

    def report(done: int, total: int) -> None:
        if not bars:
            if time.monotonic() - started < _SLOW_SECONDS:
                return
            from rich.console import Console  # noqa: PLC0415 - only drawn when something takes long
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            bar = Progress(*columns, console=Console(stderr=True), transient=True)
            bar.start()
            bar.add_task(what, total=total)
            bars.append(bar)
        bars[0].update(bars[0].task_ids[0], completed=done, total=total)

    try:
        yield report
    finally:
        for bar in bars:
            bar.stop()


@contextmanager
def bad_input_exits() -> Iterator[None]:
    """Turn input that cannot be used at all into its notes on standard error and exit code 2."""
    try:
        yield
    except InputError as error:
        complain_notes(error.notes)
        raise SystemExit(USAGE) from error
