"""Who listens without having asked."""

from __future__ import annotations

from bridge.session.media_plan import Leg
from esl_controller.calls.leg_codec import DEFAULT_LEG
from esl_controller.calls.overheard import BUG_START, Overheard

from .fake_esl import FakeEsl

L16 = Leg("L16", 16000)


def test_only_a_call_of_l16_hears_of_bugs_and_only_eavesdrop_matters() -> None:
    esl = FakeEsl()
    told: list[str] = []
    overheard = Overheard(esl, lambda: told.append("left"))
    overheard.begin(DEFAULT_LEG)
    assert esl.steps == []
    overheard.begin(L16)
    assert esl.steps == [f"event plain {BUG_START}"]
    esl.raise_event(BUG_START, Media_Bug_Function="audio_stream")
    esl.raise_event(BUG_START, Media_Bug_Function="session_record")
    assert told == []
    esl.raise_event(BUG_START, Media_Bug_Function="eavesdrop")
    assert told == ["left"]
    overheard.close()
    assert not esl.handlers[BUG_START]
