"""`python -m bench.resampling`: the filters of the usual rates, compiled and in Python.

What each costs, how long it holds audio back, how flat its band is, what folds or mirrors into it,
and what is left of a voice after a way there and back (PESQ, with the extra `bench`).
"""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import psutil
import soxr
from numpy.typing import NDArray

from bench.resampling_plot import Curve, plot
from bridge.audio import core
from bridge.audio.resampler import COMPILED_PAIRS, Resampler, Stage
from esl_controller.simulator.speech import RECORDINGS, recording
from esl_controller.simulator.switch.sound import RateConverter

Signal = NDArray[np.float64]
Make = Callable[[int, int], Stage]

PAIRS = sorted(COMPILED_PAIRS)
LEVEL = 30000
TONES = 30
STREAMS = 2000


@dataclass(frozen=True, slots=True)
class Figures:
    """One engine between two rates."""

    us: float
    """CPU for 20 ms, the best of many."""
    delay_ms: float
    """The longest that samples are held back."""
    ripple_db: float
    """Largest deviation in the band."""
    beyond_db: float
    """Loudest thing that is made of a tone beyond the edge; of one that passes, its images."""
    snr_db: float
    """Of tones in the band, the worst."""
    kb: float
    """Memory of one stream."""


def band_hz(pair: tuple[int, int]) -> int:
    """What a telephone passes at the slower of the two rates."""
    return 3400 if 8000 in pair else 6500


