"""What a tenant's caps, budget and hours do to a call."""

from pathlib import Path
from typing import Any

from esl_controller.simulator.caller_script import AgentSilent
from esl_controller.simulator.switch.session import Action
from tests.integration.service import hang_up_after, service

AFTER = [Action("hangup")]


def test_a_place_of_the_tenant_is_taken_and_given_back(database: Any, tmp_path: Path) -> None:
    settings = {"first_message": "Hello.", "max_concurrent_calls": 1}
    with service(database, tmp_path, secretary=settings) as site:
        first = site.call([])
        assert first.leg.answered.wait(5)
        assert site.call([], actions_after=AFTER).wait(5).outcome == "overflow"
        first.leg.hang_up(by_caller=True)
        first.wait(5)
        site.wait_idle()
        again = site.call([], actions_after=AFTER)
        assert again.leg.answered.wait(5)
        again.caller.hang_up()
        again.wait(5)


def test_usage_is_priced_and_a_used_up_budget_hands_back(database: Any, tmp_path: Path) -> None:
    with service(database, tmp_path, secretary={"first_message": "Hello."}) as site:
        site.call([hang_up_after(AgentSilent(0.3))]).wait(10)
        site.wait_idle()
        assert site.app.journal.wait_stored(5)
        (cost,) = database.execute("select sum(cost_usd) from v_voice_usage_realtime")[0]
        stored = database.execute("select estimated_cost from v_voice_conversations_realtime")
        assert cost > 0
        assert abs(stored[0][0] - cost) < 1e-4
        database.execute(
            "insert into v_voice_realtime_settings (domain_uuid, daily_budget_usd, budget_action)"
            " values (%s, 0, 'turn_based')",
            site.tenant.domain_uuid,
        )
        site.app.config.invalidate(site.tenant.domain_uuid)
        refused = site.call([], actions_after=AFTER).wait(5)
        assert refused.outcome == "turn_based"
        assert refused.leg.dialplan_continued


def test_outside_its_hours_a_secretary_sends_callers_on(database: Any, tmp_path: Path) -> None:
    closed = {"business_hours": "{}", "closed_extension": "1004"}
    with service(database, tmp_path, secretary=closed) as site:
        call = site.call([], actions_after=AFTER)
        assert call.leg.answered.wait(5)
        assert call.outcome == "closed"
        call.caller.hang_up()
        call.wait(5)
