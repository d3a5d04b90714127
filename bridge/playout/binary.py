"""Binary WebSocket messages of L16, played by the audio module itself."""

from __future__ import annotations

from bridge.audio.formats import FRAME_MS, AudioFormat, Encoding
from bridge.errors import LocalProtocolError
from bridge.playout.base import PlayoutSinks
from bridge.playout.editions import Way
from bridge.wire import stream_protocol


class BinaryPlayout:
    """Messages of 20 ms of L16, sent slightly ahead of real time."""

    frame_ms = first_chunk_ms = chunk_ms = FRAME_MS
    recalls = True
    margin_ms = None
    begins = None
    silence_every_s = None

    def __init__(
        self,
        way: Way,
        audio_format: AudioFormat,
        sinks: PlayoutSinks,
        lead_ms: int | None = None,
    ) -> None:
        if audio_format.encoding is not Encoding.L16:
            raise LocalProtocolError(f"binary playback is L16, not {audio_format}")
        self.format = audio_format
        self.lead_ms = way.lead_ms if lead_ms is None else lead_ms
        self.latency_ms = way.latency_ms
        self.tail_padding_ms = way.tail_padding_ms
        self.fade = way.fade
        self._sinks = sinks
        self._clear = way.clear
        self._header_due = way.header
        self._silence_due = way.loses_first_frame

    def play(self, chunk: bytes, generation: int) -> None:
        """Send a chunk, preceded the first time by whatever the module needs."""
        if self._header_due:
            self._header_due = False
            self._sinks.send_text(stream_protocol.raw_audio_header(self.format.rate_hz))
        if self._silence_due:
            self._silence_due = False
            self._sinks.send_binary(self.format.silence(FRAME_MS))
        self._sinks.send_binary(chunk)

    def clear(self, generation: int, now: float) -> None:
        """Drop what the module has queued."""
        self._sinks.clear_module(self._clear)
