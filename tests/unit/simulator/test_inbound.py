"""The inbound port: authentication, api, events of all calls, originate."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM
from tests.integration.simulator_replay import Application, execute
from tests.unit.simulator.conftest import wait_until


@pytest.fixture
def switch() -> Iterator[Switch]:
    extensions = {
        "8001": (Action("answer"), Action("playback", "tone_stream://%(200,0,500)")),
        "8002": (Action("hangup", "USER_BUSY"),),
    }
    with Switch(SwitchConfig(quirks=CALM, extensions=extensions, speed=5)) as switch:
        yield switch


@pytest.fixture
def client(switch: Switch) -> Iterator[Application]:
    client = Application.connect(switch.listen_inbound())
    client.wait(lambda: len(client.seen) == 1)
    assert client.ask("auth ClueCon\n\n").headers["Reply-Text"] == "+OK accepted"
    yield client
    client.close()


def test_wrong_password_is_sent_away(switch: Switch) -> None:
    client = Application.connect(switch.listen_inbound())
    assert client.ask("auth guess\n\n").headers["Reply-Text"] == "-ERR invalid"
    client.wait(lambda: client.closed)
    assert client.seen[0].shape() == "auth/request | "
    assert client.seen[-1].message.kind == "text/disconnect-notice"
    client.close()


def test_questions_a_doctor_asks(switch: Switch, client: Application) -> None:
    def ask(command: str) -> str:
        return client.ask(f"api {command}\n\n").message.body.decode()

    assert ask("version").startswith("FreeSWITCH Version 1.11.1")
    assert ask("status").startswith("UP 0 years")
    assert ask("module_exists mod_audio_stream") == "true"
    assert ask("module_exists mod_audio_fork") == "false"
    assert ask("uuid_audio_stream").startswith("-USAGE")
    assert ask("show channels count") == "\n0 total.\n"
    assert ask("echo a  b") == "a  b"
    assert ask("hostname") == "fs-sim"
    assert ask("global_getvar domain") == "127.0.0.1"
    assert len(ask("create_uuid")) == 36
    assert client.ask("getvar x\n\n").headers["Reply-Text"] == "-ERR command not found"
    assert client.ask("linger\n\n").headers["Reply-Text"].startswith("-ERR")
    assert client.ask("exit\n\n").headers["Reply-Text"] == "+OK bye"
    client.wait(lambda: client.closed)


@pytest.mark.parametrize(
    ("dial", "answer"),
    [
        ("sofia/internal/1001@127.0.0.1", "-ERR USER_BUSY\n"),
        ("sofia/internal/1005@127.0.0.1", "-ERR CALL_REJECTED\n"),
        ("{originate_timeout=1}sofia/gateway/gw/1002", "-ERR NO_ANSWER\n"),
        ("user/4242@tenant1.example.com", "-ERR SUBSCRIBER_ABSENT\n"),
        ("sofia/internal/1000@127.0.0.1:5999", "-ERR NORMAL_TEMPORARY_FAILURE\n"),
        ("loopback/8002/default", "-ERR USER_BUSY\n"),
        ("nosuchendpoint/x", "-ERR CHAN_NOT_IMPLEMENTED\n"),
        ("error/user_busy", "-ERR USER_BUSY\n"),
    ],
)
def test_originate_refused(switch: Switch, client: Application, dial: str, answer: str) -> None:
    client.ask("event plain BACKGROUND_JOB\n\n")
    client.send(f"bgapi originate {dial} &park()\nJob-UUID: mine\n\n")
    job = client.wait_event("BACKGROUND_JOB", Job_UUID="mine")
    assert job.body.decode() == answer
    assert job.headers["Job-Command"] == "originate"
    wait_until(lambda: switch.sessions == {})


def test_loopback_runs_the_extension_and_both_halves_hear(
    switch: Switch, client: Application
) -> None:
    uuid = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    client.ask("event plain CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE\n\n")
    reply = client.ask(
        f"api originate {{origination_uuid={uuid}}}loopback/8001/default &park()\n\n"
    )
    assert reply.message.body.decode() == f"+OK {uuid}\n"
    near = switch.sessions[uuid]
    wait_until(near.ended.is_set)
    client.wait_event("CHANNEL_HANGUP_COMPLETE", 2)
    assert near.media.frames_in >= 9  # the tone of the other half


def test_filter_and_sendmsg_to_a_call(switch: Switch, client: Application) -> None:
    one = switch.start_call([Action("answer"), Action("park")])
    other = switch.start_call([Action("answer"), Action("park")])
    client.ask(f"filter Unique-ID {one.uuid}\n\n")
    client.ask("event plain ALL\n\n")
    wait_until(lambda: one.parked and other.parked)
    for call in (other, one):
        message = execute("set", "a=b").replace("sendmsg", f"sendmsg {call.uuid}")
        assert client.ask(message).headers["Reply-Text"] == "+OK"
    client.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="set")
    assert {seen.headers["Unique-ID"] for seen in client.seen if seen.event} == {one.uuid}
    reply = client.ask("filter delete Unique-ID\n\n").headers["Reply-Text"]
    assert reply == "+OK filter deleted. [Unique-ID]"
    assert client.ask("noevents\n\n").headers["Reply-Text"].startswith("+OK no longer")
    assert client.ask("myevents nobody\n\n").headers["Reply-Text"] == "-ERR invalid uuid"
    assert client.ask("event\n\n").headers["Reply-Text"] == "-ERR no keywords supplied"


def test_announced_transfer(switch: Switch, client: Application) -> None:
    """Second leg answered, spoken to, then joined; the first leg is parked when it leaves."""
    first = switch.start_call([Action("answer"), Action("park")])
    first.channel.set("park_after_bridge", "true")
    uuid = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    dial = f"{{origination_uuid={uuid}}}sofia/internal/1004@127.0.0.1"
    assert switch.originate(f"{dial} &park()") == f"+OK {uuid}\n"
    client.ask(f"api uuid_broadcast {uuid} tone_stream://%(100,0,500) aleg\n\n")
    reply = client.ask(f"api uuid_bridge {first.uuid} {uuid}\n\n")
    assert reply.message.body.decode() == f"+OK {uuid}\n"
    wait_until(lambda: first.partner is not None)
    assert client.ask(f"api uuid_kill {uuid}\n\n").message.body == b"+OK\n"
    wait_until(lambda: first.parked)
    assert first.channel.running_state == "CS_PARK"
    client.ask(f"api uuid_park {first.uuid}\n\n")
    client.ask(f"api uuid_transfer {first.uuid} 4711\n\n")
    assert first.ended.wait(5)
    assert first.channel.hangup_cause == "NO_ROUTE_DESTINATION"


def test_called_party_can_be_put_to_the_application(switch: Switch, client: Application) -> None:
    """`originate … &socket(…)`: how an outgoing call reaches the controller."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        dial = f"sofia/gateway/gw/1004 '&socket({host}:{port} async full)'"
        client.send(f"bgapi originate {dial}\n\n")
        app = Application.accept(listener)
        reply = app.ask("connect\n\n")
        assert reply.headers["Call-Direction"] == "outbound"
        assert reply.headers["Answer-State"] == "answered"
        app.ask("exit\n\n")
        wait_until(lambda: switch.sessions == {})
        app.close()


