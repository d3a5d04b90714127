"""What a provider is given to begin with: who the agent is, and what was said before it came."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.audio.formats import AudioFormat


class Speaker(enum.Enum):
    """Who said a piece of transcript."""

    CALLER = "user"
    AGENT = "assistant"


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments object."""


@dataclass(frozen=True, slots=True)
class Said:
    """Words of the conversation so far."""

    speaker: Speaker
    text: str
    """As far as it was heard."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A function that ran: the next provider must know, and must not run it again."""

    name: str
    arguments: str
    output: str


class Opening(enum.Enum):
    """What is due as soon as the session is ready."""

    GREET = "greet"
    """Say `Conversation.greeting`."""
    ANSWER = "answer"
    """Answer what the history ends with."""
    LISTEN = "listen"


@dataclass(frozen=True, slots=True)
class Brief:
    """What the tenant wants of any provider, in no provider's own terms.

    Voice, model and turn detection mean nothing to another provider: they are in the provider's
    own configuration.
    """

    instructions: str = ""
    greeting: str = ""
    """What the agent says first; empty lets the caller begin."""
    language: str | None = None
    """BCP 47, for instance `pt-BR`."""
    tools: Sequence[Tool] = ()
    languages: Sequence[str] = ()
    """Others the caller may speak."""

    @property
    def heard_language(self) -> str | None:
        """What the caller surely speaks; None: an ear must find out."""
        return None if self.languages else self.language


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything one protocol object is started with."""

    audio_in: AudioFormat
    """One of its `Capabilities.audio_in`, the one that fits the call best."""
    audio_out: AudioFormat
    brief: Brief = field(default_factory=Brief)
    opening: Opening = Opening.LISTEN
    history: Sequence[Said | Ran] = ()
    opening_token: str = ""
    """Comes back in `ResponseStarted.token` of the greeting, where the provider can."""
    unix_s: float = 0.0
    """Wall clock at the start, for limits a provider tells as a date. The host fills it in."""
