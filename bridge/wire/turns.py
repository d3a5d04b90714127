"""A fair share of the hub, for long work and for readers of a peer that never stops sending.

A greenlet that always finds data never yields, and the audio of every call waits. A reader
therefore yields after a budget of messages, bytes and time. Readers that have used theirs up go on
one at a time, each after a pause as long as its turn was, so a flood on any number of connections
takes at most half of the hub, in short turns.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore

WAITED_S = 0.0005
"""A read that took this long had to wait: others have had their turn."""

BURST_S = 0.005
"""Pieces of work less than this apart are a burst."""

ROUND_S = 1e-6
"""Any time at all: a timer is looked at once in a round of the loop."""


def others_first() -> None:
    """Wait for one round of the hub: sockets that are ready and timers that are due go first.

    `gevent.sleep(0)` does not do this. It only lets greenlets run that are ready already, and
    gevent runs up to a thousand of these before it looks at a socket or a timer
    (libev/corecext.pyx, `_run_callbacks`): work cut by it holds up the sound of every call.
    """
    hub: Any = gevent.get_hub()
    with hub.loop.timer(ROUND_S, priority=hub.loop.MINPRI) as last_of_the_round:
        hub.wait(last_of_the_round)


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one turn; the first one reached ends it."""

    messages: int = 64
    size_bytes: int = 256 * 1024
    time_s: float = 0.002


class FairShare:
    """The queue in which readers of one kind wait once their turn is over."""

    def __init__(self, budget: Budget | None = None) -> None:
        self.budget = budget or Budget()
        self.given_way = 0
        """Turns that reached a limit."""
        self._queue = BoundedSemaphore(1)

    def give_way(self, took_s: float) -> None:
        """Wait behind the others, then as long as the turn took."""
        self.given_way += 1
        with self._queue:
            gevent.sleep(min(took_s, 10 * self.budget.time_s))


class Turn:
    """The turns of one reader: `begin` when it has data, `spend` after each piece of work."""

    def __init__(self, share: FairShare) -> None:
        self._share = share
        self._left_at = 0.0
        self._start(time.monotonic())

    def begin(self) -> None:
        """Data arrived. If the reader had to wait for it, this is a new turn."""
        now = time.monotonic()
        if now - self._left_at >= WAITED_S:
            self._start(now)

    def spend(self, messages: int, size_bytes: int) -> None:
        """Account for work done and yield if the turn is over."""
        self._messages += messages
        self._bytes += size_bytes
        now = time.monotonic()
        if self._is_over(now):
            self._share.give_way(now - self._began)
            now = time.monotonic()
            self._start(now)
        self._left_at = now

    def _is_over(self, now: float) -> bool:
        budget = self._share.budget
        return (
            self._messages >= budget.messages
            or self._bytes >= budget.size_bytes
            or now - self._began >= budget.time_s
        )

    def _start(self, now: float) -> None:
        self._messages = 0
        self._bytes = 0
        self._began = now


class Burst:
    """Spreads work that comes all at once over as many rounds of the hub.

    gevent runs up to fifty greenlets that are ready before it looks at a timer
    (its loop's _run_callbacks), and the pacer is a timer.
    """

    def __init__(self, share: FairShare) -> None:
        self.cost_s = 0.0
        """Of the last piece of work."""
        self._share = share
        self._turn_at = 0.0

    def take_turn(self) -> None:
        """To be called before each piece of work; waits when another was done a moment ago."""
        in_burst = time.monotonic() - self._turn_at < BURST_S
        self._turn_at = time.monotonic()
        if in_burst:
            self._share.give_way(max(self.cost_s, WAITED_S))
            self._turn_at = time.monotonic()
