"""One of many telephones with the service on a real FreeSWITCH: what befalls it, what it hears."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import gevent
import numpy as np

from bridge.audio.formats import AudioFormat
from esl_controller.esl import dialstring
from esl_controller.esl.inbound import InboundClient
from esl_controller.simulator import speech
from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.service.voice import RATE_HZ, Voice, read_wav, synthetic_speech
from tests.integration import rtp
from tests.integration.engine_line import (
    ANSWER,
    GREETING,
    INCOMING,
    PROFILE,
    as_heard,
    call_in,
    dial,
)
from tests.integration.follow import Heard, Piece, at_8_khz, follow
from tests.integration.service import Service, wait_for
from tests.integration.sip_phone import Phone
from tests.integration.wire_codecs import CODECS

PTIMES_MS = (10, 20, 30, 40, 60)
NO_PACKET = {("opus", 30)}
"""Opus has no frame of that length (RFC 6716 2.1.4)."""
ALL_CODECS = "PCMU,PCMA,G722,opus,L16@16000h"
CHANGING = ["PCMU", "PCMA", "G722", "opus"]
"""What is changed to. Not L16: whether bytes are swapped FreeSWITCH decides when the call begins,
and again never (switch_core_media.c, SWITCH_RTP_FLAG_BYTESWAP): L16 after a change is noise, and of
what follows L16 each two bytes are swapped, in both directions and in its own files.
"""
EVENTS = ("steady", "re-INVITE", "another codec", "autofix", "hold")
SHORT, LONG = (
    GREETING,
    "Good morning, this is the front desk, what can I do for you?",
)
OWN = "FreeSWITCH"
"""No way of ours: its own `playback`."""
PAUSE_S, WAIT_S, HELD_S, ASKS_S = 0.7, 25.0, 1.5, 0.8
REINVITES, REINVITES_S = 3, 1.2
GLIDE_S, GLIDE_HZ = 0.02, 1.3


@lru_cache(maxsize=8)
def gliding(text: str) -> bytes:
    """The emulator's voice with a pitch that glides: no place is like another."""
    pcm = np.frombuffer(synthetic_speech(text), "<i2").astype(np.float64)
    time_s = np.arange(len(pcm)) / RATE_HZ
    bent_s = time_s + GLIDE_S * np.sin(2 * np.pi * GLIDE_HZ * time_s)
    return np.interp(bent_s, time_s, pcm).astype("<i2").tobytes()


class GlidingVoice(Voice):
    """Says it so."""

    def samples(self, text: str, wav: str) -> bytes | None:
        """16-bit samples at 24 kHz."""
        return read_wav(wav) if wav else gliding(text)


@dataclass
class Cell:
    """One call of the table."""

    codec: str
    ptime_ms: int
    event: str
    reinvites: int = REINVITES
    """How many come in `REINVITES_S` while the agent speaks."""
    heard: list[Heard] = field(default_factory=list)
    """What was said before, and after it happened."""
    wanted: list[tuple[str, float, float]] = field(default_factory=list)
    """What was said: its words, and between which moments."""
    lost_packets: int = 0
    late_ms: float = 0.0
    """How late the worker was at worst meanwhile."""
    reply_ms: float = 0.0
    waited_ms: float = 0.0
    """From the end of the question to the first sound of the answer."""
    trouble: str = ""
    playing: str = ""
    """By what it was played at the end."""

    @property
    def read_at_half(self) -> bool:
        """FreeSWITCH reads its packets slower than they come: it takes a codec of no constant rate
        at its word (switch_core_media.c, SCMF_AUTOFIX_TIMING)."""
        return self.event == "autofix" and self.codec == "opus" and self.ptime_ms < 20

    @property
    def lost_ms(self) -> float:
        """Of all that was said."""
        return sum(one.lost_ms for one in self.heard)

    @property
    def doubled_ms(self) -> float:
        """The same."""
        return sum(one.doubled_ms for one in self.heard)

    @property
    def gap_ms(self) -> float:
        """The largest."""
        return max((one.largest_gap_ms for one in self.heard), default=0.0)

    def __str__(self) -> str:
        if self.trouble:
            return self.trouble
        more = f", reply {self.reply_ms:.0f}" if self.reply_ms else ""
        return f"{self.lost_ms:.1f} / {self.doubled_ms:.1f} / {self.gap_ms:.1f}{more}"


