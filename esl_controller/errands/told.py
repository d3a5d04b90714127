"""What a webhook or an e-mail tells of a call: what the queue was given, and what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esl_controller.database.acts import QueuedErrand
from esl_controller.database.repository import conversations, errands
from esl_controller.errands.base import Means


def conversation_of(errand: QueuedErrand, means: Means) -> Mapping[str, Any]:
    """Return `transcript`, `summary` and `fields` of the errand's conversation.

    The words go along with the errand where they are not stored; the summary is what the errand
    that was waited for has found.
    """
    found: dict[str, Any] = {"transcript": None, "summary": None, "fields": None}
    with means.pool.connection(autocommit=True) as connection:
        if errand.waits_for is not None:
            first = errands.find(connection, errand.domain_uuid, errand.waits_for)
            made = (first.result if first is not None else None) or {}
            found |= {name: made.get(name) for name in ("summary", "fields")}
        found["transcript"] = transcript_of(connection, errand)
    return found


def transcript_of(connection: Any, errand: QueuedErrand) -> list[Mapping[str, Any]] | None:
    """Return the words that went along, else those stored; None where there are none."""
    with_it = errand.payload.get("transcript")
    if with_it or errand.conversation_uuid is None:
        return list(with_it) if with_it else None
    row = conversations.find_conversation(connection, errand.domain_uuid, errand.conversation_uuid)
    return list(row.transcript) if row is not None and row.transcript else None
