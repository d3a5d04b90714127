"""Run as a program: a whole conversation by the official `google-genai` client.

`sdk_conversation.py SCENARIO BASE_URL CA_FILE` prints one JSON object with what the client saw.
"""

from __future__ import annotations

import asyncio
import json
import math
import ssl
import struct
import sys
from collections.abc import Callable
from typing import Any

from google import genai
from google.genai import types

RATE_HZ = 16000
MODEL = "gemini-3.8-live"
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="lookup_customer",
            description="Finds a customer",
            parameters=types.Schema(
                type=types.Type.OBJECT, properties={"query": types.Schema(type=types.Type.STRING)}
            ),
        )
    ]
)


def voice(seconds: float, silence_s: float = 1.0) -> bytes:
    """A buzz with the loudness of speech, then silence, as 16 kHz samples."""
    samples = [
        int(6000 * math.sin(2 * math.pi * 140 * i / RATE_HZ) + 3000 * math.sin(i * 0.3))
        for i in range(int(seconds * RATE_HZ))
    ]
    return struct.pack(f"<{len(samples)}h", *samples) + bytes(int(2 * silence_s * RATE_HZ))


def settings(**fields: Any) -> types.LiveConnectConfig:
    """Everything our own client asks for, in the SDK's words."""
    base: dict[str, Any] = {
        "response_modalities": [types.Modality.AUDIO],
        "system_instruction": "Be brief.",
        "speech_config": types.SpeechConfig(
            language_code="en-US",
            voice_config=types.VoiceConfig(
                prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore")
            ),
        ),
        "tools": [TOOL],
        "input_audio_transcription": types.AudioTranscriptionConfig(),
        "output_audio_transcription": types.AudioTranscriptionConfig(),
        "session_resumption": types.SessionResumptionConfig(),
        "context_window_compression": types.ContextWindowCompressionConfig(
            trigger_tokens=25000, sliding_window=types.SlidingWindow(target_tokens=8000)
        ),
        "realtime_input_config": types.RealtimeInputConfig(
            automatic_activity_detection=types.AutomaticActivityDetection(
                start_of_speech_sensitivity=types.StartSensitivity.START_SENSITIVITY_LOW,
                end_of_speech_sensitivity=types.EndSensitivity.END_SENSITIVITY_HIGH,
                prefix_padding_ms=20,
                silence_duration_ms=300,
            ),
            activity_handling=types.ActivityHandling.START_OF_ACTIVITY_INTERRUPTS,
        ),
    }
    return types.LiveConnectConfig(**(base | fields))


