"""Reads a feature file in Chinese Gherkin: scenarios with outlines filled in, or everything a clerk mistyped.

Full-width colons and bars, full-width spaces, a missing language line, UTF-8 with BOM and GB18030 are all read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from gherkin.errors import CompositeParserException, ParserException
from gherkin.parser import Parser
from gherkin.token_matcher import TokenMatcher

from landrules.facts.notes import InputError, Note, Place
from landrules.facts.read_text import decode

__all__ = ["Feature", "Kind", "Scenario", "Step", "feature_files", "is_chinese", "read_feature"]

Kind = Literal["given", "when", "then"]
Table = tuple[tuple[str, ...], ...]

_LANGUAGE = re.compile(r"^\s*#\s*language\s*[:：]\s*(\S+)", re.MULTILINE)
_TITLES = ("功能", "背景", "规则", "场景大纲", "场景", "剧本大纲", "剧本", "例子")
_STEPS = ("假如", "假设", "假定", "当", "那么", "而且", "并且", "同时", "但是")
_TITLE_WITH_COLON = re.compile(rf"^(\s*)({'|'.join(_TITLES)})\s*：", re.MULTILINE)
_TITLE_WITHOUT_COLON = re.compile(rf"^({'|'.join(_TITLES)})(?:[\s;；.。,，]|$)")
_WRONG_TITLES = {
    "Feature": "功能", "Background": "背景", "Rule": "规则", "Scenario Outline": "场景大纲",
    "Scenario Template": "场景大纲", "Scenario": "场景", "Examples": "例子", "Example": "场景", "Scenarios": "例子",
    "特性": "功能", "功能点": "功能", "情景": "场景", "情形": "场景", "用例": "场景", "场景模板": "场景大纲",
    "场景提纲": "场景大纲", "示例": "例子", "样例": "例子", "举例": "例子", "前提": "背景",
}  # fmt: skip
_WRONG_STEPS = {
    "Given": "假如", "When": "当", "Then": "那么", "And": "并且", "But": "但是",
    "如果": "假如", "假使": "假如", "给定": "假如", "已知": "假如", "若": "假如",
    "则": "那么", "那末": "那么", "那麽": "那么", "应当": "那么", "结果": "那么",
    "且": "并且", "以及": "并且", "和": "并且", "当：": "当", "但": "但是",
}  # fmt: skip
_BARE_WRONG_TITLE = re.compile(rf"^({'|'.join(sorted(_WRONG_TITLES, key=len, reverse=True))})\s*[:：]")
_BARE_WRONG_STEP = re.compile(rf"^({'|'.join(sorted(_WRONG_STEPS, key=len, reverse=True))})[\s：:]")
_PLACEHOLDER = re.compile(r"<(.+?)>")
_TAG = re.compile(r"[^\W_][\w./-]*")
_KINDS: dict[str, Kind] = {"Context": "given", "Action": "when", "Outcome": "then"}
_FORM = "步骤以 假如、当、那么、并且、但是 开头，表格每行以“|”开头，说明文字写成以“#”开头的注释"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it is, the keyword as written, its text, its line, and the table below it."""

    kind: Kind
    keyword: str
    text: str
    line: int
    table: Table = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario to judge; an outline gives one for each row of its examples, with that row as `example`."""

    title: str
    line: int
    steps: tuple[Step, ...]
    tags: tuple[str, ...] = ()
    example: str = ""

    @property
    def name(self) -> str:
        """The title, with the row of the examples behind it."""
        return f"{self.title}〔{self.example}〕" if self.example else self.title


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature file. `lines` gives the line of each scenario or outline by its title; `tree` is Gherkin's own."""

    file: str
    title: str
    description: str
    scenarios: tuple[Scenario, ...]
    tags: tuple[str, ...]
    lines: Mapping[str, int]
    tree: Mapping[str, Any] = field(repr=False, compare=False)


def feature_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The feature files at the paths (files, or folders searched through), sorted.

    Raises:
        InputError: where a path is not there.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(sorted(path.rglob("*.feature"))))
        elif path.is_file():
            found[path] = None
        else:
            message = "没有这个文件或文件夹；请检查路径"
            raise InputError(Note("error", "feature-missing", message, Place(file=str(path))))
    return tuple(found)


