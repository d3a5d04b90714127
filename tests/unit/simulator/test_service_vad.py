from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio.formats import L16_24K, PCMA_8K, PCMU_8K
from esl_controller.simulator.service.vad import (
    Boundary,
    VoiceActivityDetector,
    level_for_threshold,
)
from esl_controller.simulator.service.voice import decode, encode, resample, synthetic_speech

RATE_HZ = 24000
SPEECH = synthetic_speech("Hello, this is a test.")
SPEECH_MS = len(SPEECH) * 500 // RATE_HZ


def detector(**fields: object) -> VoiceActivityDetector:
    defaults = {"threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500}
    return VoiceActivityDetector(RATE_HZ, **(defaults | fields))  # type: ignore[arg-type]


def silence(ms: int) -> bytes:
    return L16_24K.silence(ms)


def noise(ms: int, level: float, seed: int = 1) -> bytes:
    dice = np.random.default_rng(seed)
    return (dice.normal(0, level, ms * RATE_HZ // 1000)).astype("<i2").tobytes()


def test_one_turn() -> None:
    began, ended = detector().receive(silence(1000) + SPEECH + silence(1000))
    assert began.started
    assert not ended.started
    assert began.at_ms == pytest.approx(700, abs=40)
    assert ended.at_ms == pytest.approx(1000 + SPEECH_MS - 250 + 500, abs=300)


def test_padding_does_not_reach_before_the_beginning() -> None:
    assert detector().receive(SPEECH)[0] == Boundary(True, 0)


def test_a_click_is_no_turn() -> None:
    click = (np.sin(np.arange(480) * 0.2) * 20000).astype("<i2").tobytes()
    assert detector().receive(silence(500) + click + silence(500)) == []


def test_hiss_is_no_turn_even_when_it_grows_loud() -> None:
    hiss = b"".join(noise(200, level, level) for level in range(20, 1200, 60))
    assert detector().receive(hiss) == []


def test_a_voice_over_noise_is_found() -> None:
    background = np.frombuffer(noise(SPEECH_MS, 100), dtype="<i2")
    voice = np.frombuffer(SPEECH, dtype="<i2")[: len(background)]
    mixed = (voice.astype("i4") + background[: len(voice)]).clip(-32768, 32767).astype("<i2")
    found = detector().receive(noise(1000, 100) + mixed.tobytes() + noise(1500, 100))
    assert [boundary.started for boundary in found] == [True, False]


def test_a_higher_threshold_wants_a_louder_voice() -> None:
    quiet = (np.frombuffer(SPEECH, dtype="<i2") // 40).astype("<i2").tobytes()
    assert detector(threshold=0.1).receive(quiet)
    assert detector(threshold=0.9).receive(quiet) == []


def test_levels() -> None:
    assert level_for_threshold(0.0) == pytest.approx(32.8, abs=0.1)
    assert level_for_threshold(0.5) == pytest.approx(327.7, abs=0.1)
    assert level_for_threshold(1.0) == pytest.approx(3277, abs=1)


def test_short_pauses_belong_to_the_turn() -> None:
    found = detector().receive(SPEECH + silence(200) + SPEECH + silence(800))
    assert [boundary.started for boundary in found] == [True, False]


@pytest.mark.parametrize("audio_format", [PCMU_8K, PCMA_8K], ids=str)
def test_companded_voice(audio_format: object) -> None:
    samples = decode(encode(SPEECH, audio_format), audio_format)  # type: ignore[arg-type]
    vad = VoiceActivityDetector(8000, threshold=0.5, prefix_padding_ms=0, silence_duration_ms=300)
    found = vad.receive(bytes(8000) + samples + bytes(16000))
    assert [boundary.started for boundary in found] == [True, False]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 9000))
def test_any_cut_finds_the_same(seed: int, largest: int) -> None:
    audio = silence(300) + SPEECH + silence(700) + SPEECH + silence(700)
    whole = detector().receive(audio)
    dice, place, vad, found = random.Random(seed), 0, detector(), []
    while place < len(audio):
        size = dice.randint(1, largest) * 2
        found += vad.receive(audio[place : place + size])
        place += size
    assert found == whole


def test_whole_messages_are_coarser_but_find_the_turn() -> None:
    vad, found = detector(whole_messages=True), []
    audio = silence(300) + SPEECH + silence(1000)
    for begin in range(0, len(audio), 960):
        found += vad.receive(audio[begin : begin + 960])
    assert [boundary.started for boundary in found] == [True, False]


def test_the_same_words_sound_the_same() -> None:
    assert synthetic_speech("Good morning.") == synthetic_speech("Good morning.")
    assert synthetic_speech("Good morning.") != synthetic_speech("Good evening.")
    assert synthetic_speech("") != b""


def test_resampling_keeps_the_length() -> None:
    assert len(resample(SPEECH, 24000, 8000)) == pytest.approx(len(SPEECH) / 3, abs=4)


def test_a_hum_that_grows_slowly_becomes_the_floor() -> None:
    time_s = np.arange(20 * RATE_HZ) / RATE_HZ
    hum = np.sin(2 * np.pi * 100 * time_s) * np.geomspace(70, 1500, len(time_s))
    assert detector().receive(hum.astype("<i2").tobytes()) == []
