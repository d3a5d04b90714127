"""A session from its first connection to its end, on a clock of the test's own."""

from __future__ import annotations

import pytest

from bridge.ports import EndCause, SetPhrase
from bridge.providers import base as p
from bridge.providers.conversation import Speaker
from bridge.session.states import SessionState
from tests.unit.bridge.doubles import TELLS
from tests.unit.bridge.session_kit import FRAME, HIDES, PHRASE

# --- beginning ---------------------------------------------


def test_the_greeting_waits_for_the_line_and_is_played_when_it_opens(stage):
    s = stage(greeting="Hello.")
    s.session.prepare()
    s.host.ready()
    s.answer()
    assert s.told.names() == ["provider_ready", "greeting_ready"]
    assert s.session.state is SessionState.READY
    s.join()
    assert s.session.state is SessionState.TALKING
    s.after(0.5)
    assert s.heard() == 200
    assert s.told.names().count("first_audio_sent") == 1
    assert not s.session.agent_speaking


def test_early_audio_is_counted_once(stage):
    s = stage(greeting="Hello.")
    s.session.prepare()
    s.host.ready()
    s.answer()
    s.join()
    assert s.session.line.downlink.counters.chunks == 1


def test_media_that_never_comes_ends_the_session(stage):
    s = stage(join_timeout_s=3.0)
    s.session.prepare()
    s.host.ready()
    s.session.expect_media()
    s.after(2.5)
    assert s.told.end is None
    s.after(1.0)
    assert s.told.end.cause is EndCause.STREAM_LOST
    assert s.host.closed


def test_caller_audio_waits_for_the_provider_and_then_flows(stage):
    s = stage()
    s.session.prepare()
    s.join()
    assert s.session.state is SessionState.WAITING
    s.session.receive_audio(bytes(320))
    assert not s.host.protocol.audio
    s.host.ready()
    assert len(s.host.protocol.audio) == 160
    s.session.receive_audio(bytes(320))
    assert len(s.host.protocol.audio) == 320


def test_half_a_sample_is_never_sent_as_empty_audio(stage):
    s = stage().talking()
    s.session.receive_audio(b"\x01")
    s.session.receive_audio(b"\x02\x03\x04")
    assert len(s.host.protocol.audio) == 2


# --- ends ---------------------------------------------


def test_a_polite_end_waits_until_the_last_words_are_heard(stage):
    s = stage().talking()
    s.session.finish(EndCause.FINISHED, unless_speaking="Good-bye!")
    assert s.says() == ["Good-bye!"]
    s.answer(ms=1000, token=s.token())
    s.after(0.8)
    assert s.told.end is None
    s.after(0.4)
    assert s.told.end.cause is EndCause.FINISHED
    assert s.heard() == 1000


def test_words_being_said_are_the_last_words(stage):
    s = stage().talking()
    s.answer(ms=600)
    s.session.finish(EndCause.FINISHED, unless_speaking="Good-bye!")
    assert s.says() == []
    s.after(0.9)
    assert s.told.end.cause is EndCause.FINISHED


def test_last_words_that_never_come_do_not_hold_the_call(stage):
    s = stage(answer_limit_s=3.0).talking()
    s.session.finish(EndCause.DRAINED, "Good-bye!")
    s.after(4.0)
    assert s.told.end.cause is EndCause.DRAINED


def test_last_words_of_a_provider_that_names_no_answer_are_known_by_their_end(stage):
    s = stage().talking()
    s.session.finish(EndCause.DRAINED, "Good-bye!")
    s.answer(ms=400)
    s.after(0.8)
    assert s.told.end is None
    s.after(1.0)
    assert s.told.end.cause is EndCause.DRAINED


def test_the_good_bye_comes_after_an_answer_that_was_under_way(stage):
    """An answer that the model had begun by itself, and that only calls a function, is not it."""
    s = stage().talking()
    s.turn()
    s.session.finish(EndCause.MAX_DURATION, "Time is up.")
    call = p.FunctionCall("c1", "lookup", "{}", "r1")
    s.events(p.ResponseStarted("r1"), call, p.ResponseDone("r1", "completed"))
    s.after(1.5)
    assert s.told.end is None
    s.answer("r2", ms=400, token=s.token())
    s.after(0.6)
    assert s.told.end.cause is EndCause.MAX_DURATION
    assert s.heard() == 400


