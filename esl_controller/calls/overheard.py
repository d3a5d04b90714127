"""Somebody listens to a call of L16 whom we have not let in: FusionPBX's *33, or any `eavesdrop`.

The first packet that `unicast` plays under such a bug leaves the channel in FreeSWITCH for ever:
see `listening`. That somebody listens is told by an event, up to 20 ms behind the bug. So a call in
which the agent is silent then can leave `unicast` in time; one in which he speaks cannot.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.session.media_plan import Leg
from esl_controller.calls.listening import LOCKING
from esl_controller.esl import commands
from esl_controller.esl.applications import Application
from esl_controller.esl.events import Event
from esl_controller.esl.session import ControllerSession

BUG_START = "MEDIA_BUG_START"
"""Raised for the call that is listened to (switch_core_media_bug.c, switch_core_media_bug_add)."""


class Overheard:
    """One leg's."""

    def __init__(self, esl: ControllerSession, on_listener: Callable[[], object]) -> None:
        self._esl, self._on_listener = esl, on_listener
        self._stops = [esl.on(BUG_START, self._on_bug)]

    def begin(self, leg: Leg) -> None:
        """The channel is played to by `unicast`: hear of it, where it matters."""
        if leg.codec.upper() == LOCKING:
            self._esl.pipeline([commands.event_plain((BUG_START,))])

    def close(self) -> None:
        """Hear no more of the leg."""
        while self._stops:  # let go of: no cycle is left for the collector
            self._stops.pop()()
        self._on_listener = bool

    def _on_bug(self, event: Event) -> None:
        if event.get("Media-Bug-Function") == Application.EAVESDROP.value:
            self._on_listener()
