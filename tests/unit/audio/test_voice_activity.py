"""Whether a voice is in the caller's audio, by its level."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.session.voice_activity import BEGIN_MS, END_MS, LOUD_RMS, VoiceActivity

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


@given(st.lists(st.binary(max_size=700), max_size=20))
def test_whatever_comes_it_answers(chunks):
    activity = VoiceActivity(RATE_HZ)
    for chunk in chunks:
        before = activity.active
        assert activity.hear(chunk) == (activity.active != before)
