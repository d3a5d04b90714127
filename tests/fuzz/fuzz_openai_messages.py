"""A provider's messages, any bytes, in both halves of an OpenAI Realtime conversation.

Run for long with a coverage-guided fuzzer: ``python -m tests.fuzz.fuzz_openai_messages CORPUS_DIR``
(needs the package `atheris`); `test_fuzz_openai_messages` runs it briefly.
"""

from __future__ import annotations

import json
import sys

from bridge.providers.base import Audio, ProviderFailure
from bridge.providers.openai.calls import MAX_OPEN_CALLS
from bridge.providers.openai.inbox import MAX_MALFORMED
from bridge.providers.openai.realtime import CHANNEL, OpenAIRealtime
from esl_controller.simulator.openai.config import EmulatorConfig
from tests.unit.openai_emulator.kit import new_session
from tests.unit.providers.openai_kit import config, conversation, opened, sent

SEPARATOR = b"\n"


def test_one_input(data: bytes) -> None:
    """Raise `AssertionError`, or anything else, only if one of the two is broken.

    Each line is one message.
    """
    messages = data.split(SEPARATOR)
    to_the_bridge(messages)
    to_the_service(messages)


def to_the_bridge(messages: list[bytes]) -> None:
    provider = opened(OpenAIRealtime(config()), conversation(greeting="Hello."))
    fatal = False
    for moment, message in enumerate(messages):
        provider.receive_message(CHANNEL, message, float(moment))
        while (event := provider.next_event()) is not None:
            assert not fatal, "an event after the end"
            fatal = isinstance(event, ProviderFailure) and event.fatal
            assert not isinstance(event, Audio) or event.data
        assert all(message["type"] for message in sent(provider))
    state = provider.state
    assert state.malformed_messages <= MAX_MALFORMED
    assert state.calls.open <= MAX_OPEN_CALLS


def to_the_service(messages: list[bytes]) -> None:
    session = new_session(EmulatorConfig(think_s=0.0))
    for moment, line in enumerate(messages):
        session.receive_message(line, float(moment))
        session.handle_timeout(float(moment))
        for message in session.messages_to_send():
            assert json.loads(message)["type"]


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
