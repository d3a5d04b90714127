"""Which call a stream request is for: `/stream/{domain_uuid}/{call_uuid}`.

The call's identity comes from the path alone. mod_audio_stream's metadata text may come late or
never, and a caller can shape it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

PREFIX = "/stream"
TALK_PREFIX = "/talk"
MAX_TARGET_CHARS = 1024

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_STREAM = re.compile(rf"{PREFIX}/({_UUID})/({_UUID})/?", re.ASCII)
_TALK = re.compile(rf"{TALK_PREFIX}/({_UUID})/([0-9A-Za-z*#+._%-]{{1,96}})", re.ASCII)
TALK_RATES_HZ = (8000, 16000, 24000, 32000, 44100, 48000)
"""Rates of browsers' audio contexts."""
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A well-formed request; whether the call exists and the token is right, the gate knows."""

    domain_uuid: str
    """Lower case, with hyphens."""
    call_uuid: str
    """Lower case, with hyphens."""
    token: str = field(default="", repr=False)
    """Secret: never log it. Empty when none was given."""
    remote: str = ""
    """Address of the peer."""


@dataclass(frozen=True, slots=True)
class TalkRequest:
    """A browser that wants to talk; whether its ticket is good, the door knows."""

    domain_uuid: str
    """Lower case, with hyphens."""
    extension: str
    """The number it talks to."""
    ticket: str = field(repr=False)
    """Secret: never log it."""
    rate_hz: int
    """Of its sound, both ways."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP status instead of the upgrade. `reason` is sent to the peer."""

    status: int
    reason: str


def is_stream_target(target: str) -> bool:
    """Whether a request target is ours to answer, however badly formed."""
    path = target.partition("?")[0]
    return path == PREFIX or path.startswith(PREFIX + "/")


def parse_stream_target(
    target: str, header_token: str = "", remote: str = ""
) -> StreamRequest | Refusal:
    """Read a raw request target (path and query, still percent-encoded).

    `header_token` is the value of `X-Stream-Token`; the query's `token` is for modules that
    cannot set headers. When both are there they must agree.
    """
    if len(target) > MAX_TARGET_CHARS:
        return Refusal(414, "target too long")
    path, _, query = target.partition("?")
    found = _STREAM.fullmatch(path)
    if found is None:
        return Refusal(404, "no such stream")
    token = _token(query, header_token.strip())
    if token is None:
        return Refusal(400, "malformed token")
    return StreamRequest(found[1].lower(), found[2].lower(), token, remote)


def is_talk_target(target: str) -> bool:
    """Whether a request target is a browser's that wants to talk."""
    return target.startswith(TALK_PREFIX + "/")


def parse_talk_target(target: str) -> TalkRequest | Refusal:
    """Read `/talk/{domain_uuid}/{number}?ticket=…&rate=16000`, still percent-encoded."""
    if len(target) > MAX_TARGET_CHARS:
        return Refusal(414, "target too long")
    path, _, query = target.partition("?")
    found = _TALK.fullmatch(path)
    if found is None:
        return Refusal(404, "nobody to talk to")
    try:
        given = parse_qs(query, keep_blank_values=True, max_num_fields=4)
    except ValueError:  # too many fields
        return Refusal(400, "malformed query")
    ticket, rate = given.get("ticket", [""]), given.get("rate", ["16000"])
    if len(ticket) != 1 or _TOKEN.fullmatch(ticket[0]) is None:
        return Refusal(401, "a ticket is needed")
    if rate[0] not in map(str, TALK_RATES_HZ):
        return Refusal(400, "no such rate")
    return TalkRequest(found[1].lower(), unquote(found[2]), ticket[0], int(rate[0]))


def _token(query: str, header_token: str) -> str | None:
    """The one token given, empty for none; None for a malformed one or two different."""
    try:
        given = parse_qs(query, keep_blank_values=True, max_num_fields=8).get("token", [])
    except ValueError:  # too many fields
        return None
    tokens = {*given, *([header_token] if header_token else [])}
    if not tokens:
        return ""
    token = tokens.pop()
    return token if not tokens and _TOKEN.fullmatch(token) else None


def check_upgrade(environ: Mapping[str, Any]) -> Refusal | None:
    """Whether a WSGI request is a WebSocket handshake (RFC 6455 section 4.2.1); None if it is.

    Extensions and subprotocols may be offered and are not chosen.
    """
    if environ["REQUEST_METHOD"] != "GET":
        return Refusal(405, "a stream is opened with GET")
    if environ["SERVER_PROTOCOL"] != "HTTP/1.1":
        return Refusal(400, "a stream needs HTTP/1.1")
    if environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ:
        return Refusal(400, "a handshake has no body")
    upgrades = "websocket" in _tokens(environ, "HTTP_UPGRADE")
    if not upgrades or "upgrade" not in _tokens(environ, "HTTP_CONNECTION"):
        return Refusal(426, "a stream is a WebSocket")
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        return Refusal(426, "only WebSocket version 13")
    if not _is_key(environ.get("HTTP_SEC_WEBSOCKET_KEY", "")):
        return Refusal(400, "malformed Sec-WebSocket-Key")
    return None


def _tokens(environ: Mapping[str, Any], name: str) -> list[str]:
    return [token.strip() for token in environ.get(name, "").lower().split(",")]


def _is_key(key: str) -> bool:
    """Sixteen bytes in base64."""
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
