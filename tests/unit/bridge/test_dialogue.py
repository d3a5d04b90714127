"""Turns, interruptions, words and functions between caller and agent."""

from __future__ import annotations

import pytest

from bridge.providers import base as p
from bridge.providers.conversation import Opening, Ran, Said, Speaker
from tests.unit.bridge.doubles import TELLS, Refused
from tests.unit.bridge.session_kit import FRAME, HIDES, LOUD, PHRASE, QUIET

CALLER, AGENT = Speaker.CALLER, Speaker.AGENT

# --- interruptions ---------------------------------------------


def test_an_interruption_silences_cuts_and_shuts_out_the_rest(stage):
    s = stage().talking()
    s.answer(ms=2000, done=False)
    s.after(0.5)
    s.events(p.CallerStarted())
    sent = len(s.datagrams)
    s.events(p.Audio("r1", "item-r1", FRAME * 50))
    s.after(0.3)
    assert s.heard(sent) == 0
    (cut,) = s.cuts()
    assert 400 <= cut["item-r1"] <= 560
    assert len(s.told.of("interrupted")) == 1
    s.events(p.CallerStopped())
    s.answer("r2")
    s.after(0.5)
    assert len(s.told.latencies) == 1


@pytest.mark.parametrize("text_first", [True, False])
def test_an_interrupted_turn_is_told_with_what_was_heard(stage, text_first):
    """Whether its words came before the interruption or after it."""
    s = stage().talking()
    words = p.Transcript(AGENT, "item-r1", "a long answer")
    s.answer(ms=2000, done=False)
    if text_first:
        s.events(words)
    s.after(0.5)
    s.events(p.CallerStarted())
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
    s.events(p.CallerStarted())
    (cut,) = s.cuts()
    assert cut["item-r2"] == 0
    assert 200 <= cut["item-r1"] <= 360


def test_items_heard_whole_are_left_alone(stage):
    s = stage().talking()
    s.events(
        p.ResponseStarted("r1"), p.Audio("r1", "a", FRAME * 50), p.Audio("r1", "b", FRAME * 99)
    )
    s.after(1.5)
    s.events(p.CallerStarted())
    (cut,) = s.cuts()
    assert list(cut) == ["b"]
    assert 400 <= cut["b"] <= 560


@pytest.mark.parametrize("still_queued", [True, False])
def test_a_phrase_of_ours_inside_an_answer_changes_nothing_about_it(stage, still_queued):
    """1 s of the answer, a phrase of half a second, half a second more of the answer."""
    s = stage(answer_limit_s=60.0).talking()
    s.turn()
    s.answer("r1", ms=1000, done=False)
    s.after(0.95 if still_queued else 1.3)
    s.session.announce(*PHRASE)
    s.after(0.1 if still_queued else 0.7)
    s.events(p.Audio("r1", "item-r1", FRAME * 100))
    s.after(1.0 if still_queued else 0.5)
    s.events(p.CallerStarted())
    (cut,) = s.cuts()
    assert 1400 <= cut["item-r1"] <= 1620


def test_an_unfinished_answer_cut_under_a_phrase_ends_where_it_was_heard(stage):
    s = stage(answer_limit_s=60.0).talking()
    s.answer("r1", ms=1000, done=False)
    s.after(1.1)
    s.session.announce(*PHRASE)
    s.after(0.2)
    s.events(p.CallerStarted())
    assert s.cuts() == [{"item-r1": 1000}]


def test_keys_interrupt_and_the_provider_is_told_to_stop(stage):
    s = stage(digit_pause_s=1.0).talking()
    s.answer(ms=2000, done=False)
    s.after(0.3)
    for digit in "12":
        s.session.press_digit(digit)
    assert "send_text" not in s.names()
    s.after(1.3)
    assert s.names() == ["cut", "send_text"]
    assert s.told.said[-1].text == "[12]"


def test_digits_wait_for_a_provider(stage):
    s = stage(TELLS, TELLS).talking()
    s.fail()
    for digit in "12#":
        s.session.press_digit(digit)
    s.after(1.0)
    s.reconnect().ready()
    s.after(0.3)
    assert s.commands == [("send_text", "[The caller pressed on the keypad: 1 2]")]


def test_without_barge_in_the_caller_changes_nothing(stage):
    s = stage(barge_in=False).talking()
    s.answer(ms=600)
    s.after(0.2)
    s.events(p.CallerStarted(), p.CallerStopped())
    s.after(0.6)
    assert s.cuts() == []
    assert s.told.of("interrupted") == []
    assert s.heard() == 600


