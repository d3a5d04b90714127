"""A provider that is connected and dead: the caller speaks, and nothing at all comes back."""

from __future__ import annotations

import struct

import pytest

from bridge.audio.pcm import audioop
from bridge.providers import base as p
from tests.unit.bridge.session_kit import Stage


@pytest.fixture
def stage(monkeypatch):
    return lambda providers=1, **config: Stage(monkeypatch, providers, **config)


LOUD = struct.pack("<160h", *[8000, -8000] * 80)
QUIET = bytes(320)


def speak(s, seconds):
    """The caller is loud for so long, frame by frame."""
    hear(s, LOUD, seconds)


def pause(s, seconds):
    hear(s, QUIET, seconds)


def hear(s, frame, seconds):
    """One frame each 20 ms; timers run as in a worker."""
    for number in range(round(seconds * 50)):
        s.session.receive_audio(frame)
        s.after(0.02)
        if number % 12 == 11:
            s.session.tick(s.now)


def test_a_provider_that_does_not_notice_the_caller_is_replaced_within_two_seconds(stage):
    s = stage(providers=2).talking()
    first = s.link
    pause(s, 1.0)
    speak(s, 0.8)
    began = len(s.told.events)
    pause(s, 1.2)
    assert ("ask_for_life",) in first.protocol.commands
    assert not first.closed
    pause(s, 0.8)
    assert first.closed
    assert "answer_late" in s.told.names()[began:]
    assert [code for _, code, _ in s.told.of("provider_trouble")] == ["no_sign_of_life"]
    s.link.ready()
    heard = bytes(s.link.protocol.audio)
    assert heard.count(audioop.lin2ulaw(LOUD, 2)) == 40  # the whole sentence


def test_one_that_answers_keeps_its_seat(stage):
    s = stage(providers=2).talking()
    for _ in range(3):
        speak(s, 0.6)
        pause(s, 0.8)
        s.link.messages_in += 1
        pause(s, 2.5)
    assert len(s.links) == 1
    assert s.commands.count(("ask_for_life",)) in (1, 2, 3)
    assert s.told.of("provider_trouble") == []


def test_a_voice_the_provider_heard_first_is_no_question(stage):
    s = stage(providers=2).talking()
    speak(s, 0.08)
    s.events(p.SpeechStarted())
    speak(s, 3.0)
    assert ("ask_for_life",) not in s.commands
    pause(s, 2.0)
    assert ("ask_for_life",) in s.commands  # it should have told the end
