"""Calls we make: to people, machines, screeners and music; once each, within hours and caps."""

from __future__ import annotations

import dataclasses
import functools
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import gevent
import pytest

from esl_controller.database.acts import OutboundCall
from esl_controller.database.repository import conversations, outbound
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.database.repository.outbound import Caps
from esl_controller.simulator import callees
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.script import Answer, Script
from esl_controller.simulator.switch.legs import FarEnd
from tests.integration.api_kit import OPEN, client_of
from tests.integration.cli_kit import run
from tests.integration.service import Service, Tenant, free_port, wait_for

MESSAGE = "Please call us back at your convenience."
FREE = Caps(100, None, None)


Calling = Callable[[tuple[str, ...], dict[str, FarEnd]], Service]


@pytest.fixture
def calling(serve: Callable[..., Service]) -> Iterator[Calling]:
    """A service whose FreeSWITCH can be told to dial."""
    running: list[Service] = []

    def start(lines: tuple[str, ...], far_ends: dict[str, FarEnd]) -> Service:
        running.append(begin(serve, lines, far_ends))
        return running[0]

    yield start
    for service in running:
        service.switch.close_inbound()


def begin(
    serve: Callable[..., Service], lines: tuple[str, ...], far_ends: dict[str, FarEnd]
) -> Service:
    port = free_port()
    script = Script(answers=(Answer("This is the clinic."),), caller_lines=lines)
    service = serve(
        **OPEN,
        emulator=EmulatorConfig(script=script, think_s=0.05),
        far_ends=far_ends,
        freeswitch={"port": port},
        secretary={"voicemail_message": MESSAGE},
    )
    service.switch.listen_inbound(port)
    allow(service, service.tenant)
    return service


def allow(service: Service, tenant: Tenant, **limits: int) -> None:
    limits = {"outbound_max_concurrent": 5} | limits
    service.database.execute(
        f"""insert into v_voice_realtime_settings (domain_uuid, {", ".join(limits)})
            values (%s, {", ".join(["%s"] * len(limits))})""",
        tenant.domain_uuid,
        *limits.values(),
    )


def ask(service: Service, number: str, tenant: Tenant | None = None, **more: Any) -> str:
    domain = (tenant or service.tenant).domain_uuid
    body = {"extension": "8001", "number": number} | more
    answer = client_of(service).post(f"/domains/{domain}/outbound", body)
    assert answer.status == 201, answer.body
    key: str = answer.json["call"]["outbound_uuid"]
    return key


def state(service: Service, key: str, tenant: Tenant | None = None) -> dict[str, Any]:
    page = f"/domains/{(tenant or service.tenant).domain_uuid}/outbound/{key}"
    found: dict[str, Any] = client_of(service).get(page).json["call"]
    return found


CALLEES: dict[str, tuple[Callable[[], Caller], tuple[str, ...]]] = {
    "person": (callees.person, ("Hello?",)),
    "machine": (
        callees.answering_machine,
        ("You have reached Ana. Leave a message after the tone.",),
    ),
    "screener": (callees.screener, ("Who is calling, please?", "Hi, this is Ana.")),
    "music": (callees.on_hold, ("Hello, this is Ana.",)),
}


