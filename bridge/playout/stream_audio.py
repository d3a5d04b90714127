"""`streamAudio` text messages, played by the audio module itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bridge.audio.formats import FRAME_MS, AudioFormat
from bridge.playout.base import Fade, PlayoutSinks
from bridge.playout.modes import Flavour
from bridge.wire import stream_protocol


@dataclass(frozen=True, slots=True)
class _Traits:
    """How one module differs, measured where its source is open."""

    clear: Callable[[PlayoutSinks], None] | None
    lead_ms: int
    latency_ms: int = 10
    first_chunk_ms: int = FRAME_MS
    chunk_ms: int = FRAME_MS
    tail_padding_ms: int = 0
    silence_every_s: float | None = None
    loses_first_frame: bool = False
    """Of the whole call, so that one of silence must go before it."""


def _stream_break(sinks: PlayoutSinks) -> None:
    sinks.stream_break()


def _stop_audio(sinks: PlayoutSinks) -> None:
    sinks.send_text(stream_protocol.stop_audio())


# Users of 1.0.3 report that 200 ms chunks must be paced, and that 20 ms ones stay silent
# (mod_audio_stream issues 72, 87, 96).
_PACED_CHUNKS = _Traits(_stream_break, lead_ms=100, first_chunk_ms=100, chunk_ms=200)

_TRAITS: Mapping[Flavour, _Traits] = {
    Flavour.CLOSED_1_0_3: _PACED_CHUNKS,
    # As with binary messages (bridge.playout.binary).
    Flavour.ALCHEMILLA: replace(_PACED_CHUNKS, loses_first_frame=True),
    # Its reader waits for its writer: a backlog would hold up everything else on the socket, even
    # Close, and nothing empties it.
    # It writes frames itself, so that without it a silent call has no RTP at all.
    Flavour.VOXCOM_US: _Traits(None, lead_ms=40, silence_every_s=1.0),
    # It plays nothing until STREAM_PLAYBACK_WARMUP_MS (400) are there; given at once, they are no
    # delay. An answer shorter than that is heard only if silence makes up for the rest.
    Flavour.JULIANOTARGA: _Traits(
        _stop_audio, lead_ms=440, first_chunk_ms=100, chunk_ms=100, tail_padding_ms=400
    ),
}


class StreamAudioPlayout:
    """Base64 in JSON, numbered within the call."""

    frame_ms = FRAME_MS
    margin_ms = None

    def __init__(
        self,
        flavour: Flavour,
        audio_format: AudioFormat,
        sinks: PlayoutSinks,
        lead_ms: int | None = None,
    ) -> None:
        traits = _TRAITS[flavour]
        self.format = audio_format
        self.lead_ms = traits.lead_ms if lead_ms is None else lead_ms
        self.latency_ms = traits.latency_ms
        self.first_chunk_ms = traits.first_chunk_ms
        self.chunk_ms = traits.chunk_ms
        self.tail_padding_ms = traits.tail_padding_ms
        self.silence_every_s = traits.silence_every_s
        self.recalls = traits.clear is not None
        self.fade = Fade.NONE if self.recalls else Fade.BEHIND_SENT
        self._sinks = sinks
        self._clear = traits.clear
        self._seq = 0
        self._silence_due = traits.loses_first_frame

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
        if self._clear is not None:
            self._clear(self._sinks)
