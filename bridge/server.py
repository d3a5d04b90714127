"""The worker's media and HTTP port: `/stream/…` and `/talk/…` become a `WebSocketLink`, the rest
is WSGI.

pywsgi and gevent-websocket make the handshake; then the socket leaves them, their greenlet ends,
and the link lives on the hub's watchers. FreeSWITCH gives the handshake one second, sends its
headers without a space after the colon and may send audio right behind the 101.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

import gevent.pool
import gevent.pywsgi
import gevent.socket
from geventwebsocket.handler import WebSocketHandler

from bridge.doors import LinkFactory, StreamGate, TalkDoor
from bridge.routes import (
    Refusal,
    check_upgrade,
    is_stream_target,
    is_talk_target,
    parse_stream_target,
    parse_talk_target,
)
from bridge.wire import frames
from bridge.wire.frames import Role
from bridge.wire.keepalive import KeepAlive
from bridge.wire.link import LinkLimits, OnClosed, OnMessages, WebSocketLink
from bridge.wire.request_file import HeadTooLarge, RequestFile
from bridge.wire.turns import Burst, FairShare

_log = logging.getLogger("bridge.http")

_UPGRADE_HEADERS = [("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")]

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Limits of the port."""

    max_head_bytes: int = 16384
    """Request line and headers together."""
    max_pending: int = 256
    """Connections that have sent no whole request; one more ends the oldest of them."""
    max_requests: int = 64
    """Plain HTTP requests in work; one more is answered 503."""
    reserved_requests: int = 16
    """Places beyond them for `reserved_targets` alone."""
    reserved_targets: frozenset[str] = frozenset({"/health", "/ready"})
    """Whoever waits for bodies that do not come must not have the worker taken for dead."""
    max_requests_per_connection: int = 8
    """Then the connection closes; a client that has more to ask connects again."""
    backlog: int = 1024
    link: LinkLimits = field(default_factory=LinkLimits)


@dataclass(slots=True)
class ServerCounters:
    """Sampled by the metrics."""

    accepted: int = 0
    upgraded: int = 0
    refused: int = 0
    """Stream requests answered with an HTTP error."""
    malformed: int = 0
    """Requests that were no HTTP, too large or too slow, and answers taken too slowly."""
    evicted: int = 0
    """Idle or slow connections ended for `max_pending`."""
    overloaded: int = 0
    """Plain requests answered 503."""


class MediaServer:
    """Serves one listener: an address, or a socket that listens already.

    `http_app` is the WSGI application for all targets outside `/stream` and `/talk`.
    """

    def __init__(
        self,
        listener: Any,
        gate: StreamGate,
        http_app: WsgiApp,
        *,
        handshake_timeout_s: float = 5.0,
        limits: ServerLimits | None = None,
        keepalive: KeepAlive | None = None,
        talk: TalkDoor | None = None,
    ) -> None:
        self.gate = gate
        self.talk = talk
        """None: browsers cannot talk here."""
        self.limits = limits or ServerLimits()
        self.handshake_timeout_s = handshake_timeout_s
        self.keepalive = keepalive
        self.counters = ServerCounters()
        self.requests = 0
        """Plain HTTP requests in work."""
        self.share = FairShare()
        """Pipelined requests wait here: their reader would never give its turn away."""
        self.burst = Burst(self.share)
        """So do those of many connections that come together."""
        self._pending: dict[_Handler, None] = {}  # oldest first
        self._server = _WsgiServer(self, listener, http_app)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, the real one when 0 was asked for."""
        address: Any = self._server.address
        return address[0], address[1]

    @property
    def pending(self) -> int:
        """Connections that have sent no whole request."""
        return len(self._pending)

    def start(self) -> None:
        """Listen. Raises `OSError` when the address cannot be had."""
        self._server.start()

    def close_listener(self) -> None:
        """Accept no more; requests and streams go on."""
        self._server.close()

    def stop(self, deadline_s: float) -> None:
        """Close the listener and end the requests under way; waits at most `deadline_s`.

        Streams belong to those who joined them and are not touched.
        """
        for handler in tuple(self._pending):
            handler.evict()
        self._server.stop(timeout=deadline_s)

    def expect_request(self, handler: _Handler) -> None:
        """A connection waits for a request. One too many ends the one that waits longest."""
        if len(self._pending) >= self.limits.max_pending:
            self.counters.evicted += 1
            oldest = next(iter(self._pending))
            self.forget(oldest)
            oldest.evict()
        self._pending[handler] = None

    def forget(self, handler: _Handler) -> None:
        """The connection waits no more."""
        self._pending.pop(handler, None)


class _WsgiServer(gevent.pywsgi.WSGIServer):
    """pywsgi with our handler, no access log and no DNS look-up of its own name."""

    def __init__(self, media: MediaServer, listener: Any, http_app: WsgiApp) -> None:
        self.media = media
        self.logger = _log  # asked for by gevent-websocket
        super().__init__(
            listener,
            http_app,
            backlog=None if hasattr(listener, "accept") else media.limits.backlog,
            spawn=gevent.pool.Pool(None),
            log=None,
            error_log=None,
            handler_class=_Handler,
            environ={"SERVER_NAME": "media"},
        )

    @classmethod
    def get_listener(
        cls, address: Any, backlog: int | None = None, family: int | None = None
    ) -> gevent.socket.socket:
        """Bind and listen; unlike gevent's own, leaves no socket behind when that fails."""
        sock = gevent.socket.socket(family or socket.AF_INET)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(backlog or 128)
        except OSError:
            sock.close()
            raise
        return sock


