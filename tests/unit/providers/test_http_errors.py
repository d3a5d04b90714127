"""What refusals mean where a provider has no word of its own."""

from __future__ import annotations

import pytest

from bridge.providers.base import ErrorKind
from bridge.providers.http_errors import (
    body_code,
    body_message,
    end_failure,
    wait_asked_for,
    wait_in,
)
from bridge.wire.channel import ChannelEnd, Ender

K = ErrorKind


def refused(status: int, body: bytes = b"") -> ChannelEnd:
    return ChannelEnd(Ender.PEER, "http", status, "host answered", body)


AZURE_RATE = (
    b'{"error":{"code":"429","message":"Requests to the Realtime API have exceeded call rate '
    b'limit. Please retry after 6 seconds."}}'
)


@pytest.mark.parametrize(
    ("end", "kind", "code", "retryable", "wait_s"),
    [
        (
            refused(401, b'{"error":{"code":"401","message":"x"}}'),
            K.AUTHENTICATION,
            "401",
            False,
            None,
        ),
        (
            refused(401, b'{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}'),
            K.AUTHENTICATION,
            "INVALID_AUTH",
            False,
            None,
        ),
        (
            refused(429, b'{"error":{"code":"insufficient_quota"}}'),
            K.QUOTA,
            "insufficient_quota",
            False,
            None,
        ),
        (
            refused(429, b'{"error":{"type":"insufficient_quota","code":null}}'),
            K.QUOTA,
            "insufficient_quota",
            False,
            None,
        ),
        (refused(429, AZURE_RATE), K.RATE_LIMIT, "429", True, 6.0),
        (
            refused(404, b'{"error":{"code":"DeploymentNotFound"}}'),
            K.INVALID_REQUEST,
            "DeploymentNotFound",
            False,
            None,
        ),
        (refused(503, b"<html>upstream"), K.SERVER, "http_503", True, None),
        (refused(408), K.INVALID_REQUEST, "http_408", True, None),
        (refused(402), K.QUOTA, "http_402", False, None),
        (refused(200, b"<html>log in</html>"), K.INVALID_REQUEST, "http_200", False, None),
        (ChannelEnd(Ender.US, "request"), K.INVALID_REQUEST, "request", False, None),
        (ChannelEnd(Ender.US, code=1013), K.OURS, "our_limit", True, None),
        (ChannelEnd(Ender.PEER, "certificate"), K.CONNECTION, "certificate", False, None),
        (ChannelEnd(Ender.NETWORK, "timeout"), K.CONNECTION, "timeout", True, None),
        (ChannelEnd(Ender.PEER, "protocol"), K.PROTOCOL, "protocol", False, None),
        (ChannelEnd(Ender.NETWORK, code=1006), K.CONNECTION, "close_1006", True, None),
        (
            ChannelEnd(Ender.PEER, "http", 429, retry_after_s=9.0),
            K.RATE_LIMIT,
            "http_429",
            True,
            9.0,
        ),
    ],
    ids=str,
)
def test_ends(
    end: ChannelEnd, kind: ErrorKind, code: str, retryable: bool, wait_s: float | None
) -> None:
    failure = end_failure(end)
    assert failure.fatal
    assert (failure.kind, failure.code, failure.retryable) == (kind, code, retryable)
    assert failure.retry_in_s == wait_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 1.5s.", 1.5),
        ("Please try again in 20ms. Visit …", 0.02),
        ("Please retry after 6 seconds.", 6.0),
        ("try again in 2m59.56s", 179.56),
        ("Try again in 1h2m3s", 3723.0),
        ("Please wait 10 seconds before retrying", 10.0),
        ("in 20 seconds, please try again", 20.0),
        ("Try again in about 5 minutes", 300.0),
        ("Please retry your request after 1,5 sec", 1.5),
        ("retry after 500 milliseconds", 0.5),
        ("Limit: 3 / min. Retry in 20s.", 20.0),
        ("Retry-After: 7", 7.0),
        ("retry_after=7", 7.0),
        ("Please try again. Limit 40000 s", None),
        ("Please wait in line", None),
        ("try again in a while", None),
        ("try again in 99999999h", None),
        ("", None),
    ],
)
def test_waits_in_words(text: str, seconds: float | None) -> None:
    assert wait_asked_for(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (2, 2.0),
        (1.5, 1.5),
        ("3", 3.0),
        (1e99, 86400.0),
        ("soon", None),
        (-1, None),
        (True, None),
        ([], None),
        (float("nan"), None),
    ],
)
def test_waits_in_numbers(value: object, seconds: float | None) -> None:
    assert wait_in(value) == seconds


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"x"', b"\xff", b"{" * 5000, b'{"error":[1]}', b'{"error":{"code":{}}}'],
)
def test_bodies_that_say_nothing(body: bytes) -> None:
    assert body_code(body) == body_message(body) == ""
