"""What the pipeline asks of whoever hears the caller, on the network or on this host. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bridge.audio.formats import AudioFormat
from bridge.providers.actions import Target
from bridge.providers.base import ProviderFailure, Usage
from bridge.wire.channel import ChannelEnd

MAX_TURN_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Began:
    """The caller speaks."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """What was understood of the turn up to now; it may change yet."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnOver:
    """The caller's turn is over; without words it was noise."""

    text: str


Heard = Began | SoFar | TurnOver | ProviderFailure


class Hearing(Protocol):
    """One conversation's hearing."""

    @property
    def audio_in(self) -> tuple[AudioFormat, ...]:
        """Formats it takes, best first."""

    def target(self, audio_in: AudioFormat) -> Target:
        """Where it is reached, and how the caller is to be heard."""

    def receive(self, data: bytes) -> list[Heard]:
        """Take one message."""

    def take_pending(self) -> str:
        """Words of a turn whose end was not told; they are not told again."""

    def keep_alive(self, audio_in: AudioFormat, *, heard: bool) -> tuple[bytes, bool] | None:
        """What to send when nothing is said, and whether it is binary; None: nothing is needed.

        `heard`: audio has been sent on this connection.
        """

    def farewell(self) -> bytes:
        """A last message; empty: none is expected."""

    def bill(self, seconds: float) -> Usage | None:
        """For so much audio; None: nobody counts it."""

    def end_meaning(self, end: ChannelEnd) -> ProviderFailure:
        """Why hearing is lost. Always fatal."""
