"""Kind `message`: what a caller has left for somebody, by e-mail and as an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esl_controller.database.acts import QueuedErrand, errand
from esl_controller.errands.base import Dead, Delivered, Means
from esl_controller.errands.email import lines_of


@dataclass(frozen=True, slots=True)
class Message:
    """Becomes an e-mail, a webhook `message.taken`, or both: each of them is tried by itself."""

    limit_s: float = 24 * 3600.0

    def deliver(self, wanted: QueuedErrand, means: Means) -> Delivered:
        """Queue what becomes of it. Every field of the payload is told."""
        tenant, payload = means.tenant, wanted.payload
        to = payload.get("to") or tenant.email_to
        told = dict(payload.items())
        told.pop("to", None)
        more: list[tuple[str, dict[str, Any]]] = []
        if to:
            letter = {"to": list(to), "subject": _subject(told), "text": lines_of(told)}
            more.append(("email", letter))
        chosen = not tenant.webhook_events or "message.taken" in tenant.webhook_events
        if tenant.webhook_url and chosen:
            data = {**told, "conversation_uuid": wanted.conversation_uuid}
            more.append(("webhook", {"event": "message.taken", "data": data}))
        if not more:
            raise Dead("nobody to give it to: set email_to or webhook_url")
        return Delivered(
            {"became": [kind for kind, _ in more]},
            [
                errand(
                    kind,
                    wanted.domain_uuid,
                    f"message:{wanted.idempotency_key}"[:255],
                    content,
                    wanted.created_at,
                    conversation_uuid=wanted.conversation_uuid,
                )
                for kind, content in more
            ],
        )


def _subject(told: dict[str, object]) -> str:
    who = told.get("caller_name") or told.get("name") or told.get("caller_number") or ""
    return f"Message from {who}" if who else "Message"
