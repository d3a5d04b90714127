"""The servers of a connection string with several hosts, and which is tried first.

libpq tries them in turn by itself, but asked to connect without blocking it knows no time
limit (`PQconnectPoll` reads no `connect_timeout`): it would stay with a machine that is gone until
the kernel gives up, and never come to the next. So each is tried alone, for its share of the time.
"""

from __future__ import annotations

import functools

from gevent import socket
from psycopg2 import extensions

DEFAULT_PORT = "5432"


class Servers:
    """One connection string's servers, the one that was last of use first."""

    def __init__(self, dsn: str) -> None:
        """Raises `psycopg2.ProgrammingError` for a string libpq cannot read."""
        parts = extensions.parse_dsn(dsn)
        hosts = parts.get("host", "").split(",")
        addresses = _as_many("hostaddr", parts, hosts)
        ports = _as_many("port", parts, hosts)
        self._dsns = [dsn]
        if len(hosts) > 1:
            # Of several servers one takes writes, and every worker writes.
            parts.setdefault("target_session_attrs", "read-write")
            own = zip(hosts, addresses, ports, strict=True)
            self._dsns = [_alone(parts, *each) for each in own]

    def in_turn(self) -> tuple[str, ...]:
        """Connection strings of one server each."""
        return tuple(self._dsns)

    def fails(self, dsn: str) -> None:
        """Try this one last from now on."""
        self._dsns.remove(dsn)
        self._dsns.append(dsn)


@functools.lru_cache(maxsize=64)
def servers(dsn: str) -> Servers:
    """What all connections of this process know of these servers."""
    return Servers(dsn)


def resolved(dsn: str) -> str:
    """Add `hostaddr`, looked up by gevent, so that libpq has no name to look up itself: it would
    do so with a blocking call (`PQconnectStart`)."""
    parts = extensions.parse_dsn(dsn)
    host = parts.get("host", "")
    if not host or "hostaddr" in parts or host.startswith(("/", "@")):
        return dsn
    found = socket.getaddrinfo(host, parts.get("port", DEFAULT_PORT), type=socket.SOCK_STREAM)
    return extensions.make_dsn(dsn, hostaddr=found[0][4][0])


def _as_many(name: str, parts: dict[str, str], hosts: list[str]) -> list[str]:
    """One value for each host; a single one is every host's, as in libpq."""
    values = parts.get(name, "").split(",")
    return values if len(values) == len(hosts) else values[:1] * len(hosts)


def _alone(parts: dict[str, str], host: str, hostaddr: str, port: str) -> str:
    own = {"host": host, "hostaddr": hostaddr, "port": port}
    mine = {name: value for name, value in (parts | own).items() if value}
    return extensions.make_dsn(**mine)
