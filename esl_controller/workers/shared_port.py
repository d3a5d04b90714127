"""The Event Socket port that workers of a host share: who is full leaves new calls to the others.

The kernel spreads new connections over every socket that listens on the port (SO_REUSEPORT), full
or not. So a full worker stops listening while another one on the host has room, and listens again
when it has room itself, or nobody else has: the last one answers, if only to hand callers back.
Where several hosts are tried in turn, the others may be anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import gevent
import structlog
from gevent import Greenlet

from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import workers
from esl_controller.telemetry.background import forever

LOOK_S = 1.0
ROOM_SHARE = 20
"""A closed port opens again when a twentieth of the places, one at least, is free: opening and
closing for every call would reset callers that connect at that very moment."""

_log = structlog.get_logger("workers")


class Listener(Protocol):
    """What `EslServer` offers."""

    capacity: int
    draining: bool

    @property
    def active_calls(self) -> int:
        """Calls going on."""

    @property
    def listening(self) -> bool:
        """The port is open."""

    def pause_listener(self) -> None:
        """Close the port; what the kernel had accepted is still served or handed back."""

    def resume_listener(self) -> None:
        """Open it again; raises OSError."""


class SharedPort:
    """Looks once a second. `tell` writes this worker's row in the register at once."""

    def __init__(
        self,
        server: Listener,
        pool: Pool,
        worker: str,
        *,
        tell: Callable[[], object],
        anywhere: bool = False,
    ) -> None:
        """`anywhere`: others need not be on this host to get the calls of a closed port."""
        self.pauses = 0
        """Times the port was left to others."""
        self.left_to_others = False
        """The port is closed because this worker is full."""
        self._server = server
        self._pool = pool
        self._worker = worker
        self._tell = tell
        self._anywhere = anywhere
        self._looking: Greenlet[..., None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._looking = forever("shared_port", self._run)

    def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.kill(timeout=5)
            self._looking = None

    def look(self) -> None:
        """Close or open the port as the calls of this worker and the others demand."""
        server = self._server
        if server.draining:
            return
        if server.listening and server.active_calls >= server.capacity:
            self._leave_to_others()
        elif not server.listening and (self._has_room() or not self._others_have_room()):
            self._listen_again()

    def _run(self) -> None:
        while True:
            self.look()
            gevent.sleep(LOOK_S)

    def _has_room(self) -> bool:
        free = self._server.capacity - self._server.active_calls
        return free >= max(1, self._server.capacity // ROOM_SHARE)

    def _leave_to_others(self) -> None:
        """Only with the database: two that guess could both close."""
        try:
            with self._pool.connection(limit_s=LOOK_S) as connection:
                if not workers.stop_listening(connection, self._worker, anywhere=self._anywhere):
                    return
        except DatabaseError:
            return
        if self._server.active_calls < self._server.capacity or self._server.draining:
            self._tell()  # a call ended while the database was asked
            return
        self.left_to_others = True
        self._server.pause_listener()
        self.pauses += 1
        _log.info("port_left_to_others", calls=self._server.active_calls)

    def _others_have_room(self) -> bool:
        try:
            with self._pool.connection(autocommit=True, limit_s=LOOK_S) as connection:
                return workers.is_another_listening(
                    connection, self._worker, anywhere=self._anywhere
                )
        except DatabaseError:
            return False

    def _listen_again(self) -> None:
        try:
            self._server.resume_listener()
        except OSError as error:
            _log.error("port_not_reopened", error=str(error))  # tried again the next time
            return
        self.left_to_others = False
        _log.info("port_open_again", calls=self._server.active_calls)
        self._tell()
