"""The next step of a case, by routing rules in YAML: small declarative conditions, the first that holds, explained.

`routing.yaml` beside this file is the default; an office replaces it with its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from landrules.engine.case.model import EVENT_LABELS, EVENT_NAMES, EventKind
from landrules.engine.case.questions import Outcome
from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import Level, Mark
from landrules.facts.notes import InputError, Note, Place

__all__ = ["Condition", "Count", "NextStep", "Route", "Routing", "Standing", "load_routing", "next_step"]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _event(value: object) -> object:
    return EVENT_NAMES.get(str(value), value)


_VerdictWord = Literal["符合", "违反", "待补充", "不适用", "执行错误"]
_Verdicts = Annotated[list[_VerdictWord], BeforeValidator(_listed)]
_Levels = Annotated[list[Level], BeforeValidator(_listed)]
_Marks = Annotated[list[Mark], BeforeValidator(_listed)]
_Texts = Annotated[list[str], BeforeValidator(_listed)]
_Events = Annotated[list[Annotated[EventKind, BeforeValidator(_event)]], BeforeValidator(_listed)]


class Count(BaseModel):
    """Which verdicts to count: those for which every given property is among the listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdict: _Verdicts | None = None
    level: _Levels | None = None
    stage: Literal["applicability", "requirement"] | None = None
    rules: _Texts | None = None
    marks: _Marks | None = None


class Condition(BaseModel):
    """One condition on a case; exactly one of its fields is given.

    `count` goes with `at_least` (1) and `at_most`; `event` is the last one, `happened` any so far.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    all: list[Condition] | None = None
    any: list[Condition] | None = None
    negated: Condition | None = Field(default=None, alias="not")
    count: Count | None = None
    at_least: int | None = Field(default=None, ge=0)
    at_most: int | None = Field(default=None, ge=0)
    event: _Events | None = None
    happened: _Events | None = None
    subject: _Texts | None = None
    suspended: bool | None = None
    overdue: bool | None = None
    always: Literal[True] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = self.model_fields_set - {"at_least", "at_most"}
        if len(given) != 1:
            raise ValueError(
                "一个条件只写一项：all、any、not、count、event、happened、subject、suspended、overdue、always"
            )
        if self.count is None and (self.at_least is not None or self.at_most is not None):
            raise ValueError("at_least、at_most 只与 count 同写")
        return self


class Route(BaseModel):
    """A step, why it is taken, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: str = Field(min_length=1)
    why: str = Field(min_length=1)
    when: Condition


class Routing(BaseModel):
    """Routes in the order in which they are tried; the last must always hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    routes: list[Route] = Field(min_length=1)

    @model_validator(mode="after")
    def _last_holds(self) -> Self:
        if not self.routes[-1].when.always:
            raise ValueError("最后一条应是 always: true，否则可能没有下一步")
        return self


@dataclass(frozen=True, slots=True)
class Standing:
    """What conditions are asked of. `marks` is called only where a condition reads marks."""

    subject: str
    outcomes: Mapping[str, Outcome]
    levels: Mapping[str, Level]
    marks: Callable[[], Mapping[str, Sequence[Mark]]]
    kinds: Sequence[EventKind]
    suspended: bool
    overdue: Sequence[str]


@dataclass(frozen=True, slots=True)
class NextStep:
    """The step to take, why, and the rules (or facts about the case) that the condition rests on."""

    step: str
    why: str
    because: tuple[str, ...] = ()


def load_routing(path: Path | None = None) -> Routing:
    """Read routing rules; the shipped ones without a path.

    Raises:
        InputError: with every mistake in the file.
    """
    name = "routing.yaml" if path is None else path.name
    try:
        source = files("landrules.engine.case") / "routing.yaml" if path is None else path
        content: Any = yaml.safe_load(source.read_text(encoding="utf-8"))
        return Routing.model_validate(content)
    except OSError:
        raise InputError(
            Note("error", "routing-file", "读不了流转规则文件；请核对路径和权限", Place(file=name))
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"流转规则不是有效的 YAML：{error}"
        raise InputError(Note("error", "routing-file", message, Place(file=name))) from error
    except ValidationError as error:
        notes = [
            Note("error", "routing-rule", f"{_where(problem['loc'])}：{_problem(problem)}", Place(file=name))
            for problem in error.errors()
        ]
        raise InputError(*notes) from error


def next_step(routing: Routing, standing: Standing) -> NextStep:
    """The first route whose condition holds."""
    for route in routing.routes:
        holds, because = _holds(route.when, standing)
        if holds:
            return NextStep(route.step, route.why, tuple(dict.fromkeys(because)))
    raise AssertionError("the last route always holds")


def _holds(condition: Condition, standing: Standing) -> tuple[bool, list[str]]:
    """Whether the condition holds, and what it rests on."""
    if condition.all is not None:
        found = [_holds(part, standing) for part in condition.all]
        return all(holds for holds, _ in found), [text for _, texts in found for text in texts]
    if condition.any is not None:
        found = [_holds(part, standing) for part in condition.any]
        return any(holds for holds, _ in found), [text for holds, texts in found if holds for text in texts]
    if condition.negated is not None:
        return not _holds(condition.negated, standing)[0], []
    if condition.count is not None:
        counted = _counted(condition.count, standing)
        least = condition.at_least if condition.at_least is not None else int(condition.at_most is None)
        enough = len(counted) >= least
        return enough and (condition.at_most is None or len(counted) <= condition.at_most), counted
    return _of_case(condition, standing)


def _of_case(condition: Condition, standing: Standing) -> tuple[bool, list[str]]:
    if condition.event is not None:
        last = standing.kinds[-1:]
        return any(kind in condition.event for kind in last), [EVENT_LABELS[kind] for kind in last]
    if condition.happened is not None:
        found = [kind for kind in condition.happened if kind in standing.kinds]
        return bool(found), [EVENT_LABELS[kind] for kind in found]
    if condition.subject is not None:
        return standing.subject in condition.subject, [standing.subject]
    if condition.suspended is not None:
        return standing.suspended is condition.suspended, ["停表" if standing.suspended else "计时中"]
    if condition.overdue is not None:
        return bool(standing.overdue) is condition.overdue, list(standing.overdue)
    return True, []


def _counted(count: Count, standing: Standing) -> list[str]:
    marks = standing.marks() if count.marks is not None else {}
    return [
        rule
        for rule, outcome in standing.outcomes.items()
        if (count.verdict is None or outcome.verdict in map(Verdict, count.verdict))
        and (count.level is None or standing.levels[rule] in count.level)
        and (count.stage is None or outcome.stage == count.stage)
        and (count.rules is None or any(fnmatchcase(rule, pattern) for pattern in count.rules))
        and (count.marks is None or any(mark in count.marks for mark in marks.get(rule, ())))
    ]


def _where(location: tuple[int | str, ...]) -> str:
    parts = [f"第 {part + 1} 条" if isinstance(part, int) else str(part) for part in location]
    return " ".join(parts) or "整个文件"


def _problem(problem: Any) -> str:
    match problem["type"]:
        case "missing":
            return "缺这一项"
        case "extra_forbidden":
            return "不认识这一项"
        case "value_error":
            return str(problem["ctx"]["error"])
        case "literal_error":
            return f"应是 {problem['ctx']['expected']} 之一，现为“{problem['input']}”".replace(" or ", "、")
        case _:
            return f"写法不对，现为“{problem['input']}”"
