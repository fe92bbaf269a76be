"""The rule engine: read, select, evaluate, explain, render.

    from landrules.engine import CheckOptions, Rulebook, check_dicts, render_console

    facts = {"行政区": "海勃湾区", "供应方式": "长期租赁", "出租年期": "25年", "行为日期": "2023-06-01"}
    report = check_dicts(Rulebook.load(), [{"subject": "parcel_supply", "id": "WH-01", "facts": facts}])
    print(render_console(report))

Names are loaded when they are first used, so that importing a part of the engine does not import all of it.

The engine logs through loguru and is silent until its host says `loguru.logger.enable("landrules")`.
"""

import typing as _typing
from importlib import import_module as _import_module

from loguru import logger as _logger

if _typing.TYPE_CHECKING:
    from landrules.engine.api import check, check_dicts, check_files
    from landrules.engine.evaluate.algebra import Verdict
    from landrules.engine.findings.model import CheckOptions, Finding, RecordFindings, Report
    from landrules.engine.report.console import render_console
    from landrules.engine.report.html import render_html
    from landrules.engine.report.json_report import render_json, report_from_json, report_schema
    from landrules.engine.report.summary import Summary, summarise
    from landrules.engine.rulebook import Rulebook, RulebookError
    from landrules.engine.rulebook.configuration import Configuration, load_configuration
    from landrules.facts.notes import InputError, Note, Place

# A library does not write into its host's log unasked. Here and not in each package: this runs before any of them, so
# that nothing imported later silences a log that the host has switched on.
_logger.disable("landrules")

__all__ = [
    "CheckOptions",
    "Configuration",
    "Finding",
    "InputError",
    "Note",
    "Place",
    "RecordFindings",
    "Report",
    "Rulebook",
    "RulebookError",
    "Summary",
    "Verdict",
    "check",
    "check_dicts",
    "check_files",
    "load_configuration",
    "render_console",
    "render_html",
    "render_json",
    "report_from_json",
    "report_schema",
    "summarise",
]

_HOMES = {
    "landrules.engine.api": ("check", "check_dicts", "check_files"),
    "landrules.engine.evaluate.algebra": ("Verdict",),
    "landrules.engine.findings.model": ("CheckOptions", "Finding", "RecordFindings", "Report"),
    "landrules.engine.report.console": ("render_console",),
    "landrules.engine.report.html": ("render_html",),
    "landrules.engine.report.json_report": ("render_json", "report_from_json", "report_schema"),
    "landrules.engine.report.summary": ("Summary", "summarise"),
    "landrules.engine.rulebook": ("Rulebook", "RulebookError"),
    "landrules.engine.rulebook.configuration": ("Configuration", "load_configuration"),
    "landrules.facts.notes": ("InputError", "Note", "Place"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(_import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
