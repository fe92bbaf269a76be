"""Makes a report again from what it names, and tells what has changed where it does not come out the same.

`replay` reads a JSON report, finds its inputs, judges them again and compares byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from landrules.engine.checking import check
from landrules.engine.findings.model import Finding, InputFile, RecordFindings, Report, Settings
from landrules.engine.report.json_report import render_json, report_from_json
from landrules.engine.rulebook import Rulebook
from landrules.engine.rulebook.configuration import Configuration, load_configuration
from landrules.engine.rulebook.folders import find_folders, shipped
from landrules.engine.source import BoundSource, with_clause_texts
from landrules.facts.calendar import Workdays, load_workdays
from landrules.facts.notes import InputError, Note, Place
from landrules.facts.read_records import read_bytes
from landrules.facts.records import Record
from landrules.facts.vocabulary import Vocabulary, load_vocabulary

__all__ = ["Difference", "Replay", "replay", "setting_note", "vocabulary_of"]

_LONGEST_SHOWN = 60
_SETTINGS = {"config": "地方配置", "holidays": "放假安排"}
_ENGINE_DATA = {"vocabulary": "词表", "reference": "参考表", "calendar": "日历"}
_PARTS = {
    "verdict": "结论",
    "stage": "阶段",
    "missing_labels": "缺少的事实",
    "margin": "差额",
    "limit": "限值",
    "message": "说明",
    "values": "送审内容",
    "marks": "标记",
    "notes": "附注",
    "clause_text": "条文原文",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A finding that came out differently: the weightiest part of it, as it was and as it is."""

    record: str
    rule: str
    part: str
    before: str
    after: str

    def describe(self) -> str:
        """`[WH-01] wuhai-2023-5/lease-term-max-20y 结论：违反 → 符合`."""
        return f"[{self.record}] {self.rule} {self.part}：{self.before} → {self.after}"


@dataclass(frozen=True, slots=True)
class Replay:
    """The outcome: `same` byte for byte, `different`, or `impossible` with the reason.

    `changes` tell what the report rests on that is not as it was; `differences` what came out differently.
    """

    status: Literal["same", "different", "impossible"]
    changes: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    """An input as found: its content under the name that the report gives."""

    then: InputFile
    data: bytes

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


class _ImpossibleError(Exception):
    """The report cannot be made again; the message is Chinese."""


def setting_note(what: str, name: str, data: bytes) -> Note:
    """The note by which a report tells which configuration (`config`) or calendar file (`holidays`) it rests on."""
    digest = hashlib.sha256(data).hexdigest()
    return Note("info", f"used-{what}", f"使用了{_SETTINGS[what]}，内容 sha256 {digest}", Place(file=name))


def vocabulary_of(rulesets: Sequence[Path]) -> Vocabulary:
    """The vocabulary with the facts that the rulesets (the shipped ones by default) add, before any rule is compiled.

    Raises:
        InputError: when a ruleset folder is not there or a vocabulary file is unusable.
    """
    problems: list[Note] = []
    folders = find_folders(list(rulesets) or [shipped()], problems)
    if problems:
        raise InputError(*problems)
    return load_vocabulary([path for folder in folders if (path := folder / "facts.yaml").is_file()])


