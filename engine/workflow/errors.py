"""What can go wrong with a review; every message is Chinese and says what to do.

WorkflowError
├── MissingExtraError   SpiffWorkflow is not installed (also an ImportError)
├── ProcessError        the BPMN file asks for something that is not there, or is not one
└── StateError          a saved review cannot be read, or waits for something else
"""

from __future__ import annotations

__all__ = ["MissingExtraError", "ProcessError", "StateError", "WorkflowError", "missing"]


class WorkflowError(Exception):
    """Something about a review that a person has to know."""


class MissingExtraError(WorkflowError, ImportError):
    """A package that the workflow needs is not installed."""


class ProcessError(WorkflowError):
    """The process cannot be run as it is drawn."""


class StateError(WorkflowError):
    """The saved review does not allow this."""


def missing(module: str) -> MissingExtraError:
    """The error for a package that is not there."""
    return MissingExtraError(
        f"缺少组件 {module}，审批流程无法运行；请安装：pip install 'landrules[workflow]'"
    )
