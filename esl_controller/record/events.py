"""What is sent of a call while it goes on and when it is over, as errands. Pure.

Keys follow from the conversation: whatever is recorded twice, after a crash, is one errand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from esl_controller.database.acts import Errand, errand
from esl_controller.database.models import (
    ConversationRealtime,
    RouteEntry,
    TenantSettings,
    TransferRecord,
)

STARTED = "started"
RETURNED = "returned"
_OF_A_CALL = (
    "conversation_uuid",
    "call_uuid",
    "secretary_realtime_uuid",
    "direction",
    "caller_id",
    "caller_name",
    "destination",
    "started_at",
    "answered_at",
    "ended_at",
    "duration_seconds",
    "language",
    "outcome",
    "end_cause",
    "error_code",
    "transfer_destination",
    "answered_by",
    "total_turns",
    "estimated_cost",
)
_OF_A_TRANSFER = (
    "transfer_uuid",
    "conversation_uuid",
    "transfer_type",
    "destination",
    "reason",
    "status",
    "started_at",
    "ended_at",
)
Record = Callable[[Errand], object]


class CallEvents:
    """The events of one conversation, for those tenants that want to be told."""

    def __init__(self, entry: RouteEntry, record: Record) -> None:
        self._tenant = entry.tenant
        self._secretary = entry.secretary.secretary_name
        self._email_to = entry.secretary.email_to or entry.tenant.email_to
        self._record = record

    def started(self, call: ConversationRealtime) -> None:
        """The conversation has begun."""
        if _told(self._tenant, "call.started"):
            payload = {"event": "call.started", "data": self._of(call)}
            key = (call.conversation_uuid, call.started_at)
            self._record(self._errand("webhook", "call.started", payload, *key))

    def transfer(self, transfer: TransferRecord) -> None:
        """A transfer was begun, or is decided."""
        event = transfer_event(self._tenant, transfer)
        if event is not None:
            self._record(event)

    def ended(self, call: ConversationRealtime, words: Sequence[Mapping[str, Any]]) -> None:
        """The conversation is over: summary first, then whoever waits for it.

        Words go along only where the tenant has what is not stored sent all the same.
        """
        tenant, now = self._tenant, call.ended_at or call.started_at
        along: Mapping[str, Any] = {"transcript": list(words)} if tenant.send_unstored else {}
        first = None
        if tenant.summarise_calls and (tenant.store_transcripts or tenant.send_unstored):
            first = self._errand("summary", "summary", along, call.conversation_uuid, now)
            self._record(first)
        waits_for = None if first is None else first.errand_uuid
        if _told(tenant, "call.ended"):
            payload = {"event": "call.ended", "data": self._of(call), **along}
            self._record(
                self._errand(
                    "webhook", "call.ended", payload, call.conversation_uuid, now, waits_for
                )
            )
        if self._email_to:
            payload = {"to": list(self._email_to), "call": self._of(call), **along}
            self._record(
                self._errand("email", "call.ended", payload, call.conversation_uuid, now, waits_for)
            )

    def _of(self, call: ConversationRealtime) -> dict[str, Any]:
        return _chosen(call, _OF_A_CALL) | {"secretary_name": self._secretary}

    def _errand(
        self,
        kind: str,
        name: str,
        payload: Mapping[str, Any],
        conversation_uuid: str,
        now: datetime,
        waits_for: str | None = None,
    ) -> Errand:
        return errand(
            kind,
            self._tenant.domain_uuid,
            f"{conversation_uuid}:{name}",
            payload,
            now,
            conversation_uuid=conversation_uuid,
            waits_for=waits_for,
        )


def transfer_event(tenant: TenantSettings, transfer: TransferRecord) -> Errand | None:
    """A transfer was begun, is decided, or its caller has come back; None: not wanted."""
    event = {STARTED: "transfer.started", RETURNED: "transfer.returned"}.get(
        transfer.status, "transfer.ended"
    )
    if not _told(tenant, event):
        return None
    return errand(
        "webhook",
        transfer.domain_uuid,
        f"{transfer.conversation_uuid}:{transfer.transfer_uuid}:{event}",
        {"event": event, "data": _chosen(transfer, _OF_A_TRANSFER)},
        transfer.ended_at or transfer.started_at,
        conversation_uuid=transfer.conversation_uuid,
    )


def budget_event(
    tenant: TenantSettings, level: str, state: BudgetState, now: datetime
) -> Errand | None:
    """A budget has come to a level: once a day, or month, of the tenant's; None: not wanted.

    `now` is in the tenant's zone.
    """
    event = f"budget.{level}"
    if not _told(tenant, event):
        return None
    date = f"{now:%Y-%m-%d}" if state.period == "day" else f"{now:%Y-%m}"
    data = {
        "period": state.period,
        "date": date,
        "spent_usd": str(state.spent_usd),
        "limit_usd": str(state.limit_usd),
    }
    key = f"{event}:{state.period}:{date}"
    return errand("webhook", tenant.domain_uuid, key, {"event": event, "data": data}, now)


class BudgetState(Protocol):
    """As `money.budget` has it."""

    @property
    def period(self) -> str:
        """day | month"""

    @property
    def spent_usd(self) -> Decimal:
        """In the period."""

    @property
    def limit_usd(self) -> Decimal | None:
        """What may be."""


def _told(tenant: TenantSettings, event: str) -> bool:
    chosen = not tenant.webhook_events or event in tenant.webhook_events
    return bool(tenant.webhook_url) and chosen


def _chosen(record: object, names: Sequence[str]) -> dict[str, Any]:
    """As JSON has it: times and amounts are text."""
    chosen: dict[str, Any] = msgspec.to_builtins({name: getattr(record, name) for name in names})
    return chosen
