"""Asking for answers: greeting, functions, turns."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import LocalProtocolError
from bridge.providers.base import (
    ErrorKind,
    FunctionCall,
    ProviderFailure,
    ResponseDone,
    Speaker,
    TurnDetection,
)
from bridge.providers.openai.realtime import (
    MAX_EARLY,
    OpenAIRealtime,
)
from tests.unit.providers.openai_kit import (
    ask_for_functions,
    audio_delta,
    begin_response,
    call_item,
    config,
    end_response,
    events,
    feed,
    options,
    ready_provider,
    sent,
    types,
)


def test_greeting_waits_for_the_settings() -> None:
    provider = OpenAIRealtime(config())
    provider.start(options(greeting="Hello."), 0.0)
    assert types(provider) == ["session.update"]
    feed(provider, {"type": "session.created", "session": {"id": "sess_1"}})
    assert types(provider) == []
    feed(provider, {"type": "session.updated", "session": {"id": "sess_1"}})
    (request,) = sent(provider)
    assert request["type"] == "response.create"
    assert request["response"]["instructions"].endswith("\n\nHello.")


def test_settings_are_told_once() -> None:
    provider = ready_provider()
    feed(provider, {"type": "session.updated", "session": {"id": "sess_1"}})
    assert events(provider) == []


@pytest.mark.parametrize("shape, session", [("ga", {"type": "realtime"}), ("beta", {})])
def test_a_sign_of_life_changes_nothing(shape: str, session: dict[str, str]) -> None:
    provider = ready_provider(api_shape=shape)
    provider.ask_for_life()
    (asked,) = sent(provider)
    assert (asked["type"], asked["session"]) == ("session.update", session)
    feed(provider, {"type": "session.updated", "session": {"id": "sess_1"}})
    refusal = {"type": "invalid_request_error", "code": "x", "event_id": asked["event_id"]}
    feed(provider, {"type": "error", "error": refusal})
    assert (events(provider), sent(provider)) == ([], [])
    silent = OpenAIRealtime(config())
    silent.ask_for_life()
    assert sent(silent) == []


def test_a_turn_of_the_callers_is_not_disturbed_by_asking_for_life() -> None:
    provider = ready_provider()
    feed(provider, {"type": "input_audio_buffer.speech_started", "item_id": "i"})
    provider.ask_for_life()
    (asked,) = sent(provider)
    assert asked["type"] == "conversation.item.retrieve"
    error = {
        "type": "invalid_request_error",
        "code": "invalid_event",
        "event_id": asked["event_id"],
    }
    events(provider)
    feed(provider, {"type": "error", "error": error})
    assert events(provider) == []
    feed(provider, {"type": "input_audio_buffer.speech_stopped", "item_id": "i"})
    provider.ask_for_life()
    assert types(provider) == ["session.update"]


def test_commands_before_the_start_wait_for_it() -> None:
    provider = OpenAIRealtime(config())
    provider.send_function_result("call_of_old", "42")
    provider.send_text("1")
    provider.say("One moment.")
    provider.request_response()
    provider.truncate("item_1", 5)
    assert provider.messages_to_send() == []
    provider.start(options(history=((Speaker.CALLER, "Hi"),)), 0.0)
    feed(provider, {"type": "session.updated", "session": {}})
    items = [message.get("item", {}).get("role") for message in sent(provider)]
    assert items == [None, "user", "system", "user", None]


def test_commands_before_the_start_have_a_limit() -> None:
    provider = OpenAIRealtime(config())
    for _ in range(MAX_EARLY):
        provider.say("x")
    with pytest.raises(LocalProtocolError):
        provider.say("x")


def test_start_twice_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        ready_provider().start(options(), 0.0)


def test_one_answer_after_all_results_however_it_is_asked_for() -> None:
    provider = ready_provider()
    ask_for_functions(provider, call_item(1), call_item(2))
    provider.send_function_result("call_1", "a")
    provider.request_response()
    provider.request_response()
    provider.send_function_result("call_2", "b")
    provider.request_response()
    assert types(provider) == [
        "conversation.item.create",
        "conversation.item.create",
        "response.create",
    ]


def test_results_alone_ask_for_nothing() -> None:
    """A hang-up or a transfer needs no further words."""
    provider = ready_provider()
    ask_for_functions(provider, call_item(1))
    provider.send_function_result("call_1", "a")
    assert types(provider) == ["conversation.item.create"]


def test_an_answer_asked_for_before_the_functions_waits_for_their_results() -> None:
    provider = ready_provider()
    begin_response(provider)
    provider.send_text("1")
    end_response(provider, output=[call_item(1)])
    assert types(provider) == ["conversation.item.create"]
    provider.send_function_result("call_1", "a")
    assert types(provider) == ["conversation.item.create", "response.create"]


def test_a_text_is_answered_while_a_slow_function_runs() -> None:
    provider = ready_provider()
    ask_for_functions(provider, call_item(1))
    provider.send_text("1")
    assert types(provider) == ["conversation.item.create", "response.create"]


def test_functions_of_a_cancelled_response_are_not_run() -> None:
    found = ask_for_functions(ready_provider(), call_item(1), status="cancelled")
    assert not any(isinstance(event, FunctionCall) for event in found)
    assert isinstance(found[-1], ResponseDone)
    assert found[-1].function_calls == 0


BROKEN_ENDS = [
    {"output": [call_item(1, call_id=None)]},
    {"output": [call_item(1, name="")]},
    {"output": [call_item(number) for number in range(65)]},
    {"output": "none"},
    {"usage": {"input_token_details": 7}},
    {"status": ["completed"]},
]


@pytest.mark.parametrize("fields", BROKEN_ENDS)
def test_a_response_with_a_broken_end_is_over_all_the_same(fields: dict[str, Any]) -> None:
    provider = ready_provider()
    begin_response(provider)
    events(provider)
    end_response(provider, **fields)
    failure, done = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert not failure.fatal
    assert done == ResponseDone("resp_1", "failed", "", ErrorKind.PROTOCOL)
    provider.send_text("1")
    assert types(provider) == ["conversation.item.create", "response.create"]


def test_without_turn_detection_audio_becomes_a_turn_when_an_answer_is_asked_for() -> None:
    provider = ready_provider(options(turn_detection=TurnDetection("none")))
    provider.send_audio(b"\xff" * 799)
    provider.request_response()
    end = ["input_audio_buffer.append", "response.create"]
    assert types(provider) == end
    begin_response(provider)
    end_response(provider)
    provider.send_audio(b"\xff")
    provider.request_response()
    assert types(provider) == [end[0], "input_audio_buffer.commit", end[1]]
    begin_response(provider)
    end_response(provider)
    provider.request_response()
    assert types(provider) == ["response.create"]


SPOKE = {"type": "input_audio_buffer.speech_stopped", "item_id": "i"}


def test_an_answer_the_server_may_have_begun_too_early_is_still_asked_for() -> None:
    """It began before our text was seen in the conversation."""
    provider = ready_provider()
    feed(provider, SPOKE)
    provider.send_text("1")
    begin_response(provider)
    end_response(provider)
    assert types(provider) == ["conversation.item.create", "response.create"]


def test_an_answer_that_covers_our_text_is_not_asked_for_again() -> None:
    provider = ready_provider()
    feed(provider, SPOKE)
    provider.send_text("1")
    (item,) = sent(provider)
    feed(provider, {"type": "conversation.item.added", "item": item["item"]})
    begin_response(provider)
    end_response(provider)
    assert sent(provider) == []


def test_the_way_is_free_as_soon_as_the_servers_answer_is_over() -> None:
    provider = ready_provider()
    feed(provider, SPOKE, 10.0)
    provider.say("Hello?")
    begin_response(provider, now=10.5)
    end_response(provider, now=11.0)
    assert types(provider) == ["response.create"]


def test_the_end_of_another_response_frees_nothing() -> None:
    provider = ready_provider()
    begin_response(provider)
    end_response(provider, "resp_of_old")
    provider.say("Hello?")
    assert sent(provider) == []


def test_a_refusal_without_a_known_response_is_not_answered_at_once() -> None:
    """Asking again and again would be a loop."""
    provider = ready_provider()
    provider.say("Hello?")
    (request,) = sent(provider)
    code = "conversation_already_has_active_response"
    error = {"type": "invalid_request_error", "code": code, "event_id": request["event_id"]}
    feed(provider, {"type": "error", "error": error}, 10.0)
    assert sent(provider) == []
    assert events(provider) == []
    assert provider.next_deadline() == 13.0
    provider.handle_timeout(13.0)
    assert types(provider) == ["response.create"]


def test_any_other_refusal_drops_the_request_and_is_told() -> None:
    provider = ready_provider()
    provider.say("Hello?")
    (request,) = sent(provider)
    error = {"type": "invalid_request_error", "code": "x", "event_id": request["event_id"]}
    feed(provider, {"type": "error", "error": error})
    assert len(events(provider)) == 1
    provider.say("Again")
    assert types(provider) == ["response.create"]


def test_a_cancelled_request_that_was_refused_silences_nobody_else() -> None:
    provider = ready_provider()
    provider.say("Hello?")
    request = sent(provider)[0]
    provider.cancel_response()
    error = {"type": "invalid_request_error", "code": "x", "event_id": request["event_id"]}
    feed(provider, {"type": "error", "error": error})
    begin_response(provider, "resp_of_the_server")
    events(provider)
    feed(provider, audio_delta(b"\xff", response_id="resp_of_the_server"))
    assert len(events(provider)) == 1
