"""UDP ports on FreeSWITCH's host for `unicast`: one per call, never two calls on one."""

from __future__ import annotations

import errno
import random
import socket
from collections import deque

MAX_TRIES = 64
"""Ports looked at for one call."""


class PortsExhausted(Exception):
    """No port of the range is free."""


class PortRange:
    """A worker's own share of the range, used in turn.

    FreeSWITCH answers `+OK` to a port in use and plays nothing, so workers of a host never share
    ports, and a port given back is the last to be taken again.
    """

    def __init__(self, first: int, last: int, *, worker: int = 0, workers: int = 1) -> None:
        ports = list(range(first + worker, last + 1, workers))
        # FreeSWITCH may still hold ports of calls from before a restart, or of a worker of another
        # host: in any order but theirs one seldom meets them.
        random.shuffle(ports)
        self._free = deque(ports)

    def take(self, host: str) -> int:
        """A port that is free on FreeSWITCH's host, as far as that can be seen from here.

        Raises `PortsExhausted`.
        """
        for _ in range(min(MAX_TRIES, len(self._free))):
            port = self._free.popleft()
            if not _in_use(host, port):
                return port
            self._free.append(port)
        raise PortsExhausted("no unicast port is free; widen media.unicast_port_first … last")

    def give_back(self, port: int) -> None:
        """The call is over."""
        self._free.append(port)

    def __len__(self) -> int:
        return len(self._free)


def _in_use(host: str, port: int) -> bool:
    """Whether somebody else on this host has the port; False where `host` is another one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
