from __future__ import annotations

from typing import Any

import msgspec
import pybase64
import pytest

from bridge.audio.formats import L16_24K, PCMU_8K
from bridge.errors import LocalProtocolError
from bridge.providers import openai_realtime
from bridge.providers.base import (
    Audio,
    ErrorKind,
    FunctionCall,
    GoingAway,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Speaker,
    TurnDetection,
)
from bridge.providers.openai_realtime import (
    MAX_EARLY,
    MAX_UNSENT,
    RESPONSE_LIMIT_S,
    SETUP_LIMIT_S,
    STALL_LIMIT_S,
    OpenAIRealtime,
)
from bridge.providers.openai_state import MAX_ITEMS
from tests.unit.providers.openai_kit import (
    begin_response,
    config,
    encode,
    end_response,
    events,
    feed,
    options,
    ready_provider,
    sent,
)


def types(provider: OpenAIRealtime) -> list[str]:
    return [message["type"] for message in sent(provider)]


def audio_delta(
    data: bytes, item_id: str = "item_1", response_id: str = "resp_1"
) -> dict[str, Any]:
    return {
        "type": "response.output_audio.delta",
        "response_id": response_id,
        "item_id": item_id,
        "delta": pybase64.b64encode(data).decode(),
    }


# --- audio --------------------------------------------------------------------------------------


def test_caller_audio_is_appended_as_base64() -> None:
    provider = ready_provider()
    provider.send_audio(b"\xff\x00\x7f")
    assert sent(provider) == [{"type": "input_audio_buffer.append", "audio": "/wB/"}]


def test_caller_audio_before_the_start_is_dropped_and_counted() -> None:
    provider = OpenAIRealtime(config())
    provider.send_audio(b"\xff")
    assert provider.dropped_audio == 1
    assert provider.messages_to_send() == []


def test_nobody_takes_the_messages() -> None:
    provider = ready_provider()
    for _ in range(MAX_UNSENT + 5):
        provider.send_audio(b"\xff")
    assert provider.dropped_audio == 5
    assert len(provider.messages_to_send()) == MAX_UNSENT


def test_type_may_stand_last() -> None:
    """A look-alike need not write the type first; then the slow way must find it."""
    provider = ready_provider(options(L16_24K))
    delta = audio_delta(b"\x01\x02" * 500)
    late = {key: delta[key] for key in ("delta", "item_id", "response_id", "type")}
    provider.receive_message(encode(late), 0.0)
    assert events(provider) == [Audio("resp_1", "item_1", b"\x01\x02" * 500)]


def test_a_text_that_quotes_the_type_is_no_audio() -> None:
    provider = ready_provider()
    words = '"response.output_audio.delta"'
    message = {"type": "response.output_text.delta", "item_id": "i", "delta": words}
    feed(provider, message)
    feed(provider, {"x": "response.output_audio.delta", "delta": "!", **message})
    assert [event.text for event in events(provider)] == [words, words]  # type: ignore[union-attr]


def test_nulls_for_ids_are_tolerated() -> None:
    provider = ready_provider()
    feed(provider, audio_delta(b"\xff") | {"response_id": None, "item_id": None})
    assert events(provider) == [Audio("", "", b"\xff")]


def test_empty_audio_is_no_event() -> None:
    provider = ready_provider()
    feed(provider, audio_delta(b""))
    assert events(provider) == []


@pytest.mark.parametrize("delta", ["a", "====", "AA=", "AA==AA==", "////\n", "ÿÿÿÿ", "AAA"])
def test_broken_base64_costs_a_message_not_the_session(delta: str) -> None:
    provider = ready_provider()
    feed(provider, audio_delta(b"") | {"delta": delta})
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert failure.kind is ErrorKind.PROTOCOL
    assert not failure.fatal


def test_half_a_sample_is_malformed_in_linear_audio_only() -> None:
    linear = ready_provider(options(L16_24K))
    feed(linear, audio_delta(b"\x00\x00\x00"))
    assert isinstance(events(linear)[0], ProviderFailure)
    companded = ready_provider(options(PCMU_8K))
    feed(companded, audio_delta(b"\x00\x00\x00"))
    assert isinstance(events(companded)[0], Audio)


# --- cutting ------------------------------------------------------------------------------------


