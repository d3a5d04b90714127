"""Takes secrets and personal data out of what is logged.

Pure text in, text out. When in doubt it hides: a lost digit costs less than a leaked one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from esl_controller.telemetry.known_secrets import HIDDEN, IN_USE, LONGEST_SECRET

CARD = "[card number]"
MAX_TEXT = 4000
"""Longer texts are cut first: a log line is no longer, and the patterns take their time."""
MAX_DEPTH = 6
"""Deeper values are written as their type only."""

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_SECRET_KEY = re.compile(
    r"(api_?key|authorization|password|passwd|secret|credential|cookie|dsn"
    r"|(^|_)token|(^|_)auth|private_key)$"
)
_DIGITS_KEY = re.compile(r"(^|_)(dtmf|digits?)$")

# What keys of the providers look like, and the ways secrets stand in addresses and headers.
_SECRET_TEXT = (
    (re.compile(r"\b(?:sk|gsk|pk|rk|ek|xi)[-_][0-9A-Za-z_-]{8,}"), HIDDEN),
    (re.compile(r"\bAIza[0-9A-Za-z_-]{20,}"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic|token)(\s+)[0-9a-z._~+/=-]{6,}"), rf"\1\2{HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:api[-_ ]?key|token|password|passwd|secret|signature)[\"']?"
            r"(?: (?:provided|given|supplied|received|used|value|is|was)){0,3}\s*[=:]\s*)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s&,;\"'}]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)(authorization[\"']?\s*[=:]\s*)[^\r\n,;}]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)([?&](?:key|sig)=)[^\s&]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+@"), rf"\1{HIDDEN}@"),
)
_DIGITS_TEXT = re.compile(r"(?i)\b(dtmf|digits?|keys?)([\"']?\s*[=: ]\s*[\"']?)[0-9*#]{1,}")
_DIGIT_RUN = re.compile(rf"{_UUID}|[0-9](?:[ .-]?[0-9]){{12,}}")
_PHONE = re.compile(rf"{_UUID}|\+?[0-9(](?:[ ()-]{{0,2}}[0-9]){{6,}}")


def redact_text(text: str, *, phone_numbers: bool = False) -> str:
    """Hide keys, tokens, passwords, card numbers and dialled digits; telephone numbers if asked."""
    text = IN_USE.hide(text)
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    text = _DIGITS_TEXT.sub(rf"\1\2{HIDDEN}", text)
    text = _DIGIT_RUN.sub(_hide_card, text)
    return _PHONE.sub(_hide_phone, text) if phone_numbers else text


def redact_value(key: str, value: Any, *, phone_numbers: bool = False, depth: int = 0) -> Any:
    """Hide what must not be logged in `value`, found under `key`, nested or not."""
    name = key.lower().replace("-", "_")
    if isinstance(value, bool | float) or value is None:
        return value
    if _DIGITS_KEY.search(name) and isinstance(value, str | int):
        return f"[{len(str(value))} digits]"
    if isinstance(value, int):
        return value
    if _SECRET_KEY.search(name):
        return HIDDEN
    if isinstance(value, str):
        if name.endswith("_uuid") and re.fullmatch(_UUID, value):
            return value  # whose line it is: not even a tenant's key that looks like it hides it
        return redact_text(_cut(value), phone_numbers=phone_numbers)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth >= MAX_DEPTH:
        return f"[{type(value).__name__}]"
    if isinstance(value, Mapping):
        return {
            redact_text(str(k)): redact_value(
                str(k), v, phone_numbers=phone_numbers, depth=depth + 1
            )
            for k, v in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_value(key, v, phone_numbers=phone_numbers, depth=depth + 1) for v in value]
    return redact_text(_cut(str(value)), phone_numbers=phone_numbers)


def _cut(text: str) -> str:
    """Cut a long text, but never through a secret, whose first half would be told."""
    if len(text) <= MAX_TEXT:
        return text
    return IN_USE.hide(text[: MAX_TEXT + LONGEST_SECRET])[:MAX_TEXT]


def _hide_card(match: re.Match[str]) -> str:
    """Hide a run of digits if any 13 to 19 of them in a row could be a card (ISO/IEC 7812)."""
    found = match.group()
    digits = [int(char) for char in found if char.isdecimal()]
    if re.fullmatch(_UUID, found):
        return found
    for length in range(13, min(19, len(digits)) + 1):
        for start in range(len(digits) - length + 1):
            if _passes_luhn(digits[start : start + length]):
                return CARD
    return found


def _passes_luhn(digits: list[int]) -> bool:
    """The check digit rule of card numbers (ISO/IEC 7812-1 annex B)."""
    doubled = (2 * d - 9 * (d > 4) for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _hide_phone(match: re.Match[str]) -> str:
    found = match.group()
    if re.fullmatch(_UUID, found):
        return found
    digits = [char for char in found if char.isdecimal()]
    return f"[number …{''.join(digits[-2:])}]"
