"""Settings of the service: defaults < file < environment < command line; every mistake in one Chinese message."""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from landrules.engine.home import NO_LEDGER, default_ledger
from landrules.engine.service.wording import chinese, where
from landrules.facts.values import suggest

__all__ = [
    "PREFIX",
    "Settings",
    "SettingsError",
    "is_loopback",
    "kept_by_default",
    "load_settings",
    "make_default_folder",
    "unknown_variables",
]

PREFIX = "LANDRULES_"
_ALIASES = {"LANDRULES_LEDGER": "store"}
_MEGABYTE = 1024 * 1024
_TOKEN_LENGTH = 16
_HOW = {
    "int_parsing": "应是整数",
    "int_type": "应是整数",
    "float_parsing": "应是数字",
}


class SettingsError(Exception):
    """Settings that cannot be used; the message is Chinese and names each of them."""


def _listed(value: object) -> object:
    """Lists may be written as text with commas or, for paths, the system's separator."""
    if isinstance(value, str):
        return [part.strip() for part in value.replace(os.pathsep, ",").split(",") if part.strip()]
    return value


class Settings(BaseModel):
    """How the service runs. Paths are relative to the current folder, those in a file to the file's folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", min_length=1, description="监听地址")
    port: int = Field(8000, ge=0, le=65535, description="监听端口，0 为任取一个")
    token: SecretStr | None = Field(None, description="访问令牌；监听本机以外的地址时必须有")
    token_file: Path | None = Field(None, description="存放令牌的文件，取首行")
    hosts: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        (), description="许可的主机名（Host 请求头）；监听本机时缺省只许可 localhost 和回环地址，* 为不限"
    )
    rulesets: Annotated[tuple[Path, ...], BeforeValidator(_listed)] = Field(
        (), description="规则集文件夹，缺省为随附的全部文件"
    )
    config: Path | None = Field(None, description="地方配置，YAML")
    holidays: Path | None = Field(None, description="放假调休安排，YAML")
    routing: Path | None = Field(None, description="案件流转规则，YAML")
    store: str = Field(
        "", description="台账：SQLite 文件路径或 postgresql://…；none 为不记台账，案件接口不可用"
    )
    webhooks: Path | None = Field(None, description="通知的订阅（接收地址、密钥、事件），YAML；要有台账")
    matcher: Literal["durable", "reference"] = Field("durable", description="案件匹配器，两者结论相同")
    max_bytes: int = Field(20 * _MEGABYTE, ge=1024, description="请求体的字节数上限")
    max_rows: int = Field(5000, ge=1, description="一次预检的记录数上限")
    max_seconds: float = Field(60, gt=0, le=3600, description="一次请求的时间上限，排队在内")
    body_seconds: float = Field(30, gt=0, le=3600, description="收完请求体的时间上限")
    threads: int = Field(4, ge=1, le=64, description="同时进行的预检数")
    queue: int = Field(32, ge=0, le=10_000, description="排队的预检数上限，超出即答 503")
    graceful_seconds: int = Field(30, ge=0, le=3600, description="停止时等进行中请求的秒数")
    keep_answers: int = Field(1000, ge=0, le=100_000, description="按幂等键留存的答复数")
    keep_hours: float = Field(24, gt=0, le=24 * 30, description="按幂等键留存答复的小时数")
    page: bool = Field(True, description="提供网页 /")
    log: Literal["text", "json"] = Field("text", description="日志样式")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="日志级别")

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.token is not None and self.token_file is not None:
            raise ValueError("token 与 token_file 只能给一个")
        return self

    def secret(self) -> str:
        """The token, read from its file where it is in one; empty without.

        Raises:
            SettingsError: when the file cannot be read, or the token is too short to protect anything.
        """
        if self.token_file is not None:
            try:
                token = self.token_file.read_text(encoding="utf-8").partition("\n")[0].strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"读不了令牌文件“{self.token_file}”；请核对路径和权限") from error
        elif self.token is not None:
            token = self.token.get_secret_value().strip()
        else:
            return ""
        if len(token) < _TOKEN_LENGTH or not token.isascii() or not token.isprintable() or " " in token:
            raise SettingsError(
                f"令牌太短或含有空格、中文；请用至少 {_TOKEN_LENGTH} 个字母数字，如 openssl rand -hex 32 的结果"
            )
        return token

    def keeps_ledger(self) -> bool:
        """Whether there is a ledger."""
        return self.store not in ("", NO_LEDGER)

    def checked(self) -> Self:
        """These settings, if the service may start with them.

        Raises:
            SettingsError: when it would be open to others without a token, or has notices and no ledger.
        """
        if self.webhooks is not None and not self.keeps_ledger():
            raise SettingsError(
                "通知（webhooks）要有台账才能保证不漏，没有启动；请以 --store 给出台账，或去掉 --webhooks"
            )
        if not self.secret() and not is_loopback(self.host):
            raise SettingsError(
                f"监听 {self.host} 会让其他机器访问，必须设访问令牌，没有启动；"
                "请设环境变量 LANDRULES_TOKEN（或 LANDRULES_TOKEN_FILE），或改为监听 127.0.0.1"
            )
        return self


def kept_by_default(settings: Settings) -> Settings:
    """The settings of a service on its own: it keeps a ledger unless the store is `none`."""
    return settings if settings.store else settings.model_copy(update={"store": str(default_ledger())})


def make_default_folder(settings: Settings) -> None:
    """Make the folder of the default ledger, where that is the one to be used.

    Raises:
        SettingsError: when it cannot be made.
    """
    place = default_ledger()
    if settings.store != str(place):
        return
    try:
        # Others on the machine have no business with what is checked.
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"建不了存放台账的文件夹“{place.parent}”（{error.strerror}）；"
            "请设 LANDRULES_HOME，或以 --store 指明台账，--store none 为不记台账"
        )
        raise SettingsError(message) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load_settings(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    given: Mapping[str, object] | None = None,
) -> Settings:
    """Settings from a file (YAML or TOML), then `environment`, then `given`: the later goes before the earlier.

    Raises:
        SettingsError: with every mistake, and where each value came from.
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for source, part in (
        ("设置文件", _file(path) if path is not None else {}),
        ("环境变量", _variables(environment or {})),
        ("选项", dict(given or {})),
    ):
        if source != "设置文件" and {"token", "token_file"} & part.keys():
            # A token given nearer replaces the one given farther off, however either was given.
            values.pop("token", None)
            values.pop("token_file", None)
        values.update(part)
        sources.update(dict.fromkeys(part, source))
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(
            "服务设置有误：" + "；".join(_told(problem, sources) for problem in error.errors())
        ) from None


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A Chinese sentence for each `LANDRULES_…` variable that resembles a setting without being one."""
    told = []
    for name in sorted(environment):
        key = name.removeprefix(PREFIX).lower()
        if name.startswith(PREFIX) and key not in Settings.model_fields and name not in _ALIASES:
            # Others (Kubernetes, for one) set variables with this prefix too; only what looks like a slip is told.
            near = difflib.get_close_matches(key, Settings.model_fields, n=1, cutoff=0.8)
            if near:
                told.append(f"没有“{name}”这项设置，未采用；是否指 {PREFIX}{near[0].upper()}？")
    return told


def _variables(environment: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {
        field: environment[name] for name, field in _ALIASES.items() if environment.get(name)
    }
    found |= {
        field: environment[PREFIX + field.upper()]
        for field in Settings.model_fields
        if environment.get(PREFIX + field.upper())
    }
    return found


def _file(path: Path) -> dict[str, object]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        content: Any = tomllib.loads(text) if path.suffix.lower() == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise SettingsError(f"读不了设置文件“{path}”；请核对路径和权限") from error
    except (yaml.YAMLError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        kind = "TOML" if path.suffix.lower() == ".toml" else "YAML"
        raise SettingsError(f"设置文件“{path}”不是有效的 {kind}：{str(error).splitlines()[0]}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsError(f"设置文件“{path}”应是“名称: 值”的映射")
    found = {str(name): value for name, value in content.items()}
    for name in ("token_file", "config", "holidays", "routing", "webhooks"):
        if isinstance(found.get(name), str):
            found[name] = path.parent / str(found[name])
    folders = _listed(found.get("rulesets"))
    if isinstance(folders, list):
        found["rulesets"] = [path.parent / str(folder) for folder in folders]
    return found


def _told(problem: Any, sources: Mapping[str, str]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        near = suggest(name, tuple(Settings.model_fields))
        return f"没有“{name}”这项设置{f'，是否指{near}？' if near else ''}"
    source = sources.get(name, "")
    shown = f"（{source}{f' {PREFIX}{name.upper()}' if source == '环境变量' else ''}）" if source else ""
    return f"{where(problem['loc']) or '整体'}{shown}：{_HOW.get(problem['type']) or chinese(problem)}"
