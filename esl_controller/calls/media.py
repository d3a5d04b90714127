"""Brings the caller's media: starts mod_audio_stream and `unicast`, and hands both to the session.

One of these per call. It implements the session manager's `StreamOwner` and gives the playout its
sinks. What waits runs in the call's own greenlet; what the hub calls never does.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gevent.event import Event as Signal

from bridge.errors import BridgeError
from bridge.playout.base import Playout, PlayoutSinks
from bridge.playout.file import FilePlayout
from bridge.playout.modes import Flavour, PlayoutMode, needs_idle_silence
from bridge.playout.registry import make_playout
from bridge.providers.base import Capabilities
from bridge.session.media_plan import (
    STREAM_RATES_HZ,
    Leg,
    MediaPath,
    MediaPlan,
    PlayoutChoice,
    choose_formats,
)
from bridge.session.session import Session
from bridge.session_manager import SessionManager
from bridge.wire import frames
from bridge.wire.datagram import DatagramLink
from bridge.wire.link import CloseInfo, WebSocketLink
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.unicast_ports import PortRange, PortsExhausted
from esl_controller.esl import commands
from esl_controller.esl.applications import Application
from esl_controller.esl.events import Event
from esl_controller.esl.session import ControllerSession
from esl_controller.telemetry.log import call_logger

UNICAST_PROOF_S = 0.5
"""FreeSWITCH sends a datagram every 20 ms once `unicast` runs; its `+OK` proves nothing."""
STOP_TIMEOUT_S = 1.5
"""`uuid_audio_stream stop` waits up to a second for the WebSocket to close (observed)."""


_CANNOT_CONNECT = re.compile(r'"code":\s*(6|10)\b')
"""mod_audio_stream's codes for a handshake that failed or took too long; others tell of the end of
a connection, of an older one perhaps."""


class MediaUnavailable(Exception):
    """The caller's media cannot be had in any way that is allowed."""


@dataclass(frozen=True, slots=True)
class MediaSite:
    """What a worker knows about the way between FreeSWITCH and itself."""

    stream_base_url: str
    """`ws://host:port/stream`, as FreeSWITCH reaches this worker."""
    local_host: str
    """Our address for unicast datagrams, as FreeSWITCH reaches it."""
    freeswitch_host: str
    """FreeSWITCH's address for unicast datagrams, as we reach it."""
    ports: PortRange
    buffer_ms: int = 20
    stream_rates_hz: Sequence[int] = STREAM_RATES_HZ
    join_timeout_s: float = 3.0


