"""A soft sound while a function works, until somebody speaks."""

from __future__ import annotations

import audioop

import pytest

from bridge.providers.conversation import Brief, Tool
from bridge.session.barge_in import TurnTaking
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.pairs.services import Service
from tests.pairs.world import World

TOOLS = [Tool("f", "does it", {"type": "object", "properties": {}})]
LOUDEST = 32768 * 10 ** (-29 / 20)


@pytest.fixture
def slow(monkeypatch):
    """A function that nobody answers before the test does."""

    def make(wanted):
        script = Script((Answer("Wait.", (ScriptedCall("f", "{}"),)), Answer("Done.")))
        brief = Brief("", "Hello.", None, TOOLS)
        turns = TurnTaking(comfort_sound=wanted)
        w = World(monkeypatch, Service(EmulatorConfig(script=script)), brief=brief, turns=turns)
        w.call.function_called = lambda call: calls.append(call)
        w.call.answer_late = lambda: None
        calls = []
        w.begin()
        w.run(2.5)
        w.speak("Do something.")
        w.run(2.0)
        return w, calls[0]

    return make


def test_a_soft_sound_while_a_function_works(slow):
    w, call = slow(True)
    began = w.now
    w.run(3.0)
    frames = [data for at, data in w.heard if at > began + 1.0]
    assert len(frames) > 80  # steadily
    assert 0 < max(audioop.max(frame, 2) for frame in frames) < LOUDEST
    w.session.send_function_result(call.call_id, "{}")
    answered = w.now
    w.run(0.5)
    assert not w.session.line.music
    w.run(3.0)
    loud = [at for at, data in w.heard if at > answered and audioop.max(data, 2) > 3 * LOUDEST]
    assert loud
    assert loud[0] - answered < 0.8  # it does not wait for the sound to end


def test_it_ends_when_the_caller_speaks(slow):
    w, _ = slow(True)
    w.run(3.0)
    w.speak("Are you still there?")
    w.run(0.2)
    assert not w.session.line.music


def test_a_tenant_that_wants_none_has_none(slow):
    w, _ = slow(False)
    began = w.now
    w.run(3.0)
    assert w.sound_ms(began) == 0
