"""What a tenant's caps, budget and hours do to a call."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

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


SPEND = "insert into v_voice_usage_realtime (domain_uuid, provider, occurred_at, cost_usd)"
TENANT = "insert into v_voice_realtime_settings (domain_uuid, daily_budget_usd, budget_action"


@pytest.mark.parametrize("action", ["turn_based", "low_cost", "human"])
def test_a_used_up_budget_does_what_the_tenant_chose(
    action: str, database: Any, tmp_path: Path
) -> None:
    with service(database, tmp_path, secretary={"first_message": "Hello."}) as site:
        domain_uuid = site.tenant.domain_uuid
        database.execute(f"{SPEND} values (%s, 'openai', now(), 1.5)", domain_uuid)
        wanted = f"{TENANT}, human_extension) values (%s, 1, %s, '1004')"
        database.execute(wanted, domain_uuid, action)
        site.app.config.invalidate(domain_uuid)
        with capture_logs() as lines:
            call = site.call([], actions_after=AFTER)
            if action == "human":
                assert call.leg.answered.wait(5)  # by extension 1004
                call.caller.hang_up()
            call.wait(5)
        assert call.outcome == ("budget" if action == "human" else "turn_based")
        why = next(line["why"] for line in lines if line["event"] == "call.handed_back")
        assert why.startswith("budget of the day used up (1.500000 of 1.00 USD)")
        assert why.endswith("no low-cost provider that can be used") is (action == "low_cost")
        (told,) = [line for line in lines if line["event"] == "budget_exhausted"]
        assert (told["domain_uuid"], told["log_level"]) == (domain_uuid, "warning")
        assert (
            'budgets_reached_total{level="exhausted"} 1.0' in site.app.metrics.exposition().decode()
        )


def test_the_installation_has_a_limit_over_all_tenants(database: Any, tmp_path: Path) -> None:
    first_message = {"first_message": "Hello."}
    total = {"esl": {"total_capacity": 1}}
    with service(database, tmp_path, secretary=first_message, **total) as site:
        other = database.seed()  # a call of another tenant, on another worker
        database.execute(
            """insert into v_voice_call_leases_realtime (domain_uuid, call_uuid, worker, expires_at)
               values (%s, 'c', 'elsewhere', now() + interval '1 minute')""",
            other.domain_uuid,
        )
        assert site.call([], actions_after=AFTER).wait(5).outcome == "overflow"
        database.execute("delete from v_voice_call_leases_realtime")
        call = site.call([])
        assert call.leg.answered.wait(5)
        assert site.call([], actions_after=AFTER).wait(5).outcome == "overflow"
        call.caller.hang_up()
        call.wait(5)


@pytest.mark.parametrize("trouble", ["no place", "no provider"])
@pytest.mark.parametrize("mode", ["realtime", "auto"])
def test_auto_is_turn_based_where_realtime_fails(
    mode: str, trouble: str, database: Any, tmp_path: Path
) -> None:
    cap = 0 if trouble == "no place" else None
    with service(database, tmp_path, secretary={"max_concurrent_calls": cap}) as site:
        database.execute(
            """insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, secretary_name,
                 extension, processing_mode) values (gen_random_uuid(), %s, 'Old', '8001', %s)""",
            site.tenant.domain_uuid,
            mode,
        )
        if trouble == "no provider":
            site.tenant.emulator.stop()
        site.app.config.invalidate(site.tenant.domain_uuid)
        outcome = site.call([], actions_after=AFTER).wait(10).outcome
        failed = "overflow" if trouble == "no place" else "unavailable"
        assert outcome == ("turn_based" if mode == "auto" else failed)
        assert f'calls_refused_total{{reason="{failed}"}} 1.0' in (
            site.app.metrics.exposition().decode()
        )


def test_outside_its_hours_a_secretary_sends_callers_on(database: Any, tmp_path: Path) -> None:
    closed = {"business_hours": "{}", "closed_extension": "1004"}
    with service(database, tmp_path, secretary=closed) as site:
        call = site.call([], actions_after=AFTER)
        assert call.leg.answered.wait(5)
        assert call.outcome == "closed"
        call.caller.hang_up()
        call.wait(5)
        entry = site.app.config.secretary_for(site.tenant.domain_uuid, "8001")
        back = site.app._admission.admit(entry, "c", back=True)  # from a human, after closing time
        assert back.secretary == entry.secretary
        site.app._admission.release(site.tenant.domain_uuid, "c")
