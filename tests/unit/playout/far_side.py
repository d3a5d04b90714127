"""A far end that plays what it is given, and knows by itself what the caller has heard."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.audio.formats import L16_8K, AudioFormat
from bridge.audio.pacer import Pacer
from bridge.playout.base import Fade


@dataclass
class FarSide:
    """A playout that notes everything; hearing is worked out from the arrivals alone."""

    format: AudioFormat = L16_8K
    frame_ms: int = 20
    first_chunk_ms: int = 20
    chunk_ms: int = 20
    lead_ms: int = 60
    margin_ms: tuple[int, int] | None = None
    begins: Callable[[float], float] | None = None
    tail_padding_ms: int = 0
    latency_ms: int = 0
    recalls: bool = True
    silence_every_s: float | None = None
    fade: Fade = Fade.NONE
    now: float = 0.0
    played: list[tuple[float, bytes, int]] = field(default_factory=list)
    cleared: list[tuple[float, int]] = field(default_factory=list)
    heard_from: list[tuple[float, int]] = field(default_factory=list)
    """Moment at which a chunk begins to be heard, and its length in bytes."""
    supply_until: float = -1.0

    def play(self, chunk: bytes, generation: int) -> None:
        self.played.append((self.now, chunk, generation))
        begin = max(self.now, self.supply_until)
        self.supply_until = begin + len(chunk) / self.rate
        self.heard_from.append((begin + self.latency_ms / 1000, len(chunk)))

    def clear(self, generation: int, now: float) -> None:
        self.cleared.append((now, generation))
        if self.recalls:
            self.heard_from = [
                (begin, max(0, min(size, round((now - begin) * self.rate))))
                for begin, size in self.heard_from
            ]
            self.supply_until = now

    @property
    def rate(self) -> int:
        return self.format.rate_hz * self.format.bytes_per_sample

    def heard_bytes(self, now: float) -> int:
        """All that the caller has heard by `now`."""
        parts = [max(0.0, min(size, (now - at) * self.rate)) for at, size in self.heard_from]
        return round(sum(parts))

    @property
    def sound(self) -> bytes:
        return b"".join(chunk for _, chunk, _ in self.played)

    @property
    def times_ms(self) -> list[int]:
        return [round(at * 1000) for at, _, _ in self.played]


def advance(pacer: Pacer, far: FarSide, until: float, late_s: float = 0.0) -> None:
    """A clock that ticks at each deadline, `late_s` behind it."""
    while (deadline := pacer.next_deadline()) is not None and deadline + late_s <= until:
        far.now = max(far.now, deadline + late_s)
        pacer.tick(far.now)
    far.now = max(far.now, until)


_COUNTED = {
    size: b"".join((n % 30011 + 1).to_bytes(2, "little")[:size] for n in range(60_000))
    for size in (1, 2)
}


def speech(fmt: AudioFormat, ms: int, first: int = 0) -> bytes:
    """`ms` of samples that can be told apart."""
    size = fmt.bytes_per_sample
    start = first % 30011 * size
    return _COUNTED[size][start : start + fmt.bytes_for_ms(ms)]
