"""A listening Gemini Live service: `GeminiEmulator(config).start()` gives its base URL."""

from __future__ import annotations

import socket
from typing import Any

import gevent.event

from esl_controller.simulator.gemini.config import EmulatorConfig
from esl_controller.simulator.gemini.connection import Connection
from esl_controller.simulator.gemini.core import Handles
from esl_controller.simulator.gemini.record import GeminiRecord
from esl_controller.simulator.openai.server import _RESET_ON_CLOSE, OpenAIEmulator


class GeminiEmulator(OpenAIEmulator):
    """Accepts connections and keeps a record of each; handles are common to all."""

    def __init__(self, config: EmulatorConfig | None = None) -> None:
        self.gemini = config or EmulatorConfig()
        super().__init__(self.gemini)
        self._handles = Handles()

    def start(self) -> str:
        """Listen; give the base URL, such as `ws://127.0.0.1:40123`."""
        return super().start().removesuffix("/v1")

    def _serve(self, sock: Any, address: object) -> None:
        faults = self._queued_faults.popleft() if self._queued_faults else self.config.faults
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if faults.drop_after_s is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        record = GeminiRecord(number=len(self.sessions) + 1)
        self.sessions.append(record)
        ended = gevent.event.Event()
        connection = Connection(sock, self.gemini, faults, record, self._handles, ended.set)
        try:
            ended.wait()
        finally:
            connection.end()
