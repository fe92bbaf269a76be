"""What can be read: rules, documents, vocabulary, schemas, the ledger; health and metrics."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from starlette.responses import Response

from landrules.engine.explain import explain, page_markdown
from landrules.engine.ledger.entry import Stored
from landrules.engine.ledger.errors import LedgerError
from landrules.engine.ledger.records import report_of
from landrules.engine.ledger.store import Query as LedgerQuery
from landrules.engine.ledger.store import entries, find, head
from landrules.engine.report.json_report import render_json, report_schema
from landrules.engine.rulebook.model import Document
from landrules.engine.service.problems import Flaw, Problem, problem_schema
from landrules.engine.service.requests import json_response, ledger_problem, pieces, run
from landrules.engine.service.schemas import declared, items_schema, json_answer, ref
from landrules.engine.service.work import Deadline
from landrules.facts.models import input_json_schema
from landrules.facts.values import suggest
from landrules.facts.vocabulary import Subject

__all__ = ["add_read_routes"]

_TEXT = {"type": "string"}
_OBJECT = {"type": "object"}
_ITEMS = items_schema()
_LEDGER = ("no-store", "busy", "timeout", "stopping", "store-unavailable")
Word = Annotated[str, Path(max_length=200)]


def add_read_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_rules(app)
    _add_vocabulary(app)
    _add_ledger(app)
    _add_operation(app)


def _add_rules(app: FastAPI) -> None:
    @app.get(
        "/v1/rules",
        **declared("规则", "列出规则", "list_rules", json_answer(_ITEMS, "规则，按编号"), "bad-query"),
    )
    async def list_rules(
        request: Request,
        document: Annotated[
            str, Query(max_length=200, description="只列这份文件的", examples=["wuhai-2023-5"])
        ] = "",
        subject: Annotated[
            str, Query(max_length=100, description="只列这类事项的", examples=["供地宗地"])
        ] = "",
    ) -> Response:
        """全部规则，或一份文件、一类事项的。"""
        rulebook = pieces(request.app).office.rulebook
        if document and document not in rulebook.documents:
            message = _unknown("文件", document, list(rulebook.documents))
            raise Problem("bad-query", message, [Flaw("document-unknown", message, parameter="document")])
        form = rulebook.vocabulary.subject(subject) if subject else None
        if subject and form is None:
            message = _unknown("事项", subject, list(rulebook.vocabulary.subjects))
            raise Problem("bad-query", message, [Flaw("subject-unknown", message, parameter="subject")])
        items = [
            {
                "id": name,
                "document": versions[-1].document,
                "title": versions[-1].title,
                "clause": versions[-1].clause,
                "subject": versions[-1].subject,
                "modality": versions[-1].modality,
                "strength": versions[-1].strength,
                "versions": len(versions),
            }
            for name, versions in sorted(rulebook.rules.items())
            if (not document or versions[-1].document == document)
            and (form is None or versions[-1].subject == form.key)
        ]
        return json_response({"items": items})

    @app.get(
        "/v1/rules/{document}/{rule}",
        **declared(
            "规则",
            "解释规则",
            "explain_rule",
            json_answer(_OBJECT, "规则的说明", **{"text/markdown": {"schema": _TEXT}}),
            "rule-unknown",
            "bad-query",
        ),
    )
    async def explain_rule(
        request: Request,
        document: Word,
        rule: Word,
        format: Annotated[Literal["json", "markdown"], Query(description="json 或 markdown")] = "json",  # noqa: A002
    ) -> Response:
        """依据哪一条、管什么、要求什么、数值从哪来、缺资料时怎么读；与 landrules explain 相同。"""
        rulebook = pieces(request.app).office.rulebook
        name = f"{document}/{rule}"
        if name not in rulebook.rules:
            raise Problem("rule-unknown", _no_rule(request, name))
        page = explain(rulebook, name)
        if format == "markdown":
            return Response(page_markdown(page), media_type="text/markdown; charset=utf-8")
        return json_response(asdict(page))

    @app.get(
        "/v1/documents", **declared("规则", "列出文件", "list_documents", json_answer(_ITEMS, "文件，按编号"))
    )
    async def list_documents(request: Request) -> Response:
        """载入的文件：文号、发布机关、有效期、地域、内容哈希。"""
        rulebook = pieces(request.app).office.rulebook
        counts: dict[str, int] = {}
        for versions in rulebook.rules.values():
            counts[versions[0].document] = counts.get(versions[0].document, 0) + 1
        items = [
            {**_document(document), "rules": counts.get(name, 0)}
            for name, document in sorted(rulebook.documents.items())
        ]
        return json_response({"items": items, "hash": rulebook.hash})

    @app.get(
        "/v1/documents/{document}",
        **declared(
            "规则",
            "文件及其条款",
            "get_document",
            json_answer(_OBJECT, "文件及条款索引"),
            "document-unknown",
            "bad-query",
        ),
    )
    async def get_document(request: Request, document: Word) -> Response:
        """一份文件的条款索引：有规则的，和没有规则的及其原因。"""
        rulebook = pieces(request.app).office.rulebook
        if document not in rulebook.documents:
            raise Problem("document-unknown", _unknown("文件", document, list(rulebook.documents)))
        found = rulebook.documents[document]
        return json_response({**_document(found), "clauses": [asdict(clause) for clause in found.clauses]})


def _add_vocabulary(app: FastAPI) -> None:
    @app.get(
        "/v1/vocabulary",
        **declared("词表", "列出事项", "list_subjects", json_answer(_ITEMS, "事项（填报表）")),
    )
    async def list_subjects(request: Request) -> Response:
        """全部事项（填报表），和用于标识的列名。"""
        vocabulary = pieces(request.app).office.rulebook.vocabulary
        items = [
            {"key": form.key, "label": form.label, "definition": form.definition, "facts": len(form.facts)}
            for form in vocabulary.subjects.values()
        ]
        return json_response({"items": items, "identifying": list(vocabulary.identifying)})

    @app.get(
        "/v1/vocabulary/{subject}",
        **declared(
            "词表",
            "一类事项的事实",
            "get_subject",
            json_answer(_OBJECT, "事项及其事实"),
            "subject-unknown",
            "bad-query",
        ),
    )
    async def get_subject(request: Request, subject: Word) -> Response:
        """一类事项的全部事实：代码、中文名、类型、单位、可填的值、别名、定义。"""
        return json_response(_subject_content(_subject(request, subject)))

    @app.get(
        "/v1/schemas/{name}",
        **declared(
            "词表",
            "JSON Schema",
            "get_schema",
            json_answer(_OBJECT, "JSON Schema（2020-12）"),
            "schema-unknown",
            "bad-query",
        ),
    )
    async def get_schema(request: Request, name: Word) -> Response:
        """input（输入记录）、report（预检意见）或 problem（问题说明）的 JSON Schema。"""
        match name:
            case "input":
                content = input_json_schema(pieces(request.app).office.rulebook.vocabulary)
            case "report":
                content = report_schema()
            case "problem":
                content = problem_schema()
            case _:
                raise Problem("schema-unknown", "可用：input、report、problem")
        return json_response(content)


def _add_ledger(app: FastAPI) -> None:
    @app.get(
        "/v1/ledger",
        **declared(
            "台账",
            "读台账",
            "read_ledger",
            json_answer(items_schema(head=_OBJECT), "条目，不含送审内容"),
            "bad-query",
            *_LEDGER,
        ),
    )
    async def read_ledger(
        request: Request,
        after: Annotated[int, Query(ge=0, le=2**53, description="只列此序号之后的")] = 0,
        limit: Annotated[int, Query(ge=1, le=100, description="至多几条")] = 20,
        kind: Annotated[
            Literal["", "check", "case-event", "mask", "checkpoint"], Query(description="种类")
        ] = "",
        case: Annotated[str, Query(max_length=100, description="案件")] = "",
        who: Annotated[str, Query(max_length=100, description="经手人")] = "",
        since: Annotated[datetime | None, Query(description="此时起（带时区）")] = None,
        until: Annotated[datetime | None, Query(description="此时止，不含（带时区）")] = None,
    ) -> Response:
        """台账条目：谁、何时、输入和规则集的哈希、结论计数；内容不在此列出。核对用 landrules log verify。"""
        for name, moment in (("since", since), ("until", until)):
            if moment is not None and moment.tzinfo is None:
                raise Problem("bad-query", f"{name} 应带时区，如 2023-06-01T00:00:00+08:00")
        wanted = LedgerQuery(kind=kind, case=case, who=who, since=since, until=until)

        def task(_: Deadline) -> dict[str, object]:
            store = pieces(request.app).office.ledger()
            found = [_entry(stored) for stored in find(store, wanted, after=after, limit=limit)]
            last = head(store)
            return {"items": found, "head": {"seq": last.seq, "hash": last.hash}}

        return json_response(await run(request, task))

    @app.get(
        "/v1/ledger/{seq}/report",
        **declared(
            "台账",
            "台账里的预检意见",
            "report_entry",
            json_answer(ref("Report"), "当时的预检意见"),
            "entry-unknown",
            "masked",
            "bad-query",
            *_LEDGER,
        ),
    )
    async def report_entry(request: Request, seq: Annotated[int, Path(ge=1, le=2**53)]) -> Response:
        """某一条目当时的预检意见，逐字节相同。"""

        def task(_: Deadline) -> str:
            stored = next(entries(pieces(request.app).office.ledger(), after=seq - 1, limit=1), None)
            outcome = stored.entry.outcome if stored is not None and stored.seq == seq else None
            if stored is None or not isinstance(outcome, dict) or "records" not in outcome:
                raise Problem("entry-unknown", f"台账没有第 {seq} 条，或它没有预检意见")
            return render_json(report_of(stored))

        return Response(await run(request, task), media_type="application/json")


def _add_operation(app: FastAPI) -> None:
    @app.get("/health/live", **declared("运行", "是否活着", "live", json_answer(_OBJECT, "活着")))
    async def live() -> Response:
        """进程在，事件循环在转。不需要令牌。"""
        return json_response({"status": "ok"})

    @app.get(
        "/health/ready",
        **declared(
            "运行", "能否受理", "ready", json_answer(_OBJECT, "可以受理"), "stopping", "store-unavailable"
        ),
    )
    async def ready(request: Request) -> Response:
        """规则已载入，台账可读，没有在停止。不需要令牌。"""
        kept = pieces(request.app)
        kept.metrics.ready.set(0)
        if kept.work.stopping:
            raise Problem("stopping", "服务正在停止")
        try:
            # Not among the checks: a full queue is no reason to be restarted.
            problem = await asyncio.to_thread(kept.office.ready)
        except LedgerError as error:
            raise ledger_problem(error) from error
        if problem:
            raise Problem("internal", problem)
        kept.metrics.ready.set(1)
        return json_response(
            {"status": "ok", "engine": version("landrules"), "rulesets": len(kept.office.rulebook.documents)}
        )

    @app.get(
        "/metrics",
        **declared(
            "运行",
            "Prometheus 指标",
            "metrics",
            {"description": "指标", "content": {"text/plain": {"schema": _TEXT}}},
        ),
    )
    async def metrics(request: Request) -> Response:
        """请求数、用时、进行中的请求、记录数、各种结论数；没有送审内容。"""
        return Response(
            pieces(request.app).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )


def _subject(request: Request, name: str) -> Subject:
    vocabulary = pieces(request.app).office.rulebook.vocabulary
    found = vocabulary.subject(name)
    if found is None:
        names = [*vocabulary.subjects, *(form.label for form in vocabulary.subjects.values())]
        raise Problem("subject-unknown", _unknown("事项", name, names))
    return found


def _unknown(what: str, name: str, names: list[str]) -> str:
    near = suggest(name, names)
    return f"没有“{name}”这{'份' if what == '文件' else '类'}{what}{f'，是否指{near}？' if near else ''}"


def _no_rule(request: Request, name: str) -> str:
    rulebook = pieces(request.app).office.rulebook
    for document in rulebook.documents.values():
        for clause in document.clauses:
            if clause.id == name:
                return f"“{name}”（{document.number} {clause.clause}）没有规则：{clause.reason}"
    near = suggest(name, list(rulebook.rules))
    return f"没有“{name}”这条规则{f'，是否指{near}？' if near else ''}；全部规则见 /v1/rules"


def _document(document: Document) -> dict[str, object]:
    period = document.period
    return {
        "id": document.id,
        "title": document.title,
        "number": document.number,
        "issuer": document.issuer,
        "issue_date": document.issue_date and document.issue_date.isoformat(),
        "from": period.start and period.start.isoformat(),
        "to": period.end and period.end.isoformat(),
        "presumed": document.presumed,
        "province": document.province,
        "city": document.city,
        "places": [{"name": place.name, "code": place.code} for place in document.places],
        "hash": document.hash,
    }


def _subject_content(form: Subject) -> dict[str, object]:
    facts: list[dict[str, Any]] = [
        {
            "key": fact.key,
            "label": fact.label,
            "type": fact.type,
            "unit": fact.unit.name if fact.numeric else "",
            "definition": fact.definition,
            "aliases": list(fact.aliases),
            "values": list(fact.values),
            "derived": fact.derivation is not None,
        }
        for fact in form.facts.values()
    ]
    return {"key": form.key, "label": form.label, "definition": form.definition, "facts": facts}


def _entry(stored: Stored) -> dict[str, object]:
    entry = stored.entry
    return {
        "seq": stored.seq,
        "hash": stored.hash,
        "previous": stored.previous,
        "kind": entry.kind,
        "at": entry.at.isoformat(),
        "who": entry.who,
        "case": entry.case,
        "input_hash": entry.input_hash,
        "engine": entry.engine,
        "rulesets": dict(entry.rulesets),
        "options": dict(entry.options),
        "verdicts": dict(entry.verdicts),
        "masked": stored.masked,
    }
