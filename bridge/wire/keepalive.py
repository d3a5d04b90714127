"""One timer that pings all links and ends those that no longer answer."""

from __future__ import annotations

from typing import Any, Protocol

import gevent

SLOTS = 8
"""Links are pinged in this many groups, so that no turn of the hub pings all of them."""


class Pingable(Protocol):
    """What the keep-alive asks of a link."""

    def keepalive(self, max_missed: int, *, only_silent: bool) -> None:
        """Ping the peer, or give it up after `max_missed` silent rounds.

        With `only_silent` a peer that was heard since the last round is not pinged.
        """


class KeepAlive:
    """Calls each member once every `interval_s`; the timer runs only while there are members.

    `only_silent` is for peers that are heard all the time, and pinged only when they are not.
    """

    def __init__(
        self, interval_s: float = 20.0, max_missed: int = 2, *, only_silent: bool = False
    ) -> None:
        self._interval_s = interval_s
        self._max_missed = max_missed
        self._only_silent = only_silent
        self._slots: list[set[Pingable]] = [set() for _ in range(SLOTS)]
        self._turn = 0
        self._timer: Any = None

    def __len__(self) -> int:
        return sum(len(slot) for slot in self._slots)

    def add(self, link: Pingable) -> None:
        """Add `link`; its first ping comes within one interval."""
        min(self._slots, key=len).add(link)
        if self._timer is None:
            step_s = self._interval_s / SLOTS
            self._timer = gevent.get_hub().loop.timer(step_s, step_s)
            self._timer.start(self._tick)

    def discard(self, link: Pingable) -> None:
        """Remove `link`."""
        for slot in self._slots:
            slot.discard(link)
        if self._timer is not None and not len(self):
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _tick(self) -> None:
        self._turn = (self._turn + 1) % SLOTS
        for link in tuple(self._slots[self._turn]):
            link.keepalive(self._max_missed, only_silent=self._only_silent)
