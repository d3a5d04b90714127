"""What all parts of an emulated Gemini session share: the way out, the time, the handles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from esl_controller.simulator.gemini.config import EmulatorConfig
from esl_controller.simulator.gemini.record import GeminiRecord
from esl_controller.simulator.service.agenda import Agenda
from esl_controller.simulator.service.faults import AnswerFaults


@dataclass(slots=True)
class Conversation:
    """What a session can be resumed with."""

    turns: int = 0
    """Of the caller, spoken or typed: the script goes by them."""
    tokens: int = 0
    """Everything said so far: billed with each turn anew."""


@dataclass(slots=True)
class Handles:
    """The service's memory of sessions, common to all connections."""

    kept: dict[str, tuple[Conversation, Core]] = field(default_factory=dict)


class Core:
    """Shared state; `emit` is the only way out."""

    def __init__(
        self,
        config: EmulatorConfig,
        faults: AnswerFaults,
        record: GeminiRecord,
        handles: Handles,
        now: float,
    ) -> None:
        self.config = config
        self.faults = faults
        self.record = record
        self.handles = handles
        self.now = self.began_at = now
        self.agenda = Agenda()
        self.conversation = Conversation()
        self.setup: dict[str, Any] = {}
        self.outbox: list[bytes] = []
        self.muted = False
        """A stalled server: nothing goes out any more."""
        self.closing: tuple[int, str] | None = None
        """Close code and reason, once the session wants to end."""
        self._sequence = 0

    @property
    def answers_fail(self) -> bool:
        """The faults of answers have begun."""
        return self.now - self.began_at >= self.faults.answers_from_s

    @property
    def session_limit_s(self) -> float:
        """How long the connection may be."""
        limit_s = self.faults.session_limit_s
        return self.config.session_limit_s if limit_s is None else limit_s

    def new_id(self, prefix: str) -> str:
        """An id that is the same in every run."""
        self._sequence += 1
        return f"{prefix}-{self.record.number:04d}{self._sequence:06d}"

    def emit(self, **message: Any) -> None:
        """Send a server message, unless the connection is over."""
        self.send(msgspec.json.encode(message))

    def send(self, message: bytes) -> None:
        """Send a ready-made message."""
        if not self.muted and self.closing is None:
            self.outbox.append(message)

    def close(self, code: int, reason: str) -> None:
        """End the session once everything said so far is out. A reason has 123 bytes at most."""
        if self.closing is None:
            self.closing = (code, reason[:120])

    # --- resumption ---------------------------------------------------------------------------

    def offer_handle(self) -> None:
        """The session can be resumed as it is now."""
        if "sessionResumption" not in self.setup:
            return
        handle = self.new_id("handle")
        copy = Conversation(self.conversation.turns, self.conversation.tokens)
        self.handles.kept[handle] = (copy, self)
        self.emit(sessionResumptionUpdate={"newHandle": handle, "resumable": True})

    def withdraw_handle(self) -> None:
        """It cannot be resumed at the moment: the model generates."""
        if "sessionResumption" in self.setup:
            self.emit(sessionResumptionUpdate={"resumable": False})
