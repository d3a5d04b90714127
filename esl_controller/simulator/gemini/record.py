"""What an emulated Gemini session saw and did, for tests to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from esl_controller.simulator.openai.record import SessionRecord


@dataclass(slots=True)
class GeminiRecord(SessionRecord):
    """One connection's story."""

    resumed: bool = False
    history: list[tuple[str, str]] = field(default_factory=list)
    """Role and text of every turn that came as text, in order."""
    cancelled_calls: list[str] = field(default_factory=list)
    manual_turns: int = 0
    """Turns told by `activityStart` and `activityEnd`."""

    @property
    def setup(self) -> dict[str, Any]:
        """The first message; empty before it came."""
        return self.updates[0] if self.updates else {}
