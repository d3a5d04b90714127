"""Decides what happens to a call, from its channel data and a tenant's settings."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from esl_controller.database.models import ProcessingMode, RouteEntry
from esl_controller.esl.dialable import DIALABLE
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


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """Who calls whom, after parsing. Caller fields are what the caller claims."""

    domain_uuid: str
    call_uuid: str
    extension: str
    caller_id_number: str
    caller_id_name: str

    @property
    def for_log(self) -> dict[str, str]:
        """Who called which number: a refused call of an unknown domain has no row."""
        return {"number": self.extension, "caller": self.caller_id_number}


class InvalidCall(ValueError):
    """The channel data does not say which tenant and extension this call is for."""


def parse_identity(header: Callable[[str], str | None]) -> CallIdentity:
    """Read the identity of a call from its channel data.

    On a leg FreeSWITCH dialled itself the caller fields are FreeSWITCH's own; who talks to us there
    is the callee (`Call-Direction`, `Caller-Callee-ID-…`, switch_caller.c).

    Args:
        header: looks a decoded channel header up by name, None when missing.

    Raises:
        InvalidCall: no valid `domain_uuid`, `Unique-ID` or called extension.
    """
    extension = header("variable_voice_ai_extension") or header("Caller-Destination-Number") or ""
    if not DIALABLE.fullmatch(extension):
        raise InvalidCall("called extension missing or not dialable")
    dialled = header("Call-Direction") == "outbound" and header("Caller-Callee-ID-Number")
    who = "Callee" if dialled else "Caller"
    return CallIdentity(
        domain_uuid=_uuid(header("variable_domain_uuid"), "variable_domain_uuid"),
        call_uuid=_uuid(header("Unique-ID"), "Unique-ID"),
        extension=extension,
        caller_id_number=_printable(header(f"Caller-{who}-ID-Number"), 64),
        caller_id_name=_printable(header(f"Caller-{who}-ID-Name"), 64),
    )


def _uuid(value: str | None, name: str) -> str:
    try:
        return str(uuid.UUID(value or ""))
    except ValueError:
        raise InvalidCall(f"{name} is missing or not a UUID") from None


def _printable(value: str | None, limit: int) -> str:
    return "".join(c for c in (value or "") if c.isprintable())[:limit]
