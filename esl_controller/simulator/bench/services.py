"""`python -m esl_controller.simulator.bench.services KIND`: what a provider needs, emulated.

One process for each kind, so that its work is not counted as ours. Prints one JSON line with the
addresses, by setting, and serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402

import gevent  # noqa: E402
import gevent.event  # noqa: E402

from esl_controller.simulator.chat.server import ChatConfig, ChatEmulator  # noqa: E402
from esl_controller.simulator.deepgram.hearing import HearingConfig  # noqa: E402
from esl_controller.simulator.deepgram.server import DeepgramEmulator  # noqa: E402
from esl_controller.simulator.elevenlabs.config import EmulatorConfig as AgentConfig  # noqa: E402
from esl_controller.simulator.elevenlabs.server import ElevenLabsEmulator  # noqa: E402
from esl_controller.simulator.gemini.config import EmulatorConfig as GeminiConfig  # noqa: E402
from esl_controller.simulator.gemini.server import GeminiEmulator  # noqa: E402
from esl_controller.simulator.openai.config import EmulatorConfig  # noqa: E402
from esl_controller.simulator.openai.server import OpenAIEmulator  # noqa: E402
from esl_controller.simulator.service.script import Answer, Script  # noqa: E402

THINK_S = 0.2
SCRIPT = Script(answers=(Answer("Certainly."),), caller_lines=("please do that for me",))


def _openai() -> dict[str, str]:
    return {"base_url": OpenAIEmulator(EmulatorConfig(script=SCRIPT, think_s=THINK_S)).start()}


def _elevenlabs() -> dict[str, str]:
    config = AgentConfig(script=SCRIPT, think_s=THINK_S, turn_timeout_s=None, public=True)
    return {"base_url": ElevenLabsEmulator(config).start()}


def _gemini() -> dict[str, str]:
    return {"base_url": GeminiEmulator(GeminiConfig(script=SCRIPT, think_s=THINK_S)).start()}


def _pipeline() -> dict[str, str]:
    chat = ChatEmulator(ChatConfig(script=SCRIPT, think_s=THINK_S))
    return {
        "base_url": chat.start(),
        "stt_url": DeepgramEmulator(HearingConfig(script=SCRIPT)).start(),
    }


SERVICES: Mapping[str, Callable[[], dict[str, str]]] = {
    "openai": _openai,
    "elevenlabs": _elevenlabs,
    "gemini": _gemini,
    "custom": _pipeline,
}


def main(arguments: list[str]) -> None:
    """Serve one kind until told to end."""
    ended = gevent.event.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, ended.set)
    sys.stdout.write(json.dumps(SERVICES[arguments[0]]()) + "\n")
    sys.stdout.flush()
    ended.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
