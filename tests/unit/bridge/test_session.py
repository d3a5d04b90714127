"""A session from its first connection to its end, on a clock of the test's own."""

from __future__ import annotations

import pytest

from bridge.audio.formats import L16_8K
from bridge.ports import EndCause
from bridge.providers import base as p
from bridge.session.states import SessionState
from tests.unit.bridge.session_kit import FRAME, Stage


@pytest.fixture
def stage(monkeypatch):
    return lambda providers=1, **config: Stage(monkeypatch, providers, **config)


def names(commands):
    return [command[0] for command in commands if command[0] != "start"]


# --- beginning ---------------------------------------------


def test_the_greeting_waits_for_the_line_and_is_played_when_it_opens(stage):
    s = stage(greeting="Hello.")
    s.session.prepare()
    s.link.ready()
    s.answer()
    assert s.told.names() == ["provider_ready", "greeting_ready"]
    assert s.session.state is SessionState.READY
    s.join()
    assert s.session.state is SessionState.TALKING
    s.after(0.5)
    assert b"".join(s.datagrams)
    assert s.told.names().count("first_audio_sent") == 1
    assert not s.session.agent_speaking


def test_media_that_never_comes_ends_the_session(stage):
    s = stage(join_timeout_s=3.0)
    s.session.prepare()
    s.link.ready()
    s.session.expect_media()
    s.after(2.5)
    assert s.told.end is None
    s.after(1.0)
    assert s.told.end.cause is EndCause.STREAM_LOST
    assert s.link.closed


def test_caller_audio_waits_for_the_provider_and_then_flows(stage):
    s = stage()
    s.session.prepare()
    s.join()
    assert s.session.state is SessionState.WAITING
    s.session.receive_audio(bytes(320))
    assert not s.link.protocol.audio
    s.link.ready()
    held = len(s.link.protocol.audio)
    assert held == 160
    s.session.receive_audio(bytes(320))
    assert len(s.link.protocol.audio) == 2 * held


# --- interruptions ---------------------------------------------


def test_an_interruption_silences_truncates_and_shuts_out_the_rest(stage):
    s = stage().talking()
    s.answer(ms=2000, done=False)
    s.after(0.5)
    s.events(p.SpeechStarted())
    sent = len(s.datagrams)
    s.events(p.Audio("r1", "item-r1", FRAME * 50))
    s.after(0.3)
    # at most the one frame of silence that ends the broken-off word
    assert len(s.datagrams) - sent <= 1
    ((item_id, heard_ms),) = [c[1:] for c in s.commands if c[0] == "truncate"]
    assert item_id == "item-r1"
    assert 400 <= heard_ms <= 560
    assert "cancel_response" not in names(s.commands)  # it cancels by itself
    assert s.session.late_audio_dropped == 1
    assert len(s.told.of("interrupted")) == 1
    s.events(p.SpeechStopped())
    s.answer("r2")
    s.after(0.5)
    assert len(s.told.latencies) == 1


@pytest.mark.parametrize("text_first", [True, False])
def test_an_interrupted_turn_is_told_with_what_was_heard(stage, text_first):
    """Whether its words came before the interruption or after it."""
    s = stage().talking()
    words = p.TranscriptFinal(p.Speaker.AGENT, "item-r1", "a long answer")
    s.answer(ms=2000, done=False)
    if text_first:
        s.events(words)
    s.after(0.5)
    s.events(p.SpeechStarted())
    if not text_first:
        s.events(words)
    last = s.told.said[-1]
    assert (last.text, last.interrupted) == ("a long answer", True)
    assert 400 <= last.heard_ms <= 560


def test_what_was_not_heard_at_all_is_removed(stage):
    s = stage().talking()
    s.answer("r1", ms=1000)
    s.answer("r2", ms=1000)
    s.after(0.3)
    s.events(p.SpeechStarted())
    cuts = dict(c[1:] for c in s.commands if c[0] == "truncate")
    assert cuts["item-r2"] == 0
    assert 200 <= cuts["item-r1"] <= 360


def test_keys_interrupt_and_the_provider_is_told_to_stop(stage):
    s = stage(digit_pause_s=1.0).talking()
    s.answer(ms=2000, done=False)
    s.after(0.3)
    for digit in "12":
        s.session.press_digit(digit)
    assert "send_text" not in names(s.commands)
    s.after(1.3)
    assert names(s.commands)[-3:] == ["cancel_response", "truncate", "send_text"]
    assert s.told.said[-1].text == "[12]"


