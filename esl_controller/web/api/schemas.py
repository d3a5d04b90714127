"""What requests say and answers hold. The OpenAPI document is made from these types."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from esl_controller.database.acts import AuditRecord
from esl_controller.database.models import (
    FunctionCallRecord,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.database.repository.pages import ConversationSummary
from esl_controller.telemetry.catalogue import ErrorCode, OwnError
from esl_controller.web.api.fields import Caller, Cursor, Extension, Instant, Uuid
from esl_controller.web.api.problems import ProblemDetails
from esl_controller.web.api.remarks import FieldRemark

Outcome = Literal[
    "completed", "transferred", "abandoned", "timeout", "failed", "fallback", "refused"
]


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what is sent to us: a field nobody knows is an error, not ignored."""


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what we send."""


_ERROR_CODE = f"^({'|'.join(code.value for code in (*ErrorCode, *OwnError))})$"


class ConversationQuery(_Request, frozen=True, rename={"from_": "from"}):
    """Which conversations; all conditions hold together."""

    from_: Instant | None = None
    """Started at this time or later."""
    to: Instant | None = None
    """Started before this time."""
    outcome: Outcome | None = None
    extension: Extension | None = None
    caller: Caller | None = None
    """The whole number."""
    caller_suffix: Annotated[str, msgspec.Meta(pattern="^[0-9]+$", max_length=32)] | None = None
    """The last digits of the number."""
    secretary: Uuid | None = None
    provider: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]+$", max_length=50)] | None = None
    error_code: Annotated[str, msgspec.Meta(pattern=_ERROR_CODE)] | None = None
    failed: Literal["true"] | None = None
    """Only calls the AI did not take or keep: `failed`, `fallback`, `refused`."""
    text: (
        Annotated[
            str,
            msgspec.Meta(min_length=2, max_length=100, pattern="^[^\\u0000-\\u001f\\u007f]+$"),
        ]
        | None
    ) = None
    """Said by either side."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: Cursor | None = None


class ConversationPage(_Answer, frozen=True):
    """Conversations, newest first."""

    conversations: Sequence[ConversationSummary]
    total: int
    """On all pages; at most 10,000 are counted."""
    next: str | None
    """`cursor` of the following page; null when this is the last."""


class ActiveCalls(_Answer, frozen=True):
    """Conversations going on, on whatever worker, newest first."""

    calls: Sequence[ConversationSummary]


class RecordingView(_Answer, frozen=True):
    """The recording of a conversation; `GET …/recording` plays it where there is one."""

    kept: bool
    """False where the caller refused, or never heard the notice."""
    consent: str
    """not_asked | announced | refused | not_heard"""
    started_at: datetime | None
    """Null where the dialplan was recording before the AI came."""
    offsets_ms: dict[int, int] | None
    """Where in the recording each turn begins, by its number."""


class AuditView(_Answer, frozen=True):
    """What somebody, or a rule of ours, did to a call."""

    audits: Sequence[AuditRecord]


class ConversationDetail(_Answer, frozen=True):
    """One conversation and everything of it."""

    conversation: ConversationSummary
    turns: Sequence[Turn]
    """In order; with `total_ms` and where it went: network, model, buffer, playout."""
    function_calls: Sequence[FunctionCallRecord]
    transfers: Sequence[TransferRecord]
    usage: Sequence[UsageRecord]
    cost_usd: Decimal | None
    """Sum of what could be priced; null when nothing could."""
    recording: RecordingView | None
    """Null when the call was not to be recorded."""


class CircuitView(_Answer, frozen=True):
    """One provider that has failed since it was last heard."""

    provider_uuid: Uuid
    provider: str
    label: str
    state: Literal["closed", "open", "half_open"]
    """`closed`: it is tried. `open`: calls pass it over. `half_open`: one call tries it."""
    failures: int
    """In a row, as far as they are remembered."""
    last_error: str
    """Why it failed last, as `kind` of a provider's error."""
    tried_in_s: float
    """Until a call may try it."""


class Circuits(_Answer, frozen=True):
    """How a domain's providers do in the calls of one worker."""

    worker: str
    circuits: Sequence[CircuitView]
    """Providers that are not named are well, or have not been tried."""


class ProviderError(_Answer, frozen=True):
    """Why a provider did not work."""

    kind: Literal[
        "configuration",
        "authentication",
        "quota",
        "rate_limit",
        "invalid_request",
        "session_expired",
        "server",
        "connection",
        "protocol",
    ]
    code: str
    message: str


