from __future__ import annotations

from pathlib import Path

import pytest

from landrules.engine.webhook.errors import SubscriptionError
from landrules.engine.webhook.subscriptions import EVENTS, load_subscriptions
from receiving import OTHER_SECRET, SECRET


def _written(folder: Path, text: str) -> Path:
    path = folder / "webhooks.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_subscriptions_are_read(tmp_path: Path) -> None:
    (tmp_path / "oa.secret").write_text(f"{OTHER_SECRET}\n{SECRET}\n", encoding="utf-8")
    path = _written(
        tmp_path,
        f"""
version: 1
subscriptions:
  - {{name: oa, url: "https://oa.example.cn/hooks", secret_file: oa.secret, facts: [supply_mode]}}
  - {{name: desk, url: "http://127.0.0.1:8080/", secret: "{SECRET}", events: case.overdue, active: false}}
""",
    )
    oa, desk = load_subscriptions(path)
    assert oa.secrets() == (OTHER_SECRET, SECRET)
    assert (oa.events, oa.active, oa.facts) == (tuple(EVENTS), True, ("supply_mode",))
    assert (desk.events, desk.active) == (("case.overdue",), False)
    assert SECRET not in repr(oa) + repr(desk)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("url: ftp://a/, secret: S", "第 1 项：url 应以 http:// 或 https:// 开头"),
        ("url: 'file:///etc/passwd', secret: S", "url 应以 http:// 或 https:// 开头"),
        ("url: 'https://', secret: S", "url 应以 http:// 或 https:// 开头"),
        ("url: 'http://[::1', secret: S", "url 应以 http:// 或 https:// 开头"),
        ("url: 'http://a:99999/', secret: S", "url 应以 http:// 或 https:// 开头"),
        ('url: "http://a/\\r\\nX: y", secret: S', "url 应以 http:// 或 https:// 开头"),
        ("url: 'https://u:p@a/', secret: S", "url 里不写用户名、密码和 #"),
        ("url: 'https://a/', secret: short", "密钥应是 whsec_ 加 24 至 64 个随机字节"),
        ("url: 'https://a/'", "第 1 项 secret：缺这一项"),
        ("url: 'https://a/', secret: []", "第 1 项 secret：不能是空的"),
        ("url: 'https://a/', secret: S, events: []", "第 1 项 events：不能是空的"),
        ("url: 'https://a/', secret: S, events: [case.opened]", "第 1 项 events 第 1 项：应是"),
        ("url: 'https://a/', secret: S, event: case.due", "第 1 项 event：不认识这一项"),
        ("url: 'https://a/', secret_file: nowhere", "读不了通知订阅或密钥文件"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, line: str, message: str) -> None:
    path = _written(
        tmp_path, f"version: 1\nsubscriptions:\n  - {{name: oa, {line.replace(': S', f': {SECRET}')}}}\n"
    )
    with pytest.raises(SubscriptionError) as caught:
        load_subscriptions(path)
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "short" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "整个文件：写法不对"),
        ("{", "不是有效的 YAML"),
        ("version: 2\nsubscriptions: []", "version：应是 1 之一"),
        ("version: 1\nsubscriptions: 3", "写法不对"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SubscriptionError, match=message):
        load_subscriptions(_written(tmp_path, text))


def test_names_are_unique(tmp_path: Path) -> None:
    one = f"  - {{name: oa, url: 'https://a/', secret: {SECRET}}}\n"
    with pytest.raises(SubscriptionError, match="名称重复：oa"):
        load_subscriptions(_written(tmp_path, f"version: 1\nsubscriptions:\n{one}{one}"))
