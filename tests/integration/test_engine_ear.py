"""What the caller's telephone gets from a real FreeSWITCH, packet by packet.

FreeSWITCH calls a telephone of ours on this host; `-s` shows each test's figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from esl_controller.simulator.openai.config import EmulatorConfig
from tests.integration.engine_kit import ENGINE_MARKS, engine_client
from tests.integration.engine_line import (
    ANSWER,
    GOOD_BYE,
    GREETING,
    LONG_GREETING,
    OFFERS,
    REMEMBERED_MS,
    SCRIPT,
    SILENT_MS,
    WAYS,
    Line,
    dial,
    media,
)
from tests.integration.hub_watch import HubWatch
from tests.integration.sip_phone import Phone

pytestmark = ENGINE_MARKS


@pytest.fixture(params=list(OFFERS))
def codec(request: Any) -> str:
    return str(request.param)


@pytest.fixture(params=WAYS)
def way(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def call(serve: Any, way: str, codec: str) -> Iterator[Callable[..., Line]]:
    """Makes the call, with a greeting of one's choice."""
    with ExitStack() as stack:

        def call(greeting: str) -> Line:
            emulator = EmulatorConfig(script=SCRIPT, think_s=0.05)
            secretary = {"first_message": greeting}
            service = serve(emulator=emulator, secretary=secretary, media=media(way))
            client = stack.enter_context(engine_client())
            phone = stack.enter_context(closing(Phone(codec)))
            line = Line(service, phone, way, stack.enter_context(HubWatch()))
            dial(client, service, phone, way)
            return line

        yield call


def test_every_sample_in_time_and_the_good_bye(call: Callable[..., Line]) -> None:
    line = call(GREETING)
    line.listen(GREETING)
    line.say()
    line.listen(ANSWER)
    line.phone.press("1#")
    line.listen(GOOD_BYE)
    line.wait(line.phone.over.is_set, "no BYE")
    assert line.phone.hung_up_by_far_end
    assert line.service.tenant.record.texts == ["[The caller pressed on the keypad: 1]"]
    line.report(line.judge(GREETING, ANSWER, GOOD_BYE))


def test_silence_once_the_caller_interrupts(call: Callable[..., Line]) -> None:
    line = call(LONG_GREETING)
    hearing = line.phone.hearing
    line.wait(lambda: hearing.heard_for(time.monotonic()) > 1.0, "no greeting")
    line.say()
    line.listen(ANSWER)
    line.phone.hang_up()
    ((_, truncated_ms),) = line.service.tenant.record.truncations
    (detected,) = line.moments("speech_started")
    silent_ms = hearing.silence_after_ms(detected)
    heard_ms = line.match(LONG_GREETING).exact_ms
    figures = (
        f"silent after {silent_ms:.1f} ms, {heard_ms:.0f} ms heard, {truncated_ms} ms remembered; "
        f"then {line.judge(ANSWER, after=detected)}"
    )
    line.report(figures)
    assert silent_ms <= SILENT_MS + line.late_ms, figures
    assert abs(heard_ms - truncated_ms) <= REMEMBERED_MS + line.late_ms, figures
