"""Connects to a host by name, and checks the addresses it resolves to before connecting.

A name that was public when somebody looked may lead inside a moment later (DNS rebinding). So what
is connected is one of the addresses that were judged, never the name again. Behind a proxy the
proxy looks names up, and its own rules hold.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gevent

Judge = Callable[[str, int, str], str]
"""Host, port and IP address: why the host must not be connected there; empty when it may."""
Resolve = Callable[[str, int], Sequence[str]]
"""The IP addresses of a host, best first. Raises `socket.gaierror`."""


class AddressRefused(ValueError):
    """A name resolves to an address that is not allowed."""


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver. Waits."""
    found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, socket.SOL_TCP)
    return [str(address[0]) for *_, address in found]


def _anywhere(host: str, port: int, address: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Dialler:
    """Resolver and check used to connect. Equal if its parts are."""

    judge: Judge = _anywhere
    resolve: Resolve = look_up

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses a host may be reached at, best first.

        Raises AddressRefused when one of its addresses is not allowed, `socket.gaierror`.
        """
        found = self.resolve(host, port)
        for address in found:
            if why := self.judge(host, port, address):
                raise AddressRefused(why)
        return found

    def connect(self, host: str, port: int, timeout_s: float) -> socket.socket:
        """Connect to the first address that accepts. Raises OSError, AddressRefused."""
        refused: OSError | None = None
        for address in self.addresses(host, port):
            try:
                return _connected(address, port, timeout_s)
            except OSError as error:
                if isinstance(error, gevent.GreenletExit):  # whoever asked has given up
                    raise
                refused = error
        raise refused or socket.gaierror(socket.EAI_NONAME, "no address")


DIRECT = Dialler()
"""The system's resolver, without a check."""


def _connected(address: str, port: int, timeout_s: float) -> socket.socket:
    sock = socket.create_connection((address, port), timeout_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock
