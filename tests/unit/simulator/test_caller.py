"""The caller's script, hearing and report, without a switch."""

from __future__ import annotations

import math
import wave
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl_controller.simulator import speech
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import (
    After,
    AgentSilent,
    AgentSpeaking,
    At,
    Background,
    HangUp,
    Mute,
    Press,
    Say,
    Step,
)
from esl_controller.simulator.hearing import Hearing
from esl_controller.simulator.hearing_report import compare
from esl_controller.simulator.switch.sound import level

SPEECH = speech.synthetic(1.0)
LOUD = speech.beep(0.02).pcm
QUIET = bytes(320)


class Phone:
    """Stands in for the session: counts what the caller does."""

    def __init__(self) -> None:
        self.digits = ""
        self.hung_up = False
        self.channel = SimpleNamespace(ptime_ms=20)

    def receive_dtmf(self, digit: str) -> None:
        self.digits += digit

    def hang_up(self, cause: str, *, by_caller: bool) -> None:
        self.hung_up = by_caller


def run(
    caller: Caller, frames: int, agent=lambda frame: QUIET, start: int = 0
) -> list[bytes | None]:
    """Frames `start` … of a call answered at second 100."""
    if start == 0:
        caller.attach(Phone())
        caller.on_answered(100.0)
    spoken = []
    for number in range(start, start + frames):
        now = 100.0 + number * 0.02
        caller.hear(agent(number), now)
        spoken.append(caller.speak(now))
    return spoken


def test_says_at_a_time_and_after() -> None:
    clip = speech.beep(0.1)
    spoken = run(Caller([Step(At(0.11), Say(clip)), Step(After(0.05), Say(clip))]), 30)
    loud = [number for number, frame in enumerate(spoken) if level(frame) > 1000]
    assert loud == [6, 7, 8, 9, 10, 13, 14, 15, 16, 17]


def test_interrupts_when_the_agent_has_been_speaking() -> None:
    caller = Caller([Step(AgentSpeaking(0.5), Say(speech.beep(0.1)))])
    spoken = run(caller, 60, lambda number: LOUD if number >= 10 else QUIET)
    first = next(number for number, frame in enumerate(spoken) if level(frame) > 1000)
    assert first == 35


def test_answers_when_the_agent_is_silent() -> None:
    caller = Caller([Step(AgentSilent(0.2), Press("12", gap_s=0.04)), Step(After(0.1), HangUp())])
    run(caller, 60, lambda number: LOUD if 5 <= number < 20 else QUIET)
    assert caller._session.digits == "12"
    assert caller._session.hung_up
    notes = [note.what for note in caller.notes]
    assert notes == ["answered", "presses 12", "hangs up"]


def test_waits_for_a_new_answer_of_the_agent() -> None:
    """What the agent said before the caller's own words is no answer to them."""
    script = [Step(At(0.3), Say(speech.beep(0.1))), Step(AgentSilent(0.1), HangUp())]
    caller = Caller(script)
    run(caller, 40, lambda number: LOUD if number < 10 else QUIET)
    assert not caller._session.hung_up
    run(caller, 20, lambda number: LOUD if number < 45 else QUIET, start=40)
    assert caller._session.hung_up


def test_echo_noise_and_mute() -> None:
    caller = Caller([Step(At(0), Background(echo_db=-6.0)), Step(At(0.2), Mute())])
    spoken = run(caller, 15, lambda number: LOUD)
    assert abs(20 * math.log10(level(spoken[5]) / level(LOUD)) + 6) < 0.1
    assert spoken[12] is None
    noisy = run(Caller([Step(At(0), Background(noise_dbfs=-40))]), 10)
    assert 200 < level(noisy[5]) < 500


