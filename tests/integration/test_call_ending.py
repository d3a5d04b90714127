"""Every way a call ends or is passed on, and that the last words are heard before it does."""

from __future__ import annotations

import gevent
import pytest

from bridge.session.states import SessionState
from esl_controller.simulator.caller_script import After, AgentSilent, AgentSpeaking, Step
from esl_controller.simulator.hearing import FRAME_S
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.responses import Responses
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.service.voice import RATE_HZ, synthetic_speech
from esl_controller.simulator.switch import signalling
from tests.integration.service import (
    BRIEF,
    FALLBACK,
    LONG_TEXT,
    SPEAK,
    hang_up_after,
    wait_for,
)

ASK = Step(AgentSilent(0.35), SPEAK)


def says_and_calls(text: str, function: str, arguments: str = "{}") -> EmulatorConfig:
    """An agent that says something and calls a function with it."""
    answer = Answer(text, calls=(ScriptedCall(function, arguments),))
    script = Script(answers=(answer,), after_function=Answer("I see."))
    return EmulatorConfig(script=script, think_s=0.05)


def sounding_ms(text: str) -> float:
    """From first to last sound of words the emulated voice says."""
    return len(synthetic_speech(text.rstrip("."))) / 2 / RATE_HZ * 1000


def heard_ms_after(call, moment: float) -> float:
    """From the first to the last sound after `moment`."""
    hearing = call.caller.hearing
    first = hearing.first_sound_at(after=moment)
    return 0.0 if first is None else hearing.silence_after_ms(first - 0.001, quiet_s=5)


def test_the_caller_hangs_up_while_it_rings(serve):
    service = serve(emulator=EmulatorConfig(script=BRIEF, faults=Faults(connect_delay_s=1.5)))
    call = service.call()
    wait_for(lambda: len(service.app.manager) == 1)
    call.caller.hang_up()
    call.wait()
    service.stored()
    assert not call.leg.answered.is_set()
    row = call.row()
    assert (row["outcome"], row["end_cause"]) == ("abandoned", "ORIGINATOR_CANCEL")
    assert row["answered_at"] is None


def test_the_caller_hangs_up_while_the_agent_speaks(serve):
    service = serve(secretary={"first_message": LONG_TEXT})
    call = service.call([hang_up_after(AgentSpeaking(0.4))]).wait()
    service.stored()
    row = call.row()
    assert (row["outcome"], row["end_cause"]) == ("completed", "NORMAL_CLEARING")
    assert row["error_code"] is None


def test_a_good_bye_is_heard_to_its_end(serve):
    """The agent hangs up by `end_call`, in the answer or after it without a word."""
    words = "Thank you for calling and until next time."
    service = serve(
        emulator=says_and_calls(words, "end_call"), secretary={"enable_functions": True}
    )
    silent = service.add_tenant(
        says_and_calls("", "end_call"), enable_functions=True, farewell_message=words
    )
    calls = [service.call([ASK]), service.call([ASK], tenant=silent)]
    for call in calls:
        call.wait()
    service.stored()
    for call in calls:
        spoke = next(note.at for note in call.caller.notes if note.what == "said")
        assert abs(heard_ms_after(call, spoke) - sounding_ms(words)) <= 100
        last = call.caller.hearing.last_sound_at
        assert call.caller.ended_at - last >= FRAME_S
        assert call.tenant.record.function_outputs == []  # a result would make it speak again
        row = call.row()
        assert (row["outcome"], row["error_code"]) == ("completed", None)
        assert row["end_cause"] == "finished"
        assert call.leg.channel.hangup_cause == "NORMAL_CLEARING"
        assert not call.leg.dialplan_continued


def test_the_longest_call_is_ended_with_words(serve):
    service = serve(
        emulator=EmulatorConfig(script=Script(answers=(Answer("Certainly sir."),)), think_s=0.05),
        secretary={"max_duration_seconds": 2},
    )
    call = service.call([ASK]).wait()
    service.stored()
    assert call.tenant.record.spoken[-1].startswith("Our time for this call is over")
    row = call.row()
    assert (row["outcome"], row["error_code"]) == ("timeout", "REALTIME_004")


