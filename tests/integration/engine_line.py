"""A telephone in a call with the service through a real FreeSWITCH, and how it is judged.

Besides FREESWITCH_ESL: FREESWITCH_PROFILE is its SIP profile (`internal`), FREESWITCH_MODULE the
loaded edition of mod_audio_stream (`open`, `cloudfieldcz` or `alchemilla`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bridge.audio.formats import FRAME_MS, L16_24K, AudioFormat, Encoding
from bridge.audio.processor import Converter
from bridge.playout.editions import fits_packets, flavours, needs_idle_silence
from bridge.playout.modes import Flavour, PlayoutMode
from esl_controller.esl import dialstring
from esl_controller.esl.inbound import InboundClient
from esl_controller.simulator import speech
from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.service import voice
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.speech import Clip
from esl_controller.simulator.switch.sound import decode, encode, level
from tests.integration import rtp
from tests.integration.engine_kit import CALL_S
from tests.integration.hub_watch import HubWatch
from tests.integration.service import LONG_TEXT, Service, wait_for
from tests.integration.sip_phone import Phone

PROFILE = os.environ.get("FREESWITCH_PROFILE", "internal")
MODULE = Flavour(os.environ.get("FREESWITCH_MODULE", "open"))
WAYS = ["unicast", "unicast without module"] + [
    mode.value
    for mode in (PlayoutMode.FILE, PlayoutMode.BINARY, PlayoutMode.JSON)
    if MODULE in flavours(mode)
]
OFFERS = {"PCMU": "PCMU", "PCMA": "PCMA", "L16": "L16@16000h", "G722": "G722", "opus": "opus"}
GREETING, LONG_GREETING = "Good morning, how can I help you?", LONG_TEXT.strip()
ANSWER, GOOD_BYE = "Of course, one moment.", "Good-bye."
SCRIPT = Script(
    answers=(Answer(ANSWER),),
    keywords={"keypad": Answer(GOOD_BYE, calls=(ScriptedCall("end_call"),))},
)
INCOMING = ", incoming"
"""The end of a way's name: the telephone makes the call."""
GAP_MS = 30.0
COVERED_MS = 40.0
"""Audio is sent ahead by the shortest lead, less one frame: so late it may come without a hole."""
SILENT_MS = 100.0
REMEMBERED_MS = 60.0
"""What the model believes was heard may be wrong by this: a frame, and how files are begun."""
PAUSE_S = 0.6
"""Longer than any pause inside an answer."""


class Line:
    """A telephone in a call with the service, and how it is judged."""

    def __init__(self, service: Service, phone: Phone, way: str, hub: HubWatch) -> None:
        self.service, self.phone, self.way, self._hub = service, phone, way, hub
        self._provider_format = phone.format
        """Chosen at the beginning of the call, for its first codec."""

    def wait(self, fact: Any, what: str) -> None:
        """Until `fact()` holds."""
        try:
            wait_for(fact, CALL_S)
        except AssertionError:
            seen = [(record.spoken, record.stamps) for record in self.service.tenant.records]
            pytest.fail(f"{what}; the emulator: {seen}; packets: {len(self.phone.packets)}")

    def listen(self, text: str) -> None:
        """Until the newest answer is this one and has been heard."""
        hearing, tenant = self.phone.hearing, self.service.tenant
        self.wait(lambda: tenant.records and tenant.record.spoken[-1:] == [text], "not said")
        began = self.moments("first_delta")[-1]
        self.wait(lambda: (hearing.last_sound_at or 0.0) > began, "not heard")
        self.wait(lambda: (hearing.silent_for(time.monotonic()) or 0.0) > PAUSE_S, "no end")

    def moments(self, kind: str) -> list[float]:
        """Stamps of the emulator."""
        return [at for name, at in self.service.tenant.record.stamps if name == kind]

    def match(self, text: str, after: float = 0.0) -> rtp.Match:
        """Where the emulator's own audio of `text` was received."""
        return rtp.match(
            self.phone.packets,
            self.phone.format,
            self.as_heard(text),
            after,
        )

    def as_heard(self, text: str) -> bytes:
        """The emulator's audio of `text` as the telephone must hear it."""
        return as_heard(text, self._provider_format, self.phone.format)

    def say(self) -> None:
        """Speak for a moment."""
        self.phone.say(speech.synthetic(0.8).frames(self.phone.format.rate_hz))

    @property
    def packet_ms(self) -> int:
        """Packet time both sides have agreed on, or FreeSWITCH has adapted to."""
        return max(self.phone.ptime_ms, self.phone.sends_ms)

    @property
    def late_ms(self) -> float:
        """How late this process was woken at worst: nothing in it can be better than that."""
        return self._hub.worst_ms

    def judge(self, *texts: str, after: float = 0.0) -> str:
        """Check that what was said after a moment came whole and in time; returns the figures."""
        found: list[rtp.Match] = []
        for text in texts:
            found.append(self.match(text, found[-1].last_at if found else after))
        gap_ms = max(match.largest_gap_ms for match in found)
        exact_ms, wanted_ms = (
            sum(getattr(match, name) for match in found) for name in ("exact_ms", "wanted_ms")
        )
        inserted_ms = sum(match.inserted_ms for match in found)
        figures = (
            f"exact {exact_ms:.0f} of {wanted_ms:.0f} ms, inserted {inserted_ms:.0f} ms, "
            f"largest gap {gap_ms:.1f} ms, lost {rtp.lost(self.phone.packets)}, "
            f"hub late {self.late_ms:.1f} ms"
        )
        assert rtp.lost(self.phone.packets) == 0, figures
        assert exact_ms == wanted_ms, figures
        assert inserted_ms <= max(0.0, self.late_ms - COVERED_MS), figures
        assert gap_ms <= self.packet_ms + GAP_MS - FRAME_MS + self.late_ms, figures
        return figures

    def judge_roughly(self, text: str, after: float) -> str:
        """Check how much could be heard since a moment, in a codec whose encoders differ."""
        frame = self.phone.format.rate_hz * FRAME_MS // 1000 * 2
        wanted = as_heard(text, self._provider_format, self.phone.format)
        wanted_ms = FRAME_MS * sum(
            level(wanted[at : at + frame]) >= AUDIBLE for at in range(0, len(wanted), frame)
        )
        hearing = self.phone.hearing
        loud = [
            at
            for at, value in zip(hearing.times, hearing.levels, strict=True)
            if at > after and value >= AUDIBLE
        ]
        heard_ms = len(loud) * self.packet_ms
        figures = f"heard {heard_ms} of {wanted_ms} ms, lost {rtp.lost(self.phone.packets)}"
        assert abs(heard_ms - wanted_ms) <= 0.1 * wanted_ms + 2 * self.packet_ms, figures
        return figures

    def report(self, figures: str) -> None:
        """One line for who looks."""
        print(f"\n{MODULE.value}: {self.way} {self.phone.codec}/{self.phone.ptime_ms}: {figures}")


