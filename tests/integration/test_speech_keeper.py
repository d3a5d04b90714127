"""A worker keeps the speech process of its host alive, and counts what it does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from bridge.speech.channel import SpeechChannel
from bridge.speech.messages import Say, encode_request
from esl_controller.settings.host import Speech
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics
from esl_controller.worker_counters import follow_speech
from esl_controller.workers import speech
from esl_controller.workers.speech import SpeechKeeper
from tests.integration.speech_process import speech_process
from tests.integration.wire.http_peer import Owner
from tests.wire.ws.peers import until

Keep = Callable[..., SpeechKeeper]


@pytest.fixture
def keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keep]:
    monkeypatch.setattr(speech, "LOOK_S", 0.1)
    monkeypatch.setattr(speech, "WANTED_EVERY_S", 0.1)
    made: list[SpeechKeeper] = []

    def build(wanted: Callable[[], bool] = lambda: True) -> SpeechKeeper:
        settings = Speech(socket=str(tmp_path / "speech" / "socket"), voices_dir=str(tmp_path))
        made.append(SpeechKeeper(settings, wanted))
        made[-1].start()
        return made[-1]

    yield build
    for keeper in made:
        keeper.stop()
    assert not (tmp_path / "speech" / "socket").exists()


def there(keeper: SpeechKeeper) -> int:
    """Wait until the process answers; its id."""
    with gevent.Timeout(20, AssertionError("no speech process")):
        while keeper.status is None:
            gevent.sleep(0.01)
    return keeper.status.pid


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_is_started_when_it_is_wanted_and_again_when_it_dies(keep: Keep) -> None:
    wanted = False
    keeper = keep(lambda: wanted)
    gevent.sleep(0.3)
    assert keeper.child_pid is None
    wanted = True
    first = there(keeper)
    assert first == keeper.child_pid
    os.kill(first, signal.SIGKILL)
    until(lambda: keeper.counters.lost == 1)
    second = there(keeper)
    assert second != first
    assert keeper.counters.starts == 2
    keeper.stop()
    assert not alive(second)


def test_one_that_runs_is_used_and_left_alone(keep: Keep, tmp_path: Path) -> None:
    with speech_process(tmp_path) as running:
        keeper = keep()
        assert there(keeper) == running.process.pid
        assert keeper.counters.starts == 0
        keeper.stop()
        assert running.process.poll() is None


def test_what_it_did_for_this_worker_becomes_metrics(keep: Keep, tmp_path: Path) -> None:
    keeper, metrics = keep(), Metrics()
    end = follow_speech(metrics, keeper)
    there(keeper)
    owner = Owner()
    path = str(tmp_path / "speech" / "socket")
    channel = SpeechChannel(path, "tones", {}, owner.listener, timeout_s=10)
    until(lambda: owner.opened)
    channel.send(encode_request(Say(1, "a")), False)
    until(lambda: keeper.counters.sentences == 1 and keeper.counters.first_sound_s)
    metrics.sample()
    end()
    totals = metrics.totals()
    assert totals[m.SPEECH_UP, ()] == totals[m.SPEECH_SENTENCES, ("begun",)] == 1
    assert totals[m.SPEECH_STARTS, ()] == 1
    assert b"speech_first_sound_seconds_count 1.0" in metrics.exposition()
    channel.close()


def test_its_environment_holds_no_key(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_AI_PROVIDER_API_KEY", "sk-s3cret")
    pid = there(keep())
    assert b"s3cret" not in Path(f"/proc/{pid}/environ").read_bytes()
