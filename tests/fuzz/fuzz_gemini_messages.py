"""A provider's messages, any bytes, in both halves of a Gemini Live conversation.

Run for long with a coverage-guided fuzzer: ``python -m tests.fuzz.fuzz_gemini_messages CORPUS_DIR``
(needs the package `atheris`); `test_fuzz_gemini_messages` runs it briefly.
"""

from __future__ import annotations

import json
import sys

from bridge.providers.base import Audio, ProviderFailure
from bridge.providers.gemini.calls import MAX_OPEN_CALLS
from bridge.providers.gemini.inbox import MAX_MALFORMED
from bridge.providers.gemini.live import CHANNEL, GeminiLive
from esl_controller.simulator.gemini.config import EmulatorConfig
from tests.unit.providers.gemini_kit import config, conversation, new_session, opened, sent

SEPARATOR = b"\n"
SETUP = b'{"setup":{"model":"models/gemini-3.8-live","sessionResumption":{}}}'


def test_one_input(data: bytes) -> None:
    """Raise `AssertionError`, or anything else, only if one of the two is broken.

    Each line is one message.
    """
    messages = data.split(SEPARATOR)
    to_the_bridge(messages)
    to_the_service(messages)
    to_the_service([SETUP, *messages])


def to_the_bridge(messages: list[bytes]) -> None:
    provider = opened(GeminiLive(config()), conversation(greeting="Hello."))
    fatal = False
    for moment, message in enumerate(messages):
        provider.receive_message(CHANNEL, message, float(moment))
        provider.handle_timeout(float(moment))
        while (event := provider.next_event()) is not None:
            assert not fatal, "an event after the end"
            fatal = isinstance(event, ProviderFailure) and event.fatal
            assert not isinstance(event, Audio) or (event.data and len(event.data) % 2 == 0)
        assert all(len(message) == 1 for message in sent(provider))
    provider.stop(1e9)
    state = provider.state
    assert state.malformed_messages <= MAX_MALFORMED
    assert state.calls.open <= MAX_OPEN_CALLS


def to_the_service(messages: list[bytes]) -> None:
    session = new_session(EmulatorConfig(think_s=0.0))
    for moment, line in enumerate(messages):
        session.receive_message(line, float(moment))
        if session.core.closing is None:
            session.handle_timeout(float(moment))
        for message in session.messages_to_send():
            assert isinstance(json.loads(message), dict)


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
