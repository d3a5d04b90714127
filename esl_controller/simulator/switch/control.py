"""Who keeps a channel parked: the flag CF_CONTROLLED. Pure.

`switch_ivr_park` (switch_ivr.c) sets it and waits while it is set; the end of *any* outbound
connection of the channel clears it (mod_event_socket.c, listener_run). So the application that has
transferred a call away and leaves late ends the parking of the one that has the call now.
"""

from __future__ import annotations

from dataclasses import dataclass

ROUTING_S = 0.01
"""From `uuid_transfer` until the next `socket` has parked the call, on an idle machine (observed:
an `exit` after 5 ms did no harm, one after 10 ms lost the call)."""


@dataclass(slots=True)
class Control:
    """The flag, and what happened to it while the call was on its way to another extension."""

    held: bool = False
    _moved_at: float | None = None
    """Since when the call is on its way; None while it is nowhere else to be parked."""
    _lost: bool = False

    def park(self, *, alone: bool) -> None:
        """The call is parked; `alone`: its application had gone before."""
        self.held = not (alone or self._lost)
        self._moved_at = None
        self._lost = False

    def move(self, now: float) -> None:
        """The call leaves for another extension."""
        self._moved_at = now
        self._lost = False

    def application_left(self, now: float) -> None:
        """An outbound connection of the channel has ended.

        A call on its way would be parked by FreeSWITCH after ROUTING_S; our `socket` parks it
        only when its application speaks.
        """
        self.held = False
        self._lost = self._moved_at is not None and now - self._moved_at >= ROUTING_S
