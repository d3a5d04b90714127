"""Keeps a working provider under one conversation.

Connects the tenant's first choice, retries or moves on when it fails, takes what was said along,
and crosses a provider's session limit in a pause, so that the caller notices nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gevent

from bridge.providers.base import (
    ConversationOptions,
    GoingAway,
    ProviderEvent,
    ProviderFailure,
    ProviderProtocol,
    SessionReady,
    Speaker,
)
from bridge.providers.host import Network, ProviderLink

TRIES_PER_PROVIDER = 2
"""While it rings: a second try catches a dropped connection, a third only prolongs the wait."""
MAX_REPLACEMENTS = 12
"""In one conversation: one that comes up and breaks again and again is no help."""
RECOVERY_PAUSES_S = (0.0, 1.0, 2.0, 3.0)
"""In a conversation: pauses before each round through the tenant's providers. A service that
restarts is back within seconds, and starting all over with somebody else is worse for a caller."""

History = Callable[[], Sequence[tuple[Speaker, str]]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One provider of the tenant's list."""

    name: str
    """Unlike any other candidate's; may be a tenant's own words."""
    kind: str
    """openai | elevenlabs | gemini | custom: fit for a metric's label."""
    make: Callable[[], ProviderProtocol]


@dataclass(frozen=True, slots=True)
class SeatListener:
    """What the seat tells its session. Called on the hub."""

    on_events: Callable[[list[ProviderEvent]], None]
    on_ready: Callable[[], None]
    on_lost: Callable[[ProviderFailure], None]
    """The provider is gone; another is being connected."""
    on_exhausted: Callable[[ProviderFailure], None]
    """Nothing left to try."""