def test_after_as_many_turns_as_the_tenant_allows_the_call_ends_with_words(serve):
    service = serve(secretary={"max_turns": 1, "farewell_message": "Goodbye."})
    call = service.call([ASK]).wait()
    service.stored()
    assert call.tenant.record.spoken == ["Hello.", "Certainly.", "Goodbye."]
    row = call.row()
    assert (row["outcome"], row["end_cause"], row["total_turns"]) == ("completed", "max_turns", 1)


def test_a_caller_who_puts_us_on_hold_is_waited_for(serve):
    """Nobody asks whether he is still there; when he is back he is heard, and answered."""
    service = serve(secretary={"max_silence_seconds": 2, "silence_prompt": "Hey."})
    call = service.call()
    wait_for(lambda: call.caller.hearing.last_sound_at is not None)
    wait_for(lambda: not service.session(call).agent_speaking)
    signalling.hold(call.leg, on=True)
    wait_for(lambda: service.session(call).state is SessionState.HELD)
    gevent.sleep(3.0)
    assert call.tenant.record.spoken == ["Hello."]
    signalling.hold(call.leg, on=False)
    wait_for(lambda: service.session(call).state is SessionState.TALKING)
    call.caller.say(SPEAK.clip)
    wait_for(lambda: call.tenant.record.spoken == ["Hello.", "Certainly."])
    call.caller.hang_up()
    call.wait()
    service.stored()
    assert call.row()["outcome"] == "completed"


def test_a_silent_caller_is_asked_once_and_then_let_go(serve, monkeypatch):
    monkeypatch.setattr("esl_controller.calls.plan.GIVE_UP_S", 0.8)
    service = serve(
        secretary={
            "max_silence_seconds": 2,
            "silence_prompt": "Hey.",
            "farewell_message": "Goodbye.",
        }
    )
    speaks_up = service.add_tenant(max_silence_seconds=2, silence_prompt="Hey.")
    silent = service.call()
    answers = service.call(
        [
            Step(After(1.5), SPEAK),  # before he is asked
            Step(After(3.5), SPEAK),  # after he was asked
            hang_up_after(AgentSilent(0.3)),
        ],
        tenant=speaks_up,
    )
    silent.wait()
    answers.wait()
    service.stored()
    assert silent.tenant.record.spoken == ["Hello.", "Hey.", "Goodbye."]
    row = silent.row()
    assert (row["outcome"], row["error_code"]) == ("timeout", "REALTIME_003")
    assert answers.row()["outcome"] == "completed"
    assert answers.tenant.record.spoken.count("Hey.") == 1


def test_a_worker_that_is_drained_ends_its_calls_politely(serve):
    """Also one in which the agent is speaking: it is heard to its end, and then the good-bye."""
    service = serve(worker={"drain_deadline_s": 0.3}, secretary={"farewell_message": "Goodbye."})
    words = "Certainly I will explain this at length."
    talkative = service.add_tenant(first_message=words, farewell_message="Goodbye.")
    running = service.call(actions_after=FALLBACK)
    wait_for(lambda: running.caller.hearing.last_sound_at is not None)
    wait_for(lambda: not service.session(running).agent_speaking)
    speaking = service.call(tenant=talkative, actions_after=FALLBACK)
    wait_for(lambda: speaking.caller.hearing.last_sound_at is not None)
    drain = gevent.spawn(service.app.drain)
    wait_for(lambda: service.app.manager.draining)
    late = service.call(actions_after=FALLBACK)
    late.wait()
    for call in (running, speaking):
        call.wait()
    drain.join(10)
    assert [action.application for action in late.leg.actions_run][1:] == ["playback", "hangup"]
    assert running.tenant.record.spoken == ["Hello.", "Goodbye."]
    assert speaking.tenant.record.spoken == [words, "Goodbye."]
    heard_ms = speaking.caller.report().sound_ms
    assert heard_ms > sounding_ms(words) - 400  # without its pauses
    for call in (running, speaking):
        assert not call.leg.dialplan_continued
        assert call.row()["outcome"] == "completed"


TRANSFER = {
    "enable_functions": True,
    "transfer_rules": [{"department": "sales", "destination": "1000"}],
}


