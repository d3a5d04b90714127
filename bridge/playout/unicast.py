"""Datagrams to FreeSWITCH's Event Socket `unicast` (switch_ivr.c, switch_ivr_activate_unicast).

One datagram becomes one RTP packet, so each must last as long as the channel's packets do: on a
channel of 30 ms those of 20 ms are noise, on one of 40 ms they are not heard at all (observed).
FreeSWITCH sends at that pace itself; what is ahead of it waits in its socket and cannot be called
back. An empty datagram would end unicast for good.

While a datagram waits, FreeSWITCH's thread holds the lock that in-dialog SIP requests need, through
the sleep of its RTP timer (switch_rtp.c, get_next_write_ts). If the next one is there when it wakes
up, it takes the lock again at once: with 60 ms ahead a re-INVITE waited up to 4.9 s and the caller
was heard that much too late for the rest of the call. And each SIP message of the call holds that
lock while it is worked on (mod_sofia.c, sofia_receive_message: SWITCH_MESSAGE_INDICATE_SIGNAL_DATA
and switch_core_session_lock_codec_write), mostly for 0.4 to 1.5 ms right behind a packet; what is
taken from the socket meanwhile is thrown away (switch_core_media.c, `switch_mutex_trylock` in
switch_core_session_write_frame), and it is worked on as the timer ticks: see `ticks`. So each
packet goes when the one in front is on its way, and shortly before that ends: as late as the hub is
on time, and never so early that two wait. One that is late is not lost: FreeSWITCH sends it at once
(switch_time.c, timer_next).

The datagrams are L16 also on a G.711 channel. `flags: native` would make them the codec's own
bytes, but starves the other direction: the frames written then use the *read* codec, whose mutex
is held while each of them waits for its turn (switch_core_media.c,
switch_core_media_write_frame), and the caller is heard at a quarter of real time (observed).

A parked channel sends no RTP by itself, and `send_silence_when_idle` takes the place of datagrams
(switch_rtp.c drops the second frame of one timestamp). So single frames of silence keep the RTP
from being taken for dead, at a fiftieth of what steady silence would cost.
"""

from __future__ import annotations

from bridge.audio.formats import FRAME_MS, AudioFormat
from bridge.errors import LocalProtocolError
from bridge.playout.base import Fade, PlayoutSinks
from bridge.playout.ticks import Ticks

LEAST_MARGIN_MS = 8
"""A packet is sent so long before the end of the one in front of it, on a hub that is on time."""
MOST_MARGIN_MS = 20
"""The same on a hub that is late, by how late it lately was."""
BEHIND_MS = 6
"""So long before its end the packet in front is left alone: a slot of the pacer, and 3 ms in which
FreeSWITCH has sent it and answers what waited for that."""

SLOT_MS = 2.5
"""Of the pacer: a packet goes at most so much sooner."""
BEHIND_TICK_MS, BEFORE_TICK_MS = 1.0, 3.5
"""So far from FreeSWITCH's ticks a packet is sent; the hub may be late, and never early."""


class UnicastPlayout:
    """L16 at the channel's rate, a packet in each datagram."""

    tail_padding_ms = 0
    latency_ms = 0
    recalls = False
    fade = Fade.BEHIND_SENT
    silence_every_s = 1.0

    def __init__(
        self,
        audio_format: AudioFormat,
        sinks: PlayoutSinks,
        *,
        ptime_ms: int = FRAME_MS,
        lead_ms: int | None = None,
        ticks: Ticks | None = None,
    ) -> None:
        """`lead_ms`: always so far ahead, whatever the hub does. `ticks`: FreeSWITCH's."""
        self.format = audio_format
        self.frame_ms = self.first_chunk_ms = self.chunk_ms = ptime_ms
        most_ms = min(MOST_MARGIN_MS, ptime_ms - BEHIND_MS)
        self.lead_ms = ptime_ms + most_ms if lead_ms is None else lead_ms
        self.margin_ms = (min(LEAST_MARGIN_MS, most_ms), most_ms) if lead_ms is None else None
        self._ticks = ticks or Ticks()
        self._send = sinks.send_datagram
        self._packet_bytes = audio_format.bytes_for_ms(ptime_ms)

    def begins(self, now: float) -> float:
        """When the caller begins to hear what is sent now, less what keeps the packets behind it
        away from FreeSWITCH's ticks: see `ticks`. A few milliseconds at most."""
        if self.margin_ms is None:
            return now
        ptime_ms, next_at = self.frame_ms, now - (self.margin_ms[0] + SLOT_MS) / 1000
        most_ms = max(BEHIND_TICK_MS, ptime_ms - SLOT_MS - BEFORE_TICK_MS)
        period_s, within = ptime_ms / 1000, (BEHIND_TICK_MS / 1000, most_ms / 1000)
        return now + self._ticks.shift_s(next_at, period_s, *within)

    def play(self, chunk: bytes, generation: int) -> None:
        """Send one packet; any other length would be garbage in the caller's ear."""
        if len(chunk) != self._packet_bytes:
            raise LocalProtocolError(f"a datagram of {len(chunk)} bytes is not one packet")
        self._send(chunk)

    def clear(self, generation: int, now: float) -> None:
        """Nothing to send: no more datagrams is all there is."""