def is_chinese(path: Path) -> bool:
    """Whether a feature file is ours to read: declared zh-CN, or with Chinese keywords or text."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    declared = _LANGUAGE.search(text)
    if declared is not None:
        return declared[1].lower().replace("_", "-") in ("zh-cn", "zh", "cn", "chinese", "中文")
    return "\ufffd" in text or re.search(r"[\u4e00-\u9fff]", text) is not None


def read_feature(path: Path, name: str = "") -> Feature:
    """Read one feature file; `name` is what messages and references call it, by default the path as given.

    Raises:
        InputError: with everything that is wrong in it, each with its line.
    """
    file = name or path.as_posix()
    text, _ = decode(path.read_bytes(), file)
    text = _TITLE_WITH_COLON.sub(r"\1\2:", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = re.sub(
        r"^([ \t\u3000]*)｜.*$", lambda match: match[0].replace("｜", "|"), text, flags=re.MULTILINE
    )
    text = re.sub(r"^([ \t\u3000]*)＠", r"\1@", text, flags=re.MULTILINE)
    problems = list(_mistyped(text, file))
    tree: Mapping[str, Any] = {}
    if not any(problem.code == "feature-language" for problem in problems):
        try:
            tree = cast("Mapping[str, Any]", Parser().parse(text, TokenMatcher("zh-CN")))
        except CompositeParserException as error:
            problems += _unparsed(error.errors, text, file, {note.place.row for note in problems})
        except ParserException as error:
            problems += _unparsed([error], text, file, {note.place.row for note in problems})
    if problems:
        raise InputError(*sorted(problems, key=lambda note: note.place.row or 0))
    content = tree.get("feature")
    if content is None:
        message = "文件里没有“功能:”；请以“功能: 名称”开头，其下写“场景: 名称”和步骤"
        raise InputError(Note("error", "feature-empty", message, Place(file=file)))
    templates = list(_templates(content))
    problems = [note for template in templates for note in _check(template, file)]
    problems += _check_titles(templates, file, content["location"]["line"])
    problems += _check_tags(_tags(content), templates, file, content["location"]["line"])
    if problems:
        raise InputError(*problems)
    return Feature(
        file=file,
        title=content["name"],
        description="\n".join(line.strip() for line in content["description"].strip().splitlines()),
        scenarios=tuple(scenario for template in templates for scenario in _filled(template)),
        tags=tuple(tag["name"].lstrip("@") for tag in content["tags"]),
        lines={template.title: template.line for template in templates},
        tree=tree,
    )


@dataclass(frozen=True, slots=True)
class _Examples:
    line: int
    names: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Template:
    title: str
    keyword: str
    line: int
    steps: tuple[Step, ...]
    tags: tuple[str, ...]
    examples: tuple[_Examples, ...]
    dangling: bool


def _templates(content: Mapping[str, Any]) -> Iterator[_Template]:
    inherited = _tags(content)
    background: list[Mapping[str, Any]] = []
    for child in content["children"]:
        if "background" in child:
            background = child["background"]["steps"]
        elif "scenario" in child:
            yield _template(child["scenario"], background, inherited)
        else:
            own = list(background)
            for part in child["rule"]["children"]:
                if "background" in part:
                    own += part["background"]["steps"]
                else:
                    yield _template(part["scenario"], own, (*inherited, *_tags(child["rule"])))


def _template(
    scenario: Mapping[str, Any], background: Sequence[Mapping[str, Any]], tags: tuple[str, ...]
) -> _Template:
    before, dangling = _steps(background)
    after, loose = _steps(scenario["steps"])
    return _Template(
        title=scenario["name"],
        keyword=scenario["keyword"],
        line=scenario["location"]["line"],
        steps=before + after,
        tags=tuple(dict.fromkeys((*tags, *_tags(scenario)))),
        examples=tuple(_examples(part) for part in scenario["examples"]),
        dangling=dangling or loose,
    )


def _steps(written: Sequence[Mapping[str, Any]]) -> tuple[tuple[Step, ...], bool]:
    steps: list[Step] = []
    kind: Kind | None = None
    dangling = False
    for step in written:
        kind = _KINDS.get(step["keywordType"], kind)
        dangling = dangling or kind is None
        rows = step["dataTable"]["rows"] if "dataTable" in step else ()
        table = tuple(tuple(str(cell["value"]) for cell in row["cells"]) for row in rows)
        steps.append(
            Step(kind or "given", step["keyword"].strip(), step["text"], step["location"]["line"], table)
        )
    return tuple(steps), dangling


def _examples(part: Mapping[str, Any]) -> _Examples:
    header = part.get("tableHeader") or {"cells": ()}
    return _Examples(
        line=part["location"]["line"],
        names=tuple(str(cell["value"]) for cell in header["cells"]),
        rows=tuple(
            (row["location"]["line"], tuple(str(cell["value"]) for cell in row["cells"]))
            for row in part.get("tableBody") or ()
        ),
        tags=_tags(part),
    )


def _tags(part: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(tag["name"].lstrip("@") for tag in part["tags"])


def _filled(template: _Template) -> Iterator[Scenario]:
    if not template.examples:
        yield Scenario(template.title, template.line, template.steps, template.tags)
    for examples in template.examples:
        for line, cells in examples.rows:
            values = dict(zip(examples.names, cells, strict=True))
            steps = tuple(
                Step(
                    step.kind,
                    step.keyword,
                    _fill(step.text, values),
                    step.line,
                    tuple(tuple(_fill(cell, values) for cell in row) for row in step.table),
                )
                for step in template.steps
            )
            tags = (*template.tags, *examples.tags)
            yield Scenario(_fill(template.title, values), line, steps, tags, "，".join(cells))


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def _check(template: _Template, file: str) -> Iterator[Note]:
    def note(code: str, message: str, line: int = template.line) -> Note:
        return Note("error", code, message, Place(file=file, row=line))

    title = f"场景“{template.title}”"
    if not template.title:
        yield note("scenario-title", "场景没有名称；请在“场景:”后写一句话，说明检验的是什么情形")
    if template.dangling:
        yield note("scenario-first-step", f"{title}的第一步不能用“并且”“但是”；请用“假如”开头")
    kinds = [step.kind for step in template.steps]
    if "when" not in kinds:
        example = "当 按“wuhai-2023-5/lease-term-max-20y”判断"
        yield note("scenario-when", f"{title}缺“当”这一步，不知道按哪条规则判断；请加一行，如：{example}")
    elif "then" not in kinds:
        yield note(
            "scenario-then", f"{title}缺“那么”这一步，没有写应得的结论；请加一行，如：那么 结论为 符合"
        )
    elif kinds.index("then") < kinds.index("when"):
        line = template.steps[kinds.index("then")].line
        yield note("scenario-order", f"{title}的“那么”写在了“当”前面；请先写“当 按“…”判断”，再写“那么”", line)
    outline = "大纲" in template.keyword
    if outline and not any(examples.rows for examples in template.examples):
        yield note(
            "outline-examples",
            f"{title}是场景大纲，但没有“例子:”表格；请补一张表，第一行写占位的名称，以下每行一个例子",
        )
    used = {name for step in template.steps for text in _texts(step) for name in _PLACEHOLDER.findall(text)}
    if used and not template.examples:
        yield note(
            "outline-keyword",
            f"{title}用了占位<{min(used)}>，但没有“例子:”表格；请补上，并写成“场景大纲:”",
        )
    for examples in template.examples:
        missing = sorted(used - set(examples.names))
        if missing:
            listed = "、".join(f"<{name}>" for name in missing)
            have = "、".join(examples.names) or "（空）"
            yield note(
                "outline-column",
                f"例子表里没有 {listed} 这一列，现有：{have}；请补上或改正名称",
                examples.line,
            )


def _texts(step: Step) -> Iterator[str]:
    yield step.text
    for row in step.table:
        yield from row


def _check_titles(templates: Sequence[_Template], file: str, line: int) -> Iterator[Note]:
    if not templates:
        message = "功能下面没有场景；请加“场景: 名称”和步骤"
        yield Note("error", "feature-scenarios", message, Place(file=file, row=line))
    seen: dict[str, int] = {}
    for template in templates:
        first = seen.setdefault(template.title, template.line)
        if first != template.line:
            message = f"场景名称“{template.title}”与第 {first} 行的重复，会分不清是哪一个；请改一个名称"
            yield Note("error", "scenario-repeated", message, Place(file=file, row=template.line))


def _check_tags(
    tags: tuple[str, ...], templates: Sequence[_Template], file: str, line: int
) -> Iterator[Note]:
    places = dict.fromkeys(tags, line)
    for template in templates:
        for tag in (*template.tags, *(tag for part in template.examples for tag in part.tags)):
            places.setdefault(tag, template.line)
    for tag, row in places.items():
        if _TAG.fullmatch(tag) is None:
            message = f"标签“@{tag}”里有不能用的符号；标签只用文字、数字和 - . _ /，并以文字或数字开头"
            yield Note("error", "tag", message, Place(file=file, row=row))


def _mistyped(text: str, file: str) -> Iterator[Note]:
    """Words at the start of a line that are nearly keywords; Gherkin would take many of them for free text."""
    declared = _LANGUAGE.search(text)
    if declared is not None and declared[1] != "zh-CN":
        row = text.count("\n", 0, declared.start()) + 1
        message = f"语言写成了“{declared[1]}”；请写成“# language: zh-CN”"
        yield Note("error", "feature-language", message, Place(file=file, row=row))
    quoted = inside = False
    for number, written in enumerate(text.split("\n"), 1):
        line = written.strip()
        place = Place(file=file, row=number)
        if line.startswith(('"""', "```")):
            quoted = not quoted
        if quoted or not line or line[0] in "#@|":
            continue
        if wrong := _BARE_WRONG_TITLE.match(line):
            inside = True
            message = f"“{wrong[1]}”不是这里用的关键词；请改成“{_WRONG_TITLES[wrong[1]]}:”"
            yield Note("error", "keyword", message, place)
        elif bare := _TITLE_WITHOUT_COLON.match(line):
            inside = True
            yield Note("error", "keyword-colon", f"“{bare[1]}”后面缺冒号；请写成“{bare[1]}: …”", place)
        elif inside and (step := _BARE_WRONG_STEP.match(line)):
            word = step[1].rstrip("：")
            message = f"“{word}”不是步骤的关键词；请改成“{_WRONG_STEPS[step[1]]}”。{_FORM}"
            yield Note("error", "keyword", message, place)
        elif inside and line.startswith(_STEPS) and re.match(rf"(?:{'|'.join(_STEPS)})\s*[:：]", line):
            word = next(step for step in _STEPS if line.startswith(step))
            yield Note("error", "keyword-colon", f"“{word}”后面不要写冒号；请改成“{word} …”", place)
        inside = inside or line.startswith(("场景", "剧本", "背景"))


