"""What is due to the caller is given: no dead air, whatever the provider does."""

from __future__ import annotations

import pytest

from bridge.ports import EndCause
from bridge.providers import base as p
from bridge.providers.conversation import Opening, Said, Speaker
from bridge.session.states import SessionState
from tests.unit.bridge.doubles import TELLS
from tests.unit.bridge.session_kit import FRAME, LOUD, PHRASE, QUIET, SILENT_FRAME

SILENT = p.ResponseDone("r1", "completed", spoke=False)
FAILED = p.ResponseDone("r1", "failed", "server_error", p.ErrorKind.SERVER, spoke=False)


def limited(retry_in_s=None):
    return p.ResponseDone("r1", "failed", "limit", p.ErrorKind.RATE_LIMIT, False, retry_in_s)


# --- waiting ---------------------------------------------


def test_a_long_wait_is_covered_whenever_it_is_silent_and_then_another_is_asked(stage):
    s = stage(answer_cover_s=2.0, answer_limit_s=6.0).talking()
    s.turn()
    s.after(1.7)
    assert s.told.of("answer_late") == []
    s.after(0.9)
    assert len(s.told.of("answer_late")) == 1
    s.session.announce(*PHRASE)
    s.after(1.2)
    assert len(s.told.of("answer_late")) == 1
    first = s.host
    s.after(0.8)
    assert len(s.told.of("answer_late")) == 2
    s.after(2.0)
    assert first.closed
    assert s.session.state is SessionState.WAITING
    s.reconnect().ready()
    assert s.says() == ["Say it again?"]


def test_nobody_hears_the_same_phrase_twice_in_one_breath(stage):
    s = stage().talking()
    s.session.announce(*PHRASE)
    s.session.announce(*PHRASE)
    s.after(0.8)
    assert s.heard() == 500
    assert not s.session.agent_speaking
    s.session.announce(*PHRASE)
    assert s.session.agent_speaking


def test_the_caller_is_never_alone_for_two_seconds_while_an_answer_is_due(stage):
    s = stage().talking()
    s.turn()
    began, told = s.now, 0
    while s.session.state is SessionState.TALKING:
        s.after(0.05)
        if len(s.told.of("answer_late")) > told:
            told += 1
            assert s.now - began < 2.0
            s.session.announce(*PHRASE)
            s.after(0.5)
            began = s.now
    assert told >= 3


def test_an_answer_that_stops_half_way_is_given_up(stage):
    s = stage(answer_cover_s=1.0, answer_limit_s=3.0).talking()
    s.turn()
    s.words(Speaker.CALLER, "i1", "a question")
    s.answer(ms=400, done=False)
    s.after(1.8)
    assert len(s.told.of("answer_late")) == 1
    s.after(2.2)
    assert s.hosts[0].closed
    conversation = s.reconnect().conversation
    assert conversation.history == [Said(Speaker.CALLER, "a question")]
    assert conversation.opening is Opening.ANSWER


def test_a_function_of_ours_is_waited_for(stage):
    s = stage(answer_cover_s=2.0, function_cover_s=1.0, answer_limit_s=3.0).talking()
    s.turn()
    call = p.FunctionCall("c1", "lookup", "{}", "r1")
    s.events(p.ResponseStarted("r1"), call, p.ResponseDone("r1", "completed"))
    s.after(1.6)
    assert len(s.told.of("answer_late")) == 1
    s.after(4.0)
    assert not s.host.closed
    s.session.send_function_result("c1", "{}")
    assert s.names() == ["send_function_result"], "whether to go on is the protocol's affair"
    s.after(3.6)
    assert s.hosts[0].closed


# --- answers nobody hears ---------------------------------------------


@pytest.mark.parametrize(
    "done",
    [
        FAILED,
        SILENT,
        p.ResponseDone("r1", "incomplete", "content_filter", spoke=False),
        p.ResponseDone("r1", "completed"),
    ],
)
def test_an_answer_nobody_hears_is_asked_for_once_more_and_then_from_another(stage, done):
    s = stage(TELLS, TELLS).talking()
    s.turn()
    s.events(p.ResponseStarted("r1"), done)
    assert s.names() == ["answer"]
    s.events(p.ResponseStarted("r1"), done)
    assert s.hosts[0].closed
    s.reconnect()
    assert s.session._seat.name == "p1"


@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_an_answer_of_silence_is_none(stage, seconds):
    s = stage(TELLS, TELLS).talking()
    s.turn()
    done = seconds < 3.0
    s.answer(ms=round(seconds * 1000), frame=SILENT_FRAME, done=done)
    assert s.names()[-1] == "answer"
    s.answer("r2", ms=400)
    s.after(2.0)
    assert s.heard() == 400
    assert not s.session.agent_speaking


