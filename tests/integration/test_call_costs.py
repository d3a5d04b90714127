"""Two accounts with one vendor: each provider row is booked what went through it, and no more."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script
from tests.integration.api_kit import OPEN, client_of
from tests.integration.cli_kit import run
from tests.integration.service import BRIEF, SPEAK, Service, hang_up_after
from tests.integration.test_call_provider_trouble import add_second_provider

ASK = Step(AgentSilent(0.35), SPEAK)
BYE = hang_up_after(AgentSilent(0.5))
NO_MONEY = ("insufficient_quota", "insufficient_quota", "no money")
GREETS_ONLY = Script((Answer(fail=NO_MONEY),), caller_lines=("a question",))
"""The account has just enough for the greeting."""


def booked(service: Service, where: str = "true") -> dict[str | None, tuple[int, Decimal]]:
    """Tokens out and cost, by the label of the row they went through."""
    rows = service.database.execute(
        f"""select p.provider_label, sum(u.output_text_tokens + u.output_audio_tokens),
              sum(u.cost_usd)
            from v_voice_usage_realtime u left join v_voice_realtime_providers p
              on p.voice_realtime_provider_uuid = u.voice_realtime_provider_uuid
              and p.domain_uuid = u.domain_uuid
            where {where} group by 1"""
    )
    return {label: (tokens, cost) for label, tokens, cost in rows}


def spent_of(rows: list[dict[str, Any]], name: str) -> dict[str, Decimal]:
    return {row[name]: Decimal(row["month_usd"]) for row in rows}


def test_each_account_is_booked_its_own_part(serve, hub_watch):
    """The first account greets and has no money for the answer; the second goes on in mid-call."""
    service = serve(emulator=EmulatorConfig(script=GREETS_ONLY, think_s=0.05), **OPEN)
    mine = service.tenant
    second = add_second_provider(service, mine, EmulatorConfig(script=BRIEF, think_s=0.05))
    call = service.call([ASK, Step(AgentSilent(0.5), SPEAK), BYE]).wait()
    service.stored()
    said = {"demo": mine.records, "second": second.sessions}
    assert all(said.values()), said
    assert "Certainly." in second.sessions[0].spoken
    parts = booked(service)
    assert set(parts) == {"demo", "second"}, "nothing is nobody's"
    assert all(tokens > 0 and cost > 0 for tokens, cost in parts.values()), parts
    row = call.row()
    assert sum(tokens for tokens, _ in parts.values()) == row["output_tokens"]

    costs = {label: cost for label, (_, cost) in parts.items()}
    client = client_of(service)
    domain = f"/domains/{mine.domain_uuid}"
    told = client.get(f"{domain}/costs").json
    assert (spent_of(told["providers"], "provider_label"), told["others"]) == (costs, [])
    ((budgeted,),) = service.database.execute("select sum(cost_usd) from v_voice_spending_realtime")
    assert budgeted == sum(costs.values()), "budgets see the whole"
    environ = {"VOICE_AI_DATABASE_DSN": service.database.workers_dsn}
    shown = json.loads(run("provider", "costs", "--json", **environ).stdout)
    assert spent_of(shown["providers"], "provider_label") == costs
    text = run("calls", "show", call.leg.uuid, **environ).stdout
    assert all(f"by provider {label}: {cost} USD" in text for label, cost in costs.items()), text

    keys = {row["provider_label"]: row["voice_realtime_provider_uuid"] for row in told["providers"]}
    assert client.ask("DELETE", f"{domain}/providers/{keys['second']}").status == 200
    told = client.get(f"{domain}/costs").json
    assert spent_of(told["providers"], "provider_label") == {"demo": costs["demo"]}
    assert [(one["vendor"], one["removed"]) for one in told["others"]] == [("openai", True)]
    assert spent_of(told["others"], "vendor") == {"openai": costs["second"]}
    second.stop()


def test_accounts_of_one_label_are_two_accounts(serve):
    """Labels are the tenant's own words: FusionPBX's page lets two be the same."""
    service = serve(emulator=EmulatorConfig(script=GREETS_ONLY, think_s=0.05))
    second = add_second_provider(
        service, service.tenant, EmulatorConfig(script=BRIEF, think_s=0.05)
    )
    service.database.execute("update v_voice_realtime_providers set provider_label = 'OpenAI'")
    call = service.call([ASK, Step(AgentSilent(0.5), SPEAK), BYE]).wait()
    service.stored()
    second.stop()
    assert call.row()["outcome"] == "completed"
    assert second.sessions, "the refused key of one is not the other's"
