"""Gemini Live: what the end of a connection means for a call.

The service tells errors by close code and a sentence; the sentence is the only diagnosis. Texts:
the Live API's troubleshooting page and public reports (discuss.ai.google.dev 186392, 188765;
google/adk-python#5525; github.com/aicc2025/sip-to-ai/pull/14), 2026.
"""

from __future__ import annotations

from typing import Any

from bridge.providers.base import ErrorKind, ProviderFailure
from bridge.providers.http_errors import (
    MAX_MESSAGE_CHARS,
    body_message,
    end_failure,
    status_kind,
    text_code,
    wait_asked_for,
)
from bridge.wire.channel import ChannelEnd, Ender

_K = ErrorKind
_BY_TEXT: tuple[tuple[str, ErrorKind, bool], ...] = (
    ("api key", _K.AUTHENTICATION, False),
    ("api_key", _K.AUTHENTICATION, False),
    ("unregistered callers", _K.AUTHENTICATION, False),
    ("authentication", _K.AUTHENTICATION, False),
    ("permission", _K.AUTHENTICATION, False),
    ("billing", _K.QUOTA, False),
    ("current quota", _K.QUOTA, False),
    ("exhausted", _K.RATE_LIMIT, True),
    ("rate limit", _K.RATE_LIMIT, True),
    ("quota", _K.QUOTA, False),
    ("location is not supported", _K.INVALID_REQUEST, False),
    ("deadline expired", _K.SESSION_EXPIRED, True),
    ("session duration", _K.SESSION_EXPIRED, True),
    ("token count exceeds", _K.SESSION_EXPIRED, True),
    ("context window", _K.SESSION_EXPIRED, True),
    ("not implemented, or supported", _K.SERVER, True),
    ("is not found", _K.INVALID_REQUEST, False),
    ("was not found", _K.INVALID_REQUEST, False),
)
"""A piece of the sentence, in small letters, what it means, and whether trying again can help.
«Operation is not implemented, or supported, or enabled» comes and goes around function calls."""
_BY_CODE = {
    1002: (_K.PROTOCOL, True),
    1003: (_K.PROTOCOL, True),
    1007: (_K.INVALID_REQUEST, False),
    1008: (_K.INVALID_REQUEST, False),
    1009: (_K.PROTOCOL, True),
    1011: (_K.SERVER, True),
    1012: (_K.SERVER, True),
    1013: (_K.RATE_LIMIT, True),
}
_LOST = (_K.CONNECTION, True)
_RESUMPTION_CODES = frozenset({1007, 1008, 1011})


def channel_failure(end: ChannelEnd) -> ProviderFailure:
    """Why the channel is lost."""
    if end.stage == "http":
        return _http_failure(end)
    if end.by is Ender.US or end.stage:
        return end_failure(end)
    kind, retryable = _meaning(end.reason) or _BY_CODE.get(end.code, _LOST)
    return failure(kind, f"close_{end.code}", end.reason, retryable=retryable)


def _http_failure(end: ChannelEnd) -> ProviderFailure:
    """A refused key is answered with 400 as well as with 403."""
    made = end_failure(end)
    meaning = _meaning(body_message(end.body)) if end.code in (400, 403, 429) else None
    if meaning is None or made.kind is ErrorKind.OURS:
        return made
    text = body_message(end.body) or made.message
    return failure(meaning[0], made.code, text, retryable=meaning[1], wait_s=made.retry_in_s)


def _meaning(text: str) -> tuple[ErrorKind, bool] | None:
    lowered = text.lower()
    for piece, kind, retryable in _BY_TEXT:
        if piece in lowered:
            return kind, retryable
    return None


def resumption_refused(end: ChannelEnd) -> bool:
    """Whether a session that could not be resumed may well be begun."""
    own_words = _meaning(end.reason)
    blameless = own_words is None or own_words[0] not in (_K.AUTHENTICATION, _K.QUOTA)
    return not end.stage and end.code in _RESUMPTION_CODES and blameless


def language_refused(end: ChannelEnd) -> bool:
    """Whether the model does not want to be told the language."""
    return not end.stage and end.code == 1007 and "language" in end.reason.lower()


def told_failure(error: Any) -> ProviderFailure:
    """An error in a message: `{"code", "message", "status"}`, or nonsense."""
    body = error if isinstance(error, dict) else {"message": error}
    text = body.get("message") if isinstance(body.get("message"), str) else ""
    code = body.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    meaning = _meaning(str(text)) or (status_kind(status), status >= 500 or status == 429)
    name = text_code(body.get("status")) or text_code(code) or "error"
    return failure(meaning[0], name, str(text), retryable=meaning[1])


def protocol_failure(message: str, *, fatal: bool) -> ProviderFailure:
    """The peer broke the protocol; another connection may do better."""
    return failure(_K.PROTOCOL, "malformed_message", message, retryable=True, fatal=fatal)


def silence_failure(code: str, waited_s: float) -> ProviderFailure:
    """The peer owes us something and sent nothing."""
    return failure(_K.CONNECTION, code, f"nothing within {waited_s:.0f} s", retryable=True)


def failure(
    kind: ErrorKind,
    code: str,
    message: str,
    *,
    retryable: bool,
    fatal: bool = True,
    wait_s: float | None = None,
) -> ProviderFailure:
    """A `ProviderFailure` with the peer's text cut to a length logs can bear."""
    if wait_s is None and kind is ErrorKind.RATE_LIMIT:
        wait_s = wait_asked_for(message)
    return ProviderFailure(
        kind, text_code(code), message[:MAX_MESSAGE_CHARS], fatal, retryable, wait_s
    )
