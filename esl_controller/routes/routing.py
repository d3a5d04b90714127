"""What can happen to a call, and what the dialplan is told of it. Pure."""

from __future__ import annotations

import enum

from esl_controller.database.models import ProcessingMode, RouteEntry
from esl_controller.telemetry.catalogue import ErrorCode, OwnError


class Outcome(enum.Enum):
    """What the dialplan finds in `voice_ai_outcome` when it gets the call back."""

    REALTIME = "realtime"
    """Ours: never seen by the dialplan."""
    TURN_BASED = "turn_based"
    """The turn-based service is wanted: always, or because realtime failed."""
    NOT_OURS = "not_ours"
    """No secretary has this number."""
    INVALID = "invalid"
    """Channel data without a usable domain or extension."""
    OVERFLOW = "overflow"
    """No capacity left, here or for this tenant."""
    CLOSED = "closed"
    """Outside the secretary's business hours."""
    BUDGET = "budget"
    """The tenant's budget is used up, and wants a person to answer then."""
    UNAVAILABLE = "unavailable"
    """Settings or provider cannot be had at the moment."""
    FAILED = "failed"
    """The conversation broke and could not be saved."""
    TRANSFER_FAILED = "transfer_failed"

    @property
    def suits_turn_based(self) -> bool:
        """A secretary set to `auto` is then served turn by turn."""
        return self in (Outcome.UNAVAILABLE, Outcome.FAILED, Outcome.OVERFLOW)

    @property
    def needs_somebody(self) -> bool:
        """The caller was to be served here and is not: the tenant's fallback takes over."""
        return self in (Outcome.UNAVAILABLE, Outcome.FAILED, Outcome.TRANSFER_FAILED)


class HandBack(Exception):
    """The dialplan must take the call: it is not ours, or cannot be served."""

    def __init__(
        self,
        outcome: Outcome,
        code: ErrorCode | OwnError | None = None,
        why: str = "",
        *,
        extension: str | None = None,
    ) -> None:
        """`extension` takes the caller instead of the dialplan's next action."""
        super().__init__(why or outcome.value)
        self.outcome = outcome
        self.code = code
        self.extension = extension


def as_chosen(entry: RouteEntry, reason: HandBack) -> HandBack:
    """Where the caller of a secretary goes: `auto` is turn-based wherever realtime fails."""
    auto = entry.processing_mode is ProcessingMode.AUTO
    if not (auto and reason.outcome.suits_turn_based):
        return reason
    return HandBack(Outcome.TURN_BASED, reason.code, f"{reason.outcome.value}: {reason}")
