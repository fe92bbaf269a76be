"""A supply plan through 受理, 预审, 补正, 会审, to 退回 or 上报: the example process, and how to run it.

    review = start_review({"行政区": "海勃湾区", …}, rulebook, case="WH-01")
    store(review.state)                                   # JSON; weeks may pass
    review = supply_material(load(), {"取得方式": "挂牌"}, rulebook)
    review = decide(review.state, "上报", rulebook)

Nothing is kept here: a review between two steps is the text in `state`. Each function reads it and gives the next one, so
that a step that fails leaves the last state as it was. What comes out is a 预审意见: people decide at 会审.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any, Literal, get_args

from landrules.engine.api import check_dicts
from landrules.engine.findings.model import CheckOptions
from landrules.engine.rulebook import Rulebook
from landrules.engine.workflow import spiff
from landrules.engine.workflow.errors import ProcessError, StateError, WorkflowError
from landrules.engine.workflow.opinion import opinion_of
from landrules.facts.read_headings import Names, names_of, resolve, squash
from landrules.facts.values import as_text

__all__ = [
    "SCHEMA",
    "Decision",
    "Missing",
    "Review",
    "Round",
    "decide",
    "run_review",
    "start_review",
    "supply_material",
]

SCHEMA = "landrules/review/1"
PROCESS = "supply_review"
CHECK = "urn:landrules:check"

Decision = Literal["上报", "退回", "补正"]
"""What people may decide at 会审."""

_STEPS = {"supplement": "补正", "joint_review": "会审", "returned": "退回", "reported": "上报"}


@dataclass(frozen=True, slots=True)
class Missing:
    """A fact that a rule lacks to come to a verdict."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Round:
    """One pass through 预审: its conclusion, verdict counts, and the rules and facts that it rests on."""

    conclusion: str
    verdicts: Mapping[str, int]
    rulesets: Mapping[str, str]
    input_hash: str


@dataclass(frozen=True, slots=True)
class Review:
    """A review as it stands: at 补正 or 会审 it waits, at 退回 or 上报 it has ended.

    `opinion` is the newest 预审意见 (`landrules.engine.workflow.opinion.opinion_of`), `rounds` are all of them in brief,
    `state` is what to keep. `decision` and `decided_by` are the last of 会审.
    """

    case: str
    step: str
    waiting: bool
    opinion: Mapping[str, Any]
    missing: tuple[Missing, ...]
    rounds: tuple[Round, ...]
    state: str
    decision: str = ""
    decided_by: str = ""


def start_review(
    facts: Mapping[str, object],
    rulebook: Rulebook,
    options: CheckOptions | None = None,
    *,
    case: str,
    subject: str = "parcel_supply",
    bpmn: bytes | None = None,
    process: str = PROCESS,
) -> Review:
    """Take a case in (受理) and run the process until it waits or ends. `bpmn` is another drawing of the process.

    Raises:
        ProcessError: when the drawing cannot be run.
        WorkflowError: when there is no such subject, or no id.
    """
    names = _names(rulebook, subject)
    if not case.strip():
        raise WorkflowError("没有写明案件编号（case）")
    drawing = (
        (files("landrules.engine.workflow") / "supply-review.bpmn").read_bytes() if bpmn is None else bpmn
    )
    data = {"record": {"subject": subject, "id": case}, "facts": _merged({}, facts, (), names), "rounds": []}
    workflow = spiff.begin(drawing, process, data, _services(rulebook, options))
    return _review(workflow)


def supply_material(
    state: str,
    facts: Mapping[str, object],
    rulebook: Rulebook,
    options: CheckOptions | None = None,
    *,
    unset: Sequence[str] = (),
) -> Review:
    """The material that 补正 waits for has come: back to 预审, under the rules of `rulebook`.

    A fact stated again, under whatever name, replaces what was stated; `unset` withdraws facts.

    Raises:
        StateError: when the state cannot be read, or the review does not wait for material.
        ProcessError: when the process cannot go on; the state is still good.
    """
    workflow, data = _waiting(state, "supplement", "补正", _services(rulebook, options))
    names = _names(rulebook, data["record"]["subject"])
    spiff.finish(workflow, {**data, "facts": _merged(data["facts"], facts, unset, names)})
    return _review(workflow)


def decide(
    state: str, decision: Decision, rulebook: Rulebook, options: CheckOptions | None = None, *, by: str = ""
) -> Review:
    """What people decided at 会审, who, and on to where that leads.

    Raises:
        StateError: when the state cannot be read, the review is not at 会审, or the decision is none.
        ProcessError: when the process cannot go on; the state is still good.
    """
    if decision not in get_args(Decision):
        raise StateError(f"会审意见应是 {'、'.join(get_args(Decision))} 之一，现为“{decision}”")
    workflow, data = _waiting(state, "joint_review", "会审", _services(rulebook, options))
    spiff.finish(workflow, {**data, "decision": decision, "decided_by": by})
    return _review(workflow)


