"""ElevenLabs: connecting, what goes first, what is told to a new agent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bridge.audio.formats import L16_16K, PCMA_8K, PCMU_8K
from bridge.errors import LocalProtocolError
from bridge.providers.actions import Endpoint, HttpRequest, Open
from bridge.providers.base import ErrorKind, ProviderProtocol, SessionReady, Turns
from bridge.providers.conversation import Opening, Ran, Said, Speaker
from bridge.providers.elevenlabs.agent import (
    AGENT,
    MAX_UNSENT,
    SIGNING,
    ElevenLabsAgent,
)
from bridge.providers.elevenlabs.initiation import (
    GO_ON,
    MAX_HISTORY_CHARS,
    history_text,
    language_code,
)
from bridge.wire.channel import ChannelEnd, Ender
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
