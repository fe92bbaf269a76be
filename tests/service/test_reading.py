"""Rules, documents, vocabulary, schemas, and the pages."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
from fastapi.testclient import TestClient

from .conftest import MakeClient

SAMPLE = Path(__file__).resolve().parents[2] / "facts" / "samples" / "wuhai-supply-plan.xlsx"
RULE = "wuhai-2023-5/lease-term-max-20y"


def test_rules_are_listed_and_explained(client: TestClient) -> None:
    listed = client.get("/v1/rules", params={"document": "wuhai-2023-5", "subject": "供地宗地"}).json()[
        "items"
    ]
    assert RULE in [item["id"] for item in listed]
    page = client.get(f"/v1/rules/{RULE}").json()
    assert page["title"] == "租赁期限上限20年"
    text = client.get(f"/v1/rules/{RULE}", params={"format": "markdown"})
    assert text.text.startswith("# 租赁期限上限20年")
    assert text.headers["content-type"].startswith("text/markdown")


@pytest.mark.parametrize(
    ("path", "code", "hint"),
    [
        ("/v1/rules/wuhai-2023-5/lease-term-max-20", "rule-unknown", "lease-term-max-20y"),
        ("/v1/documents/wuhai-2023-6", "document-unknown", "wuhai-2023-5"),
        ("/v1/vocabulary/供地总地", "subject-unknown", "供地宗地"),
        ("/v1/schemas/other", "schema-unknown", "input"),
    ],
)
def test_what_is_not_there_is_told_with_what_is_near(
    client: TestClient, path: str, code: str, hint: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert hint in answer.json()["detail"]


def test_an_unknown_filter_is_a_bad_parameter(client: TestClient) -> None:
    for name in ("document", "subject"):
        answer = client.get("/v1/rules", params={name: "甲"})
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, name)


def test_documents_and_vocabulary_are_described(client: TestClient) -> None:
    (document,) = client.get("/v1/documents").json()["items"]
    assert document["number"] == "乌海政发〔2023〕5号"
    assert client.get("/v1/documents/wuhai-2023-5").json()["clauses"]
    form = client.get("/v1/vocabulary/供地宗地").json()
    assert form == client.get("/v1/vocabulary/parcel_supply").json()
    assert {"出租年期", "行为日期"} <= {fact["label"] for fact in form["facts"]}


def test_schemas_are_schemas(client: TestClient) -> None:
    for name in ("input", "report", "problem"):
        jsonschema.Draft202012Validator.check_schema(client.get(f"/v1/schemas/{name}").json())
    problem = client.get("/nowhere").json()
    jsonschema.validate(problem, client.get("/v1/schemas/problem").json())


def test_the_description_is_chinese_and_complete(client: TestClient) -> None:
    described = client.get("/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert re.search("[\u4e00-\u9fff]", operation["summary"] + operation["description"]), path
            assert "500" in operation["responses"], path
            assert operation["operationId"]
    text = client.get("/v1/openapi.json").text
    assert "HTTPValidationError" not in text
    for name in re.findall(r'"#/components/schemas/([^"/]+)', text):
        assert name in described["components"]["schemas"]


# --- pages ----------------------------------------------------------------------------------------------------


def test_the_page_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="zh-CN">' in page.text
    assert not re.search(r"https?://|<script|<link|@import|src=", page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for name in re.findall(r'<(?:input|select) id="([^"]+)"', page.text):
        assert f'<label for="{name}">' in page.text
    assert "存量地块" in client.get("/", params={"subject": "stock_parcel"}).text


def test_a_workbook_is_uploaded_and_read_as_a_report(client: TestClient) -> None:
    files = {"file": ("供地计划.xlsx", SAMPLE.read_bytes())}
    page = client.post("/check", files=files, data={"on": "2023-06-01", "place": "", "format": "html"})
    assert page.status_code == 200
    assert "<h1>预检意见</h1>" in page.text
    assert "供地计划.xlsx" in page.text
    assert "default-src" not in page.headers["Content-Security-Policy"]
    book = client.post("/check", files=files, data={"format": "xlsx"})
    assert book.content.startswith(b"PK")


def test_a_form_is_filled_and_read_as_a_report(client: TestClient) -> None:
    fields = {
        "subject": "parcel_supply",
        "id": "<b>甲</b>",
        "fact.district": "海勃湾区",
        "fact.supply_method": "长期租赁",
    }
    fields |= {
        "fact.action_date": "2023-06-01",
        "fact.lease_term": "25年",
        "fact.": "",
        "fact.colour": "<i>红</i>",
    }
    page = client.post("/check", data=fields)
    assert page.status_code == 200
    assert "&lt;b&gt;甲" in page.text
    assert "<b>甲</b>" not in page.text
    assert "<i>红" not in page.text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"subject": "parcel_supply"}, "一项也没有填"),
        ({"fact.district": "海勃湾区"}, "没有选事项"),
        ({"subject": "parcel_supply", "fact.district": "x", "on": "<昨天>"}, "&lt;昨天&gt;"),
    ],
)
def test_a_form_that_cannot_be_used_is_explained_on_a_page(
    client: TestClient, data: dict[str, str], text: str
) -> None:
    page = client.post("/check", data=data)
    assert page.status_code == 422
    assert text in page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_templates_can_be_downloaded(client: TestClient) -> None:
    assert client.get("/template/parcel_supply.xlsx").content.startswith(b"PK")
    assert client.get("/template/nothing.xlsx").status_code == 404


def test_the_page_can_be_left_out(make_client: MakeClient) -> None:
    assert make_client(page=False).get("/").status_code == 404
