"""Asking for answers: greeting, turns, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import LocalProtocolError
from bridge.providers.base import ErrorKind, ProviderFailure, ResponseDone, ResponseStarted
from bridge.providers.conversation import Opening, Said, Speaker
from bridge.providers.openai.realtime import CHANNEL, MAX_UNSENT, OpenAIRealtime
from tests.unit.providers.openai_kit import (
    READY,
    ask_for_functions,
    audio_delta,
    begin_response,
    call_item,
    config,
    conversation,
    end_response,
    events,
    feed,
    opened,
    ready_provider,
    sent,
    types,
)


def test_greeting_waits_for_the_settings() -> None:
    provider = opened(OpenAIRealtime(config()), conversation(greeting="Hello.", opening_token="t"))
    assert types(provider) == ["session.update"]
    feed(provider, {"type": "session.created", "session": {"id": "sess_1"}})
    assert types(provider) == []
    feed(provider, READY)
    (request,) = sent(provider)
    assert request["type"] == "response.create"
    assert request["response"]["instructions"].endswith("\n\nHello.")
    assert request["response"]["metadata"] == {"token": "t"}


def test_an_opening_answers_what_the_history_ends_with() -> None:
    history = (Said(Speaker.CALLER, "When do you open?"),)
    talk = conversation(history=history, opening=Opening.ANSWER)
    provider = opened(OpenAIRealtime(config()), talk)
    feed(provider, READY)
    assert types(provider) == ["session.update", "conversation.item.create", "response.create"]


def test_settings_are_told_once() -> None:
    provider = ready_provider()
    feed(provider, {"type": "session.updated", "session": {"id": "sess_1"}})
    assert events(provider) == []


@pytest.mark.parametrize("shape, session", [("ga", {"type": "realtime"}), ("beta", {})])
def test_a_sign_of_life_changes_nothing(shape: str, session: dict[str, str]) -> None:
    provider = ready_provider(api_shape=shape)
    provider.probe(0.0)
    (asked,) = sent(provider)
    assert (asked["type"], asked["session"]) == ("session.update", session)
    feed(provider, {"type": "session.updated", "session": {"id": "sess_1"}})
    refusal = {"type": "invalid_request_error", "code": "x", "event_id": asked["event_id"]}
    feed(provider, {"type": "error", "error": refusal})
    assert (events(provider), sent(provider)) == ([], [])
    unready = opened(OpenAIRealtime(config()))
    sent(unready)
    unready.probe(0.0)
    assert sent(unready) == []


def test_a_turn_of_the_callers_is_not_disturbed_by_asking_for_life() -> None:
    provider = ready_provider()
    feed(provider, {"type": "input_audio_buffer.speech_started", "item_id": "i"})
    provider.probe(0.0)
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
    provider.probe(0.0)
    assert types(provider) == ["session.update"]


def test_commands_before_the_socket_is_open_wait_for_it() -> None:
    provider = OpenAIRealtime(config())
    provider.start(conversation(history=(Said(Speaker.CALLER, "Hi"),)), 0.0)
    provider.actions()
    provider.send_function_result("call_of_old", "42", failed=False, now=1.0)
    provider.send_text("1", 1.0)
    provider.say("One moment.", "", 1.0)
    assert provider.actions() == []
    provider.receive_open(CHANNEL, 2.0)
    items = [message.get("item", {}).get("role") for message in sent(provider)]
    assert items == [None, "user", "system", "user"]
    feed(provider, READY, 3.0)
    (request,) = sent(provider)
    assert request["response"]["instructions"].endswith("One moment.")


def test_what_waits_for_the_socket_has_a_limit() -> None:
    provider = OpenAIRealtime(config())
    provider.start(conversation(), 0.0)
    provider.actions()
    for _ in range(MAX_UNSENT):
        provider.inform("x", respond=False, now=0.0)
    assert provider.dropped == 1
    provider.receive_open(CHANNEL, 1.0)
    assert len(provider.actions()) == MAX_UNSENT


def test_no_command_before_the_start() -> None:
    with pytest.raises(LocalProtocolError):
        OpenAIRealtime(config()).say("x", "", 0.0)


def test_start_twice_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        ready_provider().start(conversation(), 0.0)


def test_a_successor_is_fresh() -> None:
    provider = ready_provider(model="m-1")
    assert opened(provider.successor()).state.model == "m-1"


# --- turns ----------------------------------------------------------------------------------------


def test_without_turn_detection_our_turns_are_committed_and_answered() -> None:
    provider = ready_provider(turn_detection="none")
    provider.begin_turn(0.0)
    provider.send_audio(b"\xff" * 799)
    provider.end_turn(0.0)
    end = ["input_audio_buffer.append", "response.create"]
    assert types(provider) == end
    begin_response(provider)
    end_response(provider)
    provider.send_audio(b"\xff")
    provider.end_turn(0.0)
    assert types(provider) == [end[0], "input_audio_buffer.commit", end[1]]


def test_a_server_that_does_not_answer_turns_by_itself_is_asked_to() -> None:
    provider = ready_provider(create_response=False)
    feed(provider, SPOKE)
    assert sent(provider) == []
    feed(provider, {"type": "input_audio_buffer.committed", "item_id": "i"})
    assert types(provider) == ["response.create"]


SPOKE = {"type": "input_audio_buffer.speech_stopped", "item_id": "i"}


def test_an_answer_the_server_may_have_begun_too_early_is_still_asked_for() -> None:
    """It began before our text was seen in the conversation."""
    provider = ready_provider()
    feed(provider, SPOKE)
    provider.send_text("1", 0.0)
    begin_response(provider)
    end_response(provider)
    assert types(provider) == ["conversation.item.create", "response.create"]


def test_an_answer_that_covers_our_text_is_not_asked_for_again() -> None:
    provider = ready_provider()
    feed(provider, SPOKE)
    provider.send_text("1", 0.0)
    (item,) = sent(provider)
    feed(provider, {"type": "conversation.item.added", "item": item["item"]})
    begin_response(provider)
    end_response(provider)
    assert sent(provider) == []


def test_the_way_is_free_as_soon_as_the_servers_answer_is_over() -> None:
    provider = ready_provider()
    feed(provider, SPOKE, 10.0)
    provider.say("Hello?", "", 0.0)
    begin_response(provider, now=10.5)
    end_response(provider, now=11.0)
    assert types(provider) == ["response.create"]


def test_the_end_of_another_response_frees_nothing() -> None:
    provider = ready_provider()
    begin_response(provider)
    end_response(provider, "resp_of_old")
    provider.say("Hello?", "", 0.0)
    assert sent(provider) == []


def test_a_refusal_without_a_known_response_is_not_answered_at_once() -> None:
    """Asking again and again would be a loop."""
    provider = ready_provider()
    provider.say("Hello?", "", 0.0)
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
    provider.say("Hello?", "", 0.0)
    (request,) = sent(provider)
    error = {"type": "invalid_request_error", "code": "x", "event_id": request["event_id"]}
    feed(provider, {"type": "error", "error": error})
    failure, done = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert done == ResponseDone("", "failed", "x", ErrorKind.INVALID_REQUEST, spoke=False)
    provider.say("Again", "", 0.0)
    assert types(provider) == ["response.create"]


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
