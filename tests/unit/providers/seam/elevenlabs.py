"""ElevenLabs Agents on the seam, for tests of the seam alone: two channels, hidden turns.

A private agent's address is signed by an HTTP request; the WebSocket's first message tells the
formats; no message ends an answer; the agent may hang up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import L16_16K, PCMU_8K, AudioFormat, Encoding
from bridge.providers.actions import Action, Close, Endpoint, HttpRequest, Open, Send
from bridge.providers.base import (
    Audio,
    Capabilities,
    Ended,
    ErrorKind,
    FunctionCall,
    Heard,
    Interrupted,
    ProviderEvent,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
    Turns,
    Usage,
)
from bridge.providers.conversation import Conversation, Opening, Ran, Said, Speaker
from bridge.providers.http_errors import end_failure
from bridge.wire.channel import ChannelEnd, Ender

AGENT, SIGNED = "agent", "signed-url"
QUIET_S = 0.6
"""No audio for so long: an answer is over, as nothing on the wire says so."""
PING_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class ElevenLabsConfig:
    agent_id: str
    api_key: str = field(default="", repr=False)
    base_url: str = "https://api.elevenlabs.io"
    voice_id: str = ""


class ElevenLabs:
    def __init__(self, config: ElevenLabsConfig) -> None:
        self._config = config
        self._events: deque[ProviderEvent] = deque()
        self._actions: list[Action] = []
        self._conversation: Conversation | None = None
        self._began: float | None = None
        self._ready = False
        self._kept: list[bytes] = []
        self._cut_at = -1
        self._open_id: int | None = None
        self._quiet_at: float | None = None
        self._ping_until: float | None = None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            (PCMU_8K, L16_16K),
            (PCMU_8K, L16_16K),
            Turns.HIDDEN,
            interrupts=True,
            speaks_text=False,
            minds_silence=True,
        )

    # life

    def start(self, conversation: Conversation, now: float) -> None:
        self._conversation = conversation
        path = f"/v1/convai/conversation{{}}?agent_id={self._config.agent_id}"
        if self._config.api_key:
            url = self._config.base_url + path.format("/get-signed-url")
            headers = (("xi-api-key", self._config.api_key),)
            self._actions.append(Open(SIGNED, HttpRequest("GET", url, headers)))
        else:
            self._connect(self._config.base_url.replace("http", "ws", 1) + path.format(""))

    def stop(self, now: float) -> None:
        self._actions.append(Close(AGENT))
        self._bill(now)

    def successor(self) -> ElevenLabs:
        return ElevenLabs(self._config)

    # in

    def receive_open(self, channel: str, now: float) -> None:
        if channel == AGENT:
            self._began, self._ping_until = now, now + PING_LIMIT_S
            self._send(self._initiation())

    def receive_message(self, channel: str, data: bytes, now: float) -> None:
        try:
            message: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
            if channel == SIGNED:
                self._connect(str(message["signed_url"]))
                return
            handler = self._handlers().get(message.get("type", ""))
            if handler is not None:
                handler(message[_PAYLOADS.get(message["type"], message["type"])], now)
        except (msgspec.DecodeError, LookupError, TypeError, ValueError) as error:
            self._fail(ErrorKind.PROTOCOL, "malformed_message", str(error), fatal=channel == SIGNED)

    def receive_end(self, channel: str, end: ChannelEnd, now: float) -> None:
        if channel == SIGNED and not end.stage and end.by is Ender.PEER:
            return
        self._bill(now)
        if end.by is Ender.PEER and not end.stage and end.code == 1000:
            self._events.append(Ended("the agent hung up"))
        elif end.by is Ender.PEER and not end.stage and end.code in (1008, 3000):
            code = f"close_{end.code}"
            self._fail(ErrorKind.INVALID_REQUEST, code, end.reason, fatal=True, retryable=False)
        else:
            self._events.append(end_failure(end))

    # out

    def next_event(self) -> ProviderEvent | None:
        return self._events.popleft() if self._events else None

    def actions(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions

    # commands

    def send_audio(self, data: bytes) -> None:
        if self._ready and data:
            chunk = b'{"user_audio_chunk":"' + pybase64.b64encode(data) + b'"}'
            self._actions.append(Send(AGENT, chunk))

    def begin_turn(self, now: float) -> None:
        """The service finds turns itself."""

    def end_turn(self, now: float) -> None:
        """The service finds turns itself."""

    def send_text(self, text: str, now: float) -> None:
        self._command({"type": "user_message", "text": text})

    def inform(self, text: str, *, respond: bool, now: float) -> None:
        kind = "user_message" if respond else "contextual_update"
        self._command({"type": kind, "text": text})

    def say(self, text: str, token: str, now: float) -> None:
        """Not possible: `speaks_text` is false."""

    def answer(self, now: float) -> None:
        """The service answers by itself; it can only be reminded that somebody is there."""
        self._command({"type": "user_activity"})

    def send_function_result(self, call_id: str, output: str, *, failed: bool, now: float) -> None:
        result = {"tool_call_id": call_id, "result": output, "is_error": failed}
        self._command({"type": "client_tool_result", **result})

    def cut(self, heard: Sequence[Heard], now: float) -> None:
        """The service cannot be told: what still comes of this answer is dropped."""
        if self._open_id is not None:
            self._cut_at = self._open_id
            self._open_id = self._quiet_at = None

    def probe(self, now: float) -> None:
        """Nothing provokes a message without another effect."""

    # time

    def next_deadline(self) -> float | None:
        return min(
            (at for at in (self._ping_until, self._quiet_at) if at is not None), default=None
        )

    def handle_timeout(self, now: float) -> None:
        if self._quiet_at is not None and now >= self._quiet_at:
            self._quiet_at = None
            self._events.append(ResponseDone(str(self._open_id), "completed"))
        if self._ping_until is not None and now >= self._ping_until:
            self._ping_until = None
            self._bill(now)
            self._fail(ErrorKind.CONNECTION, "no_ping", "the service is silent", fatal=True)

    # server messages

    def _handlers(self) -> dict[str, Callable[[dict[str, Any], float], None]]:
        return {
            "conversation_initiation_metadata": self._on_metadata,
            "ping": self._on_ping,
            "audio": self._on_audio,
            "interruption": self._on_interruption,
            "user_transcript": self._on_caller_words,
            "agent_response": self._on_agent_words,
            "agent_response_correction": self._on_correction,
            "client_tool_call": self._on_tool,
        }

    def _on_metadata(self, event: dict[str, Any], now: float) -> None:
        audio_in = _format(event.get("user_input_audio_format", "pcm_16000"))
        audio_out = _format(event["agent_output_audio_format"])
        self._events.append(SessionReady(event["conversation_id"], audio_in, audio_out))
        self._ready = True
        self._actions += [Send(AGENT, message) for message in self._kept]
        self._kept = []

    def _on_ping(self, event: dict[str, Any], now: float) -> None:
        self._ping_until = now + PING_LIMIT_S
        self._send({"type": "pong", "event_id": event["event_id"]})

    def _on_audio(self, event: dict[str, Any], now: float) -> None:
        number = int(event["event_id"])
        data = pybase64.b64decode(event["audio_base_64"], validate=True)
        if number <= self._cut_at or not data:
            return
        if number != self._open_id:
            if self._quiet_at is not None:
                self._events.append(ResponseDone(str(self._open_id), "completed"))
            self._open_id = number
            self._events.append(ResponseStarted(str(number)))
        self._quiet_at = now + QUIET_S
        self._events.append(Audio(str(number), f"agent-{number}", data))

    def _on_interruption(self, event: dict[str, Any], now: float) -> None:
        self._cut_at = max(self._cut_at, int(event["event_id"]))
        response_id = "" if self._open_id is None else str(self._open_id)
        self._open_id = self._quiet_at = None
        self._events.append(Interrupted(response_id))

    def _on_caller_words(self, event: dict[str, Any], now: float) -> None:
        self._words(Speaker.CALLER, "caller", event, event["user_transcript"])

    def _on_agent_words(self, event: dict[str, Any], now: float) -> None:
        self._words(Speaker.AGENT, "agent", event, event["agent_response"])

    def _on_correction(self, event: dict[str, Any], now: float) -> None:
        self._words(Speaker.AGENT, "agent", event, event["corrected_agent_response"])

    def _words(self, speaker: Speaker, who: str, event: dict[str, Any], text: str) -> None:
        """Caller and agent share numbers: their items must not."""
        self._events.append(Transcript(speaker, f"{who}-{event['event_id']}", text))

    def _on_tool(self, event: dict[str, Any], now: float) -> None:
        arguments = msgspec.json.encode(event["parameters"]).decode()
        self._events.append(FunctionCall(event["tool_call_id"], event["tool_name"], arguments))

    # inside

    def _connect(self, url: str) -> None:
        self._actions.append(Open(AGENT, Endpoint(url, subprotocols=("convai",))))

    def _initiation(self) -> dict[str, Any]:
        talk = self._conversation
        assert talk is not None
        so_far = "\n".join(_told(entry) for entry in talk.history)
        prompt = talk.brief.instructions + (f"\n\nSo far:\n{so_far}" if so_far else "")
        agent: dict[str, Any] = {"prompt": {"prompt": prompt}} if prompt else {}
        if talk.opening is Opening.GREET:
            agent["first_message"] = talk.brief.greeting
        if talk.brief.language:
            agent["language"] = talk.brief.language.lower()
        override: dict[str, Any] = {"agent": agent}
        if self._config.voice_id:
            override["tts"] = {"voice_id": self._config.voice_id}
        kind = "conversation_initiation_client_data"
        return {"type": kind, "conversation_config_override": override}

    def _command(self, message: dict[str, Any]) -> None:
        if self._ready:
            self._send(message)
        else:
            self._kept.append(msgspec.json.encode(message))

    def _send(self, message: dict[str, Any]) -> None:
        self._actions.append(Send(AGENT, msgspec.json.encode(message)))

    def _bill(self, now: float) -> None:
        """By the time the connection lasted; once."""
        if self._began is not None:
            seconds, self._began = now - self._began, None
            self._events.append(Usage("elevenlabs", self._config.agent_id, audio_seconds=seconds))

    def _fail(
        self, kind: ErrorKind, code: str, text: str, *, fatal: bool, retryable: bool = True
    ) -> None:
        self._events.append(ProviderFailure(kind, code, text[:500], fatal, retryable))


_PAYLOADS = {
    "conversation_initiation_metadata": "conversation_initiation_metadata_event",
    "ping": "ping_event",
    "audio": "audio_event",
    "interruption": "interruption_event",
    "user_transcript": "user_transcription_event",
    "agent_response": "agent_response_event",
    "agent_response_correction": "agent_response_correction_event",
}


def _format(name: str) -> AudioFormat:
    if name == "ulaw_8000":
        return PCMU_8K
    return AudioFormat(Encoding.L16, int(name.removeprefix("pcm_")))


def _told(entry: Said | Ran) -> str:
    if isinstance(entry, Said):
        return f"{entry.speaker.value}: {entry.text}"
    return f"({entry.name} ran: {entry.output})"
