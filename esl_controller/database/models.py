"""Rows of the realtime tables as frozen values.

A record's fields are columns of its table, by name and in order; docs/secretary.md says what they
mean. UUIDs are lower-case text, times are aware datetimes, money is Decimal.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from esl_controller.database.acts import AuditRecord, Errand, OutboundCall
from esl_controller.database.functions import OwnFunction
from esl_controller.database.hours import BusinessHours, Opening, ZonedHours
from esl_controller.database.records import (
    FunctionCallRecord,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.settings.types import Secret

__all__ = ["FunctionCallRecord", "TransferRecord", "Turn", "UsageRecord"]
"""Models too, in a module of their own."""


class ProcessingMode(enum.StrEnum):
    """How a number is answered."""

    TURN_BASED = "turn_based"
    REALTIME = "realtime"
    AUTO = "auto"
    """Realtime, and turn-based where that fails."""


class BudgetAction(enum.StrEnum):
    """What a domain wants when its budget is used up."""

    LOW_COST = "low_cost"
    """The domain's `custom` provider: the local pipeline."""
    TURN_BASED = "turn_based"
    HUMAN = "human"


@dataclass(frozen=True, slots=True)
class SecretaryRealtime:
    """One row of `v_voice_secretaries_realtime`, validated."""

    secretary_realtime_uuid: str
    domain_uuid: str
    secretary_name: str
    extension: str | None
    language: str | None
    """BCP 47, such as pt-BR; None lets the model find out."""
    languages: Sequence[str]
    """Others the caller may change to."""
    realtime_provider: str
    """openai | elevenlabs | gemini | custom"""
    voice_realtime_provider_uuid: str | None
    """The domain's provider row to use; None takes the first of that kind by priority."""
    provider_config: Mapping[str, Any]
    """Passed to the provider as it is, over everything else here."""
    model: str | None
    transcription_model: str | None
    voice_id: str | None
    voice_settings: Mapping[str, Any]
    noise_reduction: str
    """none | near_field | far_field"""
    system_prompt: str | None
    first_message: str | None
    farewell_message: str | None
    silence_prompt: str | None
    """What a silent caller is asked, once."""
    vad_mode: str
    """server | semantic"""
    vad_threshold: float
    vad_prefix_padding_ms: int
    silence_duration_ms: int
    vad_eagerness: str
    """low | medium | high | auto (semantic)"""
    vad_idle_timeout_ms: int | None
    barge_in: bool
    turn_detector: str
    """provider | own"""
    resume_after_noise: bool
    ignore_back_channels: bool
    greeting_barge_in: bool
    legal_notice: str | None
    """Said before `first_message`; neither can be interrupted then."""
    comfort_sound: bool
    dtmf_pause_ms: int
    """Digits are handed to the model after this pause, or at `#`."""
    transfer_rules: Sequence[Mapping[str, Any]]
    transfer_directory: bool
    """Callers are connected to whomever of the domain they name, besides `transfer_rules`."""
    transfer_mode: str
    """blind | announced | attended"""
    transfer_ring_seconds: int
    transfer_return: bool
    hold_music: bool
    max_duration_seconds: int
    max_turns: int
    max_silence_seconds: int
    max_concurrent_calls: int | None
    fallback_extension: str | None
    overflow_extension: str | None
    time_zone: str | None
    """None: the domain's."""
    business_hours: BusinessHours | None
    """None: always open."""
    time_condition: str | None
    """Number or name of the FusionPBX time condition that stands in for `business_hours`."""
    closed_action: str
    """hand_back | answer"""
    closed_message: str | None
    closed_prompt: str | None
    closed_extension: str | None
    playback_mode: str
    """auto | unicast | binary | json | file"""
    media_mode: str
    """stream | unicast"""
    record_calls: bool
    recording_consent: str
    """none | announce | ask"""
    recording_notice: str | None
    recording_pause_words: Sequence[str]
    """Empty: ours, in the secretary's language."""
    voicemail_message: str | None
    enable_functions: bool
    """Those that reach the tenant's own systems, besides those of the call itself."""
    functions_config: Sequence[str]
    """Names of these; empty: all that are set up."""
    email_to: Sequence[str]
    """Empty: the domain's."""
    enable_rag: bool
    """It may look things up in the domain's documents."""
    enabled: bool


