"""What a session needs from outside, and what it tells.

The bridge never imports the controller: whoever owns the call hands these in. Every method is
called on the hub and must not wait.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from bridge.providers.base import ErrorKind, FunctionCall, Speaker, Usage


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
    STOPPED = "stopped"
    """The worker was stopped by force."""


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
    at_s: float
    """Seconds since the session began."""
    interrupted: bool = False
    item_id: str = ""
    """The provider's name of it; empty where it has none."""
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

    def uttered(self, utterance: Utterance) -> None:
        """Something was said; told again, with the same `item_id`, if it then was cut off."""

    def turn_answered(self, latency: TurnLatency) -> None:
        """An answer reached the caller."""

    def interrupted(self, reaction_ms: float) -> None:
        """The caller cut the agent off; `reaction_ms` is event to last frame sent."""

    def used(self, usage: Usage) -> None:
        """Something was consumed."""

    def answer_late(self) -> None:
        """The caller has been waiting in silence for an answer: say something meanwhile."""

    def provider_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """A provider failed; the session is trying to go on."""

    def stream_lost(self) -> None:
        """The caller's audio stopped coming: start the stream again."""

    def ended(self, end: SessionEnd) -> None:
        """The session is over and holds nothing any more."""


class CallControl(Protocol):
    """What a playout asks of the call, executed in order by its owner."""

    def execute_playback(self, path: str, generation: int) -> None:
        """Queue `playback` of a file on FreeSWITCH's host, with event-lock."""

    def break_playback(self) -> None:
        """`uuid_break <uuid> all`."""

    def break_stream(self) -> None:
        """`uuid_audio_stream <uuid> break` (modules with playback)."""
