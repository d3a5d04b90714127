"""Hears what PostgreSQL notifies (LISTEN), without holding a connection of the pool."""

from __future__ import annotations

from types import TracebackType

import psycopg2
from gevent import socket
from psycopg2 import sql

from bridge.wire.turns import others_first
from esl_controller.database.pool import DatabaseUnavailable, WaitTimeout, connect

MAX_PAYLOADS = 256
"""Returned at a time: whoever may log in to the database may notify as often as he likes."""


class NotificationListener:
    """One connection that listens on one channel; a context manager.

    With `present_key` it holds that advisory lock, shared, so that those who notify can see whether
    anybody listens.
    """

    def __init__(
        self,
        dsn: str,
        channel: str,
        *,
        present_key: int | None = None,
        connect_timeout_s: float = 3.0,
        answer_timeout_s: float = 5.0,
    ) -> None:
        self._connection = connect(
            dsn,
            connect_timeout_s=connect_timeout_s,
            statement_timeout_s=answer_timeout_s,
            application_name="voice-ai-listen",
        )
        self._connection.autocommit = True
        self._execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        if present_key is not None:
            lock = sql.SQL("select pg_advisory_lock_shared({})")
            self._execute(lock.format(sql.Literal(present_key)))

    def receive(self, timeout_s: float) -> list[str]:
        """Return the payloads that came within `timeout_s`, at once when there are any.

        At most `MAX_PAYLOADS`; the next call returns what is left, after others had their turn.
        When none came the connection is proved alive. Raises DatabaseUnavailable when it is not.
        """
        if self._connection.notifies:
            others_first()
            return self._take()
        try:
            socket.wait_read(self._connection.fileno(), timeout=timeout_s)
            self._connection.poll()
        except TimeoutError:
            self._execute(sql.SQL("select 1"))
        except (psycopg2.Error, OSError) as error:
            raise DatabaseUnavailable(f"listening ended: {str(error).strip()}") from error
        return self._take()

    def _take(self) -> list[str]:
        waiting = self._connection.notifies
        payloads = [notify.payload for notify in waiting[:MAX_PAYLOADS]]
        del waiting[:MAX_PAYLOADS]
        return payloads

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _execute(self, statement: sql.Composable) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
        except WaitTimeout as error:  # a server that is there and says nothing
            raise DatabaseUnavailable(f"cannot listen: no answer within {error} s") from error
        except psycopg2.Error as error:
            raise DatabaseUnavailable(f"cannot listen: {str(error).strip()}") from error

    def __enter__(self) -> NotificationListener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
