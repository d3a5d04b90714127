"""Two tenants with the same extension, the same caller, at the same time: nothing is mixed."""

from __future__ import annotations

from esl_controller.simulator.caller_script import AgentSilent, Step
from tests.integration.service import FALLBACK, SPEAK, hang_up_after

ASK = Step(AgentSilent(0.35), SPEAK)
BYE = hang_up_after(AgentSilent(0.5))


def test_tenants_never_meet(serve):
    """Through one provider account: each of its sessions knows one tenant's words only."""
    service = serve(secretary={"system_prompt": "You serve ALPHA.", "first_message": "Alpha."})
    alpha = service.tenant
    beta = service.add_tenant(
        base_url=alpha.base_url, system_prompt="You serve BETA.", first_message="Beta."
    )
    calls = [
        service.call([ASK, BYE], tenant=tenant, caller_id_number="5557777")
        for tenant in (alpha, beta) * 3
    ]
    for call in calls:
        call.wait()
    service.stored()
    sessions = alpha.records
    assert len(sessions) == 6
    greetings = {"You serve ALPHA.": "Alpha.", "You serve BETA.": "Beta."}
    for record in sessions:
        instructions = record.updates[0]["instructions"]
        assert record.spoken == [greetings[instructions], "Certainly."]
    for call in calls:
        row = call.row()
        assert row["domain_uuid"] == call.tenant.domain_uuid
        assert call.turns()[0][1] == ("Alpha." if call.tenant is alpha else "Beta.")
    for table in ("conversations", "turns", "usage"):
        counted = service.database.execute(
            f"""select domain_uuid::text, count(*) from v_voice_{table}_realtime
                group by domain_uuid order by 2"""
        )
        numbers = dict(counted)
        assert set(numbers) == {alpha.domain_uuid, beta.domain_uuid}
        assert numbers[alpha.domain_uuid] == numbers[beta.domain_uuid]


def test_a_leg_without_domain_uuid_is_the_named_domain_s(serve):
    """A forwarded extension, a ring group's member: FreeSWITCH copies the name alone."""
    service = serve(secretary={"first_message": "Named."})
    call = service.call([BYE], domain_uuid="").wait()
    service.stored()
    assert call.row()["domain_uuid"] == service.tenant.domain_uuid
    assert call.turns()[0][1] == "Named."


def test_a_name_nobody_has_gives_the_call_back(serve):
    service = serve()
    call = service.call(domain_uuid="", domain_name="nobody.example", actions_after=FALLBACK).wait()
    assert call.outcome == "invalid"
