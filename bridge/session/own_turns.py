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
        self._written_at: float | None = None
        """When the provider was told of it, to write it down."""
        self._seat = seat
        self._floor = floor
        self._line = line

    def begin(self) -> None:
        """The provider is told that the caller speaks."""
        self.begun, self._written_at = True, None
        self._seat.begin_turn()

    def written(self, at: float) -> None:
        """The provider knows the turn already, as far as `at`: it is one, and may go on."""
        self.begun, self._written_at = True, at

    def answered(self) -> None:
        """The provider answers it before our ear has heard its end."""
        if self._written_at is not None:
            self.begun = False

    def end(self, now: float) -> bool:
        """The caller has spoken, at `now`: the provider owes an answer.

        Returns whether it must be asked for one: it knew the turn as it is.
        """
        at, self.begun, self._written_at = self._written_at, False, None
        self._floor.caller_stopped(now)
        if at is not None and now <= at:
            return True
        if at is not None:
            self._seat.begin_turn()
        self._seat.end_turn()
        return False

    def replayed(self, *, begins: bool) -> None:
        """A provider that is new here is told of the caller's turn, before its audio and after."""
        ours = self._seat.capabilities.turns is p.Turns.OURS and self._line.uplink.in_turn
        if ours and begins:
            self._seat.begin_turn()
        elif ours and not self.begun:
            self._seat.end_turn()
