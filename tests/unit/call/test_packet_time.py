"""Opus whose packets are shorter than agreed, and a jitter buffer for a moment."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest

from esl_controller.calls import packet_time
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.packet_time import PacketTime

from .fake_esl import CALL, FakeEsl

GIVEN = [
    f"api uuid_getvar {CALL} jitterbuffer_msec",
    f"api uuid_jitterbuffer {CALL} 20",
    f"api uuid_setvar {CALL} jitterbuffer_msec",
]
TAKEN = f"api uuid_jitterbuffer {CALL} stop"


@pytest.fixture
def esl() -> Iterator[FakeEsl]:
    esl = FakeEsl()
    esl.uuid = CALL
    yield esl


def test_the_buffer_goes_as_soon_as_the_packet_time_is_corrected(esl: FakeEsl) -> None:
    one = PacketTime(esl, Outbox())
    one.correct()
    one.correct()
    gevent.sleep(0)
    assert esl.steps == GIVEN, "once in a call"
    esl.raise_event("CODEC")
    gevent.sleep(0)
    assert esl.steps == [*GIVEN, TAKEN]
    esl.raise_event("CODEC")
    gevent.sleep(0)
    assert esl.steps == [*GIVEN, TAKEN]
    one.close()
    assert not esl.handlers["CODEC"]


def test_it_goes_when_nothing_is_corrected(esl: FakeEsl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_time, "WITHIN_S", 0.0)
    one = PacketTime(esl, Outbox())
    one.correct()
    with gevent.Timeout(1.0):
        while TAKEN not in esl.steps:
            gevent.sleep(0.001)
    assert esl.steps == [*GIVEN, TAKEN]
    one.close()


def test_one_that_the_dialplan_wants_is_left_alone(esl: FakeEsl) -> None:
    esl.variables["jitterbuffer_msec"] = "60"
    one = PacketTime(esl, Outbox())
    one.correct()
    gevent.sleep(0)
    esl.raise_event("CODEC")
    gevent.sleep(0)
    assert esl.steps == GIVEN[:1]
    one.close()