def test_the_good_bye_is_heard_although_the_provider_drops_the_rest(stage):
    s = stage().talking()
    s.session.finish(EndCause.MAX_DURATION, "Time is up.")
    s.answer(ms=2000, done=False, token=s.token())
    s.after(0.4)
    dropped = p.ResponseDone("r1", "cancelled", "turn_detected")
    s.events(p.CallerStarted(), p.Interrupted("r1"), dropped)
    assert s.told.end is None
    s.after(1.0)
    assert s.told.end is None
    s.after(9.0)
    assert s.told.end is not None
    assert s.heard() == 2000


def test_a_good_bye_without_sound_is_asked_for_once_more(stage):
    s = stage().talking()
    s.session.finish(EndCause.DRAINED, "Good-bye!")
    s.events(p.ResponseStarted("r1", s.token()), p.ResponseDone("r1", "completed", spoke=False))
    assert s.says() == ["Good-bye!"] * 2
    s.answer("r2", ms=200, token=s.token())
    s.after(0.5)
    assert s.told.end.cause is EndCause.DRAINED


def test_without_a_provider_the_good_bye_is_a_recorded_phrase(stage):
    s = stage().talking()
    s.fail()
    s.session.finish(EndCause.DRAINED, "Good-bye!")
    assert s.told.of("phrase_due") == [(SetPhrase.GOOD_BYE,)]
    s.session.announce(*PHRASE)
    s.after(0.3)
    assert s.told.end is None
    s.after(0.5)
    assert s.told.end.cause is EndCause.DRAINED


def test_a_provider_lost_in_its_good_bye_is_replaced_by_a_phrase_or_nothing(stage):
    s = stage().talking()
    s.session.finish(EndCause.DRAINED, "Good-bye!")
    s.fail()
    assert s.told.of("phrase_due") == [(SetPhrase.GOOD_BYE,)]
    s.after(2.0)
    assert s.told.end.cause is EndCause.DRAINED


def test_a_silent_caller_is_asked_once_and_then_let_go(stage):
    s = stage(silence_s=3.0, give_up_s=2.0).talking()
    s.answer("r1", ms=200)
    s.after(3.6)
    assert s.says() == ["Still there?"]
    s.answer("r2", ms=200, token=s.token())
    s.after(2.6)
    assert s.says()[1:] == ["Good-bye!"]
    s.answer("r3", ms=200, token=s.token())
    s.after(0.5)
    assert s.told.end.cause is EndCause.CALLER_SILENT


def test_a_provider_that_minds_silence_is_not_doubled(stage):
    s = stage(HIDES, silence_s=3.0, give_up_s=2.0).talking()
    s.answer("r1", ms=200)
    s.after(3.6)
    assert s.told.of("phrase_due") == []


def test_time_is_up(stage):
    s = stage(max_duration_s=5.0).talking()
    s.after(5.3)
    assert s.says() == ["Time is up."]
    s.answer("r1", ms=200, token=s.token())
    s.after(0.6)
    assert s.told.end.cause is EndCause.MAX_DURATION


def test_time_is_up_while_the_caller_speaks(stage):
    s = stage(max_duration_s=5.0).talking()
    s.after(4.5)
    s.events(p.CallerStarted())
    s.after(1.0)
    assert s.says() == ["Time is up."]
    s.answer("r1", ms=200, token=s.token())
    s.events(p.CallerStarted())
    s.after(0.6)
    assert s.told.end.cause is EndCause.MAX_DURATION
    assert s.heard() == 200


def test_as_many_turns_as_the_tenant_allows(stage):
    s = stage(max_turns=2).talking()
    for number in ("r1", "r2"):
        s.turn()
        s.answer(number, ms=200)
        assert s.says() == []
        s.after(0.5)
    assert s.says() == ["Good-bye!"]
    s.answer("r3", ms=200, token=s.token())
    s.after(0.5)
    assert s.told.end.cause is EndCause.MAX_TURNS


def test_an_agent_that_hangs_up_is_heard_to_its_end(stage):
    s = stage(HIDES, TELLS).talking()
    s.answer("r1", ms=600, done=False)
    s.events(p.Ended("end_call"))
    s.after(0.3)
    assert s.told.end is None
    s.after(0.5)
    assert s.told.end.cause is EndCause.AGENT_LEFT
    assert len(s.hosts) == 1 and not s.later
    assert s.heard() == 600


