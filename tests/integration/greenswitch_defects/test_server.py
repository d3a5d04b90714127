"""The server: G4, G5, G18, G20 to G25."""

from __future__ import annotations

import gc
import socket
from typing import Any

import gevent
import pytest
from gevent.event import Event as Signal
from greenswitch.esl import OutboundESLServer

from esl_controller.esl.server import EslServer
from tests.integration.esl_peer import reply, until
from tests.integration.hub_watch import HubWatch

from .kit import (
    BOTH,
    CAPACITY,
    FORGETS_ITS_SOCKET,
    HANG_S,
    SERVERS,
    Dial,
    Scenarios,
    Serve,
    free_port,
    outcome,
    serve_ours,
    serve_plain,
)

DEFECTS = Scenarios()


@DEFECTS.add
def g04_silent_peer_is_let_go(serve: Serve, dial: Dial) -> bool:
    peer = dial(serve(lambda session: None), {"connect": b""})
    peer._reader.join(timeout=4 * HANG_S)
    return peer.ended


@DEFECTS.add
def g18_application_that_cannot_be_made_leaves_nothing(serve: Serve, dial: Dial) -> bool:
    def make() -> None:
        raise RuntimeError("no")

    peer = dial(serve(lambda session: None, make))
    peer._reader.join(timeout=2 * HANG_S)
    return peer.ended


@DEFECTS.add
def g20_accepting_does_not_poll(serve: Serve, dial: Dial) -> bool:
    serve(lambda session: None)
    loop = gevent.get_hub().loop
    gevent.sleep(0.01)
    before = loop.iteration
    gevent.sleep(0.5)
    return loop.iteration - before <= 3


@DEFECTS.add
def g21_capacity_is_exact(serve: Serve, dial: Dial) -> bool:
    running, leave = [], Signal()

    def on_call(session: Any) -> None:
        running.append(session)
        leave.wait(5)

    address = serve(on_call)
    peers = [dial(address) for _ in range(10)]
    until(lambda: all(peer.commands for peer in peers))
    gevent.sleep(HANG_S)
    leave.set()
    return len(running) == CAPACITY


@DEFECTS.add
def g23_failed_accept_does_not_end_the_server(serve: Serve, dial: Dial) -> bool:
    ran: list[Any] = []
    address = serve(ran.append, fail_one_accept=True)
    dial(address)
    with gevent.Timeout(3 * HANG_S, False):
        until(lambda: ran)
    return bool(ran)


@DEFECTS.add
def g25_refused_connect_starts_no_application(serve: Serve, dial: Dial) -> bool:
    ran: list[Any] = []
    peer = dial(serve(ran.append), {"connect": reply("-ERR no")})
    peer.wait_command("connect")
    gevent.sleep(0.02)
    return not ran


@BOTH
@pytest.mark.parametrize("name", DEFECTS)
def test_server(name: str, ours: bool, dial: Dial, hub_watch: HubWatch) -> None:
    hub_watch.stop()  # it wakes the hub, and wakes are counted here
    assert DEFECTS[name](serve_ours if ours else serve_plain, dial) is ours


@FORGETS_ITS_SOCKET
def test_g05_neither_access_list_nor_ipv6():
    with pytest.raises(SystemExit):
        OutboundESLServer("::1", free_port(), object).listen()
    server = EslServer(("::1", 0), lambda session: None, capacity=1)
    assert server.address[1]
    server.stop(0)


@FORGETS_ITS_SOCKET
def test_g22_port_that_is_taken_is_an_error_and_port_0_a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(SystemExit) as caught:
            OutboundESLServer("127.0.0.1", taken.getsockname()[1], object).listen()
        assert caught.value.code is None  # which a process ends with as 0: success
        with pytest.raises(OSError, match="in use"):
            EslServer(taken.getsockname(), lambda session: None, capacity=1)


def test_g24_stop_has_a_deadline(dial):
    def on_call(_session: Any) -> None:
        gevent.sleep(60)

    dial(serve_plain(on_call))
    listening = next(
        thing
        for thing in gc.get_objects()
        if isinstance(thing, gevent.Greenlet) and getattr(thing, "_run", None).__name__ == "listen"
    )
    server = listening._run.__self__
    until(lambda: server.connection_count)
    server.stop()
    listening.join(timeout=2 * HANG_S)
    assert not listening.dead
    dial(serve_ours(on_call))
    until(lambda: SERVERS[0].active_calls)
    assert outcome(SERVERS[0].stop, 0.01) is None
