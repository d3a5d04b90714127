"""Deadlines, failures, ends."""

from __future__ import annotations

import msgspec
import pytest

from bridge.audio.formats import PCMU_8K
from bridge.providers.base import ErrorKind, GoingAway, Heard, ProviderFailure, SessionReady, Turns
from bridge.providers.openai import realtime
from bridge.providers.openai.realtime import (
    CHANNEL,
    RESPONSE_LIMIT_S,
    SETUP_LIMIT_S,
    STALL_LIMIT_S,
    OpenAIRealtime,
)
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.openai_kit import (
    audio_delta,
    begin_response,
    config,
    conversation,
    encode,
    events,
    feed,
    messages,
    opened,
    ready_provider,
    sent,
    types,
)

LOST = ChannelEnd(Ender.NETWORK, code=1006)


def test_settings_not_taken_in_time() -> None:
    provider = OpenAIRealtime(config())
    assert provider.next_deadline() is None
    provider.start(conversation(), 90.0)
    assert provider.next_deadline() is None
    provider.receive_open(CHANNEL, 100.0)
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
    provider.say("Hello?", "", 50.0)
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


UNIX_NOW = 1_780_000_000.0


@pytest.mark.parametrize(
    ("minutes", "told_at_s", "in_s"), [(30, 1500.0, 300.0), (15, 600.0, 300.0), (3, 120.0, 60.0)]
)
def test_the_server_announces_a_shorter_session(
    minutes: int, told_at_s: float, in_s: float
) -> None:
    provider = opened(OpenAIRealtime(config()), conversation(unix_s=UNIX_NOW), 100.0)
    session = {"id": "s", "expires_at": int(UNIX_NOW) + minutes * 60}
    feed(provider, {"type": "session.created", "session": session}, 100.1)
    feed(provider, {"type": "session.updated", "session": session}, 100.2)
    events(provider)
    assert provider.next_deadline() == 100.0 + told_at_s
    provider.handle_timeout(100.0 + told_at_s)
    assert events(provider) == [GoingAway(in_s)]


@pytest.mark.parametrize("expires_at", [0, -1, UNIX_NOW - 5, UNIX_NOW + 1e6, None])
def test_an_announcement_that_makes_no_sense_changes_nothing(expires_at: float | None) -> None:
    provider = opened(OpenAIRealtime(config()), conversation(unix_s=UNIX_NOW))
    feed(provider, {"type": "session.updated", "session": {"expires_at": expires_at}})
    assert provider.next_deadline() == 3300.0


def test_a_request_waits_for_a_speaking_caller_but_not_for_ever() -> None:
    provider = ready_provider()
    feed(provider, {"type": "input_audio_buffer.speech_started", "item_id": "i"}, 10.0)
    provider.send_text("1", 10.0)
    assert types(provider) == ["conversation.item.create"]
    deadline = provider.next_deadline()
    assert deadline == 25.0
    provider.handle_timeout(deadline)
    assert types(provider) == ["response.create"]


def test_the_server_is_given_time_to_answer_by_itself() -> None:
    provider = ready_provider()
    feed(provider, {"type": "input_audio_buffer.speech_stopped", "item_id": "i"}, 10.0)
    provider.send_text("1", 10.0)
    assert types(provider) == ["conversation.item.create"]
    assert provider.next_deadline() == 13.0
    provider.handle_timeout(13.0)
    assert types(provider) == ["response.create"]


def test_without_answers_of_the_server_nothing_waits() -> None:
    provider = ready_provider(create_response=False)
    feed(provider, {"type": "input_audio_buffer.speech_stopped", "item_id": "i"}, 10.0)
    provider.answer(10.0)
    assert types(provider) == ["response.create"]


@pytest.mark.parametrize(
    ("end", "kind", "code", "retryable"),
    [
        (LOST, ErrorKind.CONNECTION, "close_1006", True),
        (ChannelEnd(Ender.US, code=1013), ErrorKind.OURS, "our_limit", True),
        (ChannelEnd(Ender.PEER, code=1013), ErrorKind.RATE_LIMIT, "close_1013", True),
        (ChannelEnd(Ender.US, code=1011), ErrorKind.OURS, "our_limit", True),
        (ChannelEnd(Ender.NETWORK, "dns"), ErrorKind.CONNECTION, "dns", True),
        (ChannelEnd(Ender.PEER, "http", 401), ErrorKind.AUTHENTICATION, "http_401", False),
    ],
)
def test_ends_of_the_channel(end: ChannelEnd, kind: ErrorKind, code: str, retryable: bool) -> None:
    provider = ready_provider()
    provider.receive_end(CHANNEL, end, 1.0)
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert (failure.kind, failure.code, failure.retryable) == (kind, code, retryable)
    assert failure.fatal


def test_after_a_fatal_failure_nothing_more_comes_or_goes() -> None:
    provider = ready_provider()
    provider.receive_end(CHANNEL, LOST, 1.0)
    assert len(events(provider)) == 1
    feed(provider, audio_delta(b"\xff"))
    provider.send_audio(b"\xff")
    provider.say("x", "", 1.0)
    provider.answer(1.0)
    provider.send_function_result("c", "o", failed=False, now=1.0)
    provider.cut([Heard("i", 5)], 1.0)
    provider.receive_end(CHANNEL, LOST, 1.0)
    provider.handle_timeout(1e9)
    provider.stop(1e9)
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


def test_texts_and_codes_of_the_peer_are_bounded() -> None:
    provider = ready_provider()
    error = {"code": "c \n" * 5000, "message": "m" * 5000}
    feed(provider, {"type": "error", "error": error})
    (failure,) = events(provider)
    assert isinstance(failure, ProviderFailure)
    assert (failure.code, len(failure.message)) == ("c_" * 32, 500)


def test_capabilities_depend_on_who_finds_the_turns() -> None:
    told = OpenAIRealtime(config()).capabilities
    assert told.audio_in == told.audio_out
    assert PCMU_8K in told.audio_in
    assert (told.turns, told.notices_within_s) == (Turns.TOLD, 0.8)
    assert told.speaks_text
    assert not told.interrupts
    assert not told.minds_silence
    ours = OpenAIRealtime(config(turn_detection="none")).capabilities
    assert (ours.turns, ours.notices_within_s) == (Turns.OURS, None)
    minding = OpenAIRealtime(config(vad_idle_timeout_ms=8000)).capabilities
    assert minding.minds_silence


def test_event_ids_are_unique_and_name_their_command() -> None:
    provider = ready_provider()
    provider.send_text("1", 0.0)
    provider.cut([Heard("i", 5)], 0.0)
    ids = [message["event_id"] for message in sent(provider)]
    assert len(set(ids)) == 4
    assert ids[-1].startswith("conversation.item.truncate-")


def test_messages_are_json_without_line_breaks() -> None:
    provider = ready_provider()
    provider.send_text("ü\n\u2028", 0.0)
    (item, _) = messages(provider)
    assert b"\n" not in item
    assert msgspec.json.decode(item)["item"]["content"][0]["text"] == "ü\n\u2028"


def test_ready_names_the_session() -> None:
    provider = opened(OpenAIRealtime(config()))
    feed(provider, {"type": "session.created", "session": {"id": "sess_7"}})
    feed(provider, {"type": "session.updated", "session": {}})
    assert events(provider) == [SessionReady("sess_7", PCMU_8K, PCMU_8K)]


def test_limits_are_named() -> None:
    names = [name for name in vars(realtime) if name.endswith("_LIMIT_S")]
    assert len(names) == 3
