from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import gevent
import pytest
from gevent.server import StreamServer

from esl_controller.esl import dialstring, inbound
from esl_controller.esl.applications import Application
from esl_controller.esl.dialstring import DialString, Leg
from esl_controller.esl.errors import CallGone, CommandFailed, CommandTimeout
from esl_controller.esl.inbound import InboundClient

from .esl_peer import FINAL_NOTICE, Peer, event, job_reply, nothing_left, pair, reply, until

AUTH_REQUEST = b"Content-Type: auth/request\n\n"
DENIED = b"Access Denied, go away.\n"
RUDE = b"Content-Type: text/rude-rejection\nContent-Length: %d\n\n%s" % (len(DENIED), DENIED)
DIAL = DialString([Leg("user/1001@example.com")], {"originate_timeout": "20"})
PARK = dialstring.run(Application.PARK)


class Switch:
    """FreeSWITCH's listening end; `peers` are its connections."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.greeting = AUTH_REQUEST
        self.answers: dict[str, bytes | Callable[[str], bytes]] = {"auth": reply("+OK accepted")}
        self._server = StreamServer(("127.0.0.1", 0), self._accepted)
        self._server.start()
        self.address = ("127.0.0.1", self._server.server_port)

    def _accepted(self, sock: socket.socket, _address: object) -> None:
        peer = Peer(sock, self.answers)
        self.peers.append(peer)
        peer.send(self.greeting)
        peer._reader.join()

    def close(self) -> None:
        self._server.stop(0)
        for peer in self.peers:
            peer.close()


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    with nothing_left():
        yield


@pytest.fixture
def switch() -> Iterator[Switch]:
    made = Switch()
    yield made
    made.close()


@pytest.fixture
def client(switch, monkeypatch) -> Iterator[InboundClient]:
    monkeypatch.setattr(inbound, "FIRST_RETRY_S", 0.01)
    made = InboundClient(
        switch.address, "ClueCon", events=["CHANNEL_BRIDGE"], custom=["a::b"], timeout_s=1
    )
    yield made
    made.close()


def test_logs_in_subscribes_and_runs_commands(client, switch):
    client.connect(1)
    assert client.connected
    assert switch.peers[0].commands == [
        "auth ClueCon",
        "event plain BACKGROUND_JOB CHANNEL_BRIDGE CUSTOM a::b",
    ]
    assert client.api("status", "", 1) == "+OK\n"
    assert client.bgapi("status", "", 1) == "+OK\n"
    seen = []
    client.on("CHANNEL_BRIDGE", lambda e: seen.append(e.unique_id))
    switch.peers[0].send(event("CHANNEL_BRIDGE", uuid="u1"))
    until(lambda: seen == ["u1"])


def test_wrong_password_leaves_nothing_open_and_is_not_shown(client, switch):
    switch.answers["auth"] = reply("-ERR invalid")
    with pytest.raises(CommandFailed) as caught:
        client.connect(1)
    assert (caught.value.command, caught.value.text) == ("auth", "-ERR invalid")
    switch.peers[0].wait_eof()
    assert not client.connected


def test_rude_rejection_says_why(client, switch):
    switch.greeting = RUDE
    with pytest.raises(CommandFailed, match="access list"):
        client.connect(1)


def test_silent_switch_is_a_timeout(client, switch):
    switch.greeting = b""
    with pytest.raises(CommandTimeout):
        client.connect(0.02)


def test_nobody_there_is_an_error_of_this_layer(switch):
    with pair() as (ours, _):
        address = ours.getsockname()[:2]
    client = InboundClient(address, "ClueCon")
    with pytest.raises(CallGone, match="cannot connect"):
        client.connect(1)
    with pytest.raises(CallGone, match="not connected"):
        client.api("status", "", 1)
    client.close()


def test_comes_back_after_every_loss_with_handlers_and_subscriptions(client, switch):
    seen = []
    client.on("CHANNEL_BRIDGE", lambda e: seen.append(e.unique_id))
    client.start()
    client.start()
    client.wait_connected(1)
    ends = [
        lambda peer: peer.close(),
        lambda peer: peer.reset(),
        lambda peer: peer.send(FINAL_NOTICE),
        lambda peer: peer.send(b"garbage\n\n"),
    ]
    for count, end in enumerate(ends, 1):
        end(switch.peers[-1])
        until(lambda count=count: len(switch.peers) == count + 1)
        client.wait_connected(1)
    assert client.reconnects == len(ends)
    assert [len(peer.commands) for peer in switch.peers] == [2] * 5
    switch.peers[-1].send(event("CHANNEL_BRIDGE", uuid="u9"))
    until(lambda: seen == ["u9"])
    assert client.bgapi("status", "", 1) == "+OK\n"


def test_keeps_trying_while_refused(client, switch):
    switch.answers["auth"] = reply("-ERR invalid")
    client.start()
    until(lambda: len(switch.peers) >= 3)
    with pytest.raises(CommandTimeout):
        client.wait_connected(0)
    switch.answers["auth"] = reply("+OK accepted")
    client.wait_connected(5)


def test_loss_fails_who_waits_at_once(client, switch):
    switch.answers["api "] = b""
    client.connect(1)
    waiting = gevent.spawn(client.api, "slow", "", 60)
    switch.peers[0].wait_command("api slow")
    switch.peers[0].close()
    with pytest.raises(CallGone):
        waiting.get(timeout=5)
    with pytest.raises(CallGone):
        client.api("status", "", 1)


def test_originate_returns_the_channel(client, switch):
    switch.answers["bgapi originate"] = lambda command: job_reply(
        command, f"+OK {command.partition('origination_uuid=')[2][:36]}\n"
    )
    client.connect(1)
    channel = client.originate(DIAL, PARK, 1)
    assert (
        switch.peers[0]
        .commands[-1]
        .startswith(
            f"bgapi originate {{originate_timeout=20,origination_uuid={channel}}}"
            "user/1001@example.com &park()\nJob-UUID: "
        )
    )


def test_originate_that_fails_gives_the_cause(client, switch):
    switch.answers["bgapi originate"] = lambda command: job_reply(command, "-ERR USER_BUSY\n")
    client.connect(1)
    with pytest.raises(CommandFailed) as caught:
        client.originate(DIAL, PARK, 1)
    assert caught.value.text == "-ERR USER_BUSY"


def test_originate_nobody_waits_for_any_more_is_cancelled(client, switch):
    switch.answers["bgapi originate"] = reply("+OK Job-UUID: x")
    client.connect(1)
    with pytest.raises(CommandTimeout):
        client.originate(DIAL, PARK, 0.05)
    kill = switch.peers[0].wait_command("bgapi uuid_kill")
    channel = switch.peers[0].commands[2].partition("origination_uuid=")[2][:36]
    assert kill.split("\n")[0] == f"bgapi uuid_kill {channel} ORIGINATOR_CANCEL"


def test_close_while_connecting(client, switch):
    switch.greeting = b""
    client.start()
    until(lambda: switch.peers)
    client.close()
    client.close()
    switch.peers[0].wait_eof()