class _Handler(WebSocketHandler):  # type: ignore[misc]  # the library has no types
    """One connection until its request is answered or its socket has become a link."""

    server: _WsgiServer
    socket: gevent.socket.socket | None
    websocket: Any

    def __init__(self, sock: gevent.socket.socket, address: Any, server: _WsgiServer) -> None:
        self.media = server.media
        self.media.counters.accepted += 1
        self._requests_left = self.media.limits.max_requests_per_connection
        self._answered_in_s = 0.0
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request_file = RequestFile(
            sock,
            max_head_bytes=self.media.limits.max_head_bytes,
            deadline_s=self.media.handshake_timeout_s,
        )
        super().__init__(sock, address, server, request_file)

    # --- one request after the other -----------------------------------------------------------

    def handle(self) -> None:
        """All requests of the connection."""
        try:
            super().handle()
        finally:
            self.media.forget(self)

    def handle_one_request(self) -> Any:
        """One request, within the limits; one sent before the last was answered waits."""
        if self._answered_in_s and self.rfile.buffered_bytes:
            self.media.share.give_way(self._answered_in_s)
        self.media.expect_request(self)
        if not self._answered_in_s:
            self.media.burst.take_turn()
        self.rfile.start_request()
        began = time.monotonic()
        try:
            return super().handle_one_request()
        except HeadTooLarge as error:
            return self._handle_client_error(error)
        finally:
            self._answered_in_s = time.monotonic() - began

    def read_request(self, raw_requestline: str) -> bool:
        """Head of the request; stricter than pywsgi. Raises `ValueError`."""
        super().read_request(raw_requestline)
        if self.request_version == "HTTP/0.9" or self.headers.defects:
            raise ValueError("malformed request")
        if len(self.headers.get_all("content-length", [])) > 1:
            raise ValueError("two lengths")
        self.media.forget(self)
        self._requests_left -= 1
        if self._requests_left <= 0:
            self.close_connection = True
        return True

    def finalize_headers(self) -> None:
        """Tell the peer when this answer is the connection's last (RFC 9112 section 9.6)."""
        super().finalize_headers()
        given = any(name.lower() == b"connection" for name, _ in self.response_headers)
        if self.close_connection and not given and not self.connection_upgraded:
            self.response_headers.append((b"Connection", b"close"))

    def evict(self) -> None:
        """End the connection from outside: its greenlet sees the end of the stream."""
        try:
            if self.socket is not None:
                self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            _log.debug("evicted connection had gone")

    def run_application(self) -> None:
        """Answer one request."""
        if is_stream_target(self.path):
            self._run_stream()
        elif self.media.talk is not None and is_talk_target(self.path):
            self._upgrade(parse_talk_target(self.path), self.media.talk)
        elif self.media.requests >= self._most_requests():
            self.media.counters.overloaded += 1
            self._refuse(Refusal(503, "too many requests"))
        else:
            self.media.burst.take_turn()
            self.media.requests += 1
            began = time.monotonic()
            try:
                gevent.pywsgi.WSGIHandler.run_application(self)
            finally:
                self.media.requests -= 1
                self.media.burst.cost_s = time.monotonic() - began

    def _most_requests(self) -> int:
        limits = self.media.limits
        reserved = self.path.partition("?")[0] in limits.reserved_targets
        return limits.max_requests + (limits.reserved_requests if reserved else 0)

    # --- streams ---------------------------------------------------------------------------------

    def _run_stream(self) -> None:
        token = self.environ.get("HTTP_X_STREAM_TOKEN", "")
        request = parse_stream_target(self.path, token, self.environ.get("REMOTE_ADDR", ""))
        self._upgrade(request, self.media.gate)

    def _upgrade(self, request: Any, gate: Any) -> None:
        """Let a request through its own gate, or answer with the refusal it is."""
        if not isinstance(request, Refusal):
            request = check_upgrade(self.environ) or gate.check(request) or request
        if isinstance(request, Refusal):
            self.media.counters.refused += 1
            self._refuse(request)
            return
        self.media.counters.upgraded += 1
        self._switch_protocols()
        self._join(partial(gate.join, request))

    def _switch_protocols(self) -> None:
        """Send the 101. The library's WebSocket object is not used and must send nothing."""
        self.upgrade_connection()
        self.websocket.raw_write = _send_nothing
        self.environ["wsgi.websocket"] = self.websocket = None
        try:
            self.write(b"")
        except OSError:
            _log.debug("peer left during the handshake")  # the link will tell whoever joins

    def _join(self, join: Callable[[LinkFactory], None]) -> None:
        sock, initial = self.socket, self.rfile.take_rest()
        self.socket = None  # tells pywsgi that there is nothing left to close
        links: list[WebSocketLink] = []

        def open_link(on_messages: OnMessages, on_closed: OnClosed) -> WebSocketLink:
            link = WebSocketLink(
                sock,
                role=Role.SERVER,
                on_messages=on_messages,
                on_closed=on_closed,
                limits=self.media.limits.link,
                initial=initial,
                keepalive=self.media.keepalive,
            )
            links.append(link)
            return link

        try:
            join(open_link)
        except Exception:  # noqa: BLE001 - boundary: the 101 is out, pywsgi could not answer
            _log.exception("joining a stream failed")
            for link in links:
                link.close(frames.INTERNAL_ERROR, "internal error")
        if not links and sock is not None:
            sock.close()

    def _refuse(self, refusal: Refusal) -> None:
        body = refusal.reason.encode() + b"\n"
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        if refusal.status == HTTPStatus.UPGRADE_REQUIRED:
            headers += _UPGRADE_HEADERS
        self.start_response(_status_line(refusal.status), headers)
        self.result = [body]
        self.process_result()
        self.rfile.close()  # or pywsgi would wait for a body that was announced

    # --- what goes wrong -------------------------------------------------------------------------

    def log_request(self) -> None:
        """No access log: the request line may hold a token."""

    def _handle_client_error(self, ex: Exception) -> tuple[str, bytes]:
        """The peer's fault: a short answer, no log line for each."""
        self.media.counters.malformed += 1
        status = 400
        if isinstance(ex, HeadTooLarge):
            status = 431
        elif isinstance(ex, TimeoutError):
            status = 408
        line = _status_line(status)
        answer = f"HTTP/1.1 {line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        return line, answer.encode()

    def handle_error(self, kind: Any, error: Any, trace: Any) -> None:
        """A peer that does not take its answer is no fault of ours: no line for each."""
        if issubclass(kind, TimeoutError):
            self.media.counters.malformed += 1
            self.close_connection = True
        else:
            super().handle_error(kind, error, trace)

    def _log_error(self, kind: Any, error: Any, trace: Any) -> None:
        """Our own fault, without the request's headers."""
        _log.error("request failed", exc_info=(kind, error, trace))


def _send_nothing(_data: bytes) -> None:
    """Takes the place of the library's way to the socket."""


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
