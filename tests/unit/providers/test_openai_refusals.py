"""A request that is refused in words alone is an answer that failed."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.providers.base import ErrorKind, ProviderFailure, ResponseDone
from tests.unit.providers.openai_kit import (
    begin_response,
    events,
    feed,
    ready_provider,
    sent,
    types,
)

LIMIT = {"type": "requests", "code": "rate_limit_exceeded", "message": "Try again in 2s."}


@pytest.mark.parametrize(
    "error",
    [
        {**LIMIT, "event_id": None},
        {"type": None, "code": 429, "message": "Retry-After: 2"},
        {"code": "RateLimitReached", "retry_after": "2"},
        "Rate limit reached, please wait 2 seconds",
    ],
    ids=str,
)
def test_a_request_refused_in_words_alone_is_an_answer_that_failed(error: Any) -> None:
    provider = ready_provider()
    provider.answer(0.0)
    sent(provider)
    feed(provider, {"type": "error", "error": error})
    failure, done = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert isinstance(done, ResponseDone)
    assert (done.error_kind, done.retry_in_s) == (ErrorKind.RATE_LIMIT, 2.0)
    provider.answer(2.0)
    assert types(provider) == ["response.create"]


def test_a_fault_that_names_no_request_says_nothing_about_an_answer_under_way() -> None:
    provider = ready_provider()
    provider.answer(0.0)
    begin_response(provider)
    events(provider)
    feed(provider, {"type": "error", "error": LIMIT})
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert provider.state.requests.response_id == "resp_1"


def test_a_request_we_cancelled_before_it_was_refused_has_not_failed() -> None:
    provider = ready_provider()
    provider.answer(0.0)
    request = sent(provider)[0]
    provider.cut([], 0.0)
    feed(provider, {"type": "error", "error": {**LIMIT, "event_id": request["event_id"]}})
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
