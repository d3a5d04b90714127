"""Caller and agent kept apart: by us, with music, or by the caller's own key."""

from __future__ import annotations

import pytest

from bridge.audio.formats import L16_8K
from bridge.ports import EndCause
from bridge.providers import base as p
from bridge.session.hold import BROKEN_OFF
from bridge.session.states import SessionState
from tests.unit.bridge.doubles import TELLS
from tests.unit.bridge.session_kit import FRAME, LOUD

MUSIC = (b"\x00\x10" * 8000, L16_8K)
"""One second, audible."""


def test_music_is_looped_and_neither_hears_the_other(stage):
    s = stage().talking()
    s.answer(ms=4000, done=False)
    s.after(0.5)
    s.session.hold(MUSIC)
    assert s.session.state is SessionState.HELD
    (cut,) = s.cuts()
    assert 400 <= cut["item-r1"] <= 560
    before, sent = len(s.datagrams), len(s.host.protocol.audio)
    s.hear(LOUD, 5.0)
    assert 4500 <= s.heard(before) <= 5100
    played = s.session.line.downlink.counters.chunks
    s.events(p.Audio("r1", "item-r1", FRAME * 50))
    assert s.session.line.downlink.counters.chunks == played
    assert len(s.host.protocol.audio) == sent
    s.session.resume()
    assert s.session.state is SessionState.TALKING
    before = len(s.datagrams)
    s.session.tell("[Nobody answers in sales.]", respond=True)
    assert s.commands[-1] == ("inform", "[Nobody answers in sales.]", True)
    s.answer("r2", ms=400)
    s.after(0.6)
    assert s.heard(before) == 400, "no music any more"
    assert not [u for u in s.names() if u == "say"]


def test_what_was_heard_during_the_hold_is_not_sent_afterwards(stage):
    s = stage().talking()
    s.session.hold(MUSIC)
    s.hear(LOUD, 1.0)
    s.session.resume()
    assert not s.host.protocol.audio
    s.hear(LOUD, 0.02)
    assert len(s.host.protocol.audio) == 160


def test_no_timer_runs_while_the_caller_is_held(stage):
    s = stage(silence_s=3.0, give_up_s=2.0, max_duration_s=10.0).talking()
    s.answer(ms=200)
    s.after(1.0)
    s.session.hold(MUSIC)
    s.after(60.0)
    assert s.told.end is None
    assert s.commands == []
    s.session.resume()
    s.after(3.4)
    assert s.says() == ["Still there?"]
    s.answer("r2", ms=200, token=s.token())
    s.session.press_digit("1")
    s.after(6.0)
    assert s.says()[-1] == "Time is up."


def test_a_caller_on_hold_misses_nothing(stage):
    s = stage().talking()
    s.answer(ms=4000)
    s.after(1.0)
    s.session.set_on_hold(True)
    (cut,) = s.cuts()
    assert cut["item-r1"] < 1200
    before = len(s.datagrams)
    s.after(5.0)
    assert s.heard(before) == 0
    s.session.set_on_hold(False)
    assert s.names()[-1] == "inform"
    s.answer("r2", ms=400)
    s.after(0.8)
    assert s.heard(before) == 400


def test_a_greeting_spoken_into_a_hold_is_said_again(stage):
    s = stage(greeting="Hello.")
    s.session.prepare()
    s.host.ready()
    s.session.set_on_hold(True)
    s.join()
    s.events(p.ResponseStarted("r1"), p.Audio("r1", "i1", FRAME * 50))
    s.after(2.0)
    assert s.heard() == 0
    s.session.set_on_hold(False)
    assert s.says() == ["Hello."]


def test_an_answer_that_was_due_is_asked_for_after_the_hold(stage):
    s = stage().talking()
    s.answer("r0", ms=100)
    s.after(0.4)
    s.turn()
    s.session.set_on_hold(True)
    s.after(20.0)
    assert s.told.of("answer_late") == []
    assert len(s.hosts) == 1
    s.session.set_on_hold(False)
    assert s.names()[-1] == "inform"


