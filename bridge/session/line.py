"""The caller's line: both ways of the audio, our ear on it, phrases of our own, music on hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge.audio.formats import AudioFormat
from bridge.audio.pacer import Pacer
from bridge.audio.pcm import audioop
from bridge.playout.base import Playout
from bridge.playout.heard import HeardUntil
from bridge.providers.base import SessionReady
from bridge.session.downlink import Downlink, DownlinkListener, ItemHeard
from bridge.session.ear import TURN_END_MS, Ear
from bridge.session.echo import EchoMeter
from bridge.session.media_plan import MediaPlan
from bridge.session.music import Music
from bridge.session.uplink import Uplink
from bridge.session.voice_activity import LOUD_RMS
from bridge.wire.uplink_codec import Hearing

MUSIC_AHEAD_MS = 1000
"""Of music kept in the queue: it is filled up at each tick, four times a second."""


class TurnSense(Protocol):
    """Hears the ends of the caller's turns better than by silence."""

    def start(self, rate_hz: int) -> None:
        """The caller's stream is there."""

    def hear(self, data: bytes) -> None:
        """A piece of it, L16."""

    def stop(self) -> None:
        """It is gone."""


class Line:
    """Owns all media of one call. `now` is monotonic seconds.

    `send_audio` takes caller audio in the provider's format; `on_voice` is told when our ear hears
    the caller begin or stop, `on_doubt` with each piece of the caller's line in a pause.
    """

    def __init__(
        self,
        pacer: Pacer,
        listener: DownlinkListener,
        *,
        send_audio: Callable[[bytes], None],
        on_voice: Callable[[float], None],
        on_doubt: Callable[[float], None],
        clock: Callable[[], float],
        least_rms: float = LOUD_RMS,
        turn_end_ms: int = TURN_END_MS,
        sense: TurnSense | None = None,
    ) -> None:
        self.clock = clock
        self.ear = Ear(on_voice, clock, least_rms=least_rms, turn_end_ms=turn_end_ms)
        self.echo = EchoMeter()
        self.uplink = Uplink(send_audio, self._hear)
        self.downlink = Downlink(pacer, listener)
        self.attached = False
        """The caller's audio comes."""
        self._on_doubt = on_doubt
        self.on_piece: Callable[[float], None] | None = None
        """Called after each piece while somebody waits for what the caller does."""
        self._sense = sense
        self.on_heard: Callable[[bytes], None] | None = None
        """Is given what the caller says, L16, before it is sent on; may act on it at once."""
        self.music: Music | None = None
        """What is played while nobody speaks."""
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
        if self._sense is not None:
            self._sense.start(plan.stream_format.rate_hz)
        self.uplink.attach(plan.stream_format)
        if playout is not None:
            self.downlink.open(playout, generation, now, self.echo.levels.played)

    def detach(self) -> None:
        """The caller's audio stopped coming."""
        self.attached = False
        self.uplink.detach()
        self.ear.detach()
        if self._sense is not None:
            self._sense.stop()

    def suspend(self, heard_until: HeardUntil, now: float) -> None:
        """The caller can no longer hear us; on the next line he hears what he has missed."""
        self.downlink.suspend(heard_until, now)
        self._phrase_until = None

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

    @property
    def paused(self) -> bool:
        """The agent was silenced, and may go on."""
        return self.downlink.paused

    def pause(self, now: float) -> bool:
        """Silence, until `resume` or `cut`; False: there is nothing to hold back."""
        paused = self.downlink.pause(now)
        if paused:
            self.on_piece = self._on_doubt
        return paused

    def resume(self, generation: int, now: float) -> None:
        """Go on where the caller's ear was."""
        self.on_piece = None
        self.downlink.resume(generation, now)

    def cut(self, now: float) -> list[ItemHeard]:
        """Silence at once; what was heard of each item that was not heard whole."""
        self._phrase_until = None
        self.on_piece = None
        return self.downlink.cut(now)

    def play_music(self, music: Music | None) -> None:
        """Play it from the next tick on, until None."""
        self.music = music

    def idle(self, now: float) -> bool:
        """Everything has been heard, or can no longer be."""
        return self.downlink.idle(now)

    @property
    def hearing(self) -> Hearing | None:
        """Who hears the caller first, where they can do so by themselves; None: others listen."""
        activity = self.ear.activity
        if activity is None or self._sense is not None:
            return None
        return Hearing(activity, self.echo.levels, self.uplink.kept)

    def receive(self, data: bytes) -> None:
        """Caller audio as it comes, any number of bytes."""
        self.uplink.receive(data)
        if self.on_piece is not None:
            self.on_piece(self.clock())

    def _hear(self, data: bytes) -> bool:
        """A piece of the caller's line; whether it is nothing but our echo."""
        rms, levels = audioop.rms(data, 2), self.echo.levels
        only_echo = levels.heard(rms, self.clock())
        self.ear.hear(data, rms, levels.expected())
        self.tell(data)
        return only_echo

    def tell(self, data: bytes) -> None:
        """Whoever listens besides our ear is given a piece."""
        if self._sense is not None:
            self._sense.hear(data)
        if self.on_heard is not None:
            self.on_heard(data)

    def tick(self, now: float) -> None:
        """A few times a second."""
        self.echo.look(now)
        if self.on_piece is not None:
            self.on_piece(now)  # the caller's stream may have stopped meanwhile
        if self.music is not None:
            self.downlink.top_up(self.music.next, MUSIC_AHEAD_MS, now)
        else:
            self.downlink.keep_alive(now)
