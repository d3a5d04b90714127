"""Where a caller goes who is sent on: to an extension of the tenant, or behind `socket`."""

from __future__ import annotations

import structlog

from esl_controller.calls.leg import DEFAULT_RINGBACK, Leg
from esl_controller.database.models import RouteEntry
from esl_controller.esl.dialable import NotDialable
from esl_controller.routes.routing import HandBack, Outcome

_log = structlog.get_logger("call")

RINGBACK = {"pt": "%(1000,4000,425)"}
"""By language, as the caller's own network sounds; elsewhere `DEFAULT_RINGBACK`."""


def transfer_to(leg: Leg, entry: RouteEntry, extension: str) -> None:
    """What the conversation wanted: the destination is told nothing.

    Raises as `Leg.hand_over`.
    """
    _send(leg, entry, extension, Outcome.TRANSFER_FAILED.value, "")


def destination(entry: RouteEntry | None, reason: HandBack) -> str | None:
    """The extension that was named, else the tenant's own for such cases; None: behind `socket`."""
    if entry is None or reason.extension is not None:
        return None if entry is None else reason.extension
    return entry.secretary.fallback_extension if reason.outcome.needs_somebody else None


def send_on(leg: Leg, entry: RouteEntry | None, reason: HandBack) -> None:
    """Give the caller to the dialplan, which finds the reason in `voice_ai_outcome` either way.

    Raises EslError when the call is gone.
    """
    extension = destination(entry, reason)
    if leg.left:  # a transfer was refused: the dialplan has the caller, and has been told
        return
    outcome = reason.outcome.value
    if entry is not None and extension is not None:
        try:
            return _send(leg, entry, extension, outcome, outcome)
        except NotDialable as error:
            _log.warning("call.fallback_not_dialable", error=str(error))
    leg.give_back(outcome)


def _send(leg: Leg, entry: RouteEntry, extension: str, refused: str, told: str) -> None:
    language = (entry.secretary.language or "").partition("-")[0].lower()
    leg.hand_over(
        extension,
        entry.domain_name,
        refused=refused,
        told=told,
        ringback=RINGBACK.get(language, DEFAULT_RINGBACK),
    )
