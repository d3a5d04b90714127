"""A fault that is known: words come soon, and who takes over goes on where the last one stopped."""

from __future__ import annotations

import pytest

from bridge.providers import base as p
from bridge.providers.conversation import Opening, Speaker
from bridge.session.states import SessionState
from tests.unit.bridge.doubles import TELLS
from tests.unit.bridge.session_kit import FRAME, PHRASE, SILENT_FRAME
from tests.unit.bridge.test_answering import FAILED, limited
from tests.unit.bridge.test_provider_seat import audible, said

SOON_S = 0.52
"""Half a second, and a step of this test."""


def first_late(s, since, at_most_s=3.0):
    """How long after `since` the call was asked to say something."""
    before = len(s.told.of("answer_late"))
    while s.now < since + at_most_s and len(s.told.of("answer_late")) == before:
        s.after(0.02)
    return s.now - since


def test_a_provider_that_is_lost_while_it_owes_an_answer_is_covered_at_once(stage):
    s = stage(TELLS, TELLS).talking()
    s.turn()
    s.after(0.2)
    before = len(s.told.of("answer_late"))
    s.fail()
    assert len(s.told.of("answer_late")) == before + 1


def test_one_that_is_lost_while_it_speaks_is_covered_when_what_is_here_was_heard(stage):
    s = stage(TELLS, TELLS).talking()
    s.answer(ms=1000, done=False)
    s.after(0.3)
    s.fail()
    assert first_late(s, s.now + 0.72) <= SOON_S


def test_an_answer_that_failed_and_is_asked_for_again_is_covered_soon(stage):
    s = stage().talking()
    s.turn()
    s.events(p.ResponseStarted("r1"), FAILED)
    assert first_late(s, s.now) <= SOON_S


def test_one_that_must_be_waited_for_is_covered_soon(stage):
    s = stage().talking()
    s.turn()
    s.events(p.ResponseStarted("r1"), limited(5.0))
    assert first_late(s, s.now) <= SOON_S


def test_silence_in_the_middle_of_an_answer_is_covered_and_gone_on_with_once(stage):
    s = stage(TELLS, TELLS).talking()
    s.turn()
    s.answer(ms=600, done=False)
    silence = p.Audio("r1", "item-r1", SILENT_FRAME * 50)
    for _ in range(4):
        s.events(silence)
        s.after(0.5)
    assert s.told.of("answer_late")
    assert s.cuts()[-1].popitem()[1] >= 600
    assert s.names()[-1] == "answer"
    s.answer("r2", ms=600, done=False)
    for _ in range(4):
        s.events(p.Audio("r2", "item-r2", SILENT_FRAME * 50))
    assert [code for _, code, _ in s.told.of("provider_trouble")] == ["no_sound"]


def test_who_takes_over_in_the_middle_of_an_answer_goes_on_with_it(stage):
    s = stage(TELLS, TELLS).talking()
    s.turn()
    s.answer(ms=600, done=False)
    s.words(Speaker.AGENT, "item-r1", "We open at nine and we close at six.")
    s.after(0.3)
    s.fail()
    s.reconnect().ready()
    (told,) = [command for command in s.commands if command[0] == "inform"]
    assert "did not hear the end" in told[1]
    assert s.says() == []


def test_late_sound_of_an_answer_that_failed_is_not_heard(stage):
    s = stage().talking()
    s.turn()
    s.events(p.ResponseStarted("r1"), FAILED)
    since = len(s.datagrams)
    s.events(p.Audio("r1", "item-r1", FRAME * 20))
    s.after(0.3)
    assert s.heard(since) == 0


# --- a successor ---------------------------------------------


def test_a_successor_that_is_ready_serves_as_soon_as_the_old_one_breaks(stage):
    """And answers what the caller has just asked, without being told to say it again."""
    s = stage(TELLS, TELLS).talking()
    audible(s)
    said(s, "Hello.")
    old = s.host
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    s.host.ready()
    standby = s.host
    old.events(p.CallerStarted("u"), p.CallerStopped("u"))
    old.events(p.Transcript(Speaker.CALLER, "u", "a question"))
    old.events(p.ProviderFailure(p.ErrorKind.CONNECTION, "gone", "", True, True))
    assert s.session.state is SessionState.TALKING
    assert (len(s.hosts), s.later) == (2, [])
    informed, answered = standby.protocol.commands[-2:]
    assert "Caller: a question" in informed[1]
    assert answered == ("answer",)
    assert len(s.told.of("provider_trouble")) == 1


@pytest.mark.parametrize("kind", [p.ErrorKind.QUOTA, p.ErrorKind.AUTHENTICATION])
def test_a_successor_is_no_use_where_the_provider_is_none(stage, kind):
    s = stage(TELLS, TELLS).talking()
    audible(s)
    s.events(p.GoingAway(300.0))
    s.after(0.3)
    s.host.ready()
    standby = s.host
    s.hosts[0].events(p.ProviderFailure(kind, "no", "", True, False))
    assert standby.closed
    s.reconnect()
    assert s.session._seat.name == "p1"


def test_words_of_ours_are_no_greeting(stage):
    s = stage(TELLS, TELLS, greeting="Hello.")
    s.session.prepare()
    s.join()
    s.session.announce(*PHRASE)
    s.after(0.7)
    s.fail()
    assert s.reconnect().conversation.opening is Opening.GREET
