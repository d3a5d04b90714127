"""What an emulated service saw of one connection."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MAX_KEPT = 2_000


@dataclass(slots=True)
class ConnectionRecord:
    """One connection's outside. Lists stop growing at `MAX_KEPT` entries."""

    number: int
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    """As received, without the key."""
    close_code: int | None = None
    close_reason: str = ""
    open: bool = True

    def note_close(self, code: int, reason: str) -> None:
        """How it ended; the first word counts."""
        if self.close_code is None:
            self.close_code = code
            self.close_reason = reason

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return asdict(self)


def keep(entries: list[Any], entry: Any) -> None:
    """Append while there is room."""
    if len(entries) < MAX_KEPT:
        entries.append(entry)
