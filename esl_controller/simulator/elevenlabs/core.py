"""What all parts of an emulated conversation share: the agent, the way out, the time."""

from __future__ import annotations

from typing import Any

import msgspec

from esl_controller.simulator.elevenlabs.config import EmulatorConfig, Faults
from esl_controller.simulator.elevenlabs.record import ConversationRecord
from esl_controller.simulator.service.agenda import Agenda
from esl_controller.simulator.service.record import keep

_STRANGE: tuple[dict[str, Any], ...] = (
    {"type": "vad_score", "vad_score_event": {"vad_score": 0.9}},
    {"type": "agent_typing", "agent_typing_event": {"is_typing": True}},
    {"type": "context_usage", "context_usage_event": None},
    {"type": "of_tomorrow", "event_id": 7},
)


class Core:
    """Shared state; `emit` is the only way out."""

    def __init__(
        self, config: EmulatorConfig, faults: Faults, record: ConversationRecord, now: float
    ) -> None:
        self.config = config
        self.faults = faults
        self.record = record
        self.agenda = Agenda()
        self.now = self.began_at = now
        self.number = 0
        """The last event's."""
        self.outbox: list[bytes] = []
        self.muted = False
        """A stalled service: nothing goes out any more."""
        self.closing: tuple[int, str] | None = None
        self._emitted = 0

    @property
    def answers_fail(self) -> bool:
        """The faults of answers have begun."""
        return self.now - self.began_at >= self.faults.answers_from_s

    def next_number(self) -> int:
        """For an event that begins something."""
        self.number += 1
        return self.number

    def emit(self, kind: str, body: dict[str, Any], key: str = "") -> None:
        """Send a server message."""
        self.send(msgspec.json.encode({"type": kind, key or f"{kind}_event": body}))
        self._emitted += 1
        if self.faults.strange_messages:
            self.send(msgspec.json.encode(_STRANGE[self._emitted % len(_STRANGE)]))

    def send(self, message: bytes) -> None:
        """Send a ready-made message."""
        if not self.muted:
            self.outbox.append(message)

    def fail(self, error_type: str, code: int, message: str) -> None:
        """Tell an error and close, in that order."""
        keep(self.record.errors, error_type)
        if self.faults.tells_error:
            body = {"code": code, "error_type": error_type, "message": message, "reason": message}
            self.emit("error", body)
        self.close(code, message)

    def close(self, code: int, reason: str) -> None:
        """End the conversation once everything said so far is out."""
        if self.closing is None:
            self.closing = (code, reason)
