"""OpenAI Realtime: what an error code, an error type or a close code means for a call.

Codes and texts: OpenAI API reference (Realtime `error` event, 2026-08) and the public reports
named beside them. Azure's `inference_rate_limit_exceeded` comes with the type of a wrong request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.providers.base import ErrorKind, ProviderFailure
from bridge.providers.http_errors import (
    MAX_MESSAGE_CHARS,
    end_failure,
    status_kind,
    text_code,
    wait_asked_for,
    wait_in,
)
from bridge.providers.openai.structures import ErrorBody
from bridge.wire.channel import ChannelEnd, Ender


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error does to the session and to the hope of trying again."""

    kind: ErrorKind
    fatal: bool
    retryable: bool


_AUTHENTICATION = Meaning(ErrorKind.AUTHENTICATION, fatal=True, retryable=False)
_QUOTA = Meaning(ErrorKind.QUOTA, fatal=True, retryable=False)
REFUSED = Meaning(ErrorKind.INVALID_REQUEST, fatal=True, retryable=False)
_INVALID_REQUEST = Meaning(ErrorKind.INVALID_REQUEST, fatal=False, retryable=False)
_RATE_LIMIT = Meaning(ErrorKind.RATE_LIMIT, fatal=False, retryable=True)
_EXPIRED = Meaning(ErrorKind.SESSION_EXPIRED, fatal=True, retryable=True)
_SERVER = Meaning(ErrorKind.SERVER, fatal=False, retryable=True)
TURN_LOST = Meaning(ErrorKind.SERVER, fatal=False, retryable=False)
"""One turn of the caller could not be transcribed."""
_SERVER_GONE = Meaning(ErrorKind.SERVER, fatal=True, retryable=True)
_LOST = Meaning(ErrorKind.CONNECTION, fatal=True, retryable=True)
_BUSY = Meaning(ErrorKind.RATE_LIMIT, fatal=True, retryable=True)
_GARBLED = Meaning(ErrorKind.PROTOCOL, fatal=True, retryable=True)

BY_CODE = {
    "invalid_api_key": _AUTHENTICATION,
    "account_deactivated": _AUTHENTICATION,
    "insufficient_quota": _QUOTA,
    "billing_hard_limit_reached": _QUOTA,
    "beta_api_shape_disabled": REFUSED,
    "invalid_model": REFUSED,
    "model_not_found": REFUSED,
    "session_expired": _EXPIRED,
    "rate_limit_exceeded": _RATE_LIMIT,
    "inference_rate_limit_exceeded": _RATE_LIMIT,
    "too_many_requests": _RATE_LIMIT,
    "server_error": _SERVER,
    "internal_error": _SERVER,
}
_NAMES = {
    "quota": _QUOTA,
    "billing": _QUOTA,
    "ratelimit": _RATE_LIMIT,
    "toomanyrequests": _RATE_LIMIT,
    "throttl": _RATE_LIMIT,
    "slowdown": _RATE_LIMIT,
    "apikey": _AUTHENTICATION,
    "unauthor": _AUTHENTICATION,
    "authentication": _AUTHENTICATION,
    "permission": _AUTHENTICATION,
}
"""Within a code or type, without what is no letter."""
_TEXTS = {
    "currentquota": _QUOTA,
    "quotaexceeded": _QUOTA,
    "ratelimit": _RATE_LIMIT,
    "toomanyrequests": _RATE_LIMIT,
    "incorrectapikey": _AUTHENTICATION,
    "invalidapikey": _AUTHENTICATION,
    "maximumduration": _EXPIRED,
}
"""The same within a message."""
BY_TYPE = {
    "invalid_request_error": _INVALID_REQUEST,
    "authentication_error": _AUTHENTICATION,
    "insufficient_quota": _QUOTA,
    "rate_limit_error": _RATE_LIMIT,
    "tokens": _RATE_LIMIT,
    "requests": _RATE_LIMIT,
    "server_error": _SERVER,
}
BY_CLOSE_CODE = {
    1002: _GARBLED,
    1003: _GARBLED,
    1007: _GARBLED,
    1008: REFUSED,
    1009: _GARBLED,
    1011: _SERVER_GONE,
    1012: _SERVER_GONE,
    1013: _BUSY,
    3000: _AUTHENTICATION,
    4000: REFUSED,
}
"""3000 and 4000 are OpenAI's own; the others are RFC 6455 section 7.4.1 and its registry."""

TRANSCRIBES_ONLY = (
    "the server's /realtime writes down speech and answers nothing (vLLM); it can be the chat "
    "model of a pipeline"
)
BENIGN = frozenset(
    {
        "response_cancel_not_active",
        "item_delete_invalid_item_id",
        "item_truncate_invalid_item_id",
        "item_retrieve_invalid_item_id",
        "input_audio_buffer_commit_empty",
        "unsupported_content_type",
    }
)
"""Answers to commands that came a moment late; the conversation is as we want it."""

