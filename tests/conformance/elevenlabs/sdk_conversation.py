"""Run as a program: a whole conversation by the official `elevenlabs` client.

`sdk_conversation.py SCENARIO BASE_URL` prints one JSON object with what the client saw.
"""

from __future__ import annotations

import json
import math
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from elevenlabs.client import ElevenLabs
from elevenlabs.conversational_ai.conversation import (
    AudioInterface,
    ClientTools,
    Conversation,
    ConversationInitiationData,
    DisconnectionDetails,
)
from elevenlabs.core import ApiError

RATE_HZ = 16000
LIMIT_S = 15.0


def voice(seconds: float) -> bytes:
    """A buzz with the loudness of speech, then silence, as 16 kHz samples."""
    count = int(seconds * RATE_HZ)
    samples = [
        int(6000 * math.sin(2 * math.pi * 140 * i / RATE_HZ) + 3000 * math.sin(i * 0.2))
        for i in range(count)
    ]
    return struct.pack(f"<{count}h", *samples) + bytes(RATE_HZ)


class Line(AudioInterface):
    """A telephone without a sound card."""

    def __init__(self) -> None:
        self.sent: Callable[[bytes], None] | None = None
        self.heard = 0
        self.interruptions = 0

    def start(self, input_callback: Callable[[bytes], None]) -> None:
        self.sent = input_callback

    def stop(self) -> None:
        self.sent = None

    def output(self, audio: bytes) -> None:
        self.heard += len(audio)

    def interrupt(self) -> None:
        self.interruptions += 1

    def speak(self, seconds: float = 0.8) -> None:
        assert self.sent is not None
        data = voice(seconds)
        for begin in range(0, len(data), 8000):
            self.sent(data[begin : begin + 8000])


class Talk:
    """One conversation, and what its callbacks were told."""

    def __init__(self, base_url: str, key: str, override: dict[str, Any], *, signed: bool) -> None:
        self.line = Line()
        self.agent: list[str] = []
        self.caller: list[str] = []
        self.corrections: list[tuple[str, str]] = []
        self.alignments = 0
        self.details: DisconnectionDetails | None = None
        self.tools: list[dict[str, Any]] = []
        tools = ClientTools()
        tools.register("lookup", self._lookup)
        self.conversation = Conversation(
            ElevenLabs(api_key=key, base_url=base_url.replace("ws", "http", 1)),
            "agent-1",
            requires_auth=signed,
            audio_interface=self.line,
            config=ConversationInitiationData(
                conversation_config_override=override, dynamic_variables={"name": "Ann"}
            ),
            client_tools=tools,
            callback_agent_response=self.agent.append,
            callback_agent_response_correction=lambda *pair: self.corrections.append(pair),
            callback_user_transcript=self.caller.append,
            callback_latency_measurement=lambda ms: None,
            callback_audio_alignment=self._aligned,
            callback_disconnect=self._ended,
        )

    def _lookup(self, parameters: dict[str, Any]) -> str:
        self.tools.append(parameters)
        return "Ann"

    def _aligned(self, alignment: Any) -> None:
        self.alignments += len(alignment.chars)

    def _ended(self, details: DisconnectionDetails) -> None:
        self.details = details

    def until(self, fact: Callable[[], Any]) -> None:
        end = time.monotonic() + LIMIT_S
        while not fact():
            if time.monotonic() > end:
                raise AssertionError(f"never came; the agent said {self.agent}, {self.details}")
            time.sleep(0.01)

    def result(self) -> dict[str, Any]:
        details = self.details
        return {
            "agent": self.agent,
            "caller": self.caller,
            "corrections": self.corrections,
            "aligned": self.alignments > 0,
            "heard": self.line.heard,
            "interruptions": self.line.interruptions,
            "tools": self.tools,
            "end": None if details is None else [details.reason, details.close_code],
            "id": self.conversation._conversation_id,
        }


def full(base_url: str) -> dict[str, Any]:
    """Signed address, greeting, a turn with a tool, words, barge-in, and the agent hangs up."""
    talk = Talk(base_url, "xi-test", {"agent": {"first_message": "Good morning."}}, signed=True)
    talk.conversation.start_session()
    talk.until(lambda: talk.agent == ["Good morning."] and talk.line.heard > 16000)
    talk.line.speak()
    talk.until(lambda: len(talk.agent) == 3)
    talk.conversation.send_contextual_update("The caller is a member.")
    talk.conversation.register_user_activity()
    talk.conversation.send_user_message("keypad 1")
    talk.until(lambda: len(talk.agent) == 4 and talk.line.heard > 60000)
    talk.line.speak()
    talk.until(lambda: talk.corrections and len(talk.agent) == 5)
    talk.until(lambda: talk.details is not None)
    return talk.result()


def refused(base_url: str) -> dict[str, Any]:
    """An override that is not allowed, and a client that leaves by itself."""
    talk = Talk(base_url, "xi-test", {"agent": {"prompt": {"prompt": "x"}}}, signed=False)
    talk.conversation.start_session()
    talk.until(lambda: talk.details is not None)
    return talk.result()


def leaves(base_url: str) -> dict[str, Any]:
    """The client ends it."""
    talk = Talk(base_url, "xi-test", {}, signed=False)
    talk.conversation.start_session()
    talk.until(lambda: talk.agent)
    talk.conversation.end_session()
    talk.conversation.wait_for_session_end()
    return talk.result()


def wrong_key(base_url: str) -> dict[str, Any]:
    """A key that signs nothing."""
    talk = Talk(base_url, "xi-wrong", {}, signed=True)
    try:
        talk.conversation.start_session()
    except ApiError as error:
        talk.conversation.end_session()
        return {"status": error.status_code, "body": error.body}
    raise AssertionError("it was let in")


SCENARIOS = {"full": full, "refused": refused, "leaves": leaves, "wrong_key": wrong_key}


if __name__ == "__main__":
    found = SCENARIOS[sys.argv[1]](sys.argv[2])
    json.dump(found, sys.stdout)
    sys.stdout.flush()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(5)
