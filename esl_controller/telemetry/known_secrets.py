"""The secrets in use: hidden wherever they turn up, whatever they look like.

Patterns know keys of famous shapes; a key of 32 hex digits looks like any other id, and a provider
may repeat it in an error's text or code. So whoever is about to use a key remembers it here.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from urllib.parse import quote

HIDDEN = "[hidden]"
SHORTEST_SECRET = 8
"""Shorter ones are not remembered: they would be found in ordinary words."""
LONGEST_SECRET = 4096
MAX_SECRETS = 1024
"""Remembered; beyond, the one that has not been used for longest is forgotten."""

_WORD = re.compile(r"[a-z._ -]{1,19}")
"""Not remembered either: no provider's key, and a tenant who calls his key `call.ended` must not
take that out of everybody's log."""


class KnownSecrets:
    """A bounded memory of secrets, found in a text by their first characters."""

    def __init__(self, limit: int = MAX_SECRETS) -> None:
        self._limit = limit
        self._in_use: OrderedDict[str, None] = OrderedDict()
        self._by_start: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self._in_use)

    def remember(self, secret: str) -> None:
        """Hide `secret` from now on, as it is and as a part of an address."""
        if _WORD.fullmatch(secret):
            return
        for form in {secret, quote(secret, safe="")}:
            if SHORTEST_SECRET <= len(form) <= LONGEST_SECRET:
                self._add(form)

    def hide(self, text: str) -> str:
        """Return `text` with every secret replaced."""
        if not self._in_use:
            return text
        pieces, done, at = [], 0, 0
        while at <= len(text) - SHORTEST_SECRET:
            length = self._secret_at(text, at)
            if length:
                pieces += [text[done:at], HIDDEN]
                at = done = at + length
            else:
                at += 1
        return "".join([*pieces, text[done:]])

    def _secret_at(self, text: str, at: int) -> int:
        secrets = self._by_start.get(text[at : at + SHORTEST_SECRET], ())
        return max((len(secret) for secret in secrets if text.startswith(secret, at)), default=0)

    def _add(self, secret: str) -> None:
        if secret not in self._in_use:
            self._by_start.setdefault(secret[:SHORTEST_SECRET], []).append(secret)
        self._in_use[secret] = None
        self._in_use.move_to_end(secret)
        if len(self._in_use) > self._limit:
            self._forget(next(iter(self._in_use)))

    def _forget(self, secret: str) -> None:
        del self._in_use[secret]
        start = secret[:SHORTEST_SECRET]
        self._by_start[start].remove(secret)
        if not self._by_start[start]:
            del self._by_start[start]


IN_USE = KnownSecrets()
"""Those of this process."""