ACTIVE_RESPONSE = "conversation_already_has_active_response"
_ACTIVE_TEXT = "already has an active response"
_DURATION_TEXT = "maximum duration"
_NO_LETTERS = re.compile("[^a-z]+")
_BY_KIND = {
    ErrorKind.AUTHENTICATION: _AUTHENTICATION,
    ErrorKind.QUOTA: _QUOTA,
    ErrorKind.RATE_LIMIT: _RATE_LIMIT,
    ErrorKind.INVALID_REQUEST: _INVALID_REQUEST,
    ErrorKind.SERVER: _SERVER,
}


@dataclass(frozen=True, slots=True)
class ServerError:
    """An error object in texts that can be trusted to be texts."""

    code: str
    type: str
    message: str
    param: str
    event_id: str
    retry_in_s: float | None = None

    @property
    def is_active_response(self) -> bool:
        """Our `response.create` met another response; some servers give no code."""
        return self.code == ACTIVE_RESPONSE or _ACTIVE_TEXT in self.message.lower()

    @property
    def meaning(self) -> Meaning:
        """What it does to the session."""
        return meaning_of(self.code, self.type, self.message)

    def failure(self, meaning: Meaning, otherwise: str = "error") -> ProviderFailure:
        """What it is to the session."""
        code = self.code or self.type or otherwise
        return failure(meaning, code, self.message, retry_in_s=self.retry_in_s)


def read_error(body: ErrorBody | str | None) -> ServerError:
    """An error object, a bare text or nothing."""
    if not isinstance(body, ErrorBody):
        body = ErrorBody(message=body)
    param = body.param
    if isinstance(param, list):
        param = ".".join(str(step) for step in param[:16])
    return ServerError(
        text_code(body.code),
        text_code(body.type),
        _text(body.message),
        _text(param),
        _text(body.event_id),
        wait_in(body.retry_after),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def meaning_of(code: str, kind: str, message: str = "") -> Meaning:
    """What an error means, by its code, its type and its words; otherwise a server error.

    Vendors spell the same trouble in many ways (`RateLimitReached`, `too_many_requests`), gateways
    give the HTTP status for a code, and some say it in the message alone.
    """
    return (
        BY_CODE.get(code)
        or _by_status(code)
        or _by_words(_NAMES, code)
        or _by_words(_NAMES, kind)
        or _by_words(_TEXTS, message)
        or BY_CODE.get(kind)
        or BY_TYPE.get(kind, _SERVER)
    )


def _by_status(code: str) -> Meaning | None:
    is_status = code.isdigit() and 400 <= int(code[:9]) < 600
    return _BY_KIND.get(status_kind(int(code[:9]))) if is_status else None


def _by_words(words: dict[str, Meaning], text: str) -> Meaning | None:
    squeezed = _NO_LETTERS.sub("", text.lower())
    return next((meaning for word, meaning in words.items() if word in squeezed), None)


def failure(
    meaning: Meaning, code: str, message: str, *, retry_in_s: float | None = None
) -> ProviderFailure:
    """A `ProviderFailure` with the peer's text cut to a length logs can bear."""
    wait_s = retry_in_s
    if meaning.kind is not ErrorKind.RATE_LIMIT:
        wait_s = None
    elif wait_s is None:
        wait_s = wait_asked_for(message)
    return ProviderFailure(
        kind=meaning.kind,
        code=text_code(code),
        message=message[:MAX_MESSAGE_CHARS],
        fatal=meaning.fatal,
        retryable=meaning.retryable,
        retry_in_s=wait_s,
    )


def channel_failure(end: ChannelEnd) -> ProviderFailure:
    """Why the channel is lost."""
    if end.by is Ender.US or end.stage:
        return end_failure(end)
    return close_failure(end.code, end.reason)


def close_failure(code: int, reason: str) -> ProviderFailure:
    """Why the peer closed: `reason` may name an error code after its type, separated by a dot."""
    named = BY_CODE.get(reason.rpartition(".")[2]) or _by_words(_NAMES, reason)
    if named is not None:
        meaning = Meaning(named.kind, fatal=True, retryable=named.retryable)
    elif _DURATION_TEXT in reason:
        meaning = _EXPIRED
    else:
        meaning = BY_CLOSE_CODE.get(code, _LOST)
    return failure(meaning, f"close_{code}", reason)


def protocol_failure(code: str, message: str, *, fatal: bool) -> ProviderFailure:
    """The peer broke the protocol; another connection may do better."""
    meaning = Meaning(ErrorKind.PROTOCOL, fatal=fatal, retryable=True)
    return failure(meaning, code, message)


def silence_failure(code: str, waited_s: float) -> ProviderFailure:
    """The peer owes us an answer and sent none."""
    return failure(_LOST, code, f"no answer within {waited_s:.0f} s")
