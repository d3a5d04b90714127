"""What a leg and those beside it know of each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from esl_controller.esl.commands import Command


class Media(Protocol):
    """What of a leg's media the leg must be able to end."""

    def stop(self) -> None:
        """Stop what FreeSWITCH still runs for us. May wait."""

    def last_commands(self) -> Sequence[Command]:
        """What `stop` would ask, for those who cannot wait for an answer."""

    def close(self) -> None:
        """Let go of the leg, and give up sockets and ports; nothing is asked of FreeSWITCH."""


class TakenAway(Exception):
    """Somebody else sent the channel elsewhere; the text says how we know."""


class LegEvents(Protocol):
    """Who is told what happens to a leg, in the connection's dispatcher. Must not wait."""

    def on_lost(self) -> None:
        """Hung up, cut off or taken away: `Leg.require` raises what."""

    def on_digit(self, digit: str) -> None:
        """A DTMF digit."""

    def on_hold(self, held: bool) -> None:
        """The far end put us on hold, or took us back."""

    def on_reoffer(self) -> None:
        """The far end of a leg that began on hold wants something else: `Leg.held` asks what."""
