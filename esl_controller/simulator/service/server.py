"""A listening emulated service: `start` gives its URL, every connection has a record."""

from __future__ import annotations

import json
import socket
from abc import ABC, abstractmethod
from collections import deque
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs

import gevent.event
import gevent.socket
from gevent.pool import Pool
from gevent.server import StreamServer
from gevent.ssl import SSLContext

from esl_controller.simulator.service.connection import Connection
from esl_controller.simulator.service.door import Door, HttpAnswer
from esl_controller.simulator.service.faults import ConnectionFaults, FaultTable, UnknownFault

BACKLOG = 1024
_Faults = TypeVar("_Faults", bound=ConnectionFaults)


class EmulatedService(ABC, Generic[_Faults]):
    """Accepts connections and leads each to a door."""

    path = ""
    """Of the URL."""
    fault_table: FaultTable[_Faults]

    def __init__(self, host: str, port: int, tls: SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._queued_faults: deque[_Faults] = deque()
        self._server: StreamServer | None = None

    @abstractmethod
    def _door(self) -> Door:
        """For one more connection."""

    def ask_for(self, query: str) -> HttpAnswer:
        """`fault=NAME[=VALUE][@SECONDS]`, once for each of the next connections."""
        try:
            made = [self.fault_table.make(text) for text in parse_qs(query).get("fault", [])]
        except UnknownFault as error:
            return HttpAnswer(400, json.dumps({"error": str(error)}))
        self.queue_faults(*made)
        return HttpAnswer(200, json.dumps({"queued": len(self._queued_faults)}))

    def queue_faults(self, *faults: _Faults) -> None:
        """Use these for the next connections, one each, before the configured ones."""
        self._queued_faults.extend(faults)

    @property
    def url(self) -> str:
        """Where it listens, such as `ws://127.0.0.1:40123/v1`; empty while it does not."""
        if self._server is None:
            return ""
        scheme = "wss" if self._tls is not None else "ws"
        return f"{scheme}://{self._host}:{self._server.server_port}{self.path}"

    def start(self) -> str:
        """Listen; give the URL."""
        listener = gevent.socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self._host, self._port))
        listener.listen(BACKLOG)
        tls: dict[str, Any] = {"ssl_context": self._tls} if self._tls is not None else {}
        # Only a server with a pool ends its connections when it stops.
        self._server = StreamServer(listener, self._serve, spawn=Pool(), **tls)
        self._server.start()
        return self.url

    def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.stop(timeout=0)
            self._server = None

    def _serve(self, sock: Any, address: object) -> None:
        """Accepted: the greenlet waits for the end, the hub does the work."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ended = gevent.event.Event()
        connection = Connection(sock, self._door(), ended.set, self.ask_for)
        try:
            ended.wait()
        finally:
            connection.end()
