"""Whatever is to be said by the way waits until the caller has spoken, with every provider."""

from __future__ import annotations

import pytest

from bridge.providers.conversation import Brief, Tool
from bridge.session.barge_in import TurnTaking
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.pairs.mixed import MixedWorld, service
from tests.pairs.stages import PipelineWorld, Stages
from tests.pairs.world import World, is_sound

TOOLS = [Tool("f", "does it", {"type": "object", "properties": {}})]
BRIEF = Brief("", "Good morning.", None, TOOLS)
STORY = "I want to tell you what my dogs and all of my cats do all day long and at night. "
LOOKS = Answer("Wait a moment.", (ScriptedCall("f"),))
RESULT = '"it is Tuesday"'


def say_meanwhile(w: World, after_s: float, tell) -> None:
    """The caller tells a story; `tell` is called in the middle of it."""
    began = w.now
    w.post(after_s, tell)
    w.speak(STORY)
    into = [at for at, data in w.heard if began + 1.0 <= at < w.now and is_sound(data)]
    assert not into, f"{20 * len(into)} ms into the caller's words"


def texts(w: World) -> list[str]:
    return [u.text for u in w.session.transcript.utterances]


def pipeline(monkeypatch, *lines: str, **fields) -> PipelineWorld:
    script = Script((LOOKS, Answer("Of course.")), caller_lines=("look it up", *lines))
    w = PipelineWorld(monkeypatch, Stages(script, **fields), brief=BRIEF, silence_s=60.0)
    w.call.function_called = lambda call: w.call._tell("function_called", call)
    w.begin()
    w.run(2.5)
    w.speak("Look it up.")
    w.run(3.0)
    return w


def give_result(w: World) -> None:
    ((call,),) = w.call.of("function_called")
    w.session.send_function_result(call.call_id, RESULT)


@pytest.mark.parametrize("kind", ["openai", "gemini", "elevenlabs", "hearing"])
def test_what_the_agent_is_told_is_said_when_the_caller_has_spoken(monkeypatch, kind):
    w = MixedWorld(
        monkeypatch, service(kind, ("Of course.",), "a story", ""), brief=BRIEF, silence_s=60.0
    )
    w.answer()
    w.run(3.0)
    say_meanwhile(w, 2.0, lambda: w.session.tell("[The shop closes.]", respond=True))
    stopped = w.now
    w.run(6.0)
    assert w.call.of("answer_late") == []
    assert texts(w).count("Of course.") == 1, "one answer to both"
    assert w.sound_ms(stopped) > 300
    assert w.call.of("provider_trouble") == []


@pytest.mark.parametrize("kind", ["openai", "gemini", "elevenlabs", "hearing"])
def test_what_the_agent_is_told_in_a_noise_is_said_after_it(monkeypatch, kind):
    """Nobody answers a noise: what waited for its end is to be asked for."""
    w = MixedWorld(monkeypatch, service(kind, ("Of course.",), "", ""), brief=BRIEF, silence_s=60.0)
    w.answer()
    w.run(3.0)
    for one in w.services:
        for session in one.sessions:
            _deafen(session)
    w.post(0.5, lambda: w.session.tell("[The shop closes.]", respond=True))
    w.speak("Hm, hm, hm.")
    w.run(9.0)
    assert texts(w).count("Of course.") == 1


def _deafen(session) -> None:
    hears = session if hasattr(session, "_vad") else session._input
    hears._vad.receive = lambda data: []


def test_a_result_is_told_when_the_caller_has_spoken(monkeypatch):
    w = pipeline(monkeypatch, "a story")
    say_meanwhile(w, 1.5, lambda: give_result(w))
    w.run(5.0)
    asked = w.services[0].asked[-1]["messages"]
    assert RESULT.strip('"') in str(asked)
    assert asked[-1] == {"role": "user", "content": "a story"}
    assert len(w.services[0].asked) == 2, "one answer to both"


def test_a_result_that_comes_in_a_noise_is_told_after_it(monkeypatch):
    w = pipeline(monkeypatch, "")
    w.post(0.3, lambda: give_result(w))
    w.speak("Hm, hm, hm.")
    w.run(4.0)
    assert [text for text in texts(w) if "it is Tuesday" in text]


def test_a_result_outlasts_a_turn_whose_end_is_never_told(monkeypatch):
    w = pipeline(monkeypatch, "a story")
    w.post(0.5, lambda: give_result(w))
    w.services[0].sessions[-1]._over = lambda at_s: None
    w.speak("Hm, hm, hm.")
    w.run(6.0)
    assert [text for text in texts(w) if "it is Tuesday" in text]


def test_a_result_is_not_lost_with_a_yes_that_interrupts_nobody(monkeypatch):
    """Its answer waits for the end of what the caller says, which is then no turn."""
    filler = "This takes me a little while, as I have to look in all of the books we have here. "
    script = Script(
        (Answer(filler * 2, (ScriptedCall("f"),)), Answer("Of course.")),
        caller_lines=("look it up", "uh-huh"),
    )
    w = PipelineWorld(
        monkeypatch,
        Stages(script),
        brief=Brief("", "Good morning.", "en", TOOLS),
        silence_s=60.0,
        turns=TurnTaking(resumes=True),
    )
    w.call.function_called = lambda call: w.call._tell("function_called", call)
    w.begin()
    w.run(2.5)
    w.speak("Look it up.")
    w.run(2.0)
    w.post(0.25, lambda: give_result(w))
    w.speak("Uh-huh.")
    w.run(16.0)
    assert w.call.of("resumed")
    assert {"role": "tool", "tool_call_id": "call_1_0", "content": RESULT} in (
        w.services[0].asked[-1]["messages"]
    )
    assert texts(w)[-1] == "Of course."
