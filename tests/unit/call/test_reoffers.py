"""A re-INVITE, and whether it changes the codec."""

from __future__ import annotations

import time

import gevent

from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.reoffers import Reoffers

from .fake_esl import CALL, FakeEsl

REINVITE = "sofia::reinvite"


def test_only_one_that_changes_the_number_of_the_codec_is_told() -> None:
    esl = FakeEsl()
    esl.uuid, esl.variables = CALL, {"rtp_audio_recv_pt": "9"}
    told: list[float] = []
    reoffers = Reoffers(esl, Outbox(), told.append)
    reoffers.begin()
    esl.raise_event(REINVITE)
    gevent.sleep(0)
    assert told == []
    esl.variables["rtp_audio_recv_pt"] = "102"
    raised = time.time() - 0.1
    esl.raise_event(REINVITE, Event_Date_Timestamp=str(int(raised * 1e6)))
    gevent.sleep(0)
    assert len(told) == 1
    assert 0.09 < time.monotonic() - told[0] < 1.0
    reoffers.close()
    assert not esl.handlers[REINVITE]