def test_everybody_and_everything_that_may_answer(calling: Calling) -> None:
    """All at once, each by a tenant of its own: a person speaks first and is spoken to, a machine
    gets the message after its beep, a screener is told who calls, music is waited through."""
    ends: dict[str, Caller] = {kind: make() for kind, (make, _) in CALLEES.items()}
    numbers = {kind: f"555{place}" for place, kind in enumerate(CALLEES)}
    far_ends = {numbers[kind]: FarEnd(end=lambda end=end: end) for kind, end in ends.items()}
    service = calling(CALLEES["person"][1], far_ends)
    tenants = {"person": service.tenant}
    for kind in list(CALLEES)[1:]:
        script = Script(answers=(Answer("This is the clinic."),), caller_lines=CALLEES[kind][1])
        emulator = EmulatorConfig(script=script, think_s=0.05)
        tenants[kind] = service.add_tenant(emulator, voicemail_message=MESSAGE)
        allow(service, tenants[kind])
    keys = {
        kind: ask(service, numbers[kind], tenants[kind], purpose="Confirm the appointment.")
        for kind in CALLEES
    }
    service.app.outbound.run_once()
    rows = {}
    for kind, key in keys.items():
        found = functools.partial(state, service, key, tenants[kind])
        wait_for(lambda found=found: found()["status"] == "done", 25, str(ends[kind].notes))
        rows[kind] = found()
    service.stored()
    assert {kind: row["answered_by"] for kind, row in rows.items()} == {
        "person": "human",
        "machine": "machine",
        "screener": "human",
        "music": "human",
    }
    record = tenants["person"].record
    instructions = record.updates[0]["instructions"]
    assert "Confirm the appointment." in instructions
    assert "Begin with these words to a person: Hello." in instructions
    assert record.spoken == ["This is the clinic."], "not a word before the person's own"
    assert tenants["machine"].record.spoken[-1] == MESSAGE
    answered_at = ends["machine"].answered_at
    assert answered_at is not None
    beeped_at = answered_at + 0.2 + 3.0 + 0.5 + 0.4
    assert ends["machine"].hearing.first_sound_at(beeped_at) is not None, "after its beep"
    assert len(tenants["screener"].record.spoken) >= 2
    assert tenants["music"].record.spoken
    stored = service.database.execute(
        """select direction, answered_by, caller_id, call_uuid from v_voice_conversations_realtime
           where domain_uuid = %s""",
        tenants["person"].domain_uuid,
    )
    assert stored == [("outbound", "human", numbers["person"], rows["person"]["call_uuid"])]


def test_who_is_busy_is_called_again_and_then_no_more(calling: Calling) -> None:
    service = calling((), {"5550": FarEnd(cause="USER_BUSY")})
    key = ask(service, "5550", max_attempts=2)
    service.app.outbound.run_once()
    wait_for(lambda: state(service, key)["status"] == "waiting" and state(service, key)["cause"])
    row = state(service, key)
    assert (row["attempts"], row["cause"]) == (1, "USER_BUSY")
    assert service.app.outbound.run_once() == 0, "not before its time"
    service.database.execute("update v_voice_outbound_realtime set not_before = now()")
    service.app.outbound.run_once()
    wait_for(lambda: state(service, key)["status"] == "failed")
    page = f"/domains/{service.tenant.domain_uuid}/outbound"
    client = client_of(service)
    assert client.ask("DELETE", f"{page}/{key}").status == 409
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    waiting = ask(service, "5550", not_before=later)
    other = service.add_tenant().domain_uuid
    assert client.ask("DELETE", f"/domains/{other}/outbound/{waiting}").status == 404
    assert client.get(f"/domains/{other}/outbound").json == {"calls": []}
    answer = client.post(f"/domains/{other}/outbound", {"extension": "8001", "number": "1"})
    assert answer.json["type"].endswith("outbound-closed")
    assert client.ask("DELETE", f"{page}/{waiting}").json["call"]["status"] == "cancelled"
    assert len(client.get(f"{page}?status=cancelled").json["calls"]) == 1


def stored(pool: Any, domain_uuid: str, **fields: Any) -> OutboundCall:
    now = datetime.now(UTC)
    call = OutboundCall(
        outbound_uuid=str(uuid.uuid4()),
        domain_uuid=domain_uuid,
        extension="8001",
        number="5551",
        origin="api",
        not_before=now,
        not_after=now + timedelta(hours=1),
        created_at=now,
    )
    call = dataclasses.replace(call, **fields)
    with pool.connection() as connection:
        conversations.store(connection, domain_uuid, call)
    return call


