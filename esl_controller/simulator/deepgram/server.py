"""A listening service: `DeepgramEmulator(config).start()` gives its base URL.

The framing is the `websockets` package's, not the bridge's own: a fault there must not hide behind
its twin.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
from collections import deque
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import gevent
import gevent.socket
import msgspec
from gevent.pool import Pool
from gevent.server import StreamServer
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from esl_controller.simulator.deepgram.hearing import (
    BadRequest,
    EmulatedHearing,
    Faults,
    HearingConfig,
)

_quiet = logging.getLogger("simulator.deepgram.websocket")
_quiet.setLevel(logging.ERROR)
CLOSE_WAIT_S = 1.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_REFUSALS = {
    400: ("Bad Request", "Bad request."),
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later."),
}


class DeepgramEmulator:
    """Accepts connections and keeps what each was."""

    def __init__(self, config: HearingConfig | None = None, faults: Faults | None = None) -> None:
        self.config = config or HearingConfig()
        self.sessions: list[EmulatedHearing] = []
        self.paths: list[str] = []
        self._faults = faults or Faults()
        self._queued: deque[Faults] = deque()
        self._server: StreamServer | None = None

    def queue_faults(self, *faults: Faults) -> None:
        """For the next connections, one each."""
        self._queued.extend(faults)

    def start(self) -> str:
        """Listen; give the base URL, such as `ws://127.0.0.1:40123`."""
        address = (self.config.host, self.config.port)
        self._server = StreamServer(address, self._serve, spawn=Pool())
        self._server.start()
        return f"ws://{self.config.host}:{self._server.server_port}"

    def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.stop(timeout=0)
            self._server = None

    def _serve(self, sock: Any, address: object) -> None:
        faults = self._queued.popleft() if self._queued else self._faults
        with contextlib.suppress(OSError), contextlib.closing(sock):
            _Connection(sock, self, faults).run()

    def admit(self, request: Request, faults: Faults) -> EmulatedHearing | int:
        """A session, or the HTTP status of a refusal."""
        self.paths.append(request.path)
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        keys = self.config.api_keys
        if faults.refuse_status is not None:
            return faults.refuse_status
        if scheme not in ("Token", "Bearer") or not key or (keys is not None and key not in keys):
            return 401
        parts = urlsplit(request.path)
        if parts.path not in ("/v1/listen", "/v2/listen"):
            return 404
        try:
            query = dict(parse_qsl(parts.query))
            session = EmulatedHearing(self.config, faults, parts.path, query)
        except BadRequest:
            return 400
        self.sessions.append(session)
        return session


class _Connection:
    """One connection, in a greenlet of its own."""

    def __init__(self, sock: Any, emulator: DeepgramEmulator, faults: Faults) -> None:
        self._sock = sock
        self._emulator = emulator
        self._faults = faults
        self._protocol = ServerProtocol(max_size=1 << 20, logger=_quiet)
        self._session: EmulatedHearing | None = None

    def run(self) -> None:
        """Until it is over."""
        self._sock.settimeout(self._emulator.config.idle_s)
        while self._protocol.state is not State.CLOSED:
            try:
                data = self._sock.recv(65536)
            except gevent.socket.timeout:
                self._protocol.fail(1011, "NET-0001")
                data = b""
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            for event in self._protocol.events_received():
                self._take(event)
            self._flush()

    def _take(self, event: object) -> None:
        if isinstance(event, Request):
            gevent.sleep(self._faults.connect_delay_s)
            self._shake_hands(event)
        elif isinstance(event, Frame) and self._session is not None:
            if event.opcode is Opcode.BINARY:
                self._session.receive_audio(bytes(event.data))
            elif event.opcode is Opcode.TEXT:
                self._session.receive_text(bytes(event.data))

    def _shake_hands(self, request: Request) -> None:
        admitted = self._emulator.admit(request, self._faults)
        if isinstance(admitted, int):
            code, text = _REFUSALS.get(admitted, ("ERROR", "Refused on demand."))
            body = {"err_code": code, "err_msg": text, "request_id": "r"}
            response = self._protocol.reject(admitted, msgspec.json.encode(body).decode())
            response.headers["dg-error"] = text
        else:
            self._session = admitted
            response = self._protocol.accept(request)
            response.headers["dg-request-id"] = "r"
        self._protocol.send_response(response)

    def _flush(self) -> None:
        session = self._session
        if session is not None and self._protocol.state is State.OPEN:
            for message in session.messages_to_send():
                self._protocol.send_text(message)
            if session.dropped:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
                raise ConnectionResetError("dropped on demand")
            if session.closing is not None:
                self._protocol.send_close(*session.closing)
                self._sock.settimeout(CLOSE_WAIT_S)
        for data in self._protocol.data_to_send():
            if not data:
                self._sock.shutdown(gevent.socket.SHUT_WR)
            else:
                self._sock.sendall(data)
