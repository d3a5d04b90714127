"""A provider that is killed, on a real FreeSWITCH: the longest silence at the telephone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from typing import Any

import pytest

from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.faults import FAULTS
from esl_controller.simulator.service.script import Answer, Script
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, engine_client
from tests.integration.engine_line import GREETING, WAYS, Line, dial, media
from tests.integration.hub_watch import HubWatch
from tests.integration.service import LONG_TEXT, wait_for
from tests.integration.sip_phone import Phone
from tests.integration.test_call_provider_trouble import add_second_provider

pytestmark = ENGINE_MARKS

DEAD_AIR_S = 2.0
SCRIPT = Script((Answer(LONG_TEXT),), caller_lines=("a question",))
SECOND = Script((Answer("Here I am again."),), caller_lines=("a question",))


@pytest.fixture
def call(serve: Any) -> Iterator[Callable[..., Line]]:
    """A call to a telephone; `fault` is the first provider's, `second` whether there is another."""
    with ExitStack() as stack:

        def call(way: str, *, fault: str = "", second: bool, before: bool = False) -> Line:
            phone = stack.enter_context(closing(Phone("PCMU")))
            faults = FAULTS.make(*([fault] if fault else []))
            first = EmulatorConfig(script=SCRIPT, think_s=0.05, pace=1.0, faults=faults)
            service = serve(emulator=first, secretary={"first_message": GREETING}, media=media(way))
            line = Line(service, phone, way, stack.enter_context(HubWatch()))
            line.second = None
            if second:
                other = EmulatorConfig(script=SECOND, think_s=0.05)
                line.second = add_second_provider(service, service.tenant, other)
                stack.callback(line.second.stop)
            if before:
                service.tenant.emulator.stop()
            client = stack.enter_context(engine_client())
            dial(client, service, phone, way)
            assert phone.answered.wait(CALL_S)
            line.answered_at = time.monotonic()
            return line

        yield call


def longest_silence_s(line: Line, begin: float, end: float) -> float:
    """Between two moments, at the telephone."""
    hearing = line.phone.hearing
    heard = [
        at
        for at, level in zip(hearing.times, hearing.levels, strict=True)
        if level >= AUDIBLE and begin < at < end
    ]
    return max(b - a for a, b in pairwise([begin, *heard, end]))


def check(line: Line, what: str, begin: float, end: float) -> None:
    silence_s = longest_silence_s(line, begin, end)
    line.report(f"{what}: longest silence {silence_s:.2f} s of {end - begin:.1f} s")
    assert silence_s < DEAD_AIR_S + line.late_ms / 500


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("second", [True, False], ids=["a second one", "no second one"])
def test_killed_in_the_middle_of_an_answer(call: Any, way: str, second: bool) -> None:
    line = call(way, second=second)
    line.listen(GREETING)
    line.say()
    hearing = line.phone.hearing
    line.wait(lambda: len(line.moments("first_delta")) == 2, "not answered")
    line.wait(lambda: hearing.heard_for(time.monotonic()) > 1.0, "not heard")
    killed = time.monotonic()
    line.service.tenant.emulator.stop()
    if second:
        line.wait(lambda: line.second.sessions, "nobody took over")
        line.wait(lambda: "Here I am again." in line.second.sessions[-1].spoken, "not said")
        line.wait(lambda: (hearing.silent_for(time.monotonic()) or 0.0) > 1.0, "not heard")
        assert line.second.sessions[-1].texts[:1] == ["a question"]
        end = hearing.last_sound_at
        line.phone.hang_up()
    else:
        wait_for(line.phone.over.is_set, CALL_S)
        end = time.monotonic()
        assert line.phone.hung_up_by_far_end, "handed back: nothing follows in this dialplan"
    check(line, "killed in an answer, " + ("a second one" if second else "alone"), killed, end)


@pytest.mark.parametrize("way", WAYS[:1])
@pytest.mark.parametrize("how", ["refused", "slow"])
@pytest.mark.parametrize("second", [True, False], ids=["a second one", "no second one"])
def test_not_there_at_the_beginning(call: Any, way: str, how: str, second: bool) -> None:
    line = call(
        way, second=second, before=how == "refused", fault="slow=60" if how == "slow" else ""
    )
    if second:
        line.wait(lambda: line.second.sessions, "nobody took over")
        line.wait(lambda: line.second.sessions[0].spoken == [GREETING], "not greeted")
        hearing = line.phone.hearing
        line.wait(lambda: (hearing.silent_for(time.monotonic()) or 0.0) > 1.0, "not heard")
        end = hearing.last_sound_at
        line.phone.hang_up()
    else:
        wait_for(line.phone.over.is_set, CALL_S)
        end = time.monotonic()
    # A telephone that calls hears ring-back until the service answers; this one was called.
    begin = line.answered_at if how == "refused" else line.phone.hearing.first_sound_at()
    check(line, f"{how} at the beginning, second {second}", begin, end)
