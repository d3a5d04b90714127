"""The dialplan file: what FusionPBX's importer takes, and where a call goes, however it ends."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import gevent
import pytest

from esl_controller.simulator.switch import expansion
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.channel import ChannelOptions
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.dialplan_xml import CallFacts, actions_of
from esl_controller.simulator.switch.quirks import CALM
from esl_controller.simulator.switch.session import Session
from tests.integration.simulator_replay import Application

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "dialplan_xml").glob("*.xml"))
SHIPPED = ElementTree.parse(ROOT / "dialplan_xml" / "900_voice_ai_realtime.xml").getroot()
BOTH = {"domain_uuid": "11111111-2222-4333-8444-555555555555", "domain_name": "t.example.com"}
SOMEBODY = (Action("answer"), Action("park"))
MODE, VERSION_1 = "get_secretary_mode.lua", "voice_ai_turn_based.lua"


def api(name: str, argument: str) -> str:
    assert name in ("cond", "sched_api")
    return expansion.cond(argument) if name == "cond" else "+OK Added: 1"


def actions(
    number: str = "8000",
    root: Element = SHIPPED,
    found: Mapping[str, str] | None = None,
    **more: str,
) -> list[Action]:
    """What runs when the call is routed; `found` is what the look-up sets."""
    variables = dict(more)

    def inline(action: Action) -> None:
        assert action == Action("lua", MODE)
        variables.update(found or {})

    facts = CallFacts({"destination_number": number, "context": "ctx"}, variables, api, inline)
    return actions_of([root], facts)


def goes_to(made: Sequence[Action], **variables: str) -> str:
    """Where the last action sends the caller."""
    if not made or made[-1].application != "transfer":
        return ""
    return CallFacts({"context": "ctx"}, variables, api).expand(made[-1].data).split()[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_one_extension_that_fusionpbx_can_import(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    assert root.tag == "extension"
    assert {"name", "context", "app_uuid", "order"} <= set(root.keys())
    for element in root.iter():
        assert not any(c in text for text in element.attrib.values() for c in '&<>"'), element
        if element.tag in ("action", "anti-action"):
            assert set(element.keys()) <= {"application", "data", "inline"}
            assert element.get("data") is not None, "the importer reads it"


def imported(root: Element) -> Element:
    """Taken apart and written anew as FusionPBX does: in groups that end with a condition that has
    actions, conditions first (app/dialplans/resources/classes/dialplan.php, import and xml)."""
    new = Element("extension", {"name": root.get("name", ""), "continue": "false"})
    for condition in root.iter("condition"):
        kept = {
            k: condition.get(k, "") for k in ("field", "expression", "break") if condition.get(k)
        }
        made = ElementTree.SubElement(new, "condition", kept)
        for tag in ("action", "anti-action"):
            for action in condition.iter(tag):
                ElementTree.SubElement(made, tag, dict(action.attrib))
    text = ElementTree.tostring(new, encoding="unicode").replace("$$", "$")
    return ElementTree.fromstring(text)


CASES: list[tuple[str, dict[str, str], str]] = [
    ("8001", {"voice_ai_mode": "realtime"}, "voice_ai_given_back"),
    ("8001", {"voice_ai_mode": "turn_based"}, "voice_ai_turn_based"),
    ("8001", {"voice_ai_mode": "none"}, ""),
    ("8001", {"user_exists": "true"}, ""),
    ("80000", {}, ""),
    ("voice_ai_given_back", {"voice_ai_person": "200"}, "200"),
    ("voice_ai_given_back", {"voice_ai_mode": "auto"}, "voice_ai_person"),
]


def test_what_the_importer_makes_of_it_does_the_same() -> None:
    for number, variables, _ in CASES:
        same = actions(number, imported(SHIPPED), **variables)
        assert same == actions(number, **variables), (number, variables)


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


@pytest.mark.parametrize(("number", "variables", "where"), CASES)
def test_where_a_call_goes(number: str, variables: dict[str, str], where: str) -> None:
    assert goes_to(actions(number, **variables), **variables) == where


@pytest.mark.parametrize("number", ["80000", "7000", "18000", "voice_ai_realtimes", "1000"])
def test_no_other_number_is_looked_up(number: str) -> None:
    assert actions(number, found={"voice_ai_mode": "realtime"}, **BOTH) == []


def test_a_number_whose_mode_could_not_be_found_out_goes_to_the_controller() -> None:
    made = actions("8001", **BOTH)
    assert "socket" in [action.application for action in made]


@pytest.mark.parametrize(
    ("mode", "outcome", "where"),
    [
        ("realtime", "", "a person"),
        ("realtime", "overflow", "a person"),
        ("realtime", "turn_based", "version 1"),
        ("auto", "", "version 1"),
        ("auto", "turn_based", "version 1"),
        ("auto", "overflow", "version 1"),
        ("auto", "unavailable", "version 1"),
        ("auto", "failed", "version 1"),
        ("auto", "closed", "a person"),
        ("auto", "budget", "a person"),
        ("", "", "a person"),
        ("", "turn_based", "version 1"),
    ],
)
def test_who_gets_a_call_that_was_given_back(mode: str, outcome: str, where: str) -> None:
    variables = {"voice_ai_mode": mode, "voice_ai_outcome": outcome}
    made = actions("voice_ai_given_back", **variables)
    scripts = [action.data for action in made if action.application == "lua"]
    assert scripts == ([VERSION_1] if where == "version 1" else [])


def test_version_1_gives_a_caller_to_the_ai_for_the_number_he_called() -> None:
    """The controller clears `voice_ai_extension` with the first pass."""
    variables = {"voice_ai_number": "8001", "voice_ai_mode": "auto"}
    made = actions("voice_ai_realtime", **variables)
    facts = CallFacts({}, variables, api)
    assert "socket" in [action.application for action in made]
    numbers = [a.data for a in made if a.data.startswith("voice_ai_number=")]
    assert [facts.expand(number) for number in numbers] == ["voice_ai_number=8001"]
    afresh = actions("8002", **variables)
    assert facts.expand(afresh[0].data) == "voice_ai_number=8002"


def test_a_call_given_back_again_and_again_is_ended() -> None:
    for times in range(6):
        assert goes_to(actions("8001", voice_ai_fell_back="x" * times, **BOTH))
    last = actions("8001", voice_ai_fell_back="x" * 6, **BOTH)
    assert [a.application for a in last] == ["log", "hangup"]


def test_a_caller_who_is_back_goes_to_the_worker_that_knows_him_else_to_any() -> None:
    made = actions("voice_ai_return", voice_ai_return_to="10.0.0.5:9001", **BOTH)
    (where,) = [action.data for action in made if action.application == "socket"]
    assert where == "10.0.0.5:9001|127.0.0.1:8084 async full"
    assert goes_to(actions("voice_ai_return", voice_ai_person="200", **BOTH))


class Dialplan(Mapping[str, Sequence[Action]]):
    """The shipped file routing the one call of a switch, with a person at 1000."""

    def __init__(self, port: int, found: Mapping[str, str]) -> None:
        self.session: Session | None = None
        self._port, self._found = port, found

    def __getitem__(self, number: str) -> Sequence[Action]:
        if number == "1000":
            return SOMEBODY
        variables = dict(BOTH) if self.session is None else known(self.session)
        made = actions(number, found=self._found, **dict(variables))
        return [self._here(action) for action in made]

    def _here(self, action: Action) -> Action:
        data = action.data.replace("127.0.0.1:8084", f"127.0.0.1:{self._port}")
        return Action(action.application, data)

    def __iter__(self) -> Iterator[str]:
        yield from ()

    def __len__(self) -> int:
        return 0


def known(session: Session) -> dict[str, str]:
    names = ("mode", "outcome", "person", "fell_back", "extension", "return_to")
    values = {f"voice_ai_{name}": session.channel.get(f"voice_ai_{name}") or "" for name in names}
    return {name: value for name, value in values.items() if value}


def version_1(session: Session) -> None:
    """Takes the caller."""
    session.replace_program([Action("set", "served_by=version_1"), *SOMEBODY])


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


class Call:
    """A call to 8001 in the simulator."""

    def __init__(self, port: int, mode: str, *, version_1_lives: bool = True) -> None:
        found = {"voice_ai_mode": mode, "voice_ai_extension": "8001"}
        self.dialplan = Dialplan(port, found)
        scripts: dict[str, Any] = {VERSION_1: version_1} if version_1_lives else {}
        config = SwitchConfig(quirks=CALM, extensions=self.dialplan, scripts=scripts, speed=4.0)
        self.switch = Switch(config)
        options = ChannelOptions(destination_number="8001", variables=BOTH | found)
        self.session = self.switch.start_call(self.dialplan["8001"], channel=options)
        self.dialplan.session = self.session

    def __enter__(self) -> Call:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.switch.close()

    def arrives_at(self, who: str) -> None:
        session = self.session
        with gevent.Timeout(8):
            while not session.answered.is_set() or self._whom() == "":
                assert not session.hung_up, session.channel.hangup_cause
                gevent.sleep(0.01)
        assert self._whom() == who
        assert session.channel.get("playback_terminators") is None

    def _whom(self) -> str:
        channel = self.session.channel
        if channel.get("served_by"):
            return "version 1"
        return "a person" if channel.destination == "1000" else ""


WHO = [("realtime", "a person"), ("auto", "version 1")]


@pytest.mark.parametrize(("mode", "who"), WHO)
def test_no_worker_answers(listener: socket.socket, mode: str, who: str) -> None:
    port = listener.getsockname()[1]
    listener.close()
    with Call(port, mode) as call:
        call.arrives_at(who)
        assert call.session.unreachable


def test_version_1_is_away_too(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    with Call(port, "auto", version_1_lives=False) as call:
        call.arrives_at("a person")


@pytest.mark.parametrize(("mode", "who"), WHO)
def test_a_worker_that_hangs_is_not_waited_for(
    listener: socket.socket, mode: str, who: str
) -> None:
    with Call(listener.getsockname()[1], mode) as call:
        call.arrives_at(who)
        late = Application.accept(listener)
        late.ask("connect\n\n", 1)  # a worker that wakes up finds the caller elsewhere
        late.close()
        call.arrives_at(who)


@pytest.mark.parametrize("when", ["connected", "answered"])
def test_the_worker_is_killed(listener: socket.socket, when: str) -> None:
    with Call(listener.getsockname()[1], "realtime") as call:
        application = Application.accept(listener)
        application.ask("connect\n\nlinger\n\nmyevents\n\n", 3)
        if when == "answered":
            application.send("sendmsg\ncall-command: execute\nexecute-app-name: answer\n\n")
            assert call.session.answered.wait(5)
            assert call.session.channel.get("playback_terminators") == "none"
        application.close()
        call.arrives_at("a person")


@pytest.mark.parametrize(
    ("outcome", "who"),
    [("overflow", "a person"), ("turn_based", "version 1"), ("failed", "a person")],
)
def test_the_controller_gives_the_call_back(
    listener: socket.socket, outcome: str, who: str
) -> None:
    with Call(listener.getsockname()[1], "realtime") as call:
        application = Application.accept(listener)
        application.ask("connect\n\n", 1)
        application.ask(f"api uuid_setvar {call.session.uuid} voice_ai_outcome {outcome}\n\n", 1)
        application.send("exit\n\n")
        call.arrives_at(who)
        application.close()
