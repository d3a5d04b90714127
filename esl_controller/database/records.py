"""What conversations leave behind besides their own rows; part of `models`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One row of `v_voice_turns_realtime`: something said, and how long its answer took."""

    turn_uuid: str
    domain_uuid: str
    conversation_uuid: str
    turn_number: int
    role: str
    """user | assistant | system | dtmf"""
    content: str = ""
    started_at: datetime
    ended_at: datetime | None = None
    heard_ms: int | None = None
    """How much of an interrupted answer the caller heard."""
    interrupted: bool = False
    total_ms: int | None = None
    network_ms: int | None = None
    model_ms: int | None = None
    buffer_ms: int | None = None
    playout_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCallRecord:
    """One row of `v_voice_function_calls_realtime`: the audit of what the AI did. Recorded when
    begun and again when over."""

    function_call_uuid: str
    domain_uuid: str
    conversation_uuid: str
    provider_call_id: str | None = None
    function_name: str
    arguments: Any = field(default_factory=dict)
    result: Any = None
    status: str
    """started | completed | failed | timeout | refused"""
    error: str | None = None
    started_at: datetime
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRecord:
    """One row of `v_voice_transfers_realtime`. Recorded when tried and again when decided."""

    transfer_uuid: str
    domain_uuid: str
    conversation_uuid: str
    transfer_type: str
    """blind | attended | fallback | overflow | announced | three_way | voicemail | takeover"""
    destination: str
    reason: str | None = None
    status: str
    """started | completed | no_answer | busy | failed | cancelled | passed_on | declined |
    unreachable | no_verdict | human_left | returned; `passed_on`: the dialplan has the caller, and
    the rest is not known; `returned`: they talked, and the caller came back"""
    hangup_cause: str | None = None
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """One row of `v_voice_usage_realtime`: what the provider counted, and its price."""

    usage_uuid: str
    domain_uuid: str
    conversation_uuid: str | None
    """None: said in none, such as a voice preview or a document's vectors."""
    purpose: str = "conversation"
    """conversation | preview | summary | embedding; a provider that is tried out is a preview"""
    provider: str
    """Who is paid, as in the price list."""
    model: str = ""
    occurred_at: datetime
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    cached_text_tokens: int = 0
    cached_audio_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0
    transcription_seconds: float = 0.0
    transcription_tokens: int = 0
    audio_seconds: float = 0.0
    characters: int = 0
    cost_usd: Decimal | None = None
    """None: the model is in no price list."""
    price_date: date | None = None
    """The price list it was priced with."""
    voice_realtime_provider_uuid: str | None = None
    """Of the domain's providers the one it was used through; it may have been removed since. None:
    through none of them, or stored before this was."""