@dataclass(frozen=True, slots=True)
class RealtimeProviderConfig:
    """One row of `v_voice_realtime_providers`, validated."""

    voice_realtime_provider_uuid: str
    domain_uuid: str
    realtime_provider: str
    provider_label: str
    base_url: str | None
    """None: the provider's own address."""
    credential: str | None = field(repr=False)
    """`sealed:…`, `env:NAME` or `file:/path`; see `secrets`."""
    headers: Mapping[str, str] = field(repr=False)
    model: str | None
    default_voice_id: str | None
    provider_settings: Mapping[str, Any]
    priority: int
    """Lowest first, when a call looks for the next provider."""
    max_concurrent_calls: int | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """One row of `v_voice_realtime_settings`; the defaults where a domain has none."""

    domain_uuid: str
    company_name: str | None = None
    """How the tenant is named to callers; None: by the domain's name."""
    time_zone: str = "UTC"
    """The domain's own, else FusionPBX's, else UTC: of hours, and of the day a budget is for."""
    max_concurrent_calls: int | None = None
    daily_budget_usd: Decimal | None = None
    monthly_budget_usd: Decimal | None = None
    budget_warning_percent: int = 80
    budget_action: str = BudgetAction.TURN_BASED
    human_extension: str | None = None
    retention_days: int | None = None
    """None keeps conversations for ever."""
    store_transcripts: bool = True
    redact_personal_data: bool = False
    """Card numbers are always redacted; this adds telephone numbers, addresses and documents."""
    outbound_max_concurrent: int = 0
    """0: no calls are made."""
    outbound_per_hour: int | None = None
    outbound_per_day: int | None = None
    outbound_caller_id: str | None = None
    webhook_url: str | None = field(default=None, repr=False)
    """Told what happens in calls. Its address may hold a key."""
    webhook_secret: str | None = field(default=None, repr=False)
    """`sealed:…`, as a provider's credential."""
    webhook_events: Sequence[str] = ()
    """Names of those that are told; empty: all."""
    email_to: Sequence[str] = ()
    summarise_calls: bool = False
    summary_schema: Mapping[str, Any] | None = None
    summary_url: str | None = None
    """Up to, not including, `/chat/completions`; None: the domain's own provider."""
    summary_model: str | None = None
    summary_key: str | None = field(default=None, repr=False)
    send_unstored: bool = False
    """What is not stored is sent all the same."""
    allowed_tool_hosts: Sequence[str] = ()
    """Of its own systems: what its functions and webhooks may reach."""
    ticket_url: str | None = field(default=None, repr=False)
    """Where tickets are opened; None: nowhere."""
    ticket_format: str = "contact"
    """contact | plain | event | handoff: generations of the request."""
    ticket_queue: str | None = None
    ticket_company: str | None = None
    ticket_key: str | None = field(default=None, repr=False)
    crm_url: str | None = field(default=None, repr=False)
    crm_key: str | None = field(default=None, repr=False)
    agenda_kind: str = "http"
    """http | caldav"""
    agenda_url: str | None = field(default=None, repr=False)
    agenda_user: str | None = None
    agenda_key: str | None = field(default=None, repr=False)
    """Password of `agenda_user`, a token without one."""
    appointment_minutes: int = 30
    embedding_url: str | None = field(default=None, repr=False)
    """Up to, not including, `/embeddings`; None: the installation's service, where it has one."""
    embedding_model: str | None = None
    embedding_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """A provider ready to be connected: its settings and its opened key."""

    config: RealtimeProviderConfig
    api_key: Secret | None


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A number answered in realtime: all a call needs, unchanged for as long as it runs."""

    domain_uuid: str
    domain_name: str
    """Also the dialplan context transfers go to."""
    extension: str
    processing_mode: ProcessingMode
    """REALTIME or AUTO."""
    secretary: SecretaryRealtime
    providers: tuple[ProviderAccess, ...]
    """The secretary's own first, then the domain's others by priority: the fail-over order."""
    tenant: TenantSettings
    warnings: tuple[str, ...] = ()
    """What is wrong with the settings and does not keep the number from being answered."""
    outbound: OutboundCall | None = None
    """The call is ours: we have dialled."""
    functions: tuple[OwnFunction, ...] = ()
    """The tenant's own, as far as they are for this number."""
    time_condition: ZonedHours | None = None
    """FusionPBX's, where the secretary names one that is there."""
    opening: Opening | None = None
    """Open or closed, as it was when the call was admitted; closed ones are served only where the
    secretary answers then too."""


