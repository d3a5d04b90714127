"""One accepted connection of the emulated Gemini service: binary frames out, text or binary in."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from esl_controller.simulator.gemini.config import EmulatorConfig
from esl_controller.simulator.gemini.core import Handles
from esl_controller.simulator.gemini.record import GeminiRecord
from esl_controller.simulator.gemini.session import EmulatedSession
from esl_controller.simulator.openai import connection as common
from esl_controller.simulator.openai.config import Faults

_PATHS = (
    re.compile(
        r"//?ws/google\.ai\.generativelanguage\.v1(?:alpha|beta)?\.GenerativeService\."
        r"BidiGenerateContent(?:Constrained)?"
    ),
    re.compile(
        r"//?ws/google\.cloud\.aiplatform\.v1(?:beta1)?\.LlmBidiService/BidiGenerateContent"
    ),
)
_SECRET_HEADERS = frozenset({"authorization", "x-goog-api-key"})
_BAD_KEY = "API key not valid. Please pass a valid API key."


class Connection(common.Connection):
    """As any emulated service's, but for the door and the frames."""

    def __init__(
        self,
        sock: Any,
        config: EmulatorConfig,
        faults: Faults,
        record: GeminiRecord,
        handles: Handles,
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(sock, config, faults, record, on_end)
        self._gemini = (config, record, handles)

    def _on_frame(self, frame: Frame) -> None:
        """Binary is as good as text."""
        if frame.opcode is Opcode.BINARY:
            frame = Frame(Opcode.TEXT, frame.data, frame.fin)
        super()._on_frame(frame)

    def _note_request(self, request: Request) -> None:
        super()._note_request(request)
        headers = self._record.headers
        self._record.path = urlsplit(request.path).path
        for name in _SECRET_HEADERS & headers.keys():
            del headers[name]

    def _shake_hands(self, request: Request) -> None:
        self._note_request(request)
        if self._faults.refuse_status is not None:
            self._reject(self._faults.refuse_status, "refused on demand\n")
            return
        if not any(path.fullmatch(self._record.path) for path in _PATHS):
            self._reject(404, "Not Found\n")
            return
        try:
            response = self._protocol.accept(request)
        except InvalidHandshake as error:
            self._reject(400, f"{error}\n")
            return
        self._protocol.send_response(response)
        if self._protocol.state is State.OPEN:
            self._begin(request)
        self._flush()

    def _begin(self, request: Request) -> None:
        config, record, handles = self._gemini
        session = EmulatedSession(config, self._faults, record, handles, now=time.monotonic())
        self._session = session  # type: ignore[assignment] # of the same shape
        if self._faults.drop_after_s is not None:
            self._later(self._faults.drop_after_s, self.end)
        key = _key(request)
        if not key or (config.api_keys is not None and key not in config.api_keys):
            session.core.close(1007, _BAD_KEY)

    def _flush(self) -> None:
        session = self._session
        if session is not None and self._protocol.state is State.OPEN:
            for message in session.messages_to_send():
                self._protocol.send_binary(message)
        super()._flush()


def _key(request: Request) -> str:
    query = parse_qs(urlsplit(request.path).query)
    headers = request.headers
    given = headers.get("x-goog-api-key") or headers.get("Authorization", "")
    named = query.get("key") or query.get("access_token") or [""]
    return (given or named[0]).removeprefix("Bearer ").removeprefix("Token ")
