"""Run as a program: a caller's turn heard by the official `deepgram-sdk` client.

`sdk_listen.py SCENARIO BASE_URL AUDIO_FILE` prints one JSON object with what the client saw.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from deepgram import DeepgramClient, DeepgramClientEnvironment
from deepgram.core.api_error import ApiError
from websockets.exceptions import InvalidStatus


def client(base_url: str, key: str = "dg-test") -> DeepgramClient:
    """One that knows only our address."""
    http = base_url.replace("ws", "http", 1)
    places = {"base": http, "production": base_url, "agent": base_url, "agent_rest": http}
    return DeepgramClient(api_key=key, environment=DeepgramClientEnvironment(**places))


def told(message: Any) -> dict[str, Any]:
    """A message with the name of the SDK's class for it."""
    fields = message.model_dump() if hasattr(message, "model_dump") else dict(message)
    return {"class": type(message).__name__, **fields}


def nova(base_url: str, audio: bytes) -> dict[str, Any]:
    """Interim results, the final one, KeepAlive and the good-bye."""
    options = {
        "model": "nova-3",
        "encoding": "mulaw",
        "sample_rate": "8000",
        "interim_results": "true",
        "vad_events": "true",
        "endpointing": "300",
    }
    seen: list[dict[str, Any]] = []
    with client(base_url).listen.v1.connect(**options) as connection:
        connection.send_keep_alive()
        for at in range(0, len(audio), 640):
            connection.send_media(audio[at : at + 640])
        connection.send_close_stream()
        seen = [told(message) for message in connection]
    return {"seen": seen}


def flux(base_url: str, audio: bytes) -> dict[str, Any]:
    """A turn as Flux tells it."""
    options = {"model": "flux-general-en", "encoding": "mulaw", "sample_rate": "8000"}
    with client(base_url).listen.v2.connect(**options) as connection:
        for at in range(0, len(audio), 640):
            connection.send_media(audio[at : at + 640])
        connection.send_close_stream()
        seen = [told(message) for message in connection]
    return {"seen": seen}


def wrong_key(base_url: str, audio: bytes) -> dict[str, Any]:
    """A key nobody knows."""
    try:
        with client(base_url, "wrong").listen.v1.connect(model="nova-3"):
            return {"status": None}
    except ApiError as error:
        return {"status": error.status_code}
    except InvalidStatus as error:  # 7.17.0 lets the one of its WebSocket library through
        return {"status": error.response.status_code}


if __name__ == "__main__":
    scenario = {"nova": nova, "flux": flux, "wrong_key": wrong_key}[sys.argv[1]]
    json.dump(scenario(sys.argv[2], Path(sys.argv[3]).read_bytes()), sys.stdout, default=str)
