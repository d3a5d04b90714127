"""ElevenLabs Agents: what a refusal, an error or a close code means, and what to do about it.

Error types: `ErrorEvent` of `@elevenlabs/types` 0.23.0. Closes as seen in public reports: 1008 for
an override that is not allowed or a missing variable (elevenlabs-examples#138, packages#23), 1011
for the longest duration (elevenlabs-docs#519), 3000 for a wrong branch or key (packages#626), 1000
for an agent that hung up (elevenlabs-python#457). HTTP bodies: `{"detail": {"status", "message"}}`;
an empty account answers 401 with `quota_exceeded`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from bridge.providers.base import ErrorKind, ProviderFailure
from bridge.providers.elevenlabs.messages import ErrorBody
from bridge.providers.http_errors import (
    MAX_MESSAGE_CHARS,
    end_failure,
    status_kind,
    text_code,
    wait_asked_for,
)
from bridge.wire.channel import ChannelEnd, Ender


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error says about trying again. All end the conversation."""

    kind: ErrorKind
    retryable: bool
    advice: str = ""
    """For the operator."""


_KEY = "Check the key, and that it may use Conversational AI."
_OVERRIDE = (
    "Allow this override in the agent's Security settings, or leave it out of the provider's "
    "`overrides`."
)
_VARIABLE = "Give it in the provider's `dynamic_variables`."
_AGENT = "Check agent_id, branch_id and environment, and that the key's workspace has the agent."

_AUTHENTICATION = Meaning(ErrorKind.AUTHENTICATION, False, _KEY)
_QUOTA = Meaning(ErrorKind.QUOTA, False, "The account has no credits left.")
_BUSY = Meaning(ErrorKind.RATE_LIMIT, True)
_NO_AGENT = Meaning(ErrorKind.INVALID_REQUEST, False, _AGENT)
_REFUSED = Meaning(ErrorKind.INVALID_REQUEST, False)
_NO_OVERRIDE = Meaning(ErrorKind.INVALID_REQUEST, False, _OVERRIDE)
_NO_VARIABLE = Meaning(ErrorKind.INVALID_REQUEST, False, _VARIABLE)
_EXPIRED = Meaning(ErrorKind.SESSION_EXPIRED, True)
_SERVER = Meaning(ErrorKind.SERVER, True)
_LOST = Meaning(ErrorKind.CONNECTION, True)
_GARBLED = Meaning(ErrorKind.PROTOCOL, True)

BY_TYPE = {
    "override_error": _NO_OVERRIDE,
    "missing_dynamic_variable": _NO_VARIABLE,
    "missing_dynamic_variable_transfer": _NO_VARIABLE,
    "invalid_message": _REFUSED,
    "missing_fields": _REFUSED,
    "value_error": _REFUSED,
    "safety_violation": _REFUSED,
    "max_duration_exceeded": _EXPIRED,
    "websocket_disconnect": _LOST,
    "transport_receive_timeout": _LOST,
    "asyncio_timeout": _LOST,
}
"""Every other type is a fault of the service."""
BY_CLOSE_CODE = {
    1002: _GARBLED,
    1003: _GARBLED,
    1007: _GARBLED,
    1008: _REFUSED,
    1009: _GARBLED,
    1011: _SERVER,
    1012: _SERVER,
    1013: _BUSY,
    3000: Meaning(ErrorKind.AUTHENTICATION, False, _AGENT),
}
BY_STATUS = {
    "quota_exceeded": _QUOTA,
    "invalid_api_key": _AUTHENTICATION,
    "missing_permissions": _AUTHENTICATION,
    "too_many_concurrent_requests": _BUSY,
    "system_busy": _BUSY,
}
"""`detail.status` of an HTTP refusal."""
_BY_TEXT = (
    ("dynamic variable", _NO_VARIABLE),
    ("override", _NO_OVERRIDE),
    ("quota", _QUOTA),
    ("credits", _QUOTA),
    ("concurren", _BUSY),
    ("maximum duration", _EXPIRED),
    ("max duration", _EXPIRED),
    ("signed url", _LOST),
    ("signature", _LOST),
)
"""What a close reason says, before its code is looked at."""


