"""The caller's line: both ways of the audio, our ear on it, phrases of our own, music on hold."""

from __future__ import annotations

from collections.abc import Callable

from bridge.audio.formats import AudioFormat
from bridge.audio.pacer import Pacer
from bridge.playout.base import Playout
from bridge.providers.base import SessionReady
from bridge.session.downlink import Downlink, DownlinkListener, ItemHeard
from bridge.session.ear import Ear
from bridge.session.media_plan import MediaPlan
from bridge.session.music import Music
from bridge.session.uplink import Uplink

MUSIC_AHEAD_MS = 1000
"""Of music kept in the queue: it is filled up at each tick, four times a second."""


class Line:
    """Owns all media of one call. `now` is monotonic seconds.

    `send_audio` takes caller audio in the provider's format; `on_voice` is told when our ear hears
    the caller begin or stop.
    """

    def __init__(
        self,
        pacer: Pacer,
        listener: DownlinkListener,
        *,
        send_audio: Callable[[bytes], None],
        on_voice: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self.clock = clock
        self.ear = Ear(on_voice, clock)
        self.uplink = Uplink(send_audio, self.ear.hear)
        self.downlink = Downlink(pacer, listener)
        self.attached = False
        """The caller's audio comes."""
        self._music: Music | None = None
        self._phrase_until: float | None = None
        """A phrase of ours is being played."""

    @property
    def open(self) -> bool:
        """The caller can hear us."""
        return self.downlink.playout is not None

    def attach(self, plan: MediaPlan, playout: Playout | None, generation: int, now: float) -> None:
        """Both ways are there; without `playout` the old one plays on."""
        self.attached = True
        self.ear.attach(plan.stream_format.rate_hz)
        self.uplink.attach(plan.stream_format)
        if playout is not None:
            self.downlink.open(playout, generation, now)

    def detach(self) -> None:
        """The caller's audio stopped coming."""
        self.attached = False
        self.uplink.detach()
        self.ear.detach()

    def close(self) -> None:
        """The caller can no longer hear us."""
        self.downlink.close()
        self._phrase_until = None

    def speak_with(self, provider: SessionReady) -> None:
        """Which formats the provider takes and gives."""
        self.uplink.listen(provider.audio_in)
        self.downlink.speak(provider.audio_out)

    def announce(self, data: bytes, audio_format: AudioFormat, now: float, *, finish: bool) -> bool:
        """Play a phrase of ours; not two in one breath: False."""
        if not self.open or (self._phrase_until is not None and now < self._phrase_until):
            return False
        playout = self.downlink.playout
        assert playout is not None
        self.downlink.announce(data, audio_format, now, finish=finish)
        self._phrase_until = now + playout.depth_ms / 1000
        return True

    def cut(self, now: float) -> list[ItemHeard]:
        """Silence at once; what was heard of each item that was not heard whole."""
        self._phrase_until = None
        return self.downlink.cut(now)

    def play_music(self, music: Music | None) -> None:
        """Play it from the next tick on, until None."""
        self._music = music

    def idle(self, now: float) -> bool:
        """Everything has been heard, or can no longer be."""
        return self.downlink.idle(now)

    def tick(self, now: float) -> None:
        """A few times a second."""
        if self._music is not None:
            self.downlink.top_up(self._music.next, MUSIC_AHEAD_MS, now)
        else:
            self.downlink.keep_alive(now)
