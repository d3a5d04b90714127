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


def test_a_cancelled_request_that_was_refused_silences_nobody_else() -> None:
    provider = ready_provider()
    provider.say("Hello?", "", 0.0)
    request = sent(provider)[0]
    provider.cut([], 0.0)
    error = {"type": "invalid_request_error", "code": "x", "event_id": request["event_id"]}
    feed(provider, {"type": "error", "error": error})
    begin_response(provider, "resp_of_the_server")
    events(provider)
    feed(provider, audio_delta(b"\xff", response_id="resp_of_the_server"))
    assert len(events(provider)) == 1


# --- refusals -------------------------------------------------------------------------------------

BUSY = {"type": "invalid_request_error", "code": "conversation_already_has_active_response"}
BUSY_TEXT = "Conversation already has an active response in progress: resp_2."


@pytest.mark.parametrize(
    "error",
    [
        {**BUSY, "event_id": None},
        {"type": "invalid_request_error", "code": None, "message": BUSY_TEXT},
        {"type": None, "code": "invalid_request_error", "message": BUSY_TEXT.lower()},
    ],
    ids=["no event id", "no code either", "another code"],
)
def test_a_refusal_that_names_no_request_means_ours(error: dict[str, Any]) -> None:
    provider = ready_provider()
    ask_for_functions(provider, call_item(1))
    provider.send_function_result("call_1", "a", failed=False, now=0.0)
    sent(provider)
    begin_response(provider, "resp_2")
    feed(provider, {"type": "error", "error": error})
    end_response(provider, "resp_2")
    assert types(provider) == ["response.create"]


def test_a_refused_answer_that_the_servers_own_has_given_is_not_asked_for_again() -> None:
    provider = ready_provider()
    ask_for_functions(provider, call_item(1))
    provider.send_function_result("call_1", "a", failed=False, now=0.0)
    item, create = sent(provider)
    feed(provider, {"type": "conversation.item.added", "item": item["item"]})
    begin_response(provider, "resp_of_server")
    feed(provider, {"type": "error", "error": {**BUSY, "event_id": create["event_id"]}})
    end_response(provider, "resp_of_server")
    assert sent(provider) == []


def test_words_are_said_although_the_caller_speaks() -> None:
    provider = ready_provider()
    feed(provider, {"type": "input_audio_buffer.speech_started", "item_id": "i"}, 1.0)
    provider.send_text("1", 1.0)
    assert types(provider) == ["conversation.item.create"]
    provider.say("Our time is over.", "bye", 1.0)
    (request,) = sent(provider)
    assert request["response"]["metadata"] == {"token": "bye"}


def test_words_go_before_answers() -> None:
    provider = ready_provider()
    begin_response(provider)
    provider.send_text("1", 0.0)
    provider.say("One.", "", 0.0)
    provider.say("Two.", "", 0.0)
    sent(provider)
    said = []
    for number in range(1, 4):
        end_response(provider, f"resp_{number}")
        (request,) = sent(provider)
        said.append(request.get("response", {}).get("instructions", "answer")[-4:])
        begin_response(provider, f"resp_{number + 1}")
    assert said == ["One.", "Two.", "swer"]


@pytest.mark.parametrize(
    ("response", "token"),
    [
        ({"metadata": {"token": "t"}}, "t"),
        ({"metadata": None}, ""),
        ({"metadata": {"token": 7}}, ""),
        ({"metadata": "odd"}, ""),
        ({}, "t"),
    ],
    ids=["ours", "the server's own", "no text", "no object", "a server without metadata"],
)
def test_the_answer_to_our_words_is_known(response: dict[str, Any], token: str) -> None:
    provider = ready_provider()
    provider.say("Bye.", "t", 0.0)
    feed(provider, {"type": "response.created", "response": {"id": "resp_1", **response}})
    assert events(provider) == [ResponseStarted("resp_1", token)]


def test_a_server_that_refuses_metadata_is_asked_without() -> None:
    provider = ready_provider()
    provider.say("Bye.", "t", 0.0)
    (first,) = sent(provider)
    error = {
        "code": "unknown_parameter",
        "param": "response.metadata",
        "event_id": first["event_id"],
    }
    feed(provider, {"type": "error", "error": error})
    (second,) = sent(provider)
    assert "metadata" not in second["response"]
    assert events(provider) == []
    feed(provider, {"type": "response.created", "response": {"id": "resp_1"}})
    assert events(provider) == [ResponseStarted("resp_1", "t")]


def test_a_model_that_wrote_its_answer_is_asked_to_speak() -> None:
    provider = ready_provider()
    begin_response(provider)
    feed(provider, {"type": "response.output_text.done", "item_id": "i", "text": "Hello"})
    events(provider)
    end_response(provider)
    assert events(provider) == [ResponseDone("resp_1", "completed", spoke=False)]
    provider.answer(0.0)
    (request,) = sent(provider)
    assert request["response"] == {"output_modalities": ["audio"]}


# --- what is told to the model --------------------------------------------------------------------


def test_informing_the_model_asks_for_words_only_when_told_to() -> None:
    provider = ready_provider()
    provider.inform("The transfer failed.", respond=False, now=0.0)
    assert types(provider) == ["conversation.item.create"]
    provider.inform("The transfer failed.", respond=True, now=0.0)
    item, request = sent(provider)
    assert item["item"]["role"] == "system"
    assert request["type"] == "response.create"