def cells(event: str, codecs: Sequence[str] = tuple(CODECS)) -> list[Cell]:
    """All of one column."""
    return [
        Cell(codec, ptime_ms, event)
        for codec in codecs
        for ptime_ms in PTIMES_MS
        if (codec, ptime_ms) not in NO_PACKET
    ]


def other(codec: str, ptime_ms: int) -> tuple[str, int]:
    """What a telephone changes to: the next codec, and the next packet time."""
    names = CHANGING
    codec = names[(names.index(codec) + 1) % len(names)] if codec in names else names[0]
    ptimes_ms = [ms for ms in PTIMES_MS if (codec, ms) not in NO_PACKET and ms != ptime_ms]
    later = [ms for ms in ptimes_ms if ms > ptime_ms]
    return codec, (later or ptimes_ms)[0]


class Telephone:
    """Makes one cell's call."""

    def __init__(
        self, client: InboundClient, service: Service | None, way: str, cell: Cell
    ) -> None:
        self.cell, self._client, self._service, self._way = cell, client, service, way
        says_ms = cell.ptime_ms
        if cell.event == "autofix":
            says_ms = 20 if cell.ptime_ms != 20 else 30
        self.phone = Phone(cell.codec, says_ms, cell.ptime_ms)
        self._spoken_in: AudioFormat = self.phone.format

    def run(self) -> None:
        """The whole call; what went wrong is written into the cell."""
        try:
            greeting = SHORT if self.cell.event in ("steady", "hold") else LONG
            self._call(greeting)
            _DO[self.cell.event](self, greeting)
            self.phone.hang_up()
        except (AssertionError, gevent.Timeout) as error:
            self.cell.trouble = str(error).split("\n")[0][:60] or type(error).__name__
        finally:
            self.phone.close()

    def _call(self, greeting: str) -> None:
        assert self._service is not None
        if self._way.endswith(INCOMING):
            call_in(self._service, self.phone)
            return
        dial(self._client, self._service, self.phone, self._way, codecs=ALL_CODECS)

    # --- what happens -------------------------------------------------------------------------

    def _steady(self, greeting: str) -> None:
        self._listen(0.0)
        self._judge(greeting, 0.0)
        self._ask()

    def _reinvite(self, greeting: str) -> None:
        """The same offer again and again, while the agent speaks: a session timer's."""
        self._speaking()
        for _ in range(self.cell.reinvites):
            self.cell.reply_ms = max(self.cell.reply_ms, self.phone.reinvite())
            gevent.sleep(REINVITES_S / self.cell.reinvites)
        self._listen(0.0)
        self._judge(greeting, 0.0)
        self._ask()

    def _another_codec(self, greeting: str) -> None:
        self._speaking()
        codec, ptime_ms = other(self.cell.codec, self.cell.ptime_ms)
        self.cell.reply_ms = self.phone.reinvite(codec, ptime_ms)
        self._listen(time.monotonic())
        self._judge(greeting, 0.0)
        self._ask()

    def _autofix(self, greeting: str) -> None:
        self._listen(0.0)
        self._judge(greeting, 0.0)
        self._ask()

    def _hold(self, greeting: str) -> None:
        self._listen(0.0)
        self._judge(greeting, 0.0)
        self.phone.reinvite(direction="sendonly")
        gevent.sleep(HELD_S)
        self.phone.reinvite()
        gevent.sleep(0.3)
        self._ask()

    # --- steps --------------------------------------------------------------------------------

    def _wait(self, fact: Callable[[], bool], what: str) -> None:
        try:
            wait_for(fact, WAIT_S)
        except AssertionError:
            raise AssertionError(f"{what}, {len(self.phone.packets)} packets") from None

    def _speaking(self) -> None:
        self._wait(lambda: self.phone.hearing.heard_for(time.monotonic()) > 0.6, "not heard")

    def _listen(self, after: float) -> None:
        """Until something has been heard to its end."""
        hearing = self.phone.hearing
        self._wait(lambda: (hearing.last_sound_at or 0.0) > after, "not heard")
        self._wait(lambda: (hearing.silent_for(time.monotonic()) or 0.0) > PAUSE_S, "no end")

    def _ask(self) -> None:
        began = time.monotonic()
        rate_hz, hearing = self.phone.format.rate_hz, self.phone.hearing
        self.phone.say(speech.synthetic(ASKS_S).frames(rate_hz))
        gevent.sleep(ASKS_S)
        asked = time.monotonic()
        self._listen(asked)
        heard = zip(hearing.times, hearing.levels, strict=True)
        first = next(at for at, level in heard if at > asked and level >= AUDIBLE)
        self.cell.waited_ms = (first - asked) * 1000
        self._judge(ANSWER, began)

    def _judge(self, text: str, after: float) -> None:
        """Later: it takes its time."""
        self.cell.wanted.append((text, after, time.monotonic()))

    def judge(self) -> None:
        """How whole all of it came."""
        for _, packets in self._all():
            self.cell.lost_packets += rtp.lost(packets)
        for text, after, until in self.cell.wanted:
            self.cell.heard.append(self._heard(text, after, until))

    def _heard(self, text: str, after: float, until: float) -> Heard:
        phone = self.phone
        packets = [packet for packet in phone.packets if after < packet.at < until]
        same = self.cell.event not in ("another codec", "autofix")
        if CODECS[phone.codec].exact and same:
            wanted = as_heard(text, self._spoken_in, phone.format, gliding)
            found = rtp.match(packets, phone.format, wanted)
            lost_ms, gap_ms = found.wanted_ms - found.exact_ms, found.largest_gap_ms
            return Heard(lost_ms, found.inserted_ms, gap_ms - self.cell.ptime_ms, found.last_at)
        pieces = [
            Piece(packet.at, rtp.from_wire(packet, audio_format), audio_format.rate_hz)
            for audio_format, packets in self._all()
            for packet in packets
            if after < packet.at < until
        ]
        wanted = as_heard(text, self._spoken_in, CODECS["L16"].format, gliding)
        return follow(pieces, at_8_khz(wanted, 16000))

    def _all(self) -> list[tuple[AudioFormat, list[rtp.Packet]]]:
        phone = self.phone
        return [*phone.earlier, (phone.format, phone.packets)]


