"""A session with OpenAI's protocol object and the emulated service, in virtual time."""

from __future__ import annotations

import dataclasses

import pytest

from bridge.audio.formats import L16_8K
from bridge.ports import EndCause
from bridge.providers.conversation import Brief, Tool
from bridge.session.states import SessionState
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.script import Answer, Script, ScriptedCall
from tests.pairs.world import Service, World

LONG = "There are several things I can tell you about that. " * 4


def service(*answers: Answer | str, faults=(), **fields) -> Service:
    made = tuple(Answer(one) if isinstance(one, str) else one for one in answers)
    script = Script(made) if made else Script()
    return Service(EmulatorConfig(script=script, **fields), *faults)


@pytest.fixture
def world(monkeypatch):
    return lambda *services, **config: World(monkeypatch, *services, **config)


def texts(w):
    return [u.text for u in w.session.transcript.utterances]


def errors(w):
    return [error for one in w.services for s in one.sessions for error in s.core.record.errors]


def test_a_greeting_a_turn_and_a_good_bye(world):
    w = world(service("We open at nine.")).begin()
    began = w.now
    w.run(2.5)
    assert w.sound_ms(began) > 500
    w.speak("When do you open?")
    stopped = w.now
    w.run(4.0)
    assert w.sound_ms(stopped) > 500
    w.session.finish(EndCause.FINISHED, "Good-bye!")
    w.run(4.0)
    assert w.call.end.cause is EndCause.FINISHED
    assert texts(w)[0] == "Good morning."
    assert texts(w)[1].startswith("[speech")
    assert texts(w)[2:] == ["We open at nine.", "Good-bye!"]
    assert w.session.turns == 1
    assert errors(w) == []


def test_an_interruption_ends_the_history_where_the_caller_stopped_hearing(world):
    w = world(service(LONG, "Of course.")).begin()
    w.run(2.5)
    w.speak("Tell me everything.")
    w.run(3.0)
    w.speak("Stop, please.")
    w.run(0.5)
    interrupted_at = w.now
    w.run(4.0)
    cut = next(u for u in w.session.transcript.utterances if u.interrupted)
    assert 1000 < cut.heard_ms < 4000
    assert len(w.call.of("interrupted")) == 1
    assert w.sound_ms(interrupted_at) > 300
    assert errors(w) == []


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_any_number_of_functions_is_answered_once(world, calls):
    """Twice is the classic mistake: once by whoever ran them, once by the protocol."""
    answer = Answer("Wait.", tuple(ScriptedCall("f", f'{{"n":{n}}}') for n in range(calls)))
    tools = [Tool("f", "does it", {"type": "object", "properties": {}})]
    w = world(service(answer, "Anything else?"), brief=Brief("", "Hello.", None, tools)).begin()
    w.run(2.5)
    w.speak("Do something.")
    w.run(10.0)
    assert len(w.call.of("function_called")) == calls
    spoken = [text for text in texts(w) if text.startswith("All right")]
    assert len(spoken) == 1
    assert texts(w).count("Wait.") == 1
    assert errors(w) == []


def test_time_is_up_while_the_caller_speaks(world):
    w = world(service(), max_duration_s=6.0).begin()
    w.run(3.0)
    w.speak("And then I went to the market and bought a great many things. " * 3, run=False)
    w.run(10.0)
    assert w.call.end.cause is EndCause.MAX_DURATION
    assert texts(w)[-1] == "Time is up."
    assert w.sound_ms(105.0) > 300


def test_a_silent_caller_is_asked_and_then_let_go(world):
    w = world(service(), silence_s=3.0, give_up_s=3.0).begin()
    w.run(20.0)
    assert texts(w) == ["Good morning.", "Still there?", "Good-bye!"]
    assert w.call.end.cause is EndCause.CALLER_SILENT


def test_a_caller_who_speaks_during_the_good_bye_hears_it(world):
    w = world(service()).begin()
    w.run(2.5)
    w.session.finish(EndCause.DRAINED, LONG)
    w.run(1.0)
    began = w.now
    w.speak("Wait, wait!", run=False)
    w.run(30.0)
    assert w.call.end.cause is EndCause.DRAINED
    assert w.sound_ms(began) > 5000


FAILED = Answer(fail=("server_error", "server_error", "It broke."))
LIMIT = "Rate limit reached. Please try again in 1.5s."
LIMITED = Answer(fail=("tokens", "rate_limit_exceeded", LIMIT))
QUOTA = Answer(fail=("insufficient_quota", "insufficient_quota", "No money."))


