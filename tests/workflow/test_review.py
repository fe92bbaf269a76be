from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from landrules.engine import Rulebook, check_dicts
from landrules.engine.evaluate.algebra import Verdict
from landrules.engine.findings.model import CheckOptions, Finding, RecordFindings
from landrules.engine.workflow import spiff
from landrules.engine.workflow.errors import ProcessError, StateError, WorkflowError
from landrules.engine.workflow.example import FACTS, MATERIAL, tell
from landrules.engine.workflow.opinion import conclusion_of
from landrules.engine.workflow.review import Missing, decide, run_review, start_review, supply_material

LEASE = "wuhai-2023-5/lease-term-max-20y"
BPMN = (
    Path(__file__).parents[2].joinpath("engine", "workflow", "supply-review.bpmn").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return Rulebook.load()


# --- the three branches ---


def test_a_violation_is_returned(rulebook: Rulebook) -> None:
    review = start_review({**FACTS, "出租年期": "25年"}, rulebook, case="WH-01")
    assert (review.step, review.waiting, review.opinion["conclusion"]) == ("退回", False, "违反")
    assert [(found["rule"], found["clause"]) for found in review.opinion["violations"]] == [
        (LEASE, "二（三）2")
    ]
    assert review.opinion["title"] == "预审意见"


def test_missing_material_waits_and_comes_back(rulebook: Rulebook) -> None:
    review = start_review(FACTS, rulebook, case="WH-02")
    assert (review.step, review.waiting) == ("补正", True)
    assert Missing("acquisition_method", "取得方式") in review.missing
    assert {item.label for item in review.missing} == set(MATERIAL)
    # Half of it: back at 预审, and waiting again.
    half = dict(list(MATERIAL.items())[:3])
    review = supply_material(review.state, half, rulebook)
    assert (review.step, len(review.rounds)) == ("补正", 2)
    assert {item.label for item in review.missing} == set(MATERIAL) - set(half)
    review = supply_material(review.state, MATERIAL, rulebook)
    assert (review.step, review.waiting, review.opinion["conclusion"]) == ("会审", True, "符合")
    assert [round_.conclusion for round_ in review.rounds] == ["缺资料", "缺资料", "符合"]


def test_what_complies_is_reviewed_by_people_and_reported(rulebook: Rulebook) -> None:
    review = start_review(FACTS | MATERIAL, rulebook, case="WH-03")
    assert (review.step, review.waiting) == ("会审", True)
    done = decide(review.state, "上报", rulebook, by="会审组")
    assert (done.step, done.waiting, done.decision, done.decided_by) == ("上报", False, "上报", "会审组")
    assert done.opinion == review.opinion


def test_people_may_return_it_or_ask_for_more(rulebook: Rulebook) -> None:
    review = start_review(FACTS | MATERIAL, rulebook, case="WH-03")
    assert decide(review.state, "退回", rulebook).step == "退回"
    again = decide(review.state, "补正", rulebook)
    assert (again.step, again.waiting) == ("补正", True)
    assert supply_material(again.state, {"出租年期": "25年"}, rulebook).step == "退回"
    # A state is not used up: the first one is as good as before.
    assert decide(review.state, "上报", rulebook).step == "上报"


def test_the_opinion_is_what_check_says(rulebook: Rulebook) -> None:
    review = start_review({**FACTS, "出租年期": "25年"}, rulebook, case="WH-01")
    report = check_dicts(
        rulebook,
        [{"subject": "parcel_supply", "id": "WH-01", "facts": {**FACTS, "出租年期": "25年"}}],
    )
    findings = report.records[0].findings
    assert review.opinion["verdicts"] == {
        str(verdict): sum(finding.verdict is verdict for finding in findings) for verdict in Verdict
    }
    assert review.opinion["rulesets"] == {used.id: used.hash for used in report.rulesets}
    assert review.opinion["input_hash"] == report.input_hash


def test_run_review_asks_until_there_is_no_answer(rulebook: Rulebook) -> None:
    asked = []

    def supply(review: Any) -> dict[str, object] | None:
        asked.append([item.label for item in review.missing])
        return dict(MATERIAL) if len(asked) == 1 else None

    review = run_review(FACTS, supply, rulebook, CheckOptions(), case="WH-04")
    assert (review.step, review.waiting, len(asked)) == ("会审", True, 1)
    review = run_review(FACTS, supply, rulebook, case="WH-05")
    assert (review.step, review.waiting) == ("补正", True)
    review = run_review(FACTS | MATERIAL, supply, rulebook, decide_by=lambda _: "上报")
    assert (review.step, review.waiting) == ("上报", False)


def test_options_reach_the_check(rulebook: Rulebook) -> None:
    wrong = {**FACTS, **MATERIAL, "出租年期": "25年"}
    assert start_review(wrong, rulebook, CheckOptions(ignore=(LEASE,)), case="1").step == "会审"


# --- facts ---


def test_a_fact_restated_under_another_name_replaces_the_first(rulebook: Rulebook) -> None:
    review = start_review({**FACTS, "出租年期": "15年"}, rulebook, case="1")
    assert supply_material(review.state, {**MATERIAL, "lease_term": "25年"}, rulebook).step == "退回"
    review = supply_material(review.state, {**MATERIAL, "lease_term": "12年"}, rulebook)
    kept = _newest_facts(review.state)
    assert (review.step, kept["lease_term"], "出租年期" in kept) == ("会审", "12年", False)


def test_facts_can_be_withdrawn(rulebook: Rulebook) -> None:
    review = decide(start_review(FACTS | MATERIAL, rulebook, case="1").state, "补正", rulebook)
    review = supply_material(review.state, {}, rulebook, unset=["取得方式"])
    assert (review.step, review.missing[0].label) == ("补正", "取得方式")


def test_numbers_stay_exact(rulebook: Rulebook) -> None:
    facts = {**FACTS, "宗地面积": Decimal("100.10"), "出让底价": 0.1, "土地用途": ["工业"]}
    review = start_review(facts, rulebook, case="1")
    kept = _newest_facts(review.state)
    assert (kept["宗地面积"], kept["出让底价"], kept["土地用途"]) == ("100.10", "0.1", ["工业"])


def _newest_facts(state: str) -> dict[str, Any]:
    facts: dict[str, Any] = spiff.data_of(spiff.restore(json.loads(state)["workflow"], {}))["facts"]
    return facts


# --- conclusions ---


def _finding(verdict: Verdict, level: str = "错误", stage: str | None = None) -> Finding:
    return Finding("a/b", "a", "标题", "一", verdict, stage, "限制", "必须", level, "")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ([], "无适用规则"),
        ([_finding(Verdict.NOT_APPLICABLE)], "无适用规则"),
        ([_finding(Verdict.MET)], "符合"),
        ([_finding(Verdict.MET), _finding(Verdict.VIOLATED, "信息")], "符合"),
        ([_finding(Verdict.MET), _finding(Verdict.OPEN, "信息", "requirement")], "符合"),
        ([_finding(Verdict.MET), _finding(Verdict.VIOLATED, "提示")], "须会审"),
        ([_finding(Verdict.MET), _finding(Verdict.OPEN, "错误", "applicability")], "须会审"),
        ([_finding(Verdict.VIOLATED, "提示"), _finding(Verdict.OPEN, "提示", "requirement")], "缺资料"),
        ([_finding(Verdict.VIOLATED), _finding(Verdict.OPEN, "错误", "requirement")], "违反"),
        ([_finding(Verdict.ERROR), _finding(Verdict.VIOLATED), _finding(Verdict.MET)], "执行错误"),
    ],
)
def test_conclusions(rulebook: Rulebook, findings: list[Finding], expected: str) -> None:
    report = check_dicts(rulebook, [{"subject": "parcel_supply", "id": "1", "facts": FACTS}])
    record: RecordFindings = replace(report.records[0], findings=tuple(findings))
    assert conclusion_of(record) == expected
    assert conclusion_of(replace(record, error="坏了")) == "执行错误"


