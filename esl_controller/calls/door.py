"""A worker's own door: legs it has dialled, and callers who come back from a human.

`originate … &socket(door)` brings the leg of whoever was dialled here once they answer: then it is
a call of ours like the caller's, and ends when this worker does. The shared port would give it to
any worker.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from esl_controller.calls.leg import RETURNING, Leg
from esl_controller.esl import dialstring
from esl_controller.esl.applications import Application
from esl_controller.esl.errors import EslError
from esl_controller.esl.server import Address, EslServer, Network, networks
from esl_controller.esl.session import ControllerSession
from esl_controller.settings.table import Settings

TOKEN = "voice_ai_leg"
"""Channel variable with the one-time word of a leg that was dialled."""

_log = structlog.get_logger("door")


@dataclass(slots=True)
class Expected:
    """A leg that was dialled and has not come yet."""

    token: str = field(repr=False)
    came: Callable[[Leg], None]
    """Given the leg in a greenlet of its own; when it returns the leg is left."""


class Reached(Protocol):
    """A connection of FreeSWITCH's, or to it."""

    @property
    def local_host(self) -> str:
        """Our address on it."""


class LegDoor:
    """Takes the legs this worker has dialled; anybody else's are hung up."""

    def __init__(
        self,
        listen: Address,
        serve: Callable[[ControllerSession], object],
        *,
        allow: Sequence[Network],
        capacity: int,
        host: str = "",
    ) -> None:
        """`serve` is given callers who come back; `host` is ours as FreeSWITCH reaches it, empty:
        the address it has connected to. Raises OSError.
        """
        self.strangers = 0
        self._serve = serve
        self._host = host
        self._expected: list[Expected] = []
        self._server = EslServer(listen, self._on_connection, allow=allow, capacity=capacity)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.address[1]

    @property
    def legs(self) -> int:
        """Connections being served."""
        return self._server.active_calls

    @property
    def waiting(self) -> int:
        """Legs dialled that have not come."""
        return len(self._expected)

    def start(self) -> None:
        """Open it."""
        self._server.start()

    def close(self) -> None:
        """Take nobody new; a caller who comes back goes on to the shared port."""
        self._server.close_listener()

    def stop(self, deadline_s: float) -> None:
        """End what is left."""
        self._server.stop(deadline_s)

    def __contains__(self, expected: Expected) -> bool:
        """It has not come, and is still waited for."""
        return expected in self._expected

    def address_for(self, caller: Reached) -> str:
        """`host:port`, as the FreeSWITCH behind `caller` reaches it."""
        return f"{self._host or caller.local_host}:{self.port}"

    def target_for(self, caller: Reached) -> str:
        """Second argument of `originate` on the caller's connection: the leg is his FreeSWITCH's
        too."""
        return dialstring.run(Application.SOCKET, f"{self.address_for(caller)} async full")

    def expect(self, came: Callable[[Leg], None]) -> Expected:
        """A leg is about to be dialled; put `token` into its variable `TOKEN`."""
        expected = Expected(secrets.token_hex(16), came)
        self._expected.append(expected)
        return expected

    def forget(self, expected: Expected) -> None:
        """It will not come, or must not any more. Idempotent."""
        if expected in self._expected:
            self._expected.remove(expected)

    def _on_connection(self, esl: ControllerSession) -> None:
        channel = esl.connect()
        expected = self._take(channel.variable(TOKEN))
        if expected is not None:
            leg = Leg(esl)
            try:
                expected.came(leg)
            finally:
                leg.leave()
        elif channel.variable(RETURNING) and not channel.variable(TOKEN):
            self._serve(esl)
        else:
            self._refuse(esl)

    def _take(self, token: str) -> Expected | None:
        found = None
        for one in self._expected:
            if hmac.compare_digest(one.token.encode(), token.encode()):
                found = one
        if found is not None:
            self._expected.remove(found)
        return found

    def _refuse(self, esl: ControllerSession) -> None:
        """Answered after nobody wanted it any more, or not dialled by us at all."""
        self.strangers += 1
        _log.warning("door.stranger", uuid=esl.uuid)
        try:
            esl.hangup()
        except EslError as error:
            _log.info("door.stranger_gone", error=str(error))


def open_door(settings: Settings, serve: Callable[[ControllerSession], object]) -> LegDoor:
    """The one of this worker. Raises OSError."""
    esl, port = settings.esl, settings.esl.door_port
    return LegDoor(
        (esl.listen_host, port + settings.worker.index if port else 0),
        serve,
        allow=networks(esl.allow),
        capacity=2 * esl.capacity,
        host=esl.door_host,
    )
