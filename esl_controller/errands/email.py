"""Kind `email`: a letter, as it is in the payload, or made of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from esl_controller.database.acts import QueuedErrand
from esl_controller.errands.base import Dead, Delivered, Means
from esl_controller.errands.letter import Letter
from esl_controller.errands.told import conversation_of

_SPEAKERS = {"user": "Caller", "assistant": "AI", "dtmf": "Keys"}
_HEAD = (
    ("From", "caller_id"),
    ("Name", "caller_name"),
    ("To", "destination"),
    ("Began", "started_at"),
    ("Seconds", "duration_seconds"),
    ("Outcome", "outcome"),
    ("Connected to", "transfer_destination"),
)


@dataclass(frozen=True, slots=True)
class Email:
    """Sends `payload["text"]`, or with `payload["call"]` the report of a call."""

    limit_s: float = 24 * 3600.0

    def deliver(self, errand: QueuedErrand, means: Means) -> Delivered:
        """Send it to `payload["to"]`."""
        payload = errand.payload
        to = [one for one in payload.get("to") or () if isinstance(one, str)]
        if not to:
            raise Dead("no email_to is set")
        subject, text = payload.get("subject"), str(payload.get("text") or "")
        if isinstance(payload.get("call"), Mapping):
            call = payload["call"]
            subject = f"Call from {call.get('caller_name') or call.get('caller_id') or 'unknown'}"
            text = report(call, conversation_of(errand, means))
        letter = Letter(
            message_id=errand.errand_uuid,
            to=to,
            subject=str(subject or "Voice AI"),
            text=text,
            date=errand.created_at,
            idempotency_key=errand.idempotency_key,
        )
        return Delivered({"answer": means.mail.send(letter)})


def report(call: Mapping[str, Any], conversation: Mapping[str, Any]) -> str:
    """A call in plain text: who, when, what became of it, the summary, what was said."""
    parts = ["\n".join(f"{title}: {call[name]}" for title, name in _HEAD if call.get(name))]
    if conversation["summary"]:
        parts.append(f"Summary\n\n{conversation['summary']}")
    if conversation["fields"]:
        parts.append(
            "\n".join(f"{name}: {value}" for name, value in conversation["fields"].items())
        )
    if conversation["transcript"]:
        parts.append("Transcript\n\n" + "\n".join(map(_line, conversation["transcript"])))
    return "\n\n".join(parts) + "\n"


def _line(turn: Mapping[str, Any]) -> str:
    speaker = _SPEAKERS.get(str(turn.get("role")), str(turn.get("role")))
    at_s = int(turn.get("timestamp") or 0)
    return f"[{at_s // 60:02}:{at_s % 60:02}] {speaker}: {turn.get('text', '')}"


def lines_of(values: Mapping[str, Any]) -> str:
    """Names and values as lines, who it is first; those that are not set are left out."""
    names = sorted(values, key=lambda name: (_rank(name), name))
    shown = ((name, values[name]) for name in names if values[name])
    return "\n".join(f"{name.replace('_', ' ').capitalize()}: {one}" for name, one in shown)


def _rank(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


_FIRST = ("caller_name", "name", "caller_number", "number", "recipient", "subject", "message")
