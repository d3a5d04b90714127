"""The seam carries a cascade: three channels, one of them opened anew for every answer."""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from bridge.audio.formats import PCMU_8K
from bridge.providers.actions import Close, HttpRequest, Open, Send
from bridge.providers.base import (
    Audio,
    CallerStarted,
    CallerStopped,
    ErrorKind,
    FunctionCall,
    Heard,
    ProviderFailure,
    ProviderProtocol,
    ResponseDone,
    ResponseStarted,
    Transcript,
    Usage,
)
from bridge.providers.conversation import Brief, Conversation
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.seam.pipeline import (
    KEEP_ALIVE_S,
    LLM,
    PIPER_22K,
    STT,
    TTS,
    Pipeline,
    PipelineConfig,
)
from tests.unit.providers.seam.test_elevenlabs import events, kinds

encode = msgspec.json.encode


def llm(text: str = "", finish: str | None = None, **delta: Any) -> bytes:
    return encode({"choices": [{"delta": {"content": text, **delta}, "finish_reason": finish}]})


def sound(number: int, index: int, ms: int) -> bytes:
    return b"A" + struct.pack("<HH", number, index) + bytes(PIPER_22K.bytes_for_ms(ms))


def sound_done(number: int, index: int) -> bytes:
    return b"D" + struct.pack("<HH", number, index)


def heard(text: str, *, final: bool = True) -> bytes:
    alternatives = {"alternatives": [{"transcript": text}]}
    result = {"is_final": True, "speech_final": final, "channel": alternatives}
    return encode({"type": "Results", **result})


def ready() -> Pipeline:
    provider = Pipeline(PipelineConfig("wss://stt", "https://llm", "k1", "k2"))
    provider.start(Conversation(PCMU_8K, PIPER_22K, Brief("Be kind.")), 0.0)
    assert [action.channel for action in provider.actions()] == [STT, TTS]
    provider.receive_open(TTS, 0.1)
    assert events(provider) == []
    provider.receive_open(STT, 0.2)
    events(provider)
    return provider


def asked(provider: Pipeline) -> list[dict[str, Any]]:
    """The messages the model is asked with."""
    (action,) = provider.actions()
    assert isinstance(action, Open)
    assert isinstance(action.target, HttpRequest)
    assert action.target.server_sent_events
    messages: list[dict[str, Any]] = msgspec.json.decode(action.target.body)["messages"]
    return messages


def test_it_is_a_provider() -> None:
    provider: ProviderProtocol = ready()
    assert provider.capabilities.notices_within_s is None


def test_a_turn_streams_sentence_by_sentence() -> None:
    provider = ready()
    provider.receive_message(STT, encode({"type": "SpeechStarted"}), 1.0)
    provider.receive_message(STT, heard("when do you open", final=False), 1.5)
    provider.receive_message(STT, heard("tomorrow"), 2.0)
    assert kinds(provider) == [CallerStarted, CallerStopped, Transcript, ResponseStarted]
    assert asked(provider)[-1]["content"] == "when do you open tomorrow"
    provider.receive_message(LLM, llm("At nine. And we "), 2.2)
    (first,) = provider.actions()
    assert isinstance(first, Send)
    assert first.data[5:] == b"At nine."
    provider.receive_message(LLM, llm("close at six.", finish="stop"), 2.3)
    provider.receive_message(LLM, b"[DONE]", 2.3)
    assert len(provider.actions()) == 1
    for index in (0, 1):
        provider.receive_message(TTS, sound(1, index, 500), 2.5)
        provider.receive_message(TTS, sound_done(1, index), 2.5)
    assert kinds(provider) == [Audio, Audio, Transcript, ResponseDone]


def three_sentences(provider: Pipeline) -> None:
    provider.send_text("hi", 1.0)
    provider.receive_message(LLM, llm("One. Two. Three. Fo"), 1.2)
    for index in range(3):
        provider.receive_message(TTS, sound(1, index, 1000), 1.5)
    provider.actions()


def test_a_cut_closes_the_stages_and_keeps_what_was_heard() -> None:
    provider = ready()
    three_sentences(provider)
    provider.cut([Heard("p1", 1300)], 2.0)
    assert provider.actions() == [Close(LLM), Send(TTS, b"X")]
    events(provider)
    provider.receive_message(TTS, sound(1, 2, 1000), 2.1)
    provider.receive_message(LLM, llm("ur."), 2.1)
    assert events(provider) == []
    provider.send_text("go on", 3.0)
    assert asked(provider)[-2] == {"role": "assistant", "content": "One. Two. …"}


def test_an_answer_that_was_made_in_full_is_cut_too() -> None:
    provider = ready()
    three_sentences(provider)
    provider.receive_message(LLM, llm("ur.", finish="stop"), 1.6)
    for index in range(4):
        provider.receive_message(TTS, sound_done(1, index), 1.7)
    provider.actions()
    provider.cut([Heard("p1", 500)], 2.0)
    assert provider.actions() == [Close(LLM)]
    provider.send_text("go on", 3.0)
    assert asked(provider)[-2] == {"role": "assistant", "content": "One. …"}


def test_two_functions_are_answered_once() -> None:
    provider = ready()
    provider.send_text("book", 1.0)
    provider.actions()
    events(provider)
    calls = [{"id": f"t{n}", "function": {"name": "book", "arguments": "{}"}} for n in range(2)]
    provider.receive_message(LLM, llm(finish="tool_calls", tool_calls=calls), 1.2)
    assert kinds(provider) == [FunctionCall, FunctionCall, ResponseDone]
    provider.send_function_result("t0", "ok", failed=False, now=2.0)
    assert provider.actions() == []
    provider.send_function_result("t1", "ok", failed=False, now=2.0)
    assert [message["role"] for message in asked(provider)[-3:]] == ["assistant", "tool", "tool"]


def test_noise_expects_no_answer() -> None:
    provider = ready()
    provider.receive_message(STT, heard(""), 1.0)
    assert events(provider) == [CallerStopped(expects_answer=False)]
    assert provider.actions() == []


def test_a_busy_model_is_a_failed_answer() -> None:
    provider = ready()
    provider.send_text("hi", 1.0)
    events(provider)
    body = b'{"error":{"code":"rate_limit_exceeded","message":"try again in 2.5s"}}'
    provider.receive_end(LLM, ChannelEnd(Ender.PEER, "http", 429, "busy", body), 1.1)
    kind = ErrorKind.RATE_LIMIT
    assert events(provider) == [
        ResponseDone("p1", "failed", "rate_limit_exceeded", kind, False, 2.5)
    ]


def test_a_stage_that_is_lost_ends_the_session_and_is_billed() -> None:
    provider = ready()
    provider.send_audio(b"\xff" * 8000)
    provider.send_audio(b"")
    assert len(provider.actions()) == 1
    provider.receive_end(STT, ChannelEnd(Ender.PEER, code=1011, reason="NET-0001"), 2.0)
    usage, failure = events(provider)
    assert usage == Usage("deepgram", "nova-3", audio_seconds=1.0)
    assert isinstance(failure, ProviderFailure)
    assert failure.fatal


def test_words_carry_their_token() -> None:
    provider = ready()
    provider.say("Bye.", "t", 1.0)
    assert events(provider) == [ResponseStarted("p1", "t")]


def test_silence_is_kept_alive() -> None:
    provider = ready()
    assert provider.next_deadline() == 0.2 + KEEP_ALIVE_S
    provider.handle_timeout(4.3)
    assert provider.actions() == [Send(STT, b'{"type":"KeepAlive"}')]
