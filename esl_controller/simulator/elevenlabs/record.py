"""What an emulated agent saw and did in one conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from esl_controller.simulator.service.record import ConnectionRecord


@dataclass(slots=True)
class ConversationRecord(ConnectionRecord):
    """One conversation."""

    conversation_id: str = ""
    initiation: dict[str, Any] = field(default_factory=dict)
    """The client's first message."""
    subprotocols: str = ""
    """As offered."""
    received: dict[str, int] = field(default_factory=dict)
    """Client messages by type; audio has none and is counted as `audio`."""
    texts: list[str] = field(default_factory=list)
    """User messages."""
    updates: list[str] = field(default_factory=list)
    """Contextual updates."""
    function_outputs: list[tuple[str, str, bool]] = field(default_factory=list)
    """Call, result, and whether it failed."""
    pongs: list[int] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    """Words of each answer that was begun."""
    corrections: list[str] = field(default_factory=list)
    """What was left of those that were interrupted."""
    errors: list[str] = field(default_factory=list)
    """Types of the errors told, and messages that made no sense."""
    audio_in_ms: float = 0.0
    audio_out_ms: float = 0.0
    turns: int = 0
    """Turns of the caller that were heard."""

    @property
    def override(self) -> dict[str, Any]:
        """`conversation_config_override` of the first message."""
        found = self.initiation.get("conversation_config_override")
        return found if isinstance(found, dict) else {}

    @property
    def prompt(self) -> str:
        """What the agent was told to be."""
        found: Any = self.override
        for name in ("agent", "prompt", "prompt"):
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, str) else ""

    def count(self, kind: str) -> None:
        """Count a client message."""
        self.received[kind] = self.received.get(kind, 0) + 1
