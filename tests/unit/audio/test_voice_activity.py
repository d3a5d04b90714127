"""Whether a voice is in the caller's audio: louder than the line, and with a pitch."""

import math
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.session.voice_activity import (
    BEGIN_MS,
    END_MS,
    ENOUGH_VOICED_MS,
    LOUD_RMS,
    MASKED_MS,
    UNVOICED_BEGIN_MS,
    VoiceActivity,
)
from bridge.session.voicing import HOP_MS, Voicing
from esl_controller.simulator import speech

RATE_HZ = 8000
FRAME_BYTES = RATE_HZ // 50 * 2


def tone(ms: int, rms: float) -> bytes:
    peak = rms * math.sqrt(2)
    samples = (
        peak * math.sin(2 * math.pi * 500 * n / RATE_HZ) for n in range(RATE_HZ * ms // 1000)
    )
    return array("h", map(round, samples)).tobytes()


def changes(
    activity: VoiceActivity, data: bytes, size: int = FRAME_BYTES
) -> list[tuple[int, bool]]:
    """When a voice began or ended in `data`, in milliseconds, and which of the two."""
    return [
        (min(at + size, len(data)) * 1000 // (RATE_HZ * 2), activity.active)
        for at in range(0, len(data), size)
        if activity.hear(data[at : at + size])
    ]


def test_speech_begins_and_ends_once():
    words = (tone(200, 2000) + bytes(FRAME_BYTES * 5)) * 4
    data = bytes(FRAME_BYTES * 20) + words + bytes(FRAME_BYTES * 50)
    last_word_ms = 400 + 4 * 300 - 100
    assert changes(VoiceActivity(RATE_HZ), data) == [
        (400 + BEGIN_MS, True),
        (last_word_ms + END_MS, False),
    ]


@pytest.mark.parametrize("ms", [20, 60, BEGIN_MS - 20])
def test_a_click_is_no_voice(ms):
    assert changes(VoiceActivity(RATE_HZ), tone(ms, 8000) + bytes(FRAME_BYTES * 50)) == []


def test_the_noise_of_a_line_is_no_voice():
    assert changes(VoiceActivity(RATE_HZ), tone(2000, LOUD_RMS * 0.9)) == []


def test_clicks_far_apart_do_not_add_up():
    click = tone(60, 8000) + bytes(FRAME_BYTES * 25)
    assert changes(VoiceActivity(RATE_HZ), click * 10) == []


def noise(ms: int, rms: float, *, seed: int = 1, smooth: int = 1) -> bytes:
    """White, or with nothing above some frequency: a cough, a door, a bump."""
    count = RATE_HZ * ms // 1000
    values = np.convolve(
        np.random.default_rng(seed).standard_normal(count + smooth - 1), np.ones(smooth), "valid"
    )
    return np.clip(values * rms / np.std(values), -32767, 32767).astype("<i2").tobytes()


def mixed(one: bytes, other: bytes) -> bytes:
    both = np.frombuffer(one, "<i2").astype(int) + np.frombuffer(other[: len(one)], "<i2")
    return np.clip(both, -32767, 32767).astype("<i2").tobytes()


@pytest.mark.parametrize(("smooth", "most"), [(1, 0), (4, 0), (20, 5), (30, 2)])
def test_however_loud_a_cough_and_a_door_are_no_voice(smooth, most):
    """The dullest thud has hardly more than one frequency: some seem to have a pitch."""
    quiet = bytes(FRAME_BYTES * 30)
    taken = [
        bool(changes(VoiceActivity(RATE_HZ), quiet + noise(300, 6000, seed=seed, smooth=smooth)))
        for seed in range(16)
    ]
    assert sum(taken) <= most


@pytest.mark.parametrize("over_noise_db", [10, 5])
def test_a_voice_is_heard_in_noise_and_its_pauses_are_no_end(over_noise_db):
    said = speech.recording("go_forward")
    samples = np.frombuffer(said.pcm, "<i2").astype(float)
    loud = np.abs(samples) > 0.1 * np.abs(samples).max()
    first_ms, last_ms = np.flatnonzero(loud)[[0, -1]] * 1000 / said.rate_hz
    noise_rms = float(np.sqrt((samples[loud] ** 2).mean())) * 10 ** (-over_noise_db / 20)
    before, behind = RATE_HZ * 4 * 2, RATE_HZ * 2 * 2
    pcm = bytes(before) + b"".join(said.frames(RATE_HZ)) + bytes(behind)
    data = mixed(pcm, noise(len(pcm) * 1000 // RATE_HZ // 2 + 20, noise_rms))
    activity = VoiceActivity(RATE_HZ, end_ms=500)
    (began_ms, _), (ended_ms, active) = changes(activity, data)
    assert 4000 + first_ms <= began_ms <= 4400 + first_ms
    assert not active
    assert ended_ms > 3800 + last_ms


def test_the_noise_makes_ends_wait():
    """A weak end of a word is lost in it."""
    word = tone(400, 8000)
    quiet = [noise(ms, 1500) for ms in (6000, 2000)]
    activity = VoiceActivity(RATE_HZ)
    found = changes(activity, quiet[0] + word + quiet[1])
    assert found == [(6000 + BEGIN_MS, True), (6400 + END_MS + MASKED_MS, False)]


def test_a_whisper_has_no_pitch_and_lasts():
    whisper = noise(700, 3000, smooth=3)
    ((began_ms, active),) = changes(VoiceActivity(RATE_HZ), bytes(FRAME_BYTES * 10) + whisper)
    assert active
    assert began_ms == 200 + UNVOICED_BEGIN_MS


@pytest.mark.parametrize("rate_hz", [8000, 16000, 24000, 48000])
@pytest.mark.parametrize("packet_ms", [10, 20, 30, 60])
def test_at_any_rate_and_in_any_packets(rate_hz, packet_ms):
    said = speech.synthetic(0.45, rate_hz, seed=11)
    activity = VoiceActivity(rate_hz)
    data = said.pcm + bytes(rate_hz)
    size = rate_hz * packet_ms // 1000 * 2
    found, voiced_ms = 0, 0
    for at in range(0, len(data), size):
        found += activity.hear(data[at : at + size])
        voiced_ms = max(voiced_ms, activity.voiced_ms)
    assert found == 2
    assert voiced_ms >= 100


def test_what_nobody_asks_of_is_not_looked_at(monkeypatch):
    """A look takes fifteen times as long as all the rest of it."""
    looks = []
    look = Voicing.look
    monkeypatch.setattr(Voicing, "look", lambda self, hop: looks.append(hop) or look(self, hop))
    words = tone(2000, 4000)
    began, ended = changes(VoiceActivity(RATE_HZ), words + bytes(FRAME_BYTES * 50))
    assert (began[1], ended) == (True, (2000 + END_MS, False))
    assert len(looks) * HOP_MS <= BEGIN_MS + ENOUGH_VOICED_MS


@pytest.mark.parametrize("seed", [3, 11])
def test_passing_over_a_piece_changes_nothing_behind_it(seed):
    said = speech.synthetic(0.6, RATE_HZ, seed=seed).pcm
    hops = [said[at : at + FRAME_BYTES] for at in range(0, len(said), FRAME_BYTES)][:-1]
    every, some = Voicing(RATE_HZ), Voicing(RATE_HZ)
    for number, hop in enumerate(hops):
        looked = every.look(hop)
        if number % 4 == 3:
            assert some.look(hop) == looked
        else:
            some.pass_over(hop)


@given(st.lists(st.binary(max_size=700), max_size=20))
def test_whatever_comes_it_answers(chunks):
    activity = VoiceActivity(RATE_HZ)
    for chunk in chunks:
        before = activity.active
        assert activity.hear(chunk) == (activity.active != before)
