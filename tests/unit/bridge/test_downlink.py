"""The agent's voice on its way to the caller."""

from __future__ import annotations

import pytest

from bridge.audio.formats import L16_8K
from bridge.audio.pacer import Pacer
from bridge.providers.base import Audio
from bridge.session.voice import MAX_EARLY_BYTES, Voice
from tests.unit.bridge.session_kit import FRAME, Stage


@pytest.fixture
def line(monkeypatch):
    """A voice, and what opens its line."""
    stage = Stage(monkeypatch, 1)
    heard: list[str] = []
    voice = Voice(
        stage.pacer,
        on_first_frame=lambda now, ms: heard.append("first"),
        on_drained=lambda now: heard.append("drained"),
    )

    def open_line(now: float = 0.0) -> None:
        plan = stage.plan()
        voice.open(plan.downlink(), stage.playout(plan), 0, now)

    def play_until(now: float) -> None:
        for step in range(round(now / 0.005)):
            stage.pacer.tick(step * 0.005)

    return voice, open_line, play_until, stage.datagrams, heard


def audio(frames: int) -> Audio:
    return Audio("r1", "i1", FRAME * frames)


def test_what_comes_before_the_line_opens_is_kept(line):
    voice, open_line, play_until, datagrams, heard = line
    assert voice.play(audio(5), 0.0)
    assert not voice.play(audio(5), 0.0)
    voice.complete(0.0)
    open_line()
    play_until(1.0)
    assert len(datagrams) >= 10
    assert heard == ["first", "drained"]


def test_a_greeting_without_end_is_cut_at_a_limit():
    voice = Voice(Pacer(), on_first_frame=lambda now, ms: None, on_drained=lambda now: None)
    voice.play(Audio("r1", "i1", bytes(MAX_EARLY_BYTES)), 0.0)
    assert not voice.play(audio(1), 0.0)
    assert voice.counters.early_dropped_bytes == len(FRAME)


def test_clear_forgets_what_was_kept(line):
    voice, open_line, play_until, datagrams, _ = line
    voice.play(audio(5), 0.0)
    assert voice.clear(0.0) is None
    open_line()
    play_until(0.5)
    assert datagrams == []


def test_words_of_ours_need_a_line(line):
    voice, open_line, play_until, datagrams, heard = line
    assert not voice.announce(bytes(1600), L16_8K, 0.0)
    open_line()
    assert voice.announce(bytes(1600), L16_8K, 0.0)
    play_until(0.6)
    assert len(datagrams) >= 5
    assert heard == ["first", "drained"]


def test_a_closed_voice_is_idle_and_tells_nothing(line):
    voice, open_line, play_until, _, heard = line
    open_line()
    voice.play(audio(50), 0.0)
    assert not voice.idle(0.0)
    voice.close()
    play_until(0.5)
    assert voice.idle(0.5)
    assert heard == ["first"]
