"""SpiffWorkflow, and nothing else of the project uses it: parsing, running, saving.

A process file is drawn by people who do not program, and a saved one comes back from somebody's database: neither may
run code. So SpiffWorkflow's Python engine, which evaluates any expression, is replaced by one that compares a name with
texts, and script tasks are refused. A service task names what it calls in its standard `implementation` attribute.
"""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

from landrules.engine.workflow.errors import ProcessError, StateError, WorkflowError, missing

try:
    from SpiffWorkflow import TaskState
    from SpiffWorkflow.bpmn import BpmnWorkflow
    from SpiffWorkflow.bpmn.parser import BpmnParser, BpmnValidator, TaskParser
    from SpiffWorkflow.bpmn.parser.util import full_tag
    from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
    from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
    from SpiffWorkflow.bpmn.serializer import DEFAULT_CONFIG, BpmnWorkflowSerializer
    from SpiffWorkflow.bpmn.serializer.default.task_spec import BpmnTaskSpecConverter
    from SpiffWorkflow.bpmn.specs.defaults import ScriptTask, ServiceTask
    from SpiffWorkflow.bpmn.specs.mixins import EndEventMixin
    from SpiffWorkflow.exceptions import SpiffWorkflowException
except ModuleNotFoundError as error:
    raise missing("SpiffWorkflow") from error

__all__ = ["Service", "Services", "begin", "data_of", "ended_at", "finish", "restore", "save", "waits_for"]

Service = Callable[[dict[str, Any]], None]
"""What a service task calls: it reads and changes the data of the process."""

Services = Mapping[str, Service]
"""Services by the `implementation` that a service task names."""