@pytest.mark.parametrize("failure", [FAILED, LIMITED, QUOTA])
def test_the_second_provider_serves_where_the_first_ones_answers_fail(world, failure):
    first, second = service(failure), service("We open at nine.")
    w = world(first, second).begin()
    w.run(2.5)
    began = w.now
    w.speak("When do you open?")
    w.run(8.0)
    assert second.sessions
    assert "We open at nine." in texts(w)
    assert len(first.sessions) == 1
    assert w.silence_s(began) < 2.6, "1 s of speech and its end, then never two seconds"
    assert w.session.state is SessionState.TALKING


def test_a_rate_limit_is_waited_for_in_the_same_session(world):
    one = service(LIMITED)
    w = world(one).begin()
    w.run(2.5)
    w.speak("When do you open?")
    w.run(1.0)
    core = one.sessions[0].core
    well = Script((Answer("We open at nine."),))
    core.config = dataclasses.replace(core.config, script=well)
    w.run(5.0)
    assert len(one.sessions) == 1
    assert w.call.end is None
    assert "We open at nine." in texts(w)


def test_a_provider_that_goes_dead_is_replaced_and_the_sentence_not_lost(world):
    first = service(faults=(Faults(stall_after_s=4.0),))
    second = service("We open at nine.")
    w = world(first, second).begin()
    w.run(4.5)
    w.speak("When do you open?")
    stopped = w.now
    w.run(10.0)
    assert second.sessions or len(first.sessions) > 1
    assert w.sound_ms(stopped) > 500
    assert w.silence_s(stopped) < 2.6
    assert w.session.state is SessionState.TALKING


@pytest.mark.parametrize("at_s", [0.3, 1.2, 2.0, 3.4, 4.2, 5.0, 6.0])
def test_a_connection_that_breaks_at_any_moment_costs_no_answer(world, at_s):
    one = service("We open at nine.", faults=(Faults(close_after_s=at_s),))
    w = world(one)
    w.session.prepare()
    w.run(1.0)
    w.join()
    w.run(3.0)
    w.speak("When do you open?")
    w.run(9.0)
    assert len(one.sessions) == 2
    answers = [text for text in texts(w) if text == "We open at nine."]
    assert len(answers) >= 1 or "Say it again?" in texts(w)
    assert w.session.state is SessionState.TALKING
    assert w.call.end is None


def test_a_session_limit_is_crossed_and_nobody_notices(world):
    one = service("We open at nine.", session_limit_s=330.0)
    w = world(one, silence_s=1000.0).begin()
    w.run(240.0)
    assert len(one.sessions) == 2
    assert w.call.of("provider_trouble") == []
    w.speak("When do you open?")
    stopped = w.now
    w.run(5.0)
    assert w.sound_ms(stopped) > 500


def test_a_hold_and_what_came_of_it(world):
    w = world(service()).begin()
    w.run(2.5)
    w.speak("Connect me to sales.")
    w.run(1.2)
    w.session.hold((b"\x00\x10" * 8000, L16_8K))
    began = w.now
    w.run(30.0)
    assert w.silence_s(began + 0.5) < 0.5, "music"
    w.session.resume()
    w.session.tell("[Nobody answers in sales.]", respond=True)
    resumed = w.now
    w.run(5.0)
    assert w.sound_ms(resumed) > 500
    assert errors(w) == []


def test_a_line_that_breaks_in_an_answer_is_made_up_for(world):
    w = world(service(LONG)).begin()
    w.run(2.5)
    w.speak("Tell me everything.")
    w.run(4.0)
    w.session.lose_media()
    w.run(0.5)
    w.join()
    joined = w.now
    w.run(6.0)
    assert w.sound_ms(joined) > 500
    assert errors(w) == []


def test_everything_is_billed_also_of_those_who_were_left(world):
    first, second = service(FAILED), service("We open at nine.")
    w = world(first, second).begin()
    w.run(2.5)
    w.speak("When do you open?")
    w.run(8.0)
    w.session.end(EndCause.HANGUP)
    assert w.call.names()[-1] == "ended"
    assert {u.vendor for (u,) in w.call.of("used")} == {"openai"}
    assert len(w.call.of("used")) >= 2


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.15, 0.4])
def test_keys_are_a_turn_at_any_distance(world, delay_s):
    w = world(service("Tax office."), delay_s=delay_s).begin()
    w.run(4.0)
    for digit in "42#":
        w.session.press_digit(digit)
    began = w.now
    w.run(5.0)
    assert "[42]" in texts(w)
    assert "Tax office." in texts(w)
    assert w.sound_ms(began) > 300
    assert errors(w) == []


def test_the_brief_is_all_a_provider_knows(world):
    tools = [Tool("f", "does it", {"type": "object", "properties": {}})]
    w = world(service(), brief=Brief("Be brief.", "", "pt-BR", tools)).begin()
    w.run(3.0)
    assert texts(w) == []
    assert w.call.names() == ["provider_ready"]