def test_after_a_failure_people_judge(rulebook: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> Any:
        report = check_dicts(*arguments, **options)
        record = report.records[0]
        failed = replace(record.findings[0], verdict=Verdict.ERROR, message="执行错误")
        return replace(report, records=(replace(record, findings=(failed, *record.findings[1:])),))

    monkeypatch.setattr("landrules.engine.workflow.review.check_dicts", broken)
    review = start_review({**FACTS, "出租年期": "25年"}, rulebook, case="1")
    assert (review.step, review.waiting, review.opinion["conclusion"]) == ("会审", True, "执行错误")
    assert len(review.opinion["failed"]) == 1


# --- states ---


def test_another_process_goes_on_from_the_text(rulebook: Rulebook, tmp_path: Path) -> None:
    review = start_review(FACTS, rulebook, case="WH-02")
    (tmp_path / "state.json").write_text(review.state, encoding="utf-8")
    program = """
import sys
from pathlib import Path
from landrules.engine import Rulebook
from landrules.engine.workflow.example import MATERIAL
from landrules.engine.workflow.review import supply_material
review = supply_material(Path(sys.argv[1]).read_text(encoding="utf-8"), MATERIAL, Rulebook.load())
print(review.case, review.step, len(review.rounds))
"""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", program, str(tmp_path / "state.json")],
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    assert (result.stdout, result.stderr) == ("WH-02 会审 2\n", "")


def test_the_wrong_step_is_refused(rulebook: Rulebook) -> None:
    waiting = start_review(FACTS, rulebook, case="1")
    with pytest.raises(StateError, match="案件没有在等会审，现在等的是补正；没有改动"):
        decide(waiting.state, "上报", rulebook)
    ended = start_review({**FACTS, "出租年期": "25年"}, rulebook, case="1")
    with pytest.raises(StateError, match="案件没有在等补正，已经退回；没有改动"):
        supply_material(ended.state, {}, rulebook)
    with pytest.raises(StateError, match="会审意见应是 上报、退回、补正 之一，现为“批准”"):
        decide(waiting.state, "批准", rulebook)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"schema": "landrules/review/9"}'])
