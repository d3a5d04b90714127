"""What was said while the recording paused is not written down either. Pure.

Times are seconds since the session began. A pause is open until it is closed; what began before it
and was written down after its begin may hold what came in it.
"""

from __future__ import annotations

WITHHELD = "[not recorded]"
"""Stands for the words."""


class Withheld:
    """The pauses of one conversation."""

    def __init__(self) -> None:
        self._pauses: list[tuple[float, float | None]] = []
        self._items: set[str] = set()
        """Withheld once, withheld for ever: a correction may come after the pause."""

    @property
    def now(self) -> bool:
        """A pause is going on."""
        return bool(self._pauses) and self._pauses[-1][1] is None

    def begin(self, now: float) -> None:
        """The recording pauses."""
        if not self.now:
            self._pauses.append((now, None))

    def end(self, now: float) -> None:
        """It goes on."""
        if self.now:
            self._pauses[-1] = (self._pauses[-1][0], now)

    def covers(self, began: float, now: float, *, item: str = "", whole: bool = True) -> bool:
        """Whether words that began at `began` and are known `now` must be kept back.

        `whole`: words from `began` to `now` may have been said in a pause; else only their begin
        counts, as with an agent's sentence, which is written before it is heard.
        """
        if not self._pauses:
            return False
        until = now if whole else began
        found = item in self._items or any(
            begin <= until and (end is None or end > began) for begin, end in self._pauses
        )
        if found and item:
            self._items.add(item)
        return found
