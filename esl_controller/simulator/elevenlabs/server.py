"""A listening ElevenLabs Agents service: `ElevenLabsEmulator(config).start()` gives its URL."""

from __future__ import annotations

import json
import time
from urllib.parse import parse_qs, urlencode, urlsplit

from websockets.http11 import Request

from esl_controller.simulator.elevenlabs.config import EmulatorConfig, Faults
from esl_controller.simulator.elevenlabs.faults import FAULTS
from esl_controller.simulator.elevenlabs.record import ConversationRecord
from esl_controller.simulator.elevenlabs.session import EmulatedConversation
from esl_controller.simulator.service.door import HttpAnswer
from esl_controller.simulator.service.server import EmulatedService

CONVERSATION = "/v1/convai/conversation"
SIGNING = ("/v1/convai/conversation/get-signed-url", "/v1/convai/conversation/get_signed_url")
SIGNATURE = "conversation_signature"


class ElevenLabsEmulator(EmulatedService[Faults]):
    """Signs addresses, holds conversations, and keeps a record of each."""

    fault_table = FAULTS

    def __init__(self, config: EmulatorConfig | None = None) -> None:
        self.config = config or EmulatorConfig()
        super().__init__(self.config.host, self.config.port, self.config.tls)
        self.sessions: list[ConversationRecord] = []
        """One record a conversation, in the order of connecting."""
        self.signed: list[ConversationRecord] = []
        """Requests for an address."""
        self._signatures: set[str] = set()

    def _door(self) -> ElevenLabsDoor:
        return ElevenLabsDoor(self)

    def next_faults(self, *, signing: bool) -> Faults:
        """Those queued are a conversation's: its signing request only looks at them."""
        queue = self._queued_faults
        if not queue:
            return self.config.faults
        if signing and queue[0].signing_status is None and not queue[0].signed_url:
            return Faults()
        return queue.popleft()

    def sign(self, agent_id: str) -> str:
        """An address that lets one conversation in."""
        signature = f"signature-{len(self._signatures) + 1:06d}"
        self._signatures.add(signature)
        query = urlencode({"agent_id": agent_id, SIGNATURE: signature})
        return f"{self.url}{CONVERSATION}?{query}"

    def is_signed(self, query: dict[str, list[str]]) -> bool:
        """Whether this service has signed the address."""
        return (query.get(SIGNATURE) or [""])[0] in self._signatures


class ElevenLabsDoor:
    """One connection's way in."""

    binary = False
    subprotocols = ("convai",)

    def __init__(self, service: ElevenLabsEmulator) -> None:
        self.record = ConversationRecord(number=0)
        self.max_message_bytes = service.config.max_message_bytes
        self.fast = service.config.fast
        self._service = service
        self._faults = Faults()
        self._unsigned = False

    def take_faults(self, request: Request) -> Faults:
        """Those of the conversation; a request for an address is refused by its own."""
        signing = urlsplit(request.path).path in SIGNING
        self._faults = self._service.next_faults(signing=signing)
        story = self._service.signed if signing else self._service.sessions
        story.append(self.record)
        self.record.number = len(story)
        self.record.subprotocols = request.headers.get("Sec-WebSocket-Protocol", "")
        return Faults() if signing else self._faults

    def answer(self, request: Request) -> HttpAnswer | None:
        """An address, or a refusal; the conversation's own path alone leads in."""
        url = urlsplit(request.path)
        query = parse_qs(url.query)
        if url.path in SIGNING:
            return self._sign(request, query)
        if url.path != CONVERSATION:
            return _refusal(404, "not_found", "Not Found")
        self._unsigned = not self._service.config.public and not self._service.is_signed(query)
        return None

    def open(self, request: Request) -> EmulatedConversation:
        """The conversation; one without a signed address is closed as soon as it is open."""
        faults, now = self._faults, time.monotonic()
        session = EmulatedConversation(self._service.config, faults, self.record, now)
        if self._unsigned:
            session.core.close(3000, "Request error")
        return session

    def _sign(self, request: Request, query: dict[str, list[str]]) -> HttpAnswer:
        config, faults = self._service.config, self._faults
        if faults.signing_status is not None:
            return HttpAnswer(faults.signing_status, faults.signing_body)
        key = request.headers.get("xi-api-key", "")
        if not key or (config.api_keys is not None and key not in config.api_keys):
            return _refusal(401, "invalid_api_key", "Invalid API key")
        agent_id = (query.get("agent_id") or [""])[0]
        if not agent_id:
            return HttpAnswer(422, json.dumps({"detail": [{"msg": "Field required"}]}))
        if config.agent_ids is not None and agent_id not in config.agent_ids:
            return _refusal(404, "agent_not_found", f"Agent {agent_id} not found")
        url = faults.signed_url or self._service.sign(agent_id)
        return HttpAnswer(200, json.dumps({"signed_url": url}))


def _refusal(status: int, code: str, message: str) -> HttpAnswer:
    return HttpAnswer(status, json.dumps({"detail": {"status": code, "message": message}}))