def test_a_call_is_taken_once_and_again_when_its_worker_is_lost(database: Any, pool: Any) -> None:
    domain = database.seed().domain_uuid
    call = stored(pool, domain)
    names = (domain, call.outbound_uuid)

    def take(worker: str, caps: Caps = FREE) -> OutboundCall | None:
        with pool.connection() as connection:
            return outbound.take(connection, *names, worker=worker, lease_s=30, caps=caps)

    takers = [gevent.spawn(take, f"w{number}") for number in range(8)]
    taken = [taker.get() for taker in takers]
    (owner,) = [one.worker for one in taken if one is not None]
    with pool.connection() as connection:
        assert outbound.list_due(connection, 10) == []
        assert not outbound.renew(connection, *names, "stranger", 30)
        assert outbound.renew(connection, *names, owner, 30)
        outbound.finish(
            connection, *names, worker="stranger", answered_by=None, call_uuid="c", cause=""
        )
    database.execute("update v_voice_outbound_realtime set lease_until = now() - interval '1 s'")
    with pool.connection() as connection:
        assert [one.attempts for one in outbound.list_due(connection, 10)] == [1]
    again = take("another")
    assert again is not None and again.attempts == 2
    with pool.connection() as connection:
        conversations.store(connection, domain, call)  # the journal's repeat
        assert outbound.find(connection, *names) == again, "stored again it stays what it is"


@pytest.mark.parametrize("caps", [Caps(1, None, None), Caps(9, 1, None), Caps(9, None, 1)])
def test_caps_hold_over_all_workers(database: Any, pool: Any, caps: Caps) -> None:
    from esl_controller.outbound.service import _attempt

    mine, other = (database.seed().domain_uuid for _ in range(2))
    for domain, allowed in ((mine, [True, False]), (other, [True])):
        for wanted in allowed:
            call = stored(pool, domain)
            with pool.connection() as connection:
                names = (domain, call.outbound_uuid)
                taken = outbound.take(connection, *names, worker="w", lease_s=30, caps=caps)
                if taken is not None:
                    attempt = _attempt(taken, "c", "w", datetime.now(UTC))
                    conversations.store(connection, domain, attempt)
            assert (taken is not None) is wanted


def test_no_domain_waits_behind_anothers_thousand(database: Any, pool: Any) -> None:
    busy, other = (database.seed().domain_uuid for _ in range(2))
    early = datetime.now(UTC) - timedelta(hours=1)
    for _ in range(5):
        stored(pool, busy, not_before=early)
    stored(pool, other)
    with pool.connection() as connection:
        due = outbound.list_due(connection, 2)
    assert {call.domain_uuid for call in due} == {busy, other}


def test_nobody_is_called_outside_the_hours(calling: Calling) -> None:
    service = calling((), {"5551": FarEnd(end=callees.person)})
    closed = {"mon": [["09:00", "18:00"]], "closed_dates": []}
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)  # a Sunday
    service.database.execute(
        "update v_voice_secretaries_realtime set business_hours = %s::jsonb",
        json.dumps(closed),
    )
    service.app.config.invalidate()
    service.app.outbound._now = lambda: noon
    key = ask(service, "5551")
    service.app.outbound.run_once()
    assert state(service, key)["not_before"].startswith("2026-11-30T09:00:00")
    assert (state(service, key)["status"], state(service, key)["attempts"]) == ("waiting", 0)


def test_a_call_is_asked_for_on_the_command_line(database: Any) -> None:
    tenant = database.seed(extension="8001", provider=DemoProvider(base_url="ws://127.0.0.1:9/"))
    environ = {
        "VOICE_AI_DATABASE_DSN": database.workers_dsn,
        "VOICE_AI_PROVIDER_ALLOWED_HOSTS": "*,127.0.0.1",
    }
    closed = run("outbound", "add", "5551", "8001", **environ)
    assert (closed.exit_code, "outbound_max_concurrent" in closed.stderr) == (1, True)
    assert run("tenant", "set", "--outbound-max-concurrent", "1", **environ).exit_code == 0
    for words in (("55 51", "8001"), ("5551", "8002"), ("5551;x", "8001")):
        assert run("outbound", "add", *words, **environ).exit_code == 1
    made = run("outbound", "add", "5551", "8001", "--purpose", "Ask.", "--json", **environ)
    row = json.loads(made.stdout)
    assert (row["domain_uuid"], row["purpose"], row["status"]) == (
        tenant.domain_uuid,
        "Ask.",
        "waiting",
    )
    assert "5551" in run("outbound", "list", "--status", "waiting", **environ).stdout
    assert run("outbound", "cancel", row["outbound_uuid"], **environ).exit_code == 0
    assert run("outbound", "cancel", row["outbound_uuid"], **environ).exit_code == 1
