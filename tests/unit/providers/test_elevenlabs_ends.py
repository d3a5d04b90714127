"""ElevenLabs: how a conversation ends, what it costs, its deadlines and its row."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.providers.base import Ended, ErrorKind, GoingAway, ProviderFailure, Usage
from bridge.providers.elevenlabs.agent import (
    AGENT,
    SETUP_LIMIT_S,
    SILENCE_LIMIT_S,
    ElevenLabsAgent,
)
from bridge.providers.elevenlabs.config import ElevenLabsConfig
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.elevenlabs_kit import (
    config,
    conversation,
    events,
    failure,
    feed,
    opened,
    sent,
    talking,
)

# --- ends ---------------------------------------------------------------------------------------


def test_an_agent_that_hangs_up_has_not_failed() -> None:
    provider = talking()
    done = {"tool_name": "end_call", "tool_call_id": "t", "tool_type": "system", "is_error": False}
    feed(provider, "agent_tool_response", done, 60.0)
    provider.receive_end(AGENT, ChannelEnd(Ender.PEER, code=1000), 60.5)
    assert events(provider) == [
        Usage("elevenlabs", "agents", audio_seconds=60.0),
        Ended("end_call"),
    ]
    assert provider.next_deadline() is None


def test_an_end_before_the_beginning_is_a_failure() -> None:
    provider = opened(ElevenLabsAgent(config()))
    provider.receive_end(AGENT, ChannelEnd(Ender.PEER, code=1000), 0.6)
    usage, told = events(provider)
    assert isinstance(usage, Usage)
    assert isinstance(told, ProviderFailure)
    assert told.retryable


@pytest.mark.parametrize(
    ("code", "reason", "kind", "retryable", "advice"),
    [
        (1008, "Override for field 'prompt' is not allowed by config.",
         ErrorKind.INVALID_REQUEST, False, "Security settings"),
        (1008, "Missing required dynamic variables in first message: {'name'}",
         ErrorKind.INVALID_REQUEST, False, "dynamic_variables"),
        (1008, "This request exceeds your quota limit.", ErrorKind.QUOTA, False, "credits"),
        (1008, "Agent concurrency limit reached", ErrorKind.RATE_LIMIT, True, ""),
        (1008, "", ErrorKind.INVALID_REQUEST, False, ""),
        (1011, "Conversation has exceeded maximum duration", ErrorKind.SESSION_EXPIRED, True, ""),
        (1011, "Unexpected error", ErrorKind.SERVER, True, ""),
        (1002, "", ErrorKind.PROTOCOL, True, ""),
        (3000, "Request error", ErrorKind.AUTHENTICATION, False, "agent_id"),
        (1006, "", ErrorKind.CONNECTION, True, ""),
        (1000, "max duration reached", ErrorKind.SESSION_EXPIRED, True, ""),
    ],
)  # fmt: skip
def test_what_a_close_means(
    code: int, reason: str, kind: ErrorKind, retryable: bool, advice: str
) -> None:
    provider = talking()
    provider.receive_end(AGENT, ChannelEnd(Ender.PEER, code=code, reason=reason), 1.0)
    told = failure(provider)
    assert (told.kind, told.retryable, told.fatal) == (kind, retryable, True)
    assert advice in told.message
    assert reason in told.message


@pytest.mark.parametrize(
    ("body", "kind", "retryable", "advice"),
    [
        ({"code": 1008, "error_type": "override_error", "message": "not allowed"},
         ErrorKind.INVALID_REQUEST, False, "Security settings"),
        ({"code": 1008, "error_type": "missing_dynamic_variable", "reason": "name"},
         ErrorKind.INVALID_REQUEST, False, "dynamic_variables"),
        ({"code": 1011, "error_type": "max_duration_exceeded"},
         ErrorKind.SESSION_EXPIRED, True, ""),
        ({"code": 1011, "error_type": "llm_timeout"}, ErrorKind.SERVER, True, ""),
        ({"code": 1002}, ErrorKind.PROTOCOL, True, ""),
        ({}, ErrorKind.SERVER, True, ""),
        ({"code": "x", "error_type": [], "message": {}, "reason": 7}, ErrorKind.SERVER, True, ""),
    ],
)  # fmt: skip
def test_an_error_is_the_end_and_told_once(
    body: dict[str, Any], kind: ErrorKind, retryable: bool, advice: str
) -> None:
    provider = talking()
    feed(provider, "error", body)
    provider.receive_end(AGENT, ChannelEnd(Ender.PEER, code=1011, reason="again"), 1.0)
    usage, told = events(provider)
    assert isinstance(usage, Usage)
    assert isinstance(told, ProviderFailure)
    assert (told.kind, told.retryable, told.fatal) == (kind, retryable, True)
    assert advice in told.message


def test_a_limit_of_ours_is_not_the_services() -> None:
    provider = talking()
    provider.receive_end(AGENT, ChannelEnd(Ender.US, code=1013), 1.0)
    assert failure(provider).kind is ErrorKind.OURS


def test_whoever_leaves_pays_for_the_time_once() -> None:
    provider = talking()
    provider.stop(10.5)
    assert events(provider) == [Usage("elevenlabs", "agents", audio_seconds=10.0)]
    provider.stop(11.0)
    assert events(provider) == []


def test_nothing_is_paid_for_a_conversation_that_never_was() -> None:
    provider = ElevenLabsAgent(config())
    provider.start(conversation(), 0.0)
    provider.stop(3.0)
    assert events(provider) == []


# --- time ---------------------------------------------------------------------------------------


def test_pings_are_answered_and_their_absence_is_noticed() -> None:
    provider = talking()
    feed(provider, "ping", {"event_id": 9, "ping_ms": None}, 5.0)
    assert sent(provider) == [{"type": "pong", "event_id": 9}]
    assert provider.next_deadline() == 5.0 + SILENCE_LIMIT_S
    provider.handle_timeout(5.0 + SILENCE_LIMIT_S)
    usage, told = events(provider)
    assert usage == Usage("elevenlabs", "agents", audio_seconds=4.5 + SILENCE_LIMIT_S)
    assert isinstance(told, ProviderFailure)
    assert (told.kind, told.code) == (ErrorKind.CONNECTION, "service_silent")


def test_an_agent_that_does_not_begin() -> None:
    provider = opened(ElevenLabsAgent(config()))
    assert provider.next_deadline() == 0.5 + SETUP_LIMIT_S
    provider.handle_timeout(0.5 + SETUP_LIMIT_S)
    assert failure(provider).code == "session_setup_timeout"


def test_it_says_in_time_that_it_will_end() -> None:
    provider = talking(session_limit_s=20.0, going_away_s=5.0)
    assert provider.next_deadline() == 15.5
    provider.handle_timeout(15.5)
    assert events(provider) == [GoingAway(5.0)]
    assert provider.next_deadline() != 15.5
    assert isinstance(provider.successor(), ElevenLabsAgent)


# --- the row ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"agent_id": ""}, "agent_id"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"overrides": ["prompts"]}, "overrides"),
        ({"dynamic_variables": {"system__time": "x"}}, "dynamic_variables"),
        ({"speed": 2.0}, "speed"),
        ({"stability": -0.1}, "stability"),
        ({"going_away_s": 700.0}, "session_limit_s"),
        ({"headers": {"X": "a\r\nb"}}, "headers"),
        ({"api_key": "k\u00e9y"}, "headers"),
    ],
)
def test_wrong_settings_are_named(fields: dict[str, Any], named: str) -> None:
    (problem,) = ElevenLabsConfig(**({"agent_id": "a"} | fields)).problems()
    assert problem.partition(":")[0] == named


def test_right_ones_are_not() -> None:
    assert config(voice="v", speed=0.7, overrides=[]).problems() == []