class ProviderSeat:
    """Owns the provider link of a conversation; commands go through `protocol` and `flush`."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        options: ConversationOptions,
        listener: SeatListener,
        *,
        history: History,
        connect_timeout_s: float,
        network: Network | None = None,
    ) -> None:
        self._candidates = list(candidates)
        self._queue = [(0.0, c) for c in candidates for _ in range(TRIES_PER_PROVIDER)]
        """What to try next, each after a pause in seconds."""
        self._options = options
        self._listener = listener
        self._history = history
        self._connect_timeout_s = connect_timeout_s
        self._network = network
        self._link: ProviderLink | None = None
        self._standby: ProviderLink | None = None
        self._standby_ready = False
        self._standby_history: tuple[tuple[Speaker, str], ...] = ()
        self._going_away = False
        self._closed = False
        self._waiting: gevent.Greenlet[..., None] | None = None
        self.ready = False
        self.name = ""
        self.kind = candidates[0].kind
        self.protocol: ProviderProtocol = candidates[0].make()
        self.replacements = 0
        self._make_current = candidates[0].make

    def start(self) -> None:
        """Connect the first candidate, in the background."""
        _, candidate = self._queue.pop(0)
        self._next(self._open(candidate, self.protocol))

    def send_audio(self, data: bytes) -> None:
        """Caller audio in the options' input format. The hot path."""
        self.protocol.send_audio(data)
        if self._link is not None:
            self._link.flush_audio()

    def flush(self) -> None:
        """Send what commands to `protocol` have produced."""
        if self._link is not None:
            self._link.flush()

    @property
    def round_trip_ms(self) -> float | None:
        """Last measured round trip to the provider."""
        return self._link.round_trip_ms if self._link is not None else None

    @property
    def messages_in(self) -> int:
        """Messages that came on the connection in use."""
        return self._link.messages_in if self._link is not None else 0

    def pause(self) -> None:
        """Nobody speaks and nothing is awaited: the moment to cross a session limit.

        To be called as long as it lasts: the session that takes over is prepared in one pause
        and takes over in the same or, if nothing was said in between, in a later one.
        """
        if not self._going_away or self._closed:
            return
        if self._standby is not None and self._standby_history != tuple(self._history()):
            self._drop_standby()
        if self._standby is None:
            candidate = Candidate(self.name, self.kind, self._make_current)
            self._standby_history = tuple(self._history())
            self._standby = self._open(candidate, candidate.make())
        elif self._standby_ready:
            self._change_over(self._standby)

    def give_up(self, failure: ProviderFailure) -> None:
        """The provider is of no use any more although its connection is up."""
        if self._link is not None:
            self._lose(self._link, failure)

    def close(self) -> None:
        """End all connections; nothing is told any more."""
        self._closed = True
        if self._waiting is not None:
            self._waiting.kill(block=False)
        for link in (self._link, self._standby):
            if link is not None:
                link.close()
        self._link = self._standby = None

    # --- inside ----------------------------------------------------------------------------------

    def _open(self, candidate: Candidate, protocol: ProviderProtocol) -> ProviderLink:
        self._make_current = candidate.make
        self.name = candidate.name
        self.kind = candidate.kind
        history = tuple(self._history())
        greeting = "" if history else self._options.greeting
        link: ProviderLink
        link = ProviderLink(
            protocol,
            dataclasses.replace(self._options, history=history, greeting=greeting),
            on_events=lambda events: self._on_events(link, events),
            on_closed=lambda failure: self._on_closed(link, failure),
            connect_timeout_s=self._connect_timeout_s,
            network=self._network,
        )
        link.start()
        return link

    def _next(self, link: ProviderLink) -> None:
        self._link = link
        self.protocol = link.protocol
        self._going_away = self.ready = False

    def _on_events(self, link: ProviderLink, events: list[ProviderEvent]) -> None:
        if link is self._standby:
            self._on_standby(link, events)
        elif link is self._link:
            for event in events:
                self._watch(link, event)
            if link is self._link:
                self._listener.on_events(events)

    def _watch(self, link: ProviderLink, event: ProviderEvent) -> None:
        if isinstance(event, SessionReady):
            self.ready = True
            self._listener.on_ready()
        elif isinstance(event, GoingAway):
            self._going_away = True
        elif isinstance(event, ProviderFailure) and event.fatal:
            self._lose(link, event)

    def _on_standby(self, link: ProviderLink, events: list[ProviderEvent]) -> None:
        if any(isinstance(e, ProviderFailure) and e.fatal for e in events):
            self._drop_standby()
        elif any(isinstance(e, SessionReady) for e in events):
            self._standby_ready = True

    def _change_over(self, link: ProviderLink) -> None:
        old, self._standby, self._standby_ready = self._link, None, False
        self._next(link)
        self.ready = True
        self.replacements += 1
        if old is not None:
            old.close()

    def _drop_standby(self) -> None:
        standby, self._standby, self._standby_ready = self._standby, None, False
        if standby is not None:
            standby.close()

    def _on_closed(self, link: ProviderLink, failure: ProviderFailure) -> None:
        if link is self._standby:
            self._drop_standby()
        elif link is self._link:
            self._lose(link, failure)

    def _lose(self, link: ProviderLink, failure: ProviderFailure) -> None:
        """Move on. What cannot get better with the same provider skips its second try."""
        was_ready, self.ready = self.ready, False
        self._link = None
        link.close()
        if self._closed:
            return
        if not failure.retryable:
            self._strike(self.name)
        if self.replacements >= MAX_REPLACEMENTS:
            self._queue = []
        elif was_ready:
            self._queue = self._recovery()
        if not self._queue:
            self._listener.on_exhausted(failure)
            return
        self._listener.on_lost(failure)
        pause_s, candidate = self._queue.pop(0)
        self.replacements += 1
        self.protocol = candidate.make()  # what is said meanwhile waits in it
        self._waiting = gevent.spawn_later(pause_s, self._replace, candidate)

    def _strike(self, name: str) -> None:
        self._candidates = [c for c in self._candidates if c.name != name]
        self._queue = [(pause_s, c) for pause_s, c in self._queue if c.name != name]

    def _recovery(self) -> list[tuple[float, Candidate]]:
        """Rounds through all candidates, the one that served first; a pause before each round."""
        order = sorted(self._candidates, key=lambda c: c.name != self.name)
        return [
            (0.0 if number else pause_s, candidate)
            for pause_s in RECOVERY_PAUSES_S
            for number, candidate in enumerate(order)
        ]

    def _replace(self, candidate: Candidate) -> None:
        self._waiting = None
        self._next(self._open(candidate, self.protocol))
