"""A session with the pipeline's protocol object and its three stages, in virtual time."""

from __future__ import annotations

import pytest

from bridge.ports import EndCause
from bridge.providers.conversation import Brief, Tool
from bridge.session.states import SessionState
from bridge.wire.channel import ChannelEnd, Ender
from esl_controller.simulator.deepgram.hearing import Faults
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.pairs.stages import PipelineWorld, Stages

LONG = "There are several things I can tell you about that. " * 4


def stages(*answers: Answer | str, faults: tuple[Faults, ...] = (), **chat: float) -> Stages:
    made = tuple(Answer(one) if isinstance(one, str) else one for one in answers)
    return Stages(Script(made) if made else Script(), *faults, **chat)


@pytest.fixture
def world(monkeypatch):
    return lambda *services, **config: PipelineWorld(monkeypatch, *services, **config)


def texts(w):
    return [u.text for u in w.session.transcript.utterances]


@pytest.mark.parametrize("model", ["nova-3", "flux-general-en"])
def test_a_greeting_a_turn_and_a_good_bye(world, model):
    w = world(stages("We open at nine. We close at six."), provider={"stt_model": model}).begin()
    began = w.now
    w.run(2.5)
    assert w.sound_ms(began) > 300
    w.speak("When do you open?")
    stopped = w.now
    w.run(5.0)
    assert w.sound_ms(stopped) > 500
    w.session.finish(EndCause.FINISHED, "Good-bye!")
    w.run(4.0)
    assert w.call.end.cause is EndCause.FINISHED
    assert texts(w)[0] == "Good morning."
    assert texts(w)[2:] == ["We open at nine. We close at six.", "Good-bye!"]
    assert w.session.turns == 1
    assert {u.vendor for (u,) in w.call.of("used")} == {"deepgram", "groq", "piper"}


def test_an_interruption_ends_the_model_s_memory_where_the_caller_stopped_hearing(world):
    one = stages(LONG, "Of course.", word_s=0.02)
    w = world(one).begin()
    w.run(2.5)
    w.speak("Tell me everything.")
    w.run(3.0)
    w.speak("Stop, please.")
    interrupted_at = w.now
    w.run(4.0)
    cut = next(u for u in w.session.transcript.utterances if u.interrupted)
    assert 1000 < cut.heard_ms < 4000
    (remembered,) = [m["content"] for m in one.asked[-1]["messages"] if m["content"].endswith("…")]
    assert LONG.startswith(remembered.removesuffix(" …"))
    assert 10 < len(remembered) < 120
    assert w.sound_ms(interrupted_at) > 300
    assert texts(w)[-1] == "Of course."


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_any_number_of_functions_is_answered_once(world, calls):
    answer = Answer("Wait.", tuple(ScriptedCall("f", f'{{"n":{n}}}') for n in range(calls)))
    tools = [Tool("f", "does it", {"type": "object", "properties": {}})]
    one = stages(answer, "Anything else?")
    w = world(one, brief=Brief("", "Hello.", None, tools)).begin()
    w.run(2.5)
    w.speak("Do something.")
    w.run(10.0)
    assert len(w.call.of("function_called")) == calls
    assert len([text for text in texts(w) if text.startswith("All right")]) == 1
    assert len(one.asked) == 2


LIMIT = b'{"error":{"type":"tokens","code":"rate_limit_exceeded","message":"try again in 1.5s"}}'
ENDS = {
    "broken": ChannelEnd(Ender.PEER, code=200),
    "busy": ChannelEnd(Ender.PEER, "http", 429, "", LIMIT),
    "down": ChannelEnd(Ender.PEER, "http", 503),
    "late": ChannelEnd(Ender.NETWORK, "timeout"),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_answer_that_fails_is_asked_for_again(world, end):
    one = stages("We open at nine.")
    w = world(one).begin()
    w.run(2.5)
    one.chat_ends = [ENDS[end]]
    w.speak("When do you open?")
    stopped = w.now
    w.run(8.0)
    assert "We open at nine." in texts(w)
    assert w.silence_s(stopped) < 2.0
    assert w.session.state is SessionState.TALKING


def test_a_wrong_key_of_the_model_s_brings_the_next_provider(world):
    first, second = stages(), stages("We open at nine.")
    first.chat_ends = [ChannelEnd(Ender.PEER, "http", 401)] * 5
    w = world(first, second).begin()
    w.run(2.5)
    w.speak("When do you open?")
    w.run(8.0)
    assert second.sessions
    assert "We open at nine." in texts(w)


@pytest.mark.parametrize("at_s", [1.5, 3.2, 4.0, 5.0])
def test_hearing_that_breaks_costs_no_answer(world, at_s):
    one = stages("We open at nine.", faults=(Faults(close_after_s=at_s),))
    w = world(one).begin()
    w.run(2.5)
    w.speak("When do you open?")
    w.run(9.0)
    assert len(one.sessions) == 2
    assert "We open at nine." in texts(w) or "Say it again?" in texts(w)
    assert w.session.state is SessionState.TALKING


@pytest.mark.parametrize("sentence", [1, 2, 3])
def test_a_voice_that_dies_is_heard_again(world, sentence):
    one = stages("We open at nine. We close at six.")
    one.voice_dies = [sentence]
    w = world(one).begin()
    w.run(2.5)
    w.speak("When do you open?")
    stopped = w.now
    w.run(6.0)
    assert "We open at nine. We close at six." in texts(w)
    assert w.sound_ms(stopped) > 500
    assert len(one.sessions) == 1


@pytest.mark.parametrize("sentence", [2, 3])
def test_a_voice_that_stays_away_is_covered_with_a_phrase(world, sentence):
    """The greeting is sentence 1: what dies is an answer, before it is heard or in its middle."""
    one = stages("We open at nine. We close at six.")
    one.voice_dies = [sentence]
    w = world(one).begin()
    w.run(2.5)
    one.voice_back_s = 4.0
    w.speak("When do you open?")
    stopped = w.now
    w.run(9.0)
    assert w.call.of("answer_late")
    assert w.silence_s(stopped) < 2.0
    assert "We open at nine. We close at six." in texts(w)
    assert len(one.sessions) == 1


def test_keys_are_a_turn(world):
    w = world(stages("Tax office.")).begin()
    w.run(4.0)
    for digit in "42#":
        w.session.press_digit(digit)
    began = w.now
    w.run(5.0)
    assert "[42]" in texts(w)
    assert "Tax office." in texts(w)
    assert w.sound_ms(began) > 300


def test_a_silent_caller_is_asked_and_then_let_go(world):
    w = world(stages(), silence_s=3.0, give_up_s=3.0).begin()
    w.run(20.0)
    assert texts(w) == ["Good morning.", "Still there?", "Good-bye!"]
    assert w.call.end.cause is EndCause.CALLER_SILENT
