"""Was a simulated caller served? Pure: what the switch and the caller saw, and what it means."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One call, as the switch and its caller saw it."""

    answered: bool
    heard: bool
    """The caller heard sound."""
    handed_back: bool = False
    """The worker left, and the dialplan went on."""
    sent_to: str = ""
    """The extension the worker sent the caller to."""
    outcome: str = ""
    """`voice_ai_outcome`: why the AI did not take or keep the call; empty when it did."""
    cause: str = ""
    unreachable: str = ""
    """Why the worker could not be connected to."""


def why_not_served(seen: Seen, reason: str = "") -> str:
    """Why the caller was not served, in a sentence; empty when he was.

    Args:
        reason: what the worker has stored about it, if anything.
    """
    if seen.unreachable:
        return f"no worker: {seen.unreachable}"
    if seen.outcome:
        where = f"sent on to {seen.sent_to}" if seen.sent_to else "handed back to the dialplan"
        return f"{where}: {seen.outcome}" + (f" ({reason})" if reason else "")
    if seen.handed_back:
        return "handed back to the dialplan without a reason"
    if not seen.answered:
        return f"not answered: {seen.cause or 'no answer in time'}"
    if not seen.heard:
        return "answered, but the caller heard nothing"
    return ""
