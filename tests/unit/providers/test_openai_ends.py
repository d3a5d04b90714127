"""Deadlines, failures, ends."""

from __future__ import annotations

import msgspec

from bridge.audio.formats import PCMU_8K
from bridge.providers.base import (
    ErrorKind,
    GoingAway,
    ProviderFailure,
    SessionReady,
    TurnDetection,
)
from bridge.providers.openai import realtime
from bridge.providers.openai.realtime import (
    RESPONSE_LIMIT_S,
    SETUP_LIMIT_S,
    STALL_LIMIT_S,
    OpenAIRealtime,
)
from tests.unit.providers.openai_kit import (
    audio_delta,
    begin_response,
    config,
    conversation,
    encode,
    events,
    feed,
    ready_provider,
    sent,
    types,
)


def test_settings_not_taken_in_time() -> None:
    provider = OpenAIRealtime(config())
    assert provider.next_deadline() is None
    provider.start(conversation(), 100.0)
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
    provider.say("Hello?", "", 0.0)
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
    provider.receive_message(CHANNEL, encode(audio_delta(b"\xff")), 15.0)
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
    provider.say("Hello?", "", 0.0)
    assert sent(provider) == []
    deadline = provider.next_deadline()
    assert deadline == 25.0
    provider.handle_timeout(deadline)
    assert types(provider) == ["response.create"]


def test_the_server_is_given_time_to_answer_by_itself() -> None:
    provider = ready_provider()
    feed(provider, {"type": "input_audio_buffer.speech_stopped", "item_id": "i"}, 10.0)
    provider.say("Hello?", "", 0.0)
    assert sent(provider) == []
    assert provider.next_deadline() == 13.0
    provider.handle_timeout(13.0)
    assert types(provider) == ["response.create"]


def test_without_answers_of_the_server_nothing_waits() -> None:
    turn = TurnDetection(create_response=False)
    provider = ready_provider(conversation(turn_detection=turn))
    feed(provider, {"type": "input_audio_buffer.speech_stopped", "item_id": "i"}, 10.0)
    provider.answer(0.0)
    assert types(provider) == ["response.create"]


def test_closed_before_the_start() -> None:
    provider = OpenAIRealtime(config())
    provider.receive_message(CHANNEL, b"{}", 0.0)
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
    provider.say("x", "", 0.0)
    provider.answer(0.0)
    provider.send_function_result("c", "o", failed=False, now=0.0)
    provider.cut([Heard("i", 5)], 0.0)
    provider.receive_close(1006, "")
    provider.handle_timeout(1e9)
    assert events(provider) == []
    assert sent(provider) == []
    assert provider.next_deadline() is None
    assert provider.dropped == 1


def test_many_malformed_messages_end_the_session() -> None:
    provider = ready_provider()
    for _ in range(30):
        provider.receive_message(CHANNEL, b"{", 0.0)
    found = events(provider)
    assert [event.fatal for event in found] == [False] * 19 + [True]  # type: ignore[union-attr]


def test_an_oversize_message_ends_the_session() -> None:
    provider = ready_provider()
    provider.receive_message(CHANNEL, b" " * (4 * 1024 * 1024 + 1), 0.0)
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
    provider.send_text("1", 0.0)
    provider.cut([Heard("i", 5)], 0.0)
    ids = [message["event_id"] for message in sent(provider)]
    assert len(set(ids)) == 3
    assert ids[-1].startswith("conversation.item.truncate-")


def test_messages_are_json_without_line_breaks() -> None:
    provider = ready_provider()
    provider.send_text("ü\n\u2028", 0.0)
    (item, _) = provider.actions()
    assert b"\n" not in item
    assert msgspec.json.decode(item)["item"]["content"][0]["text"] == "ü\n\u2028"


def test_ready_names_the_session() -> None:
    provider = OpenAIRealtime(config())
    provider.start(conversation(), 0.0)
    feed(provider, {"type": "session.created", "session": {"id": "sess_7"}})
    feed(provider, {"type": "session.updated", "session": {}})
    assert events(provider) == [SessionReady("sess_7")]


def test_limits_are_named() -> None:
    names = [name for name in vars(realtime) if name.endswith("_LIMIT_S")]
    assert len(names) == 3
