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
_WAIT = re.compile(
    r"(?:try again|retry|wait)\s+(?:in|after)\s+"
    r"(?:(\d{1,4})\s*h)?\s*(?:(\d{1,4})\s*m(?!s|illi))?\s*"
    r"(?:(\d{1,7}(?:\.\d{1,6})?)\s*(ms|millisec|s\b|sec))?",
    re.IGNORECASE,
)
MAX_WAIT_S = 86400.0


class _Body(msgspec.Struct):
    error: Any = None
    err_code: Any = None
    code: Any = None


def text_code(value: object) -> str:
    """An error code that may be a text, a number, or nonsense: at most 64 harmless letters."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
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
    """Seconds of "try again in 1.5s", "retry after 6 seconds", "try again in 2m59.5s" or "20ms"."""
    found = _WAIT.search(text[: 4 * MAX_MESSAGE_CHARS])
    if found is None or not any(found.group(1, 2, 3)):
        return None
    hours, minutes, number, unit = found.groups()
    seconds = float(number or 0) / (1000 if (unit or "").lower().startswith("m") else 1)
    return min(int(hours or 0) * 3600 + int(minutes or 0) * 60 + seconds, MAX_WAIT_S)


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
