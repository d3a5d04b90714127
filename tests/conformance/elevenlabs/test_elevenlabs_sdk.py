"""The official `elevenlabs` package against our emulator, and our messages against its types.

The SDK runs in a process of its own: it brings threads and another HTTP stack, which do not go
with a patched gevent process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gevent.subprocess
import pytest

from bridge.providers.actions import Send
from bridge.providers.conversation import Opening, Ran, Said, Speaker
from bridge.providers.elevenlabs.agent import ElevenLabsAgent
from esl_controller.simulator.elevenlabs.config import EmulatorConfig, Faults
from esl_controller.simulator.elevenlabs.record import ConversationRecord
from esl_controller.simulator.elevenlabs.server import ElevenLabsEmulator
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.unit.providers.elevenlabs_kit import (
    METADATA,
    config,
    conversation,
    feed,
    opened,
)

pytestmark = pytest.mark.conformance
HERE = Path(__file__).parent
LIMIT_S = 50.0
QUICK: dict[str, Any] = {
    "input_format": "pcm_16000",
    "output_format": "pcm_16000",
    "think_s": 0.02,
    "pace": 8.0,
    "silence_ms": 300,
    "transcription_delay_s": 0.0,
    "ping_every_s": 0.2,
}


def run(program: str, *arguments: str, stdin: str = "") -> dict[str, Any]:
    done = gevent.subprocess.run(
        [sys.executable, str(HERE / program), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def converse(scenario: str, **fields: Any) -> tuple[dict[str, Any], ConversationRecord | None]:
    emulator = ElevenLabsEmulator(EmulatorConfig(**(QUICK | fields)))
    try:
        result = run("sdk_conversation.py", scenario, emulator.start())
    finally:
        emulator.stop()
    return result, emulator.sessions[0] if emulator.sessions else None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"number_chunks": True, "with_alignment": True},
        {"faults": Faults(strange_messages=True)},
    ],
    ids=["plain", "numbered", "strange"],
)
def test_a_full_conversation(fields: dict[str, Any]) -> None:
    script = Script(
        answers=(
            Answer("Let me look.", (ScriptedCall("lookup", '{"query":"me"}'),)),
            Answer("never said"),
            Answer("Good-bye.", (ScriptedCall("end_call"),)),
        ),
        keywords={"keypad": Answer("You pressed one, and this is about the opening hours. " * 4)},
        caller_lines=("who am I",),
    )
    result, record = converse("full", script=script, **fields)
    assert record is not None
    assert result["agent"][:3] == ["Good morning.", "Let me look.", "All right, that is done: Ann"]
    assert result["agent"][4] == "Good-bye."
    assert result["caller"][0] == "who am I"
    (tool,) = result["tools"]
    assert tool["query"] == "me"
    assert result["interruptions"] >= 1
    original, corrected = result["corrections"][-1]
    assert original.startswith("You pressed one")
    assert len(corrected) < len(original)
    assert result["end"] == ["agent", 1000]
    assert result["id"] == record.conversation_id
    assert result["aligned"] is fields.get("with_alignment", False)
    assert 0 < result["heard"] <= record.audio_out_ms * 32
    assert record.updates == ["The caller is a member."]
    assert record.texts == ["keypad 1"]
    assert record.received["user_activity"] == 1
    assert record.function_outputs[0][1:] == ("Ann", False)
    assert record.pongs
    assert record.errors == []


def test_a_refused_override() -> None:
    overrides = frozenset({"agent.first_message"})
    result, record = converse("refused", public=True, overrides=overrides)
    assert record is not None
    assert result["end"] == ["error", 1008]
    assert record.errors == ["override_error"]
    assert result["agent"] == []


def test_without_a_signed_address_nobody_speaks_with_a_private_agent() -> None:
    result, _ = converse("refused")
    assert result["end"] == ["error", 3000]


def test_a_client_that_leaves() -> None:
    result, record = converse("leaves", public=True)
    assert record is not None
    assert result["end"] == ["user", None]
    assert record.close_code in (1000, 1001)


def test_a_wrong_key() -> None:
    result, _ = converse("wrong_key", api_keys=frozenset({"xi-test"}))
    assert result["status"] == 401
    assert result["body"]["detail"]["status"] == "invalid_api_key"


def test_our_messages_are_those_of_the_official_client() -> None:
    history = (Said(Speaker.CALLER, "Hello."), Ran("f", "{}", "x"), Said(Speaker.CALLER, "And?"))
    talk = conversation(
        instructions="Be kind.", language="pt-BR", history=history, opening=Opening.ANSWER
    )
    fields = {"stability": 0.5, "similarity_boost": 0.5, "speed": 1.1}
    provider = opened(
        ElevenLabsAgent(config(voice="v", model="gemini-2.5-flash", user_id="u", **fields)), talk
    )
    messages = provider.actions()
    feed(provider, "conversation_initiation_metadata", METADATA)
    feed(provider, "ping", {"event_id": 1, "ping_ms": None})
    body = {"tool_name": "f", "tool_call_id": "t", "parameters": {}}
    feed(provider, "client_tool_call", body)
    provider.send_function_result("t", "ok", failed=False, now=1.0)
    provider.inform("x", respond=False, now=1.0)
    provider.send_audio(b"\xff" * 160)
    messages += provider.actions()
    lines = [action.data.decode() for action in messages if isinstance(action, Send)]
    result = run("sdk_types.py", stdin="\n".join(lines))
    assert result["checked"] == len(lines) == 6
    assert result["problems"] == []
