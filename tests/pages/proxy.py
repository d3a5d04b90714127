"""What nginx does on a FusionPBX host: `/voice-ai/…` to a worker, the rest to PHP."""

from __future__ import annotations

import re
from typing import Any, Self

import gevent
from gevent import socket
from gevent.server import StreamServer

LET_THROUGH = re.compile(
    rb"GET /voice-ai(/api/v1/domains/[0-9a-f-]+/calls/[0-9A-Za-z._@-]+/events|/talk/[0-9a-f-]+/"
    rb"[0-9A-Za-z*#+._%-]+)(\?\S*)? HTTP/1\.1\r\n"
)
_MOST = 65536


class Proxy:
    """One request a connection; then bytes go both ways."""

    def __init__(self, php: tuple[str, int], worker: tuple[str, int]) -> None:
        self._php, self._worker = php, worker
        self._server = StreamServer(("127.0.0.1", 0), self._serve)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def _serve(self, client: Any, _address: object) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(_MOST)
            if not piece:
                client.close()
                return
            head += piece
        found = LET_THROUGH.match(head)
        if found:
            line = b"GET " + found[1] + (found[2] or b"") + b" HTTP/1.1\r\n"
            head = line + head[found.end() :]
        if b"upgrade: websocket" not in head.lower():
            kept = re.sub(rb"(?im)^connection:.*\r\n", b"", head)
            head = kept.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
        server = socket.create_connection(self._worker if found else self._php)
        server.sendall(head)
        back = gevent.spawn(_copy, server, client)
        _copy(client, server)
        back.join()
        server.close()
        client.close()


def _copy(source: Any, target: Any) -> None:
    try:
        while piece := source.recv(_MOST):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        target.close()