class OwnPlayback(Telephone):
    """The same, but FreeSWITCH itself plays the greeting, from a file at the codec's rate; nobody
    answers. What is lost here is lost whoever plays.
    """

    def __init__(self, client: InboundClient, directory: Path, cell: Cell) -> None:
        super().__init__(client, None, OWN, cell)
        self._directory = directory

    def _call(self, greeting: str) -> None:
        heard_in = self.phone.format
        pcm = as_heard(greeting, self._spoken_in, heard_in, gliding)
        path = self._directory / f"{self.cell.codec}-{self.cell.event.replace(' ', '-')}.wav"
        if not path.exists():
            write_wav(path, pcm, heard_in.rate_hz)
        leg = dialstring.Leg(f"sofia/{PROFILE}/phone@{self.phone.address}")
        of_call = {"absolute_codec_string": ALL_CODECS}
        self._client.originate(dialstring.DialString([leg], of_call), f"'&playback({path})'")

    def _ask(self) -> None:
        """It would not answer."""


def write_wav(path: Path, pcm: bytes, rate_hz: int) -> None:
    """16-bit PCM that FreeSWITCH may read, with a little silence before and behind."""
    silence = bytes(rate_hz)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(silence + pcm + 2 * silence)
    path.chmod(0o644)


_DO: dict[str, Callable[[Telephone, str], None]] = {
    "steady": Telephone._steady,
    "re-INVITE": Telephone._reinvite,
    "another codec": Telephone._another_codec,
    "autofix": Telephone._autofix,
    "hold": Telephone._hold,
}


def table(way: str, event: str, done: Sequence[Cell]) -> str:
    """Rows of codecs, columns of packet times: ms lost / doubled / largest gap."""
    lines = [f"\n{way}, {event}: ms lost / ms doubled / largest gap beyond a packet"]
    lines.append("| codec | " + " | ".join(f"{ms} ms" for ms in PTIMES_MS) + " | late |")
    lines.append("|---" * (len(PTIMES_MS) + 2) + "|")
    for codec in dict.fromkeys(cell.codec for cell in done):
        row = {cell.ptime_ms: str(cell) for cell in done if cell.codec == codec}
        late_ms = max(cell.late_ms for cell in done if cell.codec == codec)
        told = " | ".join(row.get(ms, "-") for ms in PTIMES_MS)
        lines.append(f"| {codec} | {told} | {late_ms:.0f} |")
    return "\n".join(lines)