def _unparsed(
    errors: Sequence[ParserException], text: str, file: str, known: set[int | None]
) -> Iterator[Note]:
    """Gherkin's errors in Chinese; where a mistyped keyword is known, those that follow from it are left out."""
    if known:
        return
    lines = text.split("\n")
    told: set[int] = set()
    for error in errors:
        number = int(error.location["line"])
        if number in told:
            continue
        told.add(number)
        line = lines[number - 1].strip() if number <= len(lines) else ""
        yield Note("error", "gherkin", _unparsed_message(str(error), line), Place(file=file, row=number))
        if "inconsistent" not in str(error):
            return


def _unparsed_message(error: str, line: str) -> str:
    if "inconsistent cell count" in error:
        return "表格这一行的列数与第一行不同；请检查竖线“|”，每一格前后各一条"
    if "unexpected end of file" in error:
        return '文件到这里就结束了，还缺内容；请检查标签（@…）后面是否有场景、“"""”是否成对'
    if "#FeatureLine" in error:
        return f"文件应以“功能: 名称”开头，这里是“{line}”；请在最前面加上“功能: …”"
    if "#StepLine" in error or "#ScenarioLine" in error:
        hint = "“例子:”只能写在场景大纲的步骤之后；" if line.startswith("例子") else ""
        if line.startswith("背景"):
            hint = "“背景:”只能写一次，且在所有场景之前；"
        elif line.startswith("功能"):
            hint = "一个文件只写一个“功能:”；"
        elif line.startswith("|"):
            hint = "表格应紧跟在它所属的步骤下面；"
        elif line.startswith(_STEPS):
            hint = "步骤应写在“场景: 名称”下面；"
        return f"看不懂这一行“{line}”；{hint}{_FORM}"
    return f"看不懂这一行“{line}”；{_FORM}"
