"""Kind `webhook`: an event, signed, to the address the tenant has set."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from esl_controller.database.acts import QueuedErrand
from esl_controller.errands.base import Dead, Delivered, Means, Retry
from esl_controller.errands.signature import sign
from esl_controller.errands.told import conversation_of
from esl_controller.services.http import Response, ServiceFailed
from esl_controller.tenants.keys.secrets import SecretError

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 16 * 1024
MAX_RETRY_AFTER = 9
"""Digits of a `Retry-After` that are read."""
_NEVER = frozenset({400, 405, 410, 413, 414, 415, 422, 501})
"""Answers that the same request would get again."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Sends events of `payload["event"]` with `payload["data"]`."""

    limit_s: float = 24 * 3600.0
    now: Callable[[], float] = time.time

    def deliver(self, errand: QueuedErrand, means: Means) -> Delivered:
        """Send it; an event the tenant has not chosen is not sent."""
        tenant, event = means.tenant, str(errand.payload.get("event"))
        if not tenant.webhook_url:
            raise Dead("no webhook_url is set")
        if tenant.webhook_events and event not in tenant.webhook_events:
            return Delivered({"skipped": f"{event} is not among webhook_events"})
        if not tenant.webhook_secret:
            raise Dead("no webhook_secret is set, and nothing is sent unsigned")
        try:
            secret = means.open_key(tenant.webhook_secret).reveal()
        except SecretError as error:
            raise Dead(f"webhook_secret: {error}") from None
        body = msgspec.json.encode(self._body(errand, event, means))
        answer = post(
            means,
            tenant.webhook_url,
            errand,
            body,
            self._headers(errand, event, secret, body),
        )
        return Delivered({"status": answer.status})

    def _body(self, errand: QueuedErrand, event: str, means: Means) -> Mapping[str, Any]:
        data = dict(errand.payload.get("data") or {})
        if event == "call.ended":
            data |= conversation_of(errand, means)
        return {
            "id": errand.errand_uuid,
            "event": event,
            "created_at": errand.created_at,
            "domain_uuid": errand.domain_uuid,
            "domain_name": means.domain_name,
            "data": data,
        }

    def _headers(
        self, errand: QueuedErrand, event: str, secret: str, body: bytes
    ) -> dict[str, str]:
        timestamp_s = int(self.now())
        return {
            "X-Webhook-Id": errand.errand_uuid,
            "X-Webhook-Event": event,
            "X-Webhook-Timestamp": str(timestamp_s),
            "X-Webhook-Signature": sign(secret, timestamp_s, body),
            "User-Agent": "voice-ai-switch",
        }


def post(
    means: Means, url: str, errand: QueuedErrand, body: bytes, headers: Mapping[str, str]
) -> Response:
    """Post JSON with the errand's key and return the answer where it is 2xx. Raises Retry, Dead."""
    try:
        answer = means.http.request(
            "POST",
            url,
            domain_uuid=errand.domain_uuid,
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": errand.idempotency_key.encode("ascii", "replace").decode(),
                **headers,
            },
            body=body,
            timeout_s=TIMEOUT_S,
            max_bytes=MAX_ANSWER_BYTES,
        )
    except ServiceFailed as error:
        raise (Dead if error.reason == "refused" else Retry)(error.words) from None
    if 200 <= answer.status < 300:
        return answer
    if answer.status in _NEVER:
        raise Dead(f"answered {answer.status}")
    raise Retry(f"answered {answer.status}", _asked_s(answer))


def _asked_s(answer: Response) -> float | None:
    """`Retry-After` in seconds (RFC 9110 10.2.3); as a date it is not read."""
    text = answer.headers.get("retry-after", "")
    return (
        float(text) if text.isascii() and text.isdigit() and len(text) <= MAX_RETRY_AFTER else None
    )
