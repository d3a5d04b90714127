"""What all parts of an emulated session share: settings, items, the way out, the time."""

from __future__ import annotations

from typing import Any

import msgspec

from esl_controller.simulator.openai.beta import event_to_beta
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.conversation import ClientError, Conversation, Item
from esl_controller.simulator.openai.record import SessionRecord
from esl_controller.simulator.service.agenda import Agenda
from esl_controller.simulator.service.record import keep

ERROR_EVENT = "error"


class Core:
    """Shared state; `emit` is the only way out."""

    def __init__(
        self,
        config: EmulatorConfig,
        faults: Faults,
        record: SessionRecord,
        settings: dict[str, Any],
        now: float,
    ) -> None:
        self.config = config
        self.faults = faults
        self.record = record
        self.settings = settings
        self.agenda = Agenda()
        self.conversation = Conversation()
        self.now = self.began_at = now
        self.user_turns = 0
        """User messages so far, spoken or typed."""
        self.outbox: list[bytes] = []
        self.muted = False
        """A stalled server: nothing more is sent."""
        self.closing: tuple[int, str] | None = None
        """Close code and reason, once the session wants to end."""
        self._sequence = 0
        self._conversation_id = self.new_id("conv")

    @property
    def answers_fail(self) -> bool:
        """The faults of answers have begun."""
        return self.now - self.began_at >= self.faults.answers_from_s

    @property
    def session_limit_s(self) -> float:
        """How long the session may be."""
        limit_s = self.faults.session_limit_s
        return self.config.session_limit_s if limit_s is None else limit_s

    @property
    def conversation_id(self) -> str:
        """Id of the default conversation."""
        return self._conversation_id

    def new_id(self, prefix: str) -> str:
        """An id in the service's style, the same in every run."""
        self._sequence += 1
        return f"{prefix}_{self.record.number:04d}{self._sequence:08d}"

    def emit(self, kind: str, **fields: Any) -> None:
        """Send a server event."""
        event = {"type": kind, "event_id": self.new_id("event"), **fields}
        if self.config.api_shape == "beta":
            event = event_to_beta(event)
        self.send(msgspec.json.encode(event))

    def send(self, message: bytes) -> None:
        """Send a ready-made message."""
        if not self.muted:
            self.outbox.append(message)

    def emit_error(self, error: ClientError, event_id: object) -> None:
        """Send an `error` event that does not end the session."""
        keep(self.record.errors, error.code or error.kind)
        body = {
            "type": error.kind,
            "code": error.code,
            "message": error.message,
            "param": error.param,
            "event_id": event_id if isinstance(event_id, str) else None,
        }
        self.emit(ERROR_EVENT, error=body)

    def close(self, code: int, reason: str) -> None:
        """End the session once everything said so far is out."""
        if self.closing is None:
            self.closing = (code, reason)

    def show_item(self, kind: str, item: Item) -> None:
        """Send `conversation.item.added` or `.done` with the item as it is now."""
        previous = self.conversation.previous_id(item)
        self.emit(kind, previous_item_id=previous, item=item.data)
