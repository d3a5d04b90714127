"""Dead air is a bug: in every kind of trouble the caller hears something within two seconds.

Measured at the caller's ear, with the service's own waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import gevent
import pytest

from bridge.providers.conversation import Tool
from esl_controller.database.models import RouteEntry
from esl_controller.simulator.caller_script import After, AgentSilent, Step
from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.tools import registry
from esl_controller.tools.base import BuiltIn, FunctionFailed, ToolContext
from tests.integration.hub_watch import HubWatch
from tests.integration.service import (
    BRIEF,
    FALLBACK,
    LONG_TEXT,
    SPEAK,
    TestCall,
    hang_up_after,
    wait_for,
)

pytestmark = pytest.mark.slow
ASK = Step(AgentSilent(0.35), SPEAK)
BYE = hang_up_after(AgentSilent(0.5))
DEAD_AIR_S = 2.0
FRAME_S = 0.02


@pytest.fixture
def hub():
    with HubWatch() as watch:
        yield watch


def longest_silence_s(call: TestCall, begin: float, end: float) -> float:
    """The longest time without sound at the caller's ear between two moments of the switch."""
    hearing = call.caller.hearing
    pairs = zip(hearing.times, hearing.levels, strict=True)
    heard = [at for at, loud in pairs if loud >= AUDIBLE and begin < at < end]
    return max(b - a for a, b in pairwise([begin, *heard, end])) - FRAME_S


def note_at(call: TestCall, what: str, number: int = 0) -> float:
    """When the caller did something for the `number`-th time."""
    return [note.at for note in call.caller.notes if note.what.startswith(what)][number]


def ended_at(call: TestCall) -> float:
    """When the call was over."""
    assert call.caller.ended_at is not None
    return call.caller.ended_at


# --- providers ------------------------------------------------------------------------------------


def test_a_provider_that_never_answers_is_covered_until_the_dialplan_takes_over(serve, hub):
    """Ring-back for two seconds; then words; then the dialplan's own. It is not tried twice."""
    mute = EmulatorConfig(script=BRIEF, faults=Faults(connect_delay_s=60))
    service = serve(emulator=mute, timeouts={"provider_connect_s": 6.0})
    dialled = service.switch.now()
    call = service.call(actions_after=FALLBACK).wait()
    answered = note_at(call, "answered")
    slack_s = hub.worst_ms / 500
    assert 1.9 < answered - dialled < 2.3 + slack_s
    assert 3.5 < ended_at(call) - answered < 4.5 + slack_s
    assert len(call.tenant.records) == 1
    assert longest_silence_s(call, answered, ended_at(call)) < DEAD_AIR_S + slack_s
    assert (call.outcome, call.leg.dialplan_continued) == ("failed", True)


def test_a_provider_that_drops_and_stays_away_is_covered_to_the_end(serve, hub):
    """In the middle of an answer, and while nobody speaks."""
    away = Faults(refuse_status=500)
    script = Script(answers=(Answer(LONG_TEXT),), caller_lines=("a question",))
    service = serve(emulator=EmulatorConfig(script=script, think_s=0.05, faults=away))
    service.tenant.emulator.queue_faults(Faults(drop_after_s=2.6))
    quiet = service.add_tenant(EmulatorConfig(script=BRIEF, think_s=0.05, faults=away))
    quiet.emulator.queue_faults(Faults(drop_after_s=1.2))
    calls = [
        service.call([ASK], actions_after=FALLBACK),
        service.call(tenant=quiet, actions_after=FALLBACK),
    ]
    lost_at = []
    for tenant in (quiet, service.tenant):
        wait_for(lambda tenant=tenant: tenant.records and not tenant.records[0].open)
        lost_at.insert(0, service.switch.now())
    for call, lost in zip(calls, lost_at, strict=True):
        call.wait(30)
        assert ended_at(call) - lost > 5
        assert longest_silence_s(call, lost, ended_at(call)) < DEAD_AIR_S + hub.worst_ms / 500
        assert (call.outcome, call.leg.dialplan_continued) == ("failed", True)


def test_a_provider_that_hears_a_question_and_says_nothing_is_covered(serve, hub):
    service = serve(emulator=EmulatorConfig(script=BRIEF, think_s=4.0), secretary={
        "first_message": ""})  # fmt: skip
    call = service.call([Step(After(0.3), SPEAK), hang_up_after(After(6.0))]).wait()
    asked = note_at(call, "said")
    answer_at = call.caller.hearing.last_sound_at
    assert answer_at - asked > 4
    assert longest_silence_s(call, asked, answer_at) < DEAD_AIR_S + hub.worst_ms / 500
    assert call.tenant.record.spoken == ["Certainly."]