class ProviderTest(_Answer, frozen=True):
    """Result of connecting a provider once, as a call would."""

    ok: bool
    connect_ms: float | None
    """To the open WebSocket: name look-up, TCP, TLS, upgrade."""
    ready_ms: float | None
    """To the provider having taken a session's settings."""
    error: ProviderError | None
    warnings: Sequence[str] = ()
    """Models it would be asked for that end soon."""


class PreviewRequest(_Request, frozen=True):
    """A sentence to be said."""

    text: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=300,
            pattern="^[^\\u0000-\\u001f\\u007f]+$",
            examples=["Good morning, how can I help you?"],
        ),
    ]
    voice: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z_.-]+$", max_length=100)] | None = None
    """The provider row's default voice when there is none."""


class SimulatedCallRequest(_Request, frozen=True):
    """A call by a caller in software."""

    extension: Extension
    seconds: Annotated[int, msgspec.Meta(ge=3, le=60)] = 15
    """How long the caller stays; it speaks one sentence."""


class SimulatedCall(_Answer, frozen=True):
    """What the simulated caller saw and heard."""

    passed: bool
    """The AI served the caller."""
    reasons: Sequence[str]
    """Why it did not."""
    call_uuid: str
    answered: bool
    sent_to: str | None
    """The extension the caller was sent to."""
    handed_back: bool
    """The worker gave the call back to the dialplan; `outcome` says why."""
    outcome: str | None
    cause: str | None
    """Hang-up cause."""
    first_sound_ms: float | None
    sound_ms: float
    gaps_ms: Sequence[float]
    """Holes of more than 30 ms inside the voice."""
    level_dbfs: float | None


class TelephoneCallRequest(_Request, frozen=True):
    """A call by FreeSWITCH to a telephone of the domain, which then talks to the AI."""

    extension: Extension
    """The number the secretary answers."""
    ring: Extension
    """The telephone to ring, a user of the domain."""
    ring_s: Annotated[int, msgspec.Meta(ge=5, le=60)] = 30


class TelephoneCall(_Answer, frozen=True):
    """Whether somebody answered the telephone."""

    answered: bool
    call_uuid: str | None
    cause: str | None
    """Why nobody did, in FreeSWITCH's words."""


class TestCall(_Answer, frozen=True):
    """A test call that was begun. Ask the same worker again until it no longer runs."""

    test_call_uuid: str
    state: Literal["running", "done", "failed"]
    simulated: SimulatedCall | None
    telephone: TelephoneCall | None
    problem: ProblemDetails | None
    """Why there is no result."""


class PublicKey(_Answer, frozen=True):
    """What providers' keys are sealed with (libsodium `crypto_box_seal`)."""

    key_id: str
    public_key: str
    """Base64."""


class SealRequest(_Request, frozen=True):
    """A provider's key in clear, once."""

    key: Annotated[str, msgspec.Meta(min_length=1, max_length=4096, pattern="^[\\x21-\\x7e]+$")]


class SealedKey(_Answer, frozen=True):
    """The key for the column `credential`; only a worker can open it, only for this domain."""

    credential: str


class BudgetView(_Answer, frozen=True):
    """The budget that is used most, of day and month."""

    level: Literal["open", "warning", "exhausted"]
    period: str
    spent_usd: Decimal
    limit_usd: Decimal | None


class ExtensionCheck(_Answer, frozen=True):
    """Where a call to a number would go now, and why."""

    extension: str
    outcome: Literal[
        "realtime", "turn_based", "not_ours", "closed", "budget", "overflow", "unavailable"
    ]
    """`realtime`: answered by the AI; all others: what the dialplan finds in `voice_ai_outcome`."""
    destination: str | None
    """Where the caller is sent; null leaves it to the dialplan's next action."""
    why: str
    secretary: str | None
    providers: Sequence[str]
    """Labels in the order they are tried."""
    budget: BudgetView | None
    problems: Sequence[str]
    """What is wrong with the settings, and makes the call be handed back."""
    warnings: Sequence[str]
    """What is wrong, and is done without: a field's default is used, or a provider left out."""


class LiveConversation(_Answer, frozen=True):
    """Data of the events `conversation` and `end`."""

    conversation: ConversationSummary | None
    """Null at the end of one that has been erased."""


class Validation(_Answer, frozen=True):
    """Whether a row could be stored; nothing was."""

    ok: bool
    problems: Sequence[FieldRemark]
    warnings: Sequence[str]
    """What is doubtful, and could be stored."""


class Removed(_Answer, frozen=True):
    """What is no longer there."""

    removed: str
