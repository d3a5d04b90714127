"""One way to run plain greenswitch and ours."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from greenswitch.esl import OutboundESLServer, OutboundSession

from esl_controller.esl.commands import Command
from esl_controller.esl.server import EslServer
from esl_controller.esl.session import ControllerSession
from tests.integration.esl_peer import Peer, event, header, pair, until

HANG_S = 0.15
"""A call that has not come back after this, with nothing left to wait for, has hung."""

CAPACITY = 2

Serve = Callable[..., Any]
Dial = Callable[..., Peer]
SERVERS: list[EslServer] = []
"""Ours that run; stopped after each test."""

BOTH = pytest.mark.parametrize("ours", [False, True], ids=["greenswitch", "ours"])
FORGETS_ITS_SOCKET = pytest.mark.filterwarnings(
    "ignore:.*unclosed.*:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


class Scenarios(dict[str, Callable[..., bool]]):
    """Scenarios by name."""

    def add(self, scenario: Callable[..., bool]) -> Callable[..., bool]:
        self[scenario.__name__] = scenario
        return scenario


def holds(scenario: Callable[[Any, Peer], bool], ours: bool) -> bool:
    """Whether one library's session behaves as it must."""
    with pair() as (near, far):
        session = ControllerSession(near) if ours else OutboundSession(None, near)
        good = scenario(session, Peer(far))
        if ours:
            session.close()
        return good


def outcome(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What became of a call: its result, the exception it raised, or "hung"."""

    def run() -> Any:
        try:
            return function(*arguments, **named)
        except BaseException as error:
            return error

    worker = gevent.spawn(run)
    worker.join(timeout=HANG_S)
    if not worker.dead:
        worker.kill()
        return "hung"
    return worker.value


def say(session: Any, text: str) -> Any:
    """Send one command line."""
    command = Command((text,)) if isinstance(session, ControllerSession) else text
    return session.send(command)


def value(happened: Any, name: str) -> str | None:
    """One header of an event or reply of either library."""
    if isinstance(happened.headers, dict):
        return happened.headers.get(name)
    return happened.headers.get(name, None)


class BrokenOnce:
    """A socket whose next write fails."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._broken = False

    def __getattr__(self, name: str) -> Any:
        if name in ("send", "sendall") and not self._broken:
            self._broken = True
            raise OSError(errno.ENOBUFS, "No buffer space available")
        return getattr(self._sock, name)


def complete(command: str, data: str = "") -> bytes:
    application = header(command, "execute-app-name")
    return event(
        "CHANNEL_EXECUTE_COMPLETE",
        ("Application", application),
        ("Application-Data", data or header(command, "execute-app-arg")),
        ("Application-UUID", header(command, "Event-UUID") or "none"),
        ("variable_current_application", application),
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def failing_once(accept: Callable[[], Any]) -> Callable[[], Any]:
    errors = iter([OSError(errno.EMFILE, "Too many open files")])

    def run() -> Any:
        for error in errors:
            raise error
        return accept()

    return run


def serve_plain(
    on_call: Callable[[Any], Any],
    make: Callable[[], None] = lambda: None,
    *,
    fail_one_accept: bool = False,
) -> Any:
    class Application:
        def __init__(self, session: Any) -> None:
            self.session = session
            make()

        def run(self) -> None:
            on_call(self.session)

    class Listener:
        def __init__(self, sock: Any) -> None:
            self.accept = failing_once(sock.accept)

    server = OutboundESLServer("127.0.0.1", free_port(), Application, max_connections=CAPACITY)
    gevent.spawn(server.listen)
    until(lambda: server._running)
    if fail_one_accept:
        server.server = Listener(server.server)
    return "127.0.0.1", server.bound_port


def serve_ours(
    on_call: Callable[[Any], Any],
    make: Callable[[], None] = lambda: None,
    *,
    fail_one_accept: bool = False,
) -> Any:
    def run(session: Any) -> None:
        make()
        on_call(session)

    server = EslServer(("127.0.0.1", 0), run, capacity=CAPACITY, connect_timeout_s=HANG_S)
    if fail_one_accept:
        server._server.do_read = failing_once(server._server.do_read)
    server.start()
    SERVERS.append(server)
    return server.address
