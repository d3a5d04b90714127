"""What each error and close code means for a call."""

from __future__ import annotations

import pytest

from bridge.providers.base import ErrorKind
from bridge.providers.openai.errors import (
    BENIGN,
    BY_CLOSE_CODE,
    BY_CODE,
    close_failure,
    meaning_of,
)

K = ErrorKind


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        ("insufficient_quota", "invalid_request_error", (K.QUOTA, True, False)),
        ("invalid_api_key", "invalid_request_error", (K.AUTHENTICATION, True, False)),
        ("account_deactivated", "", (K.AUTHENTICATION, True, False)),
        ("billing_hard_limit_reached", "", (K.QUOTA, True, False)),
        ("session_expired", "invalid_request_error", (K.SESSION_EXPIRED, True, True)),
        ("beta_api_shape_disabled", "", (K.INVALID_REQUEST, True, False)),
        ("invalid_model", "", (K.INVALID_REQUEST, True, False)),
        ("rate_limit_exceeded", "", (K.RATE_LIMIT, False, True)),
        ("new_code", "invalid_request_error", (K.INVALID_REQUEST, False, False)),
        ("new_code", "rate_limit_error", (K.RATE_LIMIT, False, True)),
        ("", "server_error", (K.SERVER, False, True)),
        ("new_code", "new_type", (K.SERVER, False, True)),
    ],
)
def test_errors(code: str, kind: str, expected: tuple[ErrorKind, bool, bool]) -> None:
    meaning = meaning_of(code, kind)
    assert (meaning.kind, meaning.fatal, meaning.retryable) == expected


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (1001, "Your session hit the maximum duration of 60 minutes.", (K.SESSION_EXPIRED, True)),
        (1001, "", (K.CONNECTION, True)),
        (1000, "", (K.CONNECTION, True)),
        (1005, "", (K.CONNECTION, True)),
        (1006, "", (K.CONNECTION, True)),
        (1008, "policy", (K.INVALID_REQUEST, False)),
        (1009, "", (K.PROTOCOL, True)),
        (1011, "internal error", (K.SERVER, True)),
        (1013, "", (K.RATE_LIMIT, True)),
        (3000, "invalid_request_error.invalid_api_key", (K.AUTHENTICATION, False)),
        (3000, "", (K.AUTHENTICATION, False)),
        (3000, "invalid_request_error.invalid_model", (K.INVALID_REQUEST, False)),
        (3000, "insufficient_quota", (K.QUOTA, False)),
        (4000, "invalid_request_error.beta_api_shape_disabled", (K.INVALID_REQUEST, False)),
        (4999, "rate_limit_exceeded", (K.RATE_LIMIT, True)),
    ],
)
def test_closes_are_always_fatal(code: int, reason: str, expected: tuple[ErrorKind, bool]) -> None:
    failure = close_failure(code, reason)
    assert failure.fatal
    assert (failure.kind, failure.retryable) == expected
    assert failure.code == f"close_{code}"


def test_no_code_is_both_harmless_and_harmful() -> None:
    assert not BENIGN & BY_CODE.keys()
    assert all(meaning.fatal for meaning in BY_CLOSE_CODE.values())