def test_a_transfer_waits_for_its_announcement(serve):
    words = "One moment please, I am connecting you now."
    service = serve(
        emulator=says_and_calls(words, "transfer_call", '{"destination": "sales"}'),
        secretary=TRANSFER,
    )
    call = service.call([ASK])
    wait_for(lambda: call.leg.channel.destination == "1000", 10)
    moved_at = call.leg.now
    wait_for(lambda: not service.app.esl.active_calls)
    assert not call.leg.hung_up  # the call goes on without us
    call.caller.hang_up()
    call.wait()
    service.stored()
    spoke = next(note.at for note in call.caller.notes if note.what == "said")
    assert abs(heard_ms_after(call, spoke) - sounding_ms(words)) <= 100
    assert call.caller.hearing.last_sound_at < moved_at
    assert not any(stream.open for stream in call.leg.media.streams)
    row = call.row()
    assert (row["outcome"], row["transfer_destination"]) == ("transferred", "1000")
    transfers = service.database.execute(
        """select destination, status, transfer_type from v_voice_transfers_realtime
           where conversation_uuid = %s""",
        row["conversation_uuid"],
    )
    assert transfers == [("1000", "passed_on", "blind")]


def test_a_destination_nobody_listed_is_refused(serve):
    """The model is told, and the conversation goes on."""
    service = serve(
        emulator=says_and_calls("One moment.", "transfer_call", '{"destination": "1001 XML x"}'),
        secretary=TRANSFER,
    )
    call = service.call([ASK, hang_up_after(AgentSilent(1.0))]).wait()
    service.stored()
    ((_, output),) = call.tenant.record.function_outputs
    assert "no such destination" in output
    assert call.row()["outcome"] == "completed"
    assert call.row()["transfer_destination"] is None


def test_a_transfer_that_cannot_be_dialled_goes_back_to_the_dialplan(serve):
    service = serve()
    tenant = service.add_tenant(
        says_and_calls("One moment.", "transfer_call", '{"destination": "sales"}'),
        domain_name="two words",
        **TRANSFER,
    )
    call = service.call([ASK], tenant=tenant, actions_after=FALLBACK).wait()
    service.stored()
    assert (call.outcome, call.leg.dialplan_continued) == ("transfer_failed", True)
    row = call.row()
    assert (row["outcome"], row["error_code"]) == ("fallback", "REALTIME_009")


def test_nothing_of_a_call_is_left_when_it_never_was_answered(serve):
    service = serve(emulator=EmulatorConfig(script=BRIEF, faults=Faults(connect_delay_s=1.0)))
    calls = [service.call() for _ in range(10)]
    for number, call in enumerate(calls):
        gevent.sleep(0.02 * (number % 4))
        call.caller.hang_up()
    for call in calls:
        call.wait()


BOTH = (ScriptedCall("end_call"), ScriptedCall("transfer_call", '{"destination": "sales"}'))


@pytest.mark.parametrize("calls", [BOTH, BOTH[::-1]], ids=["end first", "transfer first"])
@pytest.mark.parametrize("early", [False, True])
def test_a_good_bye_does_not_cost_the_caller_his_transfer(serve, monkeypatch, calls, early):
    """The model asks for both in one answer; `early`: instead of a greeting, while it rings."""
    words = "One moment, I am connecting you."
    if early:
        asked, answer = [Answer("", calls=calls)], Responses._answer
        monkeypatch.setattr(
            Responses,
            "_answer",
            lambda self, overrides: asked.pop() if asked else answer(self, overrides),
        )
    script = Script(answers=(Answer(words, calls=calls),), after_function=Answer("I see."))
    service = serve(
        emulator=EmulatorConfig(script=script, think_s=0.05),
        secretary=TRANSFER | {"farewell_message": "Goodbye."},
    )
    call = service.call([] if early else [ASK])
    wait_for(lambda: call.leg.channel.destination == "1000", 10)
    wait_for(lambda: not service.app.esl.active_calls)
    call.caller.hang_up()
    call.wait()
    service.stored()
    spoken = call.tenant.record.spoken
    assert set(spoken) <= {"", "Hello.", words}, "nothing behind it"
    assert spoken[-1:] == ([] if early else [words])  # while it rings: after a phrase of ours
    row = call.row()
    assert (row["outcome"], row["transfer_destination"]) == ("transferred", "1000")