def run_review(
    facts: Mapping[str, object],
    supply: Callable[[Review], Mapping[str, object] | None],
    rulebook: Rulebook,
    options: CheckOptions | None = None,
    *,
    decide_by: Callable[[Review], Decision | None] = lambda _: None,
    case: str = "1",
    subject: str = "parcel_supply",
) -> Review:
    """Run a review for as long as there are answers: `supply` gives material at 补正, `decide_by` the decision at 会审.

    Either may answer None: then the review is handed back waiting, to go on with `supply_material` or `decide`.

    Raises:
        ProcessError: when the process cannot go on.
    """
    review = start_review(facts, rulebook, options, case=case, subject=subject)
    while review.waiting:
        if review.step == "补正":
            material = supply(review)
            if material is None:
                break
            review = supply_material(review.state, material, rulebook, options)
        else:
            decision = decide_by(review)
            if decision is None:
                break
            review = decide(review.state, decision, rulebook, options)
    return review


# --- the service task ---------------------------------------------------------------------------------------------


def _services(rulebook: Rulebook, options: CheckOptions | None) -> spiff.Services:
    def precheck(data: dict[str, Any]) -> None:
        report = check_dicts(rulebook, [{**data["record"], "facts": data["facts"]}], options)
        opinion = opinion_of(report)
        kept = ("conclusion", "verdicts", "rulesets", "input_hash")
        data["opinion"] = opinion
        data["conclusion"] = opinion["conclusion"]
        data["rounds"] = [*data["rounds"], {name: opinion[name] for name in kept}]

    return {CHECK: precheck}


# --- states -------------------------------------------------------------------------------------------------------


def _review(workflow: Any) -> Review:
    waiting = spiff.waits_for(workflow)
    data = spiff.data_of(workflow)
    opinion = data.get("opinion")
    if opinion is None:
        raise ProcessError(
            f"流程还没有经过预审（implementation 为 {CHECK} 的服务任务）就停下了；请核对流程图"
        )
    at = waiting or spiff.ended_at(workflow)
    state = {"schema": SCHEMA, "workflow": spiff.save(workflow)}
    return Review(
        case=data["record"]["id"],
        step=_STEPS.get(at, at),
        waiting=bool(waiting),
        opinion=opinion,
        missing=tuple(Missing(item["key"], item["label"]) for item in opinion["missing"]),
        rounds=tuple(Round(**item) for item in data["rounds"]),
        state=json.dumps(state, ensure_ascii=False, allow_nan=False),
        decision=data.get("decision", ""),
        decided_by=data.get("decided_by", ""),
    )


def _waiting(state: str, task: str, step: str, services: spiff.Services) -> tuple[Any, dict[str, Any]]:
    try:
        content = json.loads(state)
    except (ValueError, RecursionError) as error:
        raise StateError("保存的流程不是有效的 JSON，可能被截断；请取出原来保存的内容") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise StateError(f"保存的流程不是 {SCHEMA} 的样式；请核对内容，或升级 landrules")
    workflow = spiff.restore(content.get("workflow") or {}, services)
    found = spiff.waits_for(workflow)
    if found != task:
        now = (
            f"现在等的是{_STEPS.get(found, found)}"
            if found
            else f"已经{_STEPS.get(spiff.ended_at(workflow), '结束')}"
        )
        raise StateError(f"案件没有在等{step}，{now}；没有改动")
    return workflow, spiff.data_of(workflow)


# --- facts --------------------------------------------------------------------------------------------------------


def _names(rulebook: Rulebook, subject: str) -> Names:
    found = rulebook.vocabulary.subject(subject)
    if found is None:
        raise WorkflowError(f"没有“{subject}”这种填报表；可用：{'、'.join(rulebook.vocabulary.subjects)}")
    return names_of(rulebook.vocabulary, found)


def _merged(
    known: Mapping[str, object], stated: Mapping[str, object], unset: Sequence[str], names: Names
) -> dict[str, object]:
    """Facts by the names they were stated under last, as JSON can hold them exactly."""

    def slot(name: str) -> str:
        fact, _, carried = resolve(name, names)
        return fact.key if fact is not None else f"列 {carried or squash(name)}"

    gone = {slot(name) for name in (*unset, *stated)}
    kept = {name: value for name, value in known.items() if slot(name) not in gone}
    return {**kept, **{name: _exact(value) for name, value in stated.items()}}


def _exact(value: object) -> object:
    """The value in JSON without loss: numbers that are not whole, and days, as the text a person would write."""
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    return as_text(value) if isinstance(value, float | Decimal | date) else value
