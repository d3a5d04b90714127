"""Our own ear on the caller: when a voice begins and ends, by its level alone.

Good for one question: might the caller have said something that a provider should have noticed?
Where the provider does not tell turns, or does not find them, this tells the session. A steady
noise and our own echo are no voice.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from bridge.audio.pcm import audioop

LOUD_RMS = 500
"""-36 dBFS: speech on a telephone line lies above, the noise of most lines below."""
BEGIN_MS = 120
"""Loud for so long: no click, no key pressed."""
END_MS = 400
"""Quiet for so long: no pause between words."""
TURN_END_MS = 700
"""The same where it ends the caller's turn: no pause between sentences."""
PATIENCE = 3
"""So many times longer, where something better than silence tells the end."""
OVER_NOISE = 2.0
"""A voice is louder than the noise it is mixed with: 6 dB."""
OVER_ECHO = 2.0
MAX_CROSSINGS_PER_S = 3200
"""Changes of sign: the hiss of a line has over 4000, a voice far fewer but for its s and f."""
RISE_PER_S = 1.6
"""How fast a noise that has grown louder is taken for one: by 10 dB within 2.5 s. A voice has
pauses."""
FIRST_NOISE_RMS = LOUD_RMS / 2
"""A line that begins louder than that begins with a voice, for all we know."""
_THRESHOLD_RANGE = 100.0
"""From a tenant's threshold of 0 to one of 1: 40 dB."""


def loud_rms(threshold: float) -> int:
    """The level of a voice for a tenant's `vad_threshold`, 0 to 1; 0.5 is `LOUD_RMS`."""
    return int(LOUD_RMS * math.pow(_THRESHOLD_RANGE, threshold - 0.5))


class NoiseFloor:
    """The level of what is always there: follows a quieter piece at once, a louder one slowly."""

    def __init__(self) -> None:
        self.rms = FIRST_NOISE_RMS

    def hear(self, rms: float, seconds: float) -> None:
        """A piece of the line."""
        if rms < self.rms:
            self.rms = rms
        else:
            self.rms = min(rms, max(self.rms, 1.0) * (1 + (RISE_PER_S - 1) * seconds))


class VoiceActivity:
    """Follows one caller. `rate_hz` is that of the 16-bit mono audio it is given."""

    def __init__(self, rate_hz: int, *, end_ms: int = END_MS, least_rms: float = LOUD_RMS) -> None:
        self.active = False
        self._noise = NoiseFloor()
        self._least_rms = least_rms
        self._bytes_per_s = rate_hz * 2
        self._begin_bytes = rate_hz * 2 * BEGIN_MS // 1000
        self._end_bytes = rate_hz * 2 * end_ms // 1000
        self._loud_bytes = 0
        self._quiet_bytes = 0

    @property
    def quiet_ms(self) -> int:
        """For how long nothing has been loud, also where that may be a pause between words."""
        return self._quiet_bytes * BEGIN_MS // self._begin_bytes

    @property
    def loud_ms(self) -> int:
        """How much of the voice was loud, since it began."""
        return self._loud_bytes * BEGIN_MS // self._begin_bytes

    def wait(self, end_ms: int) -> None:
        """So long a silence ends the voice from now on."""
        self._end_bytes = self._bytes_per_s * end_ms // 1000

    def conclude(self) -> None:
        """Somebody else knows that the voice has ended."""
        self.active, self._loud_bytes = False, 0

    def hear(self, data: bytes, rms: float | None = None, echo_rms: float = 0.0) -> bool:
        """Take audio, cut anywhere; return whether a voice began or ended with it.

        `rms`: its level, where it is known already; `echo_rms`: that of our echo in it.
        """
        size = len(data)
        if size & 1 or not size:
            return False
        if rms is None:
            rms = audioop.rms(data, 2)
        noise = self._noise
        noise.hear(rms, size / self._bytes_per_s)
        loud = rms >= max(self._least_rms, OVER_NOISE * noise.rms, OVER_ECHO * echo_rms)
        if loud and audioop.cross(data, 2) * self._bytes_per_s < MAX_CROSSINGS_PER_S * size:
            self._quiet_bytes = 0
            self._loud_bytes += size
            changed = not self.active and self._loud_bytes >= self._begin_bytes
        else:
            self._quiet_bytes += size
            if self._quiet_bytes < self._end_bytes:
                return False
            self._loud_bytes = 0
            changed = self.active
        self.active ^= changed
        return changed


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
        self.on_piece: Callable[[float], None] | None = None
        """Called with each piece while somebody waits for what the caller does."""
        self._on_change = on_change
        self._clock = clock
        self._activity: VoiceActivity | None = None
        self._rate_hz = 0
        self._least_rms = least_rms
        self._turn_end_ms = turn_end_ms
        self._end_ms = END_MS
        self._finds_turns = False
        self._patience = 1

    @property
    def active(self) -> bool:
        """The caller speaks, as far as we hear."""
        return self._activity is not None and self._activity.active

    @property
    def loud_ms(self) -> int:
        """How much of the caller's voice was loud, since it began."""
        return self._activity.loud_ms if self._activity is not None else 0

    @property
    def quiet_ms(self) -> int:
        """For how long nothing has been loud."""
        return self._activity.quiet_ms if self._activity is not None else 0

    def attach(self, rate_hz: int) -> None:
        """The caller's stream is there."""
        self._rate_hz = rate_hz
        self._activity = VoiceActivity(rate_hz, end_ms=self._end_ms, least_rms=self._least_rms)
        self.changed_at = self._clock()

    def detach(self) -> None:
        """The caller's stream is gone."""
        self._activity = None

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
        if self._activity is not None and self._activity.active and self._finds_turns:
            self._activity.conclude()
            self.changed_at = self._clock()
            self._on_change(self.changed_at)

    def _wait(self) -> None:
        end_ms = self._turn_end_ms * self._patience if self._finds_turns else END_MS
        self._end_ms = end_ms
        if self._activity is not None:
            self._activity.wait(end_ms)

    def hear(self, data: bytes, rms: float | None = None, echo_rms: float = 0.0) -> None:
        """Caller audio, whole samples of L16. The hot path."""
        activity = self._activity
        if activity is not None and activity.hear(data, rms, echo_rms):
            noticed_after_ms = BEGIN_MS if activity.active else self._end_ms
            self.changed_at = self._clock() - noticed_after_ms / 1000
            self._on_change(self._clock())
        if self.on_piece is not None:
            self.on_piece(self._clock())

    def loud_at(self, now: float) -> float:
        """When the caller was last loud; a voice whose end is not certain yet may have ended."""
        activity = self._activity
        if activity is None or not activity.active:
            return min(now, self.changed_at)
        return now - activity.quiet_ms / 1000

    def quiet_s(self, now: float) -> float:
        """For how long nothing has been heard; 0 while the caller speaks."""
        return 0.0 if self.active else max(0.0, now - self.changed_at)