def replay(
    report: Path,
    *,
    inputs: Sequence[Path] = (),
    rulesets: Sequence[Path] = (),
    sources: Mapping[str, BoundSource] | None = None,
) -> Replay:
    """Make the report in the file again from the inputs that it names and compare.

    Inputs are `inputs` by their file names, else looked up by the names in the report, from the working directory and
    beside the report. `sources` are the texts bound now, of which those that the report shows are used.
    """
    try:
        text = report.read_bytes().decode()
        then = report_from_json(text)
        files = [_find(item, report, inputs, only=len(then.inputs) == 1) for item in then.inputs]
        settings = {
            key: _find(item, report, inputs, only=False)
            for key, item in (
                ("config", then.settings.configuration),
                ("holidays", then.settings.holidays),
            )
            if item is not None
        }
        now = _again(then, files, settings, rulesets, sources or {})
    except UnicodeDecodeError:
        return Replay("impossible", reason=f"“{report}”不是 UTF-8 文本，不是 JSON 意见")
    except OSError as error:
        return Replay("impossible", reason=f"读不了“{error.filename}”：{error.strerror}")
    except ValueError as error:
        return Replay("impossible", reason=f"“{report}”：{error}")
    except _ImpossibleError as error:
        return Replay("impossible", reason=str(error))
    except InputError as error:
        return Replay("impossible", reason="；".join(note.describe() for note in error.notes))
    if render_json(now) == text:
        return Replay("same")
    changes = [*_changes(then, now), *_file_changes([*files, *settings.values()])]
    differences = tuple(_differences(then, now))
    if [ruleset.source for ruleset in then.rulesets] != [ruleset.source for ruleset in now.rulesets]:
        # That the clauses' words differ follows from the change of source, which is told.
        differences = tuple(item for item in differences if item.part != _PARTS["clause_text"])
    if not changes and not differences:
        changes = [_unexplained(then, now)]
    return Replay("different", tuple(changes), differences)


# --- finding and making ---------------------------------------------------------------------------------------


def _find(item: InputFile, report: Path, given: Sequence[Path], *, only: bool) -> _File:
    """The file that the report names: one with the same content where there is one, else one with the name."""
    if not item.name:
        raise _ImpossibleError("意见不是由文件做出的（程序接口直接给的记录），没有可以重读的送审数据")
    name = Path(item.name).name
    wanted = [path for path in given if path.name == name]
    if only and not wanted and len(given) == 1:
        wanted = list(given)
    if not wanted:
        wanted = [Path(item.name), report.parent / item.name, report.parent / name]
    found = [_File(item, path.read_bytes()) for path in wanted if path.is_file()]
    if not found:
        looked = "、".join(f"“{path}”" for path in dict.fromkeys(wanted))
        raise _ImpossibleError(f"找不到送审数据“{item.name}”（找过 {looked}）；请用 --input 给出")
    return next((file for file in found if file.hash == item.hash), found[0])


def _again(
    then: Report,
    files: Sequence[_File],
    settings: Mapping[str, _File],
    rulesets: Sequence[Path],
    sources: Mapping[str, BoundSource],
) -> Report:
    vocabulary = vocabulary_of(rulesets)
    configuration, workdays = _configured(settings, vocabulary)
    records: list[Record] = []
    notes: list[Note] = []
    for file in files:
        reading = read_bytes(
            file.data, Path(file.then.name).name, vocabulary, subject=then.settings.subject or None
        )
        records.extend(reading.records)
        notes.extend(reading.notes)
    options = then.options
    subjects = None if options.select or options.ignore else {record.subject for record in records}
    rulebook = Rulebook.load(*rulesets, subjects=subjects)
    report = check(
        rulebook,
        records,
        options,
        configuration=configuration,
        workdays=workdays,
        inputs=[InputFile(file.then.name, file.hash) for file in files],
        notes=(
            *(setting_note(what, file.then.name, file.data) for what, file in settings.items()),
            *notes,
        ),
    )
    bound = {ruleset.id for ruleset in then.rulesets if ruleset.source}
    report = with_clause_texts(report, {name: source for name, source in sources.items() if name in bound})
    return replace(
        report,
        settings=Settings(
            subject=then.settings.subject,
            configuration=_used(settings.get("config")),
            holidays=_used(settings.get("holidays")),
        ),
    )


def _used(file: _File | None) -> InputFile | None:
    return None if file is None else InputFile(file.then.name, file.hash)


def _configured(
    settings: Mapping[str, _File], vocabulary: Vocabulary
) -> tuple[Configuration | None, Workdays]:
    configuration, workdays = None, load_workdays(None)
    with TemporaryDirectory() as folder:
        # The loaders read files and name them in what they complain of.
        for what, file in settings.items():
            path = Path(folder) / Path(file.then.name).name
            path.write_bytes(file.data)
            if what == "config":
                configuration = load_configuration(path, vocabulary)
            else:
                workdays = load_workdays(path)
    return configuration, workdays


