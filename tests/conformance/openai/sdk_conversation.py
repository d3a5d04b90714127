"""Run as a program: a whole conversation by the official `openai` client.

`sdk_conversation.py SCENARIO BASE_URL` prints one JSON object with what the client saw.
"""

from __future__ import annotations

import base64
import json
import math
import struct
import sys
from typing import Any

from openai import AzureOpenAI, OpenAI
from openai.types.realtime import RealtimeErrorEvent
from websockets.exceptions import ConnectionClosed

RATE_HZ = 24000
TOOL = {
    "type": "function",
    "name": "lookup_customer",
    "description": "Finds a customer",
    "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
}
TURN = {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 300}


def voice(seconds: float) -> str:
    """A buzz with the loudness of speech, then silence, as base64 of 24 kHz samples."""
    count = int(seconds * RATE_HZ)
    samples = [
        int(6000 * math.sin(2 * math.pi * 140 * i / RATE_HZ) + 3000 * math.sin(i * 0.2))
        for i in range(count)
    ]
    data = struct.pack(f"<{count}h", *samples) + bytes(RATE_HZ)
    return base64.b64encode(data).decode()


class Watch:
    """Receives through the SDK and remembers."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.seen: list[str] = []
        self.audio_bytes = 0

    def until(self, kind: str) -> Any:
        """The next event of that type."""
        for _ in range(2000):
            event = self.connection.recv()
            self.seen.append(event.type)
            if event.type == "response.output_audio.delta":
                self.audio_bytes += len(base64.b64decode(event.delta, validate=True))
            if event.type == kind:
                return event
            if isinstance(event, RealtimeErrorEvent):
                raise AssertionError(event.error.message)
        raise AssertionError(f"no {kind} in 2000 events")


def full(base_url: str) -> dict[str, Any]:
    """Settings, a spoken turn, a function, text, barge-in, cutting, errors."""
    client = OpenAI(api_key="sk-test", base_url=base_url.replace("ws", "http", 1))
    with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        watch = Watch(connection)
        result: dict[str, Any] = {"session": watch.until("session.created").session.id}
        connection.session.update(
            session={
                "type": "realtime",
                "instructions": "You are the front desk.",
                "tools": [TOOL],
                "audio": {
                    "input": {"turn_detection": TURN, "transcription": {"model": "whisper-1"}}
                },
            }
        )
        watch.until("session.updated")
        result["turn"] = spoken_turn(connection, watch)
        result["function"] = function_turn(connection, watch)
        result["barge_in"] = barge_in(connection, watch)
        result["cutting"] = cutting(connection, watch)
        result["errors"] = errors(connection, watch)
        result["audio_bytes"] = watch.audio_bytes
    return result


def spoken_turn(connection: Any, watch: Watch) -> dict[str, Any]:
    connection.input_audio_buffer.append(audio=voice(0.8))
    started = watch.until("input_audio_buffer.speech_started")
    stopped = watch.until("input_audio_buffer.speech_stopped")
    done = watch.until("response.done").response
    return {
        "ms": stopped.audio_end_ms - started.audio_start_ms,
        "same_item": stopped.item_id == started.item_id,
        "status": done.status,
        "words": done.output[0].content[0].transcript,
        "tokens": done.usage.total_tokens,
        "transcribed": "conversation.item.input_audio_transcription.completed" in watch.seen,
    }


def function_turn(connection: Any, watch: Watch) -> dict[str, Any]:
    connection.input_audio_buffer.append(audio=voice(0.8))
    output = watch.until("response.done").response.output
    (call,) = [item for item in output if item.type == "function_call"]
    item = {"type": "function_call_output", "call_id": call.call_id, "output": "Ann"}
    connection.conversation.item.create(item=item)
    connection.response.create()
    done = watch.until("response.done").response
    return {
        "name": call.name,
        "arguments": json.loads(call.arguments),
        "answer": done.output[0].content[0].transcript,
        "cached": done.usage.input_token_details.cached_tokens,
    }


def barge_in(connection: Any, watch: Watch) -> dict[str, Any]:
    content = [{"type": "input_text", "text": "Tell me a lot."}]
    connection.conversation.item.create(
        item={"type": "message", "role": "user", "content": content}
    )
    connection.response.create()
    item_id = watch.until("response.output_audio.delta").item_id
    connection.input_audio_buffer.append(audio=voice(0.5))
    details = watch.until("response.done").response.status_details
    connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=50)
    cut = watch.until("conversation.item.truncated")
    watch.until("response.done")
    return {"reason": details.reason, "cut_ms": cut.audio_end_ms}


def cutting(connection: Any, watch: Watch) -> dict[str, Any]:
    connection.response.create()
    watch.until("response.output_audio.delta")
    connection.response.cancel()
    done = watch.until("response.done").response
    connection.conversation.item.delete(item_id=done.output[0].id)
    deleted = watch.until("conversation.item.deleted")
    return {"status": done.status, "deleted": deleted.item_id == done.output[0].id}


def errors(connection: Any, watch: Watch) -> list[str | None]:
    connection.response.cancel()
    connection.input_audio_buffer.clear()
    connection.input_audio_buffer.commit()
    connection.conversation.item.delete(item_id="item_of_nobody")
    connection.send({"type": "session.update", "session": {"type": "realtime", "foo": 1}})
    connection.send({"type": "no.such.event"})
    connection.response.cancel(event_id="mine")
    codes = []
    while len(codes) < 6:
        event = connection.recv()
        if isinstance(event, RealtimeErrorEvent):
            codes.append(event.error.code)
            last = event.error.event_id
    return [*codes, last]


def beta(base_url: str) -> dict[str, Any]:
    """The retired beta: an error, then close code 4000."""
    client = OpenAI(api_key="sk-test", websocket_base_url=base_url)
    with client.beta.realtime.connect(model="gpt-4o-realtime-preview") as connection:
        code = connection.recv().error.code
        try:
            connection.recv()
        except ConnectionClosed as error:
            return {"code": code, "close": error.rcvd.code if error.rcvd else None}
    return {"code": code, "close": None}


def look_alike(base_url: str) -> dict[str, Any]:
    """A server that still speaks the beta."""
    client = OpenAI(api_key="sk-test", websocket_base_url=base_url)
    with client.beta.realtime.connect(model="gpt-4o-realtime-preview") as connection:
        seen = [connection.recv().type]
        connection.session.update(session={"modalities": ["text", "audio"], "voice": "alloy"})
        connection.response.create()
        while seen[-1] != "response.done":
            seen.append(connection.recv().type)
    return {"seen": sorted(set(seen))}


def azure(base_url: str) -> dict[str, Any]:
    """Azure's own path, query and header."""
    root = base_url.removesuffix("/v1") + "/openai"
    client = AzureOpenAI(
        api_key="key",
        api_version="2025-04-01-preview",
        azure_endpoint=root.replace("ws", "http", 1),
        websocket_base_url=root,
    )
    with client.realtime.connect(model="dep") as connection:
        return {"session": connection.recv().session.model}


def wrong_key(base_url: str) -> dict[str, Any]:
    """A key nobody knows."""
    client = OpenAI(api_key="sk-wrong", websocket_base_url=base_url)
    with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        code = connection.recv().error.code
        try:
            connection.recv()
        except ConnectionClosed as error:
            return {"code": code, "close": error.rcvd.code if error.rcvd else None}
    return {"code": code, "close": None}


if __name__ == "__main__":
    scenario = {"full": full, "beta": beta, "look_alike": look_alike, "azure": azure}
    scenario["wrong_key"] = wrong_key
    json.dump(scenario[sys.argv[1]](sys.argv[2]), sys.stdout)
