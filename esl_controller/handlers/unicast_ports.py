"""UDP ports on FreeSWITCH's host for `unicast`: one per call, never two calls on one."""

from __future__ import annotations

import random
from collections import deque


class PortsExhausted(Exception):
    """All ports of the range are in use."""


class PortRange:
    """A worker's own share of the range, used in turn.

    FreeSWITCH answers `+OK` to a port in use and plays nothing, so workers never share ports, and
    a port given back is the last to be taken again.
    """

    def __init__(self, first: int, last: int, *, worker: int = 0, workers: int = 1) -> None:
        ports = list(range(first + worker, last + 1, workers))
        # After a restart FreeSWITCH may still hold ports of calls that go on: start elsewhere.
        start = random.randrange(len(ports)) if ports else 0
        self._free = deque(ports[start:] + ports[:start])

    def take(self) -> int:
        """A free port. Raises `PortsExhausted`."""
        if not self._free:
            raise PortsExhausted("no unicast port is free; widen media.unicast_port_first … last")
        return self._free.popleft()

    def give_back(self, port: int) -> None:
        """The call is over."""
        self._free.append(port)

    def __len__(self) -> int:
        return len(self._free)