def test_a_provider_that_is_connected_and_dead_is_found_out(serve, hub):
    """It takes what it is sent, and says nothing at all: not even that the caller speaks."""
    service = serve(emulator=EmulatorConfig(script=BRIEF, think_s=0.05))
    service.tenant.emulator.queue_faults(Faults(stall_after_s=1.5))
    call = service.call([Step(After(2.2), SPEAK), hang_up_after(After(6.0))]).wait()
    service.stored()
    said = note_at(call, "said")
    answer_at = call.caller.hearing.first_sound_at(after=said)
    assert answer_at - said < DEAD_AIR_S + hub.worst_ms / 500
    well = call.tenant.records[1]
    assert well.spoken == ["Certainly."]
    assert (well.turns, well.texts) == (1, [])  # it heard the caller's own voice, sent again
    assert call.row()["outcome"] == "completed"


# --- functions ------------------------------------------------------------------------------------


class SlowTool(BuiltIn):
    """A function that takes its time, or fails."""

    def __init__(self, name: str, *, takes_s: float, fails: bool = False) -> None:
        self.name = name
        self.takes_s = takes_s
        self.fails = fails

    def describe(self, entry: RouteEntry) -> Tool:
        return Tool(self.name, "Looks something up.", {"type": "object", "properties": {}})

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        gevent.sleep(self.takes_s)
        if self.fails:
            raise FunctionFailed("The customer file cannot be reached.")
        return {"status": "found"}


def test_a_slow_function_is_covered_after_a_second_and_ends_at_its_deadline(
    serve, hub, monkeypatch
):
    """Filler words; then the model is told the truth, and says it."""
    slow, broken = SlowTool("slow", takes_s=60), SlowTool("broken", takes_s=0.1, fails=True)
    monkeypatch.setattr(registry, "BUILT_IN", {"slow": slow, "broken": broken})

    def asks(name: str) -> EmulatorConfig:
        answer = Answer("Let me look.", calls=(ScriptedCall(name),))
        honest = Answer("I am sorry: {output}")
        script = Script((answer, Answer("Certainly.")), after_function=honest)
        return EmulatorConfig(script=script, think_s=0.05)

    functions = {"enable_functions": True}
    service = serve(emulator=asks("slow"), secretary=functions, timeouts={"tool_s": 5.0})
    failing = service.add_tenant(asks("broken"), **functions)
    late, failed = service.call([ASK]), service.call([ASK], tenant=failing)
    for call in (failed, late):
        records = call.tenant.records
        wait_for(lambda records=records: [len(record.spoken) for record in records] == [3])
        call.caller.hang_up()
        call.wait()
    service.stored()
    looked = note_at(late, "said")
    told_at = ended_at(late)
    assert told_at - looked > 5
    assert longest_silence_s(late, looked, told_at) < 1.5 + hub.worst_ms / 500
    ((_, output),) = late.tenant.record.function_outputs
    assert "takes too long" in output
    assert "customer file" in failed.tenant.record.spoken[-1]
    rows = service.database.execute(
        "select function_name, status from v_voice_function_calls_realtime order by 1"
    )
    assert rows == [("broken", "failed"), ("slow", "timeout")]


# --- the worker -----------------------------------------------------------------------------------


def test_a_full_worker_and_one_that_goes_leave_nobody_in_silence(serve, hub):
    """Who comes too late hears the dialplan; who talks hears a good-bye."""
    service = serve(
        esl={"capacity": 1},
        worker={"drain_deadline_s": 0.3},
        secretary={"farewell_message": "Thank you and good-bye."},
    )
    slack_s = hub.worst_ms / 500
    talking = service.call()
    wait_for(lambda: talking.caller.hearing.last_sound_at is not None)
    overflow, dialled = service.call(actions_after=FALLBACK), service.switch.now()
    overflow.wait()
    assert overflow.outcome == "overflow"
    assert overflow.caller.hearing.first_sound_at() - dialled < 0.5 + slack_s

    wait_for(lambda: not service.session(talking).agent_speaking)
    began = service.switch.now()
    drain = gevent.spawn(service.app.drain)
    wait_for(lambda: service.app.manager.draining)
    late, dialled = service.call(actions_after=FALLBACK), service.switch.now()
    late.wait()
    assert late.caller.hearing.first_sound_at() - dialled < 0.5 + slack_s
    talking.wait()
    drain.join(10)
    heard_at = talking.caller.hearing.first_sound_at(after=began)
    assert heard_at - began < DEAD_AIR_S + slack_s
    assert longest_silence_s(talking, heard_at, ended_at(talking)) < 1 + slack_s


# --- the caller -----------------------------------------------------------------------------------


def test_a_silent_caller_hears_a_question_and_then_a_good_bye(serve, hub, monkeypatch):
    monkeypatch.setattr("esl_controller.calls.plan.GIVE_UP_S", 2.0)
    service = serve(secretary={"max_silence_seconds": 2})
    call = service.call().wait()
    question, good_bye = call.tenant.record.spoken[1:]
    assert (question, good_bye) == ("Are you still there?", "Thank you for calling. Good-bye!")
    begin = call.caller.hearing.first_sound_at()
    pause_s = 2 + 0.75 + hub.worst_ms / 500  # the silence that is allowed, and the look at it
    assert longest_silence_s(call, begin, ended_at(call)) < pause_s
    assert call.caller.report().sound_ms > 2500
