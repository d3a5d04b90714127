"""A session with Gemini's protocol object and the emulated service, in virtual time."""

from __future__ import annotations

import pytest

from bridge.audio.formats import L16_8K
from bridge.ports import EndCause
from bridge.providers.conversation import Brief, Tool
from bridge.session.states import SessionState
from esl_controller.simulator.gemini.config import EmulatorConfig, Faults
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.pairs.gemini_world import GeminiService, GeminiWorld

LONG = "There are several things I can tell you about that. " * 4
TOOLS = [Tool("f", "does it", {"type": "object", "properties": {}})]
OURS = {"turn_detection": "none"}


def service(*answers: Answer | str, faults=(), keywords=None, **fields) -> GeminiService:
    made = tuple(Answer(one) if isinstance(one, str) else one for one in answers)
    script = Script(made, keywords=keywords or {}) if made else Script()
    return GeminiService(EmulatorConfig(script=script, **fields), *faults)


@pytest.fixture
def world(monkeypatch):
    return lambda *services, **config: GeminiWorld(
        monkeypatch, *(services or (service(),)), **config
    )


def texts(w):
    return [u.text for u in w.session.transcript.utterances]


def errors(w):
    return [error for one in w.services for s in one.sessions for error in s.core.record.errors]


def record(w, number=0):
    return w.services[0].sessions[number].core.record


@pytest.mark.parametrize("detection", ["automatic", "none"])
def test_a_greeting_a_turn_and_a_good_bye(world, detection):
    w = world(service("We open at nine."), provider={"turn_detection": detection}).begin()
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
    assert record(w).manual_turns == (1 if detection == "none" else 0)
    assert errors(w) == []


@pytest.mark.parametrize("detection", ["automatic", "none"])
def test_an_interruption_ends_the_answer_at_once(world, detection):
    one = service(LONG, "Of course.")
    w = world(one, provider={"turn_detection": detection}).begin()
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
    assert texts(w)[-1] == "Of course."
    assert errors(w) == []


def test_the_tail_the_service_believes_to_be_playing_can_be_interrupted(world):
    """All of the answer is here, and the service is behind its own clock."""
    w = world(service(LONG, "Of course.", pace=20.0)).begin()
    w.run(2.5)
    w.speak("Tell me everything.")
    w.run(6.0)
    w.speak("Stop, please.")
    w.run(3.0)
    assert len(w.call.of("interrupted")) == 1
    assert texts(w)[-1] == "Of course."


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_any_number_of_functions_is_answered_once(world, calls):
    answer = Answer("Wait.", tuple(ScriptedCall("f", f'{{"n":{n}}}') for n in range(calls)))
    w = world(service(answer, "Anything else?"), brief=Brief("", "Hello.", None, TOOLS)).begin()
    w.run(2.5)
    w.speak("Do something.")
    w.run(10.0)
    assert len(w.call.of("function_called")) == calls
    assert len([text for text in texts(w) if text.startswith("All right")]) == 1
    assert texts(w).count("Wait.") == 1
    assert record(w).events_received["toolResponse"] == 1
    assert errors(w) == []


def test_a_function_the_caller_speaks_into_is_cancelled(world):
    answer = Answer("Wait.", (ScriptedCall("slow"),))
    w = world(service(answer, "As you like."), brief=Brief("", "Hello.", None, TOOLS)).begin()
    w.call.function_called = lambda call: w.call._tell("function_called", call)
    w.run(2.5)
    w.speak("Do something.")
    w.run(3.0)
    w.speak("No, do not.")
    w.run(4.0)
    ((call,),) = w.call.of("function_called")
    assert w.call.of("function_cancelled") == [(call.call_id,)]
    assert record(w).cancelled_calls == [call.call_id]
    assert texts(w)[-1] == "As you like."
    w.session.send_function_result(call.call_id, "{}")
    w.run(8.0)
    assert w.services[0].sessions[0].core.closing is None
    assert len(w.services[0].sessions) == 1
    assert errors(w) == []


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


def test_keys_interrupt_the_agent(world):
    w = world(service(LONG, keywords={"keypad": Answer("Tax office.")})).begin()
    w.run(2.5)
    w.speak("Tell me everything.")
    w.run(3.0)
    for digit in "42#":
        w.session.press_digit(digit)
    w.run(5.0)
    assert texts(w)[-1] == "Tax office."
    assert len(w.call.of("interrupted")) == 1
    assert len(w.services[0].sessions) == 1


