"""Binary WebSocket messages of L16, played by the audio module itself.

Modules differ in how they drop queued audio and in how long they buffer before they begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.audio.formats import FRAME_MS, AudioFormat, Encoding
from bridge.errors import LocalProtocolError
from bridge.playout.base import Fade, PlayoutSinks
from bridge.playout.modes import Flavour
from bridge.wire import stream_protocol


@dataclass(frozen=True, slots=True)
class _Traits:
    """How one module differs, measured where its source is open."""

    clear: Callable[[PlayoutSinks], None]
    lead_ms: int = 60
    latency_ms: int = 10
    tail_padding_ms: int = 0
    fade: Fade = Fade.BEHIND_SENT
    """`uuid_audio_stream break` goes by another socket than the audio: it might take the fade."""
    header: bool = False
    """A `rawAudio` text message with the rate comes first."""
    loses_first_frame: bool = False
    """The first frame of the call is lost, so a frame of silence is sent before it."""


def _stream_break(sinks: PlayoutSinks) -> None:
    sinks.stream_break()


def _clear_audio(sinks: PlayoutSinks) -> None:
    sinks.send_text(stream_protocol.clear_audio())


def _kill_audio(sinks: PlayoutSinks) -> None:
    sinks.send_text(stream_protocol.kill_audio())


_TRAITS: Mapping[Flavour, _Traits] = {
    Flavour.CLOSED_1_0_3: _Traits(_stream_break, header=True),
    # It takes the first frame off its queue without playing it (observed).
    Flavour.ALCHEMILLA: _Traits(_stream_break, header=True, loses_first_frame=True),
    Flavour.CLOUDFIELDCZ: _Traits(_clear_audio, fade=Fade.AFTER_CLEAR),
    # mod_audio_fork waits for 160 ms before it begins and for 80 ms after each underrun, so the
    # last 80 ms of an answer would stay behind and be played in front of the next one. So would a
    # fade.
    Flavour.JAMBONZ: _Traits(
        _kill_audio, lead_ms=40, latency_ms=150, tail_padding_ms=80, fade=Fade.NONE
    ),
}


class BinaryPlayout:
    """Messages of 20 ms of L16, sent slightly ahead of real time."""

    frame_ms = first_chunk_ms = chunk_ms = FRAME_MS
    recalls = True
    margin_ms = None
    silence_every_s = None

    def __init__(
        self,
        flavour: Flavour,
        audio_format: AudioFormat,
        sinks: PlayoutSinks,
        lead_ms: int | None = None,
    ) -> None:
        if audio_format.encoding is not Encoding.L16:
            raise LocalProtocolError(f"binary playback is L16, not {audio_format}")
        traits = _TRAITS[flavour]
        self.format = audio_format
        self.lead_ms = traits.lead_ms if lead_ms is None else lead_ms
        self.latency_ms = traits.latency_ms
        self.tail_padding_ms = traits.tail_padding_ms
        self.fade = traits.fade
        self._sinks = sinks
        self._clear = traits.clear
        self._header_due = traits.header
        self._silence_due = traits.loses_first_frame

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
        self._clear(self._sinks)
