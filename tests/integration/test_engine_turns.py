"""At the telephone of a real FreeSWITCH: a noise that silences the agent for a moment, and words.

FreeSWITCH calls a telephone of ours on this host; `-s` shows each test's figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
import pytest

from esl_controller.simulator import speech
from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.recogniser import Recogniser
from esl_controller.simulator.service.script import Answer, Script
from esl_controller.simulator.speech import Clip
from tests.integration.engine_kit import ENGINE_MARKS, engine_client
from tests.integration.engine_line import (
    ANSWER,
    LONG_GREETING,
    REMEMBERED_MS,
    SILENT_MS,
    WAYS,
    Line,
    dial,
    media,
)
from tests.integration.hub_watch import HubWatch
from tests.integration.sip_phone import Phone

pytestmark = ENGINE_MARKS
WORDS = speech.synthetic(0.8)
SCRIPT = Script((Answer(ANSWER),), recogniser=Recogniser([("wait", (WORDS.pcm, WORDS.rate_hz))]))


def cough() -> Clip:
    """Loud, short, and no words."""
    noise = np.convolve(np.random.default_rng(3).standard_normal(2480), np.ones(20), "same")
    noise = noise[:2400] * np.hanning(2400) * 9000 / np.std(noise)
    return Clip(np.clip(noise, -32767, 32767).astype("<i2").tobytes(), 8000, "cough")


@pytest.fixture(params=WAYS)
def line(request: Any, serve: Any) -> Iterator[Callable[[], Line]]:
    """A call in which the agent greets at length."""
    with ExitStack() as stack:

        def call() -> Line:
            way = str(request.param)
            emulator = EmulatorConfig(script=SCRIPT, think_s=0.05)
            secretary = {"first_message": LONG_GREETING, "silence_duration_ms": 300}
            service = serve(emulator=emulator, secretary=secretary, media=media(way))
            client = stack.enter_context(engine_client())
            phone = stack.enter_context(closing(Phone("PCMU")))
            made = Line(service, phone, way, stack.enter_context(HubWatch()))
            dial(client, service, phone, way)
            made.wait(lambda: phone.hearing.heard_for(time.monotonic()) > 1.0, "no greeting")
            return made

        yield call


def heard_again_after_ms(line: Line, moment: float) -> float:
    """From a moment to the first sound after a silence of 200 ms."""
    hearing = line.phone.hearing
    last = moment
    for at, loud in zip(hearing.times, hearing.levels, strict=True):
        if at > moment and loud >= AUDIBLE:
            if at - last > 0.2:
                return (at - moment) * 1000
            last = at
    return float("nan")


def test_a_false_interruption_is_gone_on_with(line: Callable[[], Line]) -> None:
    call = line()
    phone = call.phone
    phone.say(cough().frames(phone.format.rate_hz))
    call.wait(lambda: call.moments("speech_started"), "not noticed")
    call.listen(LONG_GREETING)
    phone.hang_up()
    (detected,) = call.moments("speech_started")
    record = call.service.tenant.record
    assert record.truncations == []
    silent_ms = phone.hearing.silence_after_ms(detected, quiet_s=0.2)
    again_ms = heard_again_after_ms(call, detected)
    whole = call.judge_roughly(LONG_GREETING, after=0.0)
    figures = f"silent after {silent_ms:.1f} ms, on again after {again_ms:.0f} ms; {whole}"
    call.report(figures)
    assert silent_ms <= SILENT_MS + call.late_ms, figures
    assert 300 <= again_ms <= 1500 + call.late_ms, figures


def test_words_end_the_sentence(line: Callable[[], Line]) -> None:
    call = line()
    phone = call.phone
    phone.say(WORDS.frames(phone.format.rate_hz))
    call.listen(ANSWER)
    phone.hang_up()
    detected = call.moments("speech_started")[0]
    ((_, remembered_ms),) = call.service.tenant.record.truncations
    silent_ms = phone.hearing.silence_after_ms(detected)
    began = phone.hearing.first_sound_at() or 0.0
    heard_ms = (detected - began) * 1000
    figures = f"silent after {silent_ms:.1f} ms, {remembered_ms} ms remembered of {heard_ms:.0f}"
    call.report(figures)
    assert silent_ms <= SILENT_MS + call.late_ms, figures
    assert abs(heard_ms - remembered_ms) <= REMEMBERED_MS + 100 + call.late_ms, figures
