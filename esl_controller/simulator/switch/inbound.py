"""The inbound Event Socket port: `auth`, then the same commands without a call of one's own."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import gevent

from esl_controller.simulator.switch.esl_peer import EslPeer

if TYPE_CHECKING:
    from esl_controller.simulator.switch.core import Switch


class InboundListener:
    """Accepts connections on 127.0.0.1."""

    def __init__(self, switch: Switch, port: int) -> None:
        self._switch = switch
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self._greenlet = gevent.spawn(self._accept)

    def close(self) -> None:
        """Accept no more."""
        self._greenlet.kill()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            sock, _ = self._socket.accept()
            peer = self._switch.add_peer(EslPeer(self._switch, sock, None))
            peer.send(b"Content-Type: auth/request\n\n")