class _Refusal(msgspec.Struct):
    detail: Any = None


def channel_failure(end: ChannelEnd, *, agent_left: bool) -> ProviderFailure | None:
    """Why a channel is lost; None when the agent has hung up, which is no failure.

    `agent_left`: 1000 would mean that; before the conversation has begun it cannot.
    """
    if end.by is Ender.PEER and end.stage == "http":
        return _http_failure(end)
    if end.by is Ender.PEER and not end.stage:
        return _close_failure(end.code, end.reason, agent_left=agent_left)
    return end_failure(end)


def _close_failure(code: int, reason: str, *, agent_left: bool) -> ProviderFailure | None:
    meaning = _by_text(reason)
    if meaning is None and code == 1000 and agent_left:
        return None
    if meaning is None:
        meaning = BY_CLOSE_CODE.get(code, _LOST)
    return failure(meaning, f"close_{code}", reason)


def error_failure(body: ErrorBody) -> ProviderFailure:
    """What an `error` message says; the service closes after it."""
    kind = text_code(body.error_type)
    texts = [text for text in (body.message, body.reason) if isinstance(text, str) and text]
    message = ": ".join(dict.fromkeys(texts))
    code = body.code if isinstance(body.code, int) else 0
    meaning = BY_TYPE.get(kind) or _by_text(message)
    if meaning is None:
        meaning = _SERVER if kind else BY_CLOSE_CODE.get(code, _SERVER)
    return failure(meaning, kind or f"error_{code}", message)


def _http_failure(end: ChannelEnd) -> ProviderFailure:
    status, message = _detail(end.body)
    meaning = BY_STATUS.get(status) or _by_http_status(end.code, status)
    told = failure(meaning, status or f"http_{end.code}", message or end.reason)
    if end.retry_after_s is None:
        return told
    return ProviderFailure(
        told.kind, told.code, told.message, True, told.retryable, end.retry_after_s
    )


def _by_http_status(code: int, status: str) -> Meaning:
    if code == 404:
        return _NO_AGENT
    kind = status_kind(code, status)
    retryable = code in (408, 425) or kind in (ErrorKind.SERVER, ErrorKind.RATE_LIMIT)
    return Meaning(kind, retryable, _KEY if kind is ErrorKind.AUTHENTICATION else "")


def _detail(body: bytes) -> tuple[str, str]:
    """`status` and `message` of a refusal's body, as far as it has any."""
    try:
        detail = msgspec.json.decode(body, type=_Refusal).detail
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ""
    if not isinstance(detail, dict):
        return "", detail if isinstance(detail, str) else ""
    message = detail.get("message")
    return text_code(detail.get("status")), message if isinstance(message, str) else ""


def _by_text(text: str) -> Meaning | None:
    lowered = text[:MAX_MESSAGE_CHARS].lower()
    return next((meaning for words, meaning in _BY_TEXT if words in lowered), None)


def failure(meaning: Meaning, code: str, message: str) -> ProviderFailure:
    """A fatal failure, the service's own text first, cut to a length logs can bear."""
    advice = f" [{meaning.advice}]" if meaning.advice else ""
    text = message[: MAX_MESSAGE_CHARS - len(advice)] + advice
    busy = meaning.kind is ErrorKind.RATE_LIMIT
    wait_s = wait_asked_for(message) if busy else None
    return ProviderFailure(
        meaning.kind, text_code(code), text.strip(), True, meaning.retryable, wait_s
    )


def protocol_failure(code: str, message: str, *, fatal: bool) -> ProviderFailure:
    """The service broke the protocol; another connection may do better."""
    text = message[:MAX_MESSAGE_CHARS]
    return ProviderFailure(ErrorKind.PROTOCOL, code, text, fatal, retryable=True)


def silence_failure(code: str, waited_s: float) -> ProviderFailure:
    """The service owes us a message and sent none."""
    return failure(_LOST, code, f"no message within {waited_s:.0f} s")
