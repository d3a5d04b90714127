"""The service with a real FreeSWITCH: `engine_kit` tells how.

It must run on this host, with mod_loopback, mod_sndfile and mod_audio_stream. Nothing of its
dialplan is used. A call is a loopback channel: one leg is the caller, parked, who is recorded and
plays a file when he speaks; the other one runs `socket`.
"""

from __future__ import annotations

import uuid
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from esl_controller.esl.errors import CommandFailed
from esl_controller.esl.inbound import InboundClient
from esl_controller.simulator import speech
from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.script import Answer, Script, ScriptedCall
from esl_controller.simulator.openai.voice import synthetic_speech
from esl_controller.simulator.switch.sound import level
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, engine_client
from tests.integration.service import Service, wait_for

pytestmark = ENGINE_MARKS

GREETING, ANSWER = "Good morning, how can I help you?", "Of course, one moment."
SCRIPT = Script(
    answers=(Answer(ANSWER),),
    keywords={"keypad": Answer("Good-bye.", calls=(ScriptedCall("end_call"),))},
)
SECRETARY = {"first_message": GREETING}
RATE_HZ = 8000
FRAME_BYTES = RATE_HZ // 50 * 2


class Engine:
    """FreeSWITCH, by its inbound Event Socket."""

    def __init__(self, client: InboundClient, directory: Path) -> None:
        self.client = client
        self._directory = directory

    def call(self, service: Service, extension: str = "8001") -> EngineCall:
        """Somebody calls who says nothing until `say`."""
        call = EngineCall(self.client, self._directory)
        variables = {
            "origination_uuid": call.uuid,
            "domain_uuid": service.tenant.domain_uuid,
            "domain_name": service.tenant.domain_name,
            "voice_ai_extension": extension,
            "ignore_early_media": "true",
            "RECORD_READ_ONLY": "true",
        }
        listed = ",".join(f"{name}={value}" for name, value in variables.items())
        host, port = service.app.esl.address
        dial = f"{{{listed}}}loopback/app=socket:{host}:{port} async full"
        self.client.bgapi("originate", f"'{dial}' &park()", 10)
        call.record()
        return call


class EngineCall:
    """One call on it."""

    def __init__(self, client: InboundClient, directory: Path) -> None:
        self.uuid = str(uuid.uuid4())
        self._client = client
        self._said, self._heard = directory / "said.wav", directory / "heard.wav"

    def record(self) -> None:
        """Begin to write down what it hears."""
        self._client.api("uuid_record", f"{self.uuid} start {self._heard}")

    def say(self) -> None:
        """Speak a second or so."""
        write_wav(self._said, speech.synthetic(0.8).pcm)
        self._client.api("uuid_broadcast", f"{self.uuid} {self._said} aleg")

    @property
    def alive(self) -> bool:
        """Still there."""
        return self._client.api("uuid_exists", self.uuid).strip() == "true"

    def wait(self) -> None:
        """Until it is over."""
        with gevent.Timeout(CALL_S, AssertionError("the call goes on")):
            while self.alive:
                gevent.sleep(0.1)

    def hang_up(self) -> None:
        """The caller leaves."""
        self._client.api("uuid_kill", self.uuid)
        self.wait()

    def press(self, digits: str) -> None:
        """Keys of the caller."""
        leg = self._client.api("uuid_getvar", f"{self.uuid} other_loopback_leg_uuid")
        self._client.api("uuid_recv_dtmf", f"{leg} {digits}")

    def audible_ms(self) -> int:
        """How much sound the caller was sent."""
        with wave.open(str(self._heard)) as file:
            return audible_ms(file.readframes(file.getnframes()), file.getframerate())


def write_wav(path: Path, pcm: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm)


def audible_ms(pcm: bytes, rate_hz: int) -> int:
    size = rate_hz // 50 * 2
    frames = (pcm[at : at + size] for at in range(0, len(pcm), size))
    return 20 * sum(level(frame) >= AUDIBLE for frame in frames)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    tmp_path.chmod(0o755)
    with engine_client() as client:
        yield Engine(client, tmp_path)


@pytest.fixture(params=["mod_audio_stream", "unicast"])
def service(serve: Any, request: Any) -> Service:
    """Both ways in; answers go by unicast."""
    emulator = EmulatorConfig(script=SCRIPT, think_s=0.05)
    return serve(emulator=emulator, secretary=SECRETARY, media={"input": request.param})


def spoken_ms(*texts: str) -> int:
    return sum(audible_ms(synthetic_speech(text), 24000) for text in texts)


def test_a_conversation_to_its_good_bye(service: Service, engine: Engine) -> None:
    call = engine.call(service)
    wait_for(lambda: service.tenant.records and service.tenant.record.spoken == [GREETING])
    gevent.sleep(spoken_ms(GREETING) / 1000 + 1)
    call.say()
    wait_for(lambda: service.tenant.record.spoken == [GREETING, ANSWER])
    gevent.sleep(spoken_ms(ANSWER) / 1000 + 1)
    call.press("1#")
    call.wait()
    record = service.tenant.record
    assert record.texts == ["[The caller pressed on the keypad: 1]"]
    assert record.spoken == [GREETING, ANSWER, "Good-bye."]
    assert abs(call.audible_ms() - spoken_ms(*record.spoken)) <= 100
    assert (record.turns, record.truncations, record.errors) == (1, [], [])


def test_the_caller_interrupts_and_leaves(service: Service, engine: Engine) -> None:
    call = engine.call(service)
    wait_for(lambda: service.tenant.records and service.tenant.record.spoken == [GREETING])
    call.say()
    wait_for(lambda: service.tenant.record.truncations)
    ((_, heard_ms),) = service.tenant.record.truncations
    assert 0 < heard_ms < spoken_ms(GREETING)
    call.hang_up()
    wait_for(lambda: len(service.app.manager) == 0)


def test_a_number_of_nobody_is_handed_back(service: Service, engine: Engine) -> None:
    with pytest.raises(CommandFailed):  # there is no dialplan behind it that would answer
        engine.call(service, extension="8099")
    assert service.tenant.records == []
