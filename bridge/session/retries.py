"""Whether a provider whose answer failed is asked once more, and when."""

from __future__ import annotations

from bridge.providers.base import ErrorKind

MAX_FAILED = 1
"""Answers in a row, from one connection, that are asked for again."""
LIMITED_WAITS_S = (1.0, 2.0, 4.0)
"""Before each new request, when a rate limit does not say how long it lasts."""
MAX_LIMITED_WAIT_S = 8.0
"""A longer limit is no pause but an outage."""
HOPELESS = (ErrorKind.QUOTA, ErrorKind.AUTHENTICATION)
"""Why a provider fails for good, as far as this call is concerned."""


class Retries:
    """Counts one connection's failures since it was last heard."""

    def __init__(self) -> None:
        self._failed = 0
        self._limited = 0

    def heard(self) -> None:
        """An answer is heard, or the connection is another one."""
        self._failed = self._limited = 0

    def failed(
        self, kind: ErrorKind, retry_in_s: float | None, *, alternatives: bool
    ) -> float | None:
        """Seconds until the same provider is asked again; None: somebody else must answer.

        Args:
            retry_in_s: what the provider asked for.
            alternatives: the tenant has another provider.
        """
        if kind in HOPELESS:
            return None
        if kind is ErrorKind.RATE_LIMIT:
            return None if alternatives else self._after_limit(retry_in_s)
        self._failed += 1
        return 0.0 if self._failed <= MAX_FAILED else None

    def _after_limit(self, retry_in_s: float | None) -> float | None:
        if self._limited >= len(LIMITED_WAITS_S):
            return None
        wait_s = LIMITED_WAITS_S[self._limited] if retry_in_s is None else retry_in_s
        self._limited += 1
        return wait_s if wait_s <= MAX_LIMITED_WAIT_S else None
