"""Providers that hide their turns, leave them to us, stay silent or cannot be told words."""

from __future__ import annotations

import dataclasses

from bridge.audio.formats import PCMU_8K
from bridge.ports import EndCause, SetPhrase
from bridge.providers import base as p
from bridge.providers.conversation import Speaker
from tests.unit.bridge.doubles import TELLS
from tests.unit.bridge.session_kit import FRAME, HIDES, LOUD, PHRASE, QUIET

OURS = p.Capabilities((PCMU_8K,), (PCMU_8K,), turns=p.Turns.OURS)
"""As Gemini with its own detection switched off."""
HIDES_ONLY = dataclasses.replace(HIDES, interrupts=False)


def test_audio_behind_a_guessed_end_is_played(stage):
    s = stage(HIDES).talking()
    s.answer("7", ms=400)
    s.after(0.1)
    s.events(p.Audio("7", "item-7", FRAME * 20), p.ResponseDone("7", "completed"))
    s.after(1.0)
    assert s.heard() == 800
    assert not s.session.agent_speaking


def test_an_interruption_without_turns_leaves_an_answer_due(stage):
    s = stage(HIDES).talking()
    s.answer("7", ms=4000)
    s.after(0.5)
    s.events(p.Interrupted(""), p.Transcript(Speaker.CALLER, "u", "Wait, how much?"))
    s.after(2.0)
    assert s.told.of("answer_late")
    s.after(6.0)
    assert s.told.of("provider_trouble")


def test_words_written_down_after_the_answer_are_no_new_turn(stage):
    s = stage(HIDES, HIDES).talking()
    s.hear(LOUD, 0.5)
    s.hear(QUIET, 0.6)
    s.answer("7", ms=200)
    s.hear(QUIET, 0.5)
    s.events(p.Transcript(Speaker.CALLER, "u", "How much?"))
    s.hear(QUIET, 8.0)
    assert s.told.of("answer_late") == []
    assert s.told.of("provider_trouble") == []


def test_our_ear_is_the_base_of_latency_where_turns_are_hidden(stage):
    s = stage(HIDES).talking()
    s.hear(LOUD, 0.6)
    s.hear(QUIET, 0.8)
    s.answer("7", ms=200)
    (latency,) = s.told.latencies
    assert 790 <= latency.total_ms <= 820
    s.hear(QUIET, 1.0)
    s.answer("8", ms=200)
    assert len(s.told.latencies) == 1


def test_a_turn_the_model_chose_not_to_answer_costs_no_provider(stage):
    s = stage(TELLS, TELLS, silence_s=3.0).talking()
    s.events(p.CallerStarted("u"), p.CallerStopped("u", expects_answer=False))
    s.after(2.5)
    assert s.told.events == [("provider_ready",)]
    s.after(1.0)
    assert s.says() == ["Still there?"], "silence is still minded"
    assert len(s.hosts) == 1


def test_where_the_caller_interrupts_our_ear_does_it_for_hidden_turns(stage):
    s = stage(HIDES_ONLY).talking()
    s.answer("7", ms=4000)
    s.hear(QUIET, 0.3)
    s.hear(LOUD, 0.3)
    (cut,) = s.cuts()
    assert 300 <= cut["item-7"] <= 560


def test_our_ear_finds_turns_where_they_are_ours(stage):
    s = stage(OURS).talking()
    s.hear(LOUD, 0.5)
    assert s.names() == ["begin_turn"]
    s.hear(QUIET, 0.5)
    assert s.names() == ["begin_turn"], "a pause for breath"
    s.hear(QUIET, 0.3)
    assert s.names() == ["begin_turn", "end_turn"]
    s.hear(QUIET, 1.8)
    assert s.told.of("answer_late"), "an answer is due"
    s.answer("r1", ms=2000, done=False)
    s.hear(LOUD, 0.3)
    assert s.names() == ["begin_turn", "end_turn", "cut", "begin_turn"]


def test_a_turn_model_ends_a_turn_sooner_than_silence(stage):
    """And with one a pause may be longer."""
    s = stage(OURS).talking()
    ear = s.session.line.ear
    ear.be_patient(True)
    s.hear(LOUD, 0.5)
    s.hear(QUIET, 1.5)
    assert s.names() == ["begin_turn"]
    ear.conclude()
    assert s.names() == ["begin_turn", "end_turn"]
    ear.conclude()
    ear.be_patient(False)
    s.hear(LOUD, 0.5)
    s.hear(QUIET, 0.8)
    assert s.names()[2:] == ["begin_turn", "end_turn"]


def test_without_barge_in_a_turn_of_ours_waits_for_the_agent(stage):
    s = stage(OURS, barge_in=False).talking()
    s.answer("r1", ms=1000)
    s.hear(LOUD, 0.3)
    s.hear(QUIET, 1.5)
    assert s.commands == []


