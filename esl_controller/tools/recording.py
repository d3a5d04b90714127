"""`pause_recording`, `resume_recording`, `refuse_recording`: what the AI may do to a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import FunctionFailed, Recording, ToolContext

_NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}}


@dataclass(slots=True)
class RecordingTool:
    """One of them: offered where a secretary's calls are recorded."""

    name: str
    wanted: Recording
    description: str
    status: str
    only_with_notice: bool = False
    """Callers who are told nothing have nothing to refuse."""
    suggested: frozenset[str] = frozenset()
    deadline_s: float | None = None
    repeatable: bool = True

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Where calls are recorded."""
        secretary = entry.secretary
        if not secretary.record_calls:
            return None
        if self.only_with_notice and secretary.recording_consent == "none":
            return None
        return Tool(self.name, self.description, _NOTHING)

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Ask the call for it."""
        if not context.actions.recording(self.wanted):
            raise FunctionFailed("Nothing is being recorded.")
        return {"status": self.status}


PAUSE = RecordingTool(
    "pause_recording",
    Recording.PAUSE,
    "Pause the recording of this call, and what is written down of it. Call this before the caller "
    "tells a card number, a password or anything else that must not be kept, and "
    "resume_recording when it has been told.",
    "paused",
)
RESUME = RecordingTool(
    "resume_recording",
    Recording.GO_ON,
    "Go on recording after pause_recording.",
    "recording",
)
REFUSE = RecordingTool(
    "refuse_recording",
    Recording.STOP,
    "Stop the recording of this call for good. Call this when the caller does not agree to being "
    "recorded, and say that it is not.",
    "not recorded",
    only_with_notice=True,
)
