"""Digits pressed on the keypad, gathered into one thing said."""

from __future__ import annotations

VALID_DIGITS = frozenset("0123456789*#ABCD")
MAX_DIGITS = 32
"""Card numbers have 19; nobody types more at a phone without a pause."""


class DigitGatherer:
    """Collects digits until `#`, or until nothing came for `pause_s`.

    They wait until they are asked for with `handle_timeout`: nobody may be there to take them.
    """

    def __init__(self, pause_s: float = 2.0) -> None:
        self.pause_s = pause_s
        self.dropped = 0
        self._digits = ""
        self.deadline: float | None = None
        """When `handle_timeout` wants to be called."""

    def press(self, digit: str, now: float) -> None:
        """Take one digit; `#` ends the entry, and alone it is one.

        Anything that is not a DTMF digit is ignored; what is too many is dropped and counted.
        """
        if digit not in VALID_DIGITS:
            return
        if len(self._digits) >= MAX_DIGITS:
            self.dropped += 1
            return
        ends = digit == "#"
        if not ends or not self._digits:
            self._digits += digit
        full = len(self._digits) >= MAX_DIGITS
        self.deadline = now if ends or full else now + self.pause_s

    def handle_timeout(self, now: float) -> str | None:
        """Return the digits if the entry has ended."""
        if self.deadline is None or now < self.deadline:
            return None
        digits, self._digits, self.deadline = self._digits, "", None
        return digits
