from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from landrules.engine.webhook.errors import SignatureError
from landrules.engine.webhook.signing import new_secret, sign, signed_headers, verify
from receiving import MORNING, OTHER_SECRET, SECRET

BODY = b'{"type":"case.violated","data":{"case":"2023-17"}}'


def test_the_vector_of_standard_webhooks() -> None:
    # From the tests of the reference libraries of Standard Webhooks.
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_signed() -> None:
    headers = signed_headers([SECRET], "evt_1", MORNING, BODY)
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    content = f"evt_1.{headers['webhook-timestamp']}.".encode() + BODY
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers == {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(MORNING.timestamp())),
        "webhook-signature": f"v1,{expected}",
    }


def test_what_was_signed_is_believed() -> None:
    headers = signed_headers([SECRET], "evt_1", MORNING, BODY)
    capitals = {name.title(): value for name, value in headers.items()}
    for given in (headers, capitals):
        message = verify(SECRET, given, BODY, now=MORNING + timedelta(minutes=4))
        assert (message.id, message.sent, message.body) == ("evt_1", MORNING, BODY)


def test_a_secret_can_be_replaced_while_both_are_valid() -> None:
    both = signed_headers([OTHER_SECRET, SECRET], "evt_1", MORNING, BODY)
    for secret in (SECRET, OTHER_SECRET):
        assert verify(secret, both, BODY, now=MORNING).id == "evt_1"
    old = signed_headers([SECRET], "evt_1", MORNING, BODY)
    assert verify([OTHER_SECRET, SECRET], old, BODY, now=MORNING).id == "evt_1"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", "evt_2"),
        ("webhook-timestamp", str(int(MORNING.timestamp()) + 1)),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1a,AAAA"),
        ("webhook-signature", "无"),
        pytest.param("webhook-signature", "v1,\ud800", id="half a surrogate pair"),
    ],
)
def test_what_was_changed_is_not(header: str, value: str) -> None:
    headers = {**signed_headers([SECRET], "evt_1", MORNING, BODY), header: value}
    with pytest.raises(SignatureError, match="签名不符"):
        verify(SECRET, headers, BODY, now=MORNING)


@pytest.mark.parametrize("body", ["", "{}", '{"type":"case.violated","data":{"case":"2023-18"}}'])
def test_a_changed_body_is_not_believed(body: str) -> None:
    headers = signed_headers([SECRET], "evt_1", MORNING, BODY)
    with pytest.raises(SignatureError, match="签名不符"):
        verify(SECRET, headers, body.encode(), now=MORNING)
    with pytest.raises(SignatureError, match="签名不符"):
        verify(SECRET, headers, BODY + body.encode() + b" ", now=MORNING)


def test_another_secret_is_not_believed() -> None:
    headers = signed_headers([OTHER_SECRET], "evt_1", MORNING, BODY)
    with pytest.raises(SignatureError, match="签名不符"):
        verify(SECRET, headers, BODY, now=MORNING)


@pytest.mark.parametrize("late", [timedelta(minutes=5, seconds=1), timedelta(minutes=-5, seconds=-1)])
def test_old_and_future_requests_are_not_believed(late: timedelta) -> None:
    headers = signed_headers([SECRET], "evt_1", MORNING, BODY)
    with pytest.raises(SignatureError, match="可能是重放"):
        verify(SECRET, headers, BODY, now=MORNING + late)
    assert verify(SECRET, headers, BODY, now=MORNING + late, tolerance=timedelta(minutes=6)).id == "evt_1"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_is_needed(name: str) -> None:
    headers = signed_headers([SECRET], "evt_1", MORNING, BODY)
    with pytest.raises(SignatureError, match=f"请求缺少 {name} 头"):
        verify(SECRET, {key: value for key, value in headers.items() if key != name}, BODY, now=MORNING)


@pytest.mark.parametrize("timestamp", ["-1", "1e3", "x", "٣", "007", "9" * 12, "9" * 11])
def test_timestamps_that_are_none(timestamp: str) -> None:
    headers = {**signed_headers([SECRET], "evt_1", MORNING, BODY), "webhook-timestamp": timestamp}
    with pytest.raises(SignatureError):
        verify(SECRET, headers, BODY, now=MORNING)


def test_a_signed_moment_beyond_all_calendars_is_not_believed() -> None:
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": "9" * 12,
        "webhook-signature": sign(SECRET, "evt_1", 10**12 - 1, BODY),
    }
    with pytest.raises(SignatureError):
        verify(SECRET, headers, BODY, now=MORNING)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_!", "短", "whsec_" + base64.b64encode(b"x" * 23).decode()]
)
def test_secrets_that_are_none(secret: str) -> None:
    with pytest.raises(ValueError, match="密钥应是 whsec_ 加 24 至 64 个随机字节的 base64"):
        sign(secret, "evt_1", 0, BODY)


def test_an_id_cannot_pass_for_more() -> None:
    with pytest.raises(ValueError, match="消息编号"):
        sign(SECRET, "evt_1.2", 0, BODY)
    with pytest.raises(ValueError, match="24 至 64"):
        new_secret(b"short")


def test_now_is_given_with_its_zone() -> None:
    headers = signed_headers([SECRET], "evt_1", MORNING, BODY)
    assert verify(SECRET, headers, BODY, now=datetime.fromtimestamp(MORNING.timestamp(), UTC)).sent == MORNING
