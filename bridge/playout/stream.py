"""A call's way from "audio is here" to "the caller has heard it".

It owns the call's only queue. Whenever the pacer calls, it sends from the queue, slightly ahead of
real time. At any moment it knows how much the caller has heard: everything sent, less what the far
end has yet to play. An answer begins with its first byte, ends with `finish`, and is over once it
has been heard. A gap within an answer is an underrun, not a new answer. A paused answer goes on
where it stopped: what was recalled, or faded, is played again.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.audio.fade import FADE_MS, fade_in, fade_out
from bridge.audio.formats import Encoding
from bridge.audio.pacer import LATE_MS, Pacer
from bridge.audio.ring_buffer import make_queue
from bridge.errors import LocalProtocolError
from bridge.playout.base import Fade, Playout
from bridge.playout.counters import PlayoutCounters
from bridge.playout.heard import HeardPosition, HeardUntil, ItemLedger, Timeline
from bridge.playout.lead import Lead

DEFAULT_LIMIT_MS = 300_000
"""Longest answer that can be queued. Providers send minutes of speech within seconds, and OpenAI's
largest answer, 4096 tokens, lasts 204 s."""
_LATE_S = LATE_MS / 1000
_SPARE_MS, _DEAD_MS = 250, 1000
"""Of what was sent, kept beyond what may still be heard: until it is known what was, and the latter
until the line is known dead."""


class PlayoutStream:
    """One call's playing. `now` is monotonic seconds and never goes back."""

    def __init__(
        self,
        playout: Playout,
        pacer: Pacer,
        *,
        lead_ms: int | None = None,
        limit_ms: int = DEFAULT_LIMIT_MS,
    ) -> None:
        fmt = playout.format
        self._lead = lead = Lead(playout, pacer, lead_ms)
        self.counters = PlayoutCounters()
        self.on_first_frame: Callable[[float, int], None] | None = None
        """The first chunk of an answer was sent, and is heard this many milliseconds later."""
        self.on_drained: Callable[[float], None] | None = None
        """Everything has been heard. Called once after each `finish`, never after `clear`."""
        self.on_sent: Callable[[bytes, int, float], None] | None = None
        """L16 was sent, at this rate, and its first sample is heard at this moment."""
        self._playout, self._play_chunk = playout, playout.play
        self._pacer = pacer
        self._format = fmt
        self._frame_bytes = fmt.bytes_for_ms(playout.frame_ms)
        self._chunk_bytes = fmt.bytes_for_ms(playout.chunk_ms)
        self._rate_hz = fmt.rate_hz
        bytes_each, latency_s = fmt.bytes_per_sample, playout.latency_ms / 1000
        self._timeline = Timeline(fmt.rate_hz, bytes_each, latency_s, playout.begins)
        self._fade_bytes = fmt.bytes_for_ms(-(-FADE_MS // playout.frame_ms) * playout.frame_ms)
        self._fades = playout.fade is not Fade.NONE and fmt.encoding is Encoding.L16
        self._takes_back = playout.recalls and playout.fade is not Fade.BEHIND_SENT
        """An interruption recalls what was sent ahead; so the last of it is kept."""
        spare_ms = _SPARE_MS if playout.recalls else _DEAD_MS
        lately_ms = lead.most_ms + playout.latency_ms + playout.chunk_ms + spare_ms
        rarely = not playout.recalls and fmt.encoding is Encoding.L16  # a line that has died
        limit_bytes = max(1, limit_ms // playout.frame_ms) * self._frame_bytes
        self._ring = make_queue(limit_bytes, keep=fmt.bytes_for_ms(lately_ms), as_ulaw=rarely)
        self._latency_s = playout.latency_ms / 1000
        self._items = ItemLedger()
        self._generation, self._closed = 0, False
        # Positions: bytes since the call began.
        self._written = self._content_end = self._answer_start = 0
        # When there first was something to send.
        self._ready_since = 0.0
        # The answer being played.
        self._active = self._starting = self._finished = False
        self._resumed = self.paused = False
        """Silent until `resume` or `clear`; what is sent next rises from silence."""

    # --- the session's side ---------------------------------------------------------------

    @property
    def depth_ms(self) -> int:
        """Audio in the queue, not counting what was sent ahead."""
        return self._format.ms_for_bytes(self._ring.depth)

    def begin(self, generation: int) -> None:
        """From now on audio belongs to `generation`."""
        if generation < self._generation:
            raise LocalProtocolError("a generation never comes back")
        self._generation = generation

    def write(self, item_id: str, data: bytes, now: float) -> int:
        """Queue audio of `item_id`, whole samples in the playout's format, and send what is due.

        Returns:
            How many bytes at the end of `data` were dropped because the queue is full.

        Raises:
            LocalProtocolError: the stream is closed.
        """
        if self._closed:
            raise LocalProtocolError("this stream is closed")
        if not data:
            return 0
        if not self._active:
            self._begin_answer()
        self._finished = False
        ring = self._ring
        if ring.depth < self._frame_bytes:
            self._ready_since = now
        dropped, start = ring.write(data), self._written
        self._written = self._content_end = end = start + len(data) - dropped
        self._items.add(item_id, start, end)
        self.counters.dropped_bytes += dropped
        if self in (members := self._pacer.members) and self._timeline.until < now:
            self._pacer.leave(self)  # what is sent now begins at another moment of the period
        self._pump(now)
        if self not in members:
            self._lead.join(self, self._timeline.until, now)
        return dropped

    def finish(self, now: float) -> None:
        """The answer is complete: pad its last frame and add the silence the playout needs.

        `on_drained` follows once everything has been heard, or at once if there is nothing to hear.
        """
        if self._finished:
            return
        self._finished = True
        if not self._active:
            self._end_if_heard(now)
            return
        self._pad(-len(self._ring) % self._frame_bytes)
        self._pad(self._format.bytes_for_ms(self._playout.tail_padding_ms))
        self._pump(now)
        if not self._end_if_heard(now):
            self._lead.join(self, self._timeline.until, now)

    def clear(self, now: float) -> HeardPosition | None:
        """The caller interrupted: drop the queue and silence what can be silenced.

        Returns:
            The item being heard and how much of it the caller will have heard once the sound is
            gone; None when no answer was playing or queued.
        """
        if not self._active:
            return None
        timeline = self._timeline
        position = timeline.heard(now) if self._takes_back else timeline.sent
        heard = self._items.at(position)
        behind = self._fades and not self.paused and self._ring.read(self._fade_bytes)
        self._ring.clear()
        self._written = timeline.sent
        if self._takes_back:
            self._playout.clear(self._generation, now)
            timeline.silence(now)
        paused = self.paused
        self._end_answer()
        if behind:
            self._send_fade(behind, now)
        elif self._playout.silence_every_s is not None and not (paused or self._takes_back):
            self._send_silence(now)  # or a phone that conceals loss would stretch the last sound
        return heard and HeardPosition(heard[0], self._format.ms_for_bytes(heard[1]))

    def pause(self, now: float) -> bool:
        """The caller may be interrupting: silence, until `resume` or `clear`.

        Returns:
            False when there is nothing to hold back: all there is was sent.
        """
        if not self._active or self.paused or (self._finished and not self._holds_back(now)):
            return False
        self.paused = True
        self._pacer.leave(self)
        if self._takes_back:
            self._take_back(now)
        if self._fades and len(self._ring):
            self._send_fade(self._ring.peek(self._fade_bytes), now)
        return True

    def resume(self, now: float) -> None:
        """It was no interruption: go on where the caller's ear was."""
        if not self.paused:
            return
        self.paused, self._resumed = False, True
        if not self._active:
            return
        self._ready_since = now
        if self._timeline.until <= now:
            self._timeline.silence(now)
        self._pump(now)
        if not (self._finished and self._end_if_heard(now)):
            self._lead.join(self, self._timeline.until, now)

    def heard(self, now: float) -> tuple[HeardPosition, ...]:
        """Every item of the current answer, in order, with how much of it would have been heard
        if the caller interrupted now; 0 for those that have not begun."""
        position = self._timeline.heard(now) if self._playout.recalls else self._timeline.sent
        count = self._items.heard_of
        return tuple(
            HeardPosition(item_id, self._format.ms_for_bytes(count(item_id, position)))
            for item_id in self._items.items()
        )

    def give_back(self, heard_until: HeardUntil, now: float) -> list[tuple[str, bytes]]:
        """The line is gone: what was not heard of each item."""
        if not self._active:
            return []
        timeline = self._timeline
        heard = timeline.heard_by(heard_until, self._frame_bytes, now)
        back = self._ring.lately(timeline.sent - heard)
        if back and self._playout.recalls:
            self._playout.clear(self._generation, now)  # or it would be heard twice
        start = timeline.sent - len(back)
        rest = (back + self._ring.read(len(self._ring)))[: max(0, self._content_end - start)]
        return self._items.pieces(rest, start)

    def give_way(self, pause_s: float) -> None:
        """Leave a pause of `pause_s` after what was sent, then go on. Nothing is lost."""
        if self._active:
            self._timeline.pause(pause_s)

    def keep_alive(self, now: float) -> None:
        """Play a frame of silence after a while without any, also in a pause; call it regularly."""
        every_s, idle = self._playout.silence_every_s, self.paused or not self._active
        if idle and every_s and not self._closed and now - self._timeline.until >= every_s:
            self._send_silence(now)

    def close(self) -> None:
        """Drop everything without calling back. The stream cannot be used again."""
        self._closed = True
        self.on_first_frame = self.on_drained = self.on_sent = None
        self._ring.clear()
        self._end_answer()

    def heard_ms(self, now: float) -> int:
        """How much of the current answer has been heard; 0 when there is none."""
        if not self._active:
            return 0
        position = min(self._timeline.heard(now), self._content_end)
        return self._format.ms_for_bytes(max(0, position - self._answer_start))

    def idle(self, now: float) -> bool:
        """Whether everything written has been heard, but for what is no whole frame yet."""
        rest = len(self._ring)
        waiting = rest if rest < self._frame_bytes else 0
        return not self._active or self._timeline.heard(now) >= self._content_end - waiting

    # --- the pacer's side -----------------------------------------------------------------

    def send_due(self, now: float) -> bool:
        """Send what is due; False if there is nothing more to do until the next `write`."""
        if self.paused:
            return False
        if self._ring.depth >= self._frame_bytes or self._finished:
            self._pump(now)
        lead, until, more = self._lead, self._timeline.until, self._ring.depth >= self._frame_bytes
        if lead.moved or (more and lead.strays(until, now)):
            lead.follow(self, until, now)
        if self._finished:
            self._end_if_heard(now)
            return self._finished
        return more or (lead.lingers and until >= now)

    def _pump(self, now: float) -> None:
        """The hot path; the first chunk, also after a pause, is sent by `_begin`."""
        if self.paused:
            return
        ring, frame, timeline, lead = self._ring, self._frame_bytes, self._timeline, self._lead
        until_s = now + lead.look(now)
        while (until := timeline.until) <= until_s:
            if (whole := ring.depth) < frame:
                return
            if self._starting or self._resumed:
                self._begin(now)
                continue
            ahead_s = until - now
            if ahead_s < 0 or ahead_s + _LATE_S < lead.due_s:
                self._count_late(ahead_s, now)
            if (size := self._chunk_bytes) > whole:
                size = whole - whole % frame
            chunk = ring.read(size)
            self.counters.frames_sent += size // frame
            if self.on_sent is not None:
                heard_at = until if until > now else now
                self.on_sent(chunk, self._rate_hz, heard_at + self._latency_s)
            self._play_chunk(chunk, self._generation)
            timeline.send(size, now)

    def _begin(self, now: float) -> None:
        starting, ahead_s, ring = self._starting, self._timeline.until - now, self._ring
        if not starting and ahead_s < self._lead.due_s:
            self._count_late(ahead_s, now)
        most = self._chunk_bytes
        if starting:
            most = self._format.bytes_for_ms(self._playout.first_chunk_ms)
        chunk = ring.read(min(most, ring.depth - ring.depth % self._frame_bytes))
        self.counters.frames_sent += len(chunk) // self._frame_bytes
        if self._resumed and self._format.encoding is Encoding.L16:
            chunk = fade_in(chunk, self._rate_hz)
        self._starting = self._resumed = False
        self._play(chunk, now)
        if starting and self.on_first_frame is not None:
            self.on_first_frame(now, round((max(0.0, ahead_s) + self._latency_s) * 1000))

    def _send_silence(self, now: float) -> None:
        self._send_between(self._format.silence(self._playout.frame_ms), now)

    def _send_fade(self, behind: bytes, now: float) -> None:
        """Let the sound that `behind` goes on with fall to silence."""
        data = behind + bytes(self._fade_bytes - len(behind))
        faded = fade_out(data, self._format.rate_hz)
        for at in range(0, len(faded), self._frame_bytes):
            self._send_between(faded[at : at + self._frame_bytes], now)

    def _send_between(self, frame: bytes, now: float) -> None:
        """Send a frame that belongs to no item; what is queued is heard so much later."""
        self._shift(self._timeline.sent, len(frame))
        self._play(frame, now)

    def _play(self, chunk: bytes, now: float) -> None:
        if self.on_sent is not None:
            self.on_sent(chunk, self._rate_hz, max(now, self._timeline.until) + self._latency_s)
        self._play_chunk(chunk, self._generation)
        self._timeline.send(len(chunk), now)

    def _shift(self, position: int, count: int) -> None:
        self._items.insert(position, count)
        if self._content_end > position:
            self._content_end += count
        self._written += count

    # --- a pause --------------------------------------------------------------------------

    def _holds_back(self, now: float) -> bool:
        """Whether a pause would keep anything from the caller's ear."""
        heard = self._timeline.heard(now) if self._takes_back else self._timeline.sent
        return heard < self._content_end

    def _take_back(self, now: float) -> None:
        """Recall what was sent and not heard, and put it in front of the queue again."""
        timeline = self._timeline
        position = timeline.heard(now)
        back = self._ring.take_back(timeline.sent - position)
        self._playout.clear(self._generation, now)
        timeline.silence(now)
        self._shift(timeline.sent - back, back)

    def _count_late(self, ahead_s: float, now: float) -> None:
        if ahead_s < 0:
            self.counters.underruns += 1
        was_due = max(now + ahead_s - self._lead.due_s, self._ready_since)
        if (now - was_due) * 1000 > LATE_MS:
            self.counters.late_frames += 1

    # --- beginning and end of an answer ---------------------------------------------------

    def _begin_answer(self) -> None:
        self._active = self._starting = True
        self._answer_start = self._written
        self._ring.forget()

    def _end_if_heard(self, now: float) -> bool:
        if self.paused or len(self._ring) or not self.idle(now):
            return False  # padding still to be sent would else stand in front of the next answer
        self._end_answer()
        if self.on_drained is not None:
            self.on_drained(now)
        return True

    def _end_answer(self) -> None:
        self._active = self._starting = self._finished = False
        self.paused = self._resumed = False
        self._items.forget()
        self._ring.forget()
        self._pacer.leave(self)

    def _pad(self, count: int) -> None:
        silence = self._format.silence(self._playout.frame_ms + self._format.ms_for_bytes(count))
        self._written += count - self._ring.write(silence[:count])
