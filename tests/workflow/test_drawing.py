"""The drawing itself: valid BPMN 2.0, and complete for modellers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("SpiffWorkflow", reason="SpiffWorkflow is not installed")

from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser, BpmnValidator

PATH = Path(__file__).parents[2] / "engine" / "workflow" / "supply-review.bpmn"
NAMES = {
    "bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "dc": "http://www.omg.org/spec/DD/20100524/DC",
    "di": "http://www.omg.org/spec/DD/20100524/DI",
}


@pytest.fixture(scope="module")
def drawing() -> Any:
    return etree.parse(io.BytesIO(PATH.read_bytes()))


def _all(drawing: Any, path: str) -> list[Any]:
    return list(drawing.xpath(path, namespaces=NAMES))


def test_it_is_valid_by_the_schema(drawing: Any) -> None:
    BpmnValidator().validate(drawing)
    parser = BpmnParser()
    parser.add_bpmn_xml(drawing)
    assert parser.get_process_ids() == ["supply_review"]


def test_every_element_is_drawn_once(drawing: Any) -> None:
    flows = {node.get("id") for node in _all(drawing, "//bpmn:sequenceFlow")}
    nodes = {node.get("id") for node in _all(drawing, "//bpmn:process/*[@id]")} - flows
    assert sorted(node.get("bpmnElement") for node in _all(drawing, "//bpmndi:BPMNShape")) == sorted(nodes)
    assert sorted(node.get("bpmnElement") for node in _all(drawing, "//bpmndi:BPMNEdge")) == sorted(flows)


def test_what_comes_in_and_goes_out_agrees_with_the_flows(drawing: Any) -> None:
    for flow in _all(drawing, "//bpmn:sequenceFlow"):
        (source,) = _all(drawing, f"//bpmn:process/*[bpmn:outgoing='{flow.get('id')}']")
        (target,) = _all(drawing, f"//bpmn:process/*[bpmn:incoming='{flow.get('id')}']")
        assert (source.get("id"), target.get("id")) == (flow.get("sourceRef"), flow.get("targetRef"))


def test_edges_end_at_their_shapes(drawing: Any) -> None:
    bounds = {}
    for shape in _all(drawing, "//bpmndi:BPMNShape"):
        (box,) = shape.xpath("./dc:Bounds", namespaces=NAMES)
        bounds[shape.get("bpmnElement")] = [float(box.get(name)) for name in ("x", "y", "width", "height")]
    flows = {flow.get("id"): flow for flow in _all(drawing, "//bpmn:sequenceFlow")}
    for edge in _all(drawing, "//bpmndi:BPMNEdge"):
        flow = flows[edge.get("bpmnElement")]
        points = [
            (float(p.get("x")), float(p.get("y"))) for p in edge.xpath("./di:waypoint", namespaces=NAMES)
        ]
        for (x, y), end in ((points[0], "sourceRef"), (points[-1], "targetRef")):
            left, top, width, height = bounds[flow.get(end)]
            on_x = x in (left, left + width) and top <= y <= top + height
            on_y = y in (top, top + height) and left <= x <= left + width
            assert on_x or on_y, (flow.get("id"), end)


def test_names_are_chinese_and_never_promise_an_approval(drawing: Any) -> None:
    named = {node.get("name") for node in _all(drawing, "//bpmn:process/*[@name]")}
    assert {"受理", "预审", "预审意见", "补正", "会审", "上报", "退回"} <= named
    assert not any("批准" in name or "审批通过" in name for name in named)
