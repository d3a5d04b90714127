"""The agent's voice on its way to the caller: kept until the line opens, then played out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.audio.formats import AudioFormat
from bridge.audio.pacer import Pacer
from bridge.audio.processor import Converter
from bridge.playout.base import Playout
from bridge.playout.heard import HeardPosition
from bridge.playout.stream import PlayoutStream
from bridge.providers.base import Audio

MAX_EARLY_BYTES = 24000 * 2 * 60
"""A greeting that waits for the line to open: one minute of L16 at 24 kHz."""


@dataclass(slots=True)
class VoiceCounters:
    """Sampled once a second; never touched by anyone else."""

    chunks: int = 0
    bytes: int = 0
    early_dropped_bytes: int = 0


class Voice:
    """One owner for all that the caller is to hear."""

    def __init__(
        self,
        pacer: Pacer,
        *,
        on_first_frame: Callable[[float, int], None],
        on_drained: Callable[[float], None],
    ) -> None:
        self.counters = VoiceCounters()
        self.playout: PlayoutStream | None = None
        self._pacer = pacer
        self._on_first_frame = on_first_frame
        self._on_drained = on_drained
        self._converter: Converter | None = None
        self._format: AudioFormat | None = None
        self._early: list[Audio] = []
        self._early_bytes = 0
        self._complete = False
        self._item_id = ""

    def open(self, converter: Converter, playout: Playout, generation: int, now: float) -> None:
        """The line is open: play what was kept."""
        self.close()
        self._converter = converter
        self._format = playout.format
        self.playout = PlayoutStream(playout, self._pacer)
        self.playout.on_first_frame = self._on_first_frame
        self.playout.on_drained = self._on_drained
        self.playout.begin(generation)
        early, self._early, self._early_bytes = self._early, [], 0
        for event in early:
            self.play(event, now)
        if self._complete:
            self.complete(now)

    def close(self) -> None:
        """The line is gone; nothing more is played."""
        if self.playout is not None:
            self.playout.close()
        self.playout = self._converter = None

    def play(self, event: Audio, now: float) -> bool:
        """Take audio in the provider's output format. True: first to be kept for the line."""
        self.counters.chunks += 1
        self.counters.bytes += len(event.data)
        self._item_id = event.item_id
        if self.playout is None or self._converter is None:
            return self._keep(event)
        self.playout.write(event.item_id, self._converter.convert(event.data), now)
        return False

    def complete(self, now: float) -> None:
        """The answer has no more audio."""
        self._complete = self.playout is None
        if self.playout is None or self._converter is None:
            return
        tail = self._converter.flush()
        if tail:
            self.playout.write(self._item_id, tail, now)
        self.playout.finish(now)

    def announce(self, data: bytes, audio_format: AudioFormat, now: float) -> bool:
        """Play local audio behind what is queued; False when the line is not open."""
        if self.playout is None or self._format is None:
            return False
        converter = Converter(audio_format, self._format)
        self.playout.write("", converter.convert(data) + converter.flush(), now)
        self.playout.finish(now)
        return True

    def clear(self, now: float) -> HeardPosition | None:
        """Silence at once. Returns what was being heard, None when nothing was."""
        self._early.clear()
        self._early_bytes, self._complete = 0, False
        position = self.playout.clear(now) if self.playout is not None else None
        if self._converter is not None:
            self._converter.reset()
        return position

    def begin(self, generation: int) -> None:
        """Audio from now on belongs to `generation`."""
        if self.playout is not None:
            self.playout.begin(generation)

    def keep_alive(self, now: float) -> None:
        """Called a few times a second: a frame of silence where the caller would get no RTP."""
        if self.playout is not None:
            self.playout.keep_alive(now)

    def idle(self, now: float) -> bool:
        """Everything has been heard, or can no longer be."""
        return self.playout is None or self.playout.idle(now)

    def _keep(self, event: Audio) -> bool:
        if self._early_bytes + len(event.data) > MAX_EARLY_BYTES:
            self.counters.early_dropped_bytes += len(event.data)
            return False
        self._early.append(event)
        self._early_bytes += len(event.data)
        return len(self._early) == 1
