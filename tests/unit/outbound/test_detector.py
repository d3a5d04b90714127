"""People, machines, screeners and music, made of sound and words: each is told from the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl_controller.outbound import phrases
from esl_controller.outbound.detector import Answer, AnswerDetector, Event
from esl_controller.outbound.tones import Kind, Listener
from esl_controller.simulator.speech import Clip, beep, joined, recording, silence, synthetic
from esl_controller.simulator.switch.sound import RateConverter, tone

E = Event


def at_rate(clip: Clip, rate_hz: int) -> bytes:
    return RateConverter(clip.rate_hz, rate_hz).convert(clip.pcm)


def music(seconds: float, rate_hz: int = 8000) -> Clip:
    """Chords that last, with a soft beat: no pauses."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    chord = sum(np.sin(2 * np.pi * hz * times) for hz in (262, 330, 392, 523))
    beat = 0.8 + 0.2 * np.sin(2 * np.pi * 2 * times)
    return Clip((chord * beat * 2500).astype("<i2").tobytes(), rate_hz, "music")


def heard(*clips: Clip, rate_hz: int = 8000, detector: AnswerDetector | None = None) -> list[Event]:
    """Everything told while the clips are played, with a silent end."""
    detector = detector or AnswerDetector(rate_hz, 0.0)
    pcm = b"".join(at_rate(clip, rate_hz) for clip in clips)
    size, events, now = rate_hz // 25, [], 0.0
    for at in range(0, len(pcm), size):
        now = at / 2 / rate_hz
        events += detector.hear(pcm[at : at + size], now)
        events += detector.handle_timeout(now)
    return events


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_a_person_says_hello_and_waits(rate_hz: int) -> None:
    assert heard(silence(0.8), synthetic(0.6), silence(1.5), rate_hz=rate_hz) == [E.HUMAN]


@pytest.mark.parametrize("rate_hz", [8000, 16000])
@pytest.mark.parametrize("hz", [440.0, 800.0, 1000.0, 1400.0, 2000.0])
def test_a_machine_talks_on_and_beeps(hz: float, rate_hz: int) -> None:
    clips = (silence(0.4), synthetic(6.0), silence(0.8), beep(0.35, hz), silence(1.0))
    assert heard(*clips, rate_hz=rate_hz) == [E.MACHINE, E.LEAVE_MESSAGE]


def test_a_recorded_voice_that_talks_on_is_a_machine() -> None:
    voice = joined(*(recording(name) for name in ("reader_statement", "reader_reflection")))
    assert heard(voice, silence(1.0, voice.rate_hz))[0] is E.MACHINE


def test_a_machine_without_a_beep_records_after_a_pause() -> None:
    assert heard(synthetic(5.0), silence(4.0)) == [E.MACHINE, E.LEAVE_MESSAGE]


def test_a_machine_that_does_not_end_is_given_up() -> None:
    detector = AnswerDetector(8000, 0.0)
    assert heard(synthetic(5.0), detector=detector) == [E.MACHINE]
    assert detector.handle_timeout(70.0) == [E.GIVE_UP]
    assert detector.handle_timeout(71.0) == []


def test_who_beeps_after_hello_was_a_machine() -> None:
    clips = (synthetic(0.8), silence(0.9), synthetic(1.0), silence(0.7), beep(0.4, 1000.0))
    assert heard(*clips, silence(0.5)) == [E.HUMAN, E.MACHINE, E.LEAVE_MESSAGE]


@pytest.mark.parametrize("frequencies", [(425.0,), (440.0, 480.0)])
def test_ring_back_is_no_beep(frequencies: tuple[float, ...]) -> None:
    ring = Clip(tone(8000, 1000, frequencies), 8000, "ring")
    assert E.LEAVE_MESSAGE not in heard(ring, silence(1.0), ring, silence(1.0))


def test_music_is_waited_through() -> None:
    """Also that of a person who has asked us to wait; who then says something has picked up."""
    clips = (music(6.0), silence(0.8), synthetic(1.2), silence(0.5))
    assert heard(*clips) == [E.MUSIC, E.PICKED_UP]
    asked = (synthetic(0.7), silence(0.9), music(8.0), silence(0.8), synthetic(1.0), silence(0.5))
    assert heard(*asked) == [E.HUMAN, E.MUSIC, E.PICKED_UP]


def test_who_says_nothing_is_spoken_to() -> None:
    assert heard(silence(6.0)) == [E.SILENT]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Hello?", Answer.HUMAN),
        ("Alô, quem fala?", Answer.SCREENING),
        ("Hi, you've reached Ana. Please leave a message after the tone.", Answer.MACHINE),
        ("Sua chamada está sendo encaminhada para a caixa postal", Answer.MACHINE),
        ("No puedo atender ahora, deje su mensaje después de la señal", Answer.MACHINE),
        ("Hi, if you record your name and reason for calling, I'll see", Answer.SCREENING),
        ("Please say your name before I try to connect you", Answer.SCREENING),
        ("One moment please", Answer.LISTENING),
        ("   ", Answer.LISTENING),
    ],
)
def test_words_tell(text: str, answer: Answer) -> None:
    detector = AnswerDetector(8000, 0.0)
    detector.said(text, 1.0)
    assert detector.answer is answer


def test_words_correct_what_the_sound_suggested() -> None:
    detector = AnswerDetector(8000, 0.0)
    assert heard(synthetic(0.8), silence(1.0), detector=detector) == [E.HUMAN]
    assert detector.said("Please leave a message", 3.0) == [E.MACHINE]
    screened = AnswerDetector(8000, 0.0)
    assert screened.said("Who's calling?", 1.0) == [E.SCREENING]
    assert screened.said("Hi, this is Ana.", 6.0) == [E.HUMAN]
    assert screened.is_machine(7.0) == [E.MACHINE]


def test_no_word_of_daily_talk_is_a_machine() -> None:
    for text in ("Yes, speaking.", "Bom dia, pode falar.", "I got your message.", "Sí, dígame."):
        assert not phrases.is_machine(text), text


@given(st.binary(max_size=4000), st.integers(1, 999))
@settings(max_examples=30, deadline=None)
def test_windows_do_not_depend_on_how_sound_comes(data: bytes, size: int) -> None:
    whole, pieces = Listener(8000), Listener(8000)
    data = data[: len(data) & ~1]
    cut = [w for at in range(0, len(data), size) for w in pieces.hear(data[at : at + size])]
    assert [w.kind for w in whole.hear(data)] == [w.kind for w in cut]


def test_noise_is_no_tone() -> None:
    noise = (np.random.default_rng(1).standard_normal(8000) * 3000).astype("<i2").tobytes()
    assert Kind.TONE not in {window.kind for window in Listener(8000).hear(noise)}
