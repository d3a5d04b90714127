"""The audit row of something that was done to a call from inside."""

from __future__ import annotations

import uuid
from datetime import datetime

from esl_controller.database.acts import AuditRecord
from esl_controller.database.models import ConversationRealtime


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