class _ServiceTask(ServiceTask):  # type: ignore[misc]  # SpiffWorkflow is not typed
    """A service task that knows what it calls."""

    def __init__(self, wf_spec: Any, bpmn_id: str, implementation: str = "", **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.implementation = implementation

    def _execute(self, task: Any) -> bool:
        task.workflow.script_engine.call_service(task, implementation=self.implementation)
        return True


class _ServiceTaskParser(TaskParser):  # type: ignore[misc]  # SpiffWorkflow is not typed
    """Reads the `implementation` of a service task."""

    def create_task(self) -> Any:
        return self.spec_class(
            self.spec,
            self.bpmn_id,
            implementation=self.node.get("implementation", ""),
            **self.bpmn_attributes,
        )


class _ServiceTaskConverter(BpmnTaskSpecConverter):  # type: ignore[misc]  # SpiffWorkflow is not typed
    """Saves and restores a service task."""

    def to_dict(self, spec: Any) -> dict[str, Any]:
        return {**super().to_dict(spec), "implementation": spec.implementation}


class _Parser(BpmnParser):  # type: ignore[misc]  # SpiffWorkflow is not typed
    OVERRIDE_PARSER_CLASSES = {full_tag("serviceTask"): (_ServiceTaskParser, _ServiceTask)}  # noqa: RUF012 - theirs


class _Engine(PythonScriptEngine):  # type: ignore[misc]  # SpiffWorkflow is not typed
    """Compares, calls services, and runs no code."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services

    def validate(self, expression: str) -> None:
        _comparison(expression)

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> bool:
        name, texts, wanted = _comparison(expression)
        data = {**(external_context or {}), **task.data}
        if name not in data:
            raise ProcessError(f"流程的条件“{expression}”要看“{name}”，流程数据里没有；请核对流程图")
        return (data[name] in texts) is wanted

    def execute(self, task: Any, script: str, external_context: Any = None) -> bool:
        del script, external_context
        raise ProcessError(f"流程里有脚本任务“{task.task_spec.bpmn_name}”，不予执行；请改为服务任务")

    def call_service(self, task: Any, **kwargs: Any) -> None:
        name = kwargs["implementation"]
        service = self._services.get(name)
        if service is None:
            raise ProcessError(_no_service(task.task_spec, self._services))
        service(task.data)


def _comparison(expression: str) -> tuple[str, tuple[object, ...], bool]:
    """`name == "text"`, `name != "text"`, `name in ("a", "b")` or `name not in (…)`: name, texts, and whether among them."""
    try:
        node = ast.parse(expression.strip(), mode="eval").body
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and len(node.ops) == 1:
            value = ast.literal_eval(node.comparators[0])
            match node.ops[0]:
                case ast.Eq() | ast.NotEq() if isinstance(value, str):
                    return node.left.id, (value,), isinstance(node.ops[0], ast.Eq)
                case ast.In() | ast.NotIn() if isinstance(value, tuple | list):
                    return node.left.id, tuple(value), isinstance(node.ops[0], ast.In)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        pass
    raise ProcessError(f'流程的条件“{expression}”不能用；只写 名称 == "文字" 或 名称 in ("文字", "文字")')


def begin(bpmn: bytes, process: str, data: Mapping[str, Any], services: Services) -> Any:
    """Start a process with this data and run it until it waits or ends.

    Raises:
        ProcessError: when the file is not valid BPMN 2.0, or asks for what is not there.
    """
    parser = _Parser(validator=BpmnValidator())
    try:
        parser.add_bpmn_io(io.BytesIO(bpmn))
        spec, parts = parser.get_spec(process), parser.get_subprocess_specs(process)
    except (SpiffWorkflowException, ValidationException, SyntaxError, KeyError) as error:
        raise ProcessError(f"流程图读不了，或其中没有流程“{process}”：{error}") from error
    if wrong := [text for part in (spec, *parts.values()) for text in _wrong_in(part, services)]:
        raise ProcessError("；".join(wrong))
    workflow = BpmnWorkflow(spec, parts, script_engine=_Engine(services))
    workflow.task_tree.set_data(**data)
    _run(workflow)
    return workflow


def _wrong_in(spec: Any, services: Services) -> list[str]:
    """What a process asks for that it will not get, told before it starts and not weeks later."""
    wrong = []
    for task in spec.task_specs.values():
        if isinstance(task, ScriptTask):
            wrong.append(f"流程里有脚本任务“{task.bpmn_name}”，不予执行；请改为服务任务")
        if isinstance(task, _ServiceTask) and task.implementation not in services:
            wrong.append(_no_service(task, services))
        for condition, _ in getattr(task, "cond_task_specs", ()):
            try:
                if condition is not None:
                    _comparison(condition.args[0])
            except ProcessError as error:
                wrong.append(str(error))
    return wrong


def _no_service(task: Any, services: Services) -> str:
    return (
        f"服务任务“{task.bpmn_name}”要调用“{task.implementation}”（implementation），没有这项服务；"
        f"可用：{'、'.join(services)}"
    )


def waits_for(workflow: Any) -> str:
    """The id of the user task that it waits for, empty when it has ended."""
    task = workflow.get_next_task(state=TaskState.READY, manual=True)
    return "" if task is None else str(task.task_spec.bpmn_id)


def ended_at(workflow: Any) -> str:
    """The id of the end event that it came to, empty before."""
    ends = workflow.get_tasks(state=TaskState.COMPLETED, spec_class=EndEventMixin)
    return str(ends[-1].task_spec.bpmn_id) if ends else ""


def data_of(workflow: Any) -> dict[str, Any]:
    """The data as it stands."""
    task = workflow.get_next_task(state=TaskState.READY, manual=True)
    data: dict[str, Any] = dict(task.data if task is not None else workflow.data)
    return data


def finish(workflow: Any, data: Mapping[str, Any]) -> None:
    """Complete the user task that is waited for, with this data, and run on.

    Raises:
        ProcessError: as `begin`.
    """
    task = workflow.get_next_task(state=TaskState.READY, manual=True)
    task.data = dict(data)
    try:
        task.run()
    except SpiffWorkflowException as error:
        raise _process_error(error) from error
    _run(workflow)


def _run(workflow: Any) -> None:
    try:
        workflow.do_engine_steps()
    except SpiffWorkflowException as error:
        raise _process_error(error) from error
    if len(workflow.get_tasks(state=TaskState.READY, manual=True)) > 1:
        raise ProcessError("流程同时等几个人工任务；这里一次只办一个，请不要用并行网关分开人工任务")
    if not workflow.is_completed() and not waits_for(workflow):
        raise ProcessError(
            "流程停在了人工任务以外的地方（如定时、消息）；这里只支持用户任务、服务任务和排他网关"
        )


def _process_error(error: Exception) -> WorkflowError:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, WorkflowError):
        return cause
    return ProcessError(f"流程走不下去：{error}")


def _serializer() -> Any:
    registry = BpmnWorkflowSerializer.configure({**DEFAULT_CONFIG, _ServiceTask: _ServiceTaskConverter})
    return BpmnWorkflowSerializer(registry)


def save(workflow: Any) -> dict[str, Any]:
    """The workflow, its process included, as a JSON object."""
    content: dict[str, Any] = json.loads(_serializer().serialize_json(workflow))
    return content


def restore(content: Mapping[str, Any], services: Services) -> Any:
    """The workflow that `save` saved, with the process as it was drawn then.

    Raises:
        StateError: when it is not one.
    """
    try:
        workflow = _serializer().deserialize_json(json.dumps(content))
    except Exception as error:  # whatever SpiffWorkflow stumbles over in a damaged text
        raise StateError("保存的流程读不了，可能被改动或截断；请取出原来保存的内容") from error
    if not isinstance(workflow, BpmnWorkflow):
        raise StateError("保存的内容不是流程；请取出原来保存的内容")
    workflow.script_engine = _Engine(services)
    return workflow
