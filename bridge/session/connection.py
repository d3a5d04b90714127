"""One connection of a conversation to a provider, and the names of what it brings."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.providers import base as p
from bridge.providers.conversation import Opening, Ran, Said, Speaker
from bridge.providers.host import ProviderHost


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
    ready: p.SessionReady | None = None
    heard: bool = False


@dataclass(slots=True)
class Crossing:
    """A session limit ahead."""

    deadline: float
    tries: int = 0
    not_before: float = field(default=0.0)


def named(event: p.ProviderEvent, prefix: str) -> p.ProviderEvent:
    """The event with ids unlike those of any other connection."""
    names = _IDS.get(type(event), ()) if prefix else ()
    given: dict[str, Any] = {name: getattr(event, name) for name in names}
    changed = {name: prefix + value for name, value in given.items() if value}
    return replace(event, **changed) if changed else event


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
