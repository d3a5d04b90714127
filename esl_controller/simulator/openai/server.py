"""A listening OpenAI Realtime service: `OpenAIEmulator(config).start()` gives its base URL."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

from websockets.http11 import Request

from esl_controller.simulator.openai.admission import Refusal, admit, models_page
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.conversation import ClientError
from esl_controller.simulator.openai.faults import FAULTS
from esl_controller.simulator.openai.record import SessionRecord
from esl_controller.simulator.openai.session import EmulatedSession
from esl_controller.simulator.service.door import HttpAnswer
from esl_controller.simulator.service.server import EmulatedService


class OpenAIEmulator(EmulatedService[Faults]):
    """Accepts connections and keeps a record of each."""

    path = "/v1"
    fault_table = FAULTS

    def __init__(self, config: EmulatorConfig | None = None) -> None:
        self.config = config or EmulatorConfig()
        super().__init__(self.config.host, self.config.port, self.config.tls)
        self.sessions: list[SessionRecord] = []
        """One record a connection, in the order of accepting."""

    def _door(self) -> OpenAIDoor:
        return OpenAIDoor(self)

    def admit(self, record: SessionRecord) -> Faults:
        """One more connection, and what goes wrong with it."""
        self.sessions.append(record)
        record.number = len(self.sessions)
        return self._queued_faults.popleft() if self._queued_faults else self.config.faults


class OpenAIDoor:
    """One connection's way in."""

    binary = False
    subprotocols = ()

    def __init__(self, service: OpenAIEmulator) -> None:
        self.record = SessionRecord(number=0)
        self.max_message_bytes = service.config.max_message_bytes
        self.fast = service.config.fast
        self._service = service
        self._config = service.config
        self._faults = Faults()
        self._refusal: Refusal | None = None

    def take_faults(self, request: Request) -> Faults:
        """Those of the connection."""
        self._faults = self._service.admit(self.record)
        return self._faults

    def answer(self, request: Request) -> HttpAnswer | None:
        """The list of models, or a refusal, where it comes before the upgrade."""
        if urlsplit(request.path).path.endswith("/models"):
            return models_page(request, self._config)
        self._refusal = admit(request, self._config)
        if self._refusal is None or self._refusal.status is None:
            return None
        return HttpAnswer(self._refusal.status, self._refusal.body())

    def open(self, request: Request) -> EmulatedSession:
        """A session; it only tells the refusal and ends, where it comes after the upgrade."""
        query = parse_qs(urlsplit(request.path).query)
        names = query.get("model") or query.get("deployment") or [""]
        session = EmulatedSession(
            self._config,
            self._faults,
            self.record,
            model=names[0],
            now=time.monotonic(),
            unix_now=time.time(),
        )
        refusal = self._refusal
        if refusal is not None:
            session.core.outbox.clear()
            session.core.emit_error(ClientError(refusal.code, refusal.message), None)
            session.core.close(refusal.close_code, refusal.close_reason)
        return session
