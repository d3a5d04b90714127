"""The dialplan files: what FusionPBX's importer takes, and where a call goes, however it ends."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import gevent
import pytest

from esl_controller.simulator.switch import expansion
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import ChannelOptions
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.dialplan_xml import CallFacts, actions_of
from esl_controller.simulator.switch.quirks import CALM
from tests.integration.simulator_replay import Application

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "dialplan_xml").glob("*.xml"))
SHIPPED = ElementTree.parse(ROOT / "dialplan_xml" / "voice_ai_realtime.xml").getroot()
BOTH = {"domain_uuid": "11111111-2222-4333-8444-555555555555", "domain_name": "t.example.com"}
SOMEBODY = (Action("answer"), Action("park"))


def api(name: str, argument: str) -> str:
    assert name == "cond"
    return expansion.cond(argument)


def actions(number: str = "8000", **variables: str) -> list[Action]:
    facts = CallFacts({"destination_number": number}, variables, api)
    return actions_of([SHIPPED], facts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_one_extension_whose_socket_is_not_its_last_action(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    assert root.tag == "extension"
    actions = [action.get("application") for action in root.iter("action")]
    assert "socket" in actions
    assert actions.index("socket") < len(actions) - 1, "a call handed back would be hung up"
    sockets = [a.get("data", "") for a in root.iter("action") if a.get("application") == "socket"]
    assert all(data.endswith("async full") for data in sockets)


def test_no_condition_anywhere_has_a_variable_without_quotes() -> None:
    """`cond` answers -ERR when such a variable is unset, and the call goes nowhere."""
    pages = [*FILES, *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    conditions = [
        found
        for page in pages
        for found in re.findall(r"\bcond\((.*?\?)", page.read_text(encoding="utf-8"))
    ]
    assert conditions
    assert [c for c in conditions if re.search(r"(?<!')\$\{", c)] == []


@pytest.mark.parametrize(
    ("number", "variables", "taken"),
    [
        ("8000", BOTH, True),
        ("8999", BOTH, True),
        ("8000", {"domain_name": "t.example.com"}, True),
        ("8000", {"domain_uuid": BOTH["domain_uuid"]}, True),
        ("8000", {}, True),  # its context may be named after its domain
        ("80000", BOTH, False),
        ("7000", BOTH, False),
        ("18000", BOTH, False),
    ],
)
def test_which_calls_go_to_the_controller(number, variables, taken) -> None:
    assert ("socket" in [a.application for a in actions(number, **variables)]) == taken


def test_a_call_given_back_three_times_is_ended() -> None:
    for times in range(3):
        again = actions(voice_ai_fell_back="x" * times, **BOTH)
        assert again[-1].application == "transfer"
    last = actions(voice_ai_fell_back="xxx", **BOTH)
    assert [a.application for a in last] == ["log", "hangup"]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def switch() -> Iterator[Switch]:
    numbers = {"1000": SOMEBODY, "voice_ai_turn_based": SOMEBODY}
    with Switch(SwitchConfig(quirks=CALM, extensions=numbers, speed=4.0)) as switch:
        yield switch


def call(switch: Switch, port: int):
    def here(action: Action) -> Action:
        is_socket = action.application == "socket"
        return Action("socket", f"127.0.0.1:{port} async full") if is_socket else action

    program = [here(action) for action in actions(**BOTH)]
    options = ChannelOptions(destination_number="8000", variables=BOTH)
    return switch.start_call(program, channel=options)


def arrives_at(session, number: str) -> None:
    with gevent.Timeout(5):
        while session.channel.destination == "8000" or not session.answered.is_set():
            assert not session.hung_up, session.channel.hangup_cause
            gevent.sleep(0.01)
    assert session.channel.destination == number
    assert session.channel.get("playback_terminators") is None
    assert session.channel.get("voice_ai_fell_back") == "x"


def test_no_worker_answers(switch: Switch, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    session = call(switch, port)
    arrives_at(session, "1000")
    assert session.unreachable


@pytest.mark.parametrize("when", ["connected", "answered"])
def test_the_worker_is_killed(switch: Switch, listener: socket.socket, when: str) -> None:
    session = call(switch, listener.getsockname()[1])
    application = Application.accept(listener)
    application.ask("connect\n\nlinger\n\nmyevents\n\n", 3)
    if when == "answered":
        application.send("sendmsg\ncall-command: execute\nexecute-app-name: answer\n\n")
        assert session.answered.wait(5)
        assert session.channel.get("playback_terminators") == "none"
    application.close()
    arrives_at(session, "1000")


@pytest.mark.parametrize(
    ("outcome", "number"),
    [("overflow", "1000"), ("turn_based", "voice_ai_turn_based"), ("failed", "1000")],
)
def test_the_controller_gives_the_call_back(
    switch: Switch, listener: socket.socket, outcome: str, number: str
) -> None:
    session = call(switch, listener.getsockname()[1])
    application = Application.accept(listener)
    application.ask("connect\n\n", 1)
    application.ask(f"api uuid_setvar {session.uuid} voice_ai_outcome {outcome}\n\n", 1)
    application.send("exit\n\n")
    arrives_at(session, number)
    application.close()
