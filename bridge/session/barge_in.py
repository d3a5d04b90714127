"""Whether a voice that begins while the agent speaks is an interruption. Pure.

The agent has fallen silent at once. Then words follow, or a voice that lasts: it is cut off. Or
neither follows, or only words that ask it to go on: it goes on where it stopped. What each
provider can tell, and which of its own doings can be held back, is in docs/adr/0020-turns.md.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from bridge.providers.base import Turns
from bridge.session.back_channels import has_words, is_back_channel, may_become_one
from bridge.session.ear import TURN_END_MS

LASTING_MS = 1000
"""A voice as long as this interrupts, whatever it says. It costs the caller nothing to wait for:
the agent is silent meanwhile."""
LASTING_UNWRITTEN_MS = 600
"""The same where nobody writes down what was said."""
SPOKEN_MS = 450
"""A voice of this length whose words do not come was probably no noise."""
VOICED_MS = 100
"""Of it with a pitch, where no words can come: "stop" has that much, a cough half of it."""
PAUSE_MS = 300
"""Quiet for so long, by our own ear: what was said is over."""
WORDS_WAIT_S = 0.9
"""From the end of what was said to its words."""
NOTICES_LATER_S = 0.6
UNVOICED_WAIT_S = 0.3
"""The same after a sound in which our ear heard no voice; words that come later still interrupt."""
HARDLY_VOICED_MS = 40
HARDLY_MS = 250
"""A voice shorter than that is hardly one."""
INSISTING_S = 2.5
"""A provider that has heard the caller speak for so long is believed, whatever our ear says."""
LONG_QUIET_MS = 1500
"""But not where our ear has heard next to nothing, and nothing for so long."""
LEFT_MS = 1500
"""With less than this left to say, a yes answers the agent: it is a turn."""
LATE_WORDS_S = 4.0
"""After the agent went on, words of the turn that was taken for noise still interrupt."""


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """How the tenant wants interruptions to be taken."""

    resumes: bool = False
    """The agent goes on where it stopped if no words follow the sound that silenced it."""
    back_channels: bool = True
    """Words that only say "I am listening" do not interrupt."""
    greeting_barge_in: bool = True
    """The caller may interrupt what the agent says first."""
    vad_threshold: float = 0.5
    """Of our own ear: 0 to 1, see `bridge.session.voice_activity.loud_rms`."""
    comfort_sound: bool = False
    """A soft sound while a function works."""
    by_sense: bool = False
    """A model of the speech process tells the ends of the turns that our own ear finds."""
    turn_end_ms: int = TURN_END_MS
    """A pause that ends the caller's turn, where our own ear finds the turns."""


class Verdict(enum.Enum):
    """What the sound was."""

    OPEN = "open"
    """Not known yet."""
    INTERRUPTION = "interruption"
    NOISE = "noise"
    """Nothing was said."""
    BACK_CHANNEL = "back_channel"
    ECHO = "echo"
    """It was the agent's own voice."""


class Heard(NamedTuple):
    """What our own ear and the provider know at one moment."""

    loud_ms: int
    """Of the caller's voice since it began, by our ear."""
    quiet_ms: int
    """Since then."""
    voiced_ms: int
    """Of `loud_ms`, what had a pitch."""
    words_come: bool
    """The provider writes down what the caller says."""
    turns: Turns

    @property
    def tells_turns(self) -> bool:
        """The provider tells when the caller begins and ends."""
        return self.turns is Turns.TOLD


