"""What a playout acts with on one leg, and what FreeSWITCH tells of files that it plays."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable

from bridge.playout.base import Playout, PlayoutSinks
from bridge.playout.file import FilePlayout
from bridge.playout.modes import PlayoutMode
from bridge.playout.registry import make_playout
from bridge.session.media_plan import Leg, MediaPlan, PlayoutChoice
from esl_controller.calls.caller_stream import CallerStream
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.unicast_line import UnicastLine
from esl_controller.esl.applications import Application
from esl_controller.esl.events import Event
from esl_controller.esl.session import ControllerSession

_LATE_S = 0.04
"""So much later than was thought a file may be heard."""
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
            choice.mode, choice.flavour, plan.playout_format, sinks, ptime_ms=plan.ptime_ms
        )
        files = playout if isinstance(playout, FilePlayout) else None
        if files is not None and self._files is not None:
            files.follow(self._files, same_stream=self._files_by is self.stream)
        self._files, self._files_by = files, self.stream
        return playout

    def heard_until(self, before: Leg, leg: Leg) -> float | None:
        """When the caller last heard, for sure, what he was sent by the module: monotonic seconds.
        None: now; infinity: he goes on hearing it.

        A file is read on in packets of the old length, and what fills no new one at its end is
        thrown away (switch_ivr_play_say.c, switch_core_session_reset): it is sent again.
        """
        if self._files is not None:
            return time.monotonic() - _LATE_S - max(before.ptime_ms, leg.ptime_ms) / 1000
        return math.inf if leg.rate_hz == before.rate_hz else None

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
        name = f"va-{generation}-{number}-{time.monotonic_ns()}"
        self._outbox.post(lambda: self._esl.execute(Application.PLAYBACK, path, event_uuid=name))

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
            self._files.on_execute(*ours, time.monotonic())

    def _on_execute_complete(self, event: Event) -> None:
        ours = _playback(event.application_uuid)
        if ours is not None and self._files is not None:
            self._files.on_execute_complete(*ours)


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
