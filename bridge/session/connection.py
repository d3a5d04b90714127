"""One connection of a conversation to a provider, and the names of what it brings."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from bridge.providers import base as p
from bridge.providers.conversation import Opening, Ran, Said, Speaker
from bridge.providers.host import ProviderHost

STANDBY_PAUSES_S = (0.0, 2.0, 5.0, 10.0, 30.0)
"""Before each try to connect the session that is to take over; the last one repeats."""
CROSS_ANYHOW_S = 3.0
"""So long before a session ends it is left, whatever is going on."""
CROSS_SOON_S = 15.0
"""From then on the time while an answer drains is good enough: all of it has been received."""

AGENT_LEFT = p.ProviderFailure(
    p.ErrorKind.SESSION_EXPIRED, "agent_left", "ended while the caller was on hold", True, True
)


class Moment(enum.IntEnum):
    """How well a change of the provider's session would go unnoticed now."""

    BUSY = 0
    DRAINING = 1
    """The agent is heard, and everything has been received."""
    PAUSE = 2
    """Nobody speaks, nothing is due."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a connection is begun with, besides its formats."""

    opening: Opening
    history: Sequence[Said | Ran] = ()
    opening_token: str = ""


@dataclass(frozen=True, slots=True)
class SeatListener:
    """What the seat asks and tells its session. Called on the hub."""

    on_audio: Callable[[p.Audio], None]
    on_event: Callable[[p.ProviderEvent], None]
    """Any other, with ids unlike those of any other connection."""
    on_ready: Callable[[p.SessionReady], None]
    on_crossed: Callable[[p.SessionReady], None]
    """A new session of the same provider has taken over."""
    on_lost: Callable[[p.ProviderFailure], None]
    """The provider is gone; another is being connected."""
    on_exhausted: Callable[[p.ProviderFailure], None]
    """Nothing left to try."""
    start: Callable[[], Start]
    history: Callable[[], Sequence[Said | Ran]]


@dataclass(slots=True, eq=False)
class Connection:
    """One connection to one provider."""

    host: ProviderHost
    prefix: str
    """Before each id it gives, so that ids are unlike those of any other connection."""
    opened_at: float
    history: tuple[Said | Ran, ...] = ()
    candidate: str = ""
    """Whose it is, by name."""
    ready: p.SessionReady | None = None
    heard: bool = False

    def unknown(self, history: tuple[Said | Ran, ...]) -> tuple[Said | Ran, ...] | None:
        """What was said since it was begun; None when what it was told has changed meanwhile."""
        known = len(self.history)
        return history[known:] if history[:known] == self.history else None

    def named(self, event: p.ProviderEvent) -> p.ProviderEvent:
        """The event with ids unlike those of any other connection, and a count with whose it is."""
        if isinstance(event, p.Usage):
            return replace(event, account=self.candidate)
        return _named(event, self.prefix)


@dataclass(slots=True)
class Crossing:
    """A session limit ahead. Times are monotonic seconds."""

    deadline: float
    tries: int = 0
    not_before: float = field(default=0.0)

    def may_prepare(self, moment: Moment, now: float) -> bool:
        """Whether the session that is to take over may be connected."""
        soon = self.deadline - now <= CROSS_SOON_S
        return now >= self.not_before and (soon or moment >= self._needed(now))

    def may_change(self, moment: Moment, now: float) -> bool:
        """Whether it may take over, being ready."""
        return moment >= self._needed(now) or self.deadline - now <= CROSS_ANYHOW_S

    def tried(self, now: float) -> None:
        """It is being connected."""
        self.tries += 1
        pauses = STANDBY_PAUSES_S
        self.not_before = now + pauses[min(self.tries, len(pauses) - 1)]

    def _needed(self, now: float) -> Moment:
        soon = self.deadline - now <= CROSS_SOON_S
        return Moment.DRAINING if soon else Moment.PAUSE


def _named(event: p.ProviderEvent, prefix: str) -> p.ProviderEvent:
    names = _IDS.get(type(event)) if prefix else None  # the first connection's are as they are
    if not names or not isinstance(event, msgspec.Struct):
        return event
    given: dict[str, Any] = {name: getattr(event, name) for name in names}
    changed = {name: prefix + value for name, value in given.items() if value}
    return msgspec.structs.replace(event, **changed)


_IDS: dict[type, tuple[str, ...]] = {
    p.CallerStarted: ("item_id",),
    p.CallerStopped: ("item_id",),
    p.CallerWords: ("item_id",),
    p.Transcript: ("item_id", "after"),
    p.FunctionCall: ("call_id",),
    p.FunctionCancelled: ("call_id",),
}
"""Responses keep their names: the floor forgets them with their connection."""


def in_words(entry: Said | Ran) -> str:
    """One entry of the history, for a model that is told it as text."""
    if isinstance(entry, Said):
        return f"{'Caller' if entry.speaker is Speaker.CALLER else 'You'}: {entry.text}"
    return f"Function {entry.name}({entry.arguments}) returned {entry.output}"
