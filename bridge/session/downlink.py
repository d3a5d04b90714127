"""The agent's way to the caller: kept until the line opens, then played out, and followed.

It knows which items of the conversation are being played or queued, and so how much of each the
caller has heard when it is cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bridge.audio.formats import AudioFormat
from bridge.audio.pacer import Pacer
from bridge.audio.pcm import audioop
from bridge.audio.processor import Converter
from bridge.playout.base import Playout
from bridge.playout.heard import HeardUntil
from bridge.playout.stream import PlayoutStream

MAX_EARLY_BYTES = 24000 * 2 * 60
"""A greeting that waits for the line to open: one minute of L16 at 24 kHz."""
NO_SOUND = 16
"""Largest sample of silence: A-law's smallest value is 8."""
SOUNDLESS_MS = 3000
"""An answer that begins with so much silence is none, and one that goes on with it is over."""
MAX_SILENCE_MS = 800
"""Of silence in a row that is played inside an answer; none of it before the first sound. What is
more is a wait as any other."""
MAX_SPANS = 256


@dataclass(slots=True)
class DownlinkCounters:
    """Sampled once a second; never touched by anyone else."""

    chunks: int = 0
    early_dropped_bytes: int = 0


class ItemHeard(NamedTuple):
    """How much of one item was heard before it was cut, in milliseconds."""

    item_id: str
    heard_ms: int
    total_ms: int
    """How much of it there was; 0: none of it was played."""

    @property
    def whole(self) -> bool:
        """All there was has been heard."""
        return 0 < self.total_ms <= self.heard_ms


class _Span:
    """A stretch of audio of one item; empty: our own."""

    __slots__ = ("bytes", "item_id", "key")

    def __init__(self, item_id: str, key: str) -> None:
        self.item_id = item_id
        self.key = key
        """Its name in the playout: an item that goes on behind a phrase has two of them."""
        self.bytes = 0


class _Early(NamedTuple):
    item_id: str
    data: bytes
    source: AudioFormat


@dataclass(frozen=True, slots=True)
class DownlinkListener:
    """What the downlink tells. Called on the hub."""

    on_first_frame: Callable[[float, int], None]
    """An answer's first audio left at `now`; it is heard after so many milliseconds."""
    on_drained: Callable[[float], None]
    """All that was finished has been heard."""
    on_sound: Callable[[float], None]
    """The answer can be heard: told once for each."""
    on_soundless: Callable[[float], None]
    """The answer has been silence for `SOUNDLESS_MS`: told once for each silence."""
    on_withheld: Callable[[], None]
    """It has been so for `MAX_SILENCE_MS`, and the rest of it is not played."""
    on_full: Callable[[str, int, float], None]
    """The queue is full; of this item so many milliseconds were kept."""


