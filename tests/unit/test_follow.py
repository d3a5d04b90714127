"""How the telephones of the tests judge a sound that a codec has changed."""

import numpy as np
import pytest

from tests.integration.follow import Piece, Samples, follow
from tests.integration.telephones import gliding

PTIME_MS = 20


def voice() -> Samples:
    """A second and a half at 8 kHz, from the emulator's 24 kHz."""
    return np.frombuffer(gliding("Good morning, how can I"), "<i2").astype(np.float64)[:36000:3]


def pieces(sound: Samples) -> list[Piece]:
    """Packets of it, in time and a little noisy."""
    noisy = sound + np.random.default_rng(1).normal(0, 60, len(sound))
    data, size = noisy.astype("<i2").tobytes(), 8 * PTIME_MS * 2
    cut = [data[at : at + size] for at in range(0, len(data), size)]
    return [Piece(10 + n * PTIME_MS / 1000, one, 8000) for n, one in enumerate(cut)]


def heard(*parts: Samples) -> tuple[float, float]:
    found = follow(pieces(np.concatenate([np.zeros(1600), *parts, np.zeros(1600)])), voice())
    return found.lost_ms, found.doubled_ms


def test_a_sound_that_came_whole() -> None:
    assert heard(voice()) == (0.0, 0.0)


def test_a_part_that_is_missing_and_one_that_came_twice() -> None:
    sound = voice()
    assert heard(sound[:4400], sound[4800:]) == (pytest.approx(50, abs=1), 0.0)
    assert heard(sound[:4400], sound[4000:]) == (0.0, pytest.approx(50, abs=1))


def test_a_beginning_that_was_broken_off_and_said_again() -> None:
    sound = voice()
    for so_far in (1200, 1440):
        lost_ms, doubled_ms = heard(sound[:so_far], np.zeros(640), sound[so_far - 640 :])
        assert lost_ms == 0.0
        assert doubled_ms == pytest.approx(80, abs=20)


@pytest.mark.parametrize("so_far", [400, 560, 720])
def test_a_beginning_of_two_packets_before_a_hole_is_not_missing(so_far: int) -> None:
    """What FreeSWITCH had played when it corrected the packet time, 80 ms of which counted as lost
    in one run of two."""
    sound = voice()
    begins = int(np.flatnonzero(np.abs(sound) > 300)[0])
    lost_ms, _ = heard(sound[: begins + so_far], np.zeros(960), sound[begins + so_far :])
    assert lost_ms == 0.0


def test_a_beginning_that_never_came_is_missing() -> None:
    lost_ms, doubled_ms = heard(voice()[1600:])
    assert lost_ms == pytest.approx(200, abs=20)
    assert doubled_ms == 0.0


def test_silence_between_is_a_hole_and_not_twice() -> None:
    sound = np.concatenate([np.zeros(1600), voice()[:6000], np.zeros(2400), voice()[6000:]])
    found = follow(pieces(sound), voice())
    assert (found.lost_ms, found.doubled_ms) == (0.0, pytest.approx(0, abs=20))
    assert found.largest_gap_ms == pytest.approx(300, abs=20)


def test_what_is_missing_before_a_longer_silence_is_missing() -> None:
    sound = voice()
    lost_ms, doubled_ms = heard(sound[:4000], np.zeros(1600), sound[4800:])
    assert lost_ms == pytest.approx(100, abs=20)
    assert doubled_ms == 0.0


def test_silence_in_its_place_is_missing() -> None:
    sound = voice()
    lost_ms, doubled_ms = heard(sound[:4000], np.zeros(1600), sound[5600:])
    assert lost_ms == pytest.approx(200, abs=60)
    assert doubled_ms == 0.0


def test_a_sound_that_never_came() -> None:
    found = follow(pieces(np.zeros(8000)), voice())
    assert found.lost_ms > 1000


def test_an_end_that_is_hard_to_know_again_with_nothing_behind_it() -> None:
    """What came ends sooner than all that is looked for, of which the end is silence."""
    sound = voice()
    wanted = np.concatenate([sound, np.zeros(2400)])
    unlike = sound.copy()
    unlike[-1600:] += np.random.default_rng(2).normal(0, 1500, 1600)
    found = follow(pieces(np.concatenate([np.zeros(1600), unlike])), wanted)
    assert (found.lost_ms, found.doubled_ms) == (0.0, 0.0)


def test_an_end_that_another_codec_has_changed_is_not_missing() -> None:
    sound = voice()
    unlike = sound.copy()
    level = float(np.sqrt(np.mean(sound[-3200:] ** 2)))
    unlike[-1600:] += np.random.default_rng(4).normal(0, 0.8 * level, 1600)
    found = follow(pieces(np.concatenate([np.zeros(1600), unlike, np.zeros(1600)])), sound)
    assert (found.lost_ms, found.doubled_ms) == (0.0, 0.0)
    broken_off = np.concatenate([np.zeros(1600), sound[:-1600], np.zeros(3200)])
    assert follow(pieces(broken_off), sound).lost_ms == pytest.approx(200, abs=60)
