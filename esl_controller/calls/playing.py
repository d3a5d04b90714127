"""What a playout acts with on one leg, and what FreeSWITCH tells of files that it plays."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

from gevent.event import Event as Signal

from bridge.playout.base import Playout, PlayoutSinks
from bridge.playout.editions import way_of
from bridge.playout.file import FilePlayout
from bridge.playout.heard import BytesHeard, HeardUntil
from bridge.playout.modes import PlayoutMode
from bridge.playout.registry import make_playout
from bridge.session.media_plan import Leg, MediaPlan, PlayoutChoice
from esl_controller.calls.caller_stream import CallerStream
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.unicast_line import UnicastLine
from esl_controller.esl import commands
from esl_controller.esl.applications import Application
from esl_controller.esl.events import Event
from esl_controller.esl.session import ControllerSession

BREAKS_WITHIN_S = 0.25
"""In so much time FreeSWITCH has told how far it came in a file that is broken off: it looks once
for each packet, and sends events each 20 ms."""
BEGINS_LATE_MS = 30
"""A module that replaces frames begins with an answer at FreeSWITCH's next packet; the first one of
a call was up to 34 ms behind what is reckoned (observed with cloudfieldcz)."""
SILENCE = "silence_stream://-1"
"""Of FreeSWITCH's mod_tone_stream."""
_OURS = re.compile(r"va-(\d{1,18})-(\d{1,18})-")


