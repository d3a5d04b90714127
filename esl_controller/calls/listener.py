"""What a session tells its call: written down at once, or put into the call's inbox.

Every method runs on the hub and must not wait.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from bridge.ports import SessionEnd, TurnLatency, Utterance
from bridge.providers.base import ErrorKind, FunctionCall, Usage
from esl_controller.calls.conversation import Conversation
from esl_controller.calls.jobs import Inbox
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics

MAX_TROUBLES = 20
"""Logged of one call; a provider that talks nonsense does so fifty times a second."""


class CallJobs(Protocol):
    """What the call does about it, in its own greenlet."""

    def on_prepared(self) -> None:
        """The greeting is here, or none is wanted: the line may open."""

    def on_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """A provider failed."""

    def on_answer_late(self) -> None:
        """The caller waits for an answer."""

    def on_stream_lost(self) -> None:
        """The caller's stream is gone."""

    def on_ended(self, end: SessionEnd) -> None:
        """The session is over."""


class CallListener:
    """A session's listener for one call. `conversation` is set once it is open."""

    def __init__(
        self, jobs: CallJobs, inbox: Inbox, metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self.conversation: Conversation | None = None
        self.end: SessionEnd | None = None
        self.answered_at: float | None = None
        """Monotonic seconds; set by the call."""
        self._jobs = jobs
        self._inbox = inbox
        self._metrics = metrics
        self._clock = clock
        self._greeted = False
        self._troubles = 0

    def provider_ready(self) -> None:
        """Without a greeting there is nothing more to wait for."""
        talk = self.conversation
        if talk is not None and not talk.session.config.options.greeting:
            self._inbox.post(self._jobs.on_prepared)

    def greeting_ready(self) -> None:
        """First audio is here."""
        self._inbox.post(self._jobs.on_prepared)

    def first_audio_sent(self) -> None:
        """Measured from the answer, once."""
        if not self._greeted and self.answered_at is not None:
            self._greeted = True
            delay_s = self._clock() - self.answered_at
            self._metrics.observe(m.ANSWER_TO_GREETING, value_s=delay_s)

    def function_called(self, call: FunctionCall) -> None:
        """Run it aside."""
        if self.conversation is not None:
            self.conversation.functions.run(call)

    def uttered(self, utterance: Utterance) -> None:
        """Journalled."""
        if self.conversation is not None:
            self.conversation.record.uttered(utterance)

    def turn_answered(self, latency: TurnLatency) -> None:
        """Journalled."""
        if self.conversation is not None:
            self.conversation.record.answered_turn(latency)

    def answer_late(self) -> None:
        """Covered with words by the call."""
        self._inbox.post(self._jobs.on_answer_late)

    def interrupted(self, reaction_ms: float) -> None:
        """Counted."""
        if self.conversation is not None:
            self.conversation.record.interrupted(reaction_ms)

    def used(self, usage: Usage) -> None:
        """Journalled."""
        if self.conversation is not None:
            self.conversation.record.used(usage)

    def provider_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """Counted, and covered with words by the call."""
        talk = self.conversation
        provider = talk.session.provider_name if talk is not None else ""
        self._metrics.count(m.PROVIDER_FAILURES, provider, kind.value)
        if kind is ErrorKind.RATE_LIMIT:
            self._metrics.count(m.ERRORS, m.ErrorCode.RATE_LIMIT.value)
        self._troubles += 1
        if self._troubles <= MAX_TROUBLES:
            self._inbox.post(partial(self._jobs.on_trouble, kind, code, message))

    def stream_lost(self) -> None:
        """To be started again."""
        self._inbox.post(self._jobs.on_stream_lost)

    def ended(self, end: SessionEnd) -> None:
        """The session is over."""
        self.end = end
        self._inbox.post(partial(self._jobs.on_ended, end))
