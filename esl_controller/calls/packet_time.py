"""Has FreeSWITCH see that packets of Opus are shorter than their SDP says.

Packets of a codec of a constant rate it measures and corrects by itself. Of Opus it reads one each
packet time of the SDP, so that of packets of 10 ms for 20 the caller is heard at half his pace,
later and later. It measures those, too, as long as there is a jitter buffer (switch_core_media.c,
switch_core_media_read_frame: `is_vbr && switch_rtp_get_jitter_buffer`), which it is given for a
moment.

Not for longer packets: there is no Opus of 60 ms at 48 kHz (mod_opus.c), and 40 it takes for 120
as soon as its buffer runs empty (both observed). A codec that it does not have ends the call
(switch_core_media_set_codec: "Can't load codec?").
"""

from __future__ import annotations

from typing import Any

import gevent

from esl_controller.calls.command_queue import Outbox
from esl_controller.esl import commands
from esl_controller.esl.events import Event
from esl_controller.esl.session import ControllerSession
from esl_controller.telemetry.log import call_logger

WITHIN_S = 0.6
"""So long does it take at most: seven packets (switch_core_media.c, MAX_MISMATCH_FRAMES), read at
the pace of the SDP, and some lost."""
_BUFFER_MS = 20
_VARIABLE = "jitterbuffer_msec"
"""Of a buffer that the dialplan wants: with it FreeSWITCH corrects by itself. `uuid_jitterbuffer`
sets it, and each new codec would bring the buffer back (check_jb)."""


class PacketTime:
    """One leg's. The correction is told as any new codec is (CODEC)."""

    def __init__(self, esl: ControllerSession, outbox: Outbox) -> None:
        self._esl, self._outbox = esl, outbox
        self._asked = False
        self._ending: Any = None
        self._stops = [esl.on("CODEC", self._on_codec)]

    def correct(self) -> None:
        """Once in a call; from the hub."""
        if not self._asked:
            self._asked = True
            self._outbox.post(self._begin)

    def close(self) -> None:
        """Ask nothing more."""
        while self._stops:  # let go of: no cycle is left for the collector
            self._stops.pop()()
        if self._ending is not None:
            self._ending.kill(block=False)

    def _begin(self) -> None:
        uuid = self._esl.uuid
        if self._esl.api("uuid_getvar", f"{uuid} {_VARIABLE}", check=False).strip().isdigit():
            return
        call_logger().warning("media.packets_shorter")
        buffer = commands.api("uuid_jitterbuffer", f"{uuid} {_BUFFER_MS}")
        self._esl.pipeline([buffer, commands.api("uuid_setvar", f"{uuid} {_VARIABLE}")])
        self._ending = gevent.spawn_later(WITHIN_S, self._outbox.post, self._end)

    def _on_codec(self, _: Event) -> None:
        if self._ending is not None:
            self._outbox.post(self._end)

    def _end(self) -> None:
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.kill(block=False)
            self._esl.api("uuid_jitterbuffer", f"{self._esl.uuid} stop", check=False)
