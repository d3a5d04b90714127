"""A provider's messages, any bytes, in both halves of an OpenAI Realtime conversation.

Run for long with a coverage-guided fuzzer: ``python -m tests.fuzz.fuzz_openai_messages CORPUS_DIR``
(needs the package `atheris`); `test_fuzz_openai_messages` runs it briefly.
"""

from __future__ import annotations

import json
import sys

from bridge.providers.base import Audio, ProviderFailure
from bridge.providers.openai.inbox import MAX_MALFORMED, MAX_OPEN_CALLS
from bridge.providers.openai.realtime import OpenAIRealtime
from esl_controller.simulator.openai.config import EmulatorConfig
from tests.unit.openai_emulator.kit import new_session
from tests.unit.providers.openai_kit import config, options

SEPARATOR = b"\n"


def test_one_input(data: bytes) -> None:
    """Raise `AssertionError`, or anything else, only if one of the two is broken.

    Each line is one message.
    """
    messages = data.split(SEPARATOR)
    to_the_bridge(messages)
    to_the_service(messages)


def to_the_bridge(messages: list[bytes]) -> None:
    provider = OpenAIRealtime(config())
    provider.start(options(greeting="Hello."), 0.0)
    fatal = False
    for moment, message in enumerate(messages):
        provider.receive_message(message, float(moment))
        while (event := provider.next_event()) is not None:
            assert not fatal, "an event after the end"
            fatal = isinstance(event, ProviderFailure) and event.fatal
            assert not isinstance(event, Audio) or event.data
        for sent in provider.messages_to_send():
            assert json.loads(sent)["type"]
    state = provider.state
    assert state is not None
    assert state.malformed_messages <= MAX_MALFORMED
    assert len(state.open_calls) <= MAX_OPEN_CALLS


def to_the_service(messages: list[bytes]) -> None:
    session = new_session(EmulatorConfig(think_s=0.0))
    for moment, message in enumerate(messages):
        session.receive_message(message, float(moment))
        session.handle_timeout(float(moment))
        for sent in session.messages_to_send():
            assert json.loads(sent)["type"]


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
