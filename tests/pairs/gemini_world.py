"""The same world with Gemini: its protocol object and its emulated service."""

from __future__ import annotations

from typing import Any

from bridge.providers.gemini.config import GeminiLiveConfig
from bridge.providers.gemini.live import GeminiLive
from esl_controller.simulator.gemini.config import EmulatorConfig, Faults
from esl_controller.simulator.gemini.core import Handles
from esl_controller.simulator.gemini.record import GeminiRecord
from esl_controller.simulator.gemini.session import EmulatedSession
from tests.pairs.services import AnyService, Service
from tests.pairs.world import World


class GeminiService(Service):
    """An emulated service: sessions can be resumed on another connection."""

    kind = "gemini"

    def __init__(self, config: EmulatorConfig | None = None, *faults: Faults) -> None:
        self.gemini = config or EmulatorConfig()
        super().__init__(self.gemini, *faults)
        self.handles = Handles()

    def accept(self, faults: Any, now: float) -> Any:
        record = GeminiRecord(number=len(self.sessions) + 1)
        session: Any = EmulatedSession(self.gemini, faults, record, self.handles, now=now)
        self.sessions.append(session)
        return session


class GeminiWorld(World):
    """One call and everything around it."""

    def _provider(self, service: AnyService, handle: str = "") -> Any:
        world = self

        class Provider(GeminiLive):
            """Remembers whose it is, also in its successor."""

            def successor(self) -> GeminiLive:
                made = super().successor()
                return world._provider(service, made._handle)

        provider = Provider(GeminiLiveConfig(**({"api_key": "key-test"} | self._fields)), handle)
        self._of[id(provider)] = service
        self._alive.append(provider)
        return provider
