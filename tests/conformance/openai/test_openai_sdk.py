"""The official `openai` package against our emulator, and our messages against its types.

The SDK runs in a process of its own: it brings threads and another HTTP stack, which do not go
with a patched gevent process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gevent.subprocess
import msgspec
import pytest

from bridge.audio.formats import L16_24K, PCMU_8K
from bridge.providers.base import Heard
from bridge.providers.conversation import Ran, Said, Speaker, Tool
from bridge.providers.openai.realtime import OpenAIRealtime
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.script import DEMO, Answer, Script, ScriptedCall
from esl_controller.simulator.openai.server import OpenAIEmulator
from tests.unit.openai_emulator.kit import Client
from tests.unit.providers.openai_kit import (
    READY,
    begin_response,
    conversation,
    end_response,
    feed,
    messages,
    opened,
    ready_provider,
)
from tests.unit.providers.openai_kit import config as provider_config

pytestmark = pytest.mark.conformance
HERE = Path(__file__).parent
LIMIT_S = 50.0


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


def converse(scenario: str, config: EmulatorConfig) -> tuple[dict[str, Any], OpenAIEmulator]:
    emulator = OpenAIEmulator(config)
    try:
        return run("sdk_conversation.py", scenario, emulator.start()), emulator
    finally:
        emulator.stop()


def check(side: str, messages: Iterable[bytes]) -> None:
    lines = [message.decode() for message in messages]
    result = run("sdk_types.py", side, stdin="\n".join(lines))
    assert result["checked"] == len(lines) > 0
    assert result["problems"] == []


# --- conversations ------------------------------------------------------------------------------


def test_a_full_conversation() -> None:
    script = Script(
        answers=(
            Answer("Good morning."),
            Answer("Let me look.", calls=(ScriptedCall("lookup_customer", '{"query":"me"}'),)),
            Answer("This answer is long enough to be interrupted in the middle of it."),
        )
    )
    config = EmulatorConfig(script=script, think_s=0.02, pace=8.0, transcription_delay_s=0.01)
    result, emulator = converse("full", config)
    assert result["session"].startswith("sess_")
    turn = result["turn"]
    assert 1000 <= turn.pop("ms") <= 1400
    assert turn.pop("tokens") > 0
    assert turn == {
        "same_item": True,
        "status": "completed",
        "words": "Good morning.",
        "transcribed": True,
    }
    assert result["function"].pop("cached") % 64 == 0
    assert result["function"] == {
        "name": "lookup_customer",
        "arguments": {"query": "me"},
        "answer": "All right, that is done: Ann",
    }
    assert result["barge_in"] == {"reason": "turn_detected", "cut_ms": 50}
    assert result["cutting"] == {"status": "cancelled", "deleted": True}
    assert result["errors"] == [
        "response_cancel_not_active",
        "input_audio_buffer_commit_empty",
        "item_delete_invalid_item_id",
        "unknown_parameter",
        "invalid_event",
        "response_cancel_not_active",
        "mine",
    ]
    (record,) = emulator.sessions
    assert L16_24K.ms_for_bytes(result["audio_bytes"]) == int(record.audio_out_ms)
    assert record.close_code == 1000


def test_the_retired_beta() -> None:
    result, _ = converse("beta", EmulatorConfig())
    assert result == {"code": "beta_api_shape_disabled", "close": 4000}


def test_a_look_alike_in_the_beta_shape() -> None:
    result, _ = converse("look_alike", EmulatorConfig(api_shape="beta", think_s=0.0, pace=50.0))
    assert "response.audio.delta" in result["seen"]
    assert "response.audio_transcript.done" in result["seen"]
    assert "conversation.item.created" in result["seen"]
    assert "error" not in result["seen"]


def test_azure() -> None:
    result, emulator = converse("azure", EmulatorConfig())
    assert result == {"session": "dep"}
    assert emulator.sessions[0].path.startswith("/openai/realtime?")


def test_a_wrong_key() -> None:
    result, _ = converse("wrong_key", EmulatorConfig(api_keys=frozenset({"sk-right"})))
    assert result == {"code": "invalid_api_key", "close": 3000}


# --- types --------------------------------------------------------------------------------------

ALL_SERVER_EVENTS = {
    "session.created",
    "session.updated",
    "conversation.item.added",
    "conversation.item.done",
    "conversation.item.retrieved",
    "conversation.item.deleted",
    "conversation.item.truncated",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed",
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "input_audio_buffer.cleared",
    "input_audio_buffer.timeout_triggered",
    "response.created",
    "response.output_item.added",
    "response.output_item.done",
    "response.content_part.added",
    "response.content_part.done",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.delta",
    "response.output_audio_transcript.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.done",
    "rate_limits.updated",
    "error",
}


def talkative_client() -> Client:
    """A session in which every server event occurs."""
    client = Client(EmulatorConfig(script=DEMO))
    tools = [
        {"type": "function", "name": name, "description": "", "parameters": {"type": "object"}}
        for name in ("lookup_customer", "end_call")
    ]
    turn = {"type": "server_vad", "idle_timeout_ms": 5000}
    audio = {"input": {"turn_detection": turn, "transcription": {"model": "gpt-transcribe"}}}
    client.update(tools=tools, audio=audio, instructions="Be brief.")
    client.speak("Hello you", L16_24K)
    client.finish()
    client.speak("Find me", L16_24K)
    call = client.finish()["output"][1]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "{}"}
    client.send("conversation.item.create", item=output)
    client.send("response.create", response={"metadata": {"a": "b"}, "max_output_tokens": 10})
    spoken = client.finish()["output"][0]["id"]
    client.send("conversation.item.truncate", item_id=spoken, content_index=0, audio_end_ms=10)
    client.send("conversation.item.retrieve", item_id=spoken)
    client.send("conversation.item.delete", item_id=spoken)
    client.send("response.create")
    client.send("response.cancel")
    client.send("response.cancel")
    client.send("input_audio_buffer.clear")
    client.update(output_modalities=["text"])
    client.send("response.create", response={"conversation": "none"})
    client.wait(30)
    return client


def other_shapes() -> Iterable[Client]:
    for audio_format in ({"type": "audio/pcmu"}, {"type": "audio/pcma"}):
        client = Client(faults=Faults(out_of_quota=True))
        turn = {"type": "semantic_vad", "eagerness": "high"}
        reduction = {"type": "near_field"}
        transcription = {"model": "gpt-realtime-whisper", "language": "en"}
        client.update(
            audio={
                "input": {
                    "format": audio_format,
                    "turn_detection": turn,
                    "noise_reduction": reduction,
                    "transcription": transcription,
                },
                "output": {"format": audio_format, "voice": {"id": "voice_1"}, "speed": 1.2},
            },
            tool_choice={"type": "function", "name": "x"},
            max_output_tokens=100,
        )
        client.speak("Hello you", PCMU_8K)
        client.wait(3601)
        yield client


def test_every_server_event_has_the_sdks_shape() -> None:
    seen = [*talkative_client().seen]
    assert {event["type"] for event in seen} == ALL_SERVER_EVENTS
    for client in other_shapes():
        seen += client.seen
    check("server", (msgspec.json.encode(event) for event in seen))


def test_every_message_of_our_provider_has_the_sdks_shape() -> None:
    tool = Tool("lookup", "Finds", {"type": "object", "properties": {}})
    talk = conversation(
        instructions="Be brief.",
        greeting="Hello.",
        opening_token="hello",
        language="en",
        tools=[tool],
        history=(
            Said(Speaker.CALLER, "Hi"),
            Said(Speaker.AGENT, "Hello"),
            Ran("lookup", "{}", "found"),
        ),
    )
    own = provider_config(
        voice="marin",
        tool_choice="lookup",
        noise_reduction="far_field",
        transcription_prompt="Faro",
        max_output_tokens=500,
        speed=1.1,
        vad_threshold=0.4,
        vad_prefix_padding_ms=200,
        vad_silence_ms=400,
        vad_idle_timeout_ms=6000,
        extra={"truncation": {"type": "retention_ratio", "retention_ratio": 0.8}},
    )
    sent = []
    for turn in ("server_vad", "semantic_vad", "none"):
        provider = opened(OpenAIRealtime(provider_config(turn_detection=turn, vad_eagerness="low")))
        feed(provider, READY)
        provider.send_audio(b"\xff" * 1600)
        provider.end_turn(0.0)
        sent += messages(provider)
    provider = opened(OpenAIRealtime(own), talk)
    feed(provider, READY)
    begin_response(provider)
    provider.cut([], 0.0)
    call = {"type": "function_call", "call_id": "c", "name": "lookup", "arguments": "{}"}
    end_response(provider, output=[call])
    provider.send_function_result("c", "1", failed=False, now=0.0)
    provider.send_function_result("unknown", "2", failed=True, now=0.0)
    provider.cut([Heard("item", 100), Heard("item", 0)], 0.0)
    provider.send_text("Pressed 1", 0.0)
    provider.inform("The line is bad.", respond=True, now=0.0)
    provider.probe(0.0)
    sent += messages(provider)
    written = ready_provider()
    begin_response(written)
    end_response(written)
    written.answer(0.0)
    sent += messages(written)
    kinds = {msgspec.json.decode(message)["type"] for message in sent}
    assert kinds == {
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "conversation.item.create",
        "conversation.item.delete",
        "conversation.item.truncate",
        "response.create",
        "response.cancel",
    }
    check("client", sent)
