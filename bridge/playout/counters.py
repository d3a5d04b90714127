"""What is counted of one call's playing. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class PlayoutCounters:
    """Since the call began."""

    frames_sent: int = 0
    late_frames: int = 0
    """Chunks that were ready but were sent more than LATE_MS after their time."""
    underruns: int = 0
    """Gaps the caller heard within an answer."""
    dropped_bytes: int = 0
    """Cut from the end of answers longer than the limit."""
