"""The official `google-genai` package against our emulator, and our messages against its types.

The SDK runs in a process of its own: it brings asyncio, which does not go with a patched gevent
process. It speaks TLS alone.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gevent.subprocess
import msgspec
import pytest

from bridge.providers.conversation import Ran, Said, Speaker, Tool
from bridge.providers.gemini.live import GeminiLive
from esl_controller.simulator.gemini.config import EmulatorConfig, Faults
from esl_controller.simulator.gemini.server import GeminiEmulator
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.unit.providers.gemini_kit import (
    config,
    conversation,
    feed,
    messages,
    opened,
    ready_provider,
    talkative_session,
)
from tests.wire.ws.peers import TLS, tls_server_context

pytestmark = pytest.mark.conformance
HERE = Path(__file__).parent
LIMIT_S = 50.0
LONG = "This answer is long enough to be interrupted in the middle of it."
QUICK: dict[str, Any] = {"think_s": 0.02, "pace": 8.0, "transcription_delay_s": 0.01}


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


def converse(scenario: str, emulated: EmulatorConfig) -> tuple[dict[str, Any], GeminiEmulator]:
    emulator = GeminiEmulator(dataclasses.replace(emulated, tls=tls_server_context()))
    url = emulator.start().replace("wss://127.0.0.1", "https://localhost")
    try:
        return run("sdk_conversation.py", scenario, url, str(TLS / "localhost.pem")), emulator
    finally:
        emulator.stop()


def check(side: str, lines: Iterable[bytes]) -> None:
    texts = [line.decode() for line in lines]
    result = run("sdk_types.py", side, stdin="\n".join(texts))
    assert result["checked"] == len(texts) > 0
    assert result["problems"] == []


# --- conversations ------------------------------------------------------------------------------


def test_a_full_conversation() -> None:
    script = Script(
        answers=(
            Answer("Good morning."),
            Answer("Let me look.", calls=(ScriptedCall("lookup_customer", '{"query":"me"}'),)),
            Answer(LONG),
        ),
        caller_lines=("Hello there",),
    )
    result, emulator = converse("full", EmulatorConfig(script=script, **QUICK))
    assert result["session"]
    assert result["turn"] == {
        "heard": "Hello there",
        "said": "Good morning.",
        "order": ["generation_complete", "turn_complete"],
    }
    assert result["function"] == {
        "name": "lookup_customer",
        "args": {"query": "me"},
        "said": "All right, that is done: Ann",
    }
    assert result["barge_in"] == ["interrupted", "turn_complete"]
    assert result["handles"] > 1
    assert result["tokens"]
    (record,) = emulator.sessions
    assert result["audio_bytes"] > 48 * 1000
    assert record.function_outputs[0][1] == "Ann"
    assert "x-goog-api-key" not in record.headers
    assert record.errors == []


def test_turns_told_by_the_client() -> None:
    script = Script(answers=(Answer("Good morning."),))
    result, emulator = converse("manual", EmulatorConfig(script=script, **QUICK))
    assert result == {"said": "Good morning.", "order": ["generation_complete", "turn_complete"]}
    assert emulator.sessions[0].events_received["realtimeInput"] > 5


def test_a_session_is_resumed_after_go_away() -> None:
    emulated = EmulatorConfig(session_limit_s=5.0, go_away_s=4.5, **QUICK)
    result, emulator = converse("resume", emulated)
    assert result == {"left": "4.5s", "session": True}
    assert emulator.sessions[1].resumed  # type: ignore[attr-defined]


def test_a_wrong_key() -> None:
    result, _ = converse("refused", EmulatorConfig(api_keys=frozenset({"AIza-other"})))
    assert "API key not valid" in result["error"]


def test_no_money() -> None:
    faults = Faults(close_after_s=0.0, close_code=1011, close_reason="Resource exhausted.")
    result, _ = converse("refused", EmulatorConfig(faults=faults))
    assert "Resource exhausted" in result["error"]


@pytest.mark.parametrize("scenario", ["vertex_names", "v1beta"])
def test_versions_of_the_path(scenario: str) -> None:
    script = Script(answers=(Answer("Yes."),))
    result, emulator = converse(scenario, EmulatorConfig(script=script, **QUICK))
    assert result == {"said": "Yes."}
    version = ".v1beta." if scenario == "v1beta" else ".v1."
    assert version in emulator.sessions[0].path


# --- types --------------------------------------------------------------------------------------


def test_every_server_message_has_the_sdks_shape() -> None:
    seen = talkative_session()
    kinds = {name for message in seen for name in msgspec.json.decode(message)}
    assert kinds == {
        "setupComplete",
        "serverContent",
        "toolCall",
        "toolCallCancellation",
        "sessionResumptionUpdate",
        "goAway",
        "usageMetadata",
    }
    check("server", seen)


def test_every_message_of_our_provider_has_the_sdks_shape() -> None:
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "day": {"type": ["string", "null"], "format": "date", "enum": ["mon", "tue"]},
            "slots": {"type": "array", "items": {"$ref": "#/$defs/slot"}},
            "size": {"oneOf": [{"type": "integer", "const": 1}, {"type": "null"}]},
        },
        "required": ["day"],
        "$defs": {"slot": {"type": "number", "exclusiveMinimum": 0}},
    }
    tools = [Tool("lookup", "Finds", schema), Tool("bare", "", {"type": "object"})]
    talk = conversation(
        instructions="Be brief.",
        greeting="Hello.",
        language="pt-BR",
        tools=tools,
        history=(
            Said(Speaker.CALLER, "Hi"),
            Said(Speaker.AGENT, "Hello"),
            Ran("lookup", "{}", "found"),
        ),
    )
    sent: list[bytes] = []
    for fields in (
        {
            "voice": "Kore",
            "start_sensitivity": "low",
            "end_sensitivity": "high",
            "speech_before_start_ms": 20,
            "vad_silence_ms": 400,
            "temperature": 0.7,
            "max_output_tokens": 500,
            "compression_trigger_tokens": 25000,
            "compression_target_tokens": 8000,
        },
        {"model": "gemini-2.5-flash-native-audio", "thinking_budget": 0, "affective_dialog": True},
        {"model": "gemini-2.5-flash-native-audio", "proactive_audio": True},
        {"model": "gemini-3.1-flash-live-preview", "thinking_level": "low"},
        {"turn_detection": "none", "interrupt_response": False},
    ):
        provider = opened(
            GeminiLive(config(**fields), handle="h" if "voice" in fields else ""), talk
        )
        sent += messages(provider)
        feed(provider, {"setupComplete": {}})
        provider.begin_turn(0.0)
        provider.send_audio(b"\x01\x02" * 320)
        provider.end_turn(0.0)
        provider.send_text("Pressed 1", 0.0)
        provider.inform("[Be kind.]", respond=False, now=0.0)
        provider.answer(0.0)
        sent += messages(provider)
    provider = ready_provider()
    calls = [{"id": "1", "name": "lookup", "args": {}}, {"id": "2", "name": "lookup"}]
    feed(provider, {"toolCall": {"functionCalls": calls}})
    provider.send_function_result("1", '{"a":1}', failed=False, now=0.0)
    provider.send_function_result("2", "not found", failed=True, now=0.0)
    sent += messages(provider)
    kinds = {name for message in sent for name in msgspec.json.decode(message)}
    assert kinds == {"setup", "clientContent", "realtimeInput", "toolResponse"}
    check("client", sent)