def convert(stage: Stage, samples: Signal) -> Signal:
    """All of it, without the edges, where the filter meets silence."""
    data = samples.round().clip(-32768, 32767).astype("<i2").tobytes()
    out = np.frombuffer(stage.process(data) + stage.flush(), "<i2").astype(float)
    return out[len(out) // 8 : -len(out) // 8]


def tone(rate_hz: int, hz: float) -> Signal:
    """Half a second, near full scale."""
    return np.asarray(LEVEL * np.sin(2 * np.pi * hz * np.arange(rate_hz // 2) / rate_hz))


def passed(out: Signal, rate_hz: int, hz: float) -> tuple[float, float]:
    """Gain of a tone, and its ratio to all else, in dB."""
    t = np.arange(len(out)) / rate_hz
    basis = np.stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t)], axis=1)
    weights = np.linalg.lstsq(basis, out, rcond=None)[0]
    kept = basis @ weights
    gain = 20 * np.log10(max(float(np.hypot(*weights)), 1e-9) / LEVEL)
    return float(gain), float(10 * np.log10(kept.var() / (out - kept).var()))


def level_db(out: Signal) -> float:
    """Against a tone of `LEVEL`."""
    rms = float(np.sqrt((out**2).mean()))
    return 20 * float(np.log10(max(rms, 1e-3) / (LEVEL / np.sqrt(2))))


def cost_us(stage: Stage, rate_hz: int) -> float:
    """CPU of one piece of 20 ms: the best of many, as the machine has other work too."""
    frame = np.random.default_rng(1).integers(-9000, 9000, rate_hz // 50).astype("<i2").tobytes()
    best = float("inf")
    for _ in range(2000):
        begin = time.perf_counter_ns()
        for _ in range(10):
            stage.process(frame)
        best = min(best, time.perf_counter_ns() - begin)
    return best / 10 / 1000


def delay_ms(stage: Stage, pair: tuple[int, int]) -> float:
    """Counted in samples, not by a clock."""
    frame, worst, made = bytes(pair[0] // 50 * 2), 0.0, 0
    for number in range(1, 50):
        made += len(stage.process(frame)) // 2
        worst = max(worst, number * 20 - made / pair[1] * 1000)
    return worst


def memory_kb(make: Make, pair: tuple[int, int]) -> float:
    """What the process grows by, for each of many streams that have begun."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # glibc: what was freed is not to be used again unseen
    process, frame = psutil.Process(), bytes(pair[0] // 50 * 2)
    before, streams = process.memory_info().rss, []
    for _ in range(STREAMS):
        streams.append(make(*pair))
        streams[-1].process(frame)
    return (process.memory_info().rss - before) / 1024 / STREAMS


def measure(make: Make, pair: tuple[int, int]) -> Figures:
    """One engine between two rates."""
    rate_in, rate_out = pair
    in_band = [
        passed(convert(make(*pair), tone(rate_in, hz)), rate_out, hz)
        for hz in np.linspace(111, band_hz(pair), TONES)
    ]
    return Figures(
        cost_us(make(*pair), rate_in),
        delay_ms(make(*pair), pair),
        max(abs(gain) for gain, _ in in_band),
        max(beyond(make, pair)),
        min(ratio for _, ratio in in_band),
        memory_kb(make, pair),
    )


def beyond(make: Make, pair: tuple[int, int]) -> Iterable[float]:
    """Down: tones that cannot be kept. Up: what a tone of the band leaves above the lower edge."""
    rate_in, rate_out = pair
    if rate_in > rate_out:
        for hz in np.linspace(rate_out / 2, rate_in / 2 - 50, TONES):
            yield level_db(convert(make(*pair), tone(rate_in, hz)))
        return
    for hz in np.linspace(111, band_hz(pair), TONES):
        out = convert(make(*pair), tone(rate_in, hz))
        spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
        above = int(len(out) * rate_in / 2 / rate_out)
        yield 20 * float(np.log10(spectrum[above:].max() / spectrum.max()))


def response(make: Make, pair: tuple[int, int]) -> Curve:
    """What comes out of a tone, in dB, by its frequency: all of it, folded or not."""
    tones = np.linspace(60, pair[0] / 2 - 40, 110)
    levels = [level_db(convert(make(*pair), tone(pair[0], hz))) for hz in tones]
    return [(float(hz), level) for hz, level in zip(tones, levels, strict=True)]


# --- voices ---------------------------------------------------------------------------------------


def whole(stage: Stage, pcm: bytes) -> bytes:
    """All of it, to its end."""
    return stage.process(pcm) + stage.flush()


def there_and_back(make: Make, near: int, far: int) -> float | None:
    """PESQ of recorded voices that went to the other rate and back."""
    return score(near, near, lambda pcm: (pcm, whole(make(far, near), whole(make(near, far), pcm))))


def against_the_best(make: Make, far: int, near: int) -> float | None:
    """PESQ of recorded voices brought to a lower rate, against soxr's best quality, which waits for
    the whole of them."""

    def both(pcm: bytes) -> tuple[bytes, bytes]:
        best = soxr.resample(np.frombuffer(pcm, "<i2"), far, near, "VHQ")
        return best.astype("<i2").tobytes(), whole(make(far, near), pcm)

    return score(near, far, both)


def score(
    rate_hz: int, recorded_hz: int, both: Callable[[bytes], tuple[bytes, bytes]]
) -> float | None:
    """Mean opinion score of the second against the first, over all recordings (ITU-T P.862)."""
    try:
        from pesq import pesq
    except ImportError:
        return None
    scores = []
    for clip in map(recording, RECORDINGS):
        pcm = RateConverter(clip.rate_hz, recorded_hz).convert(clip.pcm)
        before, after = (np.frombuffer(data, "<i2") for data in both(pcm))
        count = min(len(before), len(after))
        mode = "nb" if rate_hz == 8000 else "wb"
        scores.append(float(pesq(rate_hz, before[:count], after[:count], mode)))
    return sum(scores) / len(scores)


VOICES = {
    "there and back": (there_and_back, ((8000, 16000), (8000, 24000), (16000, 24000))),
    "against soxr VHQ": (against_the_best, ((16000, 8000), (24000, 8000), (24000, 16000))),
}


def engines() -> dict[str, Make]:
    """Those that can be measured here."""
    made: dict[str, Make] = {"python": Resampler}
    if core.module is not None:
        made["compiled"] = core.module.Resampler
    return made


@click.command()
@click.option("--svg", type=click.Path(path_type=Path), help="Draw what passes into this file.")
def main(svg: Path | None) -> None:
    """Measure the resamplers of the usual rates."""
    if core.module is None:
        click.echo("The compiled core is not installed: `make compiled` says how.")
    click.echo(f"{'':24}{'us':>7}{'ms':>7}{'band':>8}{'beyond':>8}{'SNR':>7}{'kB':>7}")
    for pair in PAIRS:
        for name, make in engines().items():
            f = measure(make, pair)
            click.echo(
                f"{pair[0]:>6} to {pair[1]:<6}{name:>8}{f.us:7.2f}{f.delay_ms:7.2f}"
                f"{f.ripple_db:8.3f}{f.beyond_db:8.1f}{f.snr_db:7.1f}{f.kb:7.1f}"
            )
    for title, (way, pairs) in VOICES.items():
        click.echo(f"\nPESQ of {len(RECORDINGS)} recorded voices, {title}")
        for pair in pairs:
            for name, make in engines().items():
                found = way(make, *pair)
                told = "not known without the extra `bench`" if found is None else f"{found:.3f}"
                click.echo(f"{pair[0]:>6} to {pair[1]:<6}{name:>8}  {told}")
    if svg is not None:
        curves = {
            pair: {name: response(make, pair) for name, make in engines().items()} for pair in PAIRS
        }
        svg.write_text(plot(curves))
        click.echo(f"{svg} written")


if __name__ == "__main__":
    main()
