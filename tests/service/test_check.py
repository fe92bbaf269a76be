"""`POST /v1/check`: the same report as the command line, exact numbers, every flaw with its place."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient

from landrules.engine.report.json_report import report_schema

from .conftest import RULESETS

SAMPLE = Path(__file__).resolve().parents[2] / "facts" / "samples" / "wuhai-supply-plan.xlsx"
LINES = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


def verdict(answer: Any, rule: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        entry for entry in answer.json()["records"][0]["verdicts"] if entry["rule"].endswith(f"/{rule}")
    ]
    return found[0]


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(error["code"], error["pointer"]) for error in answer.json()["errors"]]


def test_answer_is_the_report_of_the_command_line(
    client: TestClient, record: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "in.json"
    text = json.dumps([record, {**record, "id": "WH-02"}], ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    query = {"on": "2024-01-01", "as_of": "2024-02-01", "derive": "false", "ignore": "three-lines-control"}
    answer = client.post("/v1/check", content=text.encode(), headers=JSON, params=query)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    jsonschema.validate(answer.json(), report_schema())
    command = [
        sys.executable, "-m", "landrules.engine.cli", "check", str(path), "--rulesets", str(RULESETS[0]),
        "--on", "2024-01-01", "--as-of", "2024-02-01", "--no-derive", "--ignore", "three-lines-control",
        "--format", "json",
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True)
    # A request has no file name; nothing else may differ.
    expected = done.stdout.decode().replace(f'"{path}"', '""').replace(f'"file": "{path.name}"', '"file": ""')
    assert answer.text == expected


def test_records_may_stand_in_an_object(client: TestClient, record: dict[str, Any]) -> None:
    plain = client.post("/v1/check", json=[record])
    wrapped = client.post(
        "/v1/check", content=b' { "records" : ' + plain.request.content + b" } ", headers=JSON
    )
    assert wrapped.text == plain.text


def test_lines_give_the_same_verdicts(client: TestClient, record: dict[str, Any]) -> None:
    lines = "\n".join(json.dumps({**record, "id": str(number)}) for number in range(3)) + "\n"
    answer = client.post(
        "/v1/check", content=iter([lines[:100].encode(), lines[100:].encode()]), headers=LINES
    )
    assert [entry["id"] for entry in answer.json()["records"]] == ["0", "1", "2"]
    assert verdict(answer, "lease-term-max-20y")["verdict"] == "违反"


def test_numbers_are_read_from_their_text(client: TestClient) -> None:
    body = """[{"subject": "parcel_supply", "facts":
      {"行政区": "海勃湾区", "供应方式": "长期租赁", "出租年期": 20.00000000000000000001, "行为日期": "2023-06-01"}}]"""
    found = verdict(client.post("/v1/check", content=body.encode(), headers=JSON), "lease-term-max-20y")
    assert found["verdict"] == "违反"
    assert "20.00000000000000000001" in json.dumps(found["values"], ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[{]", "bad-json"),
        (b'[{"subject": NaN}]', "bad-json"),
        (b"\xff\xfe[", "bad-encoding"),
        (b"", "bad-json"),
        (b"[" * 100_000, "bad-json"),
        (b"[" + b"9" * 5000 + b"]", "bad-json"),
    ],
    ids=["cut off", "not a number", "not utf-8", "empty", "deep", "long number"],
)
def test_what_is_not_json_is_told(client: TestClient, body: bytes, code: str) -> None:
    answer = client.post("/v1/check", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_every_flaw_has_its_place(client: TestClient, record: dict[str, Any]) -> None:
    records = [
        record,
        17,
        {"subject": "宗地买卖", "facts": {}},
        {"subject": "parcel_supply", "facts": {"出租年期": {"年": 20}}, "出租年期": 1},
        {"facts": [], "id": True},
    ]
    answer = client.post("/v1/check", json=records)
    assert answer.status_code == 422
    assert codes(answer) == [
        ("record-form", "/1"),
        ("subject-unknown", "/2/subject"),
        ("record-extra", "/3/出租年期"),
        ("fact-form", "/3/facts/出租年期"),
        ("subject-missing", "/4/subject"),
        ("id-form", "/4/id"),
        ("facts-form", "/4/facts"),
    ]
    assert answer.json()["error_count"] == 7


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[{"subject": "parcel_supply", "facts": {"出租年期": 1, "出租年期": 2}}]', "key-repeated"),
        ('[{"subject": "parcel_supply", "facts": {"备注": "\\ud800"}}]', "fact-text"),
        ("[]", "no-records"),
        ('{"records": 1}', "records-form"),
        ('{"subject": "parcel_supply", "facts": {}}', "records-form"),
    ],
)
def test_what_would_be_lost_silently_is_refused(client: TestClient, text: str, code: str) -> None:
    answer = client.post("/v1/check", content=text.encode(), headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == code


def test_a_bad_line_is_named(client: TestClient) -> None:
    answer = client.post("/v1/check", content=b'\n{"subject": "parcel_supply", "facts": 1}\n', headers=LINES)
    assert answer.json()["errors"][0]["line"] == 2
    broken = client.post(
        "/v1/check", content=b'{"subject": "parcel_supply", "facts": {}}\n{\n', headers=LINES
    )
    assert "第 2 行" in broken.json()["detail"]


def test_a_value_that_cannot_be_read_is_told_in_the_report(
    client: TestClient, record: dict[str, Any]
) -> None:
    record["facts"]["出租年期"] = "很久"
    answer = client.post("/v1/check", json=[record])
    assert answer.status_code == 200
    assert any("出租年期" in note["message"] for note in answer.json()["records"][0]["notes"])


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"on": "2023-02-30"}, "on"),
        ({"place": "蓬莱"}, "place"),
        ({"select": "lease-term-max-20"}, "select"),
        ({"ignore": "no/such"}, "ignore"),
        ({"subject": "宗地"}, "subject"),
        ({"format": "pdf"}, "format"),
        ({"derive": "maybe"}, "derive"),
    ],
)
def test_a_bad_parameter_is_named(
    client: TestClient, record: dict[str, Any], query: dict[str, str], parameter: str
) -> None:
    answer = client.post("/v1/check", json=[record], params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-query")
    assert answer.json()["errors"][0]["parameter"] == parameter


def test_subject_may_come_from_the_query(client: TestClient, record: dict[str, Any]) -> None:
    del record["subject"]
    answer = client.post("/v1/check", json=[record], params={"subject": "供地宗地"})
    assert answer.json()["records"][0]["subject"] == "parcel_supply"


def test_other_media_types_are_refused(client: TestClient) -> None:
    assert client.post("/v1/check", content=b"a=1", headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.post("/v1/check/file", json=[]).status_code == 415


def test_html_and_workbook_are_rendered(client: TestClient, record: dict[str, Any]) -> None:
    page = client.post("/v1/check", json=[record], params={"format": "html"})
    assert "<h1>预检意见</h1>" in page.text
    book = client.post("/v1/check", json=[record], params={"format": "xlsx"})
    assert book.content.startswith(b"PK")


# --- files ----------------------------------------------------------------------------------------------------


def test_a_workbook_is_checked_as_on_the_command_line(client: TestClient) -> None:
    answer = client.post("/v1/check/file", files={"file": ("计划.xlsx", SAMPLE.read_bytes())})
    assert answer.status_code == 200
    assert answer.json()["input"]["files"][0]["name"] == "计划.xlsx"
    command = [sys.executable, "-m", "landrules.engine.cli", "check", str(SAMPLE), "--format", "json"]
    done = subprocess.run([*command, "--rulesets", str(RULESETS[0])], check=False, capture_output=True)
    assert answer.json()["summary"] == json.loads(done.stdout)["summary"]


def test_several_files_are_checked_together(client: TestClient, record: dict[str, Any]) -> None:
    other = io.BytesIO(json.dumps([{**record, "id": "WH-02"}]).encode())
    files = [("file", ("a.json", json.dumps([record]).encode())), ("file", ("C:\\temp\\b.json", other))]
    answer = client.post("/v1/check/file", files=files)
    assert [item["name"] for item in answer.json()["input"]["files"]] == ["a.json", "b.json"]
    assert [item["id"] for item in answer.json()["records"]] == ["WH-01", "WH-02"]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"%PDF-1.7", "bad-file"), (b"", "bad-upload"), (b"PK\x03\x04junk", "bad-file")],
    ids=["pdf", "empty", "corrupt"],
)
def test_an_unusable_file_is_explained(client: TestClient, content: bytes, code: str) -> None:
    answer = client.post("/v1/check/file", files={"file": ("x.xlsx", content)})
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    "body",
    [b"", b"--x--", b"--x\r\n\r\n--x--", b"--x\r\nnothing\r\n--x--\r\n"],
    ids=["empty", "no part", "blank part", "headless part"],
)
def test_a_broken_form_is_explained(client: TestClient, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/v1/check/file", content=body, headers=headers).json()["code"] == "bad-upload"
    missing = client.post("/v1/check/file", content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert missing.json()["code"] == "bad-upload"
