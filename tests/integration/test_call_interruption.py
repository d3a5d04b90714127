"""The caller cuts the agent off: silence at once, history as far as it was heard, and on."""

from __future__ import annotations

import pytest

from esl_controller.simulator.caller_script import AgentSilent, AgentSpeaking, Press, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script
from tests.integration.hub_watch import HubWatch
from tests.integration.service import LONG_TEXT, SPEAK, hang_up_after

TALKATIVE = EmulatorConfig(
    script=Script(
        answers=(Answer(LONG_TEXT), Answer("Understood.")),
        keywords={"keypad": Answer("Understood.")},
        caller_lines=("a question", "no, wait"),
    ),
    think_s=0.3,
)
LONG_GREETING = Script(answers=(Answer("Understood."),), caller_lines=("no, wait",))
WORDS = "Certainly I will explain this."
SILENT_WITHIN_MS = 100


def at_note(call, what: str) -> float:
    return next(note.at for note in call.caller.notes if note.what.startswith(what))


def stamp(call, kind: str, number: int = 0) -> float:
    return [at for name, at in call.tenant.record.stamps if name == kind][number]


@pytest.fixture
def hub():
    with HubWatch() as watch:
        yield watch


def test_the_caller_interrupts_an_answer(serve, hub):
    """By voice and by a key, in two calls at once."""
    service = serve(emulator=TALKATIVE)
    other = service.add_tenant(TALKATIVE)
    steps = [Step(AgentSilent(0.35), SPEAK)]
    by_voice = service.call(
        [*steps, Step(AgentSpeaking(0.8), SPEAK), hang_up_after(AgentSilent(0.5))]
    )
    by_key = service.call(
        [*steps, Step(AgentSpeaking(0.8), Press("1#", 0.1)), hang_up_after(AgentSilent(0.5))],
        tenant=other,
    )
    by_voice.wait()
    by_key.wait()
    service.stored()
    for call, moment in (
        (by_voice, stamp(by_voice, "speech_started", 1)),
        (by_key, at_note(by_key, "presses") + 0.1),
    ):
        # silence, and nothing of the cancelled answer afterwards
        went_on_ms = call.caller.hearing.silence_after_ms(moment, quiet_s=0.2)
        assert went_on_ms <= SILENT_WITHIN_MS + 2 * hub.worst_ms
        # the provider's history ends where the caller's hearing ended
        record = call.tenant.record
        ((_, heard_ms),) = record.truncations
        began = call.caller.hearing.first_sound_at(after=stamp(call, "first_delta", 1))
        really_ms = (moment - began) * 1000
        assert abs(heard_ms - really_ms) <= 150 + 2 * hub.worst_ms
        assert record.deletions == []
        assert record.errors == []
        # and the conversation goes on
        assert record.spoken[-1] == "Understood."
        assert call.row()["interruptions"] == 1
        cut = [turn for turn in call.turns() if turn[2]]
        ((role, content, _, stored_ms),) = cut
        assert (role, stored_ms) == ("assistant", heard_ms)
        assert LONG_TEXT.startswith(content)
    assert by_key.tenant.record.texts == ["[The caller pressed on the keypad: 1]"]


def test_the_caller_interrupts_the_greeting(serve, hub):
    service = serve(
        emulator=EmulatorConfig(script=LONG_GREETING, think_s=0.05),
        secretary={"first_message": LONG_TEXT},
    )
    call = service.call([Step(AgentSpeaking(0.5), SPEAK), hang_up_after(AgentSilent(0.5))]).wait()
    service.stored()
    went_on_ms = call.caller.hearing.silence_after_ms(stamp(call, "speech_started"), quiet_s=0.2)
    assert went_on_ms <= SILENT_WITHIN_MS + 2 * hub.worst_ms
    record = call.tenant.record
    ((_, heard_ms),) = record.truncations
    assert 400 <= heard_ms <= 1000 + 2 * hub.worst_ms
    assert record.spoken[-1] == "Understood."
    assert call.row()["interruptions"] == 1


def test_a_caller_who_may_not_interrupt_hears_everything(serve):
    script = Script(answers=(Answer(WORDS), Answer("Understood.")))
    service = serve(
        emulator=EmulatorConfig(script=script, think_s=0.05), secretary={"barge_in": False}
    )
    call = service.call(
        [
            Step(AgentSilent(0.35), SPEAK),
            Step(AgentSpeaking(0.5), SPEAK),
            hang_up_after(AgentSilent(0.5)),
        ]
    ).wait(30)
    service.stored()
    record = call.tenant.record
    assert (record.truncations, record.deletions, record.cancels) == ([], [], 0)
    assert WORDS in record.spoken
    assert call.row()["interruptions"] == 0
    assert call.caller.report().last_sound_ms > 3000