def test_what_is_no_state_is_refused(rulebook: Rulebook, state: str) -> None:
    with pytest.raises(StateError, match="保存的流程"):
        supply_material(state, {}, rulebook)


@pytest.mark.parametrize("workflow", [{}, {"typename": "datetime", "value": "2023-06-01"}, []])
def test_a_damaged_workflow_is_refused(rulebook: Rulebook, workflow: Any) -> None:
    state = json.dumps({"schema": "landrules/review/1", "workflow": workflow})
    with pytest.raises(StateError, match="保存的"):
        supply_material(state, {}, rulebook)


def test_a_state_that_was_tampered_with_runs_no_code(rulebook: Rulebook, tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    state = start_review(FACTS, rulebook, case="1").state
    code = json.dumps(f"open({str(harm)!r}, 'w')")[1:-1]
    changed = state.replace('conclusion == \\"违反\\"', code)
    assert changed != state
    with pytest.raises(ProcessError, match="不能用"):
        supply_material(changed, MATERIAL, rulebook)
    assert not harm.exists()


def test_a_case_needs_an_id_and_a_known_subject(rulebook: Rulebook) -> None:
    with pytest.raises(WorkflowError, match="没有写明案件编号"):
        start_review(FACTS, rulebook, case=" ")
    with pytest.raises(WorkflowError, match="没有“parcel”这种填报表"):
        start_review(FACTS, rulebook, case="1", subject="parcel")


# --- drawings ---


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('conclusion == "违反"', "__import__('os').getpid()", "不能用；只写 名称"),
        ('conclusion == "违反"', "conclusion == 1", "不能用；只写 名称"),
        ('conclusion == "违反"', "((", "不能用；只写 名称"),
        (
            "urn:landrules:check",
            "urn:other",
            "要调用“urn:other”（implementation），没有这项服务；可用：urn:landrules:check",
        ),
        ("conclusion ==", "conclusio ==", "要看“conclusio”，流程数据里没有"),
        ("</bpmn:definitions>", "", "流程图读不了"),
        ("<bpmn:userTask", "<bpmn:someTask", "流程图读不了"),
        ('process id="supply_review"', 'process id="other"', "没有流程“supply_review”"),
    ],
)
def test_drawings_that_are_refused(rulebook: Rulebook, old: str, new: str, message: str) -> None:
    drawing = BPMN.replace(old, new)
    if new == "<bpmn:someTask":
        drawing = drawing.replace("</bpmn:userTask", "</bpmn:someTask")
    assert drawing != BPMN
    with pytest.raises(ProcessError) as caught:
        start_review(FACTS, rulebook, case="1", bpmn=drawing.encode())
    assert message in str(caught.value)