class Watch:
    """Receives through the SDK and remembers."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.audio_bytes = 0
        self.heard: list[str] = []
        self.said: list[str] = []
        self.handle = ""
        self.handles = 0
        self.tokens = 0
        self.order: list[str] = []

    async def until(self, fact: Callable[[types.LiveServerMessage], Any]) -> Any:
        """What the first message that answers the question has to say."""
        for _ in range(3000):
            message = await self.session._receive()
            self._remember(message)
            found = fact(message)
            if found:
                return found
        raise AssertionError("not in 3000 messages")

    def _remember(self, message: types.LiveServerMessage) -> None:
        self.audio_bytes += len(message.data or b"")
        if message.usage_metadata and message.usage_metadata.total_token_count:
            self.tokens += message.usage_metadata.total_token_count
        update = message.session_resumption_update
        if update is not None:
            self.handle = (update.new_handle or "") if update.resumable else ""
            self.handles += bool(self.handle)
        content = message.server_content
        if content is None:
            return
        for name in ("generation_complete", "interrupted", "turn_complete"):
            if getattr(content, name):
                self.order.append(name)
        if content.input_transcription and content.input_transcription.text:
            self.heard.append(content.input_transcription.text)
        if content.output_transcription and content.output_transcription.text:
            self.said.append(content.output_transcription.text)


def complete(message: types.LiveServerMessage) -> Any:
    return message.server_content and message.server_content.turn_complete


async def speak(session: Any, seconds: float) -> None:
    data = voice(seconds)
    for begin in range(0, len(data), 3200):
        blob = types.Blob(data=data[begin : begin + 3200], mime_type="audio/pcm;rate=16000")
        await session.send_realtime_input(audio=blob)


async def full(client: genai.Client) -> dict[str, Any]:
    async with client.aio.live.connect(model=MODEL, config=settings()) as session:
        watch = Watch(session)
        await speak(session, 1.2)
        await watch.until(complete)
        turn = {"heard": "".join(watch.heard), "said": "".join(watch.said).strip()}
        turn["order"] = list(watch.order)
        await session.send_client_content(
            turns=types.Content(role="user", parts=[types.Part(text="Who am I?")]),
            turn_complete=True,
        )
        (call,) = await watch.until(lambda m: m.tool_call and m.tool_call.function_calls)
        watch.said.clear()
        await session.send_tool_response(
            function_responses=types.FunctionResponse(
                id=call.id, name=call.name, response={"output": "Ann"}
            )
        )
        await watch.until(complete)
        function = {"name": call.name, "args": call.args, "said": "".join(watch.said).strip()}
        watch.order.clear()
        await session.send_realtime_input(text="Tell me all.")
        await watch.until(lambda m: m.data)
        await speak(session, 0.4)
        await watch.until(complete)
        await watch.until(complete)
        barge_in = watch.order[:2]
        await session.send_realtime_input(audio_stream_end=True)
        return {
            "session": session.session_id,
            "turn": turn,
            "function": function,
            "barge_in": barge_in,
            "audio_bytes": watch.audio_bytes,
            "handles": watch.handles,
            "tokens": watch.tokens > 0,
        }


async def manual(client: genai.Client) -> dict[str, Any]:
    detection = types.AutomaticActivityDetection(disabled=True)
    config = settings(
        realtime_input_config=types.RealtimeInputConfig(automatic_activity_detection=detection)
    )
    async with client.aio.live.connect(model=MODEL, config=config) as session:
        watch = Watch(session)
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await speak(session, 0.5)
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        await watch.until(complete)
        return {"said": "".join(watch.said).strip(), "order": watch.order}


async def resume(client: genai.Client) -> dict[str, Any]:
    async with client.aio.live.connect(model=MODEL, config=settings()) as session:
        watch = Watch(session)
        left = await watch.until(lambda m: m.go_away and m.go_away.time_left)
        handle = watch.handle
    config = settings(session_resumption=types.SessionResumptionConfig(handle=handle))
    async with client.aio.live.connect(model=MODEL, config=config) as session:
        return {"left": left, "session": bool(session.session_id)}


async def refused(client: genai.Client) -> dict[str, Any]:
    try:
        async with client.aio.live.connect(model=MODEL, config=settings()):
            return {"code": None}
    except Exception as error:
        return {"error": str(error)}


async def vertex_names(client: genai.Client) -> dict[str, Any]:
    async with client.aio.live.connect(model=MODEL, config=settings()) as session:
        watch = Watch(session)
        await session.send_client_content(
            turns=types.Content(role="user", parts=[types.Part(text="Hi")]), turn_complete=True
        )
        await watch.until(complete)
        return {"said": "".join(watch.said).strip()}


def main() -> None:
    scenario, url, ca_file = sys.argv[1:4]
    context = ssl.create_default_context(cafile=ca_file)
    options = types.HttpOptions(base_url=url, async_client_args={"ssl": context})
    if scenario == "v1beta":
        options.api_version, scenario = "v1beta", "vertex_names"
    client = genai.Client(api_key="AIza-right", http_options=options)
    scenarios = {"full": full, "manual": manual, "resume": resume, "refused": refused}
    scenarios["vertex_names"] = vertex_names
    json.dump(asyncio.run(scenarios[scenario](client)), sys.stdout)


if __name__ == "__main__":
    main()
