"""OpenAI Realtime: how a response ended.

Look-alikes spell the four statuses in other ways, leave one at `in_progress`, or tell an error
without saying `failed`.
"""

from __future__ import annotations

from bridge.providers.base import ProviderFailure, ResponseDone
from bridge.providers.openai.errors import Meaning, read_error
from bridge.providers.openai.structures import Response

_STATUSES = {
    "completed": "completed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "incomplete": "incomplete",
    "failed": "failed",
    "failure": "failed",
    "error": "failed",
    "expired": "failed",
}


def status_of(response: Response) -> str:
    """completed | cancelled | incomplete | failed"""
    status = _STATUSES.get((response.status or "").lower())
    if status is not None:
        return status
    details = response.status_details
    return "failed" if details is not None and details.error is not None else "completed"


def reason_of(response: Response) -> str:
    """Why it was cancelled or is incomplete."""
    details = response.status_details
    return (details.reason if details is not None else None) or ""


def failure_of(response: Response) -> ProviderFailure:
    """A failed response costs the turn, not the session; the kind says what to expect next."""
    details = response.status_details
    error = read_error(details.error if details is not None else None)
    turn = Meaning(error.meaning.kind, fatal=False, retryable=error.meaning.retryable)
    return error.failure(turn, "response_failed")


def response_end(
    response_id: str, status: str, reason: str, failure: ProviderFailure | None, *, spoke: bool
) -> ResponseDone:
    """What the session is told."""
    kind = failure.kind if failure is not None else None
    wait_s = failure.retry_in_s if failure is not None else None
    return ResponseDone(response_id, status, reason, kind, spoke, wait_s)
