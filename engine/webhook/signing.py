"""Signatures as in Standard Webhooks 1.0.0, symmetric: HMAC-SHA256 over `id.timestamp.body`, headers `webhook-*`.

A secret is `whsec_` and 24 to 64 random bytes in base64. `webhook-signature` holds one or more `v1,<base64>` with spaces
between them, so that a secret can be replaced while both are valid. Needs nothing but the standard library, so that a
receiver can copy this file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from landrules.engine.webhook.errors import SignatureError

__all__ = ["TOLERANCE", "Message", "new_secret", "secret_bytes", "sign", "signed_headers", "verify"]

TOLERANCE = timedelta(minutes=5)
"""How far the clocks of sender and receiver may differ, and how old a request may be."""

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_SECONDS = re.compile(r"0|[1-9][0-9]{0,10}")


@dataclass(frozen=True, slots=True)
class Message:
    """A request that is to be believed. `id` stays the same when a message is sent again."""

    id: str
    sent: datetime
    body: bytes


def new_secret(randomness: bytes) -> str:
    """The secret made of random bytes, such as `secrets.token_bytes(32)`.

    Raises:
        ValueError: when they are too few or too many.
    """
    secret = _PREFIX + base64.b64encode(randomness).decode()
    secret_bytes(secret)
    return secret


def secret_bytes(secret: str) -> bytes:
    """The bytes of a secret.

    Raises:
        ValueError: in Chinese, without the secret, when it is not one.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(
            f"密钥应是 whsec_ 加 {_SHORTEST} 至 {_LONGEST} 个随机字节的 base64，"
            '如 echo "whsec_$(openssl rand -base64 32)" 的结果'
        )
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,<base64>`: the signature of one attempt; `timestamp` in seconds since 1970.

    Raises:
        ValueError: when the secret is none, or the id could be taken for more than an id.
    """
    if not _ID.fullmatch(message_id):
        raise ValueError("消息编号只能有 ASCII 字母、数字、_ 和 -")
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret_bytes(secret), content, hashlib.sha256).digest()).decode()


def signed_headers(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of an attempt at that moment, signed with each secret."""
    timestamp = int(at.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp, body) for secret in secrets),
    }


def verify(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> Message:
    """The message, if one of the secrets signed it no longer ago than `tolerance`. `body` as received, before any parsing.

    The signature covers id and moment, so an old request cannot be sent again later. Within the tolerance it can: take
    every id once (`landrules.engine.webhook.queue.handle_once`).

    Raises:
        SignatureError: when it is not to be believed; answer 400 and do nothing.
        ValueError: when a secret is none.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id = given.get("webhook-id", "")
    timestamp = given.get("webhook-timestamp", "")
    signatures = given.get("webhook-signature", "")
    for name, value in (("id", message_id), ("timestamp", timestamp), ("signature", signatures)):
        if not value:
            raise SignatureError(f"请求缺少 webhook-{name} 头，不予处理")
    if not _ID.fullmatch(message_id) or not _SECONDS.fullmatch(timestamp):
        raise SignatureError("webhook-id 或 webhook-timestamp 写法不对，不予处理")
    secrets = [secret] if isinstance(secret, str) else list(secret)
    expected = [sign(one, message_id, int(timestamp), body).encode() for one in secrets]
    found = False
    for offered in signatures.encode("utf-8", "replace").split():
        # All are compared, each in constant time: how long it takes tells nothing.
        for wanted in expected:
            found |= hmac.compare_digest(offered, wanted)
    if not found:
        raise SignatureError("签名不符，不予处理；请核对密钥，并以收到的原始字节验签")
    sent = datetime.fromtimestamp(int(timestamp), UTC)
    if abs(now - sent) > tolerance:
        raise SignatureError("请求的时间与现在相差太多，可能是重放，不予处理；请核对两边的时钟")
    return Message(message_id, sent, body)
