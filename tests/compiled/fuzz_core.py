"""The compiled core under AddressSanitizer and UBSan, beside its twins: `make fuzz-compiled`.

``python -m tests.compiled.fuzz_core SECONDS [SEED]`` in a process that has the sanitizers loaded.
Any difference is an `AssertionError`; what the sanitizers find ends the process.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

from bridge.audio import core
from bridge.audio.resampler import COMPILED_PAIRS
from bridge.audio.ring_buffer import RingBuffer, make_queue
from bridge.session.echo_levels import PythonLevels, make_levels
from bridge.session.kept_audio import PythonKept, make_kept
from bridge.session.voice_activity import COMPILED_RATES_HZ, VoiceActivity, make_activity
from bridge.wire.frames import BINARY, client_frame
from bridge.wire.whole_messages import whole_messages
from tests.compiled.twins import JSON, RAW, WAYS, Pair, activity_of, mostly_plain
from tests.unit.bridge.test_whole_messages import read

QUEUE_STEPS = ("write", "write", "read", "peek", "lately", "take_back", "forget", "clear")
ODDITIES: tuple[Any, ...] = (None, 0, -1, 1 << 40, "", b"", b"x", bytearray(4), [], b"\xff" * 70001)


def some_bytes(rng: random.Random) -> bytes:
    size = rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 100, 319, 320, 1023, 4096, 16384))
    kind = rng.random()
    if kind < 0.2:
        return bytes(size)
    if kind < 0.4:
        return b"\xff\x7f\x00\x80" * (size // 4)
    return rng.randbytes(size)


def samples(rng: random.Random) -> bytes:
    data = some_bytes(rng)
    return data[: len(data) & ~1]


def codecs(rng: random.Random) -> None:
    pair = Pair(*rng.choice(WAYS), rng.choice((JSON, RAW)))
    most = rng.choice((0, 1, 7, 4096, 40_000))
    for hearing in pair.hearings:
        hearing.kept.hold(most)
    for number in range(8):
        data = mostly_plain(rng) if rng.random() < 0.7 else some_bytes(rng)
        pair.take(data, 100 + number * 0.02, rng.random() < 0.2, rng.randbytes(4))
        pair.message(samples(rng), rng.randbytes(4))
    assert pair.hearings[0].kept.take() == pair.hearings[1].kept.take()


def reads(rng: random.Random) -> None:
    for data in (read(rng), some_bytes(rng)):
        assert core.module.whole_messages(data) == whole_messages(data)


def resamplers(rng: random.Random) -> None:
    """Cut anywhere is the same as whole."""
    pair = rng.choice(sorted(COMPILED_PAIRS))
    pieces = [samples(rng) for _ in range(rng.randrange(6))]
    cut, whole = core.module.Resampler(*pair), core.module.Resampler(*pair)
    for resampler in (cut, whole):
        if rng.random() < 0.5:
            resampler.process(samples(rng))
            resampler.clear()
    joined = b"".join(pieces)
    out = b"".join([cut.process(piece) for piece in pieces]) + cut.flush()
    assert out == whole.process(joined) + whole.flush()
    assert len(out) // 2 == int(len(joined) // 2 * pair[1] / pair[0] + 0.5)


def voices(rng: random.Random) -> None:
    rate_hz = rng.choice(sorted(COMPILED_RATES_HZ))
    compiled, twin = make_activity(rate_hz), VoiceActivity(rate_hz)
    for _ in range(6):
        data = samples(rng)
        assert compiled.hear(data) is twin.hear(data)
        hop = (data * 800)[: rate_hz // 50 * 2].ljust(rate_hz // 50 * 2, b"\0")
        assert compiled.hear(hop) is twin.hear(hop)
        assert activity_of(compiled) == activity_of(twin)


def memories(rng: random.Random) -> None:
    """What was sent, and the levels of what was played and heard."""
    kept, levels = (make_kept(), PythonKept()), (make_levels(), PythonLevels())
    for _ in range(12):
        data, size, now = samples(rng), rng.choice((0, 1, 5, 300, 9000)), rng.uniform(-5, 200)
        rate_hz, rms = rng.choice((8000, 16000, 48000)), rng.uniform(0, 40_000)
        for each in kept:
            if size % 2:
                each.hold(size)
            each.add(data)
        for one in levels:
            one.played(data[:8000], rate_hz, now)
            one.expect(size / 20_000, size % 31)
        assert levels[0].heard(rms, abs(now)) is levels[1].heard(rms, abs(now))
        assert len(kept[0]) == len(kept[1])
    assert kept[0].take() == kept[1].take()


def queues(rng: random.Random) -> None:
    """Audio that waits, and the end of what was read."""
    limit, keep, as_ulaw = rng.choice((0, 40, 3000)), rng.choice((0, 7, 900)), rng.random() < 0.5
    compiled = make_queue(limit, keep=keep, as_ulaw=as_ulaw)
    twin = RingBuffer(limit, keep=keep, as_ulaw=as_ulaw)
    for _ in range(30):
        name, size = rng.choice(QUEUE_STEPS), 2 * rng.choice((0, 1, 20, 255, 256, 1000))
        given = {"write": (rng.randbytes(size),), "forget": (), "clear": ()}.get(name, (size,))
        assert getattr(compiled, name)(*given) == getattr(twin, name)(*given)
        assert compiled.depth == twin.depth
    assert compiled.lately(5000) == twin.lately(5000)


def strangers(rng: random.Random) -> None:
    """Arguments of all kinds: an error, or an object that works."""
    made = core.module

    def odd() -> Any:
        return rng.choice(ODDITIES)

    pair = Pair(*rng.choice(WAYS), JSON)
    codec, hearing = pair.codecs[0], pair.hearings[0]
    for call in (
        lambda: made.Resampler(odd(), odd()),
        lambda: made.VoiceActivity(odd(), odd(), odd()),
        lambda: made.UplinkCodec(odd(), odd(), odd(), odd(), odd(), odd(), odd(), odd(), odd()),
        lambda: made.UplinkCodec(None, bytes(1 << 14), b"h", b"t", odd(), 0, *hearing).take(
            client_frame(BINARY, b"ab", b"mask"), 1.0, False, b"mask"
        ),
        lambda: made.UplinkCodec.__new__(made.UplinkCodec),
        lambda: made.Resampler(8000, 16000).process(odd()),
        lambda: codec.take(odd(), odd(), odd(), odd()),
        lambda: hearing.activity.hear(odd(), odd(), odd()),
        lambda: hearing.levels.played(odd(), odd(), odd()),
        lambda: hearing.levels.heard(odd(), odd()),
        lambda: hearing.levels.expect(odd(), odd()),
        lambda: hearing.levels.both(odd()),
        lambda: hearing.levels.lately(odd()),
        lambda: hearing.kept.hold(odd()),
        lambda: hearing.kept.add(odd()),
        lambda: made.RingBuffer(odd(), odd(), odd()),
        lambda: made.RingBuffer(100, 50, True).write(odd()),
        lambda: made.RingBuffer(100, 50, False).take_back(odd()),
        lambda: made.RingBuffer(100, 50, False).read(odd()),
        lambda: made.whole_messages(odd()),
    ):
        try:
            call()
        except (TypeError, ValueError, OverflowError):
            continue


def main(seconds: float, seed: int) -> None:
    assert core.module is not None, "the compiled core is not there"
    until, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        rng = random.Random(seed + rounds)
        for target in (codecs, reads, resamplers, voices, memories, queues, strangers):
            target(rng)
        rounds += 1
    print(f"{rounds} passed, 0 failed")  # as a test runner's last line


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
