"""Who wants to be told what, and where: read from YAML or made in code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

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

from landrules.engine.webhook.errors import SubscriptionError
from landrules.engine.webhook.signing import secret_bytes

__all__ = ["EVENTS", "EventType", "Subscription", "load_subscriptions"]

EventType = Literal["case.violated", "case.settled", "case.due", "case.overdue", "case.next_step"]

EVENTS: Mapping[EventType, str] = {
    "case.violated": "新违反",
    "case.settled": "已有结论",
    "case.due": "临近到期",
    "case.overdue": "逾期",
    "case.next_step": "下一步有变",
}

_SIMPLE = {
    "missing": "缺这一项",
    "extra_forbidden": "不认识这一项",
    "string_too_short": "不能是空的",
    "too_short": "不能是空的",
    "string_pattern_mismatch": "只能有小写字母、数字、_ 和 -，至多 100 个",
}


def _listed(value: object) -> object:
    return [value] if isinstance(value, str | SecretStr) else value


class Subscription(BaseModel):
    """One receiver. `name` is what the queue keeps: do not give it to another receiver.

    With two secrets, messages are signed with both, so that the receiver can change over. `facts` are the keys of facts
    whose values go along, none by default. An inactive one is told nothing; what waits for it waits on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9_-]{1,100}$")
    url: str
    secret: Annotated[tuple[SecretStr, ...], BeforeValidator(_listed)] = Field(min_length=1, max_length=2)
    events: Annotated[tuple[EventType, ...], BeforeValidator(_listed)] = Field(tuple(EVENTS), min_length=1)
    active: bool = True
    facts: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()

    @model_validator(mode="after")
    def _usable(self) -> Self:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable, parts = False, urlsplit("")
        if not usable or not self.url.isascii() or any(char <= " " for char in self.url):
            raise ValueError("url 应以 http:// 或 https:// 开头，如 https://oa.example.cn/hooks/landrules")
        if parts.username or parts.password or parts.fragment:
            raise ValueError("url 里不写用户名、密码和 #；请求以签名证明来源")
        for secret in self.secret:
            secret_bytes(secret.get_secret_value())
        return self

    def secrets(self) -> tuple[str, ...]:
        """The secrets in clear."""
        return tuple(secret.get_secret_value() for secret in self.secret)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1]
    subscriptions: list[Subscription]


def load_subscriptions(path: Path) -> tuple[Subscription, ...]:
    """Read subscriptions from YAML. `secret_file` in place of `secret` names a file beside it with a secret a line.

    Raises:
        SubscriptionError: with every mistake; secrets are not repeated.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        if isinstance(content, dict) and isinstance(content.get("subscriptions"), list):
            content = {
                **content,
                "subscriptions": [_with_secret(item, path.parent) for item in content["subscriptions"]],
            }
        found = _File.model_validate(content).subscriptions
    except (OSError, UnicodeDecodeError) as error:
        raise SubscriptionError(f"读不了通知订阅或密钥文件“{path.name}”；请核对路径和权限") from error
    except yaml.YAMLError as error:
        raise SubscriptionError(f"通知订阅“{path.name}”不是有效的 YAML") from error
    except ValidationError as error:
        raise SubscriptionError(
            f"通知订阅“{path.name}”有误：" + "；".join(_told(problem) for problem in error.errors())
        ) from None
    names = [subscription.name for subscription in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SubscriptionError(f"通知订阅的名称重复：{'、'.join(twice)}；各取一个名称")
    return tuple(found)


def _with_secret(item: Any, folder: Path) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("secret_file"), str) or "secret" in item:
        return item
    lines = (folder / item["secret_file"]).read_text(encoding="utf-8").split()
    return {**{name: value for name, value in item.items() if name != "secret_file"}, "secret": lines}


def _told(problem: Any) -> str:
    place = " ".join(
        f"第 {part + 1} 项" if isinstance(part, int) else str(part)
        for part in problem["loc"]
        if part != "subscriptions"
    )
    match problem["type"]:
        case "value_error":
            text = str(problem["ctx"]["error"])
        case "literal_error":
            text = f"应是 {problem['ctx']['expected']} 之一".replace(" or ", "、")
        case kind:
            text = _SIMPLE.get(kind, "写法不对")
    return f"{place or '整个文件'}：{text}"
