"""Hearing by the speech process: the pipeline without a network."""

from __future__ import annotations

from bridge.audio.formats import L16_8K
from bridge.providers.actions import Open, SpeechService
from bridge.providers.base import (
    CallerStarted,
    CallerStopped,
    CallerWords,
    ErrorKind,
    ProviderFailure,
    SessionReady,
    Transcript,
)
from bridge.providers.conversation import Brief, Conversation, Speaker
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.realtime import STT, Pipeline
from bridge.speech.messages import Told, encode_reply
from bridge.wire.channel import ChannelEnd, Ender
from tests.unit.providers.pipeline.kit import Talk, events

LOCAL = {"api_key": "none", "base_url": "http://127.0.0.1:1/v1", "stt": "pocketsphinx"}


def talk(**config: str) -> Talk:
    brief = Brief("Be kind.", "", "en-US")
    return Talk(Conversation(L16_8K, L16_8K, brief), **{**LOCAL, **config})


def told(kind: Told, at_ms: int, text: str = "") -> bytes:
    return encode_reply(kind, at_ms, text.encode())


def test_it_needs_no_key_and_takes_what_the_process_takes() -> None:
    assert PipelineConfig(**LOCAL).problems() == []  # type: ignore[arg-type]
    assert L16_8K in Pipeline(PipelineConfig(**LOCAL)).capabilities.audio_in  # type: ignore[arg-type]
    assert any(text.startswith("stt:") for text in PipelineConfig(stt="shell").problems())


def test_it_asks_the_process_for_the_engine_in_the_language_of_the_call() -> None:
    one = talk(stt="whisper", stt_model="base")
    (target,) = [
        action.target
        for action in one.pipeline.actions()
        if isinstance(action, Open) and action.channel == STT
    ]
    assert target == SpeechService(
        "whisper", {"model": "base", "language": "en-US", "rate_hz": 8000, "silence_ms": 300}
    )


def test_a_turn_is_told_once_and_answered() -> None:
    one = talk().ready()
    found = one.heard(
        told(Told.STARTED, 100), told(Told.PARTIAL, 400, "book a"), told(Told.TURN, 900, "book it")
    )
    assert found[:-1] == [
        CallerStarted("c1"),
        CallerWords("c1", "book a"),
        CallerStopped("c1", expects_answer=True),
        Transcript(Speaker.CALLER, "c1", "book it"),
    ]
    assert one.asked()[-1] == {"role": "user", "content": "book it"}


def test_noise_is_no_turn_to_answer() -> None:
    found = talk().ready().heard(told(Told.STARTED, 100), told(Told.TURN, 900))
    assert found == [CallerStarted("c1"), CallerStopped("c1", expects_answer=False)]


def test_words_whose_turn_has_no_end_yet_are_answered_when_an_answer_is_due() -> None:
    one = talk().ready()
    one.heard(told(Told.STARTED, 100), told(Told.PARTIAL, 400, "book a table"))
    one.pipeline.answer(1.0)
    assert one.asked()[-1]["content"] == "book a table"


def test_nonsense_is_told_and_survived() -> None:
    one = talk().ready()
    (failure,) = one.heard(b"?")
    assert isinstance(failure, ProviderFailure)
    assert not failure.fatal
    assert one.heard(told(Told.AUDIO, 1), told(Told.DONE, 1)) == []


def test_silence_costs_no_message_and_leaving_none() -> None:
    one = talk().ready()
    one.pipeline.handle_timeout(60.0)
    one.pipeline.stop(61.0)
    assert one.pipeline.actions() == []
    assert [event for event in events(one.pipeline) if not isinstance(event, SessionReady)] == []


def test_a_process_that_dies_may_come_back_and_one_that_refuses_may_not() -> None:
    for end, code, again in (
        (ChannelEnd(Ender.NETWORK, reason="gone"), "hearing_lost", True),
        (ChannelEnd(Ender.PEER, "protocol", reason="no pt"), "hearing_refused", False),
    ):
        one = talk().ready()
        one.pipeline.receive_end(STT, end, 1.0)
        (failure,) = events(one.pipeline)
        assert isinstance(failure, ProviderFailure)
        assert (failure.code, failure.fatal, failure.retryable) == (code, True, again)
        kind = ErrorKind.OURS if again else ErrorKind.INVALID_REQUEST
        assert failure.kind is kind
