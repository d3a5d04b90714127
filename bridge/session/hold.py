"""Keeps caller and agent apart for a while, and remembers what the caller missed.

A line that breaks is the same for the caller: the end of an answer was not heard.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from bridge.playout.heard import HeardUntil
from bridge.ports import SessionEnd
from bridge.providers.conversation import Brief
from bridge.session.answering import Answering
from bridge.session.dialogue import Dialogue
from bridge.session.floor import Floor
from bridge.session.floor_states import FloorState
from bridge.session.line import Line
from bridge.session.music import Music
from bridge.session.silence import SilenceWatch

BROKEN_OFF = (
    "[The line was interrupted for a moment: the caller did not hear the end of what you said. "
    "Say it again.]"
)
"""What the agent is told when the caller hears it again."""
MAX_PUT_OFF = 8
"""Commands of the call that wait for the end of a hold; what is more is dropped."""


class Holder(enum.Enum):
    """Who put the other on hold; both may have."""

    US = "us"
    CALLER = "caller"


class Repeat(enum.Enum):
    """What the caller missed."""

    GREETING = "greeting"
    ANSWER = "answer"


class Hold:
    """One call's holds. `now` is monotonic seconds."""

    def __init__(
        self,
        floor: Floor,
        line: Line,
        dialogue: Dialogue,
        answering: Answering,
        silence: SilenceWatch,
        brief: Brief,
    ) -> None:
        self.broken_off = False
        """The caller did not hear the end of an answer, or any of one that was due."""
        self.deserted: SessionEnd | None = None
        """How the session ends after a hold of ours in which nobody was left to speak."""
        self._holders: set[Holder] = set()
        self._put_off: list[Callable[[], None]] = []
        self._floor = floor
        self._line = line
        self._dialogue = dialogue
        self._answering = answering
        self._silence = silence
        self._brief = brief

    def begin(self, who: Holder, music: Music | None, now: float, *, held: bool) -> None:
        """Somebody puts the other on hold; `held`: somebody has before.

        After a hold of ours the call itself tells the agent what to say.
        """
        self._holders.add(who)
        if music is not None:
            self._line.play_music(music)
            self._silence.promised(True)
        if not held:
            self.break_off(now)
            self.broken_off = self.broken_off and who is Holder.CALLER
            self._silence.hold(now)

    def end(self, who: Holder, now: float) -> bool:
        """They take the other back; return whether nobody holds anybody any more."""
        if who not in self._holders:
            return False
        self._holders.discard(who)
        if who is Holder.US:
            self._silence.promised(False)
            self._stop_music(now)
        if not self._holders:
            self._silence.resume(now)
            missed, self._dialogue.missed = self._dialogue.missed, False
            self.broken_off = self.broken_off or (missed and who is Holder.CALLER)
        return not self._holders

    def stop(self, now: float) -> None:
        """The conversation ends, in a hold if there is one."""
        self.deserted = None
        for who in tuple(self._holders):
            self.end(who, now)

    @property
    def ours(self) -> bool:
        """We keep the caller on hold: he waits for somebody else than the agent."""
        return Holder.US in self._holders

    def keeps(self, end: SessionEnd) -> bool:
        """Nobody is left to speak with him: in a hold of ours the music goes on until its end."""
        if self.ours:
            self.deserted = end
        return self.ours

    def puts_off(self, command: Callable[[], None]) -> bool:
        """Whether a command of the call must wait: the agent would speak to nobody."""
        if self._holders and len(self._put_off) < MAX_PUT_OFF:
            self._put_off.append(command)
        return bool(self._holders)

    def make_up(self) -> bool:
        """Carry out what was put off; False when nothing was."""
        commands, self._put_off = self._put_off, []
        for command in commands:
            command()
        return bool(commands)

    def break_off(self, now: float) -> None:
        """The caller no longer hears the agent: what is not heard by now never is."""
        floor = self._floor
        due, playing = floor.due, floor.playing
        unheard = [
            one for one in self._line.cut(now) if not one.total_ms or one.heard_ms < one.total_ms
        ]
        self.broken_off = self.broken_off or due or bool(unheard)
        self._answering.interrupted()
        self._line.downlink.begin(floor.broken_off())
        if due or playing:
            self._dialogue.cut(unheard)

    def lose_line(self, heard_until: HeardUntil, now: float, *, held: bool) -> None:
        """The line is gone, and the next one goes on where the caller's ear was. But in a pause the
        answer is broken off: what made it fall silent may have been words."""
        if not held and not self._line.paused:
            self._line.suspend(heard_until, now)
            return
        if not held:
            self.break_off(now)
        self._line.close()

    def take_back(self, now: float) -> Repeat | None:
        """They hear each other again; return what is to be said again, None: nothing."""
        broken_off, self.broken_off = self.broken_off, False
        if broken_off:
            first = not self._answering.greeted and self._brief.greeting
            return Repeat.GREETING if first else Repeat.ANSWER
        if self._floor.state is FloorState.LISTENING and self._line.idle(now):
            self._silence.floor_open(now)
        return None

    def _stop_music(self, now: float) -> None:
        """Nothing of what is queued is heard, and none of it is anybody's."""
        self._line.play_music(None)
        self._line.cut(now)
        self._line.downlink.begin(self._floor.broken_off())