def test_without_barge_in_the_caller_changes_nothing(stage):
    s = stage(barge_in=False).talking()
    s.answer(ms=600)
    s.after(0.2)
    s.events(p.SpeechStarted(), p.SpeechStopped())
    s.after(0.6)
    assert "truncate" not in names(s.commands)
    assert s.told.of("interrupted") == []
    assert len(s.datagrams) >= 30


# --- ends ---------------------------------------------


def test_a_polite_end_waits_until_the_last_words_are_heard(stage):
    s = stage().talking()
    s.session.finish(EndCause.FINISHED, unless_speaking="Good-bye!")
    assert ("say", "Good-bye!") in s.commands
    s.events(p.ResponseStarted("r1"))
    s.events(p.Audio("r1", "i", FRAME * 50), p.ResponseDone("r1", "completed"))
    s.after(0.8)
    assert s.told.end is None
    s.after(0.4)
    assert s.told.end.cause is EndCause.FINISHED
    assert sum(len(d) for d in s.datagrams) >= 50 * 320


def test_words_being_said_are_the_last_words(stage):
    s = stage().talking()
    s.answer(ms=600)
    s.session.finish(EndCause.FINISHED, unless_speaking="Good-bye!")
    assert "say" not in names(s.commands)
    s.after(0.9)
    assert s.told.end.cause is EndCause.FINISHED


def test_last_words_that_never_come_do_not_hold_the_call(stage):
    s = stage(answer_limit_s=3.0).talking()
    s.session.finish(EndCause.DRAINED, "Good-bye!")
    s.after(4.0)
    assert s.told.end.cause is EndCause.DRAINED


def test_a_silent_caller_is_asked_once_and_then_let_go(stage):
    s = stage(silence_s=3.0, give_up_s=2.0).talking()
    s.answer("r1", ms=200)
    s.after(3.6)
    assert names(s.commands) == ["say"]
    s.answer("r2", ms=200)
    s.after(2.6)
    assert s.commands[-1] == ("say", "Good-bye!")
    s.answer("r3", ms=200)
    s.after(0.5)
    assert s.told.end.cause is EndCause.CALLER_SILENT


def test_time_is_up(stage):
    s = stage(max_duration_s=5.0).talking()
    s.after(5.3)
    assert s.commands[-1] == ("say", "Time is up.")
    s.answer("r1", ms=200)
    s.after(0.6)
    assert s.told.end.cause is EndCause.MAX_DURATION


@pytest.mark.parametrize("end", ["end", "finish"])
def test_the_end_is_told_once_and_holds_nothing(stage, end):
    s = stage()
    s.session.prepare()
    getattr(s.session, end)(EndCause.HANGUP)
    s.session.end(EndCause.HANGUP)
    s.session.finish(EndCause.FINISHED)
    assert s.told.names() == ["ended"]
    assert s.link.closed
    assert len(s.pacer) == 0


# --- no dead air ---------------------------------------------


def test_a_long_wait_is_covered_whenever_it_is_silent_and_then_another_is_asked(stage):
    s = stage(answer_cover_s=2.0, answer_limit_s=6.0).talking()
    s.turn()
    s.after(1.7)
    assert s.told.of("answer_late") == []
    s.after(0.9)
    assert len(s.told.of("answer_late")) == 1
    s.session.announce(bytes(16000), L16_8K)
    s.after(2.5)
    assert len(s.told.of("answer_late")) == 1
    first = s.link
    s.after(1.0)
    assert len(s.told.of("answer_late")) == 2
    s.after(0.5)
    assert first.closed
    assert s.session.state is SessionState.WAITING
    s.reconnect().ready()
    assert s.commands == [("say", "Say it again?")]


def test_nobody_hears_the_same_phrase_twice_in_one_breath(stage):
    s = stage().talking()
    s.session.announce(b"\x00\x10" * 8000, L16_8K)
    s.session.announce(b"\x00\x10" * 8000, L16_8K)
    s.after(1.3)
    assert not s.session.agent_speaking
    s.session.announce(b"\x00\x10" * 8000, L16_8K)
    assert s.session.agent_speaking


def test_who_comes_after_a_broken_provider_hears_the_callers_sentence_whole(stage):
    s = stage(providers=2).talking()
    s.events(p.TranscriptFinal(p.Speaker.AGENT, "i0", "Hello."))
    s.session.receive_audio(b"before" * 100)
    s.events(p.SpeechStarted())
    s.session.receive_audio(b"half a sen")
    heard = bytes(s.link.protocol.audio)
    s.fail()
    s.session.receive_audio(b"tence.")
    s.reconnect().ready()
    assert bytes(s.link.protocol.audio[: len(heard)]) == heard
    assert len(s.link.protocol.audio) == len(heard) + len(b"tence.") // 2
    s.events(p.SpeechStarted(), p.SpeechStopped())
    s.after(2.2)
    assert s.commands == []


