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
from bridge.providers.openai_realtime import (
    MAX_EARLY,
    OpenAIRealtime,
)
from tests.unit.providers.openai_kit import (
    ask_for_functions,
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
