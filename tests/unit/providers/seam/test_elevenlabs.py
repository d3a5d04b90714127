"""The seam carries a provider with hidden turns, two channels and an agent that hangs up."""

from __future__ import annotations

from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import L16_16K, PCMU_8K
from bridge.providers.actions import Endpoint, HttpRequest, Open, Send
from bridge.providers.base import (
    Audio,
    Ended,
    ErrorKind,
    FunctionCall,
    Heard,
    Interrupted,
    ProviderEvent,
    ProviderFailure,
    ProviderProtocol,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
    Usage,
)
from bridge.providers.conversation import Brief, Conversation, Opening, Said, Speaker
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.seam.elevenlabs import (
    AGENT,
    PING_LIMIT_S,
    QUIET_S,
    SIGNED,
    ElevenLabs,
    ElevenLabsConfig,
)

KEY = "xi-s3cret"
BRIEF = Brief("Be kind.", "Oi.", "pt-BR")
TALK = Conversation(PCMU_8K, PCMU_8K, BRIEF, Opening.GREET)
METADATA = {
    "conversation_id": "c",
    "agent_output_audio_format": "ulaw_8000",
    "user_input_audio_format": "pcm_16000",
}


def events(provider: ProviderProtocol) -> list[ProviderEvent]:
    found = []
    while (event := provider.next_event()) is not None:
        found.append(event)
    return found


def kinds(provider: ProviderProtocol) -> list[type[ProviderEvent]]:
    return [type(event) for event in events(provider)]


def sent(provider: ProviderProtocol) -> list[dict[str, Any]]:
    return [
        msgspec.json.decode(action.data)
        for action in provider.actions()
        if isinstance(action, Send)
    ]


def feed(provider: ElevenLabs, kind: str, event: dict[str, Any], now: float = 1.0) -> None:
    names = {"user_transcript": "user_transcription_event", "client_tool_call": "client_tool_call"}
    message = {"type": kind, names.get(kind, f"{kind}_event"): event}
    provider.receive_message(AGENT, msgspec.json.encode(message), now)


def audio(provider: ElevenLabs, number: int, now: float) -> None:
    data = pybase64.b64encode(b"\xff" * 160).decode()
    feed(provider, "audio", {"event_id": number, "audio_base_64": data}, now)


def ready(talk: Conversation = TALK) -> ElevenLabs:
    provider = ElevenLabs(ElevenLabsConfig("a1", KEY))
    provider.start(talk, 0.0)
    (action,) = provider.actions()
    assert isinstance(action, Open)
    assert isinstance(action.target, HttpRequest)
    assert KEY not in repr(action)
    provider.receive_message(SIGNED, b'{"signed_url":"wss://x/y?sig=1"}', 0.1)
    provider.receive_end(SIGNED, ChannelEnd(Ender.PEER, code=200), 0.1)
    (action,) = provider.actions()
    assert action == Open(AGENT, Endpoint("wss://x/y?sig=1", subprotocols=("convai",)))
    provider.receive_open(AGENT, 0.5)
    return provider


def talking() -> ElevenLabs:
    provider = ready()
    feed(provider, "conversation_initiation_metadata", METADATA)
    provider.actions()
    assert events(provider) == [SessionReady("c", L16_16K, PCMU_8K)]
    return provider


def test_it_is_a_provider() -> None:
    provider: ProviderProtocol = ElevenLabs(ElevenLabsConfig("a"))
    assert not provider.capabilities.speaks_text


def test_the_first_message_holds_brief_and_history() -> None:
    history = (Said(Speaker.CALLER, "I am Ann."),)
    (first,) = sent(ready(Conversation(PCMU_8K, PCMU_8K, BRIEF, Opening.GREET, history)))
    agent = first["conversation_config_override"]["agent"]
    assert agent["first_message"] == "Oi."
    assert agent["prompt"]["prompt"].endswith("So far:\nuser: I am Ann.")


def test_commands_wait_for_the_first_message() -> None:
    provider = ready()
    provider.actions()
    provider.send_audio(b"\xff")
    provider.send_text("1", 0.6)
    assert sent(provider) == []
    feed(provider, "conversation_initiation_metadata", METADATA)
    assert sent(provider) == [{"type": "user_message", "text": "1"}]


