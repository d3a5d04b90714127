"""The caller's turns where they are for us to find: our ear begins and ends them."""

from __future__ import annotations

from collections.abc import Callable

from bridge.providers import base as p
from bridge.session.floor import Floor
from bridge.session.line import Line
from bridge.session.provider import ProviderSeat


class OwnTurns:
    """Those of one conversation. `now` is monotonic seconds; `ask` asks for an answer."""

    def __init__(
        self, seat: ProviderSeat, floor: Floor, line: Line, ask: Callable[[], None]
    ) -> None:
        self.begun = False
        """A turn was begun that we must end."""
        self._written_at: float | None = None
        """When the provider was told of it, to write it down."""
        self._seat = seat
        self._floor = floor
        self._line = line
        self._ask = ask

    def begin(self) -> None:
        """The provider is told that the caller speaks."""
        self.begun, self._written_at = True, None
        self._seat.begin_turn()

    def confirmed(self, written_at: float | None, stopped_at: float, *, answered: bool) -> None:
        """What our ear found is a turn, and may go on.

        The provider wrote down what was said until `written_at`, if it was asked to, and may have
        begun to answer that.
        """
        if written_at is None:
            self.begin()
        self.begun, self._written_at = True, written_at
        if answered:
            self._floor.caller_stopped(stopped_at)
        elif not self._line.ear.active:
            self.end(stopped_at)

    def answered(self) -> None:
        """The provider answers it before our ear has heard its end."""
        if self._written_at is not None:
            self.begun = False

    def end(self, now: float) -> None:
        """The caller has spoken, until `now`: the provider owes an answer."""
        written_at, self.begun, self._written_at = self._written_at, False, None
        self._floor.caller_stopped(now)
        if written_at is not None and now <= written_at:
            self._ask()
            return
        if written_at is not None:
            self._seat.begin_turn()
        self._seat.end_turn()

    def replayed(self, *, begins: bool) -> None:
        """A provider that is new here is told of the caller's turn, before its audio and after."""
        ours = self._seat.capabilities.turns is p.Turns.OURS and self._line.uplink.in_turn
        if ours and begins:
            self._seat.begin_turn()
        elif ours and not self.begun:
            self._seat.end_turn()