def test_an_answer_asked_for_just_before_the_caller_speaks_is_cancelled(stage):
    s = stage().talking()
    s.turn()
    call = p.FunctionCall("c1", "f", "{}", "r1")
    s.events(p.ResponseStarted("r1"), call, p.ResponseDone("r1", "completed"))
    s.session.send_function_result("c1", "{}")
    s.events(p.CallerStarted())
    assert s.names()[-1] == "cut"
    before = len(s.datagrams)
    s.events(p.Audio("r2", "i2", FRAME * 50))
    s.after(0.5)
    assert s.heard(before) == 0


def test_a_provider_that_interrupts_decides_what_does(stage):
    s = stage(HIDES).talking()
    s.answer(ms=2000, done=False)
    s.hear(LOUD, 0.3)
    assert s.cuts() == []
    s.events(p.Interrupted(""))
    (cut,) = s.cuts()
    assert 200 <= cut["item-r1"] <= 400


# --- echo ---------------------------------------------


def test_an_agent_that_hears_itself_is_heard_to_the_end_at_last(stage):
    """Three answers cut within a second by a voice that began after them; the fourth is not."""
    s = stage().talking()
    for number in range(3):
        s.turn()
        s.answer(f"r{number}", ms=2000, done=False)
        s.hear(QUIET, 0.1)
        s.hear(LOUD, 0.3)
        s.events(p.CallerStarted())
        s.hear(QUIET, 0.5)
        s.events(p.CallerStopped())
    assert len(s.told.of("interrupted")) == 3
    before = len(s.datagrams)
    s.answer("r9", ms=1000)
    del s.host.protocol.audio[:]
    s.hear(LOUD, 0.4)
    s.events(p.CallerStarted(), p.Interrupted("r9"))
    s.hear(LOUD, 1.0)
    assert s.heard(before) == 1000
    assert len(s.told.of("interrupted")) == 3
    assert bytes(s.host.protocol.audio[:3200]) == b"\xff" * 3200, "it would hear itself"
    s.hear(QUIET, 0.5)
    del s.host.protocol.audio[:]
    s.hear(LOUD, 0.02)
    assert bytes(s.host.protocol.audio) != b"\xff" * 160, "it hears the caller again"
    s.answer("r10", ms=1000, done=False)
    s.events(p.CallerStarted())
    assert len(s.told.of("interrupted")) == 4


def test_a_caller_who_was_speaking_before_is_no_echo(stage):
    s = stage().talking()
    for number in range(4):
        s.hear(LOUD, 0.3)
        s.answer(f"r{number}", ms=2000, done=False)
        s.hear(LOUD, 0.3)
        s.events(p.CallerStarted())
    assert len(s.told.of("interrupted")) == 4


# --- words ---------------------------------------------


def test_words_are_in_the_order_of_the_conversation(stage):
    """The caller's are written down after the agent has answered them."""
    s = stage().talking()
    s.events(p.CallerStarted("u1"))
    s.after(1.0)
    s.events(p.CallerStopped("u1"))
    s.answer("a1", ms=200)
    s.words(AGENT, "item-a1", "At nine.")
    s.words(CALLER, "u1", "When do you open?")
    texts = [u.text for u in s.session.transcript.utterances]
    assert texts == ["When do you open?", "At nine."]
    agent, caller = s.told.said
    assert caller.at_s < agent.at_s


def test_a_turn_that_cannot_be_transcribed_leaves_a_trace(stage):
    s = stage().talking()
    s.events(p.CallerStarted("u1"), p.CallerStopped("u1"))
    s.words(CALLER, "u1", "")
    (utterance,) = s.told.said
    assert (utterance.speaker, utterance.text, utterance.item_id) == (CALLER, "", "u1")


def test_words_of_the_agent_that_nobody_heard_are_not_told(stage):
    s = stage().talking()
    s.turn()
    s.events(p.ResponseStarted("r1"))
    s.words(AGENT, "i1", "We are open from nine to five.")
    s.events(p.ResponseDone("r1", "completed", spoke=False))
    assert s.told.said == []
    s.events(p.ResponseStarted("r2"), p.Transcript(AGENT, "i2", "From nine."))
    assert s.told.said == []
    s.events(p.Audio("r2", "i2", FRAME))
    assert [u.text for u in s.told.said] == ["From nine."]


def test_corrected_words_are_told_again_under_their_name(stage):
    s = stage().talking()
    s.words(CALLER, "u1", "for tea")
    s.words(CALLER, "u1", "forty")
    s.words(CALLER, "u1", "forty")
    assert [(u.item_id, u.text) for u in s.told.said] == [("u1", "for tea"), ("u1", "forty")]