@dataclass(frozen=True, slots=True)
class TurnBasedEntry:
    """A number the turn-based service answers."""

    domain_uuid: str
    domain_name: str
    extension: str
    secretary_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRealtime:
    """One row of `v_voice_conversations_realtime`. Recorded at start and again at the end."""

    conversation_uuid: str
    domain_uuid: str
    secretary_realtime_uuid: str | None = None
    call_uuid: str
    caller_id: str | None = None
    caller_name: str | None = None
    destination: str | None = None
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: int | None = None
    total_turns: int = 0
    interruptions: int = 0
    resumptions: int = 0
    """Answers gone on with after a sound that was no interruption."""
    echo_delay_ms: int | None = None
    echo_level_db: Decimal | None = None
    avg_latency_ms: int | None = None
    max_latency_ms: int | None = None
    transcript: Sequence[Mapping[str, Any]] = field(default_factory=list)
    """[{"role": "user", "text": …, "timestamp": seconds since the start}, …]"""
    language: str | None = None
    outcome: str | None = None
    """completed | transferred | abandoned | timeout | failed | fallback | refused"""
    end_cause: str | None = None
    """What ended it, in one word: a session's EndCause or FreeSWITCH's hang-up cause."""
    error_code: str | None = None
    """REALTIME_001 … REALTIME_010 | INTERNAL"""
    reason: str | None = None
    """In words, why it was refused, handed back or failed."""
    transfer_destination: str | None = None
    provider: str | None = None
    model: str | None = None
    worker: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    audio_seconds: Decimal | None = None
    estimated_cost: Decimal | None = None
    direction: str | None = None
    """inbound | outbound"""
    answered_by: str | None = None
    """Of an outbound call: human | machine | screening | unknown"""
    recording_consent: str | None = None
    """not_asked | announced | refused | not_heard; None: nothing was recorded."""
    recording_started_at: datetime | None = None
    """Where the recording begins: the offset of a turn is its own start less this."""
    record_path: str | None = None
    """Directory of the recording, as FreeSWITCH and FusionPBX's call detail records have it."""
    record_name: str | None = None
    """Both empty: what was recorded is gone, because the caller refused."""
    summary: str | None = None
    """By a model, after the call; written by its errand, with `summary_fields`."""
    summary_fields: Mapping[str, Any] | None = None
    """As `TenantSettings.summary_schema` says."""


JournalEntry = (
    ConversationRealtime
    | Turn
    | FunctionCallRecord
    | TransferRecord
    | UsageRecord
    | AuditRecord
    | OutboundCall
    | Errand
)
"""What a call leaves behind."""


UNUSED_COLUMNS: Mapping[type, tuple[str, ...]] = {
    SecretaryRealtime: (
        "voice_secretary_uuid",
        "rag_collection_id",
    ),
}
"""Columns of the tables that this version does nothing with; who fills one in a setting is told."""
