"""How the switch connects to the application, waits, and leaves."""

from __future__ import annotations

import socket

import gevent
import pytest

from esl_controller.simulator.caller import Caller
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM, FAITHFUL
from esl_controller.simulator.switch.silent_end import SilentEnd
from tests.integration.simulator_replay import Application, execute
from tests.unit.simulator.conftest import EVENTS, wait_until


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def test_first_command_that_is_not_connect_is_never_answered(call_desk) -> None:
    desk = call_desk(greeting="myevents\n\n")
    gevent.sleep(0.05)
    assert desk.app.received == b""
    desk.app.ask("connect\n\n")
    desk.app.wait_event("CHANNEL_PARK")  # so `myevents` was carried out


def test_silent_application_is_left_and_the_caller_rings_on(call_desk) -> None:
    desk = call_desk(greeting="", connect_timeout_s=0.05)
    desk.app.wait(lambda: desk.app.closed)
    gevent.sleep(0.05)
    assert desk.app.received == b""
    assert not desk.call.hung_up
    desk.caller.hang_up()
    assert desk.call.ended.wait(5)
    assert desk.call.channel.get("sip_hangup_disposition") == "recv_cancel"


def test_caller_gives_up_before_connect(call_desk) -> None:
    desk = call_desk(greeting="")
    desk.caller.hang_up()
    desk.app.wait(lambda: desk.app.closed)
    assert [seen.headers["Content-Disposition"] for seen in desk.app.seen] == ["disconnect"]


@pytest.mark.parametrize("actions", [(), (Action("answer"), Action("sleep", "20"))])
def test_nobody_listens(actions: tuple[Action, ...]) -> None:
    with Switch(SwitchConfig(quirks=CALM)) as switch:
        call = switch.originate_to_controller("127.0.0.1", free_port(), actions_after=actions)
        assert call.ended.wait(5)
        assert [action.application for action in call.actions_run[1:]] == [
            action.application for action in actions
        ]
        assert not call.dialplan_continued
        assert switch.sessions == {}


def test_socket_without_full_refuses_commands(call_desk) -> None:
    desk = call_desk(full=False, greeting="")
    desk.app.ask("connect\n\n")
    for command in ("api uuid_exists x", "bgapi status", "event plain DTMF", "linger", "exit"):
        reply = desk.app.ask(f"{command}\n\n")
        assert reply.headers["Reply-Text"] == "-ERR command not found"
    assert desk.app.ask("getvar domain_name\n\n").headers["Reply-Text"] == "tenant1.example.com"
    assert desk.app.ask(execute("answer")).headers["Reply-Text"] == "+OK"


def test_lingering_call_is_kept_until_exit(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    desk.caller.hang_up()
    desk.app.wait_event("CHANNEL_HANGUP_COMPLETE")
    assert desk.api(f"uuid_exists {desk.uuid}") == "false"
    assert desk.api("show channels count") == "\n1 total.\n"
    assert desk.app.ask(execute("playback", "x")).headers["Reply-Text"] == "+OK"
    desk.app.send("exit\n\n")
    desk.app.wait(lambda: desk.app.closed)
    wait_until(lambda: desk.switch.sessions == {})


def test_own_socket_never_hears_of_the_destroy(call_desk) -> None:
    desk = call_desk(greeting="connect\n\nlinger\n\nevent plain ALL\n\n")
    other = desk.switch.start_call([Action("answer")])
    desk.caller.hang_up()
    assert desk.call.ended.wait(5)
    desk.app.wait_event("CHANNEL_HANGUP_COMPLETE", 2)
    desk.app.wait_event("CHANNEL_DESTROY")
    destroyed = [seen for seen in desk.app.seen if seen.event == "CHANNEL_DESTROY"]
    assert [seen.headers["Unique-ID"] for seen in destroyed] == [other.uuid]


def test_hangup_complete_may_be_lost_without_linger(call_desk) -> None:
    desk = call_desk(greeting=f"connect\n\n{EVENTS}", lost_hangup_complete=1.0)
    desk.answer()
    desk.caller.hang_up()
    desk.app.wait(lambda: desk.app.closed)
    assert desk.app.events()[-1] == "CHANNEL_STATE"
    assert desk.app.seen[-1].headers["Content-Disposition"] == "disconnect"


def test_linger_notice_comes_anywhere() -> None:
    places = set()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for seed in range(12):
            with Switch(SwitchConfig(quirks=FAITHFUL, seed=seed)) as switch:
                caller = Caller()
                switch.originate_to_controller(*listener.getsockname(), caller=caller)
                app = Application.accept(listener)
                app.send(f"connect\n\nlinger\n\n{EVENTS}" + execute("answer"))
                app.wait_event("CHANNEL_EXECUTE_COMPLETE")
                caller.hang_up()
                app.wait_event("CHANNEL_HANGUP_COMPLETE")
                app.wait(lambda app=app: any("linger" in shape for shape in app.shapes()[4:]))
                shapes = app.shapes()
                first = shapes.index("CHANNEL_HANGUP | CS_EXECUTE | hangup | NORMAL_CLEARING")
                notice = next(n for n, s in enumerate(shapes) if s.startswith("text/disconnect"))
                places.add(notice - first)
                app.close()
    assert len(places) > 1


def test_events_follow_a_tick_and_replies_do_not(call_desk) -> None:
    """Commands in one segment are all answered before the first event of theirs."""
    desk = call_desk(greeting="connect\n\nmyevents\n\nlinger\n\n" + execute("answer"))
    desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE")
    kinds = [bool(seen.event) for seen in desk.app.seen]
    assert kinds[:4] == [False] * 4


def test_unicast_without_media_takes_everything_down(call_desk) -> None:
    desk = call_desk()
    reply = desk.app.ask("sendmsg\ncall-command: unicast\nlocal-port: 1\nremote-port: 2\n\n")
    assert reply.headers["Reply-Text"] == "+OK"
    desk.app.wait(lambda: desk.app.closed)
    assert "unicast" in desk.switch.crashed
    assert desk.call.ended.wait(1)
    with pytest.raises(ConnectionError):
        desk.switch.originate_to_controller("127.0.0.1", 1)


def test_api_command_blocks_the_connection_and_its_events(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream(close_tcp=False)
    stream.wait_frames(1)
    desk.app.send(f"api uuid_audio_stream {desk.uuid} stop\n\n")
    stream.wait_frames(1, opcode=8)
    desk.caller.press("1")
    gevent.sleep(0.1)
    assert "DTMF" not in desk.app.events()
    desk.app.wait_event("DTMF")
    kinds = [seen.event or seen.message.kind for seen in desk.app.seen]
    assert kinds.index("DTMF") > kinds.index("api/response")


def test_closing_leaves_nothing_behind(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream()
    desk.switch.close()
    desk.app.wait(lambda: desk.app.closed)
    stream.wait_ended()
    assert desk.switch.sessions == {}


def test_trouble_in_one_call_does_not_stop_the_others(capsys) -> None:
    class BrokenEnd(SilentEnd):
        def speak(self, now: float) -> bytes | None:
            raise ZeroDivisionError

    with Switch(SwitchConfig(quirks=CALM)) as switch:
        switch.start_call([Action("answer"), Action("park")], caller=BrokenEnd())
        other = switch.start_call([Action("answer"), Action("sleep", "100")])
        assert other.ended.wait(5)
        assert [type(failure) for failure in switch.clock.failures] == [ZeroDivisionError]
    assert "ZeroDivisionError" in capsys.readouterr().err