class Downlink:
    """One owner for all that the caller is to hear."""

    def __init__(self, pacer: Pacer, listener: DownlinkListener) -> None:
        self.counters = DownlinkCounters()
        self.playout: PlayoutStream | None = None
        self.sounded = True
        """Something of the answer under way could be heard, or might be: nobody has looked."""
        self._pacer = pacer
        self._tell = listener
        self._source: AudioFormat | None = None
        self._format: AudioFormat | None = None
        self._frame_bytes = 1
        self._converter: Converter | None = None
        self._early: list[_Early] = []
        self._early_bytes = 0
        self._complete = False
        self._answering = False
        """More of the answer may come."""
        self._spans: list[_Span] = []
        self._keys = 0
        self._silent_bytes = 0
        """In a row, at the end of what came of the answer."""
        self._max_silent_bytes = self._soundless_bytes = 0
        self._withheld = ""
        """The item that came last without any sound."""
        self._before_ms: dict[str, int] = {}
        """Heard of each item on a line before this one."""

    # --- the line -------------------------------------------------------------------------------

    def open(
        self,
        playout: Playout,
        generation: int,
        now: float,
        on_sent: Callable[[bytes, int, float], None] | None = None,
    ) -> None:
        """The line is open: play what was kept. `on_sent`: see `PlayoutStream`."""
        self.close()
        self._format = playout.format
        self._frame_bytes = playout.format.bytes_for_ms(playout.frame_ms)
        self._max_silent_bytes = playout.format.bytes_for_ms(MAX_SILENCE_MS)
        self._soundless_bytes = playout.format.bytes_for_ms(SOUNDLESS_MS)
        self.playout = PlayoutStream(playout, self._pacer)
        self.playout.on_first_frame = self._tell.on_first_frame
        self.playout.on_drained = self._on_drained
        self.playout.on_sent = on_sent
        self.playout.begin(generation)
        source = self._source
        early, self._early, self._early_bytes = self._early, [], 0
        for item_id, data, early_source in early:
            self._go_on_in(early_source, now)
            self._write(item_id, data, now)
        if source is not None:
            self._go_on_in(source, now)
        if self._complete:
            self.complete(now)

    def suspend(self, heard_until: HeardUntil, now: float) -> None:
        """The line is gone; what was not heard by then, or now, is played on the next one."""
        if self.playout is None or self._format is None:
            return
        spans, source = self._spans, self._format
        pieces = self.playout.give_back(heard_until, now)
        unheard = dict.fromkeys((span.key for span in spans), 0)
        for key, data in pieces:
            unheard[key] = unheard.get(key, 0) + len(data)
        for span in spans:
            heard_ms = self._ms(span.bytes - unheard[span.key])
            self._before_ms[span.item_id] = self._before_ms.get(span.item_id, 0) + heard_ms
        items = {span.key: span.item_id for span in spans}
        if self._converter is not None and spans and (tail := self._converter.flush()):
            pieces.append((spans[-1].key, tail))
        self._early = [_Early(items.get(key, ""), data, source) for key, data in pieces]
        self._early_bytes = sum(len(piece.data) for piece in self._early)
        self._complete = bool(spans) and not self._answering
        self.close()

    def close(self) -> None:
        """The line is gone; nothing more is played."""
        if self.playout is not None:
            self.playout.close()
        self.playout = self._format = self._converter = None
        self._spans.clear()

    def speak(self, source: AudioFormat) -> None:
        """What the provider gives."""
        if source != self._source or self._converter is None:
            self._source = source
            self._converter = Converter(source, self._format) if self._format else None

    def _go_on_in(self, source: AudioFormat, now: float) -> None:
        """What comes next is in this format; the end of what came before is not lost."""
        if self._converter is not None and source != self._source and self._spans:
            self._queue(self._spans[-1].item_id, self._converter.flush(), now)
        self.speak(source)

    # --- the agent ------------------------------------------------------------------------------

    def begin_answer(self) -> None:
        """An answer begins: listen whether it has sound."""
        self.sounded, self._silent_bytes, self._answering = False, 0, True

    def play(self, item_id: str, data: bytes, now: float) -> bool:
        """Take audio in the provider's format. True: first to be kept for the line."""
        self.counters.chunks += 1
        if self.playout is None:
            return self._keep(item_id, data)
        self._write(item_id, data, now)
        return False

    def complete(self, now: float) -> None:
        """The answer has no more audio."""
        self._complete, self._answering = self.playout is None, False
        if self.playout is None or self._converter is None:
            return
        tail = self._converter.flush()
        if tail and self._spans:
            self._queue(self._spans[-1].item_id, tail, now)
        self.playout.finish(now)

    def announce(self, data: bytes, source: AudioFormat, now: float, *, finish: bool) -> None:
        """Play audio of our own behind what is queued.

        `finish` where no answer of the provider is under way: a phrase never ends one.
        """
        if self.playout is None or self._format is None:
            return
        converter = Converter(source, self._format)
        phrase = converter.convert(data) + converter.flush()
        tail = -len(phrase) % self._frame_bytes
        self._queue("", phrase + bytes(tail), now)
        if finish:
            self.playout.finish(now)

    def top_up(self, more: Callable[[AudioFormat, int], bytes], depth_ms: int, now: float) -> None:
        """Keep so much of `more(format, ms)` waiting: music."""
        if self.playout is None or self._format is None:
            return
        missing_ms = depth_ms - self.playout.depth_ms
        if missing_ms > 0:
            self._queue("", more(self._format, missing_ms), now)

    def cut(self, now: float) -> list[ItemHeard]:
        """Silence at once. Returns the items not heard whole, and what was heard of each."""
        early_ids = dict.fromkeys(piece.item_id for piece in self._early)
        early = [self._not_begun(item_id) for item_id in early_ids]
        early += [ItemHeard(self._withheld, 0, 0)] if self._withheld else []
        self._withheld = ""
        self._early.clear()
        self._early_bytes, self._complete = 0, False
        position = self.playout.clear(now) if self.playout is not None else None
        if self._converter is not None:
            self._converter.reset()
        spans, self._spans = self._spans, []
        heard = early
        if position is not None:
            heard = early + self._heard(spans, position.item_id, position.heard_ms)
        self._answering = False
        self._before_ms.clear()
        return heard

    def pause(self, now: float) -> bool:
        """Silence until `resume` or `cut`; what comes meanwhile waits. False: nothing waits."""
        return self.playout is not None and self.playout.pause(now)

    def resume(self, generation: int, now: float) -> None:
        """Go on where the caller's ear was, as audio of `generation`."""
        if self.playout is not None:
            self.playout.begin(generation)
            self.playout.resume(now)

    @property
    def paused(self) -> bool:
        """Silent for a while, with something to go on with."""
        return self.playout is not None and self.playout.paused

    @property
    def waiting_ms(self) -> int:
        """Of what is here, not played yet."""
        return self.playout.depth_ms if self.playout is not None else 0

    def take_withheld(self) -> str:
        """The item of which nothing could be heard, told once; empty where there is none."""
        item_id, self._withheld = self._withheld, ""
        return item_id

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

    @property
    def withholding(self) -> bool:
        """What comes of the answer is silence, and no longer played."""
        return self._silent_bytes > self._max_silent_bytes > 0

    @property
    def newest(self) -> ItemHeard:
        """The item that is queued last, as if it were heard to its end."""
        item_id = next((s.item_id for s in reversed(self._spans) if s.item_id), "")
        total_ms = self._total_ms(self._spans, item_id)
        return ItemHeard(item_id, total_ms, total_ms)

    # --- inside ---------------------------------------------------------------------------------

    def _write(self, item_id: str, data: bytes, now: float) -> None:
        if self._converter is None:
            return
        data = self._converter.convert(data)
        if data and audioop.max(data, 2) > NO_SOUND:  # L16, as every playout takes
            self._silent_bytes = 0
            if not self.sounded:
                self.sounded = True
                self._tell.on_sound(now)
        elif not self._silence_is_played(len(data), now):
            if not self.sounded:
                self._withheld = item_id
            return
        self._withheld = ""
        self._queue(item_id, data, now)

    def _queue(self, item_id: str, data: bytes, now: float) -> None:
        spans, playout = self._spans, self.playout
        span = spans[-1] if spans and spans[-1].item_id == item_id else self._new_span(item_id)
        if playout is None:
            return
        dropped = playout.write(span.key, data, now)
        span.bytes += len(data) - dropped
        if dropped and item_id:
            self._tell.on_full(item_id, self._total_ms(self._spans, item_id), now)

    def _new_span(self, item_id: str) -> _Span:
        self._keys += 1
        span = _Span(item_id, str(self._keys))
        if len(self._spans) < MAX_SPANS:
            self._spans.append(span)
        else:
            span = self._spans[-1]
        return span

    def _silence_is_played(self, size: int, now: float) -> bool:
        """Whether so many bytes without any sound are to be played."""
        before, after = self._silent_bytes, self._silent_bytes + size
        self._silent_bytes = after
        if before < self._max_silent_bytes <= after:
            self._tell.on_withheld()
        if before < self._soundless_bytes <= after:
            self._tell.on_soundless(now)
        return self.sounded and after <= self._max_silent_bytes

    def _on_drained(self, now: float) -> None:
        self._spans.clear()
        self._before_ms.clear()
        self._tell.on_drained(now)

    def _heard(self, spans: list[_Span], key: str, heard_ms: int) -> list[ItemHeard]:
        """Spans before the one at `key` were heard whole, those behind it not at all."""
        index = next((n for n, span in enumerate(spans) if span.key == key), len(spans))
        heard: dict[str, int] = {}
        for number, span in enumerate(spans):
            whole = self._ms(span.bytes) if number < index else 0
            heard[span.item_id] = heard.get(span.item_id, 0) + (
                heard_ms if number == index else whole
            )
        unheard = {span.item_id for span in spans[index:]}
        if self._answering:
            # Heard as far as it came, with a phrase of ours behind it: the rest will not come.
            unheard.update([span.item_id for span in spans if span.item_id][-1:])
        unheard.discard("")
        return [
            ItemHeard(item_id, ms + self._before_ms.get(item_id, 0), self._total_ms(spans, item_id))
            for item_id, ms in heard.items()
            if item_id in unheard
        ]

    def _not_begun(self, item_id: str) -> ItemHeard:
        """Heard on an earlier line at most, and the rest waits for one."""
        before_ms = self._before_ms.get(item_id, 0)
        return ItemHeard(item_id, before_ms, before_ms + 1 if before_ms else 0)

    def _total_ms(self, spans: list[_Span], item_id: str) -> int:
        here_ms = self._ms(sum(span.bytes for span in spans if span.item_id == item_id))
        return here_ms + self._before_ms.get(item_id, 0)

    def _ms(self, count: int) -> int:
        return self._format.ms_for_bytes(count) if self._format is not None else 0

    def _keep(self, item_id: str, data: bytes) -> bool:
        if self._source is None or self._early_bytes + len(data) > MAX_EARLY_BYTES:
            self.counters.early_dropped_bytes += len(data)
            return False
        self._early.append(_Early(item_id, data, self._source))
        self._early_bytes += len(data)
        return len(self._early) == 1
