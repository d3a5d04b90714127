"""E-mails as bytes. Pure.

What callers and models wrote stands in the text alone, or in a subject without control characters:
nothing of it begins a header (RFC 5322) or a command (RFC 5321).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

MAX_SUBJECT = 150
MAX_TEXT = 100_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An e-mail to be sent."""

    message_id: str
    """Left of the `@`: the same for a repetition, by which mail servers know it."""
    to: Sequence[str]
    subject: str
    text: str
    date: datetime
    idempotency_key: str = ""


def compose(letter: Letter, sender: str) -> bytes:
    """Return the message with its headers, lines ended by CRLF."""
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["From"] = sender
    message["To"] = ", ".join(letter.to)
    message["Subject"] = _whole(_CONTROL.sub(" ", letter.subject))[:MAX_SUBJECT].strip()
    message["Date"] = format_datetime(letter.date)
    message["Message-ID"] = f"<{letter.message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers it
    message["Idempotency-Key"] = _CONTROL.sub(" ", _whole(letter.idempotency_key))
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = 'text/plain; charset="utf-8"'
    message["Content-Transfer-Encoding"] = "base64"
    text = _CONTROL_IN_TEXT.sub(" ", _whole(letter.text))[:MAX_TEXT]
    # Not by `set_content`: a long call would hold up whoever waits for a hundred milliseconds.
    return message.as_bytes() + base64.encodebytes(text.encode()).replace(b"\n", b"\r\n")


def _whole(text: str) -> str:
    """Without half surrogate pairs, which no encoding takes."""
    return text.encode("utf-8", "replace").decode()