def test_an_answer_the_provider_breaks_off_goes_on(stage, caplog):
    s = stage().talking()
    s.turn()
    s.answer(ms=400, done=False)
    s.events(p.ResponseDone("r1", "incomplete", "max_output_tokens"))
    assert s.names() == ["answer"]
    assert "max_output_tokens" in caplog.text
    s.answer("r2", ms=400, done=False)
    s.events(p.ResponseDone("r2", "incomplete", "content_filter"))
    assert s.says() == ["Say it again?"]


def test_an_answer_that_is_broken_off_for_ever_is_not_asked_for_for_ever(stage):
    s = stage().talking()
    for number in range(10):
        s.answer(f"r{number}", ms=100, done=False)
        s.events(p.ResponseDone(f"r{number}", "incomplete", "max_output_tokens"))
    assert s.names() == ["answer"] * 3


def test_a_cancelled_answer_is_still_due(stage):
    s = stage(TELLS, TELLS).talking()
    s.turn()
    s.events(p.ResponseStarted("r1"), p.ResponseDone("r1", "cancelled", spoke=False))
    assert s.commands == []
    s.after(1.9)
    assert s.told.of("answer_late")
    s.after(5.0)
    assert s.hosts[0].closed


def test_words_that_nobody_heard_are_ordered_again(stage):
    s = stage(silence_s=3.0).talking()
    s.answer(ms=200)
    s.after(3.5)
    s.events(p.ResponseStarted("r2", s.token()), p.ResponseDone("r2", "completed", spoke=False))
    assert s.says() == ["Still there?"] * 2


def test_a_greeting_that_nobody_heard_is_said_again(stage):
    s = stage(greeting="Hello.").talking()
    assert s.host.conversation.opening is Opening.GREET
    s.events(p.ResponseStarted("r1", s.host.conversation.opening_token), SILENT)
    assert s.says() == ["Hello."]


# --- limits ---------------------------------------------


def test_a_rate_limit_is_waited_for_as_long_as_the_provider_says(stage):
    s = stage().talking()
    s.turn()
    s.events(p.ResponseStarted("r1"), limited(1.5))
    s.after(1.2)
    assert s.commands == []
    s.after(0.6)
    assert s.names() == ["answer"]
    assert s.told.of("answer_late")
    s.answer("r2")
    assert len(s.hosts) == 1


def test_without_a_word_how_long_each_wait_is_longer_and_the_last_one_ends_it(stage):
    s = stage().talking()
    s.turn()
    times = []
    while not s.host.closed:
        s.events(p.ResponseStarted("r1"), limited())
        began = s.now
        while not s.host.closed and s.names().count("answer") == len(times):
            s.after(0.05)
        if not s.host.closed:
            times.append(round(s.now - began))
    assert times == [1, 2, 4]


def test_with_another_provider_a_limit_is_not_waited_for(stage):
    s = stage(TELLS, TELLS).talking()
    s.turn()
    s.events(p.ResponseStarted("r1"), limited(1.5))
    assert s.hosts[0].closed


def test_a_limit_longer_than_a_call_can_wait_is_an_outage(stage):
    s = stage().talking()
    s.turn()
    s.events(p.ResponseStarted("r1"), limited(30.0))
    assert s.hosts[0].closed


def test_a_provider_without_money_is_not_asked_again(stage):
    s = stage(TELLS, TELLS).talking()
    broke = p.ResponseDone("r1", "failed", "", p.ErrorKind.QUOTA, spoke=False)
    s.events(p.ResponseStarted("r1"), broke)
    s.reconnect().ready()
    s.events(p.ResponseStarted("r1"), broke)
    assert s.told.end.cause is EndCause.PROVIDER_FAILED
    assert s.told.end.error_kind is p.ErrorKind.QUOTA


# --- from one provider to the next ---------------------------------------------


def test_who_comes_after_a_broken_provider_hears_the_callers_sentence_whole(stage):
    s = stage(TELLS, TELLS).talking()
    s.session.receive_audio(b"before" * 100)
    s.events(p.CallerStarted())
    s.session.receive_audio(b"half a sen")
    heard = bytes(s.host.protocol.audio)
    s.fail()
    s.session.receive_audio(b"tence.")
    s.reconnect().ready()
    assert bytes(s.host.protocol.audio[: len(heard)]) == heard
    assert len(s.host.protocol.audio) == len(heard) + len(b"tence.") // 2
    s.events(p.CallerStarted(), p.CallerStopped())
    s.after(1.0)
    assert s.commands == []


