"""Pauses in which Python looks for garbage, noted by one process and read by another.

Each is a line of a file: when it began, in seconds of CLOCK_MONOTONIC, and how many milliseconds it
took.
"""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

PAUSES = "BENCH_PAUSES"
"""Names the file."""
NOTED_MS = 0.2


def note_pauses(path: Path) -> None:
    """All of `NOTED_MS` and more, from now on."""
    began = 0.0

    def note(phase: str, _: dict[str, Any]) -> None:
        nonlocal began
        if phase == "start":
            began = time.monotonic()
            return
        ms = (time.monotonic() - began) * 1000
        if ms >= NOTED_MS:
            with path.open("a", encoding="ascii") as file:
                file.write(f"{began} {ms}\n")

    gc.callbacks.append(note)


def longest_ms(path: Path, began: float, ended: float) -> float:
    """The longest pause between these moments; 0 where none was noted."""
    if not path.exists():
        return 0.0
    lines = (line.split() for line in path.read_text("ascii").splitlines())
    return max((float(ms) for at, ms in lines if began <= float(at) <= ended), default=0.0)
