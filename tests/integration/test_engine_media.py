"""Packet times, changes of codec and requests within the call, on a real FreeSWITCH."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import gevent
import pytest

from esl_controller.simulator.openai.config import EmulatorConfig
from tests.integration.engine_kit import ENGINE_MARKS, engine_client
from tests.integration.engine_line import (
    ANSWER,
    GREETING,
    LONG_GREETING,
    SCRIPT,
    WAYS,
    Line,
    dial,
    media,
)
from tests.integration.hub_watch import HubWatch
from tests.integration.sip_phone import Phone

pytestmark = ENGINE_MARKS

REPLY_MS = 200.0
"""A request within the call is answered in 10 to 20 ms; starved it took seconds."""
ALL_CODECS = "PCMU,PCMA,L16@16000h"
CHANGES: dict[str, dict[str, Any]] = {
    "PCMA": {"codec": "PCMA"},
    "40 ms": {"ptime_ms": 40},
    "PCMA at 30 ms": {"codec": "PCMA", "ptime_ms": 30},
}


@pytest.fixture
def call(serve: Any) -> Iterator[Callable[..., Line]]:
    """Makes a call to a telephone of one's choice."""
    with ExitStack() as stack:

        def call(way: str, phone: Phone, greeting: str = GREETING) -> Line:
            stack.enter_context(closing(phone))
            emulator = EmulatorConfig(script=SCRIPT, think_s=0.05)
            secretary = {"first_message": greeting}
            service = serve(emulator=emulator, secretary=secretary, media=media(way))
            client = stack.enter_context(engine_client())
            line = Line(service, phone, way, stack.enter_context(HubWatch()))
            dial(client, service, phone, way, codecs=ALL_CODECS)
            return line

        yield call


def speaking(line: Line) -> None:
    """Until the agent has been heard for a while."""
    line.wait(lambda: line.phone.hearing.heard_for(time.monotonic()) > 0.6, "not heard")


def restarts(line: Line) -> int:
    """How often the call's media were brought anew."""
    return sum(call.talk.media.restarts for call in line.service.app.calls if call.talk)


def ask_after(line: Line) -> float:
    """A turn of the caller and its answer; returns when it began.

    What a restart has cut off goes on first.
    """
    if restarts(line):
        line.listen(LONG_GREETING)
    began, answers = time.monotonic(), len(line.moments("first_delta"))
    line.say()
    line.wait(lambda: len(line.moments("first_delta")) > answers, "not answered")
    line.listen(ANSWER)
    return began


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("codec", "ptime_ms"), [("PCMU", 30), ("PCMU", 40), ("PCMU", 60), ("PCMA", 30), ("L16", 40)]
)
def test_packets_of_any_length(
    call: Callable[..., Line], way: str, codec: str, ptime_ms: int
) -> None:
    line = call(way, Phone(codec, ptime_ms))
    line.listen(GREETING)
    line.say()
    line.listen(ANSWER)
    line.phone.hang_up()
    line.report(line.judge(GREETING, ANSWER))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sends_ms", [10, 30, 40])
def test_a_telephone_that_sends_other_packets_than_it_said(
    call: Callable[..., Line], way: str, sends_ms: int
) -> None:
    """FreeSWITCH changes to what it gets ("Asynchronous PTIME not supported")."""
    line = call(way, Phone("PCMU", 20, sends_ms), LONG_GREETING)
    line.wait(lambda: restarts(line) > 0, "not noticed")
    began = ask_after(line)
    line.phone.hang_up()
    line.report(line.judge(ANSWER, after=began))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("change", list(CHANGES))
def test_another_codec_in_the_middle_of_an_answer(
    call: Callable[..., Line], way: str, change: str
) -> None:
    line = call(way, Phone("PCMU"), LONG_GREETING)
    speaking(line)
    line.phone.reinvite(**CHANGES[change])
    gevent.sleep(1.5)
    ask_after(line)
    line.phone.hang_up()
    # Files go on with another codec: the caller interrupts the greeting, and hears some of it yet.
    line.report(line.judge_roughly(ANSWER, after=line.moments("first_delta")[-1]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_requests_within_the_call_are_answered_at_once(
    call: Callable[..., Line], way: str, method: str
) -> None:
    """FreeSWITCH's session thread is not starved by what waits to be played."""
    line = call(way, Phone("PCMU"), LONG_GREETING)
    speaking(line)
    took_ms = []
    for _ in range(5):
        ask = line.phone.options if method == "OPTIONS" else line.phone.reinvite
        took_ms.append(ask())
        gevent.sleep(0.13)
    line.listen(LONG_GREETING)
    line.phone.hang_up()
    figures = f"{method} answered after {[round(ms) for ms in took_ms]} ms"
    line.report(f"{figures}; {line.judge(LONG_GREETING)}")
    assert max(took_ms) <= REPLY_MS + line.late_ms, figures


@pytest.mark.parametrize("way", WAYS)
def test_on_hold_and_back(call: Callable[..., Line], way: str) -> None:
    """Nothing comes of a held caller, and nothing is taken for dead."""
    line = call(way, Phone("PCMU"))
    line.listen(GREETING)
    line.phone.reinvite(direction="sendonly")
    gevent.sleep(4.0)
    line.phone.reinvite()
    gevent.sleep(0.5)
    assert restarts(line) == 0
    began = ask_after(line)
    line.phone.hang_up()
    line.report(line.judge(ANSWER, after=began))


@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_begins_on_hold(call: Callable[..., Line], way: str) -> None:
    """The greeting waits for the caller, or is said again."""
    line = call(way, Phone("PCMU", direction="sendonly"))
    gevent.sleep(3.0)
    assert not line.phone.hearing.last_sound_at
    began = time.monotonic()
    line.phone.reinvite()
    line.wait(lambda: (line.phone.hearing.last_sound_at or 0.0) > began, "nothing heard")
    waited_s = (line.phone.hearing.last_sound_at or 0.0) - began
    line.listen(GREETING)
    line.phone.hang_up()
    line.report(f"heard after {waited_s:.2f} s; {line.judge(GREETING, after=began)}")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("network", ["no packets in silence", "comfort noise", "lost and late"])
def test_a_telephone_in_a_real_network(call: Callable[..., Line], way: str, network: str) -> None:
    """Neither is taken for the end of the line, and the caller is understood."""
    phone = Phone("PCMU")
    line = call(way, phone)
    if network == "no packets in silence":
        phone.pause_between_words()
    elif network == "comfort noise":
        phone.send_comfort_noise()
    else:
        phone.loses, phone.delays_s = 0.03, 0.06
    line.listen(GREETING)
    began = time.monotonic()
    line.say()
    line.listen(ANSWER)
    assert restarts(line) == 0
    line.phone.hang_up()
    line.report(f"{network}: {line.judge(ANSWER, after=began)}")


@pytest.mark.parametrize("way", WAYS)
def test_a_telephone_that_an_address_translator_forgot(call: Callable[..., Line], way: str) -> None:
    """FreeSWITCH hears and reaches it again with a re-INVITE, and nothing is taken for dead."""
    line = call(way, Phone("PCMU"))
    line.listen(GREETING)
    line.phone.move()
    answers = len(line.moments("first_delta"))
    line.say()
    gevent.sleep(2.0)
    assert len(line.moments("first_delta")) == answers, "heard from where nobody told it"
    line.phone.reinvite()
    line.phone.packets.clear()  # what went to the old address is missing
    assert restarts(line) == 0
    began = time.monotonic()
    line.say()
    line.listen(ANSWER)
    line.phone.hang_up()
    line.report(f"after an address translator: {line.judge(ANSWER, after=began)}")
