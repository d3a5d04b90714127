"""`unicast` of one leg: its port, its datagrams, and what the first of them proves."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace

from gevent.event import Event as Signal

from bridge.playout.heard import HeardUntil, PacketsHeard
from bridge.playout.ticks import Ticks
from bridge.session.media_plan import Leg
from bridge.wire.datagram import DatagramLink
from esl_controller.calls.filler import Filler, is_filler
from esl_controller.calls.leg_codec import PTIMES_MS, packets_may_differ
from esl_controller.calls.line_watch import Seen
from esl_controller.calls.unicast_ports import PortRange
from esl_controller.esl import commands
from esl_controller.esl.session import ControllerSession

PROOF_S = 0.5
"""FreeSWITCH sends a datagram for each packet once `unicast` runs; its `+OK` proves nothing."""

EVENT_LATE_S = 0.08
"""FreeSWITCH throws away what comes while it answers a request, up to 60 ms (observed), before it
raises the event of the new codec, and a packet may have been waiting."""
_COUNTED = "rtp_audio_out_media_packet_count"
"""RTP packets sent on the channel as of `uuid_set_media_stats`: one for each datagram that was not
thrown away (switch_core_media.c, set_stats; switch_rtp.c, rtp_common_write)."""
SETTLES_S = 2.0
"""In so much time FreeSWITCH has seen what packets a telephone really sends."""
NOISE_S = 1.0
"""So long noise lasts at most: by then our datagrams have paused twice."""
STAMP_S = 0.02
"""So old FreeSWITCH's clock may be when it stamps an event (switch_time.c, runtime.timestamp)."""


