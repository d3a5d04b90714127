"""Our OpenAI provider over its link, against the emulated service: real sockets, real faults."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import gevent.subprocess
import pytest
import requests

from bridge.audio.formats import L16_24K, PCMU_8K, AudioFormat
from bridge.providers.base import (
    Audio,
    CallerStarted,
    ErrorKind,
    FunctionCall,
    Heard,
    Interrupted,
    ProviderEvent,
    ProviderFailure,
    ResponseDone,
    SessionReady,
    Transcript,
)
from bridge.providers.conversation import Tool
from bridge.providers.host import Network, ProviderHost
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import OpenAIRealtime
from bridge.wire.keepalive import KeepAlive
from esl_controller.commands.simulated import ask_for_faults
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.service.voice import encode, synthetic_speech
from tests.unit.providers.openai_kit import conversation
from tests.wire.ws.peers import (
    nothing_left_behind,
    tls_client_context,
    tls_server_context,
    until,
)

clean = pytest.fixture(autouse=True)(nothing_left_behind)

TOOL = Tool("lookup", "Finds", {"type": "object", "properties": {}})
SCRIPT = Script(
    answers=(
        Answer("Let me look.", calls=(ScriptedCall("lookup", '{"a":1}'), ScriptedCall("lookup"))),
        Answer("This answer is long enough to be interrupted in the middle of it."),
    ),
    caller_lines=("Who am I?",),
)
FAST = {"think_s": 0.01, "pace": 20.0, "transcription_delay_s": 0.01}


class Owner:
    """Whoever owns the host: answers functions, keeps what it is told."""

    def __init__(self, base_url: str, audio_format: AudioFormat = PCMU_8K, **fields: Any) -> None:
        names = {"api_key", "api_shape", "model", "voice", "extra"} & fields.keys()
        config = {"api_key": "sk-test"} | {name: fields.pop(name) for name in names}
        tls = tls_client_context() if base_url.startswith("wss") else None
        self.format = audio_format
        self.events: list[ProviderEvent] = []
        self.provider = OpenAIRealtime(OpenAIRealtimeConfig(**config, base_url=base_url))
        self.host = ProviderHost(
            self.provider,
            conversation(audio_format, **fields),
            on_events=self.on_events,
            connect_timeout_s=3.0,
            network=Network(tls=tls, max_attempts=1, keepalive=KeepAlive(interval_s=60.0)),
        )
        self.host.start()

    def on_events(self, events: list[ProviderEvent]) -> None:
        self.events += events
        for event in events:
            if isinstance(event, FunctionCall):
                now = time.monotonic()
                self.provider.send_function_result(
                    event.call_id, '{"name":"Ann"}', failed=False, now=now
                )

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def ended(self) -> list[ProviderFailure]:
        return [failure for failure in self.of(ProviderFailure) if failure.fatal]

    def wait(self, kind: type[Any], count: int = 1) -> list[Any]:
        until(lambda: len(self.of(kind)) >= count or self.ended, f"{count} {kind.__name__}")
        return self.of(kind)

    def wait_end(self) -> ProviderFailure:
        until(lambda: self.ended, "an end")
        return self.ended[0]

    def speak(self, text: str, silence_ms: int = 400) -> None:
        data = encode(synthetic_speech(text), self.format) + self.format.silence(silence_ms)
        size = self.format.bytes_per_frame
        for begin in range(0, len(data), size):
            self.provider.send_audio(data[begin : begin + size])
            self.host.flush()
            gevent.sleep(0)


@pytest.fixture
def cast() -> Iterator[Any]:
    """`cast(config fields …)` gives the emulator and its base URL; all is stopped afterwards."""
    made: list[OpenAIEmulator] = []
    owners: list[Owner] = []

    class Cast:
        def emulator(self, **fields: Any) -> tuple[OpenAIEmulator, str]:
            emulator = OpenAIEmulator(EmulatorConfig(**(FAST | {"script": SCRIPT} | fields)))
            made.append(emulator)
            url = emulator.start()
            return emulator, url.replace("127.0.0.1", "localhost") if "wss" in url else url

        def owner(self, base_url: str, *args: Any, **fields: Any) -> Owner:
            owners.append(Owner(base_url, *args, **fields))
            return owners[-1]

    yield Cast()
    for owner in owners:
        owner.host.close()
    for emulator in made:
        emulator.stop()


@pytest.mark.parametrize("secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("audio_format", [L16_24K, PCMU_8K], ids=str)
def test_a_whole_call(cast: Any, audio_format: AudioFormat, secure: bool) -> None:
    tls = {"tls": tls_server_context()} if secure else {}
    emulator, url = cast.emulator(**tls)
    owner = cast.owner(url, audio_format, greeting="Good morning.", tools=[TOOL])
    owner.wait(ResponseDone)
    owner.speak("Who am I")
    owner.wait(ResponseDone, 3)
    owner.speak("Tell me more")
    owner.wait(ResponseDone, 4)
    owner.host.close()
    (record,) = emulator.sessions
    until(lambda: not record.open, "closed")
    assert record.spoken == [
        "Good morning.",
        "Let me look.",
        'All right, that is done: {"name":"Ann"}',
        "This answer is long enough to be interrupted in the middle of it.",
    ]
    assert len(record.function_outputs) == 2
    assert record.errors == []
    assert record.close_code == 1000
    assert {event.text for event in owner.of(Transcript)} >= {*record.spoken, "Who am I?"}
    heard_ms = audio_format.ms_for_bytes(sum(len(event.data) for event in owner.of(Audio)))
    assert heard_ms == pytest.approx(record.audio_out_ms, abs=1)
    assert not owner.of(ProviderFailure)
    assert not owner.ended


def test_barge_in(cast: Any) -> None:
    emulator, url = cast.emulator(pace=1.0)
    words = "This greeting is long enough to be interrupted in the middle of it."
    owner = cast.owner(url, greeting=words)
    first = owner.wait(Audio, 2)[0]
    owner.speak("Stop")
    owner.wait(Interrupted)
    owner.provider.cut([Heard(first.item_id, 60)], time.monotonic())
    owner.host.flush()
    (record,) = emulator.sessions
    until(lambda: record.truncations, "the cut")
    assert record.truncations == [(first.item_id, 60)]
    assert [stamp[0] for stamp in record.stamps[:3]] == ["first_delta", "loud", "speech_started"]
    assert owner.of(CallerStarted)


def test_beta_look_alike(cast: Any) -> None:
    emulator, url = cast.emulator(api_shape="beta")
    owner = cast.owner(url, api_shape="beta", greeting="Hi.")
    owner.wait(ResponseDone)
    assert owner.of(Audio)
    assert emulator.sessions[0].headers["openai-beta"] == "realtime=v1"


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (401, ErrorKind.AUTHENTICATION, False),
        (429, ErrorKind.RATE_LIMIT, True),
        (500, ErrorKind.SERVER, True),
    ],
)
def test_refused_at_the_door(cast: Any, status: int, kind: ErrorKind, retryable: bool) -> None:
    _, url = cast.emulator(faults=Faults(refuse_status=status))
    failure = cast.owner(url).wait_end()
    assert (failure.kind, failure.retryable, failure.fatal) == (kind, retryable, True)


def test_wrong_key_by_close_code_and_by_status(cast: Any) -> None:
    for way in ("close", "http"):
        _, url = cast.emulator(api_keys=frozenset({"sk-right"}), refuse_key_by=way)
        failure = cast.owner(url).wait_end()
        assert (failure.kind, failure.code) == (ErrorKind.AUTHENTICATION, "invalid_api_key")
        assert not failure.retryable


def test_the_retired_beta_is_told_apart(cast: Any) -> None:
    _, url = cast.emulator()
    failure = cast.owner(url, api_shape="beta").wait_end()
    assert (failure.code, failure.retryable) == ("beta_api_shape_disabled", False)


def test_wrong_model(cast: Any) -> None:
    _, url = cast.emulator()
    failure = cast.owner(url, model="gpt-live-1").wait_end()
    assert (failure.code, failure.retryable) == ("invalid_model", False)


def test_a_voice_the_service_does_not_have(cast: Any) -> None:
    _, url = cast.emulator()
    owner = cast.owner(url, voice="marvin", greeting="Hi.")
    owner.wait(ResponseDone)
    (failure,) = owner.of(ProviderFailure)
    assert (failure.kind, failure.code) == (ErrorKind.INVALID_REQUEST, "invalid_value")
    assert not failure.fatal


def test_a_format_the_service_does_not_have(cast: Any) -> None:
    _, url = cast.emulator()
    extra = {"audio": {"input": {"format": {"type": "audio/mp3"}}}}
    failure = cast.owner(url, extra=extra).wait_end()
    assert (failure.kind, failure.code) == (ErrorKind.INVALID_REQUEST, "invalid_value")


@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        (Faults(drop_after_s=0.05), ErrorKind.CONNECTION),
        (
            Faults(close_after_s=0.05, close_code=1001, close_reason="maximum duration of 60"),
            ErrorKind.SESSION_EXPIRED,
        ),
        (Faults(close_after_s=0.05, close_code=1011), ErrorKind.SERVER),
        (Faults(close_after_s=0.05, close_code=1013), ErrorKind.RATE_LIMIT),
        (Faults(oversize_after_s=0.05), ErrorKind.PROTOCOL),
    ],
)
def test_ends_of_a_running_session(cast: Any, faults: Faults, kind: ErrorKind) -> None:
    _, url = cast.emulator(faults=faults)
    owner = cast.owner(url)
    failure = owner.wait_end()
    assert owner.of(SessionReady)
    assert failure.fatal
    assert failure.retryable
    assert failure.kind is kind


def test_slow_to_connect(cast: Any) -> None:
    _, url = cast.emulator(faults=Faults(connect_delay_s=0.1))
    owner = cast.owner(url, greeting="Hi.")
    owner.wait(ResponseDone)
    assert owner.host.connect_s is not None
    assert owner.host.connect_s >= 0.1


def test_faults_of_the_next_connections_only(cast: Any) -> None:
    emulator, url = cast.emulator()
    emulator.queue_faults(Faults(refuse_status=503), Faults(out_of_quota=True))
    assert cast.owner(url).wait_end().kind is ErrorKind.SERVER
    (done,) = cast.owner(url, greeting="Hi.").wait(ResponseDone)
    assert done.error_kind is ErrorKind.QUOTA
    (done,) = cast.owner(url, greeting="Hi.").wait(ResponseDone)
    assert done.status == "completed"


def test_garbage_and_disorder(cast: Any) -> None:
    _, url = cast.emulator(faults=Faults(garbage_after_s=0.0, wrong_order=True))
    owner = cast.owner(url, greeting="Hi.")
    owner.wait(ResponseDone)
    assert len(owner.of(ProviderFailure)) == 4
    assert owner.of(Audio)


def test_the_end_of_the_hour(cast: Any) -> None:
    _, url = cast.emulator(session_limit_s=0.1)
    owner = cast.owner(url)
    failure = owner.wait_end()
    assert failure.kind is ErrorKind.SESSION_EXPIRED  # told to go before, or not: seconds are whole


def test_many_at_once(cast: Any) -> None:
    emulator, url = cast.emulator(fast=True)
    owners = []
    for _ in range(30):
        owners.append(cast.owner(url, greeting="Hi there."))
        # One look-up at a time: each further one would leave a thread of the hub's pool behind.
        until(lambda: owners[-1].host.connect_s is not None, "open")
    for owner in owners:
        owner.wait(ResponseDone)
        assert not owner.of(ProviderFailure)
    assert len(emulator.sessions) == 30
    assert all(record.spoken == ["Hi there."] for record in emulator.sessions)


# --- a process of its own -----------------------------------------------------------------------


@pytest.fixture
def process() -> Iterator[Any]:
    command = [sys.executable, "-m", "esl_controller.simulator.openai", "--stats", "--think-ms=1"]
    child = gevent.subprocess.Popen(
        [*command, "--voice=espeak-ng", "--fault", "garbage_after_s=0"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_as_a_process(cast: Any, process: Any) -> None:
    url = json.loads(process.stdout.readline())["url"]
    owner = cast.owner(url, greeting="Hi.")
    owner.wait(ResponseDone)
    assert len(owner.of(ProviderFailure)) == 4
    process.send_signal(signal.SIGUSR1)
    stats = json.loads(process.stdout.readline())
    assert stats["open"] == 1
    assert stats["sessions"][0]["spoken"] == ["Hi."]
    owner.host.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert json.loads(process.stdout.readline())["cpu_s"] > 0


def test_the_next_connections_can_be_asked_to_fail(cast) -> None:
    emulator, url = cast.emulator()
    asked = url.replace("ws://", "http://").replace("/v1", "/faults")
    answer = requests.get(asked, params=[("fault", "refuse=429"), ("fault", "drop@2")], timeout=5)
    assert answer.json() == {"queued": 2}
    assert requests.get(asked, params={"fault": "explode"}, timeout=5).status_code == 400
    assert emulator.sessions == []
    assert [one.refuse_status for one in emulator._queued_faults] == [429, None]


class Terminal:
    """A shell whose failures are exceptions."""

    def fail(self, text: str) -> Exception:
        return RuntimeError(text)


def test_commands_ask_an_emulator_to_fail_and_say_what_is_wrong(cast) -> None:
    emulator, url = cast.emulator()
    shell: Any = Terminal()
    ask_for_faults(shell, url, ["drop@2", "refuse"], times=2)
    assert [one.drop_after_s for one in emulator._queued_faults] == [2.0, 2.0, None, None]
    ask_for_faults(shell, "", [])
    for where, fault, words in (
        (url, "explode", "is no fault"),
        ("", "drop", "needs an emulated provider"),
        ("ws://127.0.0.1:9/v1", "drop", "no emulated provider answers"),
    ):
        with pytest.raises(RuntimeError, match=words):
            ask_for_faults(shell, where, [fault])
