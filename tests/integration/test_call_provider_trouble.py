"""No dead air: what the caller hears when a provider fails, and where the call ends."""

from __future__ import annotations

import functools

import pytest

from bridge.session.config import SessionConfig
from esl_controller.simulator.caller_script import After, AgentSilent, AgentSpeaking, Step
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.simulator.service.script import Answer, Script
from tests.integration.hub_watch import HubWatch
from tests.integration.service import (
    BRIEF,
    FALLBACK,
    LONG_TEXT,
    SPEAK,
    hang_up_after,
    wait_for,
)

ASK = Step(AgentSilent(0.35), SPEAK)
BYE = hang_up_after(AgentSilent(0.5))
AT_ONCE_S = 2.0
"""Longest time a caller may be left alone with silence."""
TALKATIVE = Script(answers=(Answer(LONG_TEXT), Answer("Certainly.")), caller_lines=("a question",))


@pytest.fixture
def hub():
    with HubWatch() as watch:
        yield watch


@pytest.fixture
def impatient(monkeypatch):
    """Waits for answers a tenth as long as in real life, and recovers as quickly."""
    quick = functools.partial(SessionConfig, answer_cover_s=0.5, answer_limit_s=1.5)
    monkeypatch.setattr("esl_controller.calls.plan.SessionConfig", quick)
    monkeypatch.setattr("bridge.session.candidates.RECOVERY_PAUSES_S", (0.0, 0.2))


def emulator(script: Script = BRIEF, **faults) -> EmulatorConfig:
    return EmulatorConfig(script=script, think_s=0.05, faults=Faults(**faults))


def said_at(call) -> float:
    """When the caller had asked his question."""
    return next(note.at for note in call.caller.notes if note.what == "said")


def add_second_provider(service, tenant, config: EmulatorConfig) -> OpenAIEmulator:
    second = OpenAIEmulator(config)
    base_url = second.start()
    service.database.execute(
        """insert into v_voice_realtime_providers
             (domain_uuid, realtime_provider, provider_label, base_url, priority)
           values (%s, 'openai', 'second', %s, 9)""",
        tenant.domain_uuid,
        base_url,
    )
    return second


def test_a_provider_that_refuses_leaves_the_call_to_the_dialplan(serve):
    service = serve(emulator=emulator(refuse_status=401))
    tenants = [
        service.tenant,
        service.add_tenant(emulator(refuse_status=429)),
        service.add_tenant(emulator(refuse_status=500)),
        service.add_tenant(emulator(out_of_quota=True)),
        service.add_tenant(emulator(close_after_s=0.0, close_code=3000)),
    ]
    calls = [service.call(tenant=tenant, actions_after=FALLBACK) for tenant in tenants]
    to_extension = service.add_tenant(emulator(refuse_status=401), fallback_extension="1004")
    elsewhere = service.call(tenant=to_extension, actions_after=FALLBACK)
    wait_for(lambda: elsewhere.leg.channel.destination == "1004", AT_ONCE_S + 1)
    for call in calls:
        call.wait(AT_ONCE_S + 1)
    elsewhere.caller.hang_up()
    elsewhere.wait()
    service.stored()
    for call in [*calls, elsewhere]:
        assert call.outcome == "unavailable"
        row = call.row()
        assert (row["outcome"], row["error_code"]) == ("fallback", "REALTIME_001")
        assert row["answered_at"] is None
    for call in calls:
        assert call.leg.dialplan_continued
        assert call.caller.hearing.first_sound_at() is not None  # the dialplan's own announcement


def test_a_slow_provider_does_not_keep_the_caller_ringing(serve, hub_watch):
    service = serve(emulator=emulator(connect_delay_s=1.8), timeouts={"answer_ceiling_s": 0.5})
    call = service.call([Step(After(2.8), SPEAK), BYE]).wait()
    service.stored()
    first_ms = call.caller.report().first_sound_ms
    assert (
        first_ms < 500 + 2 * hub_watch.worst_ms
    )  # a phrase, long before the greeting can be there
    assert call.tenant.record.spoken == ["Hello.", "Certainly."]
    assert call.row()["outcome"] == "completed"


