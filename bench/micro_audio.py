"""CPU time of the audio path, step by step: `python bench/micro_audio.py`.

Best of several rounds, microseconds for each 20 ms of one call's audio.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from bridge.audio.formats import (
    L16_8K,
    L16_16K,
    L16_24K,
    L16_48K,
    PCMA_8K,
    PCMU_8K,
    AudioFormat,
)
from bridge.audio.pacer import Pacer
from bridge.audio.processor import Converter
from bridge.audio.ring_buffer import make_queue
from bridge.playout.base import PlayoutSinks
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.playout.registry import make_playout
from bridge.playout.stream import PlayoutStream
from bridge.session.floor import Floor

ROUNDS = 9
CALLS = 1000
STREAMS = 100
SECONDS = 4
CONVERSIONS = [
    (PCMU_8K, PCMU_8K),
    (L16_8K, PCMU_8K),
    (PCMU_8K, L16_8K),
    (PCMU_8K, PCMA_8K),
    (L16_16K, L16_24K),
    (L16_24K, L16_16K),
    (L16_24K, L16_8K),
    (L16_24K, PCMU_8K),
    (PCMU_8K, L16_24K),
    (L16_16K, L16_8K),
    (L16_8K, L16_16K),
    (L16_24K, L16_48K),
]


def best_us(work: Callable[[], object], calls: int = CALLS) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(calls):
            work()
        best = min(best, time.process_time() - begin)
    return best / calls * 1e6


def sound(fmt: AudioFormat, ms: int) -> bytes:
    """Noise: companding and resampling cost the same whatever it is."""
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, fmt.bytes_for_ms(ms), np.uint8).tobytes()


def conversions() -> dict[str, float]:
    rows = {}
    for source, target in CONVERSIONS:
        converter, frame, delta = Converter(source, target), sound(source, 20), sound(source, 100)
        name = f"{source} to {target}"
        rows[f"{name}, one frame"] = best_us(partial(converter.convert, frame))
        rows[f"{name}, in 100 ms"] = best_us(partial(converter.convert, delta)) / 5
    return rows


def rings() -> dict[str, float]:
    """Five frames read of each 100 ms written, as a provider's answer is."""
    delta, frame = sound(L16_16K, 100), L16_16K.bytes_per_frame
    ring = make_queue(10 * len(delta))

    def work() -> None:
        ring.write(delta)
        for _ in range(5):
            ring.read(frame)

    return {"ring buffer, write and read": best_us(work) / 5}


def playing(mode: PlayoutMode, flavour: Flavour, fmt: AudioFormat) -> float:
    """Pacer, stream, playout and message for each frame; the sinks take it and do nothing."""
    ignore: Callable[..., None] = lambda *_: None  # noqa: E731
    sinks = PlayoutSinks(ignore, ignore, ignore, ignore, ignore, ignore)
    answer, best = sound(fmt, SECONDS * 1000), float("inf")
    for _ in range(3):
        pacer = Pacer()
        streams = [
            PlayoutStream(make_playout(mode, flavour, fmt, sinks), pacer) for _ in range(STREAMS)
        ]
        for number, stream in enumerate(streams):
            stream.write("item", answer, number * 0.0002)
            stream.finish(number * 0.0002)
        begin = time.process_time()
        while (deadline := pacer.next_deadline()) is not None:
            pacer.tick(deadline)
        best = min(best, time.process_time() - begin)
    return best / (STREAMS * SECONDS * 50) * 1e6


def playouts() -> dict[str, float]:
    return {
        f"play by {mode.value} ({flavour.value}), {fmt}": playing(mode, flavour, fmt)
        for mode, flavour, fmt in (
            (PlayoutMode.UNICAST, Flavour.OPEN, L16_8K),
            (PlayoutMode.UNICAST, Flavour.OPEN, L16_16K),
            (PlayoutMode.BINARY, Flavour.JAMBONZ, L16_16K),
            (PlayoutMode.JSON, Flavour.VOXCOM_US, L16_16K),
            (PlayoutMode.FILE, Flavour.OPEN, L16_16K),
        )
    }


def others() -> dict[str, float]:
    floor, clock = Floor(), itertools.count()
    floor.response_started("r")
    return {
        "floor, one message of audio": best_us(lambda: floor.audio("r", next(clock))),
    }


def main() -> None:
    for rows in (conversions(), rings(), playouts(), others()):
        for name, cost_us in rows.items():
            print(f"{cost_us:8.2f} us  {name}")
        print()


if __name__ == "__main__":
    main()
