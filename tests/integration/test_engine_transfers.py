"""Announced transfers on a real FreeSWITCH, with the recordings of both telephones.

Besides FREESWITCH_ESL it needs mod_conference, and for the way back a context named by
FREESWITCH_RETURN: there `voice_ai_return` does `socket ${voice_ai_return_to} async full`, then
`transfer` to 1000, which plays a steady tone; 1040 rings for ever.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import gevent
import pytest

from esl_controller.calls.transfer.destination import Destination, Kind, Presence
from esl_controller.esl import dialstring
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.speech import beep
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, channels, engine_client
from tests.integration.engine_line import PROFILE, dial, media
from tests.integration.engine_stage import Stage, phone
from tests.integration.service import Service, wait_for
from tests.integration.sip_phone import Phone
from tests.integration.who_heard import (
    AGENT,
    CALLER,
    HUMAN,
    HUMAN_HZ,
    MUSIC,
    who_is_heard,
)

CONTEXT = os.environ.get("FREESWITCH_RETURN", "")
pytestmark = [
    *ENGINE_MARKS,
    pytest.mark.skipif(not CONTEXT, reason="no FREESWITCH_RETURN"),
]
CALLS = (
    ScriptedCall("transfer_call", '{"destination": "sales", "reason": "an invoice"}'),
    ScriptedCall("accept_call"),
)
SCRIPT = Script(
    answers=(Answer("I try.", calls=CALLS), Answer("Well.")),
    keywords={
        "hears you again": Answer("Welcome back."),
        "with you again": Answer("What else may I do for you?"),
    },
)
RULE = {"department": "sales", "destination": "201", "mode": "announced", "ring_seconds": 5}
TONE = "music"
"""What `who_heard` calls the steady tone of the dialplan's own extension."""


class Human:
    """Implements `Places` with one telephone."""

    def __init__(self, dial_string: str) -> None:
        self._destination = Destination(Kind.EXTENSION, "sales", "201", True, dial_string)

    def find(self, entry: Any, wanted: str) -> Destination:
        return self._destination

    def of_number(self, entry: Any, number: str) -> Destination:
        return self._destination

    def through_dialplan(self, entry: Any, destination: Destination) -> Destination:
        return destination

    def presence(self, esl: Any, entry: Any, destination: Destination) -> Presence:
        return Presence("free")

    def may_dial(self, entry: Any, destination: Destination) -> str | None:
        return None


@pytest.fixture
def stage(serve: Any) -> Iterator[Any]:
    with ExitStack() as stack:

        def start(dial_string: str = "", codec: str = "PCMU", **secretary: Any) -> Stage:
            service = serve(
                emulator=EmulatorConfig(script=SCRIPT, think_s=0.05),
                secretary={"transfer_rules": [RULE]} | secretary,
                media=media("unicast"),
            )
            service.tenant.domain_name = CONTEXT
            service.database.execute(
                "update v_domains set domain_name = %s where domain_uuid = %s",
                CONTEXT,
                service.tenant.domain_uuid,
            )
            client = stack.enter_context(engine_client())
            caller, human = phone(stack, codec=codec), phone(stack)
            endpoint = dial_string or f"sofia/{PROFILE}/phone@{human.address}"
            dialstring.Leg(endpoint)
            desk = service.app._desk
            site = dataclasses.replace(desk.site, places=Human(endpoint))
            service.app._desk = dataclasses.replace(desk, site=site)
            dial(client, service, caller, "unicast")
            ready = Stage(client, service, caller, human)
            ready.ask()
            return ready

        yield start


def test_accepted_by_a_key_and_nobody_heard_what_was_private(stage: Any) -> None:
    line = stage()
    answered = line.briefed()
    gevent.sleep(1.5)
    pressed = time.monotonic()
    line.human.press("1")
    met = line.talk()
    gevent.sleep(1.5)
    assert who_is_heard(line.caller, answered, pressed - 0.2) == {MUSIC}
    assert who_is_heard(line.human, 0, pressed) == {AGENT}
    assert who_is_heard(line.caller, met) == {HUMAN}
    assert who_is_heard(line.human, met) == {CALLER}
    line.human.hang_up()
    wait_for(line.caller.over.is_set, CALL_S, "the caller is left alone")
    assert line.end() == ["completed"]


def test_accepted_by_voice_and_back_with_the_agent(stage: Any) -> None:
    line = stage(transfer_return=True)
    line.briefed()
    gevent.sleep(0.5)
    line.human.say(beep(0.6, HUMAN_HZ).frames(8000))
    wait_for(lambda: not len(line.service.app.calls), CALL_S, "not accepted")
    line.talk()
    line.hush()
    line.human.hang_up()
    left = time.monotonic()
    wait_for(lambda: AGENT in who_is_heard(line.caller, left), CALL_S, "the agent is not back")
    print(f"\nheard again {line.caller.hearing.first_sound_at(after=left) - left:.2f} s after")
    assert "with you again" in line.told()
    assert line.end() == ["returned"]