def test_two_holds_end_with_the_last(stage):
    s = stage().talking()
    s.session.hold(MUSIC)
    s.session.set_on_hold(True)
    s.session.resume()
    assert s.session.state is SessionState.HELD
    before = len(s.datagrams)
    s.after(1.0)
    assert s.heard(before) == 0
    s.session.set_on_hold(False)
    assert s.session.state is SessionState.TALKING


def test_a_provider_lost_in_a_hold_is_replaced_meanwhile(stage):
    s = stage(TELLS, TELLS).talking()
    s.answer("r0", ms=100)
    s.after(0.4)
    s.session.hold(MUSIC)
    s.fail()
    assert s.session.state is SessionState.HELD
    s.session.resume()
    assert s.session.state is SessionState.WAITING
    s.reconnect().ready()
    assert s.session.state is SessionState.TALKING


@pytest.mark.parametrize("back", [True, False])
def test_media_lost_in_a_hold_comes_back_in_it_or_after_it(stage, back):
    s = stage(join_timeout_s=30.0).talking()
    s.session.hold(MUSIC)
    s.session.lose_media()
    assert s.told.names()[-1] == "stream_lost"
    if back:
        s.join()
        before = len(s.datagrams)
        s.after(2.0)
        assert s.heard(before) > 1500, "music goes on"
    s.session.resume()
    assert s.session.state is (SessionState.TALKING if back else SessionState.READY)
    if not back:
        s.join()
        assert s.session.state is SessionState.TALKING


def test_a_polite_end_of_a_held_call_has_no_music_under_it(stage):
    s = stage().talking()
    s.session.hold(MUSIC)
    s.after(1.0)
    s.session.finish(EndCause.FINISHED, "Good-bye!")
    before = len(s.datagrams)
    s.answer("r9", ms=400, token=s.token())
    s.after(0.8)
    assert s.heard(before) == 400
    assert s.told.end.cause is EndCause.FINISHED


def test_what_the_model_says_by_itself_in_a_hold_is_cut(stage):
    s = stage().talking()
    s.session.hold(None)
    s.events(p.ResponseStarted("r5"), p.Audio("r5", "i5", FRAME * 10))
    assert s.names() == ["cut"]
    s.session.resume()
    before = len(s.datagrams)
    s.events(p.Audio("r5", "i5", FRAME * 10))
    s.after(0.5)
    assert s.heard(before) == 0


def test_after_a_hold_of_ours_the_call_says_what_is_to_be_said(stage):
    s = stage().talking()
    s.answer(ms=4000)
    s.after(0.5)
    s.session.hold(MUSIC)
    s.session.resume()
    assert s.names() == ["cut"]


def test_a_caller_who_comes_back_into_our_hold_hears_its_music_on(stage):
    s = stage().talking()
    s.session.hold(MUSIC)
    s.session.set_on_hold(True)
    s.after(1.1)
    before = len(s.datagrams)
    s.session.set_on_hold(False)
    s.after(0.2)
    assert s.heard(before) >= 180
    s.session.set_on_hold(False)
    assert s.session.state is SessionState.HELD


def test_what_the_call_has_to_say_waits_for_the_end_of_the_hold(stage):
    s = stage().talking()
    s.session.hold(MUSIC)
    s.session.tell("[Be kind.]", respond=False)
    s.session.tell("[Nobody answers.]", respond=True)
    s.session.say("Connecting.")
    assert s.names() == ["inform"]
    s.session.resume()
    assert [c[1] for c in s.commands] == ["[Be kind.]", "[Nobody answers.]", "Connecting."]


@pytest.mark.parametrize("ours", [True, False])
def test_an_answer_given_into_a_hold_is_due_after_the_callers_and_not_after_ours(stage, ours):
    s = stage().talking()
    s.answer("r0", ms=100)
    s.after(0.4)
    s.events(p.FunctionCall("c1", "transfer", "{}"))
    s.session.hold(MUSIC) if ours else s.session.set_on_hold(True)
    s.session.send_function_result("c1", "ringing")
    s.events(p.ResponseStarted("r1"), p.Audio("r1", "i1", FRAME * 20))
    s.session.resume() if ours else s.session.set_on_hold(False)
    asked = [c for c in s.commands if c[0] == "inform"]
    assert len(asked) == (0 if ours else 1)
    s.after(4.0)
    if ours:
        assert s.told.of("answer_late") == []
    assert len(s.hosts) == 1


