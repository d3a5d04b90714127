"""Digits pressed on the keypad, gathered into one thing said."""

from __future__ import annotations

VALID_DIGITS = frozenset("0123456789*#ABCD")
MAX_DIGITS = 32
"""Card numbers have 19; nobody types more at a phone without a pause."""


class DigitGatherer:
    """Collects digits until `#`, or until nothing came for `pause_s`."""

    def __init__(self, pause_s: float = 2.0) -> None:
        self.pause_s = pause_s
        self._digits = ""
        self._deadline: float | None = None

    def press(self, digit: str, now: float) -> str | None:
        """Take one digit; return all of them when `#` ends the entry.

        Anything that is not a DTMF digit is ignored. `#` alone is returned as itself.
        """
        if digit not in VALID_DIGITS:
            return None
        if digit == "#":
            return self._take() or "#"
        self._digits += digit
        self._deadline = now + self.pause_s
        return self._take() if len(self._digits) >= MAX_DIGITS else None

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""
        return self._deadline

    def handle_timeout(self, now: float) -> str | None:
        """Return the digits if the pause is over."""
        if self._deadline is None or now < self._deadline:
            return None
        return self._take()

    def _take(self) -> str:
        digits, self._digits, self._deadline = self._digits, "", None
        return digits
