"""Our own voice on the caller's line: found, measured, and told from a voice."""

from __future__ import annotations

import time

import numpy as np
import pytest

from bridge.session.echo import EchoMeter
from bridge.session.echo_levels import BIN_S
from esl_controller.simulator import speech

RATE_HZ = 8000
FRAMES = speech.synthetic(8.0, RATE_HZ, seed=3).frames(RATE_HZ)
OTHER = speech.synthetic(8.0, RATE_HZ, seed=8).frames(RATE_HZ)


def rms(frame: bytes) -> float:
    return float(np.sqrt(np.mean(np.frombuffer(frame, "<i2").astype(float) ** 2)))


def call(delay_ms, level_db, noise=5.0, other=()):
    """Speech is sent; what comes back is heard."""
    meter, only_echo = EchoMeter(), []
    late, gain = delay_ms // 20, 10 ** (level_db / 20)
    for number, frame in enumerate(FRAMES):
        now = 100.0 + number * 0.02
        meter.levels.played(frame, RATE_HZ, now)
        back = rms(FRAMES[number - late]) * gain if number >= late else 0.0
        voice = rms(other[number]) if number < len(other) else 0.0
        only_echo.append(meter.levels.heard(float(np.hypot(np.hypot(back, noise), voice)), now))
        if number % 12 == 0:
            meter.look(now)
    return meter, only_echo


@pytest.mark.parametrize("delay_ms", [60, 160, 300, 500])
@pytest.mark.parametrize("level_db", [-10, -20, -30])
def test_an_echo_is_measured(delay_ms, level_db):
    meter, only_echo = call(delay_ms, level_db)
    assert abs(meter.found.delay_ms - delay_ms) <= 10
    assert abs(meter.found.level_db - level_db) <= 2
    if level_db > -25:
        assert sum(only_echo[200:]) > 40


@pytest.mark.parametrize("seed", range(6))
def test_another_voice_is_no_echo(seed):
    other = speech.synthetic(8.0, RATE_HZ, seed=30 + seed).frames(RATE_HZ)
    meter, only_echo = call(0, -90, other=other)
    assert meter.found is None
    assert not any(only_echo)


def test_a_voice_over_the_echo_is_a_voice():
    meter, only_echo = call(160, -25, other=[bytes(320)] * 250 + OTHER[250:])
    loud = [n for n in range(260, 390) if rms(OTHER[n]) > 1500]
    assert meter.found is not None
    assert not any(only_echo[n] for n in loud)


def test_a_measurement_is_cheap():
    meter, _ = call(160, -20)
    began = time.thread_time()
    for _ in range(50):
        meter._measure()
    assert (time.thread_time() - began) / 50 < 0.002


def test_a_steady_tone_is_like_nothing():
    meter = EchoMeter()
    tone = (np.sin(np.arange(160) / 3) * 8000).astype("<i2").tobytes()
    for number in range(200):
        meter.levels.played(tone, 8000, number * BIN_S)
        meter.levels.heard(rms(tone), number * BIN_S)
    meter.look(4.0)
    meter.look(6.0)
    assert meter.found is None