def test_late_audio_of_a_cancelled_response_is_dropped() -> None:
    provider = ready_provider()
    begin_response(provider)
    provider.cancel_response()
    provider.cancel_response()
    (cancel,) = sent(provider)
    assert (cancel["type"], cancel["response_id"]) == ("response.cancel", "resp_1")
    events(provider)
    feed(provider, audio_delta(b"\xff"))
    feed(provider, audio_delta(b"\xfe", response_id="resp_2"))
    assert events(provider) == [Audio("resp_2", "item_1", b"\xfe")]
    assert provider.state is not None
    assert provider.state.late_audio == 1


def test_cancel_between_request_and_start() -> None:
    provider = ready_provider()
    provider.send_text("1")
    provider.cancel_response()
    provider.cancel_response()
    assert types(provider) == ["conversation.item.create", "response.create", "response.cancel"]
    begin_response(provider)
    feed(provider, audio_delta(b"\xff"))
    assert events(provider) == [ResponseStarted("resp_1")]


def test_cancel_without_a_response_does_nothing() -> None:
    provider = ready_provider()
    provider.cancel_response()
    OpenAIRealtime(config()).cancel_response()
    assert sent(provider) == []


def test_a_cut_never_goes_past_the_audio_there_is() -> None:
    provider = ready_provider(options(PCMU_8K))
    feed(provider, audio_delta(b"\xff" * 800))
    feed(provider, audio_delta(b"\xff" * 800))
    for heard_ms in (150, 200, 5000):
        provider.truncate("item_1", heard_ms)
    assert [message["audio_end_ms"] for message in sent(provider)] == [150, 200, 200]


@pytest.mark.parametrize("heard_ms", [0, -5])
def test_what_was_not_heard_is_deleted(heard_ms: int) -> None:
    provider = ready_provider()
    provider.truncate("item_9", heard_ms)
    (message,) = sent(provider)
    assert (message["type"], message["item_id"]) == ("conversation.item.delete", "item_9")


def test_lengths_of_old_items_are_forgotten() -> None:
    provider = ready_provider()
    for number in range(MAX_ITEMS + 1):
        feed(provider, audio_delta(b"\xff" * 8, item_id=f"item_{number}"))
    provider.truncate("item_0", 700)
    provider.truncate("item_1", 700)
    assert [message.get("audio_end_ms") for message in sent(provider)] == [700, 1]


# --- asking -------------------------------------------------------------------------------------


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


def call_item(number: int, **fields: Any) -> dict[str, Any]:
    item = {
        "type": "function_call",
        "id": f"fc_{number}",
        "status": "completed",
        "call_id": f"call_{number}",
        "name": "lookup",
        "arguments": "{}",
    }
    return item | fields


def ask_for_functions(provider: OpenAIRealtime, *items: dict[str, Any], **fields: Any) -> list[Any]:
    begin_response(provider)
    events(provider)
    end_response(provider, output=list(items), **fields)
    return events(provider)


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


# --- time ---------------------------------------------------------------------------------------


def test_settings_not_taken_in_time() -> None:
    provider = OpenAIRealtime(config())
    assert provider.next_deadline() is None
    provider.start(options(), 100.0)
    assert provider.next_deadline() == 100.0 + SETUP_LIMIT_S
    provider.handle_timeout(100.0 + SETUP_LIMIT_S - 0.1)
    assert events(provider) == []
    provider.handle_timeout(100.0 + SETUP_LIMIT_S)
    assert events(provider) == [
        ProviderFailure(
            ErrorKind.CONNECTION, "session_setup_timeout", "no answer within 10 s", True, True
        )
    ]
    assert provider.next_deadline() is None


def test_a_request_that_nothing_follows() -> None:
    provider = ready_provider()
    provider.say("Hello?")
    assert provider.next_deadline() == 0.0
    provider.handle_timeout(50.0)
    assert provider.next_deadline() == 50.0 + RESPONSE_LIMIT_S
    provider.handle_timeout(50.0 + RESPONSE_LIMIT_S)
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert (failure.code, failure.fatal, failure.retryable) == ("response_timeout", True, True)


def test_a_response_that_stops_in_the_middle() -> None:
    provider = ready_provider()
    begin_response(provider, now=10.0)
    provider.receive_message(encode(audio_delta(b"\xff")), 15.0)
    assert provider.next_deadline() == 15.0 + STALL_LIMIT_S
    feed(provider, {"type": "rate_limits.updated"}, 16.0)
    provider.handle_timeout(16.0 + STALL_LIMIT_S)
    assert isinstance(events(provider)[-1], ProviderFailure)


