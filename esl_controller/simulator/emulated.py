"""An emulated provider of a given kind in this process: its server, and what its row says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from esl_controller.simulator.elevenlabs.config import EmulatorConfig as ElevenLabsConfig
from esl_controller.simulator.elevenlabs.server import ElevenLabsEmulator
from esl_controller.simulator.gemini.config import EmulatorConfig as GeminiConfig
from esl_controller.simulator.gemini.server import GeminiEmulator
from esl_controller.simulator.openai.config import EmulatorConfig as OpenAIConfig
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.simulator.service.script import Script
from esl_controller.simulator.service.voice import Voice

THINK_S = 0.1


class Emulator(Protocol):
    """A service that speaks, and remembers what it was told."""

    sessions: list[Any]

    def start(self) -> str:
        """Listen; its URL."""

    def stop(self) -> None:
        """Stop listening."""


def _openai(script: Script, voice: Voice) -> Emulator:
    return OpenAIEmulator(OpenAIConfig(script=script, voice=voice, think_s=THINK_S))


def _gemini(script: Script, voice: Voice) -> Emulator:
    return GeminiEmulator(GeminiConfig(script=script, voice=voice, think_s=THINK_S))


def _elevenlabs(script: Script, voice: Voice) -> Emulator:
    config = ElevenLabsConfig(script=script, voice=voice, think_s=THINK_S, public=True)
    return ElevenLabsEmulator(config)


EMULATORS: Mapping[str, Callable[[Script, Voice], Emulator]] = {
    "openai": _openai,
    "elevenlabs": _elevenlabs,
    "gemini": _gemini,
}
"""By the kind of provider. The pipeline's are `chat` and `deepgram`."""
ROW_SETTINGS: Mapping[str, Mapping[str, Any]] = {"elevenlabs": {"agent_id": "demo"}}
"""`provider_settings` of the row, where it needs some."""


def told(emulator: Emulator) -> str:
    """Every text of settings and system messages its sessions were given."""
    return "\n".join(
        text
        for record in emulator.sessions
        for name in ("updates", "told", "initiation")
        for text in _texts(getattr(record, name, ()))
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
