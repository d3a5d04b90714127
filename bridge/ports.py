"""What a session needs from outside, and what it tells.

The bridge never imports the controller: whoever owns the call hands these in. Every method is
called on the hub and must not wait.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from bridge.providers.base import ErrorKind, FunctionCall, Usage
from bridge.providers.conversation import Speaker


class EndCause(enum.Enum):
    """Why a session ended."""

    HANGUP = "hangup"
    """The call ended or its owner closed the session."""
    FINISHED = "finished"
    """The conversation was closed politely and heard to its end."""
    CALLER_SILENT = "caller_silent"
    MAX_DURATION = "max_duration"
    PROVIDER_FAILED = "provider_failed"
    STREAM_LOST = "stream_lost"
    DRAINED = "drained"
    MAX_TURNS = "max_turns"
    """As many turns as the tenant allows."""
    AGENT_LEFT = "agent_left"
    """The agent ended the conversation by itself, in its provider's own way."""
    STOPPED = "stopped"
    """The worker was stopped by force."""


class SetPhrase(enum.Enum):
    """Words for set moments that a provider may not be able to say: then they are played."""

    STILL_THERE = "still_there"
    GOOD_BYE = "good_bye"
    TIME_UP = "time_up"
    SAY_AGAIN = "say_again"
    CONNECTING = "connecting"


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How it ended; told exactly once."""

    cause: EndCause
    detail: str = ""
    error_kind: ErrorKind | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """One finished piece of the conversation."""

    speaker: Speaker
    text: str
    """Empty: the caller said something that could not be transcribed."""
    at_s: float
    """When it began, in seconds since the session did: their order is that of the conversation."""
    interrupted: bool = False
    item_id: str = ""
    """Its name, unlike any other's of the conversation whatever provider gave it; empty where it
    has none."""
    heard_ms: int | None = None
    """How much of an interrupted answer was heard."""


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """Where the time of one answer went, in milliseconds; None where it is not known."""

    turn: int
    total_ms: float
    """Caller's turn ended (as the provider told) to the first audio frame sent."""
    network_ms: float | None
    """Half the last measured round trip to the provider, both ways added."""
    model_ms: float | None
    """Provider's own time from end of turn to first audio, network taken off."""
    buffer_ms: float
    """First audio received to first frame handed to the playout."""
    playout_ms: float
    """What the playout holds ahead of the caller's ear."""


class SessionListener(Protocol):
    """The owner of the call, as the session sees it."""

    def provider_ready(self) -> None:
        """The provider took the settings."""

    def greeting_ready(self) -> None:
        """First audio of the greeting is here: the line may open."""

    def first_audio_sent(self) -> None:
        """The first frame of the session went to the caller."""

    def function_called(self, call: FunctionCall) -> None:
        """Run it and answer with `Session.send_function_result`."""

    def function_cancelled(self, call_id: str) -> None:
        """The model no longer wants the result of this call."""

    def uttered(self, utterance: Utterance) -> None:
        """Something was said; told again, with the same `item_id`, when it is corrected, or was
        cut off after it had been told."""

    def turn_answered(self, latency: TurnLatency) -> None:
        """An answer reached the caller."""

    def interrupted(self, reaction_ms: float) -> None:
        """The caller cut the agent off; `reaction_ms` is event to last frame sent."""

    def resumed(self, why: str, silent_ms: float) -> None:
        """The agent fell silent for a sound that was no interruption, and goes on where it was.

        `why`: noise | back_channel | echo.
        """

    def used(self, usage: Usage) -> None:
        """Something was consumed; told until `ended`, which is the last of all."""

    def answer_late(self) -> None:
        """The caller has been waiting in silence for an answer: say something meanwhile."""

    def phrase_due(self, phrase: SetPhrase) -> None:
        """The provider cannot say this: play it with `Session.announce`, soon or not at all."""

    def provider_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """A provider failed; the session is trying to go on."""

    def stream_lost(self) -> None:
        """The caller's audio stopped coming: start the stream again."""

    def ended(self, end: SessionEnd) -> None:
        """The session is over and holds nothing any more."""
