"""PostgreSQL connections that let the hub turn while they wait.

psycopg2 hands every wait to a callback of ours (psycopg2 manual, "Support for coroutine
libraries"). Four things it does not do in that mode are done here: it ignores `connect_timeout`,
and with it would never leave the first of several servers; libpq resolves host names with a
blocking call (`PQconnectStart`); and a connection whose greenlet was interrupted inside a query is
closed and must never go back to the pool.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import gevent
import gevent.monkey
import psycopg2
from gevent import socket
from gevent.lock import BoundedSemaphore
from psycopg2 import extensions

from esl_controller.database.servers import resolved, servers

CLIENT_GRACE_S = 2.0
"""A wait lasts at most the server's own statement_timeout and this: then the network is gone."""

CLIENT_ENCODING = "UTF8"
"""Said in every connection: psycopg2 would take the database's, and with SQL_ASCII neither send nor
read a letter that is not ASCII; what it raises then is no error of the database."""

_NO_SUCH_TABLE_OR_COLUMN = ("42P01", "42703")
_READ_ONLY = "25006"


class DatabaseError(Exception):
    """A statement failed; `sqlstate` is PostgreSQL's code, empty when it never got there."""

    def __init__(self, message: str, *, sqlstate: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class DatabaseUnavailable(DatabaseError):
    """The database is away, too slow or refuses work for now: trying again can help."""


class _NotConnected(DatabaseUnavailable):
    """One server cannot be connected to; not what a waiting greenlet's own limit raises."""


class RowRefused(DatabaseError):
    """The data itself is wrong (SQLSTATE classes 22 and 23): trying again cannot help."""


class WaitTimeout(Exception):
    """Raised inside psycopg2's wait; it closes the connection and lets this through."""


class GreenConnection(extensions.connection):
    """A connection that knows how long one wait on it may last."""

    wait_limit_s = 10.0


def _wait(connection: extensions.connection) -> None:
    """Wait for libpq's socket on the hub (the callback psycopg2 documents)."""
    # Connections made elsewhere (migrations) wait as long as they would without us.
    limit_s: float | None = getattr(connection, "wait_limit_s", None)
    while (state := connection.poll()) != extensions.POLL_OK:
        if state == extensions.POLL_READ:
            wait = socket.wait_read
        elif state == extensions.POLL_WRITE:
            wait = socket.wait_write
        else:
            raise psycopg2.OperationalError(f"unexpected result of poll: {state}")
        wait(connection.fileno(), timeout=limit_s, timeout_exc=WaitTimeout(limit_s))


def make_cooperative() -> None:
    """Make psycopg2 wait on the hub, for the whole process; called by every pool."""
    extensions.set_wait_callback(_wait)


def connect(
    dsn: str, *, connect_timeout_s: float, statement_timeout_s: float, application_name: str
) -> GreenConnection:
    """Open one connection within a deadline; raises DatabaseUnavailable.

    Of several servers each is tried for its share of the time, the one that failed last at the end:
    also for whoever has less time than that.
    """
    make_cooperative()
    options = f"-c statement_timeout={int(statement_timeout_s * 1000)}"
    try:
        known = servers(dsn)
    except psycopg2.ProgrammingError as error:
        raise DatabaseUnavailable(cannot_connect(error)) from None
    in_turn = known.in_turn()
    failed: list[_NotConnected] = []
    for server in in_turn:
        try:
            connection = _connect(
                server, connect_timeout_s / len(in_turn), options, application_name
            )
        except _NotConnected as error:
            known.fails(server)
            failed.append(error)
        except BaseException:  # whoever waits has no time left
            known.fails(server)
            raise
        else:
            connection.wait_limit_s = statement_timeout_s + CLIENT_GRACE_S
            return connection
    if len(failed) == 1:
        raise failed[0]
    raise DatabaseUnavailable("; ".join(dict.fromkeys(map(str, failed))))


def _connect(dsn: str, limit_s: float, options: str, application_name: str) -> GreenConnection:
    try:
        with gevent.Timeout(limit_s, WaitTimeout(limit_s)):
            return psycopg2.connect(
                resolved(dsn),
                connection_factory=GreenConnection,
                application_name=application_name,
                client_encoding=CLIENT_ENCODING,
                options=options,
            )
    except (psycopg2.OperationalError, psycopg2.ProgrammingError, OSError) as error:
        raise _NotConnected(cannot_connect(error)) from None
    except WaitTimeout as error:
        raise _NotConnected(f"cannot connect within {limit_s:g} s") from error


def cannot_connect(error: Exception) -> str:
    """Why there is no connection, without any of the connection string."""
    if isinstance(error, psycopg2.ProgrammingError):  # libpq quotes it, password too
        return "cannot connect: the connection string is not one PostgreSQL's libpq can read"
    # libpq adds questions of its own on further lines
    return f"cannot connect: {str(error).strip().partition(chr(10))[0]}"


def parts_of(dsn: str) -> dict[str, str]:
    """A connection string's parts by libpq's names; for one that a connection was made with."""
    return dict(extensions.parse_dsn(dsn))


def _translated(error: psycopg2.Error) -> DatabaseError:
    sqlstate = error.pgcode or ""
    text = str(error).strip() or type(error).__name__
    if sqlstate in _NO_SUCH_TABLE_OR_COLUMN:
        text = f"{text.partition(chr(10))[0]}: has `esl-controller migrate` been run?"
    if sqlstate[:2] in ("22", "23"):
        return RowRefused(text, sqlstate=sqlstate)
    away = (psycopg2.OperationalError, psycopg2.InterfaceError)
    if isinstance(error, away) or sqlstate == _READ_ONLY:
        return DatabaseUnavailable(text, sqlstate=sqlstate)
    return DatabaseError(text, sqlstate=sqlstate)


@dataclass(slots=True)
class PoolStatistics:
    """Counts since start, and the present state; for metrics and /health."""

    size: int
    in_use: int = 0
    idle: int = 0
    waiting: int = 0
    checkouts: int = 0
    opened: int = 0
    discarded: int = 0
    wait_timeouts: int = 0
    connect_failures: int = 0
    longest_wait_s: float = 0.0


@dataclass(slots=True)
class _Idle:
    connection: GreenConnection
    opened_at: float


class Pool:
    """At most `size` connections, the most recently used first, each for a limited life."""

    def __init__(
        self,
        dsn: str,
        *,
        size: int = 8,
        wait_timeout_s: float = 2.0,
        connect_timeout_s: float = 3.0,
        statement_timeout_s: float = 5.0,
        max_age_s: float = 1800.0,
        application_name: str = "voice-ai-switch",
    ) -> None:
        make_cooperative()
        self.dsn = dsn
        self.application_name = application_name
        self.connect_timeout_s = connect_timeout_s
        self.statement_timeout_s = statement_timeout_s
        self._wait_timeout_s = wait_timeout_s
        self._max_age_s = max_age_s
        self._idle: list[_Idle] = []
        self._free = BoundedSemaphore(size)
        self._closed = False
        self._statistics = PoolStatistics(size)

    def statistics(self) -> PoolStatistics:
        """Return the live counters."""
        self._statistics.idle = len(self._idle)
        return self._statistics

    @contextmanager
    def connection(
        self, *, autocommit: bool = False, limit_s: float | None = None
    ) -> Iterator[GreenConnection]:
        """Lend a connection: one transaction, committed at the end, rolled back on an exception.

        With `autocommit` each statement is its own transaction (one round trip for a look-up).
        `limit_s` is the longest all of it may take, for somebody who waits: connecting, and
        everything done with it. Raises DatabaseUnavailable, RowRefused or DatabaseError; never
        anything of psycopg2.
        """
        with _time_limit(limit_s), self._permit():
            idle = self._take()
            try:
                idle.connection.autocommit = autocommit
                yield idle.connection
                if not autocommit:
                    idle.connection.commit()
            except psycopg2.Error as error:
                if error.pgcode == _READ_ONLY:
                    # A standby by now: the next connection finds the server that takes writes.
                    idle.connection.close()
                raise _translated(error) from error
            except WaitTimeout as error:
                self._discard_idle()  # a server that is gone says nothing on the others either
                raise DatabaseUnavailable(f"no answer within {error} s") from error
            finally:
                self._give_back(idle)

    def close(self) -> None:
        """Close idle connections; those lent are closed when they come back."""
        self._closed = True
        self._discard_idle()

    @contextmanager
    def _permit(self) -> Iterator[None]:
        statistics = self._statistics
        began = time.monotonic()
        statistics.waiting += 1
        try:
            granted = self._free.acquire(timeout=self._wait_timeout_s)
        finally:
            statistics.waiting -= 1
        statistics.longest_wait_s = max(statistics.longest_wait_s, time.monotonic() - began)
        if not granted:
            statistics.wait_timeouts += 1
            raise DatabaseUnavailable(
                f"all {statistics.size} connections busy for {self._wait_timeout_s} s"
            )
        statistics.in_use += 1
        statistics.checkouts += 1
        try:
            yield
        finally:
            statistics.in_use -= 1
            self._free.release()

    def _take(self) -> _Idle:
        if self._closed:
            raise DatabaseUnavailable("the pool is closed")
        while self._idle:
            idle = self._idle.pop()
            if self._usable(idle):
                return idle
            self._discard(idle)
        return self._open()

    def _open(self) -> _Idle:
        try:
            connection = connect(
                self.dsn,
                connect_timeout_s=self.connect_timeout_s,
                statement_timeout_s=self.statement_timeout_s,
                application_name=self.application_name,
            )
        except DatabaseUnavailable:
            self._statistics.connect_failures += 1
            raise
        self._statistics.opened += 1
        return _Idle(connection, time.monotonic())

    def _usable(self, idle: _Idle) -> bool:
        """Tell whether it is young, open, and the server has not said good-bye meanwhile."""
        if idle.connection.closed or time.monotonic() - idle.opened_at > self._max_age_s:
            return False
        # Nothing was asked, so a readable socket holds an end of file or a notice of shutdown.
        poller = _unpatched_poll()
        poller.register(idle.connection.fileno(), select.POLLIN)
        return not poller.poll(0)

    def _give_back(self, idle: _Idle) -> None:
        connection = idle.connection
        status = connection.info.transaction_status if not connection.closed else None
        if status in (extensions.TRANSACTION_STATUS_INTRANS, extensions.TRANSACTION_STATUS_INERROR):
            self._roll_back(connection)
        if connection.closed or self._closed or status == extensions.TRANSACTION_STATUS_ACTIVE:
            self._discard(idle)
        else:
            self._idle.append(idle)

    def _roll_back(self, connection: GreenConnection) -> None:
        try:
            connection.rollback()
        except (psycopg2.Error, WaitTimeout, DatabaseUnavailable):
            connection.close()  # whatever it was, this connection is not used again

    def _discard(self, idle: _Idle) -> None:
        self._statistics.discarded += 1
        idle.connection.close()

    def _discard_idle(self) -> None:
        while self._idle:
            self._discard(self._idle.pop())


def _time_limit(limit_s: float | None) -> AbstractContextManager[object]:
    if limit_s is None:
        return nullcontext()
    # Raised inside psycopg2's wait: it closes the connection and lets this through.
    timeout: AbstractContextManager[object] = gevent.Timeout(
        limit_s, DatabaseUnavailable(f"not done within {limit_s} s")
    )
    return timeout


def _unpatched_poll() -> select.poll:
    """Return the system's own poll: asked with no wait, the hub need not hear of it."""
    poll: type[select.poll] = gevent.monkey.get_original("select", "poll")
    return poll()