class Playing:
    """The leg's sinks; `stream` and `line` are what they lead to at the moment."""

    def __init__(self, esl: ControllerSession, outbox: Outbox) -> None:
        self.stream: CallerStream | None = None
        self.line: UnicastLine | None = None
        self._esl = esl
        self._outbox = outbox
        self._files: FilePlayout | None = None
        self._files_by: CallerStream | None = None
        self._drops_in_order = False
        """The module drops what is queued by a message in front of what is sent next."""
        self._broken = Signal()
        self._silence_plays = False
        self._stops: list[Callable[[], None]] = [
            esl.on("mod_audio_stream::play", self._on_play),
            esl.on("CHANNEL_EXECUTE", self._on_execute),
            esl.on("CHANNEL_EXECUTE_COMPLETE", self._on_execute_complete),
        ]

    def make(self, choice: PlayoutChoice, plan: MediaPlan) -> Playout:
        """A new playout on this leg."""
        sinks = PlayoutSinks(
            send_binary=self._send_binary,
            send_text=self._send_text,
            send_datagram=self.line.send if self.line is not None else _nowhere,
            execute_playback=self._execute_playback,
            break_playback=self._break_playback,
            stream_break=self._break_stream,
        )
        playout = make_playout(
            choice.mode,
            choice.flavour,
            plan.playout_format,
            sinks,
            ptime_ms=plan.ptime_ms,
            ticks=None if self.line is None else self.line.ticks,
        )
        files = playout if isinstance(playout, FilePlayout) else None
        if files is not None and self._files is not None:
            files.follow(self._files, same_stream=self._files_by is self.stream)
        self._files, self._files_by = files, self.stream
        way = way_of(choice.mode, choice.flavour)
        self._drops_in_order = way is not None and bool(way.clear)
        return playout

    def heard_until(self, before: Leg, leg: Leg, codec_at: float) -> HeardUntil:
        """What the caller has heard of what he was sent by the module, now that his codec is
        another one, which was set at `codec_at`. None: all that is sure by now; infinity: he goes
        on hearing it.

        Files are broken off; waits until FreeSWITCH has told how far it came.
        """
        if self._files is not None:
            return self._break_off(self._files, before, leg)
        another_rate = leg.rate_hz != before.rate_hz
        if not self._drops_in_order:
            return None if another_rate else math.inf
        if not another_rate and leg.ptime_ms == before.ptime_ms:
            return math.inf
        # At another rate the module goes on in samples of the old one, which are no words.
        until = codec_at if another_rate else time.monotonic()
        # The park loop goes on with frames of the old length: on a channel of shorter packets one
        # more is taken from the module than is heard (20 and 40 ms were lost, of 60 for 10).
        more_ms = before.ptime_ms if leg.ptime_ms < before.ptime_ms else 0
        return until - (_thrown_ms(before, leg) + more_ms + BEGINS_LATE_MS) / 1000

    def _break_off(self, files: FilePlayout, before: Leg, leg: Leg) -> BytesHeard:
        """A file is read on in packets of the old length, on a channel of shorter ones several
        times too fast: they wait, and are heard. What is thrown away is sent again.
        """
        if not files.break_off():
            return BytesHeard(files.heard_bytes)
        self._broken.clear()
        self._esl.api("uuid_break", f"{self._esl.uuid} all", check=False)
        self._broken.wait(BREAKS_WITHIN_S)
        thrown = files.format.bytes_for_ms(_thrown_ms(before, leg))
        return BytesHeard(max(0, files.heard_bytes - thrown))

    def play_silence(self) -> None:
        """Have an endless playback write what a module replaces: the park loop goes on with frames
        of the old length, and an answer would come at a wrong pace, or behind seconds of them
        (`needs_idle_silence`)."""
        uuid = self._esl.uuid
        if self._silence_plays:
            self._esl.api("uuid_break", uuid, check=False)
        self._silence_plays = True
        self._esl.pipeline([commands.api("uuid_setvar", f"{uuid} playback_terminators none")])
        self._esl.execute(Application.PLAYBACK, SILENCE, event_lock=False)

    def last_commands(self) -> list[commands.Command]:
        """What must not play on when the channel is left."""
        if not self._silence_plays:
            return []
        uuid = self._esl.uuid
        forget = commands.api("uuid_setvar", f"{uuid} playback_terminators")
        return [forget, commands.api("uuid_break", uuid)]

    def close(self) -> None:
        """Hear no more of the leg."""
        for stop in self._stops:
            stop()
        self._stops.clear()
        self._files = None

    # --- sinks, on the hub ---------------------------------------------------------------------

    def _send_binary(self, data: bytes) -> None:
        if self.stream is not None:
            self.stream.send_binary(data)

    def _send_text(self, data: bytes) -> None:
        if self.stream is not None:
            self.stream.send_text(data)

    def _execute_playback(self, path: str, generation: int, number: int) -> None:
        name, files = f"va-{generation}-{number}-{time.monotonic_ns()}", self._files

        def execute() -> None:
            if files is None or not files.over:
                self._esl.execute(Application.PLAYBACK, path, event_uuid=name)

        self._outbox.post(execute)

    def _break_playback(self) -> None:
        self._outbox.post(lambda: self._esl.api("uuid_break", f"{self._esl.uuid} all"))

    def _break_stream(self) -> None:
        self._outbox.post(
            lambda: self._esl.api("uuid_audio_stream", f"{self._esl.uuid} break", check=False)
        )

    # --- events of FreeSWITCH, in the leg's dispatcher -------------------------------------------

    def _on_play(self, event: Event) -> None:
        if self._files is not None:
            self._files.on_play_event(event.body)

    def _on_execute(self, event: Event) -> None:
        ours = _playback(event.application_uuid)
        if ours is not None and self._files is not None:
            rate = event.get("Channel-Read-Codec-Rate")
            rate_hz = int(rate) if rate.isdigit() else 0
            self._files.on_execute(*ours, time.monotonic(), rate_hz)

    def _on_execute_complete(self, event: Event) -> None:
        ours = _playback(event.application_uuid)
        if ours is not None and self._files is not None:
            samples = event.variable("playback_last_offset_pos")
            told = int(samples) if samples.isdigit() else None
            self._files.on_execute_complete(*ours, told)
            self._broken.set()


def _thrown_ms(before: Leg, leg: Leg) -> int:
    """Most that FreeSWITCH throws away with a change of codec or packet time: what fills no packet
    of the new length (switch_core_session.c, switch_core_session_reset: `raw_write_buffer`), and
    the packet that is written as the codec is set (switch_core_media.c, `switch_mutex_trylock`)."""
    return before.ptime_ms + leg.ptime_ms - math.gcd(before.ptime_ms, leg.ptime_ms)


def _nowhere(_: bytes) -> None:
    """Takes what is sent by a line that is not there."""


def _playback(application_uuid: str) -> tuple[int, int] | None:
    """Generation and number of a playback of ours, which the command's Event-UUID told."""
    found = _OURS.match(application_uuid)
    return (int(found[1]), int(found[2])) if found else None


def playback_variables(choice: PlayoutChoice) -> list[tuple[str, str]]:
    """What a way of playing needs to be told FreeSWITCH."""
    if choice.mode is PlayoutMode.UNICAST:
        return []
    variables = [("STREAM_PLAYBACK", "true")]
    if choice.mode is PlayoutMode.FILE:
        # `*` would end the file it is pressed in, and with it a part of a sentence.
        variables.append(("playback_terminators", "none"))
    return variables
