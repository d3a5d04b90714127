"""A session with Gemini's protocol object, while a function of the model's runs."""

from __future__ import annotations

import pytest

from bridge.providers.conversation import Brief, Tool
from esl_controller.simulator.gemini.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.pairs.gemini_world import GeminiService, GeminiWorld

TOOLS = [Tool("f", "does it", {"type": "object", "properties": {}})]
LOOKS = Answer("I look it up.", (ScriptedCall("f"),))


@pytest.fixture
def world(monkeypatch):
    def world(*answers, **fields):
        script = Script((*answers, Answer("Of course.")))
        service = GeminiService(EmulatorConfig(script=script, **fields))
        w = GeminiWorld(monkeypatch, service, brief=Brief("", "Hello.", None, TOOLS))
        w.call.function_called = lambda call: w.call._tell("function_called", call)
        return w.begin()

    return world


def record(w):
    (session,) = w.services[0].sessions
    return session.core.record


def texts(w):
    return [u.text for u in w.session.transcript.utterances]


def ask(w):
    """Something that a function is run for, which has not returned."""
    w.run(2.5)
    w.speak("Look it up.")
    w.run(3.0)
    ((call,),) = w.call.of("function_called")
    return call


@pytest.mark.parametrize("respond", [False, True])
def test_what_the_agent_is_told_meanwhile_does_not_take_its_function_back(world, respond):
    """To Gemini any text is an interruption, and an interruption cancels what runs."""
    w = world(LOOKS)
    call = ask(w)
    w.session.tell("[The shop closes at six.]", respond=respond)
    w.run(1.0)
    w.session.send_function_result(call.call_id, '{"found":7}')
    w.run(6.0)
    assert w.call.of("function_cancelled") == []
    assert w.call.of("provider_trouble") == []
    assert record(w).errors == []
    ((told_id, output),) = record(w).function_outputs
    assert told_id == call.call_id
    assert "found" in output
    assert "[The shop closes at six.]" in output, "it is not lost, and answered with the result"
    assert len([text for text in texts(w) if text.startswith("All right")]) == 1
    assert record(w).texts == []


def test_what_waited_for_an_answer_does_not_take_back_the_function_it_ends_in(world):
    w = world(LOOKS, pace=1.2)
    w.run(2.5)
    w.speak("Look it up.")
    w.run(0.9)
    w.session.tell("[The shop closes at six.]", respond=True)
    w.run(2.5)
    ((call,),) = w.call.of("function_called")
    w.session.send_function_result(call.call_id, '{"found":7}')
    w.run(6.0)
    assert w.call.of("function_cancelled") == []
    assert w.call.of("provider_trouble") == []
    assert record(w).errors == []
    assert "[The shop closes at six.]" in record(w).function_outputs[0][1]


def test_results_that_were_ready_are_forgotten_with_the_function_that_was_cancelled(world):
    two = Answer("I look.", (ScriptedCall("f", '{"n":1}'), ScriptedCall("f", '{"n":2}')))
    w = world(two, LOOKS)
    w.run(2.5)
    w.speak("Look them up.")
    w.run(3.0)
    (first,), (second,) = w.call.of("function_called")
    w.session.send_function_result(first.call_id, "1")
    w.speak("No, look for something else.")
    w.run(4.0)
    assert sorted(record(w).cancelled_calls) == sorted([first.call_id, second.call_id])
    third = w.call.of("function_called")[-1][0]
    assert third.call_id not in (first.call_id, second.call_id)
    w.session.send_function_result(third.call_id, "3")
    w.run(5.0)
    assert record(w).errors == []
    assert w.call.of("provider_trouble") == []
    assert [told for told, _ in record(w).function_outputs] == [third.call_id]


def test_the_other_result_goes_although_one_function_was_cancelled(world):
    """The service may take back one of two; the model then waits for the one that has run."""
    two = Answer("I look.", (ScriptedCall("f", '{"n":1}'), ScriptedCall("f", '{"n":2}')))
    w = world(two)
    w.run(2.5)
    w.speak("Look them up.")
    w.run(3.0)
    (first,), (second,) = w.call.of("function_called")
    w.session.send_function_result(first.call_id, "1")
    service = w.services[0].sessions[0]
    del service._answers.open_calls[second.call_id]
    service.core.emit(toolCallCancellation={"ids": [second.call_id]})
    w.run(6.0)
    assert w.call.of("function_cancelled") == [(second.call_id,)]
    assert [told for told, _ in record(w).function_outputs] == [first.call_id]
    assert len([text for text in texts(w) if text.startswith("All right")]) == 1
