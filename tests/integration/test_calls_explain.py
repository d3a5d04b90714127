"""`calls explain` names the root cause first: real calls with faults, each told by the command."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog

from esl_controller.database.models import ConversationRealtime
from esl_controller.record.entries import encode
from esl_controller.settings.table import Log
from esl_controller.simulator.caller_script import AgentSilent, Step
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.switch.legs import FarEnd
from esl_controller.telemetry.log import configure
from tests.integration.cli_kit import run
from tests.integration.service import (
    BRIEF,
    FALLBACK,
    SPEAK,
    Service,
    TestCall,
    hang_up_after,
    service,
    wait_for,
)
from tests.integration.test_call_transfer import ASK, call_number, transfers

BYE = hang_up_after(AgentSilent(0.5))
TALK = [Step(AgentSilent(0.35), SPEAK), BYE]


def emulator(**faults: Any) -> EmulatorConfig:
    return EmulatorConfig(script=BRIEF, think_s=0.05, faults=Faults(**faults))


def explained(call: TestCall, log: Path, *arguments: str) -> dict[str, Any]:
    """What the command says of a call, with --json."""
    words = ("calls", "explain", call.leg.uuid, "--log", str(log), *arguments)
    environ = {
        "VOICE_AI_DATABASE_DSN": call.database.workers_dsn,
        "VOICE_AI_STORAGE_SPOOL_DIR": str(log.parent / "spool"),
    }
    return dict(json.loads(run(*words, "--json", **environ).stdout))


@contextlib.contextmanager
def logged_to(log: Path) -> Iterator[None]:
    """The worker's own log, in a file."""
    before = structlog.get_config()
    with log.open("ab") as file:
        configure(Log(format="json"), file.fileno())
        try:
            yield
        finally:
            structlog.configure(**before)


def test_the_first_line_names_the_root_cause(database: Any, tmp_path: Path) -> None:
    """One worker, a tenant for each trouble, all at once."""
    log = tmp_path / "worker.log"
    far_ends = {"206": FarEnd(rings=True), "211": FarEnd(cause="USER_BUSY")}
    with logged_to(log), service(database, tmp_path, far_ends=far_ends) as site:
        made = {name: call(site) for name, call in TROUBLES.items()}
        for name, one in made.items():
            if name.startswith("transfer_"):
                wait_for(partial(decided, one), 20)
                one.caller.hang_up()
            one.wait(20)
        site.stored()
        told = {name: explained(one, log) for name, one in made.items()}
        assert {name: story["name"] for name, story in told.items()} == {
            name: name for name in TROUBLES
        }
        assert "401" in told["provider_key"]["cause"]
        assert "budget of the day used up" in told["budget"]["cause"]
        assert told["closed"]["heard"].startswith("What stands behind")
        spoken = explained(made["closed"], log, "--language", "pt")
        assert spoken["cause"].startswith("A secretária estava fechada")


def refused(**faults: Any) -> Any:
    def call(site: Service) -> TestCall:
        return site.call(tenant=site.add_tenant(emulator(**faults)), actions_after=FALLBACK)

    return call


def with_secretary(**secretary: Any) -> Any:
    def call(site: Service) -> TestCall:
        return site.call(TALK, tenant=site.add_tenant(**secretary), actions_after=FALLBACK)

    return call


def poor(site: Service) -> TestCall:
    tenant = site.add_tenant()
    site.database.execute(
        "insert into v_voice_realtime_settings (domain_uuid, daily_budget_usd, budget_action)"
        " values (%s, 0, 'turn_based')",
        tenant.domain_uuid,
    )
    site.app.config.invalidate(tenant.domain_uuid)
    return site.call(tenant=tenant, actions_after=FALLBACK)


def dropped(site: Service) -> TestCall:
    """The provider ends in mid-call, and the calls after it too."""
    tenant = site.add_tenant(emulator())
    tenant.emulator.queue_faults(
        Faults(drop_after_s=1.0), *[Faults(refuse_status=500) for _ in range(20)]
    )
    return site.call([Step(AgentSilent(0.35), SPEAK)], tenant=tenant, actions_after=FALLBACK)


def saved(site: Service) -> TestCall:
    tenant = site.add_tenant(emulator())
    tenant.emulator.queue_faults(Faults(drop_after_s=0.8))
    return site.call([Step(AgentSilent(1.2), SPEAK), BYE], tenant=tenant)


def unanswered(number: str) -> Any:
    return lambda site: call_number(site, number, [ASK])


def decided(call: TestCall) -> bool:
    return bool(call.leg.ended.is_set() or {status for *_, status in transfers(call)} - {"started"})


TROUBLES = {
    "provider_key": refused(refuse_status=401),
    "provider_quota": refused(out_of_quota=True),
    "provider_rate": refused(refuse_status=429),
    "provider_unreachable": refused(refuse_status=500),
    "provider_lost": dropped,
    "provider_saved": saved,
    "closed": with_secretary(business_hours="{}"),
    "full": with_secretary(max_concurrent_calls=0),
    "budget": poor,
    "transfer_no_answer": unanswered("206"),
    "transfer_not_taken": unanswered("211"),
    "completed": with_secretary(),
}


def test_without_a_database_spool_and_log_tell_it(tmp_path: Path) -> None:
    """What waits in the spool is told; and a busy worker explains a call that went well."""
    call_uuid = "6c0f2b5e-0000-4000-8000-000000000001"
    began = datetime(2026, 11, 30, 12, tzinfo=UTC)
    row = ConversationRealtime(
        conversation_uuid="c",
        domain_uuid="d",
        call_uuid=call_uuid,
        started_at=began,
        ended_at=began + timedelta(seconds=30),
        outcome="completed",
    )
    (tmp_path / "spool" / "1-a").mkdir(parents=True)
    (tmp_path / "spool" / "1-a" / "1.segment").write_bytes(encode(row) + b"torn")
    log, environ = tmp_path / "log", {"VOICE_AI_DATABASE_DSN": "postgresql://127.0.0.1:9/none"}
    environ["VOICE_AI_STORAGE_SPOOL_DIR"] = str(tmp_path / "spool")
    words = ("calls", "explain", call_uuid, "--log", str(log))
    log.write_bytes(b"no line of ours\n")
    first = run(*words, **environ).stdout.split("\n\n")[0]
    assert "record waits in the spool" in first
    late = {"event": "hub.late", "timestamp": (began + timedelta(seconds=9)).isoformat()}
    log.write_bytes(msgspec.json.encode(late | {"lag_ms": 420}) + b"\n")
    told = run(*words, **environ).stdout
    assert told.startswith("The worker was too busy: its timers were up to 420 ms late.")
    assert "the database was not asked" in told
    assert "besides" in told and "waits in the spool" in told
    unknown = run("calls", "explain", "nobody", "--log", str(log), **environ).stdout
    assert unknown.startswith("No worker that is looked at has a record of it")