def test_back_with_the_agent_while_somebody_listens_to_a_call_of_l16(stage: Any) -> None:
    """FreeSWITCH would keep the call for ever, were it played by unicast: see `listening`."""
    line = stage(codec="L16", transfer_return=True)
    (call,) = line.service.app.calls
    line.briefed()
    gevent.sleep(0.5)
    line.human.say(beep(0.6, HUMAN_HZ).frames(8000))
    wait_for(lambda: not len(line.service.app.calls), CALL_S, "not accepted")
    line.talk()
    with closing(Phone("PCMU")) as listener:
        leg = dialstring.Leg(f"sofia/{PROFILE}/phone@{listener.address}")
        line.client.originate(dialstring.DialString([leg], {}), f"&eavesdrop({call.leg.uuid})")
        line.hush()
        line.human.hang_up()
        left = time.monotonic()
        wait_for(lambda: AGENT in who_is_heard(line.caller, left), CALL_S, "the agent is not back")
        assert (listener.hearing.last_sound_at or 0.0) > left
        line.caller.hang_up()
        wait_for(lambda: channels(line.client) == 0, CALL_S, "the call is left in FreeSWITCH")
    assert line.end() == ["returned"]


def test_declined(stage: Any) -> None:
    line = stage()
    line.briefed()
    line.human.press("2")
    wait_for(line.human.over.is_set, CALL_S, "the human's call goes on")
    assert "cannot take the call" in line.told()
    left = time.monotonic()
    wait_for(lambda: AGENT in who_is_heard(line.caller, left), CALL_S)
    assert line.end() == ["declined"]


@pytest.mark.parametrize(
    ("endpoint", "status"),
    [
        ("error/USER_BUSY", "busy"),
        ("error/CALL_REJECTED", "declined"),
        ("user/nobody@nowhere.example.com", "unreachable"),
        (f"loopback/1040/{CONTEXT}", "no_answer"),
    ],
)
def test_nobody_to_be_had(stage: Any, endpoint: str, status: str) -> None:
    line = stage(endpoint)
    assert "hears you again" in line.told()
    assert line.end() == [status]


@pytest.mark.parametrize("when", ["ringing", "briefing"])
def test_the_caller_leaves(stage: Any, when: str) -> None:
    line = stage(f"loopback/1040/{CONTEXT}" if when == "ringing" else "")
    if when == "briefing":
        line.briefed()
    else:
        wait_for(lambda: MUSIC in who_is_heard(line.caller), CALL_S)
    line.caller.hang_up()
    if when == "briefing":
        wait_for(line.human.over.is_set, CALL_S, "the human is left alone")
    assert line.end() == ["cancelled"]


def test_the_human_leaves_in_the_briefing(stage: Any) -> None:
    line = stage()
    line.briefed()
    line.human.hang_up()
    assert "hung up without taking" in line.told()
    assert line.end() == ["human_left"]


def lose_worker(service: Service) -> None:
    """Every Event Socket connection ends without a word, as when the process is killed."""
    for call in service.app.calls:
        call.leg.esl.close()
    for leg in tuple(service.app.door._server._calls):
        leg.close()


def test_the_worker_is_killed_in_the_briefing(stage: Any) -> None:
    line = stage()
    line.briefed()
    lose_worker(line.service)
    wait_for(line.human.over.is_set, CALL_S, "the human is left alone")
    wait_for(line.caller.over.is_set, CALL_S, "the caller is parked for ever")
    line.end()


def test_the_worker_is_killed_while_they_talk(stage: Any) -> None:
    line = stage(transfer_return=True)
    line.briefed()
    line.human.press("1")
    line.talk()
    line.service.app.door.stop(0.1)
    lose_worker(line.service)
    gevent.sleep(1.0)
    now = time.monotonic()
    wait_for(lambda: HUMAN in who_is_heard(line.caller, now), CALL_S, "they were parted")
    line.hush()
    line.human.hang_up()
    left = time.monotonic() + 0.3
    wait_for(lambda: TONE in who_is_heard(line.caller, left), CALL_S, "nobody has the caller")
    assert line.end() == ["completed"]


@pytest.mark.parametrize("who", ["human", "caller"])
def test_the_agent_introduces_the_two_and_leaves(stage: Any, who: str) -> None:
    line = stage(transfer_rules=[RULE | {"mode": "attended"}], transfer_return=True)
    line.briefed()
    line.human.press("1")
    records = line.service.tenant.records
    wait_for(lambda: len(records) == 3 and records[2].spoken, CALL_S, "no introduction")
    began = time.monotonic()
    wait_for(lambda: AGENT in who_is_heard(line.caller, began), CALL_S, "the caller hears none")
    wait_for(lambda: AGENT in who_is_heard(line.human, began), CALL_S, "the human hears none")
    wait_for(lambda: not records[2].open, CALL_S, "the agent stays")
    line.talk()
    line.hush()
    if who == "caller":
        line.caller.hang_up()
        wait_for(line.human.over.is_set, CALL_S, "the human is left in the room")
        assert line.end() == ["completed"]
    else:
        line.human.hang_up()
        left = time.monotonic()
        wait_for(lambda: AGENT in who_is_heard(line.caller, left), CALL_S, "not back")
        assert line.end() == ["returned"]
