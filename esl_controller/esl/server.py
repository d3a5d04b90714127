"""Accepts the calls FreeSWITCH sends us, exactly as many as we can carry."""

from __future__ import annotations

import ipaddress
import logging
import socket as std_socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import gevent
from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer

from esl_controller.telemetry.rare_log import RareLog

from .commands import Command
from .errors import CallGone, CommandFailed, CommandTimeout, RemoteProtocolError
from .session import ControllerSession

LISTEN_BACKLOG: Final = 128
"""Calls the kernel may accept for a worker that has not taken them yet. When the worker hangs,
FreeSWITCH waits for each of them without limit (mod_event_socket.c, socket_function)."""
CONNECT_TIMEOUT_S: Final = 5.0
HAND_BACK_TIMEOUT_S: Final = 2.0
MAX_CONNECTIONS: Final = 4096
"""Open at once, whatever they do; more wait in the kernel's queue until one has ended."""

Address = tuple[str, int]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: Final[tuple[Network, ...]] = (
    ipaddress.ip_network("127.0.0.0/8"),
    ipaddress.ip_network("::1/128"),
)

_log = logging.getLogger("esl")


@dataclass(slots=True)
class ServerStats:
    """Counters since the start, for the owner to sample."""

    accepted: int = 0
    refused_address: int = 0
    handed_back: int = 0
    silent_peers: int = 0
    failed_connects: int = 0
    failed_calls: int = 0


def listening_socket(address: Address, *, reuse_port: bool = False) -> socket.socket:
    """Return a listening TCP socket; port 0 takes a free one. Raise `OSError` if it cannot bind.

    `reuse_port` lets several workers share the port: the kernel spreads new calls over them.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, std_socket.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.listen(LISTEN_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def networks(names: Iterable[str]) -> list[Network]:
    """Networks by their names, as settings write them. Raises ValueError."""
    return [ipaddress.ip_network(name) for name in names]


class EslServer:
    """Listens for FreeSWITCH; runs `on_call(session)` for each call, in a greenlet of its own.

    The session is connected when `on_call` gets it, and left with `exit` when `on_call` returns
    or raises. Beyond `capacity` a call goes straight back to the dialplan: `connect`, the commands
    of `hand_back` (say, a variable that tells why), `exit`. Just closing, or `exit` in the same
    breath as `connect`, would leave the caller with nobody in control: see
    `ControllerSession.settle`. `on_handed_back` is told of each such call, and must not wait.
    """

    def __init__(
        self,
        listener: socket.socket | Address,
        on_call: Callable[[ControllerSession], Any],
        *,
        allow: Sequence[Network] = LOOPBACK,
        capacity: int,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        hand_back: Sequence[Command] = (),
        on_handed_back: Callable[[ControllerSession], Any] | None = None,
    ) -> None:
        self.capacity = capacity
        self.stats = ServerStats()
        self.draining = False
        self._on_call = on_call
        self._allow = tuple(allow)
        self._connect_timeout_s = connect_timeout_s
        self._hand_back = tuple(hand_back)
        self._on_handed_back = on_handed_back
        self._connecting = 0
        self._strangers = RareLog("esl.address_not_allowed")
        self._calls: set[ControllerSession] = set()
        self._greenlets = Pool(MAX_CONNECTIONS)
        sock = listening_socket(listener) if isinstance(listener, tuple) else listener
        host, port = sock.getsockname()[:2]
        self.address: Address = (host, port)
        """Where it listens: host and port."""
        self._shares_port = bool(sock.getsockopt(socket.SOL_SOCKET, std_socket.SO_REUSEPORT))
        self._server = StreamServer(sock, self._accepted, spawn=self._greenlets)

    @property
    def listening(self) -> bool:
        """The port is open, and new calls are taken."""
        return bool(self._server.started) and not self.draining

    @property
    def active_calls(self) -> int:
        """Calls in `on_call` now: never more than `capacity`."""
        return len(self._calls)

    @property
    def connecting(self) -> int:
        """Connections that have not answered `connect` yet."""
        return self._connecting

    def start(self) -> None:
        """Begin to accept; returns at once."""
        self._server.start()

    def close_listener(self) -> None:
        """Accept no more. Calls that the kernel has already accepted came in time: they are served
        as far as there is room, for FreeSWITCH tries no other worker once it is connected."""
        if self.draining:
            return
        self.draining = True
        if not self._server.closed:
            self.pause_listener()

    def pause_listener(self) -> None:
        """Close the port for a while: other workers that share it get the new calls.

        Calls that the kernel has already accepted are served, or handed back when there is no room.
        """
        self._server.stop_accepting()
        while not self._greenlets.full() and (accepted := self._accept_waiting()) is not None:
            self._greenlets.spawn(self._accepted, *accepted)
        self._server.close()

    def resume_listener(self) -> None:
        """Open the port again after `pause_listener`. Raises OSError."""
        if self.draining or self._server.started:
            return
        sock = listening_socket(self.address, reuse_port=self._shares_port)
        self._server = StreamServer(sock, self._accepted, spawn=self._greenlets)
        self._server.start()

    def stop(self, deadline_s: float) -> None:
        """Close the listener, wait up to `deadline_s` for the calls to end, then end the rest."""
        self.close_listener()
        self._greenlets.join(timeout=deadline_s)
        self._greenlets.kill(block=True, timeout=2 * HAND_BACK_TIMEOUT_S)

    def _accept_waiting(self) -> tuple[socket.socket, Any] | None:
        try:
            accepted = self._server.do_read()
        except OSError:
            return None
        return None if accepted is None else (accepted[0], accepted[1])

    def _accepted(self, sock: socket.socket, peer: Any) -> None:
        """Run one connection from accept to close."""
        self.stats.accepted += 1
        try:
            if not self._allowed(peer[0]):
                self.stats.refused_address += 1
                self._strangers.warn(address=peer[0])
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            session = ControllerSession(sock, peer)
            try:
                self._serve(session)
            finally:
                session.close()
        finally:
            sock.close()

    def _allowed(self, host: str) -> bool:
        address = ipaddress.ip_address(host.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._allow)

    def _serve(self, session: ControllerSession) -> None:
        if not self._connect(session):
            return
        if self._full():
            self._give_back(session)
        else:
            self._run(session)

    def _full(self) -> bool:
        return len(self._calls) >= self.capacity

    def _connect(self, session: ControllerSession) -> bool:
        self._connecting += 1
        try:
            session.connect(self._connect_timeout_s)
        except CommandTimeout:
            self.stats.silent_peers += 1
        except (CallGone, CommandFailed, RemoteProtocolError):
            self.stats.failed_connects += 1
        finally:
            self._connecting -= 1
        return session.channel is not None

    def _run(self, session: ControllerSession) -> None:
        """Run one call: the boundary where whatever `on_call` raises ends that call alone."""
        self._calls.add(session)
        try:
            self._on_call(session)
        except (Exception, gevent.Timeout):  # noqa: BLE001
            self.stats.failed_calls += 1
            _log.exception("call ended by an error")
        finally:
            self._calls.discard(session)
            session.exit(HAND_BACK_TIMEOUT_S)

    def _give_back(self, session: ControllerSession) -> None:
        """Send a call back to the dialplan; FreeSWITCH closes once it has read `exit`."""
        self.stats.handed_back += 1
        if self._on_handed_back is not None:
            self._on_handed_back(session)
        try:
            session.pipeline(self._hand_back, HAND_BACK_TIMEOUT_S)
        except (CallGone, CommandTimeout) as error:
            _log.warning("hand-back unfinished: %s", error)
        finally:
            session.exit(HAND_BACK_TIMEOUT_S)
