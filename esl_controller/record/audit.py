"""The audit rows of what was done to a call from inside, and to its errands."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from esl_controller.database.acts import AuditRecord, QueuedErrand
from esl_controller.database.models import ConversationRealtime
from esl_controller.database.pool import GreenConnection
from esl_controller.database.repository import conversations


def audit_of(
    call: ConversationRealtime, by: str, action: str, result: str, error: str, now: datetime
) -> AuditRecord:
    """Who did what to the call of this conversation, and what became of it."""
    return AuditRecord(
        audit_uuid=str(uuid.uuid4()),
        domain_uuid=call.domain_uuid,
        call_uuid=call.call_uuid,
        actor=by,
        action=action,
        result=result,
        error=error or None,
        worker=call.worker,
        acted_at=now,
        decided_at=now,
    )


def audit_of_errand(
    connection: GreenConnection, errand: QueuedErrand, actor: str, action: str, worker: str | None
) -> AuditRecord:
    """Who did what to an errand; shown with its call, where it belongs to one."""
    call = None
    if errand.conversation_uuid is not None:
        call = conversations.find_conversation(
            connection, errand.domain_uuid, errand.conversation_uuid
        )
    now = datetime.now(UTC)
    return AuditRecord(
        audit_uuid=str(uuid.uuid4()),
        domain_uuid=errand.domain_uuid,
        call_uuid=errand.errand_uuid if call is None else call.call_uuid,
        actor=actor,
        action=action,
        detail=f"{errand.kind} {errand.errand_uuid}",
        result="done",
        worker=worker,
        acted_at=now,
        decided_at=now,
    )
