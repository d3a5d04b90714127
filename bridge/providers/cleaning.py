"""Takes our keys out of what a provider sends back, and bounds its error codes.

A provider may repeat the very key it refuses, whole or in part, in any text or code. Shapes of
keys are many; the keys in use are known, so these are looked for letter by letter.
"""

from __future__ import annotations

import dataclasses
import re

from msgspec.structs import replace

from bridge.providers.actions import Endpoint, HttpRequest, Target
from bridge.providers.base import Ended, ProviderEvent, ProviderFailure, ResponseDone
from bridge.providers.http_errors import harmless, text_code
from bridge.wire.channel import ChannelEnd

HIDDEN = "[hidden]"
MIN_SECRET_CHARS = 8
"""Shorter values are no keys, and would be found in harmless words."""
MIN_PIECE_CHARS = 10
"""A provider may show a part of a key. Shorter ones are left: many hide the rest themselves."""
MIN_BEGINNING_CHARS = 6
"""A text may have been cut in the middle of a key."""

_SECRET_QUERY = re.compile(r"[?&][^=&]*(?:key|token|sig|secret|auth|pass)[^=&]*=([^&#]+)", re.I)
_PLAIN_HEADERS = frozenset({"accept", "content-type", "openai-beta", "user-agent"})


class Cleaner:
    """Knows the secrets of one conversation's channels."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def learn(self, target: Target) -> None:
        """Remember what is secret about a target: its headers' values, keys in its URL."""
        if not isinstance(target, Endpoint | HttpRequest):
            return
        for name, value in target.headers:
            if name.lower() not in _PLAIN_HEADERS:
                long = [word for word in value.split() if len(word) >= MIN_SECRET_CHARS]
                self._add(*(long or [value]))
        self._add(*_SECRET_QUERY.findall(target.url))

    def _add(self, *values: str) -> None:
        for value in values:
            if len(value) >= MIN_SECRET_CHARS:
                self._secrets |= {value, harmless(value)}

    def text(self, text: str) -> str:
        """`text` without the secrets, their pieces, and the beginning of one at its end."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = _without_pieces(text, secret)
            for size in range(min(len(secret), len(text) + 1) - 1, MIN_BEGINNING_CHARS - 1, -1):
                if text.endswith(secret[:size]):
                    text = text[:-size] + HIDDEN
                    break
        return text

    def end(self, end: ChannelEnd) -> ChannelEnd:
        """A channel's end without secrets."""
        body = self.text(end.body.decode("utf-8", "surrogateescape"))
        clean_body = body.encode("utf-8", "surrogateescape")
        return dataclasses.replace(end, reason=self.text(end.reason), body=clean_body)

    def event(self, event: ProviderEvent) -> ProviderEvent:
        """An event whose texts are a provider's, without secrets and with a short code."""
        if isinstance(event, ProviderFailure):
            code = text_code(self.text(event.code).replace(HIDDEN, "hidden"))
            return replace(event, code=code, message=self.text(event.message))
        if isinstance(event, ResponseDone | Ended) and event.reason:
            return replace(event, reason=self.text(event.reason))
        return event


def _without_pieces(text: str, secret: str) -> str:
    """`text` without every stretch of `secret` of `MIN_PIECE_CHARS` or more, in either case."""
    size = min(len(secret), MIN_PIECE_CHARS)
    low_text, low_secret = text.lower(), secret.lower()
    if len(low_text) != len(text):
        return text.replace(secret, HIDDEN)  # letters that change their number with their case
    pieces = {low_secret[at : at + size] for at in range(len(secret) - size + 1)}
    kept, done, at = [], 0, 0
    while at <= len(text) - size:
        if low_text[at : at + size] not in pieces:
            at += 1
            continue
        end = at + size
        while low_text[end - size + 1 : end + 1] in pieces and end < len(text):
            end += 1
        kept += [text[done:at], HIDDEN]
        at = done = end
    return "".join([*kept, text[done:]])
