"""One call whose tenant has providers of different kinds, each with its real protocol object."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.providers.base import ErrorKind
from bridge.providers.conversation import Conversation
from esl_controller.simulator.chat.faults import FAULTS as CHAT
from esl_controller.simulator.deepgram.faults import FAULTS as DEEPGRAM
from esl_controller.simulator.elevenlabs.config import EmulatorConfig as AgentConfig
from esl_controller.simulator.elevenlabs.faults import FAULTS as ELEVENLABS
from esl_controller.simulator.gemini.config import EmulatorConfig as GeminiConfig
from esl_controller.simulator.gemini.faults import FAULTS as GEMINI
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.faults import FAULTS as OPENAI
from esl_controller.simulator.service.script import Answer, Script
from tests.pairs.gemini_world import GeminiService, GeminiWorld
from tests.pairs.services import Agent, AnyService, Service
from tests.pairs.stages import PipelineWorld, Stages
from tests.pairs.world import World
from tests.unit.bridge.session_kit import PHRASE

CEILING_S = 2.0
"""A ringing call is answered by then."""
MANY = 40


class Tables:
    """What each of a tenant's choices can do of the faults' vocabulary."""

    of = {
        "openai": OPENAI,
        "gemini": GEMINI,
        "elevenlabs": ELEVENLABS,
        "hearing": DEEPGRAM,
        "model": CHAT,
    }


def service(kind: str, answers: tuple[str, ...], line: str, fault: str, then: str = "") -> Any:
    """An emulated service; its caller says `line`. `hearing` and `model` are of a pipeline.

    `fault` is its first connection's, `then` all others'; without `then` all fail alike. Answers
    come little faster than they are heard: a fault in the middle is one for the caller too.
    """
    script = Script(tuple(Answer(text) for text in answers), caller_lines=(line,))
    table: Any = Tables.of[kind]
    first = table.make(fault) if fault else table.kind()
    others = table.make(then) if then else first
    common: dict[str, Any] = {"script": script, "pace": 1.2, "faults": others}
    if kind == "openai":
        return Service(EmulatorConfig(**common), first)
    if kind == "gemini":
        return GeminiService(GeminiConfig(**common), first)
    if kind == "elevenlabs":
        return Agent(AgentConfig(turn_timeout_s=None, **common), first)
    if kind == "hearing":
        return Stages(script, first, *[others] * MANY)
    stages = Stages(script)
    stages.chat_faults = [first, *[others] * MANY]
    return stages


class MixedWorld(World):
    """The providers' kinds are those of the services."""

    provider_of_stages = PipelineWorld._provider
    provider_of_gemini = GeminiWorld._provider
    host_of_stages = PipelineWorld._host

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *services: AnyService, **more: Any) -> None:
        self.answered_at = self.stopped_at = 0.0
        super().__init__(monkeypatch, *services, **more)

    def _provider(self, service: Any, handle: str = "") -> Any:
        if isinstance(service, Stages):
            return self.provider_of_stages(service)  # type: ignore[arg-type]
        if isinstance(service, GeminiService):
            return self.provider_of_gemini(service, handle)  # type: ignore[arg-type]
        return super()._provider(service)

    def _host(self, protocol: Any, conversation: Conversation, **more: Any) -> Any:
        if isinstance(self._of[id(protocol)], Stages):
            return self.host_of_stages(protocol, conversation, **more)  # type: ignore[arg-type]
        return super()._host(protocol, conversation, **more)

    # --- the call ---

    def answer(self) -> MixedWorld:
        """As the controller does: when the greeting is ready, else with a phrase at the ceiling."""
        self.session.prepare()
        until = self.now + CEILING_S
        while self.now < until and not self.call.of("greeting_ready") and not self.session.ended:
            self.run(0.02)
        if not self.session.ended:
            self.answered_at = self.now
            self.join()
            if not self.call.of("greeting_ready"):
                self.session.announce(*PHRASE)
        return self

    def ask(self, seconds: float) -> None:
        """The caller asks something, and waits so long, or until the dialplan has the call."""
        self.speak("When do you open?")
        self.stopped_at = self.now
        while not self.session.ended and self.now < self.stopped_at + seconds:
            self.run(0.1)

    # --- what came of it ---

    @property
    def spoken(self) -> list[str]:
        """What the agent has said, as far as it was heard."""
        return [u.text for u in self.session.transcript.utterances if u.speaker.value != "user"]

    @property
    def troubles(self) -> list[ErrorKind]:
        """What the call was told, and its row is."""
        return [kind for kind, *_ in self.call.of("provider_trouble")]

    def told(self) -> list[Conversation]:
        """What each connection was begun with."""
        return [host._conversation for host in self.hosts]