@pytest.mark.parametrize("end", ["end", "finish"])
def test_the_end_is_told_once_and_holds_nothing(stage, end):
    s = stage()
    s.session.prepare()
    getattr(s.session, end)(EndCause.HANGUP)
    s.session.end(EndCause.HANGUP)
    s.session.finish(EndCause.FINISHED)
    assert s.told.names() == ["ended"]
    assert s.host.closed
    assert len(s.pacer) == 0


def test_the_last_usage_is_told_and_then_the_end_which_is_the_last_of_all(stage):
    s = stage().talking()
    s.host.protocol.last_usage = p.Usage("elevenlabs", audio_seconds=12.0)
    s.session.end(EndCause.HANGUP)
    assert s.told.names()[-2:] == ["used", "ended"]
    s.events(p.Usage("late"), p.Transcript(Speaker.CALLER, "u1", "late"))
    s.session.say("late")
    s.session.tell("late", respond=True)
    s.session.send_function_result("c1", "{}")
    assert s.told.names()[-1] == "ended"


def test_what_comes_in_one_read_behind_the_good_byes_end_is_not_told(stage):
    s = stage().talking()
    s.session.finish(EndCause.FINISHED)
    assert s.told.end is not None
    s = stage().talking()
    s.session.finish(EndCause.FINISHED, "Bye.")
    s.answer(ms=100, done=False, token=s.token())
    s.after(0.4)
    call = p.FunctionCall("c", "f", "{}", "r1")
    s.events(p.ResponseDone("r1", "completed"), call, p.Transcript(Speaker.CALLER, "u", "x"))
    assert s.told.names()[-1] == "ended"


# --- media ---------------------------------------------


def test_media_may_be_lost_while_the_agent_is_heard_on(stage):
    s = stage().talking()
    s.answer(ms=1000)
    s.after(0.2)
    s.session.lose_media(still_playing=True)
    assert s.told.names()[-1] == "stream_lost"
    assert s.cuts() == []
    s.after(0.3)
    s.session.attach_media(s.plan(), None)
    assert s.session.state is SessionState.TALKING
    s.after(0.8)
    assert s.heard() == 1000


def test_a_line_that_comes_back_silent_is_minded(stage):
    s = stage(silence_s=5.0).talking()
    s.answer("r1", ms=200)
    s.after(1.0)
    s.session.lose_media()
    s.join()
    s.after(5.5)
    assert s.says() == ["Still there?"]
    assert s.names() == ["say"]


def test_a_new_line_goes_on_with_the_generation_of_the_old(stage):
    """File and JSON playouts ignore what comes under a generation that was given up."""
    s = stage().talking()
    s.answer("r1", ms=1000)
    s.events(p.CallerStarted())
    s.session.lose_media()
    began = []

    class Playout:
        def __init__(self, inner):
            self._inner = inner

        def __getattr__(self, name):
            return getattr(self._inner, name)

        def play(self, chunk, generation):
            began.append(generation)
            self._inner.play(chunk, generation)

    plan = s.plan()
    s.session.attach_media(plan, Playout(s.playout(plan)))
    s.answer("r2", ms=200)
    s.after(0.3)
    assert set(began) == {1}


def test_the_frame_of_an_interrupted_answer_does_not_leak_into_the_next(stage, monkeypatch):
    """The converter begins a new signal when the agent is cut."""
    from bridge.audio.formats import L16_24K

    s = stage(p.Capabilities(TELLS.audio_in, (L16_24K,))).talking()
    loud = b"\xff\x7f" * 480
    s.events(p.ResponseStarted("r1"), p.Audio("r1", "i1", loud * 50 + b"\x01"))
    s.after(0.1)
    s.events(p.CallerStarted(), p.CallerStopped())
    before = len(s.datagrams)
    s.events(p.ResponseStarted("r2"), p.Audio("r2", "i2", bytes(960 * 10)))
    s.after(0.2)
    assert s.heard(before) == 0


def test_history_is_cut_where_the_queue_was_full(stage):
    s = stage().talking()
    s.turn()
    s.answer("r1", ms=400_000, done=False)
    dropped = s.session.line.downlink.playout.counters.dropped_bytes
    assert dropped
    (cut,) = s.cuts()
    kept_ms = 400_000 - dropped // 16
    assert abs(cut["item-r1"] - kept_ms) <= 20
    played = s.session.line.downlink.counters.chunks
    s.events(p.Audio("r1", "item-r1", FRAME))
    assert s.session.line.downlink.counters.chunks == played
    assert s.session.agent_speaking
