"""Servers that nearly speak OpenAI Realtime: their rows, and whole calls with what they say."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from bridge.audio.formats import AudioFormat
from bridge.providers import base as p
from bridge.providers.actions import Endpoint, Open
from bridge.providers.conversation import Brief, Conversation, Speaker, Tool
from bridge.wire.channel import ChannelEnd, Ender
from esl_controller.database.models import ProviderAccess
from esl_controller.settings.types import Secret
from esl_controller.simulator.service.voice import encode, synthetic_speech
from esl_controller.tenants.providers import provider_protocol, tenant_settings
from tests.pairs.world import World
from tests.unit.tenants.test_hosts import ROW

FOLDER = Path(__file__).parents[1] / "wire/openai/lookalikes"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
TALKING = [name for name in NAMES if name != "vllm"]
TOOL = Tool("look_up", "Finds it", {"type": "object", "properties": {}})


def read(name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    head, *steps = map(json.loads, lines)
    return head, steps


def protocol_of(head: dict[str, Any]) -> p.ProviderProtocol:
    """From a tenant's row, as in a call."""
    config = dataclasses.replace(ROW, **head["row"])
    used, said = tenant_settings(config)
    assert said == []
    access = ProviderAccess(dataclasses.replace(config, provider_settings=used), Secret("key-1"))
    return provider_protocol(access)


class Recorded:
    """One connection to such a server."""

    closing = None

    def __init__(self, steps: list[dict[str, Any]], audio: AudioFormat, now: float) -> None:
        self.received: list[dict[str, Any]] = []
        self._steps = deque(steps)
        self._audio = audio
        self._out: list[bytes] = []
        self._due: float | None = None
        self._take("open", now)

    def receive_message(self, message: bytes, now: float) -> None:
        self.received.append(json.loads(message))
        self._take(self.received[-1]["type"], now)

    def messages_to_send(self) -> list[bytes]:
        out, self._out = self._out, []
        return out

    def next_deadline(self) -> float | None:
        return self._due

    def handle_timeout(self, now: float) -> None:
        self._say(now)

    def _take(self, what: str, now: float) -> None:
        if self._steps and self._steps[0].get("on") == what:
            self._say(now)

    def _say(self, now: float) -> None:
        for message in self._steps.popleft()["send"]:
            delta = str(message.get("delta", ""))
            if delta.startswith("$AUDIO"):
                speech = encode(synthetic_speech("word " * 40), self._audio)
                piece = speech[: self._audio.bytes_for_ms(int(delta.split()[1]))]
                message = {**message, "delta": base64.b64encode(piece).decode()}
            self._out.append(json.dumps(message, ensure_ascii=False).encode())
        after_s = self._steps[0].get("after_s") if self._steps else None
        self._due = None if after_s is None else now + after_s


class Server:
    """Such a server, as a world sees it."""

    kind = "openai"

    def __init__(self, name: str) -> None:
        self.head, self.steps = read(name)
        self.sessions: list[Recorded] = []

    def accept(self, now: float) -> Recorded:
        audio = protocol_of(self.head).capabilities.audio_out
        asked = next(one for one in audio if one == self._out)
        self.sessions.append(Recorded(self.steps, asked, now))
        return self.sessions[-1]

    def provider(self, fields: dict[str, Any]) -> p.ProviderProtocol:
        protocol = protocol_of(self.head)
        begin = protocol.start

        def start(conversation: Any, now: float) -> None:
            self._out = conversation.audio_out
            begin(conversation, now)

        protocol.start = start  # type: ignore[method-assign]
        return protocol

    def sign(self) -> bytes:
        raise AssertionError("nothing is signed here")


@pytest.mark.parametrize("name", NAMES)
def test_where_and_how_it_is_connected(name: str) -> None:
    head, _ = read(name)
    assert head["who"]
    assert head["source"]
    assert head["differs"]
    protocol = protocol_of(head)
    formats = protocol.capabilities
    protocol.start(Conversation(formats.audio_in[0], formats.audio_out[0]), 0.0)
    opening = protocol.actions()[0]
    assert isinstance(opening, Open)
    assert isinstance(opening.target, Endpoint)
    assert opening.target.url == head["url"]
    assert head["headers"].items() <= dict(opening.target.headers).items()


