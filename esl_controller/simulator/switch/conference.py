"""`conference`: rooms in which everybody hears everybody else (mod_conference).

`name[@profile][+flags{endconf|mintwo}]`; a member with `endconf` ends the room for all by leaving
(conference_member.c, conference_member_del), with `mintwo` it ends when one is left.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session

Steps = Generator[None, None, None]
_ROOM = re.compile(r"([^@+]+)(?:@[^+]*)?(?:\+flags\{([^}]*)\})?")


class Room:
    """Members, by who came first."""

    def __init__(self) -> None:
        self.members: list[Session] = []
        self.over = self.needs_two = False

    def hear(self, speaker: Session, frame: bytes) -> None:
        """A member's frame, for all others."""
        for member in self.members:
            if member is not speaker:
                member.media.mix(frame)


def conference(session: Session, data: str) -> Steps:
    """In the room until the call or the room ends."""
    found = _ROOM.fullmatch(data)
    if found is None:
        return
    name, flags = found[1], (found[2] or "").split("|")
    session.answer()
    session.media.end_unicast()
    room = session.switch.rooms.setdefault(name, Room())
    room.members.append(session)
    room.needs_two = room.needs_two or "mintwo" in flags
    session.media.room = room
    while not (session.interrupted or room.over):
        yield
        yield from session.parse_messages()
    session.media.room = None
    room.members.remove(session)
    if "endconf" in flags or (room.needs_two and len(room.members) < 2):
        room.over = True
    if room.over or not room.members:
        session.switch.rooms.pop(name, None)
    if room.over and session.channel.get("hangup_after_conference") != "false":
        session.hang_up("NORMAL_CLEARING")
