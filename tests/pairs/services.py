"""Emulated services as a world sees them: who is let in, and with which protocol object."""

from __future__ import annotations

from typing import Any, Protocol

from bridge.providers import base as p
from bridge.providers.elevenlabs.agent import ElevenLabsAgent
from bridge.providers.elevenlabs.config import ElevenLabsConfig
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import OpenAIRealtime
from esl_controller.simulator.elevenlabs.config import EmulatorConfig as AgentConfig
from esl_controller.simulator.elevenlabs.config import Faults as AgentFaults
from esl_controller.simulator.elevenlabs.record import ConversationRecord
from esl_controller.simulator.elevenlabs.session import EmulatedConversation
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.record import SessionRecord
from esl_controller.simulator.openai.session import EmulatedSession
from esl_controller.simulator.service.faults import ConnectionFaults

UNIX_S = 1_780_000_000.0


class Served(Protocol):
    """A service's side of one connection."""

    @property
    def closing(self) -> tuple[int, str] | None: ...

    def receive_message(self, message: bytes, now: float) -> None: ...

    def messages_to_send(self) -> list[bytes]: ...

    def next_deadline(self) -> float | None: ...

    def handle_timeout(self, now: float) -> None: ...


class AnyService(Protocol):
    """An emulated service: every connection to it is a session of its own."""

    kind: str

    def knock(self) -> ConnectionFaults:
        """What goes wrong with one more connection."""

    def accept(self, faults: Any, now: float) -> Served:
        """Its session."""

    def provider(self, fields: dict[str, Any]) -> p.ProviderProtocol:
        """A protocol object that speaks with it."""

    def refusal(self) -> tuple[int, bytes] | None:
        """Status and body with which an HTTP request is refused."""

    def sign(self) -> bytes:
        """What an HTTP request is answered."""


class Service:
    """OpenAI Realtime."""

    kind = "openai"

    def __init__(self, config: EmulatorConfig | None = None, *faults: Faults) -> None:
        self.config = config or EmulatorConfig()
        self.sessions: list[EmulatedSession] = []
        self._faults = list(faults)

    def knock(self) -> Faults:
        return self._faults.pop(0) if self._faults else self.config.faults

    def accept(self, faults: Faults, now: float) -> EmulatedSession:
        record = SessionRecord(number=len(self.sessions) + 1)
        session = EmulatedSession(
            self.config, faults, record, model="gpt-realtime-2.1", now=now, unix_now=UNIX_S + now
        )
        self.sessions.append(session)
        return session

    def provider(self, fields: dict[str, Any]) -> p.ProviderProtocol:
        return OpenAIRealtime(OpenAIRealtimeConfig(**({"api_key": "sk-test"} | fields)))

    def refusal(self) -> tuple[int, bytes] | None:
        raise AssertionError("nothing is signed here")

    def sign(self) -> bytes:
        raise AssertionError("nothing is signed here")


class Agent:
    """ElevenLabs Agents."""

    kind = "elevenlabs"

    def __init__(self, config: AgentConfig | None = None, *faults: AgentFaults) -> None:
        self.config = config or AgentConfig(turn_timeout_s=None)
        self.sessions: list[EmulatedConversation] = []
        self._faults = list(faults)

    def knock(self) -> AgentFaults:
        return self._faults.pop(0) if self._faults else self.config.faults

    def refusal(self) -> tuple[int, bytes] | None:
        """Of a signed address, which is a knock of its own."""
        faults = self._faults[0] if self._faults else self.config.faults
        if faults.signing_status is None:
            return None
        self.knock()
        return faults.signing_status, faults.signing_body.encode()

    def accept(self, faults: AgentFaults, now: float) -> EmulatedConversation:
        record = ConversationRecord(number=len(self.sessions) + 1)
        session = EmulatedConversation(self.config, faults, record, now)
        self.sessions.append(session)
        return session

    @property
    def records(self) -> list[ConversationRecord]:
        return [session.core.record for session in self.sessions]

    def provider(self, fields: dict[str, Any]) -> p.ProviderProtocol:
        return ElevenLabsAgent(
            ElevenLabsConfig(**({"agent_id": "a1", "api_key": "xi-test"} | fields))
        )

    def sign(self) -> bytes:
        return b'{"signed_url":"wss://api.elevenlabs.io/v1/convai/conversation?agent_id=a1"}'
