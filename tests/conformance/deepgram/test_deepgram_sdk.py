"""The official `deepgram-sdk` package against our emulator."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent.subprocess
import pytest

from bridge.audio.formats import PCMU_8K
from esl_controller.simulator.deepgram.hearing import HearingConfig
from esl_controller.simulator.deepgram.server import DeepgramEmulator
from esl_controller.simulator.service.script import Script
from esl_controller.simulator.service.voice import encode, synthetic_speech

pytestmark = pytest.mark.conformance
PROGRAM = Path(__file__).with_name("sdk_listen.py")


@pytest.fixture
def emulator() -> Iterator[DeepgramEmulator]:
    script = Script(caller_lines=("when do you open",))
    made = DeepgramEmulator(HearingConfig(script=script, api_keys=frozenset({"dg-test"})))
    yield made
    made.stop()


def listen(emulator: DeepgramEmulator, scenario: str, directory: Path) -> dict[str, Any]:
    speech = encode(synthetic_speech("When do you open?"), PCMU_8K) + PCMU_8K.silence(800)
    audio = directory / "audio"
    audio.write_bytes(speech)
    done = gevent.subprocess.run(
        [sys.executable, str(PROGRAM), scenario, emulator.start(), str(audio)],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_nova_hears_a_turn(emulator: DeepgramEmulator, tmp_path: Path) -> None:
    seen = listen(emulator, "nova", tmp_path)["seen"]
    kinds = [one["type"] for one in seen]
    assert kinds == ["SpeechStarted", "Results", "Results", "Metadata"]
    interim, final = seen[1], seen[2]
    assert (interim["is_final"], final["is_final"], final["speech_final"]) == (False, True, True)
    alternative = final["channel"]["alternatives"][0]
    assert alternative["transcript"] == "when do you open"
    assert [word["word"] for word in alternative["words"]] == ["when", "do", "you", "open"]
    assert seen[3]["duration"] > 1
    assert all(one["class"].startswith("ListenV1") for one in seen), seen


def test_flux_hears_a_turn(emulator: DeepgramEmulator, tmp_path: Path) -> None:
    seen = listen(emulator, "flux", tmp_path)["seen"]
    assert [one["type"] for one in seen] == ["Connected", "TurnInfo", "TurnInfo"]
    assert [one.get("event") for one in seen[1:]] == ["StartOfTurn", "EndOfTurn"]
    assert seen[2]["transcript"] == "when do you open"
    assert all(one["class"].startswith("ListenV2") for one in seen), seen


def test_a_wrong_key_is_refused(emulator: DeepgramEmulator, tmp_path: Path) -> None:
    assert listen(emulator, "wrong_key", tmp_path) == {"status": 401}
