"""The audio of one call inside the switch: what is written to the caller, what comes from him.

All frames are one packet of 16-bit PCM at the channel's rate; the codec's loss comes at the line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from gevent.hub import get_hub

from esl_controller.simulator.switch import sound
from esl_controller.simulator.switch.clock import FRAME_S
from esl_controller.simulator.switch.unicast import Unicast

if TYPE_CHECKING:
    from esl_controller.simulator.switch.audio_stream import AudioStream
    from esl_controller.simulator.switch.conference import Room
    from esl_controller.simulator.switch.session import Session


# Idle silence comes back when no datagram was played for this long.
_UNICAST_PAUSE_S = 0.03  # with packets of 20 ms

CORRECTED_AFTER = 7
"""Packets of another length than the phone said (switch_core_media.c, MAX_MISMATCH_FRAMES)."""


class CallEnd(Protocol):
    """The far end of a channel: a phone, a loopback, whatever speaks and hears.

    `now` is monotonic seconds; frames are one packet time of 16-bit PCM at the channel's rate.
    """

    def attach(self, session: Session) -> None:
        """The call it is in, before anything else."""

    def on_answered(self, now: float) -> None:
        """The call was answered."""

    def on_ended(self, now: float, cause: str) -> None:
        """The call is over."""

    def on_dtmf(self, digit: str, now: float) -> None:
        """The switch sends a digit."""

    def speak(self, now: float) -> bytes | None:
        """The next frame, or None when the phone sends nothing."""

    def hear(self, frame: bytes, now: float) -> None:
        """A frame arrives."""


class Tap(Protocol):
    """Something on the channel that hears both ways: a recording, who listens in."""

    def add(self, heard: bytes, played: bytes) -> None:
        """A packet from the far end, and what was played to it meanwhile."""

    def stop(self) -> None:
        """The call is over."""


class Media:
    """Audio of one session. `finish_frame` runs once per packet, after the applications."""

    def __init__(self, session: Session, end: CallEnd) -> None:
        self._session = session
        self._end = end
        self._encoding = session.channel.codec.encoding
        self.frame_bytes = 0
        self.silence = b""
        self.follow_codec()
        self.written: bytes | None = None
        """What FreeSWITCH itself writes to the caller in this frame."""
        self.streams: list[AudioStream] = []
        self.unicast: Unicast | None = None
        self.unicast_spent = False
        """Unicast was ended by a playback; it cannot be started again in this park."""
        self.held = False
        """The caller is on hold: nothing is sent."""
        self.echo = False
        self.room: Room | None = None
        """The conference it is in."""
        self.idle_silence: int | None = None
        """Value of `send_silence_when_idle` in force; None until it was read."""
        self._played_at = 0.0
        self._reads = 0
        self.frames_in = 0
        self.frames_out = 0
        self._wrong_packets = 0
        self.on_agent_audio: Callable[[bytes, float], None] | None = None
        """Given the application's audio and the monotonic second it came: for measuring."""
        self._flowing = False
        self.taps: dict[str, Tap] = {}
        self._played: deque[bytes] = deque(maxlen=50)
        """Delivered, and not on a tap yet."""

    def follow_codec(self) -> None:
        """The channel's codec or packet time may be another one now."""
        channel = self._session.channel
        self._encoding = channel.codec.encoding
        self.frame_bytes = sound.frame_bytes(channel.codec, channel.ptime_ms)
        self.silence = bytes(self.frame_bytes)
        self.written = None

    @property
    def closing(self) -> bool:
        """A stream's end is still being waited for."""
        return any(stream.open for stream in self.streams)

    def start(self) -> None:
        """RTP is up."""
        self._flowing = True

    def close(self) -> None:
        """The call is over: end unicast and streams."""
        self._flowing = False
        self.end_unicast()
        self._stop_taps()
        for stream in self.streams:
            stream.close_on_hangup()

    def drop(self) -> None:
        """The switch is gone: let go of sockets without a word."""
        self._flowing = False
        self.end_unicast()
        self._stop_taps()
        for stream in tuple(self.streams):
            stream.drop()

    def _stop_taps(self) -> None:
        while self.taps:
            self.taps.popitem()[1].stop()

    def mix(self, frame: bytes) -> None:
        """Somebody else is heard as well in this frame."""
        self.written = sound.mixed(self.written, frame) if self.written else frame

    def write(self, frame: bytes) -> None:
        """FreeSWITCH writes this frame to the caller."""
        self.written = frame

    def read_idle_silence(self) -> None:
        """`send_silence_when_idle`, once: when the park loop first sees media."""
        if self.idle_silence is None and self._flowing:
            text = self._session.channel.get("send_silence_when_idle") or "0"
            self.idle_silence = int(text) if text.lstrip("-").isdigit() else 0

    def idle(self) -> None:
        """The park loop had nothing to play: silence, if the channel asked for it in time."""
        unicast_plays = self._session.now - self._played_at < _UNICAST_PAUSE_S
        if self.idle_silence and self.written is None and not unicast_plays:
            self.written = self.silence

    @property
    def silence_wins(self) -> bool:
        """Whether a second writer of the channel is lost behind the idle silence."""
        return bool(self.idle_silence) and self._session.switch.quirks.silence_wins

    def start_unicast(self, fields: dict[str, str]) -> None:
        """`sendmsg unicast`. Without media the whole switch goes down."""
        if not self._flowing:
            self._session.switch.crash("unicast on a channel without media")
            return
        if self.unicast is not None or self.unicast_spent:
            return
        self.unicast = Unicast.open(self._session, fields)

    def end_unicast(self) -> None:
        """A playback, the end of the park or the hang-up; then it is over for this park."""
        if self.unicast is not None:
            self.unicast.close()
            self.unicast = None
            self.unicast_spent = True

    def renew_unicast(self) -> None:
        """A new park knows nothing of an earlier one's unicast: `conninfo` is a variable of
        switch_ivr_park (switch_ivr.c)."""
        self.unicast_spent = False

    def agent_audio(self, data: bytes, came_at: float) -> None:
        """The application's audio has reached the switch."""
        if self.on_agent_audio is not None:
            self.on_agent_audio(data, came_at)

    def play_now(self, frame: bytes) -> None:
        """A frame from unicast or a module goes out at once."""
        if self.silence_wins:
            return
        self._played_at = self._session.switch.now()
        self._deliver(frame, self._played_at)

    def finish_frame(self, now: float) -> None:
        """End of a frame: send what was written, take in what the caller says."""
        if not self._flowing:
            self.written = None
            return
        written = self.written
        self.written = None
        for stream in self.streams:
            written = stream.replace_written(written)
        if written is not None:
            self._deliver(written, now)
        if self.unicast is not None:
            self.unicast.play_waiting()
        self._take_from_caller(now, written)

    def _deliver(self, frame: bytes, now: float) -> None:
        if not self._flowing or self.held:
            return
        self.frames_out += 1
        if self.taps:
            self._played.append(frame)
        self._end.hear(self._over_the_line(frame), now)

    def _over_the_line(self, frame: bytes) -> bytes:
        """A frame after coding and decoding; silence stays silence and costs nothing."""
        return frame if frame == self.silence else sound.through_codec(frame, self._encoding)

    def _starved(self, now: float) -> bool:
        """`flags: native` of unicast: while frames are played, the caller's are read at a
        quarter of their pace (switch_core_media_write_frame holds the read codec's mutex)."""
        if self.unicast is None or not self.unicast.native:
            return False
        if not self._session.switch.quirks.native_starves or now - self._played_at > FRAME_S:
            return False
        self._reads += 1
        return self._reads % 4 != 0

    def _sent(self, spoken: bytes) -> bytes:
        """A packet of the phone's own length."""
        channel = self._session.channel
        sends_ms = channel.options.sends_ms
        if sends_ms in (0, channel.ptime_ms):
            return spoken
        size = sound.frame_bytes(channel.codec, sends_ms)
        return (spoken * (size // len(spoken) + 1))[:size]

    def _correct_packet_time(self) -> None:
        """Set the codec anew, for packets of the length that come (switch_core_media.c,
        "Asynchronous PTIME not supported")."""
        channel, session = self._session.channel, self._session
        sends_ms = channel.options.sends_ms
        self._wrong_packets += sends_ms not in (0, channel.ptime_ms)
        if self._wrong_packets == CORRECTED_AFTER:
            self._wrong_packets += 1
            get_hub().loop.run_callback(session.change_codec, channel.codec, sends_ms)

    def _take_from_caller(self, now: float, written: bytes | None) -> None:
        spoken = self._end.speak(now)
        if spoken is not None and self._starved(now):
            return
        if spoken is not None:
            self.frames_in += 1
            spoken = self._over_the_line(spoken)
            self._correct_packet_time()
        heard = spoken or self.silence
        for stream in self.streams:
            stream.feed(heard, written or self.silence)
        if self.taps:
            played = self._played.popleft() if self._played else self.silence
            for tap in tuple(self.taps.values()):
                tap.add(heard, played)
        if self.unicast is not None:
            # Of a caller who sends nothing come bytes of 255 (switch_ivr.c, switch_ivr_park).
            self.unicast.send(b"\xff" * self.frame_bytes if spoken is None else self._sent(spoken))
        if self.echo and spoken is not None:
            self.written = spoken
        if self.room is not None and spoken is not None:
            self.room.hear(self._session, spoken)
        partner = self._session.partner
        if partner is not None and spoken is not None:
            partner.media.write(spoken)
