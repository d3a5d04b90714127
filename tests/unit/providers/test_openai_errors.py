"""What each error and close code means for a call."""

from __future__ import annotations

import pytest

from bridge.providers.base import ErrorKind, ProviderFailure, ResponseDone
from bridge.providers.openai.errors import (
    BENIGN,
    BY_CLOSE_CODE,
    BY_CODE,
    close_failure,
    meaning_of,
)
from bridge.providers.openai.realtime import OpenAIRealtime
from tests.unit.providers.openai_kit import (
    begin_response,
    config,
    end_response,
    events,
    feed,
    opened,
    ready_provider,
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
        ("inference_rate_limit_exceeded", "invalid_request_error", (K.RATE_LIMIT, False, True)),
        ("429", "", (K.RATE_LIMIT, False, True)),
        ("401", "", (K.AUTHENTICATION, True, False)),
        ("503", "", (K.SERVER, False, True)),
        ("42000020", "", (K.SERVER, False, True)),
        ("new_code", "invalid_request_error", (K.INVALID_REQUEST, False, False)),
        ("new_code", "rate_limit_error", (K.RATE_LIMIT, False, True)),
        ("", "server_error", (K.SERVER, False, True)),
        ("new_code", "new_type", (K.SERVER, False, True)),
        ("", "rate_limit_exceeded", (K.RATE_LIMIT, False, True)),
        ("RateLimitReached", "", (K.RATE_LIMIT, False, True)),
        ("TooManyRequests", "", (K.RATE_LIMIT, False, True)),
        ("quota_exceeded", "invalid_request_error", (K.QUOTA, True, False)),
        ("Unauthorized", "", (K.AUTHENTICATION, True, False)),
        ("engine_overloaded", "", (K.SERVER, False, True)),
    ],
)
def test_errors(code: str, kind: str, expected: tuple[ErrorKind, bool, bool]) -> None:
    meaning = meaning_of(code, kind)
    assert (meaning.kind, meaning.fatal, meaning.retryable) == expected


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Rate limit reached for gpt-realtime", K.RATE_LIMIT),
        ("Too many requests.", K.RATE_LIMIT),
        ("You exceeded your current quota", K.QUOTA),
        ("Incorrect API key provided", K.AUTHENTICATION),
        ("Your session hit the maximum duration of 30 minutes.", K.SESSION_EXPIRED),
        ("Something is wrong", K.SERVER),
    ],
)
def test_an_error_without_a_code_is_known_by_its_words(message: str, kind: ErrorKind) -> None:
    assert meaning_of("", "server_error", message).kind is kind


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
        (1008, "Rate limit exceeded", (K.RATE_LIMIT, True)),
        (1008, "Quota exceeded", (K.QUOTA, False)),
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


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"error": {"type": "rate_limit_error", "code": 429}}, K.RATE_LIMIT),
        ({"error": {"type": "invalid_request_error", "code": 400}}, K.INVALID_REQUEST),
        ({"error": {"type": "server_error", "code": 42000020, "message": 7}}, K.SERVER),
        ({"error": "Invalid model", "code": "model_not_found"}, K.INVALID_REQUEST),
        ({"code": "insufficient_quota", "message": "No money"}, K.QUOTA),
        (
            {"error": {"type": "invalid_request_error", "code": "x", "param": ["a", "b"]}},
            K.INVALID_REQUEST,
        ),
        ({"error": None}, K.SERVER),
        ({"error": {"code": ["x"], "type": {}, "event_id": 7}}, K.SERVER),
    ],
    ids=str,
)
def test_errors_in_other_shapes_are_read(message: dict[str, object], kind: ErrorKind) -> None:
    provider = ready_provider()
    feed(provider, {"type": "error", **message})
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert failure.kind is kind
    assert provider.state.malformed_messages == 0


def test_a_numeric_refusal_of_the_settings_is_fatal_at_once() -> None:
    provider = opened(OpenAIRealtime(config()))
    error = {"type": "invalid_request_error", "code": 400, "event_id": "session.update-1"}
    feed(provider, {"type": "error", "error": error})
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert (failure.code, failure.fatal) == ("400", True)


@pytest.mark.parametrize(
    ("error", "wait_s"),
    [
        ({"code": "rate_limit_exceeded", "message": "Please try again in 1.5s."}, 1.5),
        ({"code": "inference_rate_limit_exceeded", "message": "retry after 6 seconds"}, 6.0),
        ({"code": "rate_limit_exceeded", "message": "Slow down"}, None),
        ({"code": "server_error", "message": "try again in 2s"}, None),
        ("text", None),
    ],
    ids=str,
)
def test_a_rate_limited_answer_tells_how_long_to_wait(
    error: dict[str, str] | str, wait_s: float | None
) -> None:
    provider = ready_provider()
    begin_response(provider)
    events(provider)
    end_response(provider, status="failed", status_details={"type": "failed", "error": error})
    failure, done = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert isinstance(done, ResponseDone)
    assert failure.retry_in_s == done.retry_in_s == wait_s
    assert not failure.fatal
