"""What can go wrong on any connection to an emulated service, on demand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionFaults:
    """Times are seconds from the accepted hand-shake."""

    connect_delay_s: float = 0.0
    """The answer to the hand-shake comes so late."""
    refuse_status: int | None = None
    """The hand-shake is answered with this HTTP status (401, 429, 500 …)."""
    drop_after_s: float | None = None
    """The TCP connection is reset."""
    close_after_s: float | None = None
    close_code: int = 1001
    close_reason: str = ""
    stall_after_s: float | None = None
    """From then on nothing is sent any more; the connection stays."""
    garbage_after_s: float | None = None
    garbage: tuple[bytes, ...] = (b"\x00\xff not json", b"[]", b'{"type":7}', b"{" * 5000)
    """Messages sent as they are, as text frames."""
    oversize_after_s: float | None = None
    oversize_bytes: int = 32 * 1024 * 1024
