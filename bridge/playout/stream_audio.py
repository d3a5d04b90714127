"""`streamAudio` text messages, played by the audio module itself."""

from __future__ import annotations

from bridge.audio.formats import FRAME_MS, AudioFormat
from bridge.playout.base import PlayoutSinks
from bridge.playout.editions import Way
from bridge.wire import stream_protocol


class StreamAudioPlayout:
    """Base64 in JSON, numbered within the call."""

    frame_ms = FRAME_MS
    margin_ms = None
    begins = None

    def __init__(
        self,
        way: Way,
        audio_format: AudioFormat,
        sinks: PlayoutSinks,
        lead_ms: int | None = None,
    ) -> None:
        self.format = audio_format
        self.lead_ms = way.lead_ms if lead_ms is None else lead_ms
        self.latency_ms = way.latency_ms
        self.first_chunk_ms = way.first_chunk_ms
        self.chunk_ms = way.chunk_ms
        self.tail_padding_ms = way.tail_padding_ms
        self.silence_every_s = way.silence_every_s
        self.recalls = way.clear is not None
        self.fade = way.fade
        self._sinks = sinks
        self._clear = way.clear
        self._seq = 0
        self._silence_due = way.loses_first_frame

    def play(self, chunk: bytes, generation: int) -> None:
        """Send a chunk; in front of the very first one what the module loses."""
        self._seq += 1
        if self._silence_due:
            self._silence_due = False
            chunk = self.format.silence(FRAME_MS) + chunk
        self._sinks.send_text(
            stream_protocol.stream_audio(self.format, chunk, generation, self._seq)
        )

    def clear(self, generation: int, now: float) -> None:
        """Drop what the module has queued, where it can."""
        self._sinks.clear_module(self._clear)