def test_a_sentence_that_the_next_provider_does_not_notice_is_asked_for_again(stage):
    s = stage(TELLS, TELLS).talking()
    s.session.receive_audio(b"half a sentence.")
    s.turn()
    s.fail()
    s.reconnect().ready()
    assert s.commands == []
    s.after(2.5)
    assert s.says() == ["Say it again?"]


def test_a_sentence_heard_anew_interrupts_nothing(stage):
    """It takes no time to send: turn and answer are told in one read, while we say something."""
    s = stage(TELLS, TELLS).talking()
    s.session.receive_audio(b"a question.")
    s.turn()
    s.fail()
    s.session.announce(*PHRASE)
    s.reconnect().ready()
    audio = p.Audio("r1", "item-r1", FRAME * 10)
    turn = (p.CallerStarted(), p.CallerStopped())
    s.events(*turn, p.ResponseStarted("r1"), audio, p.ResponseDone("r1", "completed"))
    assert s.cuts() == []
    s.after(1.0)
    assert s.heard() == 500 + 200


def test_a_phrase_of_ours_is_interrupted_without_stopping_the_provider(stage):
    """It may be answering already what the caller is saying."""
    s = stage().talking()
    s.session.announce(*PHRASE)
    s.after(0.1)
    s.turn()
    s.answer()
    assert s.cuts() == []
    s.after(1.0)
    assert s.heard() < 500


def test_what_is_written_down_or_answered_is_not_heard_twice(stage):
    s = stage(TELLS, TELLS, TELLS).talking()
    s.session.receive_audio(b"a question")
    s.turn()
    s.words(Speaker.CALLER, "i1", "a question")
    s.fail()
    s.reconnect().ready()
    assert bytes(s.host.protocol.audio) == b""
    assert s.host.conversation.opening is Opening.ANSWER
    s.session.receive_audio(b"another.")
    s.turn()
    s.answer()
    s.fail()
    s.reconnect().ready()
    assert bytes(s.host.protocol.audio) == b""


def test_an_answered_question_is_not_answered_again_by_the_next_provider(stage):
    s = stage(TELLS, TELLS).talking()
    s.events(p.CallerStarted("u1"), p.CallerStopped("u1"))
    s.answer("a1", ms=200)
    s.words(Speaker.AGENT, "item-a1", "At nine.")
    s.words(Speaker.CALLER, "u1", "When do you open?")
    s.after(2.0)
    s.fail()
    s.reconnect().ready()
    assert s.host.conversation.opening is Opening.LISTEN
    assert s.commands == []


def test_what_the_call_asked_for_while_nobody_was_there_is_asked_of_the_next(stage):
    s = stage(TELLS, TELLS).talking()
    s.fail()
    s.session.say("I connect you.")
    s.session.tell("The shop has closed.", respond=False)
    s.reconnect()
    assert [c[:2] for c in s.commands] == [
        ("say", "I connect you."),
        ("inform", "The shop has closed."),
    ]


def test_each_connection_is_asked_once_more_again(stage):
    s = stage().talking()
    s.turn()
    for _ in range(2):
        s.events(p.ResponseStarted("r1"), FAILED)
        assert s.names().count("answer") == 1
        s.events(p.ResponseStarted("r1"), FAILED)
        s.reconnect().ready()
        s.turn()


# --- turns that never end ---------------------------------------------


def test_a_turn_whose_end_is_never_told_ends_when_the_line_is_silent(stage):
    s = stage(silence_s=4.0).talking()
    s.hear(LOUD, 0.2)
    s.events(p.CallerStarted("u1"))
    s.hear(LOUD, 5.0)
    assert s.says() == []
    s.hear(QUIET, 1.5)
    assert s.names() == ["probe"]
    s.host.messages_in += 1
    s.hear(QUIET, 2.0)
    assert s.names() == ["probe"] * 2
    s.hear(QUIET, 4.5)
    assert s.says() == ["Still there?"]
    assert len(s.hosts) == 1


def test_a_provider_that_repeats_silence_hands_over(stage):
    s = stage(TELLS, TELLS).talking()
    s.turn()
    for number in range(2):
        s.answer(f"r{number}", ms=3200, frame=SILENT_FRAME, done=False)
    assert s.hosts[0].closed
    s.reconnect().ready()
    s.events(p.Audio("r9", "i9", FRAME * 10))
    s.after(0.4)
    assert s.heard() == 200