# --- comparing ------------------------------------------------------------------------------------------------


def _changes(then: Report, now: Report) -> Iterator[str]:
    if then.engine != now.engine:
        yield f"引擎：当时 {then.engine}，现在 {now.engine}"
    for key in dict.fromkeys((*then.engine_data, *now.engine_data)):
        if (old := then.engine_data.get(key)) != (new := now.engine_data.get(key)):
            yield f"{_ENGINE_DATA.get(key, key)}：当时 {_short(old)}，现在 {_short(new)}"
    old_sets = {ruleset.id: ruleset for ruleset in then.rulesets}
    new_sets = {ruleset.id: ruleset for ruleset in now.rulesets}
    for name in sorted(old_sets.keys() | new_sets.keys()):
        before, after = old_sets.get(name), new_sets.get(name)
        if before is None or after is None:
            yield f"规则集 {name}：{'当时没有' if before is None else '现在没有'}"
            continue
        if before.hash != after.hash:
            yield f"规则集 {name}：内容有改动（当时 {_short(before.hash)}，现在 {_short(after.hash)}）"
        if before.source != after.source:
            text = "现在没有绑定原文" if not after.source else "绑定的原文不同"
            yield f"规则集 {name}：{text}（当时 {_short(before.source)}，现在 {_short(after.source)}）"
    known = {finding.rule for record in now.records for finding in record.findings}
    for pattern in then.options.select:
        document = pattern.removesuffix("/*")
        if not any(
            rule == pattern or rule.startswith(f"{document}/") or rule.endswith(f"/{pattern}")
            for rule in known
        ):
            yield f"选项：只查的“{pattern}”现在不对应任何规则"


def _file_changes(files: Sequence[_File]) -> Iterator[str]:
    for file in files:
        if file.hash != file.then.hash:
            yield (
                f"输入 {file.then.name}：内容有改动（当时 {_short(file.then.hash)}，现在 {_short(file.hash)}）"
            )


def _short(digest: str | None) -> str:
    return "无" if not digest else digest if " " in digest else digest[:12]


def _unexplained(then: Report, now: Report) -> str:
    if then == now:
        return "意见的内容一致，只是 JSON 的排布或汇总数不同：文件在生成以后被改写过"
    changed = [spec.name for spec in fields(Report) if getattr(then, spec.name) != getattr(now, spec.name)]
    words = {"records": "记录的内容", "notes": "读表说明"}
    return f"意见文件在生成以后被改动过：{'、'.join(words.get(name, name) for name in changed)}不同"


def _differences(then: Report, now: Report) -> Iterator[Difference]:
    if len(then.records) != len(now.records):
        yield Difference("全部", "", "记录数", str(len(then.records)), str(len(now.records)))
    for old, new in zip(then.records, now.records, strict=False):
        yield from _of_record(old, new)


def _of_record(old: RecordFindings, new: RecordFindings) -> Iterator[Difference]:
    before = {finding.rule: finding for finding in old.findings}
    after = {finding.rule: finding for finding in new.findings}
    for rule in sorted(before.keys() | after.keys()):
        mine, theirs = before.get(rule), after.get(rule)
        if mine is None or theirs is None:
            texts = [str(finding.verdict) if finding else "没有这条规则" for finding in (mine, theirs)]
            yield Difference(old.id, rule, "结论", texts[0], texts[1])
        elif mine != theirs:
            yield _first(old.id, mine, theirs)


def _first(record: str, before: Finding, after: Finding) -> Difference:
    names = [*_PARTS, *(spec.name for spec in fields(Finding) if spec.name not in _PARTS)]
    name = next(name for name in names if getattr(before, name) != getattr(after, name))
    mine, theirs = (_text(getattr(finding, name)) for finding in (before, after))
    return Difference(record, before.rule, _PARTS.get(name, name), mine, theirs)


def _text(value: object) -> str:
    match value:
        case None | () | "":
            return "（无）"
        case tuple():
            return "；".join(_text(item) for item in value)
        case _:
            text = " ".join(str(getattr(value, "text", value)).split())
            return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
