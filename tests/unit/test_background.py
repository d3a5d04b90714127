"""Work beside the calls goes on, whatever it raises."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event
from structlog.testing import capture_logs

from esl_controller.telemetry import background
from esl_controller.telemetry.background import forever, in_thread


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAUSE_S", 0.001)
    background.failures.clear()


def test_what_raises_is_told_counted_and_run_again() -> None:
    times, goes_on = [], Event()

    def run() -> None:
        times.append(1)
        if len(times) < 4:
            raise ZeroDivisionError("a bug")
        goes_on.set()
        gevent.sleep(60)

    with capture_logs() as lines:
        working = forever("test", run)
        assert goes_on.wait(5)
    working.kill()
    assert background.failures["test"] == 3
    assert [(line["event"], line["task"]) for line in lines] == [("background.failed", "test")] * 3


def test_what_returns_is_run_again_too() -> None:
    times, enough = [], Event()

    def run() -> None:
        times.append(1)
        if len(times) == 2:
            enough.set()

    working = forever("test", run)
    assert enough.wait(5)
    working.kill()


def test_killing_it_ends_it() -> None:
    working = forever("test", lambda: gevent.sleep(60))
    gevent.sleep(0)
    working.kill()
    assert working.dead
    assert background.failures["test"] == 0


def test_a_thread_reads_and_what_it_raises_is_returned(capfd: pytest.CaptureFixture[str]) -> None:
    assert in_thread(int, "7", ValueError) == 7
    assert isinstance(in_thread(int, "seven", ValueError), ValueError)
    assert capfd.readouterr().err == ""
