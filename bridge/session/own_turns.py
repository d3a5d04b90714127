"""The caller's turns where they are for us to find: our ear begins and ends them."""

from __future__ import annotations

from bridge.providers import base as p
from bridge.session.floor import Floor
from bridge.session.line import Line
from bridge.session.provider import ProviderSeat


class OwnTurns:
    """Those of one conversation. `now` is monotonic seconds."""

    def __init__(self, seat: ProviderSeat, floor: Floor, line: Line) -> None:
        self.begun = False
        """A turn was begun that we must end."""
        self._seat = seat
        self._floor = floor
        self._line = line

    def begin(self) -> None:
        """The provider is told that the caller speaks."""
        self.begun = True
        self._seat.begin_turn()

    def end(self, now: float) -> None:
        """The provider is told that the caller has spoken, and owes an answer."""
        self.begun = False
        self._floor.caller_stopped(now)
        self._seat.end_turn()

    def replayed(self, *, begins: bool) -> None:
        """A provider that is new here is told of the caller's turn, before its audio and after."""
        ours = self._seat.capabilities.turns is p.Turns.OURS and self._line.uplink.in_turn
        if ours and begins:
            self._seat.begin_turn()
        elif ours and not self.begun:
            self._seat.end_turn()
