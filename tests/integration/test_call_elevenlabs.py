"""Whole calls through ElevenLabs: greeting, turns, barge-in, functions, keys, and its hang-up."""

from __future__ import annotations

import functools

import pytest
from psycopg2.extras import Json

from bridge.session.config import SessionConfig
from esl_controller.simulator.caller_script import After, AgentSilent, AgentSpeaking, Press, Step
from esl_controller.simulator.elevenlabs.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.config import EmulatorConfig as OpenAIConfig
from esl_controller.simulator.openai.config import Faults as OpenAIFaults
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from tests.integration.service import BRIEF, LONG_TEXT, SPEAK, emulator_of, hang_up_after

ASK = Step(AgentSilent(0.35), SPEAK)
BYE = hang_up_after(AgentSilent(0.6))


@pytest.fixture
def impatient(monkeypatch):
    """Waits for answers a tenth as long as in real life, and recovers as quickly."""
    quick = functools.partial(SessionConfig, answer_cover_s=0.5, answer_limit_s=1.5)
    monkeypatch.setattr("esl_controller.calls.plan.SessionConfig", quick)
    monkeypatch.setattr("bridge.session.candidates.RECOVERY_PAUSES_S", (0.0, 0.2))


def agent(*answers: Answer | str, keywords=None, faults=None, **fields) -> EmulatorConfig:
    made = tuple(Answer(one) if isinstance(one, str) else one for one in answers)
    script = Script(
        made or (Answer("Certainly."),),
        keywords or {},
        after_function=Answer("Done."),
        caller_lines=("a question",),
    )
    quick = {"think_s": 0.05, "silence_ms": 500, "public": True, "turn_timeout_s": None}
    return EmulatorConfig(script=script, faults=faults or Faults(), **(quick | fields))


def add_provider(service, tenant, config, priority=9):
    emulator, kind = emulator_of(config)
    service.database.execute(
        """insert into v_voice_realtime_providers
             (domain_uuid, realtime_provider, provider_label, base_url, priority,
              provider_settings)
           values (%s, %s, 'second', %s, %s, %s)""",
        tenant.domain_uuid,
        kind,
        emulator.start(),
        priority,
        Json({"agent_id": "agent-1"} if kind == "elevenlabs" else {}),
    )
    return emulator


def test_calls_of_every_kind(serve):
    """A greeting and two turns, a barge-in, keys, and an agent that hangs up: at once."""
    service = serve(emulator=agent("We open at nine.", "You are welcome."))
    talkative = service.add_tenant(agent(LONG_TEXT, "Understood."))
    keyed = service.add_tenant(agent(keywords={"keypad": Answer("You pressed one.")}))
    leaving = service.add_tenant(agent(Answer("Good-bye.", (ScriptedCall("end_call"),))))
    linear = service.add_tenant(agent(input_format="pcm_16000", output_format="pcm_24000"))
    calls = [
        service.call([ASK, ASK, BYE]),
        service.call([ASK, Step(AgentSpeaking(0.8), SPEAK), BYE], tenant=talkative),
        service.call([Step(AgentSilent(0.35), Press("1#", 0.1)), BYE], tenant=keyed),
        service.call([ASK], tenant=leaving),
        service.call([ASK, BYE], tenant=linear),
    ]
    for call in calls:
        call.wait()
    service.stored()
    turns, cut, digits, left, wide = calls
    for call in calls:
        assert call.tenant.record.errors == []
        row = call.row()
        assert (row["outcome"], row["error_code"]) == ("completed", None)
        assert call.caller.hearing.first_sound_at() is not None
    assert turns.tenant.record.spoken == ["Hello.", "We open at nine.", "You are welcome."]
    assert turns.row()["total_turns"] == 2
    assert turns.row()["avg_latency_ms"] < 2000
    assert cut.row()["interruptions"] == 1
    assert cut.tenant.record.corrections
    assert cut.tenant.record.spoken[-1] == "Understood."
    ((role, _, _, heard_ms),) = [turn for turn in cut.turns() if turn[2]]
    assert role == "assistant"
    assert 300 < heard_ms < 3000
    assert "keypad: 1" in digits.tenant.record.texts[0]
    assert digits.tenant.record.spoken[-1] == "You pressed one."
    assert left.tenant.record.close_code == 1000
    assert wide.tenant.record.audio_in_ms > 500
    ((seconds, cost),) = service.database.execute(
        """select audio_seconds, cost_usd from v_voice_usage_realtime
           where provider = 'elevenlabs' and domain_uuid = %s""",
        turns.tenant.domain_uuid,
    )
    assert seconds > 1
    assert cost > 0


def test_an_agent_s_function_ends_the_call(serve):
    answer = Answer("One moment.", (ScriptedCall("end_call_now"), ScriptedCall("lookup")))
    service = serve(emulator=agent(answer, "Anything else?"))
    call = service.call([ASK, Step(AgentSilent(0.6), SPEAK), BYE]).wait()
    service.stored()
    assert len(call.tenant.record.function_outputs) == 2
    assert call.tenant.record.errors == []
    assert call.row()["outcome"] == "completed"


def test_from_openai_to_elevenlabs_and_back_with_all_that_was_said(serve, impatient):
    question = Script(answers=(Answer("Certainly."),), caller_lines=("a question",))
    service = serve(emulator=OpenAIConfig(script=question, think_s=0.05))
    service.tenant.emulator.queue_faults(*[OpenAIFaults(close_after_s=2.5, close_code=1011)] * 1)
    service.tenant.emulator.config = OpenAIConfig(
        script=question, think_s=0.05, faults=OpenAIFaults(refuse_status=401)
    )
    to_agent = add_provider(service, service.tenant, agent("From the agent."))
    back = service.add_tenant(agent("From the agent."))
    back.emulator.queue_faults(Faults(close_after_s=2.5, close_code=1011))
    back.emulator.config = agent(faults=Faults(refuse_status=503))
    to_openai = add_provider(service, back, OpenAIConfig(script=BRIEF, think_s=0.05))
    steps = [ASK, Step(After(3.0), SPEAK), BYE]
    calls = [service.call(steps), service.call(steps, tenant=back)]
    for call in calls:
        call.wait()
    service.stored()
    record = to_agent.sessions[-1]
    assert "Caller: a question" in record.prompt
    assert "You: Certainly." in record.prompt
    assert record.override["agent"]["first_message"] == ""
    assert record.spoken == ["From the agent."]
    assert to_openai.sessions[-1].texts[0] == "a question"
    assert to_openai.sessions[-1].spoken == ["Certainly."]
    for call in calls:
        assert call.row()["outcome"] == "completed"
    to_agent.stop()
    to_openai.stop()


def test_an_agent_that_cannot_be_had_leaves_the_call_to_the_next(serve, impatient):
    service = serve(emulator=agent(overrides=frozenset()))
    add = functools.partial(service.add_tenant, first_message="Hello.")
    tenants = [
        service.tenant,
        add(agent(public=False)),
        add(agent(faults=Faults(refuse_status=404))),
        add(agent(required_variables=frozenset({"name"}))),
    ]
    seconds = [add_provider(service, tenant, OpenAIConfig(script=BRIEF)) for tenant in tenants]
    calls = [service.call([BYE], tenant=tenant) for tenant in tenants]
    for call in calls:
        call.wait()
    service.stored()
    for call, second in zip(calls, seconds, strict=True):
        assert call.row()["outcome"] == "completed"
        assert second.sessions[0].spoken == ["Hello."]
        second.stop()