class CallMedia:
    """The media of one call on FreeSWITCH."""

    def __init__(
        self,
        esl: ControllerSession,
        session: Session,
        manager: SessionManager,
        site: MediaSite,
        outbox: Outbox,
        *,
        path: MediaPath,
        choice: PlayoutChoice,
    ) -> None:
        self.path = path
        self.choice = choice
        self.restarts = 0
        self._esl = esl
        self._session = session
        self._manager = manager
        self._site = site
        self._outbox = outbox
        self._log = call_logger()
        self._joined = Signal()
        self._proven = Signal()
        self._stream: WebSocketLink | None = None
        self._datagrams: DatagramLink | None = None
        self._port: int | None = None
        self._playout: Playout | None = None
        self._stopping = False
        self._refusal = ""
        """Why mod_audio_stream could not connect."""
        self._leg = Leg("PCMU", 8000)
        self._removals = [
            esl.on(name, handler)
            for name, handler in (
                ("mod_audio_stream::play", self._on_play),
                ("mod_audio_stream::error", self._on_stream_error),
                ("CHANNEL_EXECUTE", self._on_execute),
                ("CHANNEL_EXECUTE_COMPLETE", self._on_execute_complete),
                ("CHANNEL_HANGUP", self._wait_no_more),
            )
        ]
        esl.gone.rawlink(self._wait_no_more)

    # --- starting and stopping, in the call's greenlet -----------------------------------------

    def prepare(self) -> None:
        """Set what FreeSWITCH must know before `answer`, while the caller hears ring-back."""
        variables = []
        if self.path is MediaPath.STREAM:
            token = self._manager.issue_ticket(self._session, self)
            variables.append(("STREAM_EXTRA_HEADERS", f'{{"X-Stream-Token":"{token}"}}'))
            variables.append(("STREAM_BUFFER_SIZE", str(self._site.buffer_ms)))
        if needs_idle_silence(self.choice.mode, self.choice.flavour):
            # The park loop reads it once, when it first sees media (switch_ivr.c,
            # switch_ivr_park).
            variables.append(("send_silence_when_idle", "-1"))
        if self.choice.mode is not PlayoutMode.UNICAST:
            variables.append(("STREAM_PLAYBACK", "true"))
        self._esl.pipeline([self._set(name, value) for name, value in variables])

    def start(self, leg: Leg) -> MediaPlan:
        """Start both ways of the call's media; only on a channel that has media.

        Raises:
            MediaUnavailable: nothing works; the dialplan must take the call.
            CallGone: the call ended meanwhile.
        """
        self._leg = leg
        plan = self._plan(leg)
        batch = []
        if self.choice.mode is PlayoutMode.UNICAST:
            try:
                batch.append(self._unicast_command())
            except PortsExhausted as error:
                plan = self._without_unicast(leg, str(error))
        if self.path is MediaPath.STREAM:
            batch.append(self._stream_command(plan))
        self._session.expect_media()
        self._esl.pipeline(batch)
        if self.path is MediaPath.STREAM and not self._came(
            self._joined, self._site.join_timeout_s
        ):
            raise MediaUnavailable("mod_audio_stream did not connect")
        self._require_stream()
        if self.choice.mode is PlayoutMode.UNICAST and not self._came(
            self._proven, UNICAST_PROOF_S
        ):
            plan = self._without_unicast(leg, "no datagram came")
        self._attach(plan)
        return plan

    def restart(self) -> None:
        """Start a lost stream once more, with a new token.

        Raises:
            MediaUnavailable: it did not come back, or was lost before.
        """
        if self.restarts or self.path is not MediaPath.STREAM:
            raise MediaUnavailable("the caller's stream was lost")
        self.restarts += 1
        self._joined.clear()
        self._refusal = ""
        token = self._manager.issue_ticket(self._session, self)
        plan = self._plan(self._leg)
        # After a clean close the old media bug is still attached and refuses a second start.
        self._esl.bgapi("uuid_audio_stream", f"{self._esl_uuid} stop", STOP_TIMEOUT_S, check=False)
        self._esl.pipeline(
            [
                self._set("STREAM_EXTRA_HEADERS", f'{{"X-Stream-Token":"{token}"}}'),
                self._stream_command(plan),
            ]
        )
        if not self._came(self._joined, self._site.join_timeout_s):
            raise MediaUnavailable("the caller's stream did not come back")
        self._require_stream()
        if self._plays_by_itself:
            self._session.attach_media(plan, None)
        else:
            self._attach(plan)

    def stop(self) -> None:
        """Stop what FreeSWITCH still runs for us, so that others can have the call."""
        self._stopping = True
        if self._stream is not None and self._stream.is_open:
            self._esl.bgapi(
                "uuid_audio_stream", f"{self._esl_uuid} stop", STOP_TIMEOUT_S, check=False
            )

    def close(self) -> None:
        """Let go of the leg, give up sockets and ports; nothing is asked of FreeSWITCH."""
        self._stopping = True
        while self._removals:
            self._removals.pop()()
        self._esl.gone.unlink(self._wait_no_more)
        if self._stream is not None:
            self._stream.close(frames.NORMAL)
        if self._datagrams is not None:
            self._datagrams.close()
            self._datagrams = None
        if self._port is not None:
            self._site.ports.give_back(self._port)
            self._port = None

    # --- StreamOwner, on the hub ---------------------------------------------------------------

    def stream_joined(self, link: WebSocketLink) -> None:
        """The caller's stream is here."""
        self._stream = link
        self._joined.set()

    def stream_closed(self, info: CloseInfo) -> None:
        """The stream ended: told to the session unless we are leaving anyway."""
        self._stream = None
        if not self._stopping and not self._esl.hungup and not self._session.ended:
            self._log.info("media.stream_closed", code=info.code)
            self._session.lose_media(still_playing=self._plays_by_itself)

    def stream_text(self, payload: bytes) -> None:
        """Metadata and free text: nothing of it is trusted, and the identity is known already."""
        self._log.debug("media.stream_text", size=len(payload))

    def _wait_no_more(self, _: object) -> None:
        """The call is gone: nothing will come."""
        self._joined.set()
        self._proven.set()

    def _require_stream(self) -> None:
        if self.path is MediaPath.STREAM and self._stream is None:
            raise MediaUnavailable(self._refusal or "the caller's stream ended at once")

    def _came(self, signal: Signal, timeout_s: float) -> bool:
        """Wait for a signal. Raises `CallGone`."""
        came = signal.wait(timeout_s)
        self._esl.require_call()
        return came

    # --- inside --------------------------------------------------------------------------------

    @property
    def _plays_by_itself(self) -> bool:
        """Whether the caller goes on hearing us when the stream is lost."""
        return self.choice.mode is PlayoutMode.UNICAST and self._playout is not None

    @property
    def _esl_uuid(self) -> str:
        return self._session.call_uuid

    def _plan(self, leg: Leg) -> MediaPlan:
        options = self._session.config.options
        capabilities = Capabilities(
            input_formats=(options.input_format,), output_formats=(options.output_format,)
        )
        try:
            return choose_formats(
                leg,
                capabilities,
                self.choice,
                media=self.path,
                stream_rates_hz=self._site.stream_rates_hz,
            )
        except BridgeError as error:
            raise MediaUnavailable(str(error)) from error

    def _set(self, name: str, value: str) -> commands.Command:
        return commands.api("uuid_setvar", f"{self._esl_uuid} {name} {value}")

    def _stream_command(self, plan: MediaPlan) -> commands.Command:
        url = f"{self._site.stream_base_url}/{self._session.domain_uuid}/{self._esl_uuid}"
        rate = plan.stream_format.rate_hz
        return commands.api("uuid_audio_stream", f"{self._esl_uuid} start {url} mono {rate}")

    def _unicast_command(self) -> commands.Command:
        self._port = self._site.ports.take(self._site.freeswitch_host)
        far = (self._site.freeswitch_host, self._port)
        self._datagrams = DatagramLink(
            on_datagram=self._on_datagram, local=(self._site.local_host, 0)
        )
        self._datagrams.connect(far)
        return commands.unicast(local=far, remote=self._datagrams.address)

    def _without_unicast(self, leg: Leg, why: str) -> MediaPlan:
        """Files are the way that always works with the module."""
        if self.path is not MediaPath.STREAM:
            raise MediaUnavailable(f"unicast did not start: {why}")
        self._log.warning("media.no_unicast", why=why, playback="file")
        if self._datagrams is not None:
            self._datagrams.close()
            self._datagrams = None
        self.choice = PlayoutChoice(PlayoutMode.FILE, Flavour.OPEN)
        return self._plan(leg)

    def _attach(self, plan: MediaPlan) -> None:
        sinks = PlayoutSinks(
            send_binary=self._send_binary,
            send_text=self._send_text,
            send_datagram=self._send_datagram,
            execute_playback=self._execute_playback,
            break_playback=self._break_playback,
            stream_break=self._break_stream,
        )
        self._playout = make_playout(
            self.choice.mode, self.choice.flavour, plan.playout_format, sinks
        )
        self._session.attach_media(plan, self._playout)

    def _on_datagram(self, data: bytes) -> None:
        self._proven.set()
        if self.path is MediaPath.UNICAST:
            self._session.receive_audio(data)
        elif self._datagrams is not None:
            self._datagrams.deafen()  # the stream brings the caller; reading him twice costs CPU

    def _send_binary(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.send_binary(data)

    def _send_text(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.send_text(data)

    def _send_datagram(self, data: bytes) -> None:
        if self._datagrams is not None:
            self._datagrams.send(data)

    def _execute_playback(self, path: str, generation: int) -> None:
        self._outbox.post(
            lambda: self._esl.execute(
                Application.PLAYBACK, path, event_uuid=f"va-{generation}-{time.monotonic_ns()}"
            )
        )

    def _break_playback(self) -> None:
        self._outbox.post(lambda: self._esl.api("uuid_break", f"{self._esl_uuid} all"))

    def _break_stream(self) -> None:
        self._outbox.post(
            lambda: self._esl.api("uuid_audio_stream", f"{self._esl_uuid} break", check=False)
        )

    # --- events of FreeSWITCH, in the session's dispatcher ---------------------------------------

    def _on_play(self, event: Event) -> None:
        if isinstance(self._playout, FilePlayout):
            self._playout.on_play_event(event.body)

    def _on_execute(self, event: Event) -> None:
        generation = _generation(event.application_uuid)
        if generation is not None and isinstance(self._playout, FilePlayout):
            self._playout.on_execute(generation, time.monotonic())

    def _on_execute_complete(self, event: Event) -> None:
        generation = _generation(event.application_uuid)
        if generation is not None and isinstance(self._playout, FilePlayout):
            self._playout.on_execute_complete(generation)

    def _on_stream_error(self, event: Event) -> None:
        """When it cannot connect there is nothing to wait for."""
        self._log.warning("media.stream_error", text=event.text[:200])
        if self._stream is None and _CANNOT_CONNECT.search(event.text):
            self._refusal = f"mod_audio_stream: {event.text[:200]}"
            self._joined.set()


def _generation(application_uuid: str) -> int | None:
    """The answer a playback of ours belongs to; it was put into the command's Event-UUID."""
    prefix, _, rest = application_uuid.partition("-")
    number = rest.partition("-")[0]
    return int(number) if prefix == "va" and number.isdigit() else None