@pytest.mark.parametrize(
    ("behind", "context"),
    [("8001 XML tenant.example", "tenant.example"), ("8001", "default"), ("8001 undef a", "a")],
)
def test_called_party_can_be_sent_to_a_number(
    switch: Switch, client: Application, behind: str, context: str
) -> None:
    """Answered first, then the dialplan of the number in that context."""
    client.ask("event plain CHANNEL_ANSWER CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE\n\n")
    client.ask(f"api originate {{domain_name=x}}user/1004@x {behind}\n\n")
    client.wait_event("CHANNEL_HANGUP_COMPLETE")
    events = [seen for seen in client.seen if seen.event]
    assert [seen.headers["Event-Name"] for seen in events] == [
        "CHANNEL_ANSWER", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE", "CHANNEL_HANGUP_COMPLETE",
    ]  # fmt: skip
    assert events[0].headers["Caller-Destination-Number"] == "1004"
    assert events[1].headers["Caller-Destination-Number"] == "8001"
    assert {seen.headers["Caller-Context"] for seen in events[1:]} == {context}


def test_called_party_sent_to_no_number_of_the_dialplan_is_hung_up(
    switch: Switch, client: Application
) -> None:
    client.ask("event plain CHANNEL_HANGUP_COMPLETE\n\n")
    assert switch.originate("user/1004@x 4711 XML default").startswith("+OK ")
    ended = client.wait_event("CHANNEL_HANGUP_COMPLETE")
    assert ended.headers["Hangup-Cause"] == "NO_ROUTE_DESTINATION"


def test_who_refuses_is_sent_nowhere(switch: Switch) -> None:
    assert switch.originate("user/1001@x 8001 XML default") == "-ERR USER_BUSY\n"
    wait_until(lambda: switch.sessions == {})


@pytest.mark.parametrize("argument", ["", "user/1004@x", "a b c d e f g h", "undef &park()"])
def test_wrong_number_of_arguments(switch: Switch, argument: str) -> None:
    assert switch.originate(argument).startswith("-USAGE: <call url>")


def test_create_and_destroy_are_seen_from_outside_only(switch: Switch, client: Application) -> None:
    client.ask("event plain CHANNEL_CREATE CHANNEL_DESTROY\n\n")
    call = switch.start_call([Action("answer")])
    client.wait_event("CHANNEL_DESTROY", Unique_ID=call.uuid)
    assert client.events() == ["CHANNEL_CREATE", "CHANNEL_DESTROY"]