def test_the_next_provider_is_told_what_was_heard_and_no_more(stage):
    s = stage(TELLS, TELLS).talking()
    s.answer("r1", ms=10000)
    s.words(AGENT, "item-r1", "one two three four five six seven eight nine ten")
    s.answer("r2", ms=1000)
    s.words(AGENT, "item-r2", "never heard")
    s.after(2.0)
    s.events(p.CallerStarted())
    s.fail()
    (said,) = s.reconnect().conversation.history
    assert said == Said(AGENT, "one two")


def test_ids_of_two_connections_are_never_the_same(stage):
    s = stage(TELLS, TELLS).talking()
    s.answer("r1", ms=200)
    s.words(AGENT, "item-r1", "Good morning.")
    s.after(1.0)
    s.fail()
    s.reconnect().ready()
    s.answer("r1", ms=2000, done=False)
    s.words(AGENT, "item-r1", "Sorry, I am back.")
    s.events(p.FunctionCall("c1", "f", "{}", "r1"))
    first, second = s.told.said
    assert first.item_id != second.item_id
    ((call,),) = s.told.of("function_called")
    s.session.send_function_result(call.call_id, "{}")
    assert ("send_function_result", "c1", "{}", False) in s.commands
    s.after(0.3)
    s.events(p.CallerStarted())
    assert list(s.cuts()[-1]) == ["item-r1"]
    assert s.told.said[-1].item_id == second.item_id


# --- functions ---------------------------------------------


def test_a_result_goes_to_whoever_asked_for_it(stage):
    s = stage().talking()
    s.events(p.ResponseStarted("r1"), p.FunctionCall("c1", "lookup", "{}", "r1"))
    s.events(p.ResponseDone("r1", "completed"))
    s.session.send_function_result("c1", "broken", failed=True)
    assert s.commands == [("send_function_result", "c1", "broken", True)]


def test_the_next_provider_knows_what_functions_did(stage):
    s = stage(TELLS, TELLS).talking()
    s.words(CALLER, "u1", "Book me for nine.")
    s.events(p.ResponseStarted("r1"), p.FunctionCall("c1", "book", '{"at":9}', "r1"))
    s.session.send_function_result("c1", '{"status":"booked"}')
    s.fail()
    host = s.reconnect()
    assert host.conversation.history == [
        Said(CALLER, "Book me for nine."),
        Ran("book", '{"at":9}', '{"status":"booked"}'),
    ]
    assert host.conversation.opening is Opening.ANSWER


def test_a_result_that_comes_after_its_provider_went_is_told_to_the_next(stage):
    s = stage(TELLS, TELLS).talking()
    s.words(CALLER, "u1", "Book me for nine.")
    s.events(p.ResponseStarted("r1"), p.FunctionCall("c1", "book", "{}", "r1"))
    s.events(p.ResponseDone("r1", "completed"))
    s.fail()
    host = s.reconnect()
    assert host.conversation.opening is Opening.LISTEN, "it is not to book again"
    assert "still running" in host.conversation.history[-1].output
    host.ready()
    s.session.send_function_result("c1", "booked")
    assert s.commands == [("inform", "[book returned booked]", True)]


def test_a_cancelled_function_is_no_longer_waited_for(stage):
    s = stage(function_cover_s=1.0, answer_limit_s=3.0).talking()
    s.turn()
    s.events(p.ResponseStarted("r1"), p.FunctionCall("c1", "f", "{}", "r1"))
    s.events(p.ResponseDone("r1", "completed"))
    s.events(p.FunctionCancelled("c1"))
    assert s.told.of("function_cancelled") == [("c1",)]
    s.after(4.0)
    assert s.hosts[0].closed, "the wait is the provider's again"


def test_more_functions_than_a_conversation_may_have_are_refused(stage):
    s = stage(max_function_calls=2).talking()
    for number in range(5):
        s.events(p.FunctionCall(f"c{number}", "f", "{}"))
    assert len(s.told.of("function_called")) == 2
    refused = [c for c in s.commands if c[0] == "send_function_result"]
    assert [(c[1], c[3]) for c in refused] == [("c2", True), ("c3", True), ("c4", True)]
    assert [code for _, code, _ in s.told.of("provider_trouble")] == ["too_many_functions"]


def test_the_double_refuses_what_production_refuses(stage):
    s = stage().talking()
    for wrong in (
        lambda: s.host.protocol.send_audio(b""),
        lambda: s.host.protocol.send_function_result("none", "", failed=False, now=0.0),
        lambda: s.host.protocol.cut([p.Heard("none", 1)], 0.0),
        lambda: s.host.protocol.begin_turn(0.0),
    ):
        with pytest.raises(Refused):
            wrong()
