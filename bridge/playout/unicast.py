"""Datagrams to FreeSWITCH's Event Socket `unicast` (switch_ivr.c, switch_ivr_activate_unicast).

One datagram becomes one RTP packet, and FreeSWITCH itself sends one each 20 ms; what is ahead of
that waits in its socket and cannot be called back. An empty datagram would end unicast for good.

The datagrams are L16 also on a G.711 channel. `flags: native` would make them the codec's own
bytes, but starves the other direction: the frames written then use the *read* codec, whose mutex
is held while each of them waits for its 20 ms (switch_core_media.c,
switch_core_media_write_frame), and the caller is heard at a quarter of real time (observed).

A parked channel sends no RTP by itself, and `send_silence_when_idle` takes the place of datagrams
(switch_rtp.c drops the second frame of one timestamp). So single frames of silence keep the RTP
from being taken for dead, at a fiftieth of what steady silence would cost.
"""

from __future__ import annotations

from bridge.audio.formats import FRAME_MS, AudioFormat
from bridge.errors import LocalProtocolError
from bridge.playout.base import PlayoutSinks

DEFAULT_LEAD_MS = 60
"""Gap-free with sending jitter up to 50 ms; also the longest old sound after an interruption."""


class UnicastPlayout:
    """L16 at the channel's rate."""

    frame_ms = first_chunk_ms = chunk_ms = FRAME_MS
    tail_padding_ms = 0
    latency_ms = 0
    recalls = False
    silence_every_s = 1.0

    def __init__(
        self, audio_format: AudioFormat, sinks: PlayoutSinks, lead_ms: int = DEFAULT_LEAD_MS
    ) -> None:
        self.format = audio_format
        self.lead_ms = lead_ms
        self._send = sinks.send_datagram
        self._frame_bytes = audio_format.bytes_per_frame

    def play(self, chunk: bytes, generation: int) -> None:
        """Send one 20 ms frame; any other length would be garbage in the caller's ear."""
        if len(chunk) != self._frame_bytes:
            raise LocalProtocolError(f"a datagram of {len(chunk)} bytes is not one frame")
        self._send(chunk)

    def clear(self, generation: int, now: float) -> None:
        """Nothing to send: no more datagrams is all there is."""