class BargeIn:
    """One conversation's doubtful moments, one at a time. `now` is monotonic seconds."""

    def __init__(self, rules: TurnTaking, language: str | None) -> None:
        self.began_at: float | None = None
        """Since when the agent is silent for a sound nobody knows yet; None: it is not."""
        self.turn_id = ""
        """The provider's name of what was said."""
        self.stopped_at: float | None = None
        """When the caller was silent again."""
        self.voice_ms = self.voiced_ms = 0
        self.asked_at: float | None = None
        """When the provider was asked to write down what was said, all of it."""
        self._rules = rules
        self._language = language
        self._mistaken: tuple[str, float] | None = None
        """The turn taken for noise last, and until when its words would prove that wrong."""

    @property
    def doubtful(self) -> bool:
        """The agent is silent, and it is not known for what."""
        return self.began_at is not None

    @property
    def resumes(self) -> bool:
        """Doubt is wanted at all."""
        return self._rules.resumes

    def begin(self, now: float, turn_id: str = "") -> None:
        """The agent was silenced."""
        self.began_at, self.turn_id = now, turn_id
        self.stopped_at = self._mistaken = self.asked_at = None
        self.voice_ms = self.voiced_ms = 0

    def went_on(self, turn_id: str) -> None:
        """The caller speaks again before it is known what the first sound was."""
        self.turn_id, self.stopped_at = turn_id or self.turn_id, None

    def stopped(self, now: float, *, expects_answer: bool) -> Verdict:
        """The provider has heard the end of what was said."""
        if not expects_answer:
            return Verdict.NOISE
        self.stopped_at = now
        return Verdict.OPEN

    def words(self, text: str, *, much_left: bool, whole: bool = True) -> Verdict:
        """What was said; `much_left`: the agent is not about to wait for an answer.

        Not `whole`: more words of it may come.
        """
        if not has_words(text):
            return Verdict.NOISE if whole and self.stopped_at is not None else Verdict.OPEN
        if much_left and self._rules.back_channels:
            if whole and is_back_channel(text, self._language):
                return Verdict.BACK_CHANNEL
            if not whole and may_become_one(text, self._language):
                return Verdict.OPEN
        return Verdict.INTERRUPTION

    def look(self, now: float, heard: Heard) -> Verdict:
        """What is known by now; to be called while it is doubtful, many times a second."""
        if self.began_at is None:
            return Verdict.OPEN
        self.voice_ms = max(self.voice_ms, heard.loud_ms)
        self.voiced_ms = max(self.voiced_ms, heard.voiced_ms)
        lasting_ms = LASTING_MS if heard.words_come else LASTING_UNWRITTEN_MS
        if self.voice_ms >= lasting_ms and heard.quiet_ms < PAUSE_MS:
            return Verdict.INTERRUPTION
        if self.stopped_at is None:
            if heard.tells_turns:
                if now - self.began_at < INSISTING_S:
                    return Verdict.OPEN
                nothing = heard.quiet_ms >= LONG_QUIET_MS and self.voice_ms < SPOKEN_MS
                return Verdict.NOISE if nothing else Verdict.INTERRUPTION
            if heard.quiet_ms < PAUSE_MS:
                return Verdict.OPEN
            self.stopped_at = now
        elif not heard.tells_turns and heard.quiet_ms < PAUSE_MS:
            self.stopped_at = self.asked_at = None  # the caller goes on
            return Verdict.OPEN
        if heard.words_come and now - self.stopped_at < self._patience_s(heard):
            return Verdict.OPEN
        if heard.words_come and heard.turns is Turns.HIDDEN:
            return Verdict.NOISE  # it would have answered a turn
        if heard.words_come:
            return Verdict.INTERRUPTION if self.voice_ms >= SPOKEN_MS else Verdict.NOISE
        return Verdict.INTERRUPTION if self.voiced_ms >= VOICED_MS else Verdict.NOISE

    @property
    def must_ask(self) -> bool:
        """What was said is over, and nobody has been asked to write it down."""
        return self.stopped_at is not None and self.asked_at is None

    def _patience_s(self, heard: Heard) -> float:
        """A provider that tells no turns notices their ends later than our ear."""
        if not heard.tells_turns and self.voiced_ms < HARDLY_VOICED_MS:
            return UNVOICED_WAIT_S
        late = not heard.tells_turns and self.voice_ms >= HARDLY_MS
        return WORDS_WAIT_S + (NOTICES_LATER_S if late else 0.0)

    def end(self, now: float, verdict: Verdict) -> None:
        """It is known."""
        if verdict is not Verdict.INTERRUPTION and (self.turn_id or self.asked_at is not None):
            self._mistaken = (self.turn_id, now + LATE_WORDS_S)
        self.began_at = self.stopped_at = None

    def was_wrong(self, turn_id: str, text: str, now: float) -> bool:
        """Words come late, of a turn for which the agent did not stay silent."""
        mistaken = self._mistaken
        if mistaken is None or mistaken[0] not in ("", turn_id) or now > mistaken[1]:
            return False
        self._mistaken = None
        back = self._rules.back_channels and is_back_channel(text, self._language)
        return has_words(text) and not back
