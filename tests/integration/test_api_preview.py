"""A voice preview spends the domain's money: it is booked, and held against the budget."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from bridge.providers.base import Usage
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from tests.integration.api_kit import OPEN, Client, client_of
from tests.integration.service import Service, service

ENOUGH = "Good morning, you have reached the reception. How can I help you today?"

CENT_A_TOKEN = {
    "provider": "openai",
    "model": "gpt-realtime-2.1",
    "since": "2026-01-01",
    "audio_output": 10_000,
}


@pytest.fixture
def running(database, tmp_path) -> Iterator[Service]:
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps([CENT_A_TOKEN]))
    with service(database, tmp_path, storage={"price_file": str(prices)}, **OPEN) as running:
        yield running


@pytest.fixture
def client(running) -> Client:
    return client_of(running)


def preview(running: Service, client: Client, domain_uuid: str):
    ((key,),) = running.database.execute(
        """select voice_realtime_provider_uuid::text from v_voice_realtime_providers
           where domain_uuid = %s""",
        domain_uuid,
    )
    return client.post(f"/domains/{domain_uuid}/providers/{key}/preview", {"text": ENOUGH})


def booked(running: Service) -> list[tuple]:
    assert running.app.journal.wait_stored(5)
    return running.database.execute(
        """select domain_uuid::text, conversation_uuid, provider, model, output_audio_tokens > 0,
             cost_usd from v_voice_usage_realtime order by occurred_at"""
    )


def set_budget(running: Service, domain_uuid: str, limit_usd: Decimal) -> None:
    running.database.execute(
        "insert into v_voice_realtime_settings (domain_uuid, daily_budget_usd) values (%s, %s)",
        domain_uuid,
        limit_usd,
    )


def test_a_preview_is_booked_for_its_domain_and_no_conversation(running, client):
    mine = running.tenant.domain_uuid
    other = running.add_tenant().domain_uuid
    assert preview(running, client, mine).status == 200
    ((domain_uuid, conversation_uuid, provider, model, spoke, cost_usd),) = booked(running)
    assert (domain_uuid, conversation_uuid, provider, spoke) == (mine, None, "openai", True)
    assert model.startswith("gpt-realtime")
    assert cost_usd > 0
    assert preview(running, client, other).status == 200
    assert [row[0] for row in booked(running)] == [mine, other]
    ours = running.database.execute(
        """select count(*) from v_voice_usage_realtime join v_voice_realtime_providers
             using (domain_uuid, voice_realtime_provider_uuid)"""
    )
    assert ours == [(2,)], "each through its own provider"
    page = client.get(f"/domains/{mine}/conversations").json
    assert page["conversations"] == []


def test_a_preview_is_refused_once_previews_have_used_up_the_budget(running, client):
    """On this worker at once, and on one that reads the sums from the database."""
    mine = running.tenant.domain_uuid
    set_budget(running, mine, Decimal("0.05"))
    assert preview(running, client, mine).status == 200
    refused = preview(running, client, mine)
    assert (refused.status, refused.json["type"]) == (409, "urn:voice-ai:problem:budget-exhausted")
    ((*_, cost_usd),) = booked(running)
    assert refused.json["detail"] == (
        f"the domain's budget of the day is used up: {cost_usd} of 0.05 USD"
    )
    assert len(running.tenant.records) == 1, "the second did not reach the provider"
    running.app._admission.budget._spent.clear()
    assert preview(running, client, mine).status == 409
    check = client.get(f"/domains/{mine}/extensions/8001/check").json
    assert (check["outcome"], check["budget"]["spent_usd"]) == ("turn_based", str(cost_usd))


def test_what_a_failed_preview_cost_is_booked_too(running, client):
    tenant = running.add_tenant(EmulatorConfig(faults=Faults(out_of_quota=True)))
    answer = preview(running, client, tenant.domain_uuid)
    assert (answer.status, answer.json["type"]) == (409, "urn:voice-ai:problem:provider-quota")
    assert [row[0] for row in booked(running)] == [tenant.domain_uuid]


def test_settings_that_are_wrong_are_told(running, client):
    mine = running.tenant.domain_uuid
    running.database.execute(
        "update v_voice_realtime_providers set base_url = 'x' where domain_uuid = %s",
        mine,
    )
    answer = preview(running, client, mine)
    assert (answer.status, answer.json["type"]) == (
        409,
        "urn:voice-ai:problem:provider-configuration",
    )
    assert "base_url" in answer.json["detail"]


def test_a_preview_takes_no_place_of_the_domain_s_calls(running, client):
    mine = running.tenant.domain_uuid
    running.database.execute(
        """insert into v_voice_realtime_settings (domain_uuid, max_concurrent_calls)
           values (%s, 1)""",
        mine,
    )
    running.database.execute(
        """insert into v_voice_call_leases_realtime (domain_uuid, call_uuid, worker, expires_at)
           values (%s, 'a call', 'w', now() + interval '1 minute')""",
        mine,
    )
    assert preview(running, client, mine).status == 200
    leases = running.database.execute("select call_uuid from v_voice_call_leases_realtime")
    assert leases == [("a call",)]


def test_every_count_of_a_provider_has_a_column():
    from esl_controller.database.models import UsageRecord

    columns = {field.name for field in dataclasses.fields(UsageRecord)}
    counted = {field.name for field in dataclasses.fields(Usage)} - {"vendor", "account"}
    assert counted <= columns  # vendor and account are the row's provider and its row
