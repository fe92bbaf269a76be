"""The web page `/`: upload a workbook, or fill a form, and read the HTML report. No script, nothing from elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from starlette.responses import Response

from landrules.engine.findings.model import CheckOptions
from landrules.engine.language import tree as t
from landrules.engine.rulebook import Rulebook
from landrules.engine.service.answers import Kept
from landrules.engine.service.bodies import media_of, parse_multipart, read_body
from landrules.engine.service.office import Office, Source, Style
from landrules.engine.service.problems import Problem
from landrules.engine.service.requests import pieces
from landrules.engine.service.routes_check import answer_check, uploaded
from landrules.engine.service.schemas import XLSX
from landrules.engine.service.work import Deadline
from landrules.facts.templates import template_bytes
from landrules.facts.values import parse_date
from landrules.facts.vocabulary import Fact, Subject

__all__ = ["add_page_routes"]

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
# The report says in a <meta> which script may run; here only what a <meta> cannot say.
_REPORT_POLICY = "frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
_USUAL = 12
_FIRST = ("district", "action_date")
_FIELDS = 600


@dataclass(frozen=True, slots=True)
class _Field:
    key: str
    label: str
    kind: str
    hint: str
    values: tuple[str, ...]


def add_page_routes(app: FastAPI) -> None:
    """Add the pages; they are not part of the described interface."""

    @app.get("/", include_in_schema=False, response_class=Response)
    async def home(request: Request, subject: str = "parcel_supply") -> Response:
        office = pieces(request.app).office
        vocabulary = office.rulebook.vocabulary
        form = vocabulary.subject(subject) or next(iter(vocabulary.subjects.values()))
        return _page(office, form)

    @app.get("/template/{subject}.xlsx", include_in_schema=False, response_class=Response)
    async def template(request: Request, subject: str) -> Response:
        form = pieces(request.app).office.rulebook.vocabulary.subject(subject)
        if form is None:
            raise Problem("subject-unknown", f"没有“{subject}”这类事项")
        data = await pieces(request.app).work.run(lambda _: template_bytes(form))
        name = {"Content-Disposition": f'attachment; filename="{form.key}.xlsx"'}
        return Response(data, headers=name, media_type=XLSX)

    @app.post("/check", include_in_schema=False, response_class=Response)
    async def check(request: Request) -> Response:
        try:
            kept = await _checked(request)
        except Problem as problem:
            return _html(_template("problem.html.j2").render(problem=problem), status=problem.status)
        headers = {**dict(kept.headers), "Content-Security-Policy": _REPORT_POLICY}
        return Response(kept.body, media_type=kept.media, headers=headers)


async def _checked(request: Request) -> Kept:
    settings = pieces(request.app).office.settings
    media, boundary = media_of(request)
    body = await read_body(request, settings.max_bytes, settings.body_seconds)
    if media == "multipart/form-data":
        parts = parse_multipart(body, boundary)
        fields = {
            part.name: part.content.decode("utf-8", "replace") for part in parts if part.filename is None
        }
        files_ = uploaded(body, boundary)
    elif media == "application/x-www-form-urlencoded":
        fields = _fields_of(body)
        files_ = [_filled(request, fields)]
    else:
        raise Problem("media-unsupported", "请用网页上的表单提交")
    on = fields.get("on", "").strip()
    day = parse_date(on) if on else None
    if on and day is None:
        raise Problem("bad-query", f"“{on}”不是有效日期，请写成 2023-06-01 的样式")
    options = CheckOptions(on=day, place=fields.get("place", "").strip())
    style: Style = "xlsx" if fields.get("format") == "xlsx" else "html"
    subject = fields.get("subject") or None

    def sources(_: Deadline) -> list[Source]:
        return files_

    return await answer_check(request, sources, options, style, subject=subject)


def _fields_of(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("ascii"), max_num_fields=_FIELDS, errors="replace"))
    except ValueError:
        raise Problem("bad-upload", "表单读不了；请重新填写") from None


def _filled(request: Request, fields: Mapping[str, str]) -> Source:
    """The form as one record, in the form that a program would send."""
    vocabulary = pieces(request.app).office.rulebook.vocabulary
    form = vocabulary.subject(fields.get("subject", ""))
    if form is None:
        raise Problem("bad-record", "没有选事项；请从网页上的表单提交")
    facts = {
        name[5:]: value.strip()
        for name, value in fields.items()
        if name.startswith("fact.") and value.strip()
    }
    if not facts:
        raise Problem("bad-record", "一项也没有填；请至少填写行政区、行为日期和与事项有关的内容")
    record = {"subject": form.key, "id": fields.get("id", "").strip() or "网页填报", "facts": facts}
    return Source("", json.dumps([record], ensure_ascii=False).encode("utf-8", "replace"))


def _page(office: Office, form: Subject) -> Response:
    usual, others = _form_fields(office.rulebook, form)
    content = _template("home.html.j2").render(
        subjects=list(office.rulebook.vocabulary.subjects.values()),
        form=form,
        usual=usual,
        others=others,
        documents=[document for _, document in sorted(office.rulebook.documents.items())],
        rules=len(office.rulebook.rules),
        megabytes=office.settings.max_bytes // (1024 * 1024),
        rows=office.settings.max_rows,
        engine=f"landrules {version('landrules')}",
    )
    return _html(content)


def _html(content: str, status: int = 200) -> Response:
    headers = {"Content-Security-Policy": _PAGE_POLICY}
    return Response(content.encode("utf-8", "replace"), status, headers, "text/html; charset=utf-8")


def _form_fields(rulebook: Rulebook, form: Subject) -> tuple[list[_Field], list[_Field]]:
    """The facts that most rules read, and the others, each as a field."""
    counts: Counter[str] = Counter()
    for versions in rulebook.rules_for(form.key):
        rule = versions[-1]
        counts.update({key for part in (rule.when, rule.require) for key in t.facts_of(part)})
    chosen = [key for key in _FIRST if key in form.facts]
    ranked = sorted(counts, key=lambda key: (-counts[key], key))
    chosen += [key for key in ranked if key in form.facts and key not in chosen]
    usual, others = chosen[:_USUAL], [key for key in form.facts if key not in chosen[:_USUAL]]
    return [_field(form.facts[key]) for key in usual], [_field(form.facts[key]) for key in others]


def _field(fact: Fact) -> _Field:
    unit = fact.unit.name.replace("每", "/") if fact.numeric and fact.unit.name != "无" else ""
    values: tuple[str, ...] = fact.values if fact.type == "enum" else ()
    if fact.type == "bool":
        values = ("是", "否")
    hint = fact.definition
    if fact.type == "set":
        hint += f"。可填：{'、'.join(fact.values)}，以“；”分隔"
    kind = "date" if fact.type == "date" else "text"
    return _Field(fact.key, f"{fact.label}（{unit}）" if unit else fact.label, kind, hint, values)


def _resource(name: str) -> str:
    return (files("landrules.engine.service") / "templates" / name).read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
