"""What is kept of what was said: redaction before storage. Pure.

Card numbers are hidden always, written as speech recognition writes them (`4111, 1111 …`). Where a
domain says so, so are other numbers of six digits and more, e-mail addresses and bank accounts.
The caller's own number stays: by it a conversation is found, and erased.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from esl_controller.database.acts import AuditRecord, Errand, OutboundCall
from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    JournalEntry,
    TransferRecord,
    Turn,
    UsageRecord,
)

CARD = "[card number]"
NUMBER = "[number]"
EMAIL = "[e-mail]"
ACCOUNT = "[account]"
MAX_DEPTH = 20
MAX_RUN = 200
"""Longer runs of digits are hidden unread: nobody said them, and looking takes time."""

_GAP = r"[ ,.\-/()]{0,3}"
_LONG_RUN = re.compile(rf"\d(?:{_GAP}\d){{12,}}")
_RUN = re.compile(rf"\+?\d(?:{_GAP}\d){{5,}}")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
"""An IBAN (ISO 13616)."""
_FIELDS: dict[type, tuple[str, ...]] = {
    ConversationRealtime: ("transcript", "reason"),
    Turn: ("content",),
    FunctionCallRecord: ("arguments", "result", "error"),
    TransferRecord: ("reason",),
    UsageRecord: (),
    AuditRecord: ("detail", "error"),
    OutboundCall: ("purpose",),
    Errand: ("payload",),
}
_KEPT = frozenset(
    (
        *("to", "caller_id", "caller_name", "caller_number", "destination"),
        *("call_uuid", "conversation_uuid", "transfer_uuid", "secretary_realtime_uuid"),
        *("transfer_destination", "started_at", "answered_at", "ended_at"),
    )
)
"""Of an errand's payload: who it is for and which call it is about, as the row of the call has."""


def redact(entry: JournalEntry, *, personal: bool) -> JournalEntry:
    """Return `entry` without card numbers and, with `personal`, without other personal data."""
    record: Any = entry
    kept = _KEPT if isinstance(entry, Errand) else frozenset()
    changed = {}
    for name in _FIELDS[type(entry)]:
        value = getattr(entry, name)
        redacted_value = _redact_value(value, personal, MAX_DEPTH, kept)
        if redacted_value is not value and redacted_value != value:
            changed[name] = redacted_value
    redacted: JournalEntry = dataclasses.replace(record, **changed) if changed else entry
    return redacted


def redact_text(text: str, *, personal: bool) -> str:
    """Return `text` with what must not be stored replaced by its kind in brackets."""
    if personal:
        text = _ACCOUNT.sub(ACCOUNT, _EMAIL.sub(EMAIL, text))
    text = _LONG_RUN.sub(_hide_card, text)
    return _RUN.sub(NUMBER, text) if personal else text


def _redact_value(
    value: Any, personal: bool, depth: int, kept: frozenset[str] = frozenset()
) -> Any:
    if isinstance(value, str):
        return redact_text(value, personal=personal)
    if isinstance(value, int) and not isinstance(value, bool):
        text = redact_text(str(value), personal=personal)
        return value if text == str(value) else text
    if isinstance(value, Mapping | list | tuple) and depth == 0:
        return None
    if isinstance(value, Mapping):
        return {
            name: inner if name in kept else _redact_value(inner, personal, depth - 1, kept)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact_value(item, personal, depth - 1, kept) for item in value]
    return value


def _hide_card(match: re.Match[str]) -> str:
    """Hide a run if any 13 to 19 digits of it in a row could be a card (ISO/IEC 7812-1)."""
    digits = [int(character) for character in match.group() if character.isdecimal()]
    if len(digits) > MAX_RUN:
        return CARD
    for length in range(13, min(19, len(digits)) + 1):
        for start in range(len(digits) - length + 1):
            if _has_check_digit(digits[start : start + length]):
                return CARD
    return match.group()


def _has_check_digit(digits: list[int]) -> bool:
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
