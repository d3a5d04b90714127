"""Second legs: `bridge` in all its outcomes, as recorded on FreeSWITCH 1.11.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.simulator import speech
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import After, At, HangUp, Say, Step
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.legs import FarEnd, parse_dial_string
from esl_controller.simulator.switch.quirks import CALM
from tests.integration.simulator_replay import execute
from tests.unit.simulator.conftest import wait_until

BEEP = speech.beep(0.3)


def bridged(desk, target: str, *variables: str):
    """Run `bridge` on an answered call; its CHANNEL_EXECUTE_COMPLETE."""
    desk.answer(*variables)
    desk.app.send(execute("bridge", target))
    return desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="bridge")


@pytest.mark.parametrize(
    ("target", "disposition", "status"),
    [
        ("sofia/internal/1001@127.0.0.1:5080", "USER_BUSY", "BUSY"),
        ("sofia/internal/1005@127.0.0.1:5080", "CALL_REJECTED", "DONTCALL"),
        ("{originate_timeout=1}sofia/internal/1002@127.0.0.1:5080", "NO_ANSWER", "NOANSWER"),
        ("sofia/internal/9@127.0.0.1:5999", "NORMAL_TEMPORARY_FAILURE", "NORMAL_TEMPORARY_FAILURE"),
        ("user/4242@tenant1.example.com", "SUBSCRIBER_ABSENT", "SUBSCRIBER_ABSENT"),
    ],
)
def test_failed_bridge_keeps_the_caller_if_asked(
    call_desk, target: str, disposition: str, status: str
) -> None:
    desk = call_desk()
    complete = bridged(desk, target, "continue_on_fail=true")
    assert complete.headers["Application-Response"] == "_none_"
    assert complete.headers["variable_originate_disposition"] == disposition
    assert complete.headers["variable_DIALSTATUS"] == status
    assert not desk.call.hung_up
    wait_until(lambda: len(desk.switch.sessions) == 1)


def test_failed_bridge_ends_the_call_otherwise(call_desk) -> None:
    desk = call_desk()
    bridged(desk, "sofia/internal/1001@127.0.0.1:5080")
    assert desk.call.ended.wait(5)
    assert desk.caller.cause == "USER_BUSY"


@pytest.mark.parametrize("hangs_up", [False, True])
def test_caller_comes_back_when_the_far_end_leaves(call_desk, hangs_up: bool) -> None:
    desk = call_desk(speed=10)
    variable = f"hangup_after_bridge={str(hangs_up).lower()}"
    complete = bridged(desk, "sofia/internal/1008@127.0.0.1:5080", variable)
    assert complete.headers["variable_bridge_hangup_cause"] == "NORMAL_CLEARING"
    names = desk.app.events()
    assert (
        names[names.index("CHANNEL_BRIDGE") :][:3]
        == [
            "CHANNEL_BRIDGE",
            "CHANNEL_UNBRIDGE",
            "CHANNEL_EXECUTE_COMPLETE",
        ]
        or hangs_up
    )
    assert desk.call.ended.wait(0.1) == hangs_up


def test_caller_hangs_up_during_a_bridge(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    desk.app.send(execute("bridge", "sofia/internal/1004@127.0.0.1:5080"))
    desk.app.wait_event("CHANNEL_BRIDGE")
    desk.caller.hang_up()
    desk.app.wait_event("CHANNEL_HANGUP_COMPLETE")
    names = desk.app.events()
    assert names[names.index("CHANNEL_HANGUP") :] == [
        "CHANNEL_HANGUP",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_UNPARK",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_STATE",
        "CHANNEL_STATE",
        "CHANNEL_HANGUP_COMPLETE",
    ]
    wait_until(lambda: len(desk.switch.sessions) == 1)  # the lingering one


def test_messages_wait_for_the_end_of_a_bridge(call_desk) -> None:
    desk = call_desk(speed=10)
    desk.answer()
    desk.app.send(execute("bridge", "sofia/internal/1008@127.0.0.1:5080"))
    desk.app.send(execute("set", "a=b", lock=False))
    desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="set")
    names = desk.app.events()
    assert names.index("CHANNEL_UNBRIDGE") < len(names) - 2


def test_both_sides_hear_each_other() -> None:
    agents: list[Caller] = []

    def agent() -> Caller:
        agents.append(Caller([Step(At(0.1), Say(BEEP)), Step(After(0.4), HangUp())]))
        return agents[-1]

    config = SwitchConfig(quirks=CALM, far_ends={"7": FarEnd(end=agent)}, speed=4)
    with Switch(config) as switch:
        caller = Caller([Step(At(0.3), Say(BEEP))])
        program = [Action("answer"), Action("bridge", "user/7")]
        assert switch.start_call(program, caller=caller).ended.wait(5)
    assert caller.report().sound_ms == pytest.approx(300, abs=20)
    assert agents[0].report().sound_ms == pytest.approx(300, abs=20)


@given(st.text(max_size=60))
def test_any_text_is_some_dial_string(text: str) -> None:
    assert parse_dial_string(text).timeout_s > 0


def test_dial_strings() -> None:
    dial = parse_dial_string("{a=1,b='x y'}[c=2]sofia/gateway/gw/1004@h;p")
    assert (dial.endpoint, dial.target) == ("sofia", "1004")
    assert dial.variables == {"a": "1", "b": "x y", "c": "2"}
    assert parse_dial_string("{originate_timeout=3}user/9@d").timeout_s == 3
    assert parse_dial_string("loopback/8001/default").target == "8001"
