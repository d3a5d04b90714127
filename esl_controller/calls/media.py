"""Brings the caller's media: starts mod_audio_stream and `unicast`, and hands both to the session.

One of these per conversation on a leg; a leg may have several, one after the other. What waits runs
in the call's own greenlet; what the hub calls never does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from gevent.event import Event as Signal

from bridge.playout.editions import fits_packets, needs_idle_silence
from bridge.playout.heard import HeardUntil
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.session.media_plan import Leg, MediaPath, MediaPlan, PlayoutChoice
from bridge.session.session import Session
from bridge.session_manager import SessionManager
from bridge.wire.link import CloseInfo
from esl_controller.calls.audio_module import without_unicast
from esl_controller.calls.caller_stream import CallerStream
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.leg_codec import DEFAULT_LEG, event_age_s
from esl_controller.calls.line_watch import GIVE_WAY_S, LineWatch, Verdict
from esl_controller.calls.media_site import MediaSite, MediaUnavailable
from esl_controller.calls.overheard import Overheard
from esl_controller.calls.packet_time import PacketTime
from esl_controller.calls.playing import Playing, playback_variables
from esl_controller.calls.reconnecting import Restarts, ask_again
from esl_controller.calls.reoffers import Reoffers, codec_now, will_change
from esl_controller.calls.stream_start import end_at_once, start_command, stream_variables
from esl_controller.calls.unicast_line import EVENT_LATE_S, PROOF_S, UnicastLine, packets_sent
from esl_controller.calls.unicast_ports import PortsExhausted
from esl_controller.esl import commands
from esl_controller.esl.events import Event
from esl_controller.esl.session import ControllerSession
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.log import call_logger
from esl_controller.telemetry.metrics import Metrics

STOP_TIMEOUT_S = 1.5
"""`uuid_audio_stream stop` waits up to a second for the WebSocket to close (observed)."""


class CallMedia:
    """The media of one conversation on FreeSWITCH."""

    def __init__(
        self,
        esl: ControllerSession,
        session: Session,
        manager: SessionManager,
        site: MediaSite,
        outbox: Outbox,
        metrics: Metrics,
        *,
        path: MediaPath,
        choice: PlayoutChoice,
        module: Flavour | None,
    ) -> None:
        self.path, self.choice, self.restarts = path, choice, 0
        self._esl, self._session, self._manager = esl, session, manager
        self._site, self._outbox, self._metrics = site, outbox, metrics
        self._module, self._leg, self._log = module, DEFAULT_LEG, call_logger()
        self._stream = CallerStream(self)
        self._token = ""
        self._stream_hz = 0
        """Rate the stream was started with."""
        self._line: UnicastLine | None = None
        self._playing = Playing(esl, outbox)
        self._attached = self._stopping = False
        self._codec_told = False
        """The codec was set anew at a moment when nobody could ask for it."""
        self._codec_at = 0.0
        self._restarts = Restarts()
        self._packet_time = PacketTime(esl, outbox)
        self._reoffers = Reoffers(esl, outbox, self._on_other_codec)
        self._overheard = Overheard(esl, self.leave_unicast)
        self._watch = LineWatch(patient=without_unicast(module) is None)
        self._stops: list[Callable[[], None]] = [
            esl.on("mod_audio_stream::error", self._on_stream_error),
            esl.on("CODEC", self._on_codec),
            esl.on("CHANNEL_HANGUP", self._wait_no_more),
        ]
        esl.gone.rawlink(self._wait_no_more)

    # --- starting and stopping, in the call's greenlet -----------------------------------------

    def prepare(self) -> None:
        """Set what FreeSWITCH must know before `answer`, while the caller hears ring-back."""
        variables = self._stream_variables() if self.path is MediaPath.STREAM else []
        if needs_idle_silence(self.choice.mode, self.choice.flavour):
            # Read once, when a channel is first parked with media (switch_ivr.c, switch_ivr_park).
            variables.append(("send_silence_when_idle", "-1"))
        variables += playback_variables(self.choice)
        self._esl.pipeline([self._set(name, value) for name, value in variables])

    def start(self, leg: Leg) -> None:
        """Start both ways of the call's media; only on a channel that has media.

        Raises:
            MediaUnavailable: nothing works; the dialplan must take the call.
            CallGone: the call ended meanwhile.
        """
        self._leg = leg
        batch = []
        if self.choice.mode is PlayoutMode.UNICAST:
            try:
                batch.append(self._open_line().command())
            except (PortsExhausted, OSError) as error:
                self._without_unicast(str(error))
        if self.path is MediaPath.STREAM:
            batch.append(self._stream_command())
        self._session.expect_media()
        self._esl.pipeline(batch)
        if self.path is MediaPath.STREAM:
            self._wait_for_stream("mod_audio_stream did not connect")
        if self._line is not None:
            self._prove(self._line)
            self._reoffers.begin()
            self._overheard.begin(self._leg)
        self._attach()

    def restart(self, tell: Callable[[], None]) -> None:
        """Bring the media once more: a stream that was lost, or all of it for another codec.

        `tell` is called when that takes long: what plays on its own may say so.

        Raises:
            MediaUnavailable: nothing works for too long, or it was lost too often.
            CallGone: the call ended meanwhile.
        """
        self._restarts.count(time.monotonic())
        self.restarts += 1
        old, self._leg = self._leg, self._leg_now()
        if self._line is None and self.choice.mode is PlayoutMode.UNICAST:
            self._without_unicast("it ended")
        if not fits_packets(self.choice.mode, self.choice.flavour, self._leg.ptime_ms):
            raise MediaUnavailable(f"no sound in packets of {self._leg.ptime_ms} ms")
        if self._leg.rate_hz != old.rate_hz:
            self._stream_hz = 0  # the module goes on as if the channel had its old rate
        ask_again(self._attach, self._pause, tell)

    def leave_unicast(self) -> bool:
        """Go on playing by the module; False when nothing plays yet, or there is none."""
        line, now = self._line, time.monotonic()
        if line is None or not self._attached or without_unicast(self._module) is None:
            return False
        self._outbox.post(lambda: self._lose_line(line, now, line.heard_until(now)))
        return True

    def stop(self) -> None:
        """Stop what FreeSWITCH still runs for us, so that others can have the call."""
        if batch := self._silencing():
            self._esl.pipeline(batch)
        if self._stream.is_open:
            self._stop_stream()

    def last_commands(self) -> list[commands.Command]:
        """The same for a channel that is left this moment: nothing is waited for."""
        batch = self._silencing()
        if self._stream.is_open:
            batch += end_at_once(self._esl.uuid, self.choice.flavour)
        return batch

    def _silencing(self) -> list[commands.Command]:
        self._stopping = True
        batch = self._playing.last_commands()
        if self.choice.mode is PlayoutMode.FILE:
            batch.append(self._set("playback_terminators", ""))
        return batch

    def close(self) -> None:
        """Give up sockets, ports and handlers; nothing is asked of FreeSWITCH."""
        self._stopping = True
        while self._stops:
            self._stops.pop()()
        self._esl.gone.unlink(self._wait_no_more)
        self._playing.close()
        for part in (self._packet_time, self._reoffers, self._overheard):
            part.close()
        self._stream.close()
        self._close_line()

    # --- the stream ----------------------------------------------------------------------------

    def _stream_variables(self) -> list[tuple[str, str]]:
        self._token = self._manager.issue_ticket(self._session, self._stream)
        return stream_variables(self._module, self._token, self._site.stream_variables())

    def _stream_command(self) -> commands.Command:
        self._stream_hz = self._plan().stream_format.rate_hz
        session, base_url = self._session, self._site.stream_base_url
        url = f"{base_url}/{session.domain_uuid}/{session.call_uuid}"
        return start_command(self._esl.uuid, self._module, url, self._token, self._stream_hz)

    def _start_stream(self) -> None:
        """One more, with a new token."""
        self._stream.give_up()
        # After a clean close the old media bug is still attached and refuses a second start.
        self._stop_stream()
        self._stream.close()
        self._stream = CallerStream(self)
        variables = [*self._stream_variables(), *playback_variables(self.choice)]
        self._esl.pipeline([*(self._set(*pair) for pair in variables), self._stream_command()])
        self._wait_for_stream("the caller's stream did not come back")

    def _stop_stream(self) -> None:
        self._esl.bgapi("uuid_audio_stream", f"{self._esl.uuid} stop", STOP_TIMEOUT_S, check=False)

    def _wait_for_stream(self, why: str) -> None:
        if not self._came(self._stream.joined, self._site.join_timeout_s):
            raise MediaUnavailable(why)
        if self._stream.link is None:
            raise MediaUnavailable(self._stream.refusal or "the caller's stream ended at once")

    def on_stream_closed(self, stream: CallerStream, info: CloseInfo) -> None:
        """Told to the session unless we are leaving anyway."""
        if stream is self._stream and self._alive:
            self._log.info("media.stream_closed", code=info.code)
            self._session.lose_media(still_playing=self._line is not None)  # `unicast` plays on

    def _on_stream_error(self, event: Event) -> None:
        self._log.warning("media.stream_error", text=event.text[:200])
        self._stream.hear_error(event.text)

    # --- unicast -------------------------------------------------------------------------------

    def _open_line(self) -> UnicastLine:
        site = self._site
        hears = self._session.receive_audio if self.path is MediaPath.UNICAST else None
        freeswitch_host = site.freeswitch_host or self._esl.far_host
        self._line = UnicastLine(site.local_host, freeswitch_host, site.ports, hears)
        self._line.sent_before = packets_sent(self._esl)
        return self._line

    def _prove(self, line: UnicastLine) -> None:
        """Wait for the first datagram, whose length wins over what the channel's data say."""
        if not self._came(line.proven, PROOF_S) and not self._try_another_port():
            self._without_unicast("no datagram came")
        elif self._line is not None:
            proven, others = self._line.proves(self._leg), without_unicast(self._module)
            if proven != self._leg and others is not None and will_change(self._esl, proven):
                return self._without_unicast("the telephone's packets are not as it said")
            self._leg = proven

    def _try_another_port(self) -> bool:
        """FreeSWITCH says `+OK` to one that a worker of another host has, and plays nothing."""
        self._close_line()
        try:
            line = self._open_line()
            self._esl.pipeline([line.command()])
        except (PortsExhausted, OSError):
            return False
        return self._came(line.proven, PROOF_S)

    def _without_unicast(self, why: str) -> None:
        """Play by the module, if there is one that can."""
        self._close_line()
        other = without_unicast(self._module)
        if other is None:
            raise MediaUnavailable(f"unicast: {why}")
        self._log.warning("media.no_unicast", why=why, playback=other[0].value)
        self._metrics.count(m.UNICAST_LOST)
        self.path, self.choice = MediaPath.STREAM, PlayoutChoice(*other)
        self._esl.pipeline([self._set(*pair) for pair in playback_variables(self.choice)])

    def _close_line(self) -> None:
        if self._line is not None:
            self._manager.watch(self._session, None)
            self._line.close()
            self._line = None

    def _look_after_line(self, now: float) -> None:
        """Each TICK_S, on the hub: does `unicast` still live?"""
        line, session = self._line, self._session
        if line is None or not self._attached:
            return
        if line.packets_shorter:
            self._packet_time.correct()
        elif line.packets_longer and self.path is MediaPath.STREAM:
            self.path = MediaPath.UNICAST  # the stream has FreeSWITCH's filler in it: see `filler`
            self._outbox.post(self._stop_stream)
        heard = session.line.uplink.counters.chunks if self.path is MediaPath.STREAM else None
        verdict = self._watch.look(line.seen(heard), now)
        if verdict is Verdict.GIVE_WAY:
            self._metrics.count(m.CALLER_STALLS)
            self._log.warning("media.caller_stalled")
            self._give_way(self._watch.pause_s)
        elif verdict is Verdict.DEAD:
            self._log.warning("media.unicast_dead")
            at = self._watch.alive_at, now
            self._outbox.post(lambda: self._lose_line(line, *line.died(self._leg_now(), *at)))

    def _on_other_codec(self, at: float) -> None:
        """FreeSWITCH will set it as soon as it gets its lock."""
        if (line := self._line) is not None:
            line.noise_from = at
            self._give_way(GIVE_WAY_S)

    def _give_way(self, pause_s: float) -> None:
        if (playout := self._session.line.downlink.playout) is not None:
            playout.give_way(pause_s)

    # --- both ----------------------------------------------------------------------------------

    @property
    def _alive(self) -> bool:
        return not (self._stopping or self._esl.hungup or self._session.ended)

    def _attach(self) -> None:
        """Hand both ways to the session, the stream started anew if it is not what is wanted."""
        plan = self._plan()
        fits = self._stream.is_open and plan.stream_format.rate_hz == self._stream_hz
        if self.path is MediaPath.STREAM and not fits:
            self._start_stream()
        still_plays = self._attached and self._line is not None
        self._playing.stream, self._playing.line = self._stream, self._line
        playout = None if still_plays else self._playing.make(self.choice, plan)
        self._session.attach_media(plan, playout)
        self._attached = True
        if self._line is not None:
            if self.path is MediaPath.UNICAST:
                self._line.listen(self._session.receive_audio)
            self._manager.watch(self._session, self._look_after_line)
        if self._codec_told:
            self._codec_told = False
            self._outbox.post(self._ask_codec)

    def _lose_all(self, heard_until: HeardUntil) -> None:
        """The call will `restart`."""
        self._attached = False
        if self._alive:
            self._session.lose_media(heard_until=heard_until)

    def _on_codec(self, event: Event) -> None:
        """The codec may have been set anew; what it is now only FreeSWITCH's variables tell."""
        self._codec_at = time.monotonic() - event_age_s(event, time.time())
        if not self._attached:
            self._codec_told = True
        elif self._alive:
            self._outbox.post(self._ask_codec)

    def _ask_codec(self) -> None:
        leg, line = self._leg_now(), self._line
        ended = line is not None and line.ended_by(leg, self._codec_at)
        if (leg == self._leg and not ended) or not self._attached or not self._alive:
            return
        self._log.info("media.codec_changed", codec=leg.codec, ptime_ms=leg.ptime_ms)
        self._metrics.count(m.CODEC_CHANGES)
        way = self.choice.mode, self.choice.flavour
        silent = needs_idle_silence(*way) and fits_packets(*way, leg.ptime_ms)
        if silent and leg.ptime_ms != self._leg.ptime_ms:
            self._playing.play_silence()
        if line is not None:
            self._lose_line(line, self._codec_at, self._codec_at - EVENT_LATE_S)
        elif leg == replace(self._leg, codec=leg.codec):
            self._leg = leg  # what we send and get stays the same
        else:
            self._lose_all(self._playing.heard_until(self._leg, leg, self._codec_at))

    def _lose_line(self, line: UnicastLine, until: float, otherwise: float) -> None:
        """`unicast` has ended, which FreeSWITCH says nothing about."""
        if self._line is line:
            self._close_line()
            self._lose_all(line.heard(packets_sent(self._esl), until, otherwise))

    def _leg_now(self) -> Leg:
        return codec_now(self._esl) or self._leg

    def _wait_no_more(self, _: object) -> None:
        """The call is gone: nothing will come."""
        self._stream.joined.set()
        if self._line is not None:
            self._line.proven.set()

    def _came(self, signal: Signal, timeout_s: float) -> bool:
        """Wait for a signal. Raises `CallGone`."""
        came = signal.wait(timeout_s)
        self._esl.require_call()
        return came

    def _pause(self, pause_s: float) -> None:
        self._came(self._esl.gone, pause_s)
        self._session.expect_media()

    def _plan(self) -> MediaPlan:
        return self._site.plan(
            self._leg, self._session.provider_rate_hz, self.choice, media=self.path
        )

    def _set(self, name: str, value: str) -> commands.Command:
        return commands.api("uuid_setvar", f"{self._esl.uuid} {name} {value}".rstrip())