def test_the_next_provider_takes_over_with_all_that_was_said(serve, hub, impatient):
    """One drops in the middle of an answer; one in a pause; one fails every answer."""
    quota = ("insufficient_quota", "insufficient_quota", "no money")
    service = serve(emulator=EmulatorConfig(script=TALKATIVE, think_s=0.05))
    service.tenant.emulator.queue_faults(Faults(drop_after_s=2.3))
    in_pause = service.add_tenant()
    in_pause.emulator.queue_faults(Faults(close_after_s=1.0))
    broke = service.add_tenant(
        EmulatorConfig(script=Script((Answer(fail=quota),), caller_lines=("a question",)))
    )
    second = add_second_provider(service, broke, emulator())
    calls = [
        service.call([ASK, Step(AgentSpeaking(2.5), SPEAK), BYE]),
        service.call([Step(After(1.8), SPEAK), BYE], tenant=in_pause),
        service.call([ASK, Step(AgentSilent(0.5), SPEAK), BYE], tenant=broke),
    ]
    for call in calls:
        call.wait()
    service.stored()
    dropped, paused, failed = calls
    assert dropped.tenant.records[1].texts == ["a question"]
    assert paused.tenant.records[1].spoken == ["Certainly."]
    assert second.sessions[0].texts == ["a question"]
    assert second.sessions[0].spoken[0] == "Certainly."
    heard_at = failed.caller.hearing.first_sound_at(after=said_at(failed))
    assert heard_at - said_at(failed) < AT_ONCE_S + hub.worst_ms / 500
    for call in calls:
        row = call.row()
        assert (row["outcome"], row["error_code"]) == ("completed", None)
    second.stop()


def test_a_provider_that_falls_silent_is_covered_and_then_replaced(serve, impatient, hub_watch):
    """With an answer it announced but never gives, and in the middle of an answer."""
    service = serve(
        emulator=EmulatorConfig(script=BRIEF, think_s=60), secretary={"first_message": ""}
    )
    half_way = service.add_tenant(EmulatorConfig(script=TALKATIVE, think_s=0.05, pace=1.0))
    half_way.emulator.queue_faults(Faults(stall_after_s=2.0))
    calls = [
        service.call([Step(After(0.3), SPEAK), Step(AgentSilent(1.2), SPEAK), BYE]),
        service.call([ASK, Step(AgentSpeaking(2.5), SPEAK), BYE], tenant=half_way),
    ]
    wait_for(lambda: service.tenant.records)
    service.tenant.emulator.config = emulator()  # whom the call is given to next is well
    for call in calls:
        call.wait(30)
    service.stored()
    unheard, broken_off = calls
    gap_s = unheard.caller.hearing.first_sound_at(after=said_at(unheard)) - said_at(unheard)
    assert gap_s < AT_ONCE_S + hub_watch.worst_ms / 500
    assert unheard.tenant.records[1].spoken[0] == "Certainly."
    assert broken_off.tenant.records[1].texts == ["a question"]
    for call in calls:
        assert call.row()["outcome"] == "completed"


def test_when_every_provider_is_gone_a_human_gets_the_call(serve, impatient, hub_watch):
    service = serve(emulator=emulator(drop_after_s=1.0), secretary={"fallback_extension": "1004"})
    no_human = service.add_tenant(emulator(drop_after_s=1.0))
    transferred = service.call([ASK])
    continued = service.call([ASK], tenant=no_human, actions_after=FALLBACK)
    wait_for(lambda: len(no_human.records) and len(service.tenant.records))
    for tenant in (service.tenant, no_human):
        tenant.emulator._server.stop_accepting()
        tenant.emulator.config = emulator(refuse_status=500)
        tenant.emulator.queue_faults(*[Faults(refuse_status=500)] * 20)
        tenant.emulator._server.start_accepting()
    wait_for(lambda: transferred.leg.channel.destination == "1004")
    continued.wait()
    transferred.caller.hang_up()
    transferred.wait()
    service.stored()
    for call in (transferred, continued):
        assert call.outcome == "failed"
        assert (call.row()["outcome"], call.row()["error_code"]) == ("fallback", "REALTIME_001")
    assert continued.leg.dialplan_continued
    asked = said_at(continued)
    silent_s = continued.caller.hearing.first_sound_at(after=asked) - asked
    assert silent_s < AT_ONCE_S + hub_watch.worst_ms / 500


def test_the_session_limit_is_crossed_without_anybody_noticing(serve):
    service = serve()
    limited = EmulatorConfig(script=BRIEF, think_s=0.05, session_limit_s=4.0)
    tenant = service.add_tenant(
        limited, provider_settings={"session_limit_s": 4.0, "going_away_s": 2.4}
    )
    call = service.call([ASK, Step(After(2.4), SPEAK), BYE], tenant=tenant).wait()
    service.stored()
    assert call.caller.report().last_sound_ms > 4000
    first, second = call.tenant.records[:2]
    assert first.spoken == ["Hello.", "Certainly."]
    assert second.spoken == ["Certainly."]
    assert len(second.texts) == 1  # what was said goes along
    row = call.row()
    assert (row["outcome"], row["error_code"], row["total_turns"]) == ("completed", None, 2)
    said = [(role, text) for role, text, *_ in call.turns() if role == "assistant"]
    assert [text for _, text in said] == ["Hello.", "Certainly.", "Certainly."]
    # nothing but greeting and answers was heard: no phrase covered anything
    assert call.caller.report().sound_ms < 3 * 600
