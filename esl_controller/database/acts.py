"""Rows of what was done to calls, and of calls to be made; as `models`, which has the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
