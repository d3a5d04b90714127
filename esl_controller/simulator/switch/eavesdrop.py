"""`eavesdrop`: hear both sides of another call, unheard (mod_dptools.c, eavesdrop_function).

Ends with the call listened to; who listens is hung up then, as the dialplan has nothing behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING

from esl_controller.simulator.switch.sound import mixed

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session

_FRAMES = 25


class Ear:
    """What comes to who listens."""

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque(maxlen=_FRAMES)
        self.over = False

    def add(self, heard: bytes, played: bytes) -> None:
        """A packet of both ways."""
        self.frames.append(mixed(heard, played))

    def stop(self) -> None:
        """The call listened to is over."""
        self.over = True


def eavesdrop(session: Session, data: str) -> Generator[None, None, None]:
    """The application; `data` is the UUID of the other call."""
    other = session.switch.living(data.strip())
    session.answer()
    if other is None:
        return
    ear = Ear()
    name = f"eavesdrop {session.uuid}"
    other.media.taps[name] = ear
    while not (session.interrupted or ear.over):
        if ear.frames:
            session.media.write(ear.frames.popleft())
        yield
        yield from session.parse_messages()
    other.media.taps.pop(name, None)
