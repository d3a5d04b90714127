"""A read of nothing but whole messages is split as the frame parser splits it."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.wire.frames import FrameLimits, FrameParser, Role, server_frame
from bridge.wire.whole_messages import whole_messages

LIMITS = FrameLimits(validate_text=False)


def read(rng: random.Random) -> bytes:
    """A read of a provider's link, sometimes cut or broken."""
    sizes = (0, 1, 125, 126, 127, 300, 65535, 65536)
    data = b"".join(
        server_frame(rng.choice((1, 1, 1, 2, 2, 9, 0, 8)), rng.randbytes(rng.choice(sizes)))
        for _ in range(rng.choice((1, 1, 2, 3)))
    )
    if rng.random() < 0.4:
        data = data[: rng.randrange(len(data) + 1)]
    if data and rng.random() < 0.2:
        at = min(rng.randrange(6), len(data) - 1)
        data = data[:at] + rng.randbytes(1) + data[at + 1 :]
    return data


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 32))
def test_what_is_split_is_what_the_parser_finds(seed: int) -> None:
    data = read(random.Random(seed))
    found = whole_messages(data)
    if found is not None:
        parser = FrameParser(Role.CLIENT, LIMITS)
        assert found == [payload for _, payload in parser.receive_data(data)]
        assert parser.at_boundary


def test_whole_data_frames_are_split() -> None:
    for size in (0, 125, 126, 65535):
        frame = server_frame(1, bytes(size))
        assert whole_messages(frame + server_frame(2, b"x")) == [bytes(size), b"x"]
        assert whole_messages(frame[:-1] if size else frame[:1]) is None
    assert whole_messages(server_frame(9, b"ping")) is None