def test_an_idle_session_waits_for_its_own_end_only() -> None:
    provider = ready_provider(session_limit_s=1000.0, going_away_s=100.0)
    assert provider.next_deadline() == 900.0
    provider.handle_timeout(950.0)
    assert events(provider) == [GoingAway(in_s=50.0)]
    assert provider.next_deadline() is None
    provider.handle_timeout(960.0)
    assert events(provider) == []


def test_a_request_waits_for_a_speaking_caller_but_not_for_ever() -> None:
    provider = ready_provider()
    feed(provider, {"type": "input_audio_buffer.speech_started", "item_id": "i"}, 10.0)
    provider.say("Hello?")
    assert sent(provider) == []
    deadline = provider.next_deadline()
    assert deadline == 25.0
    provider.handle_timeout(deadline)
    assert types(provider) == ["response.create"]


def test_the_server_is_given_time_to_answer_by_itself() -> None:
    provider = ready_provider()
    feed(provider, {"type": "input_audio_buffer.speech_stopped", "item_id": "i"}, 10.0)
    provider.say("Hello?")
    assert sent(provider) == []
    assert provider.next_deadline() == 13.0
    provider.handle_timeout(13.0)
    assert types(provider) == ["response.create"]


def test_without_answers_of_the_server_nothing_waits() -> None:
    turn = TurnDetection(create_response=False)
    provider = ready_provider(options(turn_detection=turn))
    feed(provider, {"type": "input_audio_buffer.speech_stopped", "item_id": "i"}, 10.0)
    provider.request_response()
    assert types(provider) == ["response.create"]


# --- ends ---------------------------------------------------------------------------------------


def test_closed_before_the_start() -> None:
    provider = OpenAIRealtime(config())
    provider.receive_message(b"{}", 0.0)
    provider.receive_close(1006, "")
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert failure.kind is ErrorKind.CONNECTION
    assert events(provider) == []


def test_after_a_fatal_failure_nothing_more_comes_or_goes() -> None:
    provider = ready_provider()
    provider.receive_close(1006, "")
    assert len(events(provider)) == 1
    feed(provider, audio_delta(b"\xff"))
    provider.send_audio(b"\xff")
    provider.say("x")
    provider.request_response()
    provider.send_function_result("c", "o")
    provider.truncate("i", 5)
    provider.receive_close(1006, "")
    provider.handle_timeout(1e9)
    assert events(provider) == []
    assert sent(provider) == []
    assert provider.next_deadline() is None
    assert provider.dropped_audio == 1


def test_many_malformed_messages_end_the_session() -> None:
    provider = ready_provider()
    for _ in range(30):
        provider.receive_message(b"{", 0.0)
    found = events(provider)
    assert [event.fatal for event in found] == [False] * 19 + [True]  # type: ignore[union-attr]


def test_an_oversize_message_ends_the_session() -> None:
    provider = ready_provider()
    provider.receive_message(b" " * (4 * 1024 * 1024 + 1), 0.0)
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert failure.fatal


def test_long_texts_of_the_peer_are_cut() -> None:
    provider = ready_provider()
    error = {"code": "c" * 5000, "message": "m" * 5000}
    feed(provider, {"type": "error", "error": error})
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert len(failure.code) == len(failure.message) == 500


def test_capabilities() -> None:
    capabilities = OpenAIRealtime(config(session_limit_s=700.0)).capabilities
    assert capabilities.input_formats == capabilities.output_formats
    assert PCMU_8K in capabilities.input_formats
    assert capabilities.truncate
    assert capabilities.cancels_on_speech
    assert capabilities.session_limit_s == 700.0


def test_event_ids_are_unique_and_name_their_command() -> None:
    provider = ready_provider()
    provider.send_text("1")
    provider.truncate("i", 5)
    ids = [message["event_id"] for message in sent(provider)]
    assert len(set(ids)) == 3
    assert ids[-1].startswith("conversation.item.truncate-")


def test_messages_are_json_without_line_breaks() -> None:
    provider = ready_provider()
    provider.send_text("ü\n\u2028")
    (item, _) = provider.messages_to_send()
    assert b"\n" not in item
    assert msgspec.json.decode(item)["item"]["content"][0]["text"] == "ü\n\u2028"


def test_ready_names_the_session() -> None:
    provider = OpenAIRealtime(config())
    provider.start(options(), 0.0)
    feed(provider, {"type": "session.created", "session": {"id": "sess_7"}})
    feed(provider, {"type": "session.updated", "session": {}})
    assert events(provider) == [SessionReady("sess_7")]


def test_limits_are_named() -> None:
    names = [name for name in vars(openai_realtime) if name.endswith("_LIMIT_S")]
    assert len(names) == 3