def test_stereo_recording(tmp_path) -> None:
    caller = Caller([Step(At(0), Say(speech.beep(0.2)))])
    run(caller, 30, lambda number: LOUD if number >= 20 else QUIET)
    caller.on_ended(100.6, "NORMAL_CLEARING")
    caller.write_wav(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert file.getnchannels() == 2
        samples = memoryview(file.readframes(file.getnframes())).cast("h")
    left, right = samples[::2].tolist(), samples[1::2].tolist()
    assert len(left) == 4800
    assert max(left[:1600]) > 10_000
    assert max(left[1700:]) == 0
    assert max(right[:3100]) == 0
    assert max(right[3300:]) > 10_000


def hearing(*frames: tuple[float, bytes]) -> Hearing:
    heard = Hearing(8000)
    for at, frame in frames:
        heard.add(frame, at)
    return heard


def test_gaps_are_late_frames_and_digital_silence_inside_sound() -> None:
    faint = b"\x05\x00" * 160
    late = hearing((0.0, LOUD), (0.02, LOUD), (0.1, LOUD))
    assert [round(gap.length_ms) for gap in late.gaps()] == [60]
    filled = hearing(*((n * 0.02, QUIET if 2 <= n < 5 else LOUD) for n in range(8)))
    assert [round(gap.length_ms) for gap in filled.gaps()] == [60]
    pause = hearing(*((n * 0.02, faint if 2 <= n < 5 else LOUD) for n in range(8)))
    assert pause.gaps() == []
    turns = hearing((0.0, LOUD), (5.0, LOUD))
    assert turns.gaps() == []


def test_silence_after_an_interruption() -> None:
    heard = hearing(*((n * 0.02, LOUD if n < 10 or n > 50 else QUIET) for n in range(60)))
    assert heard.silence_after_ms(0.1) == pytest.approx(80)
    assert heard.silence_after_ms(0.5) == 0
    assert heard.first_sound_at(0.3) == pytest.approx(1.02)
    assert heard.silent_for(0.3) is not None


def test_levels_only() -> None:
    caller = Caller(keep_audio=False)
    run(caller, 10, lambda number: LOUD)
    report = caller.report()
    assert caller.hearing.frames == []
    assert report.sound_ms == 200
    assert report.level_dbfs == pytest.approx(-12.1, abs=0.2)
    assert Caller().report().first_sound_ms is None


FRAMES = SPEECH.frames(8000)


@settings(max_examples=8, deadline=None)
@given(st.integers(5, 30), st.integers(1, 6))
def test_lost_frames_are_found(at: int, count: int) -> None:
    heard = b"".join(FRAMES[:at] + FRAMES[at + count :])
    lost, doubled, inserted = compare(heard, 8000, SPEECH)
    assert lost == pytest.approx(count * 20, abs=1)
    assert (doubled, inserted) == (0, 0)


@settings(max_examples=8, deadline=None)
@given(st.integers(5, 30), st.integers(1, 6))
def test_inserted_silence_is_found(at: int, count: int) -> None:
    heard = b"".join([*FRAMES[:at], bytes(320 * count), *FRAMES[at:]])
    lost, doubled, inserted = compare(heard, 8000, SPEECH)
    assert inserted + doubled == pytest.approx(count * 20, abs=1)
    assert lost == 0


def test_doubled_missing_and_nothing() -> None:
    doubled = b"".join([*FRAMES[:20], *FRAMES[14:]])
    assert compare(doubled, 8000, SPEECH) == pytest.approx((0, 120, 0), abs=1)
    assert compare(b"", 8000, SPEECH)[0] == pytest.approx(1000)
    tail_lost = compare(b"".join(FRAMES[:40]), 8000, SPEECH)[0]
    assert 100 < tail_lost <= 200


def test_synthetic_speech_has_level_pauses_and_no_surprises() -> None:
    clip = speech.synthetic(4.0, 16000, seed=3, level_dbfs=-18)
    assert clip.duration_s == 4.0
    assert 20 * math.log10(level(clip.pcm) / 32768) == pytest.approx(-18, abs=0.5)
    quiet = sum(level(frame) < 100 for frame in clip.frames(16000))
    assert 5 < quiet < 100
    assert speech.synthetic(4.0, 16000, seed=3, level_dbfs=-18) is clip
    assert speech.synthetic(1.0, seed=4).pcm != SPEECH.pcm


def test_joined_clips_share_a_rate() -> None:
    both = speech.joined(speech.beep(0.1), speech.silence(0.1))
    assert both.duration_s == pytest.approx(0.2)
    with pytest.raises(ValueError, match="different rates"):
        speech.joined(speech.beep(0.1), speech.silence(0.1, 16000))


def test_wav_clips(tmp_path) -> None:
    caller = Caller()
    run(caller, 5)
    caller.on_ended(100.1, "x")
    caller.write_wav(tmp_path / "a.wav")
    clip = speech.from_wav(tmp_path / "a.wav")
    assert (clip.rate_hz, clip.name) == (8000, "a")


@pytest.mark.parametrize("name", speech.RECORDINGS)
def test_recordings_come_with_the_package(name: str) -> None:
    clip = speech.recording(name)
    assert clip.rate_hz == 16000
    assert 2 < clip.duration_s < 4
    assert level(clip.pcm) > 500
    with pytest.raises(KeyError):
        speech.recording("../conftest")
