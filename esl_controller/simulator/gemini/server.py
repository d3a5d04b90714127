"""A listening Gemini Live service: `GeminiEmulator(config).start()` gives its base URL."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urlsplit

from websockets.http11 import Request

from esl_controller.simulator.gemini.config import EmulatorConfig
from esl_controller.simulator.gemini.core import Handles
from esl_controller.simulator.gemini.faults import FAULTS
from esl_controller.simulator.gemini.record import GeminiRecord
from esl_controller.simulator.gemini.session import EmulatedSession
from esl_controller.simulator.service.door import HttpAnswer
from esl_controller.simulator.service.faults import AnswerFaults as Faults
from esl_controller.simulator.service.faults import FaultTable
from esl_controller.simulator.service.server import EmulatedService

_PATHS = (
    re.compile(
        r"//?ws/google\.ai\.generativelanguage\.v1(?:alpha|beta)?\.GenerativeService\."
        r"BidiGenerateContent(?:Constrained)?"
    ),
    re.compile(
        r"//?ws/google\.cloud\.aiplatform\.v1(?:beta1)?\.LlmBidiService/BidiGenerateContent"
    ),
)
_BAD_KEY = "API key not valid. Please pass a valid API key."


class GeminiEmulator(EmulatedService[Faults]):
    """Accepts connections and keeps a record of each; handles are common to all."""

    fault_table: FaultTable[Faults] = FAULTS

    def __init__(self, config: EmulatorConfig | None = None) -> None:
        self.config = config or EmulatorConfig()
        super().__init__(self.config.host, self.config.port, self.config.tls)
        self.sessions: list[GeminiRecord] = []
        """One record a connection, in the order of accepting."""
        self._handles = Handles()

    def _door(self) -> GeminiDoor:
        return GeminiDoor(self, self._handles)

    def admit(self, record: GeminiRecord) -> Faults:
        """One more connection, and what goes wrong with it."""
        self.sessions.append(record)
        record.number = len(self.sessions)
        return self._queued_faults.popleft() if self._queued_faults else self.config.faults


class GeminiDoor:
    """One connection's way in."""

    binary = True
    subprotocols = ()

    def __init__(self, service: GeminiEmulator, handles: Handles) -> None:
        self.record = GeminiRecord(number=0)
        self.max_message_bytes = service.config.max_message_bytes
        self.fast = service.config.fast
        self._service = service
        self._config = service.config
        self._faults = service.config.faults
        self._handles = handles

    def take_faults(self, request: Request) -> Faults:
        """Those of the connection."""
        self._faults = self._service.admit(self.record)
        return self._faults

    def answer(self, request: Request) -> HttpAnswer | None:
        """The service's own paths alone lead in; the record keeps them without a key."""
        self.record.path = urlsplit(request.path).path
        if any(path.fullmatch(self.record.path) for path in _PATHS):
            return None
        return HttpAnswer(404, "Not Found\n", "text/plain")

    def open(self, request: Request) -> EmulatedSession:
        """A session; a wrong key closes it as soon as it is open."""
        session = EmulatedSession(
            self._config, self._faults, self.record, self._handles, now=time.monotonic()
        )
        key = _key(request)
        if not key or (self._config.api_keys is not None and key not in self._config.api_keys):
            session.core.close(1007, _BAD_KEY)
        return session


def _key(request: Request) -> str:
    query = parse_qs(urlsplit(request.path).query)
    headers = request.headers
    given = headers.get("x-goog-api-key") or headers.get("Authorization", "")
    named = query.get("key") or query.get("access_token") or [""]
    return (given or named[0]).removeprefix("Bearer ").removeprefix("Token ")
