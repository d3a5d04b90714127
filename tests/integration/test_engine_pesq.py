"""How good speech sounds at a telephone (ITU-T P.862 and P.862.2) by each way of playing, beside
FreeSWITCH's own `playback` of the same recording. Needs `pip install pesq`; `-s` shows the table.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest
import soxr

from esl_controller.esl import dialstring
from esl_controller.esl.inbound import InboundClient
from esl_controller.simulator import speech
from esl_controller.simulator.hearing import Hearing
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.voice import Voice, resample
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, engine_client
from tests.integration.engine_line import MODULE, PROFILE, SCRIPT, WAYS, dial, media
from tests.integration.service import wait_for
from tests.integration.sip_phone import Phone
from tests.integration.telephones import ALL_CODECS
from tests.integration.wire_codecs import CODECS

pytestmark = [*ENGINE_MARKS, pytest.mark.timeout(300)]
CLIPS = ("reader_statement", "reader_reflection")
SPOKEN_HZ = 16000
SPOKEN = b"".join(speech.recording(name).pcm for name in CLIPS)
WITHIN = 0.05
OWN = "FreeSWITCH's playback"


class RecordedVoice(Voice):
    """Says the recording, whatever its words are."""

    def samples(self, text: str, wav: str) -> bytes | None:
        """16-bit samples at 24 kHz."""
        return resample(SPOKEN, SPOKEN_HZ, 24000)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def telephone(stack: ExitStack, codec: str) -> Phone:
    """One that keeps what it hears."""
    phone = stack.enter_context(closing(Phone(codec)))
    phone.hearing = Hearing(phone.format.rate_hz, keep_audio=True)
    return phone


def until_heard(phone: Phone) -> None:
    """To its end."""
    wait_for(lambda: phone.hearing.last_sound_at is not None, CALL_S, "nothing heard")
    wait_for(lambda: (phone.hearing.silent_for(time.monotonic()) or 0) > 1.0, CALL_S, "no end")


def own_playback(client: InboundClient, phone: Phone, file: Path) -> None:
    """FreeSWITCH plays the file to it."""
    leg = dialstring.Leg(f"sofia/{PROFILE}/phone@{phone.address}")
    variables = {"absolute_codec_string": ALL_CODECS}
    client.originate(dialstring.DialString([leg], variables), f"'&playback({file})'")


def score(phone: Phone) -> float:
    """MOS-LQO of what it heard, narrow band for codecs of 8 kHz."""
    from pesq import pesq

    rate_hz = 8000 if phone.format.rate_hz == 8000 else 16000
    heard = np.frombuffer(phone.hearing.pcm(), "<i2")
    heard = soxr.resample(heard, phone.format.rate_hz, rate_hz)
    wanted = soxr.resample(np.frombuffer(SPOKEN, "<i2"), SPOKEN_HZ, rate_hz)
    loud = np.flatnonzero(np.abs(heard) > 300)
    heard = heard[max(0, loud[0] - rate_hz // 10) : loud[-1] + rate_hz // 10]
    return float(pesq(rate_hz, wanted, heard, "nb" if rate_hz == 8000 else "wb"))


def test_speech_is_as_good_as_freeswitch_plays_it(
    serve: Any, stack: ExitStack, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / f"spoken.r{SPOKEN_HZ // 1000}"
    file.write_bytes(SPOKEN)
    file.chmod(0o644)
    client = stack.enter_context(engine_client())
    scores: dict[str, dict[str, float]] = {}
    phones = [telephone(stack, codec) for codec in CODECS]
    for phone in phones:
        own_playback(client, phone, file)
    gevent.joinall([gevent.spawn(until_heard, phone) for phone in phones], raise_error=True)
    scores[OWN] = {phone.codec: score(phone) for phone in phones}
    for way in WAYS:
        emulator = EmulatorConfig(script=SCRIPT, think_s=0.05, voice=RecordedVoice())
        service = serve(emulator=emulator, secretary={"first_message": "x"}, media=media(way))
        phones = [telephone(stack, codec) for codec in CODECS]
        for phone in phones:
            dial(client, service, phone, way, codecs=ALL_CODECS)
        gevent.joinall([gevent.spawn(until_heard, phone) for phone in phones], raise_error=True)
        for phone in phones:
            phone.hang_up()
        scores[way] = {phone.codec: score(phone) for phone in phones}
    print(table(scores))
    for way in WAYS:
        for codec, value in scores[way].items():
            assert value >= scores[OWN][codec] - WITHIN, (way, codec)


def table(scores: dict[str, dict[str, float]]) -> str:
    """Rows of ways, columns of codecs."""
    lines = [f"\n{MODULE.value}, {os.cpu_count()} cores: PESQ", "| | " + " | ".join(CODECS) + " |"]
    lines.append("|---" * (len(CODECS) + 1) + "|")
    for way, values in scores.items():
        lines.append(f"| {way} | " + " | ".join(f"{values[one]:.2f}" for one in CODECS) + " |")
    return "\n".join(lines)
