"""A listening OpenAI Realtime service: `OpenAIEmulator(config).start()` gives its base URL."""

from __future__ import annotations

import socket
import struct
from collections import deque
from typing import Any

import gevent.event
import gevent.socket
from gevent.pool import Pool
from gevent.server import StreamServer

from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.connection import Connection
from esl_controller.simulator.openai.record import SessionRecord

BACKLOG = 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class OpenAIEmulator:
    """Accepts connections and keeps a record of each."""

    def __init__(self, config: EmulatorConfig | None = None) -> None:
        self.config = config or EmulatorConfig()
        self.sessions: list[SessionRecord] = []
        """One record a connection, in the order of accepting."""
        self._queued_faults: deque[Faults] = deque()
        self._server: StreamServer | None = None

    def queue_faults(self, *faults: Faults) -> None:
        """Use these for the next connections, one each, before the configured ones."""
        self._queued_faults.extend(faults)

    def start(self) -> str:
        """Listen; give the base URL, such as `ws://127.0.0.1:40123/v1`."""
        config = self.config
        listener = gevent.socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((config.host, config.port))
        listener.listen(BACKLOG)
        tls: dict[str, Any] = {"ssl_context": config.tls} if config.tls is not None else {}
        # Only a server with a pool ends its connections when it stops.
        self._server = StreamServer(listener, self._serve, spawn=Pool(), **tls)
        self._server.start()
        scheme = "wss" if config.tls is not None else "ws"
        return f"{scheme}://{config.host}:{self._server.server_port}/v1"

    def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.stop(timeout=0)
            self._server = None

    def _serve(self, sock: Any, address: object) -> None:
        """Accepted: the greenlet waits for the end, the hub does the work."""
        faults = self._queued_faults.popleft() if self._queued_faults else self.config.faults
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if faults.drop_after_s is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        record = SessionRecord(number=len(self.sessions) + 1)
        self.sessions.append(record)
        ended = gevent.event.Event()
        connection = Connection(sock, self.config, faults, record, ended.set)
        try:
            ended.wait()
        finally:
            connection.end()
