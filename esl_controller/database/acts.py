"""Rows of what was done to calls, and of calls and errands to come; as `models`, which has the
others."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One row of `v_voice_audits_realtime`: what somebody did to a call. Recorded when asked and
    again when decided."""

    audit_uuid: str
    domain_uuid: str
    call_uuid: str
    actor: str
    """Who: a FusionPBX user, `cli:<user>`, `agent`, `caller` …"""
    action: str
    """listen | tell | takeover | hangup | recording_start | recording_pause …"""
    detail: str | None = None
    result: str
    """asked | done | refused | failed"""
    error: str | None = None
    worker: str | None = None
    acted_at: datetime
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundCall:
    """One row of `v_voice_outbound_realtime`: a call to be made, and what became of it."""

    outbound_uuid: str
    domain_uuid: str
    extension: str
    """Number of the secretary who talks."""
    number: str
    """Who is called: an extension of the domain, or whatever its outbound routes take."""
    caller_id: str | None = None
    purpose: str | None = None
    """Why, in words for the model."""
    origin: str
    """api | cli | callback"""
    requested_by: str | None = None
    conversation_uuid: str | None = None
    """In which a callback was asked for."""
    not_before: datetime
    not_after: datetime
    max_attempts: int = 3
    attempts: int = 0
    last_attempt_at: datetime | None = None
    status: str = "waiting"
    """waiting | calling | done | failed | expired | cancelled"""
    answered_by: str | None = None
    """human | machine | screening | unknown"""
    cause: str | None = None
    """FreeSWITCH's, of the last attempt."""
    call_uuid: str | None = None
    worker: str | None = None
    created_at: datetime
    ended_at: datetime | None = None


_ERRANDS = uuid.UUID("6f0a3c55-6c0e-4f43-9d0f-2f1c7f1d5a26")
"""Namespace of the errands' own UUIDs (RFC 9562, version 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Something that must happen even if the other side is down: a row of
    `v_voice_realtime_errands` as it is asked for. What becomes of it is the queue's."""

    errand_uuid: str
    domain_uuid: str
    conversation_uuid: str | None = None
    kind: str
    """ticket | message | webhook | email | summary: the table in `errands/kinds.py`."""
    idempotency_key: str
    """Of one domain and kind: the same one asked for again is the same errand."""
    payload: Mapping[str, Any]
    not_before: datetime
    created_at: datetime
    waits_for: str | None = None
    """Another errand of the domain, which is to be over first, whatever came of it."""


def errand(
    kind: str,
    domain_uuid: str,
    idempotency_key: str,
    payload: Mapping[str, Any],
    now: datetime,
    *,
    conversation_uuid: str | None = None,
    not_before: datetime | None = None,
    waits_for: str | None = None,
) -> Errand:
    """Return an errand whose UUID follows from its domain, kind and key."""
    return Errand(
        errand_uuid=errand_uuid(domain_uuid, kind, idempotency_key),
        domain_uuid=domain_uuid,
        conversation_uuid=conversation_uuid,
        kind=kind,
        idempotency_key=idempotency_key,
        payload=payload,
        not_before=not_before or now,
        created_at=now,
        waits_for=waits_for,
    )


def errand_uuid(domain_uuid: str, kind: str, idempotency_key: str) -> str:
    """The same for the same: a repetition finds the row it repeats."""
    return str(uuid.uuid5(_ERRANDS, f"{domain_uuid}/{kind}/{idempotency_key}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedErrand(Errand):
    """The whole row: an errand, and what has become of it."""

    state: str = "queued"
    """queued | running | delivered | dead"""
    attempts: int = 0
    next_at: datetime
    """Not before then; `not_before` at first, later the time of the next attempt."""
    first_attempt_at: datetime | None = None
    """Since it was asked for, or sent again: from then on the time limit runs."""
    last_attempt_at: datetime | None = None
    last_error: str | None = None
    result: Mapping[str, Any] | None = None
    """What the other side answered, as the kind tells it."""
    worker: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    """A worker died: its conversations still open in any domain are over."""

    worker: str
    """`ConversationRealtime.worker` of its conversations."""
    lost_at: datetime
