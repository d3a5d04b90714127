"""`streamAudio` chunks, which the module writes to files for the call to play in turn.

The open-source mod_audio_stream does not play audio itself: it raises `mod_audio_stream::play` with
a file name, and the call's owner queues a `playback` of that file with event-lock. The event comes
0 to 24 ms after our message, so an interruption can overtake chunks in flight. Each chunk therefore
carries its generation, which comes back in the event, and chunks of an old one are not played.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import msgspec

from bridge.audio.formats import FRAME_MS, AudioFormat
from bridge.errors import RemoteProtocolError
from bridge.playout.base import Fade, PlayoutSinks
from bridge.wire import stream_protocol

DEFAULT_LEAD_MS = 120
FIRST_CHUNK_MS = 100
CHUNK_MS = 200
MAX_QUEUED = 50
"""Playbacks queued at once: FreeSWITCH closes the Event Socket past 256 queued messages."""
BREAK_AGAIN_WITHIN_S = 0.04
"""An old playback that begins this soon after `uuid_break` slipped past it."""
SILENCE_EVERY_S = 5.0
"""A file of silence so often while nothing is said, so that the telephone does not take the call
for dead. FreeSWITCH's own silence will not do: see `bridge.playout.editions`."""
MAX_BODY_BYTES = 4096
MAX_PATH_CHARS = 512


class _PlayEvent(msgspec.Struct):
    """Body of `mod_audio_stream::play`: our `data` object without the audio, and the file."""

    file: str
    generation: int = -1
    seq: int = 0


_decode = msgspec.json.Decoder(_PlayEvent).decode


class _Chunk(NamedTuple):
    """Where one that is not known to be played lies in all that was sent, in bytes."""

    number: int
    start: int
    end: int


class FilePlayout:
    """Chunks at the channel's own rate, in whole packets; otherwise joins click or stutter."""

    tail_padding_ms = 0
    latency_ms = 45
    recalls = True
    margin_ms = None
    begins = None
    fade = Fade.NONE
    silence_every_s = SILENCE_EVERY_S

    def __init__(
        self,
        audio_format: AudioFormat,
        sinks: PlayoutSinks,
        lead_ms: int = DEFAULT_LEAD_MS,
        *,
        ptime_ms: int = FRAME_MS,
    ) -> None:
        self.format = audio_format
        self.frame_ms = ptime_ms
        self.first_chunk_ms = _whole_packets(FIRST_CHUNK_MS, ptime_ms)
        self.chunk_ms = _whole_packets(CHUNK_MS, ptime_ms)
        self.lead_ms = lead_ms
        self.queued = 0
        """Playbacks requested but not yet complete."""
        self.refused = 0
        """Play events beyond MAX_QUEUED: audio that was lost."""
        self.heard_bytes = 0
        """Of all that was sent, as far as FreeSWITCH has told what it played."""
        self._chunks: deque[_Chunk] = deque(maxlen=MAX_QUEUED)
        self._sent_bytes = 0
        self._read_hz = audio_format.rate_hz
        """Rate at which FreeSWITCH reads the file under way: that of the channel when it began."""
        self.over = False
        """Broken off with its line: nothing more is played."""
        self._sinks = sinks
        self._seq = 0
        self._recalled = 0
        """Chunks up to this number are not played any more."""
        self._given_up = -1
        self._break_again_until: float | None = None

    def follow(self, before: FilePlayout, *, same_stream: bool) -> None:
        """Take over from another one; what it sent by the same stream is still played."""
        self._seq, self.queued = before._seq, before.queued
        self._recalled = before._recalled if same_stream else before._seq
        self._break_again_until = before._break_again_until

    def play(self, chunk: bytes, generation: int) -> None:
        """Have a chunk written to a file; the module answers with a play event."""
        self._seq += 1
        start, self._sent_bytes = self._sent_bytes, self._sent_bytes + len(chunk)
        self._chunks.append(_Chunk(self._seq, start, self._sent_bytes))
        self._sinks.send_text(
            stream_protocol.stream_audio(self.format, chunk, generation, self._seq)
        )

    def clear(self, generation: int, now: float) -> None:
        """Cut the playback and drop the queued ones.

        Only if there are any: `uuid_break all` also drops everything else queued on the call, a
        transfer for instance (mod_commands.c, break_function).
        """
        self._given_up, self._recalled = max(self._given_up, generation), self._seq
        if self.queued:
            self.queued = 0
            self._break_again_until = now + BREAK_AGAIN_WITHIN_S
            self._sinks.break_playback()

    def break_off(self) -> bool:
        """The line goes: nothing more is played. Return whether something is under way, which
        `uuid_break` must end."""
        under_way, self.queued = self.queued > 0, 0
        self.over, self._recalled = True, self._seq
        return under_way

    def on_play_event(self, body: bytes | str) -> bool:
        """A file is ready; return whether its playback was queued.

        Raises:
            RemoteProtocolError: the body is not what the module sends.
        """
        event = _parse(body)
        if self._is_old(event.generation, event.seq):
            return False
        if self.queued >= MAX_QUEUED:
            self.refused += 1
            return False
        self.queued += 1
        self._sinks.execute_playback(event.file, event.generation, event.seq)
        return True

    def on_execute(self, generation: int, number: int, now: float, rate_hz: int = 0) -> bool:
        """A playback of ours began (CHANNEL_EXECUTE), on a channel of that rate; return whether it
        was cut once more."""
        self._read_hz = rate_hz or self.format.rate_hz
        late = self._break_again_until
        if late is None or now > late or self.queued or not self._is_old(generation, number):
            return False  # a second break would also cut the new audio that is queued
        self._break_again_until = None
        self._sinks.break_playback()
        return True

    def on_execute_complete(self, generation: int, number: int, samples: int | None = None) -> None:
        """A playback of ours ended (CHANNEL_EXECUTE_COMPLETE) after so many samples of the channel
        were written to it; None: not told."""
        self._count(number, samples)
        if self.queued and not self._is_old(generation, number):
            self.queued -= 1

    def _count(self, number: int, samples: int | None) -> None:
        while self._chunks and self._chunks[0].number <= number:
            chunk = self._chunks.popleft()
            if chunk.number == number:
                whole = chunk.end - chunk.start
                untold = 0 if self.over else whole
                part = untold if samples is None else self._bytes_of(samples)
                self.heard_bytes = chunk.start + min(whole, part)

    def _bytes_of(self, samples: int) -> int:
        return samples * self.format.rate_hz // self._read_hz * self.format.bytes_per_sample

    def _is_old(self, generation: int, number: int) -> bool:
        return self.over or generation <= self._given_up or 0 < number <= self._recalled


def _whole_packets(at_least_ms: int, ptime_ms: int) -> int:
    """`at_least_ms` rounded up to whole packets, in milliseconds."""
    return -(-at_least_ms // ptime_ms) * ptime_ms


def _parse(body: bytes | str) -> _PlayEvent:
    if len(body) > MAX_BODY_BYTES:
        raise RemoteProtocolError("play event too long")
    try:
        event = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"play event not understood: {error}") from error
    path = event.file
    if not path.startswith("/") or len(path) > MAX_PATH_CHARS or not path.isprintable():
        raise RemoteProtocolError("play event names no usable file")
    return event
