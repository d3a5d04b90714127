"""The compiled core, where the distribution `voice-ai-switch-core` is installed: chosen here alone.

Each thing it does has a twin in Python with the same interface, which is made where the core is not
there, is another version's, or is not wanted (`VOICE_AI_MEDIA_COMPILED=false`).
"""

from __future__ import annotations

from typing import Any

INTERFACE = 3
"""What this program calls; a core that has another one is left alone."""

try:
    import voice_ai_switch_core as _found
except ImportError:  # not installed, or not for this machine
    _found = None

module: Any = _found if getattr(_found, "interface", None) == INTERFACE else None
"""None: the twins do it. Looked up whenever a thing is made."""
installed: str = getattr(_found, "version", "")
"""Its version, also of one that is left alone; empty: there is none."""


def forgo() -> None:
    """Make the twins from now on."""
    global module
    module = None


def running() -> str:
    """For people and metrics: `compiled 1.0.0`, or `python`."""
    return f"compiled {installed}" if module is not None else "python"
