"""ElevenLabs: connecting, what goes first, how it ends, what it costs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bridge.audio.formats import L16_16K, PCMA_8K, PCMU_8K
from bridge.errors import LocalProtocolError
from bridge.providers.base import (
    ChannelEnd,
    Ended,
    Ender,
    Endpoint,
    ErrorKind,
    GoingAway,
    HttpRequest,
    Open,
    Opening,
    ProviderFailure,
    ProviderProtocol,
    Ran,
    Said,
    SessionReady,
    Speaker,
    Turns,
    Usage,
)
from bridge.providers.elevenlabs.agent import (
    AGENT,
    MAX_UNSENT,
    SETUP_LIMIT_S,
    SIGNING,
    SILENCE_LIMIT_S,
    ElevenLabsAgent,
)
from bridge.providers.elevenlabs.config import ElevenLabsConfig
from bridge.providers.elevenlabs.initiation import (
    GO_ON,
    MAX_HISTORY_CHARS,
    history_text,
    language_code,
)
from tests.unit.providers.elevenlabs_kit import (
    KEY,
    METADATA,
    URL,
    config,
    conversation,
    events,
    failure,
    feed,
    opened,
    sent,
    signed,
    talking,
)


def test_what_it_can_do() -> None:
    provider: ProviderProtocol = ElevenLabsAgent(config())
    can = provider.capabilities
    assert (can.turns, can.interrupts, can.speaks_text) == (Turns.HIDDEN, True, False)
    assert can.minds_silence
    assert can.notices_within_s is None
    assert can.audio_in[0] == PCMU_8K
    assert PCMA_8K not in can.audio_in


# --- the way in ---------------------------------------------------------------------------------


def test_a_private_agent_s_address_is_signed() -> None:
    provider = ElevenLabsAgent(config(branch_id="b 1"))
    provider.start(conversation(), 0.0)
    (action,) = provider.actions()
    assert isinstance(action, Open)
    assert isinstance(action.target, HttpRequest)
    assert action.target.method == "GET"
    host = "https://api.elevenlabs.io"
    path = "/v1/convai/conversation/get-signed-url?agent_id=a1&branch_id=b%201"
    assert action.target.url == host + path
    assert dict(action.target.headers) == {"xi-api-key": KEY}
    assert KEY not in repr(action)
    assert KEY not in repr(config())


def test_the_signed_address_is_dialled() -> None:
    provider = ElevenLabsAgent(config(headers={"X-Tenant": "1"}))
    signed(provider)
    target = Endpoint(URL, (("X-Tenant", "1"),), ("convai",))
    assert provider.actions() == [Open(AGENT, target)]


def test_a_public_agent_needs_no_signature() -> None:
    provider = ElevenLabsAgent(config(api_key="", base_url="http://127.0.0.1:9"))
    provider.start(conversation(), 0.0)
    (action,) = provider.actions()
    url = "ws://127.0.0.1:9/v1/convai/conversation?agent_id=a1"
    assert action == Open(AGENT, Endpoint(url, (), ("convai",)))


@pytest.mark.parametrize(
    ("base_url", "url", "goes"),
    [
        ("https://api.elevenlabs.io", "wss://api.us.elevenlabs.io/x?s=1", True),
        ("https://api.elevenlabs.io", "wss://api.elevenlabs.io:443/x", True),
        ("https://api.elevenlabs.io", "ws://api.elevenlabs.io/x", False),
        ("https://api.elevenlabs.io", "wss://elevenlabs.io.example/x", False),
        ("https://api.elevenlabs.io", "wss://u:p@api.elevenlabs.io/x", False),
        ("https://api.elevenlabs.io", "wss://api.elevenlabs.io:22/x", False),
        ("https://api.elevenlabs.io", "wss://169.254.169.254/latest", False),
        ("https://gateway.example", "wss://gateway.example/x", True),
        ("https://gateway.example", "wss://api.elevenlabs.io/x", False),
        ("wss://gateway.example:8443", "wss://gateway.example:8443/x", True),
        ("wss://gateway.example:8443", "wss://gateway.example/x", False),
        ("http://127.0.0.1:9", "ws://127.0.0.1:9/x", True),
        ("http://127.0.0.1:9", "ws://127.0.0.1:6379/x", False),
        ("https://api.elevenlabs.io", "https://api.elevenlabs.io/x", False),
        ("https://api.elevenlabs.io", "wss://api.elevenlabs.io:99999/x", False),
        ("https://api.elevenlabs.io", "wss://api.elevenlabs.io/x y", False),
        ("https://api.elevenlabs.io", "wss://api.elevenlabs.io/\r\nX: y", False),
        ("https://api.elevenlabs.io", "wss://[api.elevenlabs.io/", False),
        ("https://api.elevenlabs.io", "wss://api.elevenlabs.io/" + "x" * 9000, False),
        ("https://api.elevenlabs.io", "", False),
    ],
)
def test_a_signed_address_leads_nowhere_else(base_url: str, url: str, goes: bool) -> None:
    provider = ElevenLabsAgent(config(base_url=base_url))
    signed(provider, url=url)
    if goes:
        assert provider.actions()
    else:
        assert provider.actions() == []
        told = failure(provider)
        assert (told.kind, told.code) == (ErrorKind.PROTOCOL, "signed_url_elsewhere")
        assert told.fatal


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"signed_url":7}', b"\xff", b'{"url":"x"}'])
def test_an_answer_without_an_address(answer: bytes) -> None:
    provider = ElevenLabsAgent(config())
    provider.start(conversation(), 0.0)
    provider.receive_message(SIGNING, answer, 0.1)
    assert failure(provider).code == "no_signed_url"


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "retryable", "advice"),
    [
        (401, {"detail": {"status": "invalid_api_key", "message": "Invalid API key"}},
         ErrorKind.AUTHENTICATION, "invalid_api_key", False, "Check the key"),
        (401, {"detail": {"status": "quota_exceeded", "message": "0 credits left"}},
         ErrorKind.QUOTA, "quota_exceeded", False, "no credits"),
        (403, {}, ErrorKind.AUTHENTICATION, "http_403", False, "Check the key"),
        (404, {"detail": {"status": "agent_not_found", "message": "no such agent"}},
         ErrorKind.INVALID_REQUEST, "agent_not_found", False, "Check agent_id"),
        (422, {"detail": [{"msg": "Field required"}]},
         ErrorKind.INVALID_REQUEST, "http_422", False, ""),
        (429, {"detail": {"status": "too_many_concurrent_requests", "message": "slow down"}},
         ErrorKind.RATE_LIMIT, "too_many_concurrent_requests", True, ""),
        (500, {}, ErrorKind.SERVER, "http_500", True, ""),
        (503, {"detail": "down"}, ErrorKind.SERVER, "http_503", True, "down"),
    ],
)  # fmt: skip
def test_what_a_refusal_means(
    status: int, body: dict[str, Any], kind: ErrorKind, code: str, retryable: bool, advice: str
) -> None:
    provider = ElevenLabsAgent(config())
    provider.start(conversation(), 0.0)
    end = ChannelEnd(Ender.PEER, "http", status, "answered", msgspec.json.encode(body))
    provider.receive_end(SIGNING, end, 0.2)
    told = failure(provider)
    assert (told.kind, told.code, told.retryable) == (kind, code, retryable)
    assert told.fatal
    assert advice in told.message


def test_a_pause_asked_for_is_kept() -> None:
    provider = ElevenLabsAgent(config())
    provider.start(conversation(), 0.0)
    provider.receive_end(SIGNING, ChannelEnd(Ender.PEER, "http", 429, retry_after_s=3.0), 0.2)
    assert failure(provider).retry_in_s == 3.0


def test_start_is_once_and_in_a_format_it_speaks() -> None:
    provider = ElevenLabsAgent(config())
    with pytest.raises(LocalProtocolError):
        provider.start(conversation(audio_in=PCMA_8K), 0.0)
    provider.start(conversation(), 0.0)
    with pytest.raises(LocalProtocolError):
        provider.start(conversation(), 0.0)


# --- the first message --------------------------------------------------------------------------


def initiation(talk: Any = None, **fields: Any) -> dict[str, Any]:
    (first,) = sent(opened(ElevenLabsAgent(config(**fields)), talk))
    assert first["type"] == "conversation_initiation_client_data"
    return first


def test_the_first_message_says_who_the_agent_is() -> None:
    talk = conversation(instructions="Be kind.", greeting="Oi.", language="pt-BR")
    first = initiation(talk, voice="v1", speed=1.1, model="gemini-3", user_id="u")
    assert first == {
        "type": "conversation_initiation_client_data",
        "conversation_config_override": {
            "agent": {
                "prompt": {"prompt": "Be kind.", "llm": "gemini-3"},
                "first_message": "Oi.",
                "language": "pt-br",
            },
            "tts": {"voice_id": "v1", "speed": 1.1},
        },
        "dynamic_variables": {},
        "user_id": "u",
    }


def test_what_may_not_be_overridden_is_a_variable() -> None:
    talk = conversation(instructions="Be kind.", greeting="Oi.")
    first = initiation(
        talk, overrides=["first_message"], dynamic_variables={"tier": 2, "prompt": "mine"}
    )
    assert first["conversation_config_override"] == {"agent": {"first_message": "Oi."}}
    assert first["dynamic_variables"] == {"prompt": "mine", "tier": 2}


def test_further_fields_are_laid_over() -> None:
    extra = {"agent": {"prompt": {"temperature": 0.2}}, "asr": {"keywords": ["PABX"]}}
    override = initiation(conversation(instructions="x"), extra=extra)[
        "conversation_config_override"
    ]
    assert override["agent"]["prompt"] == {"prompt": "x", "temperature": 0.2}
    assert override["asr"] == {"keywords": ["PABX"]}


HISTORY = (
    Said(Speaker.AGENT, "Hello."),
    Said(Speaker.CALLER, "Book me in."),
    Ran("book", '{"at":9}', "booked"),
    Said(Speaker.CALLER, "Thanks. And parking?"),
)


def test_a_conversation_that_goes_on_is_in_the_prompt_and_its_question_a_turn() -> None:
    talk = conversation(
        instructions="Be kind.", greeting="Hello.", history=HISTORY, opening=Opening.ANSWER
    )
    provider = opened(ElevenLabsAgent(config()), talk)
    (first,) = sent(provider)
    agent = first["conversation_config_override"]["agent"]
    assert agent["first_message"] == ""
    prompt = agent["prompt"]["prompt"]
    assert prompt.startswith("Be kind.\n\nThe conversation so far")
    assert "You: Hello.\nCaller: Book me in.\n[The function book was called" in prompt
    assert "Its result: booked" in prompt
    assert "parking" not in prompt
    feed(provider, "conversation_initiation_metadata", METADATA)
    assert sent(provider) == [{"type": "user_message", "text": "Thanks. And parking?"}]


def test_an_answer_that_broke_off_is_asked_for() -> None:
    provider = opened(
        ElevenLabsAgent(config()), conversation(history=HISTORY[:3], opening=Opening.ANSWER)
    )
    sent(provider)
    feed(provider, "conversation_initiation_metadata", METADATA)
    assert sent(provider) == [{"type": "user_message", "text": GO_ON}]


def test_where_the_prompt_is_the_agent_s_own_the_history_is_an_update() -> None:
    talk = conversation(history=HISTORY[:2])
    provider = opened(ElevenLabsAgent(config(overrides=[])), talk)
    (first,) = sent(provider)
    assert "Book me in" in first["dynamic_variables"]["prompt"]
    feed(provider, "conversation_initiation_metadata", METADATA)
    (update,) = sent(provider)
    assert update["type"] == "contextual_update"
    assert "Caller: Book me in." in update["text"]


def test_a_long_history_loses_its_beginning() -> None:
    history = [Said(Speaker.CALLER, f"{n} " + "x" * 1000) for n in range(50)]
    text = history_text(history)
    assert len(text) <= MAX_HISTORY_CHARS + 10
    assert text.startswith("[…]\nCaller: ")
    assert "Caller: 49 " in text
    assert 0 < len(history_text([Said(Speaker.AGENT, "y" * 99_999)])) <= MAX_HISTORY_CHARS


@pytest.mark.parametrize(
    ("tag", "code"),
    [("pt-BR", "pt-br"), ("pt_BR", "pt-br"), ("pt-PT", "pt"), ("en-US", "en"), (None, None),
     ("", None), ("es", "es")],
)  # fmt: skip
def test_languages(tag: str | None, code: str | None) -> None:
    assert language_code(tag) == code


# --- being ready --------------------------------------------------------------------------------


def test_the_agent_tells_its_formats() -> None:
    provider = opened(ElevenLabsAgent(config()))
    metadata = METADATA | {
        "user_input_audio_format": None,
        "agent_output_audio_format": "pcm_44100",
    }
    feed(provider, "conversation_initiation_metadata", metadata)
    (ready,) = events(provider)
    assert isinstance(ready, SessionReady)
    assert ready.audio_in == L16_16K
    assert ready.audio_out.rate_hz == 44100


def test_a_format_nobody_knows_ends_it() -> None:
    provider = opened(ElevenLabsAgent(config()))
    metadata = METADATA | {"agent_output_audio_format": "opus_48000"}
    feed(provider, "conversation_initiation_metadata", metadata)
    assert failure(provider).code == "audio_format_unknown"


def test_commands_wait_for_the_agent_and_audio_does_not() -> None:
    provider = opened(ElevenLabsAgent(config()))
    sent(provider)
    provider.send_audio(b"\xff")
    provider.send_text("1", 0.6)
    provider.inform("vip", respond=False, now=0.6)
    assert sent(provider) == []
    assert provider.dropped == 1
    feed(provider, "conversation_initiation_metadata", METADATA)
    assert sent(provider) == [
        {"type": "user_message", "text": "1"},
        {"type": "contextual_update", "text": "vip"},
    ]
    provider.send_audio(b"\xff\x7f")
    assert sent(provider) == [{"user_audio_chunk": "/38="}]


def test_what_nobody_takes_is_dropped_and_counted() -> None:
    provider = talking()
    for _ in range(MAX_UNSENT + 5):
        provider.send_audio(b"\xff")
        provider.send_text("x", 1.0)
    assert len(provider.actions()) == MAX_UNSENT
    assert provider.dropped == MAX_UNSENT + 10


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
