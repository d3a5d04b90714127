"""Whole calls, one for each kind of fault: what the caller hears, and what the row says."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from esl_controller.simulator.caller_script import After, Step
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.faults import FAULTS
from esl_controller.simulator.service.script import Answer, Script
from tests.integration.api_kit import OPEN, client_of
from tests.integration.hub_watch import HubWatch
from tests.integration.service import (
    BRIEF,
    FALLBACK,
    LONG_TEXT,
    SPEAK,
    Service,
    hang_up_after,
    wait_for,
)
from tests.integration.test_call_dead_air import DEAD_AIR_S, longest_silence_s, note_at
from tests.integration.test_call_provider_trouble import add_second_provider

KINDS = (
    *("refuse=503", "slow=9", "drop@2", "close=1012@2", "quota@1", "rate_limit@1"),
    *("out_of_order@1", "silent@2", "no_sound@1", "text_only@1"),
)
"""Of the first provider."""
AT_THE_DOOR = {"refuse=503", "slow=9"}
"""Who takes over need not know anything; else he knows the question in words, or has heard it in
the caller's own voice, or asks for it again."""
SCRIPT = Script((Answer(LONG_TEXT),), caller_lines=("a question",))
ASKS_AT_S, STAYS_S = 1.2, 11.0


def faulty(fault: str) -> EmulatorConfig:
    return EmulatorConfig(script=SCRIPT, think_s=0.05, pace=1.2, faults=FAULTS.make(fault))


@pytest.fixture
def hub():
    with HubWatch() as watch:
        yield watch


@pytest.mark.slow
def test_no_fault_leaves_the_caller_in_silence_and_the_second_provider_serves(serve, hub):
    service = serve(provider={"breaker_failures": 0})
    cast: dict[str, Any] = {}
    for fault in KINDS:
        tenant = service.add_tenant(faulty(fault))
        second = add_second_provider(service, tenant, EmulatorConfig(script=BRIEF, think_s=0.05))
        cast[fault] = tenant, second
    script = [Step(After(ASKS_AT_S), SPEAK), hang_up_after(After(STAYS_S - ASKS_AT_S))]
    calls = {fault: service.call(script, tenant=tenant) for fault, (tenant, _) in cast.items()}
    for call in calls.values():
        call.wait(30)
    service.stored()
    for fault, call in calls.items():
        second = cast[fault][1]
        last = call.caller.hearing.last_sound_at
        silence_s = longest_silence_s(call, note_at(call, "said"), last)
        assert silence_s < DEAD_AIR_S + hub.worst_ms / 500, (fault, silence_s)
        row = call.row()
        assert (row["outcome"], row["error_code"]) == ("completed", None), fault
        if fault not in ("drop@2", "close=1012@2"):  # who served is connected to again first
            assert second.sessions, fault
            taken_over = second.sessions[-1]
            asked = taken_over.texts == ["a question"] or taken_over.turns
            known = bool(asked) or "say it again" in " ".join(taken_over.spoken)
            assert known or fault in AT_THE_DOOR, (fault, taken_over)
        second.stop()


def health(service: Service) -> Any:
    host, port = service.app.media.address
    with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=5) as answer:
        return json.load(answer)


def test_a_provider_that_failed_in_other_calls_is_passed_over(serve):
    service = serve(emulator=faulty("refuse=503"), provider={"breaker_failures": 2}, **OPEN)
    second = add_second_provider(service, service.tenant, EmulatorConfig(script=BRIEF))
    alone = service.add_tenant(faulty("refuse=503"))
    bye = [hang_up_after(After(0.8))]
    service.call(bye).wait()
    tries = len(service.tenant.records)
    assert len(second.sessions) == 1
    assert health(service)["circuits"] == {"openai": {"open": 1, "half_open": 0}}

    client = client_of(service)
    found = client.get(f"/domains/{service.tenant.domain_uuid}/circuits").json
    ((state, why, failures),) = [
        (one["state"], one["last_error"], one["failures"]) for one in found["circuits"]
    ]
    assert (state, why, failures, found["worker"]) == (
        "open",
        "server",
        2,
        service.app.journal.worker,
    )
    assert client.get(f"/domains/{alone.domain_uuid}/circuits").json["circuits"] == []

    again = service.call(bye).wait()
    assert len(service.tenant.records) == tries, "not connected to again"
    assert len(second.sessions) == 2

    service.call(tenant=alone, actions_after=FALLBACK).wait()
    tries = len(alone.records)
    results = service.app._providers_seen.ages()
    refused = service.call(tenant=alone, actions_after=FALLBACK).wait()
    in_a_row = service.app._providers_seen.ages()["openai"]["failures_in_a_row"]
    assert in_a_row == results["openai"]["failures_in_a_row"], "not the provider's failure"
    assert len(alone.records) == tries
    assert refused.leg.dialplan_continued
    service.stored()
    assert again.row()["outcome"] == "completed"
    row = refused.row()
    assert (row["outcome"], row["error_code"]) == ("fallback", "REALTIME_001")

    well = EmulatorConfig(script=BRIEF, think_s=0.05)
    alone.emulator.config = well
    breaker = next(
        entry.breaker
        for (domain, _), entry in service.app.breakers._entries.items()
        if domain == alone.domain_uuid
    )
    breaker._until = 0.0  # the pause is over
    service.call(bye, tenant=alone).wait()
    wait_for(lambda: alone.domain_uuid not in dict(service.app.breakers._entries))
    assert service.app.breakers.of_domain(alone.domain_uuid) == []
    second.stop()
