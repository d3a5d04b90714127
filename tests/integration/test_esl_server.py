from __future__ import annotations

import socket

import gevent
import pytest
from gevent.event import Event as Signal

from esl_controller.esl import commands
from esl_controller.esl.applications import Application
from esl_controller.esl.server import EslServer

from .esl_peer import Peer


@pytest.fixture
def peers():
    made = []

    def dial(server, answers=None):
        peer = Peer(socket.create_connection(server.address), answers)
        made.append(peer)
        return peer

    yield dial
    for peer in made:
        peer.close()


def test_exact_capacity(peers):
    leave = Signal()
    outcome = commands.execute(Application.SET, "voice_ai_outcome=overloaded", event_lock=False)

    def on_call(session):
        leave.wait(5)

    server = EslServer(("127.0.0.1", 0), on_call, capacity=2, hand_back=(outcome,))
    server.start()
    try:
        calls = [peers(server) for _ in range(10)]
        with gevent.Timeout(5):
            while server.stats.handed_back < 8 or server.active_calls < 2:
                gevent.sleep(0.01)
        late = peers(server)
        late.wait_eof()
        assert late.commands[0] == "connect"
        assert "voice_ai_outcome" in late.commands[1]
        assert late.commands[2] == "exit"
        assert server.active_calls == 2
        leave.set()
        for peer in calls:
            peer.wait_eof()
        with gevent.Timeout(5):
            while server.active_calls:
                gevent.sleep(0.01)
    finally:
        server.stop(1)
