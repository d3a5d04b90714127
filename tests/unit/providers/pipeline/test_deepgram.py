"""What Nova and Flux say, as their references write it."""

from __future__ import annotations

from typing import Any

from bridge.audio.formats import L16_16K, PCMA_8K
from bridge.providers.base import ProviderFailure
from bridge.providers.pipeline.config import PipelineConfig, hearing_model
from bridge.providers.pipeline.deepgram import Flux, Nova, endpoint
from bridge.providers.pipeline.hearing import Began, Heard, SoFar, TurnOver
from tests.unit.providers.pipeline.kit import encode, results

FLUX = PipelineConfig(stt_model="flux-general-multi", eot_threshold=0.8, keyterms=("Ana", "S&P"))


def nova(*messages: bytes) -> list[Heard]:
    hearing = Nova(PipelineConfig(), "en")
    return [heard for message in messages for heard in hearing.receive(message)]


def turn(event: str, text: str = "", **more: Any) -> bytes:
    return encode({"type": "TurnInfo", "event": event, "transcript": text, **more})


def test_finals_are_joined_until_the_pause() -> None:
    found = nova(
        encode({"type": "SpeechStarted", "channel": [0, 1], "timestamp": 9.5}),
        results("my number", final=False, over=False),
        results("my number is", over=False),
        results("five", over=True),
    )
    so_far = [SoFar("my number"), SoFar("my number is")]
    assert found == [Began(), *so_far, TurnOver("my number is five")]


def test_a_noisy_line_ends_a_turn_by_its_words() -> None:
    end = encode({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 2.4})
    found = nova(results("oi", over=False), end, end)
    assert found == [Began(), SoFar("oi"), TurnOver("oi")]


def test_silence_and_reports_are_nothing() -> None:
    metadata = encode({"type": "Metadata", "request_id": "r", "duration": 1.0, "channels": 1})
    assert nova(results("", over=False), results(""), metadata, b'{"type":"Later"}') == []


def test_malformed_messages_are_told_and_survived() -> None:
    hearing = Nova(PipelineConfig(), "en")
    for message in (b"{", b"[]", b'{"type":"Results","channel":7}', b"\xff"):
        (failure,) = hearing.receive(message)
        assert isinstance(failure, ProviderFailure)
        assert not failure.fatal


def test_flux_tells_turns() -> None:
    hearing = Flux(FLUX, "en")
    messages = [
        encode({"type": "Connected", "request_id": "r", "sequence_id": 0}),
        turn("Update"),
        turn("StartOfTurn", "I"),
        turn("Update", "I want"),
        turn("EagerEndOfTurn", "I want"),
        turn("TurnResumed", "I want a"),
        turn("EndOfTurn", "I want a table.", end_of_turn_confidence=0.9, trigger="model"),
        turn("Update", ""),
    ]
    found = [heard for message in messages for heard in hearing.receive(message)]
    said = ["I", "I want", "I want", "I want a"]
    assert found == [Began(), *map(SoFar, said), TurnOver("I want a table.")]


def test_flux_is_asked_in_its_own_words() -> None:
    where = endpoint(FLUX, L16_16K, "pt-BR")
    assert where.url == (
        "wss://api.deepgram.com/v2/listen?model=flux-general-multi&encoding=linear16"
        "&sample_rate=16000&language_hint=pt&eot_threshold=0.8&keyterm=Ana&keyterm=S%26P"
    )
    assert where.headers == ()
    assert Flux(FLUX, "pt").keep_alive(PCMA_8K, heard=True) == (b"\xd5" * 640, True)


def test_nova_is_asked_as_a_telephone_needs() -> None:
    config = PipelineConfig(stt_url="http://127.0.0.1:9/", stt_language="multi")
    assert endpoint(config, PCMA_8K, "pt").url == (
        "ws://127.0.0.1:9/v1/listen?model=nova-3&encoding=alaw&sample_rate=8000&channels=1"
        "&language=multi&interim_results=true&endpointing=300&utterance_end_ms=1000"
        "&vad_events=true&smart_format=true"
    )
    assert Nova(config, "pt").bill(2.0).model == "nova-3-multi"


def test_a_kind_without_a_model_takes_the_best_for_the_language() -> None:
    flux = PipelineConfig(stt="deepgram_flux")
    assert [hearing_model(flux, one) for one in (None, "en-GB", "pt-BR")] == [
        "flux-general-en",
        "flux-general-en",
        "flux-general-multi",
    ]
    assert hearing_model(PipelineConfig(), "pt-BR") == "nova-3"
    assert "language_hint=pt" in endpoint(flux, PCMA_8K, "pt-BR").url
