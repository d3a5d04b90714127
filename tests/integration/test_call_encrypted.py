"""A call whose sound comes by `wss://`, through what stands before the worker."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from gevent import socket as gsocket
from gevent.pool import Pool
from gevent.server import StreamServer

from bridge.session.states import SessionState
from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.telemetry import catalogue as m
from tests.integration.service import (
    BRIEF,
    FALLBACK,
    SPEAK,
    Service,
    free_port,
    hang_up_after,
    service,
    wait_for,
)
from tests.wire.ws.peers import TLS, tls_server_context

OURS = str(TLS / "localhost.pem")
TALKS = [Step(AgentSilent(0.4), SPEAK), hang_up_after(AgentSilent(0.6))]
PREFIX = b"/worker/0"


class Before:
    """Does what deploy/nginx sets up: TLS, and a path for each worker."""

    def __init__(self, worker: tuple[str, int]) -> None:
        self.worker = worker
        self.asked: list[bytes] = []
        self._serving = Pool()
        self.server = self._listening(0)

    def _listening(self, port: int) -> StreamServer:
        server = StreamServer(("127.0.0.1", port), self._serve, spawn=self._serving)
        server.start()
        return server

    def end(self) -> None:
        """All at once, as when nginx is stopped to be started again."""
        self.server.stop()
        self._serving.kill()

    def begin_again(self) -> None:
        """At the same port."""
        self.server = self._listening(self.server.server_port)

    def _serve(self, plain: gsocket.socket, _address: object) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            caller = tls_server_context().wrap_socket(plain, server_side=True)
            head = caller.recv(4096)
            self.asked.append(head.split(b" ")[1])
            worker = gsocket.create_connection(self.worker)
            worker.sendall(head.replace(PREFIX, b"", 1))
            ways = [
                gevent.spawn(self._pump, *pair) for pair in ((caller, worker), (worker, caller))
            ]
            try:
                gevent.joinall(ways, count=1)
            finally:
                gevent.killall(ways)
                worker.close()
                caller.close()

    @staticmethod
    def _pump(here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(65536):
                there.sendall(data)


@pytest.fixture
def behind(database, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple]:
    """The service, and what stands before it; the parameter is the file FreeSWITCH trusts."""
    port = free_port()
    before = Before(("127.0.0.1", port))
    media = {
        "port": port,
        "public_url": f"wss://localhost:{before.server.server_port}/worker/{{index}}",
        "tls_ca_file": request.param,
    }
    emulator = EmulatorConfig(script=BRIEF)
    with service(database, tmp_path, emulator=emulator, media=media) as running:
        yield running, before
    before.server.stop()


@pytest.mark.parametrize("behind", [OURS], indirect=True)
def test_a_conversation(behind: tuple[Service, Before]) -> None:
    running, before = behind
    call = running.call(TALKS)
    call.wait(15)
    running.stored()
    assert call.row()["outcome"] == "completed"
    assert call.row()["total_turns"] >= 1
    (asked,) = before.asked
    assert asked.startswith(PREFIX + b"/stream/")


@pytest.mark.parametrize("behind", [OURS], indirect=True)
def test_who_stands_before_is_restarted(behind: tuple[Service, Before]) -> None:
    """Refused for as long as that takes; then the call goes on where it was."""
    running, before = behind
    call = running.call([])
    wait_for(lambda: call.caller.hearing.first_sound_at() is not None)
    wait_for(lambda: not running.session(call).agent_speaking)
    before.end()
    refused = f"{m.STREAM_RESTARTS.name} 1.0"
    wait_for(lambda: refused in running.app.metrics.exposition().decode())
    gevent.sleep(0.7)  # the restart
    before.begin_again()
    wait_for(lambda: running.session(call).state is SessionState.TALKING)
    call.caller.say(SPEAK.clip)
    wait_for(lambda: call.tenant.record.spoken[1:] == ["Certainly."])
    call.caller.hang_up()
    call.wait()
    running.stored()
    assert call.row()["outcome"] == "completed"
    assert len(before.asked) == 2


@pytest.mark.parametrize("behind", [""], indirect=True)
def test_a_certificate_that_is_not_trusted_gives_the_call_back_at_once(
    behind: tuple[Service, Before],
) -> None:
    running, before = behind
    call = running.call(TALKS, actions_after=FALLBACK)
    call.wait(15)
    running.stored()
    assert before.asked == []
    ((outcome, reason),) = running.database.execute(
        "select outcome, reason from v_voice_conversations_realtime"
    )
    assert outcome == "fallback"
    assert "certificate verify failed" in reason
