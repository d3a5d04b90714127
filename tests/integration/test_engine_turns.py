"""At the telephone of a real FreeSWITCH: a noise that silences the agent for a moment, and words.

FreeSWITCH calls a telephone of ours on this host; `-s` shows each test's figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from esl_controller.simulator import speech
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.recogniser import Recogniser
from esl_controller.simulator.service.script import Answer, Script
from tests.integration.engine_kit import ENGINE_MARKS, engine_client
from tests.integration.engine_line import (
    ANSWER,
    LONG_GREETING,
    REMEMBERED_MS,
    SILENT_MS,
    WAYS,
    Line,
    cough,
    dial,
    media,
    went_on_after,
)
from tests.integration.hub_watch import HubWatch
from tests.integration.resumed import pause
from tests.integration.sip_phone import Phone

pytestmark = ENGINE_MARKS
TWICE_MS, FADED_MS = 60.0, 40.0
"""Of a sentence around a pause: the fade is heard twice, and FreeSWITCH plays files by packets."""
WORDS = speech.synthetic(0.8)
SCRIPT = Script((Answer(ANSWER),), recogniser=Recogniser([("wait", (WORDS.pcm, WORDS.rate_hz))]))


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


def test_a_false_interruption_is_gone_on_with(line: Callable[[], Line]) -> None:
    call = line()
    phone = call.phone
    phone.say(cough().frames(phone.format.rate_hz))
    call.wait(lambda: call.moments("speech_started"), "not noticed")
    (detected,) = call.moments("speech_started")
    call.wait(lambda: went_on_after(phone, detected), "not gone on with")
    call.listen(LONG_GREETING)
    phone.hang_up()
    assert call.service.tenant.record.truncations == []
    found = pause(phone.packets, phone.format, call.as_heard(LONG_GREETING))
    silent_ms = (found.from_at - detected) * 1000
    figures = (
        f"silent after {silent_ms:.1f} ms for {found.silent_ms:.0f} ms, "
        f"{found.twice_ms:.0f} ms heard twice"
    )
    call.report(figures)
    assert silent_ms <= SILENT_MS + call.late_ms, figures
    assert 300 <= found.silent_ms <= 1500 + call.late_ms, figures
    assert -FADED_MS <= found.twice_ms <= TWICE_MS, figures


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
