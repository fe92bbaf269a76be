"""Settings: what goes before what, and every mistake in Chinese."""

from __future__ import annotations

from pathlib import Path

import pytest

from landrules.engine.service.settings import SettingsError, load_settings, unknown_variables


def test_nearer_settings_go_before(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text(
        "port: 1\nthreads: 2\nmax_rows: 3\nconfig: place.yaml\nwebhooks: w.yaml\nrulesets: [a, b]\n",
        encoding="utf-8",
    )
    found = load_settings(path, {"LANDRULES_THREADS": "7", "LANDRULES_MAX_ROWS": "8"}, {"max_rows": 9})
    assert (found.port, found.threads, found.max_rows) == (1, 7, 9)
    assert found.config == tmp_path / "place.yaml"
    assert found.webhooks == tmp_path / "w.yaml"
    assert found.rulesets == (tmp_path / "a", tmp_path / "b")


def test_toml_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "service.toml"
    path.write_text('port = 9000\nhosts = ["a.example"]\n', encoding="utf-8")
    found = load_settings(path)
    assert (found.port, found.hosts) == (9000, ("a.example",))


def test_a_token_replaces_a_token_file_that_is_farther_off(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text("token_file: nowhere\n", encoding="utf-8")
    assert load_settings(path, {"LANDRULES_TOKEN": "x" * 32}).secret() == "x" * 32


def test_the_ledger_may_be_named_as_for_the_log_command() -> None:
    assert load_settings(environment={"LANDRULES_LEDGER": "a.sqlite"}).store == "a.sqlite"


def test_every_mistake_is_told_with_where_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "service.yaml"
    path.write_text("prot: 1\nthreads: 0\n", encoding="utf-8")
    with pytest.raises(SettingsError) as told:
        load_settings(path, {"LANDRULES_PORT": "tcp://10.0.0.1:80"}, {"matcher": "other"})
    text = str(told.value)
    assert "没有“prot”这项设置，是否指“port”" in text
    assert "threads（设置文件）：不能小于 1" in text
    assert "port（环境变量 LANDRULES_PORT）：应是整数" in text
    assert "matcher（选项）：应是 'durable'、'reference' 之一" in text


@pytest.mark.parametrize(
    ("name", "text"), [("a.yaml", "a: ["), ("a.toml", "a ="), ("b.yaml", "- 1"), ("c.yaml", None)]
)
def test_an_unusable_file_is_told(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="设置文件"):
        load_settings(tmp_path / name)


def test_a_token_never_shows(tmp_path: Path) -> None:
    settings = load_settings(environment={"LANDRULES_TOKEN": "s3cret" * 6})
    assert "s3cret" not in repr(settings)
    with pytest.raises(SettingsError) as told:
        load_settings(environment={"LANDRULES_TOKEN": "s3cret" * 6, "LANDRULES_TOKEN_FILE": "x"})
    assert "s3cret" not in str(told.value)


def test_a_variable_that_is_nearly_a_setting_is_told() -> None:
    (told,) = unknown_variables({"LANDRULES_TOKN": "1", "LANDRULES_SERVICE_HOST_X9": "k8s", "PATH": "/"})
    assert "LANDRULES_TOKEN" in told
