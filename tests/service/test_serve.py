"""`landrules serve` and `landrules doctor` as processes and commands."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from landrules.engine.cli import main

from .conftest import RECORD, RULESETS

PROGRAM = [sys.executable, "-m", "landrules.engine.cli"]
TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of the test


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, captured.out, captured.err


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [*PROGRAM, "serve", "--port", "0", "--rulesets", str(RULESETS[0]), *arguments]
    env = {**os.environ, "LANDRULES_LOG": "json", "LANDRULES_LOG_LEVEL": "DEBUG", **environment}
    server = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, encoding="utf-8")
    lines: list[str] = []
    found = threading.Event()
    port = 0

    def read() -> None:
        nonlocal port
        assert server.stderr is not None
        for line in server.stderr:
            lines.append(line)
            text = json.loads(line)["record"]["message"]
            if "running on http" in text:
                port = int(text.split(":")[-1].split()[0])
                found.set()
        found.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert found.wait(30)
        assert port, lines
        server.log_lines = lines  # type: ignore[attr-defined]
        yield server, port
    finally:
        if server.poll() is None:
            server.kill()
        server.wait()
        reader.join(10)
        assert server.stderr is not None
        server.stderr.close()


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    sent = {
        "Content-Type": "application/json",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    connection.request(method, path, body, sent)
    response = connection.getresponse()
    found = response.status, response.read()
    connection.close()
    return found


def test_what_is_under_way_is_finished_before_the_end(tmp_path: Path) -> None:
    records = [{**RECORD, "id": str(n), "facts": {**RECORD["facts"], "出租年期": n}} for n in range(300)]
    with serving("--store", str(tmp_path / "ledger.sqlite")) as (server, port):
        answers: list[tuple[int, bytes]] = []
        asking = threading.Thread(
            target=lambda: answers.append(ask(port, "POST", "/v1/check", json.dumps(records).encode()))
        )
        asking.start()
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        asking.join(30)
        assert server.wait(30) == 0
        assert answers[0][0] == 200
        assert len(json.loads(answers[0][1])["records"]) == 300
        log = "".join(server.log_lines)  # type: ignore[attr-defined]
    assert '"route": "/v1/check"' in log
    assert "海勃湾区" not in log


def test_a_token_is_needed_for_other_addresses(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANDRULES_TOKEN", "LANDRULES_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    code, out, err = run("serve", "--host", "0.0.0.0", capsys=capsys)  # noqa: S104 - refused
    assert (code, out) == (2, "")
    assert err.startswith("错误：监听 0.0.0.0 会让其他机器访问，必须设访问令牌")
    with serving("--host", "0.0.0.0", LANDRULES_TOKEN=TOKEN) as (_, port):  # noqa: S104 - with a token
        assert ask(port, "GET", "/v1/documents")[0] == 401
        assert ask(port, "GET", "/v1/documents", Authorization=f"Bearer {TOKEN}")[0] == 200


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with serving() as (_, port):
        command = [*PROGRAM, "serve", "--port", str(port), "--rulesets", str(RULESETS[0])]
        done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert str(port) in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--port", "99999"], "port（选项）：不能大于 65535"),
        (["--settings", "nowhere.yaml"], "读不了设置文件"),
        (["--rulesets", "nowhere", "--check-only"], "nowhere"),
        (["--store", "mysql://x/y", "--check-only"], "台账不支持"),
        (["--config", "nowhere.yaml", "--check-only"], "nowhere.yaml"),
        (["--webhooks", "nowhere.yaml", "--check-only"], "读不了通知订阅或密钥文件“nowhere.yaml”"),
        (["--webhooks", "nowhere.yaml", "--store", "none"], "通知（webhooks）要有台账"),
    ],
)
def test_what_cannot_start_is_told_plainly(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run("serve", *arguments, capsys=capsys)
    assert code == 2
    assert text in err
    assert "Traceback" not in err


def test_settings_can_be_checked_without_starting(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    store = str(tmp_path / "ledger.sqlite")
    code, out, _ = run(
        "serve", "--rulesets", str(RULESETS[0]), "--store", store, "--check-only", capsys=capsys
    )
    assert (code, out) == (0, "设置、规则和台账都可以使用\n")


def without(*packages: str) -> str:
    """A program that runs the command line where these packages are not installed."""
    return (
        "import sys\n"
        f"hidden = {packages!r}\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in hidden: raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hide())\n"
        "from landrules.engine.cli import main\nmain(sys.argv[1:])\n"
    )


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "prometheus_client", "sqlalchemy"])
def test_a_missing_extra_is_one_sentence(package: str) -> None:
    command = [sys.executable, "-c", without(package), "serve"]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert package in done.stderr
    assert "pip install 'landrules[service]'" in done.stderr


# --- doctor ---------------------------------------------------------------------------------------------------


def test_doctor_finds_nothing_wrong_here(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run("doctor", "--on", "2025-06-01", capsys=capsys)
    assert code == 0, out
    for word in ("Python", "durable-rules", "放假安排", "wuhai-2023-5", "服务设置", "台账", "没有发现问题"):
        assert word in out


def test_doctor_tells_what_is_missing_and_how_to_get_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDRULES_HOST", "0.0.0.0")  # noqa: S104 - reported
    monkeypatch.delenv("LANDRULES_TOKEN", raising=False)
    broken = tmp_path / "ledger.sqlite"
    broken.write_bytes(b"something else altogether " * 100)
    code, out, _ = run(
        "doctor",
        "--on",
        "2090-01-01",
        "--store",
        str(broken),
        "--rulesets",
        str(tmp_path / "none"),
        capsys=capsys,
    )
    assert code == 1
    assert "问题  放假安排：缺 2090 年" in out
    assert "pip install --upgrade chinesecalendar" in out
    assert "问题  规则集：不能使用" in out
    assert "问题  服务设置" in out
    assert "LANDRULES_TOKEN" in out
    assert "问题  台账" in out
    assert "4 个问题" in out


def test_doctor_says_next_year_is_not_published_yet(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run("doctor", "--on", "2026-06-01", capsys=capsys)
    if "2027 年" in out:
        assert "提醒  放假安排：缺 2027 年" in out


def test_doctor_works_without_any_extra(tmp_path: Path) -> None:
    hidden = without(
        "fastapi", "uvicorn", "sqlalchemy", "alembic", "psycopg", "prometheus_client", "starlette"
    )
    command = [sys.executable, "-c", hidden, "doctor", "--on", "2025-06-01"]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    command += ["--store", str(tmp_path / "ledger.sqlite")]
    with_store = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert with_store.returncode == 1
    assert "pip install 'landrules[service]'" in with_store.stdout


def test_doctor_leaves_nothing_behind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run("doctor", "--on", "2025-06-01", "--store", str(tmp_path / "new.sqlite"), capsys=capsys)
    assert code == 0
    assert "首次使用时建立" in out
    assert list(tmp_path.iterdir()) == []


def test_a_service_keeps_a_ledger_of_its_own_unless_told_not_to(tmp_path: Path) -> None:
    opened = {"case": "A", "subject": "parcel_supply", "set": RECORD["facts"]}
    for options, status in (((), 201), (("--store", "none"), 501)):
        with serving(*options, LANDRULES_HOME=str(tmp_path / "home")) as (server, port):
            log = "".join(server.log_lines)  # type: ignore[attr-defined]
            assert ("ledger.sqlite3" in log, "不记台账" in log) == (status == 201, status == 501)
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            body = json.dumps(opened, ensure_ascii=False).encode()
            connection.request("POST", "/v1/cases", body, {"Content-Type": "application/json"})
            assert connection.getresponse().status == status
            connection.close()
    assert (tmp_path / "home" / "ledger.sqlite3").is_file()


def test_doctor_looks_at_the_ledger_that_serve_would_use(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANDRULES_STORE", "LANDRULES_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    monkeypatch.setenv("LANDRULES_HOME", str(home))
    ask_doctor = ("doctor", "--on", "2025-06-01")
    _, out, _ = run(*ask_doctor, capsys=capsys)
    assert "ledger.sqlite3”还没有，首次使用时建立" in out
    assert not home.exists()
    assert run("serve", "--rulesets", str(RULESETS[0]), "--check-only", capsys=capsys)[0] == 0
    _, out, _ = run(*ask_doctor, capsys=capsys)
    assert "ledger.sqlite3 可读写，0 条" in out
    _, out, _ = run(*ask_doctor, "--store", "none", capsys=capsys)
    assert "提醒  台账：设为不记台账" in out
    monkeypatch.setenv("LANDRULES_HOME", str(home / "ledger.sqlite3" / "inside"))
    code, out, _ = run(*ask_doctor, capsys=capsys)
    assert (code, "问题  台账" in out) == (1, True)
    code, _, err = run("serve", "--check-only", capsys=capsys)
    assert code == 2
    assert "建不了存放台账的文件夹" in err
