"""The matrix of `landrules trace` as one self-contained page, which can be filtered and printed."""

from __future__ import annotations

import base64
import hashlib

from landrules.engine.report.html import page_template, resource
from landrules.engine.trace import KINDS, Trace, counts_text, total_text

__all__ = ["render_trace_html"]


def render_trace_html(found: Trace) -> str:
    """The matrix as the text of one HTML file."""
    script = resource("trace.js")
    return page_template("trace.html.j2").render(
        trace=found,
        kinds=KINDS,
        total=total_text(found),
        counts={
            document.id: counts_text(document, with_scenarios=found.with_scenarios)
            for document in found.documents
        },
        style=resource("report.css"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