class UnicastLine:
    """Raises `PortsExhausted`, or `OSError` where the addresses are no use."""

    def __init__(
        self,
        local_host: str,
        freeswitch_host: str,
        ports: PortRange,
        on_audio: Callable[[bytes], None] | None,
    ) -> None:
        """`on_audio` takes the caller's audio; None when somebody else brings it."""
        self.proven = Signal()
        """A datagram came: FreeSWITCH's `+OK` proves nothing."""
        self._on_audio = on_audio
        self._ports = ports
        self._first_bytes = 0
        self._packet_bytes = 0
        """Of the first packet that the telephone has sent; 0: none has come."""
        self._proven_at = 0.0
        self._told: Leg | None = None
        """The leg as FreeSWITCH believes it to be."""
        self._ptime_ms = 0
        """Of our datagrams; 0: not known."""
        self._garbled = False
        """FreeSWITCH believed in longer packets than ours were: it filled each up with nothing
        (switch_core_media.c, switch_core_session_write_frame), which is no speech."""
        self.noise_from = 0.0
        """Since then what is sent is noise: see `reoffers`. 0: never."""
        self._renamed = False
        """Ended by another codec, not only by other packets of the same."""
        self._filler = Filler()
        self.ticks = Ticks()
        self._opened_at = time.monotonic()
        self.sent_before: int | None = None
        """Packets that FreeSWITCH had sent before."""
        self._link = DatagramLink(on_datagram=self._on_datagram, local=(local_host, 0))
        self.send = self._link.send
        """A packet to the caller's ear."""
        try:
            self._port = ports.take(freeswitch_host)
        except BaseException:
            self._link.close()
            raise
        self._far = (freeswitch_host, self._port)
        try:
            self._link.connect(self._far)
        except OSError:
            self.close()
            raise

    def command(self) -> commands.Command:
        """What FreeSWITCH is told."""
        return commands.unicast(local=self._far, remote=self._link.address)

    def proves(self, leg: Leg) -> Leg:
        """The leg with the packet time of the first datagram: ours must be as long."""
        self._told = leg
        if packets_may_differ(leg):
            self._ptime_ms = leg.ptime_ms
            return leg
        samples_ms = self._first_bytes // 2 * 1000
        ms = samples_ms // leg.rate_hz
        told = ms * leg.rate_hz == samples_ms and ms in PTIMES_MS
        self._ptime_ms = ms if told else leg.ptime_ms
        return replace(leg, ptime_ms=self._ptime_ms)

    @property
    def packets_shorter(self) -> bool:
        """The telephone's are shorter than FreeSWITCH believes, and it keeps to that."""
        return self._longer_bytes < 0

    @property
    def packets_longer(self) -> bool:
        """They are longer: FreeSWITCH puts something of its own between them, see `filler`."""
        return self._longer_bytes > 0

    @property
    def _longer_bytes(self) -> int:
        told = self._told
        if told is None or not packets_may_differ(told) or not self._packet_bytes:
            return 0
        return self._packet_bytes - told.rate_hz * told.ptime_ms // 1000 * 2

    def listen(self, on_audio: Callable[[bytes], None]) -> None:
        """Bring the caller's audio, which somebody else did until now."""
        self._on_audio = on_audio

    def ended_by(self, leg: Leg, codec_at: float) -> bool:
        """Whether FreeSWITCH has ended it as it set its codec, at that moment, to `leg`.

        Its first datagram may be as long as the telephone's packets really are, while FreeSWITCH
        believes the SDP yet: the correction brings nothing new, but ends `unicast`.
        """
        told, self._told = self._told, leg
        ended = leg != told and codec_at > self._proven_at - STAMP_S > 0.0
        if ended and told is not None:
            self._garbled = self._ptime_ms < told.ptime_ms
            self._renamed = leg.codec != told.codec
        return ended

    def seen(self, heard: int | None) -> Seen:
        """Counts for the watch. `heard`: see there."""
        link = self._link
        if self._on_audio is None:
            link.peek()
        return Seen(link.datagrams_in, link.datagrams_out, link.refused, heard)

    def heard(self, sent: int | None, until: float, otherwise: float) -> HeardUntil:
        """What the caller heard of a line that is gone, by FreeSWITCH's count of packets.

        Args:
            until: nothing that was sent later.
            otherwise: where FreeSWITCH did not count, what was to be heard by then.
        """
        if self._garbled:
            return self._opened_at
        if sent is None or self.sent_before is None:
            return otherwise
        speech = sent - self.sent_before - self._noise(until)
        return PacketsHeard(max(0, speech), until)

    def _noise(self, until: float) -> int:
        """How many of its last packets were noise, see `reoffers`: one at least, and as many as fit
        in front of the packet for which FreeSWITCH sleeps before it sets the codec. A quarter of
        one is how wrong its clock may be."""
        if not self._renamed:
            return 0
        ptime_s = self._ptime_ms / 1000
        noise_s = until - ptime_s - self.noise_from
        if noise_s > NOISE_S:
            return 1  # of a re-INVITE long ago, which renumbered the codec
        return max(1, math.floor(noise_s / ptime_s + 0.75))

    def heard_until(self, alive_until: float) -> float:
        """The same by the clock: when the caller last heard, for sure, what he was sent by a line
        that lived until then.

        Nothing of its first packets where FreeSWITCH believed in longer ones: see `_garbled`.
        """
        whole = self._told is None or self._ptime_ms >= self._told.ptime_ms
        settled = whole or alive_until - self._opened_at >= SETTLES_S
        return alive_until if settled else self._opened_at

    def died(self, leg: Leg, alive_at: float, now: float) -> tuple[float, float]:
        """Found dead at `now`, sure to have lived at `alive_at`, on a channel that is `leg`: until
        when something may have been heard of it, and what was heard where nobody counted.

        A refusal tells when FreeSWITCH closed its socket, and a codec that is new why: all that
        it counts was ours. Else others may play on the channel, and are counted, too.
        """
        otherwise, told = self.heard_until(alive_at), self._told
        self.ended_by(leg, now)
        by_silence = now if leg != told else otherwise
        return self._link.refused_at or by_silence, otherwise

    def close(self) -> None:
        """Give up socket and port; FreeSWITCH is told nothing."""
        if not self._link.closed:
            self._link.close()
            self._ports.give_back(self._port)

    def _on_datagram(self, data: bytes) -> None:
        if not self.ticks.sure:
            self.ticks.note(time.monotonic())
        if not self.proven.is_set():
            self._first_bytes, self._proven_at = len(data), time.monotonic()
            self._link.refused_at = 0.0  # it was closed yet
            self.proven.set()
        if not self._packet_bytes and not is_filler(data):
            self._packet_bytes = len(data)
        if self._on_audio is not None:
            if not self._filler.takes(data):
                self._on_audio(data)
        elif self._packet_bytes and self._told and self.ticks.sure and not self.packets_longer:
            self._link.deafen()  # the stream brings the caller; reading him twice costs CPU


def packets_sent(esl: ControllerSession) -> int | None:
    """How many RTP packets FreeSWITCH has sent on the channel; None where it does not know."""
    batch = [
        commands.api("uuid_set_media_stats", esl.uuid),
        commands.api("uuid_getvar", f"{esl.uuid} {_COUNTED}"),
    ]
    text = esl.pipeline(batch)[-1].text.strip()
    return int(text) if text.isdigit() else None
