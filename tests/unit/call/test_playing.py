"""What the caller has heard of what the module plays, when his codec changes."""

import math
import time

import pytest

from bridge.audio.formats import L16_8K
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.session.media_plan import Leg, MediaPlan, PlayoutChoice
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.playing import Playing
from tests.unit.call.fake_esl import FakeEsl

PCMU_20, PCMA_60, G722_20 = Leg("PCMU", 8000, 20), Leg("PCMA", 8000, 60), Leg("G722", 16000, 20)


def playing(mode: PlayoutMode, flavour: Flavour) -> Playing:
    made = Playing(FakeEsl(), Outbox())
    made.make(PlayoutChoice(mode, flavour), MediaPlan(L16_8K, L16_8K))
    return made


def test_of_a_file_the_longest_packet_may_never_have_been_sent() -> None:
    files, now = playing(PlayoutMode.FILE, Flavour.OPEN), time.monotonic()
    for before, leg in ((PCMU_20, PCMA_60), (PCMA_60, PCMU_20)):
        heard_until = files.heard_until(before, leg)
        assert heard_until is not None
        assert heard_until == pytest.approx(now - 0.1, abs=0.05)


def test_what_the_module_plays_itself_goes_on_unless_its_stream_must_end() -> None:
    module = playing(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ)
    assert module.heard_until(PCMU_20, PCMA_60) == math.inf
    assert module.heard_until(PCMU_20, G722_20) is None
