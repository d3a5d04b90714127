"""What an emulated session saw and did: for tests to look at and for measurements to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from esl_controller.simulator.openai.config import StampHook
from esl_controller.simulator.service.record import MAX_KEPT, ConnectionRecord

MAX_STAMPS = 20_000


@dataclass(slots=True)
class SessionRecord(ConnectionRecord):
    """One connection's story."""

    session_id: str = ""
    updates: list[dict[str, Any]] = field(default_factory=list)
    """`session` of each `session.update`."""
    events_received: dict[str, int] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    """User messages as text."""
    told: list[str] = field(default_factory=list)
    """System messages."""
    said_before: list[str] = field(default_factory=list)
    """Assistant messages: a conversation that began elsewhere."""
    function_outputs: list[tuple[str, str]] = field(default_factory=list)
    truncations: list[tuple[str, int]] = field(default_factory=list)
    deletions: list[str] = field(default_factory=list)
    cancels: int = 0
    spoken: list[str] = field(default_factory=list)
    """Words of each answer."""
    responses: list[tuple[str, str]] = field(default_factory=list)
    """Status and reason of each response that ended."""
    errors: list[str] = field(default_factory=list)
    """Codes of the `error` events sent."""
    audio_in_ms: float = 0.0
    audio_out_ms: float = 0.0
    turns: int = 0
    """Turns of the caller that were committed."""
    stamps: list[tuple[str, float]] = field(default_factory=list)
    """Moments in monotonic seconds: `loud` (first loud audio after quiet), `speech_started`,
    `first_delta` of each response, `delta` for each one when every delta is asked for."""

    def stamp(self, kind: str, now: float, hook: StampHook | None) -> None:
        """Note a moment."""
        if len(self.stamps) < MAX_STAMPS:
            self.stamps.append((kind, now))
        if hook is not None:
            hook(self.number, kind, now)

    def count(self, event_type: str) -> None:
        """Count a client event."""
        if event_type in self.events_received or len(self.events_received) < MAX_KEPT:
            self.events_received[event_type] = self.events_received.get(event_type, 0) + 1
