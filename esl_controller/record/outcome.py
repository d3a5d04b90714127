"""What a call's end is called in the conversation row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.ports import EndCause, SessionEnd
from esl_controller.routes.routing import HandBack, Outcome
from esl_controller.telemetry.catalogue import ErrorCode, OwnError

_CODE_OF_CAUSE: Mapping[EndCause, ErrorCode] = {
    EndCause.PROVIDER_FAILED: ErrorCode.PROVIDER_UNAVAILABLE,
    EndCause.STREAM_LOST: ErrorCode.WEBSOCKET,
    EndCause.MAX_DURATION: ErrorCode.MAX_DURATION,
    EndCause.CALLER_SILENT: ErrorCode.SESSION_TIMEOUT,
}
_OUTCOME_OF_CAUSE: Mapping[EndCause, str] = {
    EndCause.CALLER_SILENT: "timeout",
    EndCause.MAX_DURATION: "timeout",
    EndCause.PROVIDER_FAILED: "failed",
    EndCause.STREAM_LOST: "failed",
    EndCause.STOPPED: "failed",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a row says that a call ended."""

    outcome: str
    """completed | transferred | abandoned | timeout | failed | fallback | refused"""
    cause: str
    """In one word: an EndCause, FreeSWITCH's hang-up cause, or what was told to the dialplan."""
    code: ErrorCode | OwnError | None = None
    reason: str = ""
    """In words, for who looks tomorrow."""


def code_of(cause: EndCause) -> ErrorCode | None:
    """The failure class of a session's end."""
    return _CODE_OF_CAUSE.get(cause)


def never_prepared(end: SessionEnd) -> HandBack:
    """Why a caller is handed back whose session ended while it rang."""
    if end.cause is EndCause.DRAINED:
        return HandBack(Outcome.OVERFLOW, None, "the worker takes no more calls")
    if end.cause is EndCause.PROVIDER_FAILED:
        return HandBack(Outcome.UNAVAILABLE, ErrorCode.PROVIDER_UNAVAILABLE, end.detail)
    return HandBack(Outcome.FAILED, code_of(end.cause), end.detail or end.cause.value)


def turned_away(reason: HandBack) -> Ending:
    """A call with which no conversation began."""
    return Ending("refused", reason.outcome.value, reason.code, str(reason))


def handed_back(reason: HandBack, end: SessionEnd | None, trouble: str) -> Ending:
    """A conversation that could not go on; `trouble` is what a provider said last."""
    why = str(reason)
    if why and why in trouble:
        why = trouble  # it has the code, which is all that `reason` has
    elif trouble and trouble not in why:
        why = f"{why}: {trouble}"
    if end is not None and end.cause is EndCause.STOPPED:
        return Ending("failed", end.cause.value, reason.code, why)
    if reason.code is OwnError.INTERNAL:
        return Ending("failed", "internal", reason.code, why)
    cause = end.cause.value if end is not None else reason.outcome.value
    return Ending("fallback", cause, reason.code, why)


def own_ending(end: SessionEnd | None, *, answered: bool, hangup_cause: str, cut: bool) -> Ending:
    """A call that nobody handed on.

    Args:
        end: of its session; None when it had none, or one that did not end by itself. Of a
            conversation that ended by itself FreeSWITCH knows only that we hung up.
        cut: the Event Socket ended, and FreeSWITCH told of no hang-up.
    """
    if cut:
        return Ending("failed", "event_socket_lost", ErrorCode.WEBSOCKET)
    end = end or SessionEnd(EndCause.HANGUP)
    outcome = _OUTCOME_OF_CAUSE.get(end.cause, "completed") if answered else "abandoned"
    cause = hangup_cause if end.cause is EndCause.HANGUP else ""
    return Ending(outcome, cause or end.cause.value, code_of(end.cause), end.detail)