def test_what_a_provider_cannot_say_is_asked_of_the_call(stage):
    s = stage(dataclasses.replace(HIDES, minds_silence=False), silence_s=3.0).talking()
    s.answer("r1", ms=200)
    s.after(3.6)
    assert s.told.of("phrase_due") == [(SetPhrase.STILL_THERE,)]
    s.session.announce(*PHRASE)
    s.after(5.0)
    assert s.told.end is None
    s.after(6.5)
    assert s.told.of("phrase_due")[1:] == [(SetPhrase.GOOD_BYE,)]
    s.session.announce(*PHRASE)
    s.after(0.8)
    assert s.told.end.cause is EndCause.CALLER_SILENT


def test_without_the_phrase_the_session_goes_on(stage):
    s = stage(
        dataclasses.replace(HIDES, minds_silence=False), silence_s=3.0, give_up_s=2.0
    ).talking()
    s.answer("r1", ms=200)
    s.after(3.5)
    assert s.told.of("phrase_due") == [(SetPhrase.STILL_THERE,)]
    s.after(4.0)
    assert s.told.of("phrase_due")[1:] == [(SetPhrase.GOOD_BYE,)]
    s.after(2.0)
    assert s.told.end.cause is EndCause.CALLER_SILENT


def test_an_announcement_of_the_calls_is_a_phrase_too(stage):
    s = stage(HIDES).talking()
    s.session.say("Connecting.")
    assert s.told.of("phrase_due") == [(SetPhrase.CONNECTING,)]


def test_a_caller_asked_to_repeat_is_owed_nothing(stage):
    s = stage(HIDES, HIDES).talking()
    s.events(p.Interrupted(""))
    s.answer("7", ms=300, done=False)
    s.events(p.ResponseDone("7", "incomplete", "content_filter"))
    assert s.told.of("phrase_due") == [(SetPhrase.SAY_AGAIN,)]
    s.session.announce(*PHRASE)
    s.after(9.0)
    assert s.told.of("answer_late") == []


def test_a_turn_of_ours_that_its_provider_lost_is_given_to_the_next_whole(stage):
    s = stage(OURS, OURS).talking()
    s.hear(LOUD, 0.6)
    s.fail()
    s.hear(LOUD, 0.4)
    s.reconnect().ready()
    assert s.names() == ["begin_turn"]
    assert len(s.host.protocol.audio) >= 8 * 980
    s.hear(QUIET, 0.8)
    assert s.names() == ["begin_turn", "end_turn"]


def test_and_one_that_ended_meanwhile_too(stage):
    s = stage(OURS, OURS).talking()
    s.hear(LOUD, 0.6)
    s.fail()
    s.hear(QUIET, 0.9)
    s.reconnect().ready()
    assert s.names() == ["begin_turn", "end_turn"]


def test_a_provider_that_says_it_will_not_answer_owes_nothing(stage):
    gemini = dataclasses.replace(HIDES, speaks_text=True, minds_silence=False)
    s = stage(gemini, gemini, silence_s=3.0).talking()
    s.hear(LOUD, 0.6)
    s.hear(QUIET, 0.6)
    s.events(p.Transcript(Speaker.CALLER, "u", "Martha, the pen?"))
    s.events(p.ResponseDone("", "silent", spoke=False))
    s.hear(QUIET, 2.0)
    assert s.told.of("answer_late") == []
    assert s.told.of("provider_trouble") == []
    s.hear(QUIET, 3.0)
    assert s.says() == ["Still there?"], "silence is still minded"


def test_an_answer_that_comes_before_our_ear_is_sure_answers_the_turn(stage):
    """And words that come late are no new one."""
    s = stage(HIDES, HIDES).talking()
    s.hear(LOUD, 0.6)
    s.hear(QUIET, 0.2)
    s.answer("7", ms=200)
    (latency,) = s.told.latencies
    assert 190 <= latency.total_ms <= 220
    s.hear(QUIET, 1.0)
    s.events(p.Transcript(Speaker.CALLER, "u", "How much?"))
    s.hear(QUIET, 8.0)
    assert s.told.of("answer_late") == []
    assert s.told.of("provider_trouble") == []


def test_a_result_nobody_waits_for_leaves_nothing_due(stage):
    s = stage(HIDES, HIDES).talking()
    s.events(p.ResponseStarted("7"), p.FunctionCall("c", "f", "{}", "7"))
    s.events(p.ResponseDone("7", "completed"), p.FunctionCancelled("c"))
    s.answer("8", ms=200)
    s.after(1.0)
    s.session.send_function_result("c", "{}")
    s.after(8.0)
    assert s.told.of("answer_late") == []
    assert s.told.of("provider_trouble") == []
