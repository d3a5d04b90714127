"""Each stage fails in its own way, and no message can break the session."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import L16_8K, PCMU_8K
from bridge.providers.actions import Close, Open, Send
from bridge.providers.base import Audio, ErrorKind, ProviderFailure, ResponseDone, Usage
from bridge.providers.conversation import Brief, Conversation
from bridge.providers.pipeline.realtime import KEEP_ALIVE_S, STT
from bridge.providers.pipeline.replies import CHAT
from bridge.providers.pipeline.speaking import REOPEN_AFTER_S, SOUND_LIMIT_S, TTS
from bridge.speech.messages import Told, encode_reply
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.pipeline.kit import (
    Talk,
    chunk,
    encode,
    events,
    kinds,
    results,
    sentences,
)

LIMITED = b'{"error":{"type":"tokens","code":"rate_limit_exceeded","message":"try again in 2.5s"}}'


def refused(status: int, body: bytes) -> ChannelEnd:
    return ChannelEnd(Ender.PEER, "http", status, "", body)


@pytest.mark.parametrize(
    ("end", "code", "kind", "wait_s"),
    [
        (refused(429, LIMITED), "rate_limit_exceeded", ErrorKind.RATE_LIMIT, 2.5),
        (
            refused(401, b'{"error":{"code":"invalid_api_key"}}'),
            "invalid_api_key",
            ErrorKind.AUTHENTICATION,
            None,
        ),
        (
            refused(400, b'{"error":{"code":"tool_use_failed"}}'),
            "tool_use_failed",
            ErrorKind.SERVER,
            None,
        ),
        (refused(503, b""), "http_503", ErrorKind.SERVER, None),
        (ChannelEnd(Ender.NETWORK, "timeout"), "timeout", ErrorKind.CONNECTION, None),
        (ChannelEnd(Ender.PEER, code=200), "answer_cut_short", ErrorKind.CONNECTION, None),
        (ChannelEnd(Ender.US, reason="too long"), "our_limit", ErrorKind.OURS, None),
    ],
)
def test_a_model_that_refuses_costs_the_answer_only(
    end: ChannelEnd, code: str, kind: ErrorKind, wait_s: float | None
) -> None:
    talk = Talk().ready()
    talk.pipeline.send_text("hi", 1.0)
    events(talk.pipeline)
    talk.pipeline.receive_end(CHAT, end, 1.1)
    assert events(talk.pipeline) == [ResponseDone("p1", "failed", code, kind, False, wait_s)]
    talk.pipeline.actions()
    talk.pipeline.answer(2.0)
    assert talk.asked()[-1]["content"] == "hi"


@pytest.mark.parametrize("data", [LIMITED, b"{", b"[]", b"\xff", b'{"choices":7}'])
def test_a_failure_in_the_stream_keeps_what_was_said(data: bytes) -> None:
    talk = Talk().ready()
    talk.pipeline.send_text("hi", 1.0)
    talk.thought(chunk("One. Two"))
    talk.spoke(1, 300)
    done = [event for event in talk.thought(data) if isinstance(event, ResponseDone)]
    assert [(one.status, one.spoke) for one in done] == [("failed", True)]
    assert talk.thought(chunk(" more.", "stop")) == []
    talk.pipeline.actions()
    talk.pipeline.answer(2.0)
    assert talk.asked()[-1] == {"role": "assistant", "content": "One."}


@pytest.mark.parametrize(
    ("end", "kind", "code", "retryable"),
    [
        (ChannelEnd(Ender.PEER, code=1011, reason="NET-0001"), ErrorKind.SERVER, "stt_silence", 1),
        (ChannelEnd(Ender.PEER, code=1011, reason="NET-0000"), ErrorKind.SERVER, "stt_server", 1),
        (ChannelEnd(Ender.PEER, code=1008, reason="DATA"), ErrorKind.PROTOCOL, "stt_audio", 0),
        (ChannelEnd(Ender.PEER, code=1000), ErrorKind.CONNECTION, "close_1000", 1),
        (ChannelEnd(Ender.NETWORK, code=1006), ErrorKind.CONNECTION, "close_1006", 1),
        (
            refused(401, b'{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials."}'),
            ErrorKind.AUTHENTICATION,
            "INVALID_AUTH",
            0,
        ),
        (refused(402, b""), ErrorKind.QUOTA, "http_402", 0),
    ],
)
def test_hearing_that_ends_ends_the_session_and_is_billed(
    end: ChannelEnd, kind: ErrorKind, code: str, retryable: int
) -> None:
    talk = Talk().ready()
    talk.pipeline.send_audio(b"\xff" * 8000)
    talk.pipeline.receive_end(STT, end, 2.0)
    usage, failure = events(talk.pipeline)
    assert usage == Usage("deepgram", "nova-3", transcription_seconds=1.0)
    assert isinstance(failure, ProviderFailure)
    assert (failure.kind, failure.code) == (kind, code)
    assert (failure.fatal, failure.retryable) == (True, bool(retryable))
    assert talk.pipeline.next_deadline() is None


def test_an_error_of_hearing_ends_the_session() -> None:
    talk = Talk().ready()
    (failure,) = talk.heard(encode({"type": "Error", "variant": "SchemaError"}))
    assert isinstance(failure, ProviderFailure)
    assert (failure.code, failure.fatal) == ("SchemaError", True)


def speaking() -> Talk:
    talk = Talk().ready()
    talk.pipeline.send_text("hi", 1.0)
    talk.thought(chunk("One. Two. ", "stop"))
    talk.spoke(1, 100)
    talk.spoke(2, 50, done=False)
    talk.pipeline.actions()
    return talk


def test_a_voice_that_is_lost_comes_back_where_it_stopped() -> None:
    talk = speaking()
    talk.pipeline.receive_end(TTS, ChannelEnd(Ender.NETWORK), 2.0)
    assert talk.pipeline.actions() == []
    assert talk.pipeline.next_deadline() == 2.0 + REOPEN_AFTER_S[0]
    talk.pipeline.handle_timeout(2.0 + REOPEN_AFTER_S[0])
    (again,) = talk.pipeline.actions()
    assert isinstance(again, Open)
    talk.pipeline.receive_open(TTS, 2.5)
    assert sentences(talk.pipeline.actions()) == ["Two."]
    found = talk.spoke(3, 120)
    (audio,) = [event for event in found if isinstance(event, Audio)]
    assert len(audio.data) == L16_8K.bytes_for_ms(70)
    assert kinds(found)[-1] == "ResponseDone"


def test_a_voice_that_does_not_come_back_is_given_up() -> None:
    talk = speaking()
    now = 2.0
    for pause_s in REOPEN_AFTER_S:
        talk.pipeline.receive_end(TTS, ChannelEnd(Ender.NETWORK, "tcp"), now)
        assert kinds(events(talk.pipeline)) == []
        now += pause_s
        talk.pipeline.handle_timeout(now)
        assert isinstance(talk.pipeline.actions()[-1], Open)
    talk.pipeline.receive_end(TTS, ChannelEnd(Ender.NETWORK, "tcp"), now)
    failure = events(talk.pipeline)[-1]
    assert isinstance(failure, ProviderFailure)
    assert (failure.code, failure.fatal, failure.retryable) == ("speech_lost", True, True)


def test_a_voice_that_is_silent_is_reached_anew() -> None:
    talk = speaking()
    assert talk.pipeline.next_deadline() == 0.2 + KEEP_ALIVE_S
    talk.pipeline.handle_timeout(0.2 + KEEP_ALIVE_S)
    talk.pipeline.actions()
    talk.pipeline.handle_timeout(talk.now + SOUND_LIMIT_S)
    assert Close(TTS) in talk.pipeline.actions()


@pytest.mark.parametrize(
    ("end", "kind", "code"),
    [
        (
            ChannelEnd(Ender.US, "request", reason="no speech process"),
            ErrorKind.OURS,
            "speech_lost",
        ),
        (
            ChannelEnd(Ender.PEER, "protocol", reason="no voice"),
            ErrorKind.INVALID_REQUEST,
            "speech_refused",
        ),
    ],
)
def test_a_voice_that_is_refused_ends_the_session(
    end: ChannelEnd, kind: ErrorKind, code: str
) -> None:
    talk = Talk()
    talk.pipeline.receive_end(TTS, end, 0.1)
    (failure,) = events(talk.pipeline)
    assert isinstance(failure, ProviderFailure)
    assert (failure.kind, failure.code, failure.retryable) == (kind, code, False)


def test_a_sentence_that_cannot_be_spoken_costs_itself() -> None:
    talk = Talk().ready()
    talk.pipeline.send_text("hi", 1.0)
    talk.thought(chunk("One. Two. ", "stop"))
    talk.pipeline.receive_message(TTS, encode_reply(Told.FAILED, 1, b"odd"), 1.1)
    assert talk.spoke(2, 100)[-1] == ResponseDone("p1", "completed")
    talk.pipeline.say("Three.", "", 2.0)
    talk.pipeline.receive_message(TTS, encode_reply(Told.FAILED, 3, b"odd"), 2.1)
    kind = ErrorKind.SERVER
    assert events(talk.pipeline)[-1] == ResponseDone(
        "p2", "failed", "speech_failed", kind, spoke=False
    )


def test_silence_is_kept_alive_with_silence_until_something_was_heard() -> None:
    talk = Talk().ready()
    assert talk.pipeline.next_deadline() == 0.2 + KEEP_ALIVE_S
    talk.pipeline.handle_timeout(4.3)
    assert talk.pipeline.actions() == [Send(STT, b"\xff" * 640, binary=True)]
    talk.pipeline.send_audio(b"\x00" * 160)
    talk.pipeline.actions()
    talk.pipeline.handle_timeout(8.4)
    assert talk.pipeline.actions() == []
    talk.pipeline.handle_timeout(12.5)
    assert talk.pipeline.actions() == [Send(STT, b'{"type":"KeepAlive"}')]


def test_a_message_without_bytes_would_end_the_stream() -> None:
    talk = Talk().ready()
    talk.pipeline.send_audio(b"")
    assert talk.pipeline.actions() == []


MESSAGES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            results("hello"),
            results("", over=False),
            encode({"type": "SpeechStarted"}),
            encode({"type": "UtteranceEnd"}),
            encode({"type": "Results", "channel": [0]}),
            chunk("One. Two. "),
            chunk("", "stop"),
            b"[DONE]",
            LIMITED,
            encode_reply(Told.AUDIO, 1, b"\x01\x00" * 10),
            encode_reply(Told.DONE, 1),
            encode_reply(Told.AUDIO, 2, b"\x01"),
        ]
    ),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([STT, CHAT, TTS]), MESSAGES),
        st.sampled_from(["cut", "answer", "say", "text", "result", "end-chat", "end-tts", "time"]),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_nothing_is_raised_and_answers_end_once(steps: list[object]) -> None:
    talk = Talk(Conversation(PCMU_8K, L16_8K, Brief("", "Oi."))).ready()
    found = []
    now = 1.0
    for step in steps:
        now += 0.7
        do(talk, step, now)
        found += events(talk.pipeline)
        talk.pipeline.actions()
        assert talk.pipeline.next_deadline() is None or not talk.pipeline._over
    talk.pipeline.stop(now)
    found += events(talk.pipeline)
    done = [event.response_id for event in found if isinstance(event, ResponseDone)]
    assert len(done) == len(set(done))
    fatal = [n for n, e in enumerate(found) if isinstance(e, ProviderFailure) and e.fatal]
    assert len(fatal) <= 1


def do(talk: Talk, step: object, now: float) -> None:
    pipeline = talk.pipeline
    if isinstance(step, tuple):
        pipeline.receive_message(step[0], step[1], now)
        return
    commands = {
        "cut": lambda: pipeline.cut([], now),
        "answer": lambda: pipeline.answer(now),
        "say": lambda: pipeline.say("Yes.", "", now),
        "text": lambda: pipeline.send_text("1", now),
        "result": lambda: pipeline.send_function_result("t", "{}", failed=False, now=now),
        "end-chat": lambda: pipeline.receive_end(CHAT, ChannelEnd(Ender.PEER, code=200), now),
        "end-tts": lambda: pipeline.receive_end(TTS, ChannelEnd(Ender.NETWORK), now),
        "time": lambda: pipeline.handle_timeout(now),
    }
    commands[str(step)]()