def test_a_sentence_that_the_next_provider_does_not_notice_is_asked_for_again(stage):
    s = stage(providers=2).talking()
    s.session.receive_audio(b"half a sentence")
    s.turn()
    s.fail()
    s.reconnect().ready()
    assert s.commands == []
    s.after(2.5)
    assert s.commands == [("say", "Say it again?")]


def test_what_is_written_down_or_answered_is_not_heard_twice(stage):
    s = stage(providers=3).talking()
    s.session.receive_audio(b"a question")
    s.turn()
    s.events(p.TranscriptFinal(p.Speaker.CALLER, "i1", "a question"))
    s.fail()
    s.reconnect().ready()
    assert bytes(s.link.protocol.audio) == b""
    assert names(s.commands) == ["request_response"]
    s.session.receive_audio(b"another")
    s.turn()
    s.answer()
    s.fail()
    s.reconnect().ready()
    assert bytes(s.link.protocol.audio) == b""


def test_digits_wait_for_a_provider(stage):
    s = stage(providers=2).talking()
    s.fail()
    for digit in "12#":
        s.session.press_digit(digit)
    s.after(1.0)
    s.reconnect().ready()
    s.after(0.3)
    assert s.commands == [("send_text", "[The caller pressed on the keypad: 1 2]")]


def test_a_function_of_ours_is_waited_for(stage):
    s = stage(answer_cover_s=2.0, function_cover_s=1.0, answer_limit_s=3.0).talking()
    s.turn()
    s.events(
        p.ResponseStarted("r1"),
        p.FunctionCall("c1", "lookup", "{}"),
        p.ResponseDone("r1", "completed", function_calls=1),
    )
    s.after(1.6)
    assert len(s.told.of("answer_late")) == 1
    s.after(4.0)
    assert not s.link.closed
    s.session.send_function_result("c1", "{}")
    assert s.commands == [("send_function_result", "c1", "{}"), ("request_response",)]
    s.after(3.6)
    assert s.links[0].closed


def test_an_answer_that_stops_half_way_is_given_up(stage):
    s = stage(answer_cover_s=1.0, answer_limit_s=3.0).talking()
    s.turn()
    s.events(p.TranscriptFinal(p.Speaker.CALLER, "i1", "a question"))
    s.answer(ms=400, done=False)
    s.after(1.8)
    assert len(s.told.of("answer_late")) == 1
    s.after(2.2)
    assert s.links[0].closed
    s.reconnect().ready()
    assert s.link.options.history == ((p.Speaker.CALLER, "a question"),)
    assert names(s.commands) == ["request_response"]


def test_a_failed_answer_is_asked_for_again_and_then_from_somebody_else(stage):
    s = stage(providers=2).talking()
    failed = p.ResponseDone("r1", "failed", "server_error", p.ErrorKind.SERVER)
    s.turn()
    s.events(p.ResponseStarted("r1"), failed)
    assert names(s.commands) == ["request_response"]
    s.events(p.ResponseStarted("r1"), failed)
    assert s.links[0].closed


def test_a_provider_without_money_is_not_asked_again(stage):
    s = stage(providers=2).talking()
    s.events(p.ResponseStarted("r1"), p.ResponseDone("r1", "failed", "", p.ErrorKind.QUOTA))
    s.reconnect().ready()
    s.events(p.ResponseStarted("r1"), p.ResponseDone("r1", "failed", "", p.ErrorKind.QUOTA))
    assert s.told.end.cause is EndCause.PROVIDER_FAILED
    assert s.told.end.error_kind is p.ErrorKind.QUOTA


def test_media_may_be_lost_while_the_agent_is_heard_on(stage):
    s = stage().talking()
    s.answer(ms=1000)
    s.after(0.2)
    s.session.lose_media(still_playing=True)
    assert s.told.names()[-1] == "stream_lost"
    s.after(0.3)
    s.session.attach_media(s.plan(), None)
    assert s.session.state is SessionState.TALKING
    s.after(0.8)
    assert sum(len(d) for d in s.datagrams) >= 50 * 320


def test_media_that_is_lost_with_the_playout_starts_anew(stage):
    s = stage().talking()
    s.answer(ms=1000)
    s.after(0.2)
    s.session.lose_media()
    assert not s.session.agent_speaking
    s.join()
    s.answer("r2", ms=200)
    s.after(0.4)
    assert s.session.state is SessionState.TALKING