@pytest.mark.parametrize("resume", [False, True])
def test_a_session_limit_is_crossed_and_nobody_notices(world, resume):
    """Also where the service does not resume a session whose connection is still there."""
    one = service("We open at nine.", session_limit_s=120.0, resume_while_open=resume)
    w = world(one, silence_s=1000.0).begin()
    w.run(3.0)
    w.speak("Hello?")
    w.run(100.0)
    assert w.call.of("provider_trouble") == []
    last = one.sessions[-1].core.record
    assert last.resumed is resume
    said = [text for _, text in last.history]
    assert said == ([] if resume else ["Good morning.", "[speech 0.8 s]", "We open at nine."])
    w.speak("When do you open?")
    stopped = w.now
    w.run(5.0)
    assert w.sound_ms(stopped) > 500
    assert last.turns == 1
    assert errors(w) == ([] if resume else ["Internal error encountered."])


def test_a_model_that_stays_silent_on_purpose_is_left_alone(world):
    one = service(Answer(""), "Of course.")
    w = world(one, silence_s=6.0).begin()
    w.run(2.5)
    w.speak("Martha, where is the pen?")
    w.run(5.0)
    assert w.call.of("provider_trouble") == []
    assert w.call.of("answer_late") == []
    assert len(one.sessions) == 1
    w.run(3.0)
    assert texts(w)[-1] == "Still there?", "silence is minded all the same"


def test_an_answer_without_sound_is_asked_for_again_elsewhere(world):
    first = service(LONG, faults=(Faults(soundless_after_s=0.0),))
    second = service("We open at nine.")
    w = world(first, second, brief=Brief()).begin()
    w.speak("When do you open?")
    w.run(12.0)
    assert second.sessions
    assert w.sound_ms(102.0) > 300
    assert {"We open at nine.", "Say it again?"} & set(texts(w))


QUOTA = Faults(quota_after=1)
STALL = Faults(stall_after_s=4.0)
"""Nothing the service sends would show that it is well: it is found dead by the next question."""


@pytest.mark.parametrize("fault", [QUOTA, STALL], ids=["quota", "stall"])
def test_the_second_provider_serves_and_knows_what_was_said(world, fault):
    first = service(faults=(fault,))
    second = service("We open at nine.")
    w = world(first, second, answer_limit_s=4.0, silence_s=3.0).begin()
    w.run(4.5)
    w.speak("When do you open?")
    w.run(12.0)
    assert second.sessions
    assert w.session.state is SessionState.TALKING
    assert "Good morning." in [text for _, text in second.sessions[0].core.record.history]
    assert {"We open at nine.", "Say it again?"} & set(texts(w))


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
    assert {"We open at nine.", "Say it again?"} & set(texts(w))
    assert w.session.state is SessionState.TALKING
    assert w.call.end is None


def test_a_language_the_model_does_not_want_to_be_told_is_left_out(world):
    """A model this version knows nothing of."""
    w = world(provider={"model": "gemini-9-native-audio"}, brief=Brief("", "Oi.", "pt-BR")).begin()
    w.run(3.0)
    assert texts(w) == ["Oi."]
    assert "speechConfig" in record(w, 0).setup["generationConfig"]
    assert "speechConfig" not in record(w, 1).setup["generationConfig"]


def test_a_model_that_takes_text_only_as_history(world):
    one = service("We open at nine.")
    w = world(one, provider={"model": "gemini-3.1-flash-live-preview"}).begin()
    w.run(3.0)
    assert texts(w) == ["Good morning."]
    w.session.tell("[Be kind.]", respond=False)
    w.session.tell("[The shop closes.]", respond=True)
    w.run(4.0)
    assert record(w).texts == ["[Be kind.]\n[The shop closes.]"]
    assert errors(w) == []


def test_a_hold_and_what_came_of_it(world):
    w = world(service("One moment.", keywords={"sales": Answer("Nobody is there.")})).begin()
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


def test_every_turn_is_billed_with_all_that_went_before(world):
    w = world(service("We open at nine.", vertex_names=True)).begin()
    w.run(2.5)
    w.speak("When do you open?")
    w.run(5.0)
    w.session.end(EndCause.HANGUP)
    used = [u for (u,) in w.call.of("used")]
    assert {u.vendor for u in used} == {"gemini"}
    assert len(used) == 2
    assert used[1].input_audio_tokens > used[0].input_audio_tokens
    assert all(u.output_audio_tokens > 0 and u.input_text_tokens == 100 for u in used)
