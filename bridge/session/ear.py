"""Our own ear on the caller: when a voice begins and ends, and how much of one it was.

Where a provider does not tell turns, or does not find them, this tells the session.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.session.voice_activity import END_MS, LOUD_RMS, Activity, make_activity

TURN_END_MS = 700
"""Quiet for so long, where that ends the caller's turn: no pause between sentences."""
PATIENCE = 3
"""So many times longer, where something better than silence tells the end."""


class Ear:
    """Tells when the caller's voice begins and ends. Times are monotonic seconds.

    `turn_end_ms`: a pause that ends a turn, where that is for us to say.
    """

    def __init__(
        self,
        on_change: Callable[[float], None],
        clock: Callable[[], float],
        *,
        least_rms: float = LOUD_RMS,
        turn_end_ms: int = TURN_END_MS,
    ) -> None:
        self.changed_at: float = clock()
        """Since when the caller is heard, or is not; the time it takes to notice is taken off."""
        self._on_change = on_change
        self._clock = clock
        self.activity: Activity | None = None
        """None while the caller's stream is not there."""
        self._least_rms = least_rms
        self._turn_end_ms = turn_end_ms
        self._end_ms = END_MS
        self._finds_turns = False
        self._patience = 1

    @property
    def active(self) -> bool:
        """The caller speaks, as far as we hear."""
        return self.activity is not None and self.activity.active

    @property
    def loud_ms(self) -> int:
        """How much of the caller's voice was loud, since it began."""
        return self.activity.loud_ms if self.activity is not None else 0

    @property
    def voiced_ms(self) -> int:
        """How much of that had a pitch."""
        return self.activity.voiced_ms if self.activity is not None else 0

    @property
    def quiet_ms(self) -> int:
        """For how long nothing has been loud."""
        return self.activity.quiet_ms if self.activity is not None else 0

    def attach(self, rate_hz: int) -> None:
        """The caller's stream is there."""
        self.activity = make_activity(rate_hz, self._end_ms, self._least_rms)
        self.changed_at = self._clock()

    def detach(self) -> None:
        """The caller's stream is gone."""
        self.activity = None

    def find_turns(self, whole_turns: bool) -> None:
        """Whether the end of a voice ends a turn; then a longer pause is waited for."""
        if whole_turns != self._finds_turns:
            self._finds_turns = whole_turns
            self._wait()

    def be_patient(self, patient: bool) -> None:
        """Somebody else tells the ends of turns: silence ends one only after much longer."""
        self._patience = PATIENCE if patient else 1
        self._wait()

    def conclude(self) -> None:
        """The caller has finished: as if the silence that says so had passed."""
        if self.activity is not None and self.activity.active and self._finds_turns:
            self.activity.conclude()
            self.changed_at = self._clock()
            self._on_change(self.changed_at)

    def _wait(self) -> None:
        end_ms = self._turn_end_ms * self._patience if self._finds_turns else END_MS
        self._end_ms = end_ms
        if self.activity is not None:
            self.activity.wait(end_ms)

    def hear(self, data: bytes, rms: float | None = None, echo_rms: float = 0.0) -> None:
        """Caller audio, whole samples of L16."""
        if self.activity is not None and self.activity.hear(data, rms, echo_rms):
            self.changed()

    def changed(self) -> None:
        """A voice began or ended with what was heard last."""
        activity = self.activity
        if activity is not None:
            noticed_after_ms = activity.since_ms if activity.active else activity.quiet_ms
            self.changed_at = self._clock() - noticed_after_ms / 1000
            self._on_change(self._clock())

    def loud_at(self, now: float) -> float:
        """When the caller was last loud; a voice whose end is not certain yet may have ended."""
        activity = self.activity
        if activity is None or not activity.active:
            return min(now, self.changed_at)
        return now - activity.quiet_ms / 1000

    def quiet_s(self, now: float) -> float:
        """For how long nothing has been heard; 0 while the caller speaks."""
        return 0.0 if self.active else max(0.0, now - self.changed_at)
