"""What a call's end is called in the conversation row."""

from __future__ import annotations

from bridge.ports import EndCause
from esl_controller.telemetry.catalogue import ErrorCode

CODE_OF_CAUSE = {
    EndCause.PROVIDER_FAILED: ErrorCode.PROVIDER_UNAVAILABLE,
    EndCause.STREAM_LOST: ErrorCode.WEBSOCKET,
    EndCause.MAX_DURATION: ErrorCode.MAX_DURATION,
    EndCause.CALLER_SILENT: ErrorCode.SESSION_TIMEOUT,
}
_OUTCOME_OF_CAUSE = {
    EndCause.FINISHED: "completed",
    EndCause.HANGUP: "completed",
    EndCause.CALLER_SILENT: "timeout",
    EndCause.MAX_DURATION: "timeout",
    EndCause.DRAINED: "completed",
    EndCause.PROVIDER_FAILED: "failed",
    EndCause.STREAM_LOST: "failed",
}


def conversation_outcome(
    cause: EndCause, *, answered: bool, transferred: bool, handed_back: bool
) -> str:
    """completed | transferred | abandoned | timeout | failed | fallback"""
    if transferred:
        return "transferred"
    if handed_back:
        return "fallback"
    return _OUTCOME_OF_CAUSE[cause] if answered else "abandoned"
