"""When a caller's voice begins and ends: sound above the noise of the line, and a pitch in it.

What is no louder than that noise, or than our own echo, costs nothing but its level. Everything
else is looked at (`Voicing`): a cough, a door or a bump begins nothing, and in a voice that is
known the weak syllables count too, which the level alone would take for a pause.
"""

from __future__ import annotations

import math
from typing import Protocol

from bridge.audio import core
from bridge.audio.pcm import audioop
from bridge.session.voicing import HOP_MS, Voicing

LOUD_RMS = 500
"""-36 dBFS: speech on a telephone line lies above, the noise of most lines below."""
BEGIN_MS = 120
"""Loud for so long: no click, no key pressed."""
VOICED_MS = 60
"""Of it with a pitch that lasts: words have 100 ms and more also at 5 dB of noise, coughs and bumps
40 ms at most."""
ENOUGH_VOICED_MS = 120
"""With a pitch in so much of it a voice is one for whoever asks (`bridge.session.barge_in`): how it
goes on the level tells."""
UNVOICED_BEGIN_MS = 500
"""Loud for so long it is a voice without a pitch: a whisper."""
END_MS = 400
"""Quiet for so long: no pause between words."""
MASKED_MS = 200
"""So much longer where the noise is as loud as a quiet voice: the weak ends and beginnings of words
are lost in it, and a pause of 300 ms sounds like one of 600."""
OVER_NOISE = 2.0
"""A sound without a pitch is louder than the noise by 6 dB, or it is noise."""
VOICED_OVER_NOISE = 1.25
"""One with a pitch by 2 dB; at 5 dB of noise most of a voice is 4 dB above it, both together."""
OVER_ECHO = 2.0
MAX_CROSSINGS_PER_S = 3200
"""Changes of sign: the hiss of a line has over 4000, a voice far fewer but for its s and f."""
RISE_PER_S = 1.6
"""How fast a noise that has grown louder is taken for one: by 10 dB within 2.5 s. A voice has
pauses."""
_RISE = 1 + (RISE_PER_S - 1) * HOP_MS / 1000
"""Within one piece."""
FIRST_NOISE_RMS = LOUD_RMS / 2
"""A line that begins louder than that begins with a voice, for all we know."""
_THRESHOLD_RANGE = 100.0
"""From a tenant's threshold of 0 to one of 1: 40 dB."""


def loud_rms(threshold: float) -> int:
    """The level of a voice for a tenant's `vad_threshold`, 0 to 1; 0.5 is `LOUD_RMS`."""
    return int(LOUD_RMS * math.pow(_THRESHOLD_RANGE, threshold - 0.5))


COMPILED_RATES_HZ = frozenset((8000, 16000, 24000))
"""Rates the compiled core listens at."""


class Activity(Protocol):
    """Follows one caller."""

    @property
    def active(self) -> bool:
        """He speaks."""

    @property
    def loud_ms(self) -> int:
        """How much of the voice was loud, since it began."""

    @property
    def voiced_ms(self) -> int:
        """How much of that had a pitch; not counted beyond `ENOUGH_VOICED_MS`."""

    @property
    def quiet_ms(self) -> int:
        """For how long nothing has been loud, also where that may be a pause between words."""

    @property
    def since_ms(self) -> int:
        """How long ago the sound began that is loud, or was before it became quiet."""

    def wait(self, end_ms: int, /) -> None:
        """So long a silence ends the voice from now on."""

    def conclude(self) -> None:
        """Somebody else knows that the voice has ended."""

    def hear(self, data: bytes, rms: float | None = None, echo_rms: float = 0.0, /) -> bool:
        """Take audio, cut anywhere; return whether a voice began or ended with it.

        `rms`: its level, where it is known already; `echo_rms`: that of our echo in it.
        """


def make_activity(rate_hz: int, end_ms: int = END_MS, least_rms: float = LOUD_RMS) -> Activity:
    """The compiled one where there is one for this rate. `rate_hz` is that of the 16-bit mono audio
    it is given."""
    if core.module is not None and rate_hz in COMPILED_RATES_HZ:
        compiled: Activity = core.module.VoiceActivity(rate_hz, end_ms, least_rms)
        return compiled
    return VoiceActivity(rate_hz, end_ms=end_ms, least_rms=least_rms)


class VoiceActivity:
    """The twin in Python; see `Activity`."""

    def __init__(self, rate_hz: int, *, end_ms: int = END_MS, least_rms: float = LOUD_RMS) -> None:
        self.active = False
        self.loud_ms = self.voiced_ms = self.quiet_ms = self.since_ms = 0
        self._end_ms = end_ms
        self._noise_rms = FIRST_NOISE_RMS
        """What is always there: follows a quieter piece at once, a louder one slowly."""
        self._least_rms = least_rms
        self._voicing = Voicing(rate_hz)
        self._hop_bytes = rate_hz * HOP_MS // 1000 * 2
        self._rest = b""

    def wait(self, end_ms: int, /) -> None:
        """See `Activity`."""
        self._end_ms = end_ms

    def conclude(self) -> None:
        """See `Activity`."""
        self.active = False
        self._forget()

    def hear(self, data: bytes, rms: float | None = None, echo_rms: float = 0.0, /) -> bool:
        """See `Activity`."""
        size = self._hop_bytes
        if not self._rest and len(data) == size:  # the hot path: packets of 20 ms
            return self._hop(data, audioop.rms(data, 2) if rms is None else rms, echo_rms)
        data = self._rest + data
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        before = self.active
        for at in range(0, whole, size):
            hop = data[at : at + size]
            self._hop(hop, audioop.rms(hop, 2), echo_rms)
        return self.active is not before

    def _hop(self, hop: bytes, rms: float, echo_rms: float) -> bool:
        noise_rms = self._noise_rms
        risen_rms = (noise_rms if noise_rms > 1.0 else 1.0) * _RISE
        noise_rms = self._noise_rms = rms if rms < risen_rms else risen_rms
        self.since_ms += HOP_MS
        if (
            rms < self._least_rms
            or rms < OVER_ECHO * echo_rms
            or rms < VOICED_OVER_NOISE * noise_rms
        ):
            self._voicing.skip(hop)
            return self._quiet()
        loud = rms >= OVER_NOISE * noise_rms and not self._hisses(hop)
        if loud and self.active and self.voiced_ms >= ENOUGH_VOICED_MS:
            self._voicing.pass_over(hop)
            return self._loud(False)
        voiced = self._voicing.look(hop)
        return self._loud(voiced) if loud or voiced else self._quiet()

    def _hisses(self, hop: bytes) -> bool:
        return audioop.cross(hop, 2) * 1000 >= MAX_CROSSINGS_PER_S * HOP_MS

    def _loud(self, voiced: bool) -> bool:
        if not self.loud_ms:
            self.since_ms = HOP_MS
        self.quiet_ms = 0
        self.loud_ms += HOP_MS
        self.voiced_ms += HOP_MS * voiced
        if self.active or self.loud_ms < BEGIN_MS:
            return False
        self.active = self.voiced_ms >= VOICED_MS or self.loud_ms >= UNVOICED_BEGIN_MS
        return self.active

    def _quiet(self) -> bool:
        self.quiet_ms += HOP_MS
        if not (self.active or self.loud_ms):  # the hot path: nothing to forget
            return False
        masked_ms = MASKED_MS if self._noise_rms > self._least_rms else 0
        if self.quiet_ms < self._end_ms + masked_ms:
            return False
        self._forget()
        changed, self.active = self.active, False
        return changed

    def _forget(self) -> None:
        self.loud_ms = self.voiced_ms = 0
