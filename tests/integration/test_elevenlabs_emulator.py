"""Our ElevenLabs provider over its host, against the emulated service: real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bridge.audio.formats import L16_24K, PCMU_8K
from bridge.providers.base import (
    Audio,
    Ended,
    ErrorKind,
    FunctionCall,
    Interrupted,
    ProviderEvent,
    ProviderFailure,
    ResponseDone,
    SessionReady,
    Transcript,
    Usage,
)
from bridge.providers.elevenlabs.agent import ElevenLabsAgent
from bridge.providers.elevenlabs.config import ElevenLabsConfig
from bridge.providers.host import Network, ProviderHost
from bridge.providers.openai.realtime import OpenAIRealtime
from bridge.providers.registry import interface_of, make_provider
from bridge.wire.keepalive import KeepAlive
from esl_controller.simulator.elevenlabs.config import EmulatorConfig, Faults
from esl_controller.simulator.elevenlabs.server import ElevenLabsEmulator
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.service.voice import encode, synthetic_speech
from tests.integration.wire.http_peer import HttpPeer, reply
from tests.unit.providers.elevenlabs_kit import conversation
from tests.wire.ws.peers import nothing_left_behind, until

clean = pytest.fixture(autouse=True)(nothing_left_behind)

KEY = "xi-s3cret-s3cret"
SCRIPT = Script(
    answers=(
        Answer("Let me look.", (ScriptedCall("lookup", '{"a":1}'),)),
        Answer("This answer is long enough to be interrupted in the middle of it."),
        Answer("Good-bye.", (ScriptedCall("end_call"),)),
    ),
    caller_lines=("Who am I?",),
)
FAST: dict[str, Any] = {"think_s": 0.01, "pace": 20.0, "silence_ms": 300, "turn_timeout_s": None}


class Owner:
    """Whoever owns the host: keeps what it is told."""

    def __init__(self, url: str, provider: Any = None, **fields: Any) -> None:
        self.events: list[ProviderEvent] = []
        row = {"agent_id": "a1", "api_key": KEY, "base_url": url} | fields
        self.protocol = provider or ElevenLabsAgent(ElevenLabsConfig(**row))
        self.host = ProviderHost(
            self.protocol,
            conversation(greeting="Hello."),
            on_events=self.events.extend,
            connect_timeout_s=5.0,
            network=Network(keepalive=KeepAlive(), max_attempts=1),
        )
        self.host.start()

    def of(self, kind: Any) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def wait(self, kind: Any, count: int = 1) -> list[Any]:
        until(lambda: len(self.of(kind)) >= count, f"{count} {kind.__name__}: {self.events}")
        return self.of(kind)

    def speak(self) -> None:
        data = encode(synthetic_speech("hello there"), PCMU_8K) + b"\xff" * 4000
        for begin in range(0, len(data), 160):
            self.protocol.send_audio(data[begin : begin + 160])
            self.host.flush_audio()


@pytest.fixture
def emulate() -> Iterator[Any]:
    """Starts an emulator and an owner of a provider for it; ends both."""
    started: list[tuple[ElevenLabsEmulator, Owner]] = []

    def start(faults: Faults | None = None, **fields: Any) -> tuple[ElevenLabsEmulator, Owner]:
        row = fields.pop("row", {})
        config = EmulatorConfig(script=SCRIPT, faults=faults or Faults(), **(FAST | fields))
        emulator = ElevenLabsEmulator(config)
        owner = Owner(emulator.start(), **row)
        started.append((emulator, owner))
        return emulator, owner

    yield start
    for emulator, owner in started:
        owner.host.close()
        emulator.stop()


def test_a_whole_conversation(emulate: Any) -> None:
    emulator, owner = emulate(api_keys=frozenset({KEY}))
    (ready,) = owner.wait(SessionReady)
    assert (ready.audio_in, ready.audio_out) == (PCMU_8K, PCMU_8K)
    (signing,) = emulator.signed
    assert "xi-api-key" not in signing.headers
    (record,) = emulator.sessions
    assert record.subprotocols == "convai"
    owner.wait(ResponseDone)
    owner.speak()
    (call,) = owner.wait(FunctionCall)
    assert (call.name, call.arguments) == ("lookup", '{"a":1}')
    owner.protocol.send_function_result(call.call_id, "Ann", failed=False, now=0.0)
    owner.host.flush()
    owner.wait(ResponseDone, 3)
    assert record.spoken[-1] == "All right, that is done: Ann"
    owner.speak()
    until(lambda: record.turns == 2 and record.audio_out_ms > 5000)
    owner.speak()
    assert owner.wait(Interrupted)
    owner.wait(Ended)
    assert record.close_code == 1000
    texts = [event.text for event in owner.of(Transcript)]
    assert texts[0] == "Hello."
    assert {"Who am I?", "Let me look.", "Good-bye."} <= set(texts)
    assert isinstance(owner.events[-1], Ended)
    assert isinstance(owner.events[-2], Usage)
    assert record.errors == []


def test_a_public_agent_in_linear_audio(emulate: Any) -> None:
    fields = {"public": True, "output_format": "pcm_24000", "row": {"api_key": ""}}
    emulator, owner = emulate(**fields)
    (ready,) = owner.wait(SessionReady)
    assert ready.audio_out == L16_24K
    owner.wait(Audio)
    assert emulator.signed == []


@pytest.mark.parametrize(
    ("faults", "fields", "kind", "code"),
    [
        (Faults(), {"api_keys": frozenset({"another"})},
         ErrorKind.AUTHENTICATION, "invalid_api_key"),
        (Faults(), {"agent_ids": frozenset({"a2"})}, ErrorKind.INVALID_REQUEST, "agent_not_found"),
        (Faults(signing_status=429, signing_body='{"detail":{"status":"system_busy"}}'), {},
         ErrorKind.RATE_LIMIT, "system_busy"),
        (Faults(signing_status=401, signing_body='{"detail":{"status":"quota_exceeded"}}'), {},
         ErrorKind.QUOTA, "quota_exceeded"),
        (Faults(signed_url="ws://127.0.0.1:1/x"), {}, ErrorKind.PROTOCOL, "signed_url_elsewhere"),
        (Faults(signed_url="nonsense"), {}, ErrorKind.PROTOCOL, "signed_url_elsewhere"),
        (Faults(), {"row": {"api_key": ""}}, ErrorKind.AUTHENTICATION, "close_3000"),
        (Faults(), {"overrides": frozenset()}, ErrorKind.INVALID_REQUEST, "override_error"),
        (Faults(tells_error=False), {"overrides": frozenset()},
         ErrorKind.INVALID_REQUEST, "close_1008"),
        (Faults(refuse_status=503), {}, ErrorKind.SERVER, "http_503"),
        (Faults(drop_after_s=0.1), {}, ErrorKind.CONNECTION, None),
        (Faults(close_after_s=0.1, close_code=1013), {}, ErrorKind.RATE_LIMIT, "close_1013"),
        (Faults(error_after_s=0.1), {}, ErrorKind.SERVER, "llm_timeout"),
        (Faults(oversize_after_s=0.1), {}, ErrorKind.PROTOCOL, None),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told(
    emulate: Any, faults: Faults, fields: dict[str, Any], kind: ErrorKind, code: str | None
) -> None:
    _, owner = emulate(faults, **fields)
    told = owner.wait(ProviderFailure)[-1]
    assert told.kind is kind
    assert told.fatal
    assert code is None or told.code == code
    assert KEY not in str(owner.events)
    until(lambda: owner.host.is_over)


def test_leaving_bills_the_time(emulate: Any) -> None:
    emulator, owner = emulate()
    owner.wait(SessionReady)
    owner.host.stop()
    (usage,) = owner.of(Usage)
    assert usage.audio_seconds > 0
    until(lambda: not emulator.sessions[0].open)


def test_eleven_realtime_buys_a_secret_with_the_key() -> None:
    """The key is sent once, as `xi-api-key`; the socket is opened with what it bought."""
    peer = HttpPeer(reply(200, b'{"value":"ek_1234567890","expires_at":1780000000}'))
    realtime = interface_of("elevenlabs", "realtime")
    assert realtime is not None
    row = {**realtime.row, "api_key": KEY, "base_url": peer.url}
    provider = make_provider("openai_realtime", row)
    assert isinstance(provider, OpenAIRealtime)
    owner = Owner("", provider)
    try:
        until(lambda: len(peer.requests) == 2)
        (buying, body), (opening, _) = peer.requests
        assert buying.startswith(b"POST /realtime/client_secrets ")
        assert f"xi-api-key: {KEY}".encode() in buying
        assert b'"model":"eleven_realtime_v1_mini"' in body
        assert opening.startswith(b"GET /realtime?model=eleven_realtime_v1_mini ")
        assert b"Authorization: Bearer ek_1234567890" in opening
        assert KEY.encode() not in opening
    finally:
        owner.host.close()
        peer.close()
