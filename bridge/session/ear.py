"""Whether there is a voice in the caller's audio, by its level alone.

Good for one question: might the caller have said something that a provider should have noticed?
Turns are found by the provider, who knows a voice from a passing car.
"""

from __future__ import annotations

from bridge.audio.pcm import audioop

LOUD_RMS = 500
"""-36 dBFS: speech on a telephone line lies above, the noise of most lines below."""
BEGIN_MS = 120
"""Loud for so long: no click, no key pressed."""
END_MS = 400
"""Quiet for so long: no pause between words."""


class VoiceActivity:
    """Follows one caller. `rate_hz` is that of the 16-bit mono audio it is given."""

    def __init__(self, rate_hz: int) -> None:
        self.active = False
        self._begin_bytes = rate_hz * 2 * BEGIN_MS // 1000
        self._end_bytes = rate_hz * 2 * END_MS // 1000
        self._loud_bytes = 0
        self._quiet_bytes = 0

    def hear(self, data: bytes) -> bool:
        """Take audio, cut anywhere; return whether a voice began or ended with it."""
        size = len(data)
        if size & 1 or not size:
            return False
        if audioop.rms(data, 2) >= LOUD_RMS:
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