def test_music_goes_on_where_no_provider_is_left_and_the_session_ends_after_it(stage):
    """A caller who waits for a human hears no silence, and is not lost without one."""
    s = stage().talking()
    s.answer("r0", ms=100)
    s.after(0.4)
    s.session.hold(MUSIC)
    s.fail(kind=p.ErrorKind.AUTHENTICATION, retryable=False)
    assert s.told.of("provider_trouble")
    before = len(s.datagrams)
    s.after(20.0)
    assert s.heard(before) > 19_000
    assert s.told.end is None
    s.session.tell("[Nobody answers in sales.]", respond=True)
    s.session.resume()
    assert s.told.end.cause is EndCause.PROVIDER_FAILED
    s.session.set_on_hold(False)
    assert s.told.names().count("ended") == 1


def test_an_agent_that_leaves_a_held_caller_is_replaced(stage):
    s = stage().talking()
    s.answer("r0", ms=100)
    s.after(0.4)
    s.session.hold(MUSIC)
    s.events(p.Ended("nobody speaks"))
    assert s.session.state is SessionState.HELD
    s.reconnect().ready()
    before = len(s.datagrams)
    s.after(2.0)
    assert s.heard(before) > 1500
    s.session.resume()
    assert s.session.state is SessionState.TALKING


def test_a_hold_that_nobody_ends_ends_the_call(stage):
    """The secretary's limit stands still, the installation's does not: a line left on hold costs a
    provider's session all night."""
    s = stage(max_duration_s=30.0, longest_s=100.0).talking()
    s.session.set_on_hold(True)
    s.after(98.0)
    assert s.told.end is None
    s.after(3.0)
    assert s.says() == ["Time is up."]
    s.answer("r9", ms=200, token=s.token())
    s.after(1.0)
    assert s.told.end.cause is EndCause.MAX_DURATION


def test_who_waits_for_a_human_is_not_told_that_time_is_up(stage):
    """The music goes on until somebody comes, or nobody does: then the call ends."""
    s = stage(max_duration_s=30.0, longest_s=40.0).talking()
    s.session.hold(MUSIC)
    s.after(45.0)
    before = len(s.datagrams)
    s.after(2.0)
    assert (s.told.end, s.says()) == (None, [])
    assert s.heard(before) > 1500
    s.session.resume()
    s.after(1.0)
    assert s.says() == ["Time is up."]
    s.answer("r9", ms=200, token=s.token())
    s.after(1.0)
    assert s.told.end.cause is EndCause.MAX_DURATION


@pytest.mark.parametrize("lost", [False, True])
def test_what_was_to_be_said_before_a_hold_is_not_said_instead_of_what_came_of_it(stage, lost):
    """ "Connecting.", to a caller whom nobody has taken."""
    s = stage().talking()
    s.answer("r0", ms=100)
    s.after(0.4)
    if lost:
        s.fail()
    s.session.say("Connecting.")
    s.after(0.2)
    s.session.hold(MUSIC)
    if lost:
        s.reconnect().ready()
    s.after(1.0)
    s.session.tell("[Nobody answers in sales.]", respond=True)
    s.session.resume()
    s.events(p.ResponseStarted("r2"), p.ResponseDone("r2", "failed"))
    assert s.commands[-1] == ("answer",), "the outcome is asked for again"


@pytest.mark.parametrize("status", ["completed", "cancelled", "failed"])
def test_the_end_of_an_answer_that_began_in_a_hold_is_not_that_of_the_next(stage, status):
    """It was cut as it began; the service tells of its end when the caller is back."""
    s = stage().talking()
    s.answer("r0", ms=200)
    s.after(1.0)
    s.session.set_on_hold(True)
    s.events(p.ResponseStarted("r1"))
    s.session.set_on_hold(False)
    assert s.commands[-1] == ("inform", BROKEN_OFF, True)
    asked = len(s.commands)
    s.events(p.ResponseDone("r1", status, error_kind=p.ErrorKind.SERVER))
    assert len(s.commands) == asked, "it is not asked for once more"
    assert s.session._floor.wanted
    before = len(s.datagrams)
    s.answer("r2", ms=400)
    s.after(0.6)
    assert s.heard(before) == 400
