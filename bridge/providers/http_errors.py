"""What statuses, error bodies and broken connections mean, where a provider has no word of its own.

Error bodies: `{"error": {"code", "type", "message"}}` (OpenAI and its look-alikes, Azure, Groq) and
`{"err_code", "err_msg"}` (Deepgram).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from bridge.providers.base import ErrorKind, ProviderFailure
from bridge.wire.channel import ChannelEnd, Ender

MAX_CODE_CHARS = 64
MAX_MESSAGE_CHARS = 500
"""Longest text of the peer that is passed on to logs."""

_ODD = re.compile(r"[^A-Za-z0-9_.:/-]+", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_AMOUNT = (
    r"(?=\d)(?:(\d{1,4})\s*h(?:ou)?r?s?\s*)?"
    r"(?:(\d{1,4})\s*m(?!s|illi)[a-z]*\s*)?"
    r"(?:(\d{1,7}(?:[.,]\d{1,6})?)\s*(ms|millisec|s\b|sec))?"
)
_WAITS = (
    re.compile(r"(?:again|retry\w{0,8}|wait|available|resets?)\b[^0-9.;!?]{0,24}" + _AMOUNT, re.I),
    re.compile(r"\b(?:in|after|for)\s+" + _AMOUNT + r"[^0-9.;!?]{0,24}(?:again|retry)", re.I),
    re.compile(r"()()retry[-_ ]?after\W{0,3}(\d{1,7})()\b", re.I),
)
"""A wait in words, hours to milliseconds; the last one is HTTP's header, which has no unit."""
MAX_WAIT_S = 86400.0


class _Body(msgspec.Struct):
    error: Any = None
    err_code: Any = None
    code: Any = None


def text_code(value: object) -> str:
    """An error code that may be a text, a number, or nonsense: at most 64 harmless letters."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return harmless(str(value)[: 4 * MAX_CODE_CHARS])[:MAX_CODE_CHARS]


def harmless(text: str) -> str:
    """`text` in the letters of a code."""
    return _ODD.sub("_", text)


def body_code(body: bytes) -> str:
    """The error code in a refusal's body; empty when there is none that looks like one."""
    try:
        decoded = msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    error = decoded.error if isinstance(decoded.error, dict) else {}
    for value in (error.get("code"), error.get("type"), decoded.err_code, decoded.code):
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            code = str(value)
            return code if _CODE.fullmatch(code) else ""
    return ""


def body_message(body: bytes) -> str:
    """The message in a refusal's body."""
    try:
        decoded = msgspec.json.decode(body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    message = decoded.error.get("message") if isinstance(decoded.error, dict) else decoded.error
    return message[:MAX_MESSAGE_CHARS] if isinstance(message, str) else ""


def wait_asked_for(text: str) -> float | None:
    """Seconds of "try again in 1.5s", "retry after 6 seconds", "wait 2m9s", "Retry-After: 5"."""
    text = text[: 4 * MAX_MESSAGE_CHARS]
    amounts = (found for pattern in _WAITS for found in pattern.findall(text))
    amount = next((found for found in amounts if any(found[:3])), None)
    if amount is None:
        return None
    hours, minutes, number, unit = amount
    seconds = float((number or "0").replace(",", "."))
    seconds /= 1000 if unit.lower().startswith("m") else 1
    return min(int(hours or 0) * 3600 + int(minutes or 0) * 60 + seconds, MAX_WAIT_S)


def wait_in(value: object) -> float | None:
    """Seconds in a field of an error body: a number, or a text that holds one."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,7}(?:\.\d{1,6})?", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return None
    return min(float(value), MAX_WAIT_S)


def status_kind(status: int, code: str = "") -> ErrorKind:
    """What an HTTP status means; a code that names the quota outranks it."""
    if "quota" in code or status == 402:
        return ErrorKind.QUOTA
    if status in (401, 403):
        return ErrorKind.AUTHENTICATION
    if status == 429:
        return ErrorKind.RATE_LIMIT
    return ErrorKind.SERVER if status >= 500 else ErrorKind.INVALID_REQUEST


def end_failure(end: ChannelEnd) -> ProviderFailure:
    """Why a channel is lost, in general words. Always fatal.

    A limit or fault of ours is `OURS`: it says nothing about the provider.
    """
    if end.stage == "request":
        return _failure(end, ErrorKind.INVALID_REQUEST, "request", retryable=False)
    if end.by is Ender.US:
        return _failure(end, ErrorKind.OURS, "our_limit", retryable=True)
    if end.stage == "http":
        return _http_failure(end)
    if end.stage == "protocol":
        return _failure(end, ErrorKind.PROTOCOL, "protocol", retryable=False)
    retryable = end.stage not in ("certificate", "proxy")
    code = end.stage or f"close_{end.code}"
    return _failure(end, ErrorKind.CONNECTION, code, retryable=retryable)


def _http_failure(end: ChannelEnd) -> ProviderFailure:
    code = body_code(end.body)
    kind = status_kind(end.code, code)
    retryable = end.code in (408, 425) or kind in (ErrorKind.SERVER, ErrorKind.RATE_LIMIT)
    return _failure(end, kind, code or f"http_{end.code}", retryable=retryable)


def _failure(end: ChannelEnd, kind: ErrorKind, code: str, *, retryable: bool) -> ProviderFailure:
    wait_s = end.retry_after_s
    if wait_s is None and kind is ErrorKind.RATE_LIMIT:
        wait_s = wait_asked_for(body_message(end.body))
    text = end.reason[:MAX_MESSAGE_CHARS] or f"connection ended with {end.code}"
    return ProviderFailure(kind, code, text, True, retryable, wait_s)