def as_heard(
    text: str,
    spoken_in: AudioFormat,
    heard_in: AudioFormat,
    says: Callable[[str], bytes] = voice.synthetic_speech,
) -> bytes:
    """The emulator's audio as 16-bit PCM, as it must come out of a call in this codec."""
    pcm, rate_hz = says(text), L16_24K.rate_hz
    if spoken_in.encoding is not Encoding.L16:
        pcm, rate_hz = voice.decode(voice.encode(pcm, spoken_in), spoken_in), spoken_in.rate_hz
    converter = Converter(AudioFormat(Encoding.L16, rate_hz), linear(heard_in))
    pcm = converter.convert(pcm) + converter.flush()
    return decode(encode(pcm, heard_in.encoding), heard_in.encoding)


def linear(audio_format: AudioFormat) -> AudioFormat:
    """The same before it is encoded."""
    return AudioFormat(Encoding.L16, audio_format.rate_hz)


def media(way: str) -> dict[str, Any]:
    """Settings for one way of playing."""
    if way == "unicast without module":
        return {"input": "unicast"}
    return {"playback": way.removesuffix(INCOMING), "flavour": MODULE.value}


def dial(
    client: InboundClient,
    service: Service,
    phone: Phone,
    way: str,
    *,
    codecs: str = "",
    number: str = "",
) -> None:
    """Have FreeSWITCH call the telephone, and the service take that call.

    `codecs` may be used later in the call; without them only the telephone's. `number` is the
    telephone's own.
    """
    mode = PlayoutMode(way.removesuffix(INCOMING).partition(" ")[0])
    fits = fits_packets(mode, MODULE, phone.ptime_ms)
    silence = fits and needs_idle_silence(mode, MODULE)
    of_call = {
        "domain_uuid": service.tenant.domain_uuid,
        "domain_name": service.tenant.domain_name,
        "voice_ai_extension": service.tenant.extension,
        "origination_caller_id_number": number,
        "absolute_codec_string": codecs or OFFERS[phone.codec],
        # The service sets it before it answers; this call is answered already.
        "send_silence_when_idle": "-1" if silence else "",
    }
    host, port = service.app.esl.address
    leg = dialstring.Leg(f"sofia/{PROFILE}/phone@{phone.address}")
    target = f"'&socket({host}:{port} async full)'"
    client.originate(dialstring.DialString([leg], of_call), target)


def call_in(service: Service, phone: Phone) -> None:
    """The telephone calls the service.

    FREESWITCH_INCOMING is `host:port/number`: its dialplan sets `domain_uuid`, `domain_name` and
    `voice_ai_extension` to the headers X-Domain-Uuid, X-Domain-Name and X-Extension, and goes on as
    dialplan_xml/ does, with the `socket` that X-Socket names.
    """
    server, _, number = os.environ["FREESWITCH_INCOMING"].partition("/")
    host, _, port = server.partition(":")
    esl_host, esl_port = service.app.esl.address
    headers = {
        "X-Domain-Uuid": service.tenant.domain_uuid,
        "X-Domain-Name": service.tenant.domain_name,
        "X-Extension": service.tenant.extension,
        "X-Socket": f"{esl_host}:{esl_port}",
    }
    phone.call(f"sip:{number}@{server}", (host, int(port)), headers)


def cough() -> Clip:
    """Loud, short, and no words."""
    noise = np.convolve(np.random.default_rng(3).standard_normal(2480), np.ones(20), "same")
    noise = noise[:2400] * np.hanning(2400) * 9000 / np.std(noise)
    return Clip(np.clip(noise, -32767, 32767).astype("<i2").tobytes(), 8000, "cough")


def went_on_after(phone: Phone, moment: float) -> bool:
    """Whether there has been a sound behind a silence of 200 ms since then."""
    hearing, last = phone.hearing, moment
    for at, loud in zip(hearing.times, hearing.levels, strict=True):
        if at > moment and loud >= AUDIBLE:
            if at - last > 0.2:
                return True
            last = at
    return False


def silence_around(phone: Phone, moment: float) -> tuple[float, float]:
    """The first silence of 200 ms since then: after how many milliseconds, and for how many."""
    hearing, last = phone.hearing, moment
    for at, loud in zip(hearing.times, hearing.levels, strict=True):
        if at > moment and loud >= AUDIBLE:
            if at - last > 0.2:
                return (last - moment) * 1000, (at - last) * 1000
            last = at
    raise ValueError("no silence, or nothing behind it")
