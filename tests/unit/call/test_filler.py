"""FreeSWITCH's silence between packets that are longer than it believes."""

import pytest

from esl_controller.calls.filler import Filler

TICK, FILL = 1920, b"\xff" * 1920


def passed(*came: bytes) -> list[int]:
    """Lengths of what is handed on."""
    filler = Filler()
    return [len(data) for data in came if not filler.takes(data)]


@pytest.mark.parametrize("packets", [2, 3])
def test_of_longer_packets_only_the_sound_is_handed_on(packets: int) -> None:
    sound = bytes(TICK * packets)
    cycle = [sound, *[FILL] * (packets - 1)]
    not_known_yet = [TICK] * (packets - 1)  # how long FreeSWITCH believes them to be
    assert passed(*cycle * 3) == [len(sound), *not_known_yet, len(sound), len(sound)]


def test_a_caller_who_sends_nothing_is_silent() -> None:
    assert passed(*[FILL] * 5) == [TICK] * 5
    assert passed(FILL, bytes(TICK), *[FILL] * 3) == [TICK] * 5
    assert passed(FILL, bytes(2 * TICK), *[FILL] * 3) == [TICK, 2 * TICK, TICK, TICK]


def test_sound_that_begins_alike_is_no_filler() -> None:
    almost = FILL[:-2] + b"\x00\x01"
    assert passed(FILL, bytes(2 * TICK), almost) == [TICK, 2 * TICK, TICK]
    assert passed(b"") == [0]
