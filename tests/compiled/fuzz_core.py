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
from bridge.session.voicing import COMPILED_RATES_HZ, Voicing, make_voicing
from bridge.wire.whole_messages import whole_messages
from tests.compiled.twins import JSON, RAW, WAYS, both, mostly_plain
from tests.unit.bridge.test_whole_messages import read

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
    compiled, twin = both(*rng.choice(WAYS), rng.choice((JSON, RAW)))
    for _ in range(8):
        data = mostly_plain(rng) if rng.random() < 0.7 else some_bytes(rng)
        assert compiled.feed(data) == twin.feed(data)
        audio, key = samples(rng), rng.randbytes(4)
        assert compiled.frame(audio, key) == twin.frame(audio, key)


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
    compiled, twin = make_voicing(rate_hz), Voicing(rate_hz)
    for _ in range(6):
        hop = (samples(rng) * 800)[: rate_hz // 50 * 2].ljust(rate_hz // 50 * 2, b"\0")
        if rng.random() < 0.3:
            compiled.skip(hop)
            twin.skip(hop)
        elif rng.random() < 0.2:
            compiled.pass_over(hop)
            twin.pass_over(hop)
        assert compiled.look(hop) is twin.look(hop)


def strangers(rng: random.Random) -> None:
    """Arguments of all kinds: an error, or an object that works."""
    made = core.module

    def odd() -> Any:
        return rng.choice(ODDITIES)

    compiled, _ = both(*rng.choice(WAYS), JSON)
    for call in (
        lambda: made.Resampler(odd(), odd()),
        lambda: made.Voicing(odd()),
        lambda: made.UplinkCodec(odd(), odd(), odd(), odd(), odd(), odd()).frame(b"ab", b"mask"),
        lambda: made.UplinkCodec(None, bytes(1 << 14), b"h", b"t", odd(), 0).frame(b"ab", b"mask"),
        lambda: made.UplinkCodec.__new__(made.UplinkCodec),
        lambda: made.Resampler(8000, 16000).process(odd()),
        lambda: compiled.feed(odd()),
        lambda: compiled.frame(odd(), odd()),
        lambda: made.Voicing(8000).look(odd()),
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
        for target in (codecs, reads, resamplers, voices, strangers):
            target(rng)
        rounds += 1
    print(f"{rounds} passed, 0 failed")  # as a test runner's last line


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