def test_script_tasks_are_refused(rulebook: Rulebook) -> None:
    drawing = BPMN.replace(
        '<bpmn:userTask id="joint_review" name="会审">', '<bpmn:scriptTask id="joint_review" name="会审">'
    )
    start, _, rest = drawing.partition('<bpmn:scriptTask id="joint_review"')
    rest = rest.replace(
        "<bpmn:outgoing>reviewed</bpmn:outgoing>\n    </bpmn:userTask>",
        "<bpmn:outgoing>reviewed</bpmn:outgoing>\n      <bpmn:script>1</bpmn:script>\n    </bpmn:scriptTask>",
        1,
    )
    with pytest.raises(ProcessError, match="脚本任务“会审”，不予执行"):
        start_review(
            FACTS, rulebook, case="1", bpmn=f'{start}<bpmn:scriptTask id="joint_review"{rest}'.encode()
        )


def test_two_user_tasks_at_once_are_refused(rulebook: Rulebook) -> None:
    # Both 补正 and 会审 follow the gateway.
    drawing = BPMN.replace(
        '<bpmn:exclusiveGateway id="by_opinion" name="预审意见" default="is_for_review">',
        '<bpmn:inclusiveGateway id="by_opinion" name="预审意见">',
    )
    drawing = drawing.replace("</bpmn:exclusiveGateway>", "</bpmn:inclusiveGateway>", 1)
    drawing = drawing.replace(
        'sourceRef="by_opinion" targetRef="joint_review" />',
        'sourceRef="by_opinion" targetRef="joint_review"><bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">conclusion != "违反"</bpmn:conditionExpression></bpmn:sequenceFlow>',
    )
    with pytest.raises(ProcessError, match="同时等几个人工任务"):
        start_review(FACTS, rulebook, case="1", bpmn=drawing.encode())


def test_a_drawing_of_ones_own(rulebook: Rulebook) -> None:
    # Also what needs 会审 is returned.
    drawing = BPMN.replace('conclusion == "违反"', 'conclusion not in ("符合", "缺资料")')
    facts = {**FACTS, **MATERIAL, "能源项目类别": "未知"}
    assert start_review(facts, rulebook, case="1").step == "会审"
    assert start_review(facts, rulebook, case="1", bpmn=drawing.encode()).step == "退回"


# --- the example ---


def test_the_example_tells_all_three_branches(rulebook: Rulebook, tmp_path: Path) -> None:
    told = "\n".join(tell(rulebook, tmp_path))
    for line in (
        "WH-01 → 退回（流程结束）",
        "WH-02 → 补正（等待）",
        "WH-02 → 上报（流程结束）",
        "WH-03 → 会审（等待）",
    ):
        assert line in told
    assert "预审意见" in told
    assert "批准" not in told


def test_without_spiffworkflow_a_plain_sentence() -> None:
    program = """
import sys
sys.modules["SpiffWorkflow"] = None
import runpy
runpy.run_module("landrules.engine.workflow.example", run_name="__main__")
"""
    result = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", program], check=False, capture_output=True, encoding="utf-8"
    )
    assert result.returncode == 1
    assert (
        result.stderr
        == "缺少组件 SpiffWorkflow，审批流程无法运行；请安装：pip install 'landrules[workflow]'\n"
    )
