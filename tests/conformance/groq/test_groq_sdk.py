"""The official `groq` and `openai` packages against our emulated chat model."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gevent
import gevent.subprocess
import pytest

from esl_controller.simulator.chat.server import LIMITED, ChatConfig, ChatEmulator
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall

pytestmark = pytest.mark.conformance
PROGRAM = Path(__file__).with_name("sdk_chat.py")
CALLS = (ScriptedCall("book", '{"at":9}'), ScriptedCall("book", '{"at":10}'))
SCRIPT = Script((Answer("At nine."),), {"book": Answer("Wait.", CALLS)})


@pytest.mark.parametrize("sdk", ["groq", "openai"])
@pytest.mark.parametrize("fragments", [True, False])
def test_answers_calls_and_errors(sdk: str, fragments: bool) -> None:
    config = ChatConfig(script=SCRIPT, api_keys=frozenset({"gsk-test"}), fragments=fragments)
    emulator = ChatEmulator(config)
    base_url = emulator.start()

    def limit_the_third() -> None:
        while len(emulator.requests) < 2:
            gevent.sleep(0.005)
        emulator.queue_faults(LIMITED)

    watcher = gevent.spawn(limit_the_third)
    try:
        done = gevent.subprocess.run(
            [sys.executable, str(PROGRAM), sdk, base_url],
            capture_output=True,
            text=True,
            timeout=50,
        )
    finally:
        watcher.kill()
        emulator.stop()
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["first"]["text"].strip() == "At nine."
    assert (seen["first"]["finish"], seen["first"]["calls"]) == ("stop", {})
    assert seen["first"]["tokens"] > 0
    assert seen["second"]["finish"] == "tool_calls"
    assert seen["second"]["calls"] == {"0": ["book", '{"at":9}'], "1": ["book", '{"at":10}']}
    assert seen["limited"]["class"] == "RateLimitError"
    assert "try again in 1.5s" in seen["limited"]["text"]
    assert seen["wrong_key"]["class"] == "AuthenticationError"
