"""Instructions to a session, from the dialplan or by `sendmsg`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from esl_controller.simulator.switch.event import Header


@dataclass(frozen=True, slots=True)
class Action:
    """An application of the dialplan with its data."""

    application: str
    data: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A `sendmsg` in a session's queue."""

    command: str
    """`execute`, `hangup`, `unicast` …"""
    application: str = ""
    data: str = ""
    event_uuid: str = ""
    lock: bool = False
    loops: int = 1
    lead_frames: int = 0
    """Frames to wait before the application starts (uuid_broadcast)."""
    fields: tuple[Header, ...] = ()
