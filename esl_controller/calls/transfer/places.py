"""What a call asks about the people of a tenant: a port, filled by whoever knows FusionPBX."""

from __future__ import annotations

from typing import Protocol

from esl_controller.calls.transfer.destination import Ambiguous, Destination, Presence, Unknown
from esl_controller.database.models import RouteEntry


class Asks(Protocol):
    """The caller's own Event Socket, as far as a question needs it: a `ControllerSession`."""

    def api(
        self, command: str, argument: str = "", timeout_s: float = 5.0, *, check: bool = True
    ) -> str:
        """The answer of an API command. Raises EslError."""


class Places(Protocol):
    """Whom the callers of a number can be connected to."""

    def find(self, entry: RouteEntry, wanted: str) -> Destination | Ambiguous | Unknown:
        """By name, alias, department or number. May wait."""

    def of_number(self, entry: RouteEntry, number: str) -> Destination:
        """What a number is, whether it is listed or not. May wait."""

    def presence(self, esl: Asks, entry: RouteEntry, destination: Destination) -> Presence:
        """Asked of FreeSWITCH on the caller's own socket. Waits, at most two seconds."""

    def through_dialplan(self, entry: RouteEntry, destination: Destination) -> Destination:
        """The same, reached as a telephone of the domain that dials it would."""

    def may_dial(self, entry: RouteEntry, destination: Destination) -> str | None:
        """None, or in words why not: what the installation allows, caps of an hour."""
