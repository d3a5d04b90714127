"""Transfers, hold and codecs in mid-call: what FreeSWITCH 1.11.1 does to connections and media."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import gevent
import pytest

from esl_controller.simulator.switch import signalling
from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.control import Control
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.event import linger_notice
from esl_controller.simulator.switch.quirks import CALM
from tests.integration.simulator_replay import Application, execute
from tests.unit.simulator.conftest import wait_until

BEHIND = (Action("answer"), Action("park"))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def switch(listener: socket.socket) -> Iterator[Switch]:
    second = Action("socket", f"127.0.0.1:{listener.getsockname()[1]} async full")
    extensions = {"8002": (second, Action("transfer", "1000")), "1000": BEHIND}
    with Switch(SwitchConfig(quirks=CALM, extensions=extensions)) as switch:
        yield switch


def controlled(switch: Switch, listener: socket.socket):
    call = switch.originate_to_controller(*listener.getsockname())
    application = Application.accept(listener)
    application.ask(
        "connect\n\nlinger\n\nmyevents\n\nevent plain CODEC CHANNEL_HOLD CHANNEL_UNHOLD\n\n", 4
    )
    application.send(execute("answer"))
    application.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="answer")
    return call, application


def next_application(listener: socket.socket) -> Application:
    application = Application.accept(listener)
    application.ask("connect\n\nmyevents\n\n", 2)
    return application


@pytest.mark.parametrize(
    ("late_s", "kept"), [(0.0, True), (0.03, False), (0.1, False), (0.3, False)]
)
def test_an_exit_long_after_the_transfer_ends_the_next_sockets_park(
    switch, listener, late_s, kept
) -> None:
    """mod_event_socket.c listener_run clears CF_CONTROLLED; switch_ivr.c park waits for it."""
    call, first = controlled(switch, listener)
    if late_s:
        first.ask(f"api uuid_transfer {call.uuid} 8002 XML default\n\n", 1)
        gevent.sleep(late_s)
        first.send("exit\n\n")
    else:
        first.send(f"api uuid_transfer {call.uuid} 8002 XML default\n\nexit\n\n")
    second = next_application(listener)
    wait_until(lambda: first.closed)
    if kept:
        second.send(execute("set", "still=ours"))
        second.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="set")
        assert call.channel.destination == "8002"
    else:
        wait_until(lambda: call.channel.destination == "1000")
    assert not call.hung_up
    first.close()
    second.close()


def test_an_exit_however_late_loses_a_call_that_is_not_parked_yet() -> None:
    control = Control()
    control.park(alone=False)
    control.move(10.0)
    control.application_left(25.0)
    control.park(alone=False)
    assert not control.held
    control.park(alone=False)  # what the dialplan does next is nobody's any more
    assert control.held


def test_the_old_connection_is_told_that_the_call_went_elsewhere(switch, listener) -> None:
    """switch_ivr.c park and switch_core_session.c: UNPARK, the end of `socket`, what follows."""
    call, first = controlled(switch, listener)
    first.ask(f"api uuid_transfer {call.uuid} 1000 XML default\n\n", 1)
    first.wait_event("CHANNEL_EXECUTE", Application="park")
    names = first.events()
    told = names.index("CHANNEL_UNPARK")
    complete = first.wait_event("CHANNEL_EXECUTE_COMPLETE", Application="socket")
    assert complete is not None
    assert "CHANNEL_EXECUTE_COMPLETE" in names[told:]
    assert not first.closed
    first.close()


def test_unicast_works_anew_in_the_next_park(switch, listener) -> None:
    """switch_ivr.c: `conninfo` is a variable of switch_ivr_park; within one park it is spent."""
    call, first = controlled(switch, listener)
    unicast = "sendmsg\ncall-command: unicast\nlocal-port: 0\nremote-port: 9\n\n"
    first.send(unicast)
    wait_until(lambda: call.media.unicast is not None)
    call.media.end_unicast()
    first.ask(unicast, 1)
    gevent.sleep(0.06)
    assert call.media.unicast is None
    first.send(f"api uuid_transfer {call.uuid} 8002 XML default\n\nexit\n\n")
    second = next_application(listener)
    second.send(unicast)
    wait_until(lambda: call.media.unicast is not None)
    first.close()
    second.close()


def test_hold_is_told_and_nothing_is_sent_meanwhile(switch, listener) -> None:
    """switch_channel.c, switch_channel_check_hold: by re-INVITE and by `uuid_hold` alike."""
    call, application = controlled(switch, listener)
    assert application.ask(f"api uuid_hold {call.uuid}\n\n").message.body == b"+OK Success\n"
    application.wait_event("CHANNEL_HOLD")
    sent = call.media.frames_out
    call.media.play_now(bytes(320))
    assert call.media.frames_out == sent
    application.ask(f"api uuid_hold off {call.uuid}\n\n")
    application.wait_event("CHANNEL_UNHOLD")
    call.media.play_now(bytes(320))
    assert call.media.frames_out == sent + 1
    signalling.hold(call, on=False)
    assert application.events().count("CHANNEL_UNHOLD") == 1
    application.close()


def test_a_codec_set_anew_is_told_and_ends_unicast(switch, listener) -> None:
    """switch_core_codec.c raises CODEC; switch_ivr.c's unicast ends without a word."""
    call, application = controlled(switch, listener)
    application.send("sendmsg\ncall-command: unicast\nlocal-port: 0\nremote-port: 9\n\n")
    wait_until(lambda: call.media.unicast is not None)
    signalling.set_codec_anew(call)
    told = application.wait_event("CODEC")
    assert told.headers["Channel-Read-Codec-Name"]
    assert call.media.unicast is None
    application.close()


@pytest.mark.parametrize("user", ["5\r\napi status\n\n", "7" * 600, "%0A"])
def test_the_notice_prints_the_channels_name_raw_and_is_cut(user: str) -> None:
    """mod_event_socket.c, read_packet: `char disco_buf[512]`, "Channel-Name: %s"."""
    notice = linger_notice("uuid", f"sofia/internal/{user}@host", -1)
    assert len(notice) <= 511
    assert user.encode()[:300] in notice


def test_of_several_addresses_the_first_that_answers_is_used(switch, listener) -> None:
    """mod_event_socket.c socket_function: in order, and a port is the next one's too."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    port = listener.getsockname()[1]
    words = f"127.0.0.1:{nobody}|localhost|127.0.0.1:{port} async full"
    call = switch.start_call([Action("socket", words), *BEHIND])
    application = next_application(listener)
    assert call.channel.get("socket_host") == "127.0.0.1"
    assert not call.dialplan_continued
    application.close()
