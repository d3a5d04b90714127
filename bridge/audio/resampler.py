"""Streaming sample-rate conversion: chunked output equals whole output.

Between 8, 16 and 24 kHz the compiled core does it where it is there (`bridge.audio.core`), by a FIR
of its own: 3.0 ms of delay where the slower side has 8 kHz, 1.5 ms between 16 and 24. All else:

At most 8 ms are held back between the multiples of 8000 Hz that telephony uses, and less than 9 ms
at 22050 and 44100 Hz. The engine for each conversion was chosen by measured delay:

======================  =====================================  =======
rates                   stages                                 delay
======================  =====================================  =======
a factor of two         half-band FIR                          3.0 ms at 8 kHz, 1.0 ms at 24 kHz
8 kHz and 32, 40, …     half-band FIR by way of 16 kHz + soxr  at most 7.5 ms
everything else         soxr (8-24: 8.0 ms, 16-24: 4.0 ms)     at most 8.0 ms
======================  =====================================  =======
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from bridge.audio import core
from bridge.audio.half_band import Doubler, Halver
from bridge.audio.soxr_stage import SoxrStage
from bridge.errors import LocalProtocolError

MIN_RATE_HZ, MAX_RATE_HZ = 8000, 48000

USUAL_PAIRS = ((8000, 16000), (16000, 8000), (8000, 24000), (24000, 8000))
"""Enough audio to load every engine; see `warm_up`."""
COMPILED_PAIRS = frozenset(
    (a, b) for a in (8000, 16000, 24000) for b in (8000, 16000, 24000) if a != b
)
"""Rates the compiled core has a filter for."""


class Stage(Protocol):
    """One step of a conversion."""

    def process(self, data: bytes) -> bytes:
        """Convert whole samples; return the output that is ready."""

    def flush(self) -> bytes:
        """Return the rest of the output and begin a new signal."""

    def clear(self) -> None:
        """Drop the rest of the output and begin a new signal."""


class Resampler:
    """L16 mono from one rate to another, without a phase shift and without loss at the end."""

    def __init__(self, rate_in_hz: int, rate_out_hz: int) -> None:
        for rate_hz in (rate_in_hz, rate_out_hz):
            if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
                raise LocalProtocolError(f"no resampling from or to {rate_hz} Hz")
        self.rate_in_hz = rate_in_hz
        self.rate_out_hz = rate_out_hz
        self._stages = _stages(rate_in_hz, rate_out_hz)

    def process(self, data: bytes) -> bytes:
        """Convert whole samples; return the output that is ready."""
        for stage in self._stages:
            data = stage.process(data)
        return data

    def flush(self) -> bytes:
        """Return the rest of the output and begin a new signal.

        Altogether the output then has as many samples as the input had, times the rates' ratio,
        rounded in each stage (a half up).
        """
        data = b""
        for stage in self._stages:
            data = stage.process(data) + stage.flush()
        return data

    def clear(self) -> None:
        """Drop the rest of the output and begin a new signal."""
        for stage in self._stages:
            stage.clear()


def _stages(rate_in_hz: int, rate_out_hz: int) -> list[Stage]:
    if rate_in_hz == rate_out_hz:
        return []
    if rate_out_hz == 2 * rate_in_hz:
        return [Doubler()]
    if rate_in_hz == 2 * rate_out_hz:
        return [Halver()]
    if rate_in_hz == 8000 and rate_out_hz > 24000:
        return [Doubler(), *_stages(16000, rate_out_hz)]
    if rate_out_hz == 8000 and rate_in_hz > 24000:
        return [*_stages(rate_in_hz, 16000), Halver()]
    return [SoxrStage(rate_in_hz, rate_out_hz)]


def make_resampler(rate_in_hz: int, rate_out_hz: int) -> Stage:
    """The compiled one where there is one for these rates, or a `Resampler`."""
    if core.module is not None and (rate_in_hz, rate_out_hz) in COMPILED_PAIRS:
        compiled: Stage = core.module.Resampler(rate_in_hz, rate_out_hz)
        return compiled
    return Resampler(rate_in_hz, rate_out_hz)


def warm_up(pairs: Iterable[tuple[int, int]] = USUAL_PAIRS) -> None:
    """Run each conversion once, so that no call pays for loading and building tables."""
    for rate_in_hz, rate_out_hz in pairs:
        resampler = make_resampler(rate_in_hz, rate_out_hz)
        resampler.process(bytes(rate_in_hz // 50 * 2))
        resampler.flush()