def holds(whole: Any, part: Any) -> bool:
    """Whether an object has everything of another."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and holds(whole[name], value) for name, value in part.items()
        )
    return bool(whole == part)


@pytest.mark.parametrize("name", TALKING)
def test_a_whole_call(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(name)
    brief = Brief("Be kind.", "Good morning.", "pt-BR", [TOOL])
    world = World(monkeypatch, server, brief=brief)
    world.call.functions["look_up"] = lambda call: '{"street": "High Street"}'
    world.begin()
    began = world.now
    world.run(12.0)
    (session,) = server.sessions
    update = next(one for one in session.received if one["type"] == "session.update")
    assert holds(update["session"], server.head["session"])
    assert world.sound_ms(began) >= 300
    results = [
        one["item"]
        for one in session.received
        if one["type"] == "conversation.item.create"
        and one["item"]["type"] == "function_call_output"
    ]
    assert [(one["call_id"], one["output"]) for one in results] == [
        ("call_1", '{"street": "High Street"}')
    ]
    asked = [one for one in session.received if one["type"] == "response.create"]
    assert len(asked) == 2  # the greeting, and once for the result
    said = [(one.speaker, one.text) for one in world.session.transcript.utterances]
    assert said == [
        (Speaker.AGENT, "Good morning."),
        (Speaker.CALLER, "Where are you?"),
        (Speaker.AGENT, "In the High Street."),
        *((Speaker(who), text) for who, text in server.head.get("then", ())),
    ]


def test_a_server_that_only_writes_down_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    head, steps = read("vllm")
    protocol = protocol_of(head)
    formats = protocol.capabilities
    protocol.start(Conversation(formats.audio_in[0], formats.audio_out[0]), 0.0)
    (opening, *_) = protocol.actions()
    assert isinstance(opening, Open)
    protocol.receive_open(opening.channel, 0.1)
    for message in steps[0]["send"]:
        protocol.receive_message(opening.channel, json.dumps(message).encode(), 0.2)
    failure = protocol.next_event()
    assert isinstance(failure, p.ProviderFailure)
    assert (failure.code, failure.fatal, failure.retryable) == (head["refused"], True, False)
    assert "pipeline" in failure.message


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        # learn.microsoft.com/en-us/answers/a/12820829: a deployment that cannot
        (400, b'{"error":{"code":"OpperationNotSupported","message":"The realtime operation does '
         b'not work with the specified model. Please choose different model and try again."}}',
         p.ErrorKind.INVALID_REQUEST, "opperationnotsupported"),
        (401, b'{"error":{"code":"401","message":"Access denied due to invalid subscription key '
         b'or wrong API endpoint."}}', p.ErrorKind.AUTHENTICATION, "401"),
        (404, b'{"error":{"code":"DeploymentNotFound","message":"The API deployment for this '
         b'resource does not exist."}}', p.ErrorKind.INVALID_REQUEST, "deploymentnotfound"),
        (302, b"", None, ""),  # livekit/agents#5296: the preview's address was redirected
    ],
)  # fmt: skip
def test_how_azure_refuses(status: int, body: bytes, kind: p.ErrorKind | None, code: str) -> None:
    head, _ = read("azure")
    protocol = protocol_of(head)
    formats = protocol.capabilities
    protocol.start(Conversation(formats.audio_in[0], formats.audio_out[0]), 0.0)
    (opening, *_) = protocol.actions()
    assert isinstance(opening, Open)
    end = ChannelEnd(Ender.PEER, "http", status, f"answered {status}", body)
    protocol.receive_end(opening.channel, end, 0.3)
    failure = protocol.next_event()
    assert isinstance(failure, p.ProviderFailure)
    assert failure.fatal
    if kind is not None:
        assert failure.kind is kind
        assert failure.code.lower() in (code, f"http_{status}")
