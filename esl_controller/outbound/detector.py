"""Who or what has answered a call we made: from its first words, its pauses and its tones. Pure.

FreeSWITCH is asked nothing: the detector hears what the agent hears and reads what the provider
wrote down of it. A person says a few words and waits; a machine talks on, and beeps; music does
neither. Times are monotonic seconds.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterator

from esl_controller.outbound import phrases
from esl_controller.outbound.tones import WINDOW_MS, Kind, Listener, Window

WINDOW_S = WINDOW_MS / 1000
PAUSE_S = 0.6
"""A person who has said hello waits this long for an answer."""
GREETING_S = 2.4
"""Who talks longer without a pause, first of all, is no person who has picked up."""
BEEP_S = (0.12, 1.5)
RINGBACK_HZ = (415.0, 450.0)
"""ITU-T E.180: ring-back is 425 Hz in most countries, or 440 and 480; bursts of a second."""
LONGEST_RINGBACK_LIKE_S = 0.7
QUIET_AFTER_MACHINE_S = 2.5
"""A machine that has finished speaking and does not beep records by then."""
NOBODY_SPEAKS_S = 4.0
"""Answered, and silence: whoever it is expects us to begin."""
MACHINE_GIVES_UP_S = 60.0
"""A machine that neither beeps nor pauses."""
MUSIC_S = 2.0
SPEAKS_S = 0.3
"""Sound after a pause of the music: somebody, or more music, which is noticed again."""
STEADY = 0.12
"""Share of windows much softer than the mean: music has few, speech pauses in every word."""


class Answer(enum.Enum):
    """What is at the other end now."""

    LISTENING = "listening"
    """Not known yet."""
    HUMAN = "human"
    MACHINE = "machine"
    SCREENING = "screening"
    MUSIC = "music"
    UNKNOWN = "unknown"
    """Says nothing: it is taken for a person."""


class Event(enum.Enum):
    """What the call must do something about."""

    HUMAN = "human"
    MACHINE = "machine"
    LEAVE_MESSAGE = "leave_message"
    """It records from now on."""
    SCREENING = "screening"
    MUSIC = "music"
    """Put on hold: nobody hears us."""
    PICKED_UP = "picked_up"
    """The music is over and somebody speaks."""
    SILENT = "silent"
    GIVE_UP = "give_up"


class AnswerDetector:
    """Follows one call from its answer on. `rate_hz` is that of the 16-bit sound it is given."""

    def __init__(self, rate_hz: int, now: float) -> None:
        self.answer = Answer.LISTENING
        self._listener = Listener(rate_hz)
        self._answered_at = now
        self._speech_s = self._pause_s = self._tone_s = 0.0
        self._tone_hz = 0.0
        self._after_tone = 0
        self._spoke = False
        """Something was heard since the answer, or since the last change."""
        self._machine_at = 0.0
        self._message_due = False
        self._recent: deque[float] = deque(maxlen=round(MUSIC_S / WINDOW_S))
        self._paused = False
        """The music has paused; what follows may be somebody."""

    def hear(self, pcm: bytes, now: float) -> list[Event]:
        """What the far end sounds like."""
        return [event for window in self._listener.hear(pcm) for event in self._take(window, now)]

    def said(self, text: str, now: float) -> list[Event]:
        """Words of the far end, as the provider wrote them down."""
        if not text.strip() or self._message_due:
            return []
        if phrases.is_machine(text):
            return self._becomes(Answer.MACHINE, Event.MACHINE, now)
        if phrases.is_screening(text) and self.answer is not Answer.MACHINE:
            return self._becomes(Answer.SCREENING, Event.SCREENING, now)
        if self.answer is Answer.MUSIC:
            return self._becomes(Answer.HUMAN, Event.PICKED_UP, now)
        waits = phrases.asks_to_wait(text)
        if self.answer in (Answer.LISTENING, Answer.SCREENING, Answer.UNKNOWN) and not waits:
            return self._becomes(Answer.HUMAN, Event.HUMAN, now)
        return []

    def is_machine(self, now: float) -> list[Event]:
        """The model says so: it has ears of its own."""
        return self._becomes(Answer.MACHINE, Event.MACHINE, now)

    def handle_timeout(self, now: float) -> list[Event]:
        """What no sound tells; call it a few times a second."""
        if self._message_due:
            return []
        waits = self.answer is Answer.LISTENING and not self._spoke
        if waits and now - self._answered_at >= NOBODY_SPEAKS_S:
            return self._becomes(Answer.UNKNOWN, Event.SILENT, now)
        if self.answer is Answer.MACHINE and now - self._machine_at >= MACHINE_GIVES_UP_S:
            self._message_due = True
            return [Event.GIVE_UP]
        return []

    # --- windows ----------------------------------------------------------------------------------

    def _take(self, window: Window, now: float) -> Iterator[Event]:
        if self._message_due:
            return
        beep = self._follow_tone(window)
        self._recent.append(window.rms if window.kind is not Kind.SILENCE else 0.0)
        if window.kind is Kind.SILENCE:
            self._pause_s += WINDOW_S
        else:
            self._spoke = True
            self._pause_s = 0.0
            self._speech_s += WINDOW_S
        if beep:
            yield from self._beeped(now)
        elif self.answer is Answer.LISTENING:
            yield from self._first_words(now)
        elif self.answer is Answer.MACHINE:
            yield from self._machine_paused()
        elif self.answer is Answer.MUSIC:
            yield from self._music_over(now)
        elif self.answer in (Answer.HUMAN, Answer.SCREENING) and self._is_music():
            yield from self._becomes(Answer.MUSIC, Event.MUSIC, now)

    def _follow_tone(self, window: Window) -> bool:
        """Whether a beep has just ended: a tone, a window it ends in, and silence."""
        same = abs(window.tone_hz - self._tone_hz) <= 50.0
        if window.kind is Kind.TONE and (self._tone_s == 0.0 or same):
            self._tone_s += WINDOW_S
            self._tone_hz = window.tone_hz
            self._after_tone = 0
            return False
        if self._tone_s == 0.0:
            return False
        self._after_tone += 1
        if window.kind is not Kind.SILENCE and self._after_tone < 2:
            return False
        length_s, self._tone_s = self._tone_s, 0.0
        least, most = BEEP_S
        low, high = RINGBACK_HZ
        if low <= self._tone_hz <= high:
            most = LONGEST_RINGBACK_LIKE_S
        return least <= length_s <= most and window.kind is Kind.SILENCE

    def _beeped(self, now: float) -> Iterator[Event]:
        """Nobody who picks up beeps."""
        if self.answer is not Answer.MACHINE:
            yield from self._becomes(Answer.MACHINE, Event.MACHINE, now)
        self._message_due = True
        yield Event.LEAVE_MESSAGE

    def _first_words(self, now: float) -> Iterator[Event]:
        if self._is_music():
            yield from self._becomes(Answer.MUSIC, Event.MUSIC, now)
        elif self._speech_s >= GREETING_S and self._tone_s == 0.0:
            # It may still be music: that takes longer to be known, and has its own way out.
            yield from self._becomes(Answer.MACHINE, Event.MACHINE, now)
        elif self._spoke and self._pause_s >= PAUSE_S:
            yield from self._becomes(Answer.HUMAN, Event.HUMAN, now)

    def _machine_paused(self) -> Iterator[Event]:
        if self._pause_s >= QUIET_AFTER_MACHINE_S:
            self._message_due = True
            yield Event.LEAVE_MESSAGE

    def _is_music(self) -> bool:
        recent = self._recent
        if len(recent) < (recent.maxlen or 0):
            return False
        mean = sum(recent) / len(recent)
        soft = sum(1 for rms in recent if rms < mean / 2)
        return mean > 0 and soft / len(recent) < STEADY and self._tone_s == 0.0

    def _music_over(self, now: float) -> Iterator[Event]:
        """A pause, then something that is no music any more."""
        if self._pause_s >= PAUSE_S:
            self._paused, self._speech_s = True, 0.0
            self._recent.clear()
        elif self._paused and self._speech_s >= SPEAKS_S:
            yield from self._becomes(Answer.HUMAN, Event.PICKED_UP, now)

    def _becomes(self, answer: Answer, event: Event, now: float) -> list[Event]:
        if answer is self.answer:
            return []
        self.answer = answer
        self._spoke = False
        self._speech_s = 0.0
        self._paused = False
        self._recent.clear()
        if answer is Answer.MACHINE:
            self._machine_at = now
        return [event]
