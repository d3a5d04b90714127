"""A session's sense and a real speech process with a turn model."""

from __future__ import annotations

from bridge.session.sense import Sense
from tests.integration.service import wait_for
from tests.integration.speech_process import speech_process
from tests.unit.speech.test_turn_model import model, tone

RATE_HZ = 8000


def test_the_model_of_the_speech_process_tells_the_end(tmp_path):
    path = tmp_path / "turn.onnx"
    path.write_bytes(model(1, 128000))
    there, ends = [], []
    with speech_process(tmp_path, "--turn-model", str(path)) as process:
        sense = Sense(str(process.path), there.append, lambda: ends.append(True))
        sense.start(RATE_HZ)
        wait_for(lambda: there == [True])
        data = tone(600, 0.8) + bytes(16 * 500)
        for at in range(0, len(data), 320):
            sense.hear(data[at : at + 320])
        wait_for(lambda: ends == [True])
        process.end()
        wait_for(lambda: there == [True, False])
        sense.hear(data)
        sense.stop()


def test_without_a_model_silence_ends_turns(tmp_path, caplog):
    there = []
    with speech_process(tmp_path) as process:
        sense = Sense(str(process.path), there.append, lambda: None)
        sense.start(RATE_HZ)
        wait_for(lambda: there == [False])
    assert "no turn model" in caplog.text