def test_the_service_interrupts_and_corrects() -> None:
    provider = talking()
    feed(provider, "agent_response", {"event_id": 3, "agent_response": "a long text"})
    audio(provider, 3, 2.0)
    audio(provider, 3, 2.1)
    assert kinds(provider) == [Transcript, ResponseStarted, Audio, Audio]
    feed(provider, "interruption", {"event_id": 3}, 2.2)
    audio(provider, 3, 2.3)
    corrected = {"event_id": 3, "corrected_agent_response": "a long"}
    feed(provider, "agent_response_correction", corrected)
    assert events(provider) == [
        Interrupted("3"),
        Transcript(Speaker.AGENT, "agent-3", "a long"),
    ]
    audio(provider, 4, 3.0)
    assert kinds(provider) == [ResponseStarted, Audio]


def test_what_the_session_cut_is_dropped() -> None:
    provider = talking()
    audio(provider, 3, 2.0)
    provider.cut([Heard("agent-3", 20)], 2.1)
    events(provider)
    audio(provider, 3, 2.2)
    assert events(provider) == []
    assert provider.next_deadline() == 0.5 + PING_LIMIT_S


def test_an_answer_is_over_when_it_is_quiet_and_may_go_on() -> None:
    provider = talking()
    audio(provider, 3, 2.0)
    events(provider)
    assert provider.next_deadline() == 2.0 + QUIET_S
    provider.handle_timeout(2.0 + QUIET_S)
    assert events(provider) == [ResponseDone("3", "completed")]
    audio(provider, 3, 2.8)
    assert kinds(provider) == [Audio]


def test_functions_and_pings() -> None:
    provider = talking()
    feed(provider, "ping", {"event_id": 9, "ping_ms": None})
    assert sent(provider) == [{"type": "pong", "event_id": 9}]
    call = {"tool_name": "book", "tool_call_id": "t1", "parameters": {"at": 9}}
    feed(provider, "client_tool_call", call)
    assert events(provider) == [FunctionCall("t1", "book", '{"at":9}')]
    provider.send_function_result("t1", "ok", failed=True, now=3.0)
    assert sent(provider)[0]["is_error"] is True


def test_a_service_that_does_not_ping_is_gone() -> None:
    provider = talking()
    provider.handle_timeout(0.5 + PING_LIMIT_S)
    usage, failure = events(provider)
    assert usage == Usage("elevenlabs", "a1", audio_seconds=PING_LIMIT_S)
    assert isinstance(failure, ProviderFailure)
    assert failure.fatal


def test_an_agent_that_hangs_up_has_not_failed() -> None:
    provider = talking()
    provider.receive_end(AGENT, ChannelEnd(Ender.PEER, code=1000), 60.5)
    usage, end = events(provider)
    assert usage == Usage("elevenlabs", "a1", audio_seconds=60.0)
    assert isinstance(end, Ended)


def test_a_refused_override_is_not_tried_again() -> None:
    provider = talking()
    provider.receive_end(AGENT, ChannelEnd(Ender.PEER, code=1008, reason="override"), 1.0)
    failure = events(provider)[-1]
    assert isinstance(failure, ProviderFailure)
    assert (failure.kind, failure.retryable) == (ErrorKind.INVALID_REQUEST, False)


def test_a_limit_of_ours_is_not_the_services() -> None:
    provider = talking()
    provider.receive_end(AGENT, ChannelEnd(Ender.US, code=1013), 1.0)
    failure = events(provider)[-1]
    assert isinstance(failure, ProviderFailure)
    assert failure.kind is ErrorKind.OURS


def test_whoever_leaves_pays_for_the_time() -> None:
    provider = talking()
    provider.stop(10.5)
    assert events(provider) == [Usage("elevenlabs", "a1", audio_seconds=10.0)]
    provider.stop(11.0)
    assert events(provider) == []


def test_garbage_is_a_failure() -> None:
    provider = talking()
    for message in (b"{", b"[]", b'{"type":"audio"}', b'{"type":"ping","ping_event":7}'):
        provider.receive_message(AGENT, message, 1.0)
        assert kinds(provider) == [ProviderFailure]
