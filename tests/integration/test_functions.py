"""Functions that reach a tenant's own systems, through the real client, against the reference
server of docs/contracts: as they should be, refused, late, down, huge and wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import gevent
import msgspec
import pytest

from bridge.providers.base import FunctionCall
from esl_controller.database.models import TenantSettings
from esl_controller.services.http import ServiceHttp
from esl_controller.services.systems import TenantSystems
from esl_controller.settings.types import Secret
from esl_controller.simulator.systems.server import Faults, SystemsServer
from esl_controller.simulator.systems.store import Store
from esl_controller.tenants.hosts import ServiceHosts
from esl_controller.tools import appointments, create_ticket, lookup_customer
from esl_controller.tools.base import FunctionOutcome, ToolContext
from esl_controller.tools.registry import tools_for
from esl_controller.tools.runner import NOT_DONE, NOT_KNOWN, FunctionRunner

DOMAIN = "11111111-1111-1111-1111-111111111111"
CALLER = "+5511999990000"
ZONE = ZoneInfo("America/Sao_Paulo")
MARIA = {
    "id": 7,
    "name": "Maria\nSilva",
    "company": "Padaria",
    "phone": CALLER,
    "notes": "n" * 5000,
}
JOAO = {"id": "8", "name": "João", "phone": "+5521888880000", "email": "j@example.com"}
TOKEN = "reference-token"


class Actions:
    """What was promised in a call."""

    def __init__(self) -> None:
        self.errands: dict[tuple[str, str], Any] = {}

    def errand(self, wanted: Any) -> bool:
        known = self.errands.setdefault((wanted.kind, wanted.idempotency_key), wanted)
        return known is wanted


class World:
    """One conversation, and its tenant's systems."""

    def __init__(self, **tenant: Any) -> None:
        self.server = SystemsServer(TOKEN, store=Store(customers=[MARIA, JOAO]))
        url = self.server.start()
        settings = {
            "ticket_url": f"{url}/tickets",
            "ticket_key": "sealed:t",
            "crm_url": f"{url}/crm",
            "crm_key": "sealed:c",
            "agenda_url": f"{url}/agenda",
            "agenda_key": "sealed:a",
            "time_zone": str(ZONE),
            "email_to": ("a@example.com",),
        }
        self.entry: Any = SimpleNamespace(
            domain_uuid=DOMAIN,
            secretary=SimpleNamespace(
                time_zone=None,
                email_to=(),
                enable_functions=True,
                functions_config=(),
                transfer_rules=[],
                transfer_directory=False,
                record_calls=False,
                enable_rag=False,
                language="pt-BR",
                languages=(),
            ),
            tenant=TenantSettings(DOMAIN, **(settings | tenant)),
            opening=None,
            functions=(),
            outbound=None,
        )
        self.http = ServiceHttp(lambda _: ["*"], ServiceHosts(["127.0.0.1"]))
        self.actions = Actions()
        self.asked = 0
        self.told: list[FunctionOutcome] = []
        self.runner = self.conversation()

    def conversation(self, caller: str = CALLER, name: str = "c1") -> FunctionRunner:
        no: Any = None
        context = ToolContext(
            entry=self.entry,
            call_uuid="call",
            conversation_uuid=name,
            caller_id_number=caller,
            caller_id_name="Maria",
            language="pt-BR",
            actions=self.actions,  # type: ignore[arg-type]
            places=no,
            services=TenantSystems(
                None, self.http, None, None, lambda _domain, _key: Secret(TOKEN)
            ),
        )
        return FunctionRunner(
            tools_for(self.entry),
            context,
            deadline_s=5,
            on_start=lambda _: None,
            on_done=self.told.append,
        )

    def call(
        self, name: str, runner: FunctionRunner | None = None, **arguments: Any
    ) -> tuple[Any, str]:
        """What the model is told, and the audit's status."""
        self.asked += 1
        text = msgspec.json.encode(arguments).decode()
        (runner or self.runner).run(FunctionCall(f"f{self.asked}", name, text))
        with gevent.Timeout(10):
            while len(self.told) < self.asked:
                gevent.sleep(0.002)
        return msgspec.json.decode(self.told[-1].output), self.told[-1].status


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    made: list[World] = []
    for module in (appointments, create_ticket, lookup_customer):
        monkeypatch.setattr(module, "TRY_S", 0.3)

    def make(**tenant: Any) -> World:
        made.append(World(**tenant))
        return made[-1]

    yield make
    for one in made:
        one.http.close()
        one.server.stop()


def tomorrow_at(hour: int) -> datetime:
    day = datetime.now(ZONE) + timedelta(days=1)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


BAD = {
    "refused": Faults(refuse_status=422),
    "broken": Faults(refuse_status=500),
    "late": Faults(wait_s=1.0),
    "huge": Faults(body=b'{"id": "' + b"9" * 200_000 + b'"}'),
    "no JSON": Faults(body=b"<html>it works</html>"),
    "other JSON": Faults(body=b'{"id": {"$oid": 5}, "customers": 3, "slots": [{}]}'),
    "down": None,
}


def spoil(world: World, fault: str) -> None:
    bad = BAD[fault]
    if bad is None:
        world.server.stop()
    else:
        world.server.faults = bad


@pytest.mark.parametrize("format_", ["contact", "plain", "event", "handoff"])
def test_a_ticket_is_opened_once_however_often_it_is_asked_for(world, format_):
    w = world(ticket_format=format_, ticket_queue="12", ticket_company="3")
    told, status = w.call("create_ticket", subject="No bread", description="since Monday")
    assert (told, status) == ({"done": True, "status": "created", "ticket_id": "T-1"}, "completed")
    again, _ = w.call("create_ticket", subject="No bread", description="since Monday")
    assert again["ticket_id"] == "T-1" and "once" in again["note"]
    other, _ = w.call("create_ticket", subject="No cake")
    assert other["ticket_id"] == "T-2"
    assert w.server.keys == ["c1:f1", "c1:f3"]
    body = msgspec.json.encode(w.server.store.tickets[0]).decode()
    assert "No bread" in body and CALLER in body
    assert not w.actions.errands


@pytest.mark.parametrize(
    "answer", [b'{"ticketId": 7}', b'{"ticket_id": "7"}', b'{"data":{"id":7}}']
)
def test_the_number_of_a_ticket_is_found_in_each_generation_of_answers(world, answer):
    w = world()
    w.server.faults = Faults(body=answer)
    assert w.call("create_ticket", subject="s")[0]["ticket_id"] == "7"


@pytest.mark.parametrize("fault", BAD)
def test_a_ticket_that_cannot_be_opened_now_is_promised_under_the_same_key(world, fault):
    w = world()
    spoil(w, fault)
    told, _ = w.call("create_ticket", subject="No bread", priority="high")
    assert (told["done"], told["status"]) == (False, "noted") and "no number yet" in told["note"]
    assert "127.0.0.1" not in str(told) and "_why" not in told
    assert w.told[-1].result["_why"]
    ((key, errand),) = w.actions.errands.items()
    assert key == ("ticket", "c1:f1")
    assert errand.payload["subject"] == "No bread" and errand.payload["priority"] == "high"
    w.call("create_ticket", subject="No bread", priority="high")
    assert len(w.actions.errands) == 1


def test_a_customer_is_known_by_the_number_that_calls_and_others_by_name_alone(world):
    w = world()
    (maria,) = w.call("lookup_customer")[0]["customers"]
    assert maria["name"] == "Maria Silva" and maria["customer_id"] == "7"
    assert len(maria["notes"]) == 1000
    assert w.call("lookup_customer", phone="+55 (21) 88888-0000")[0]["customers"] == [
        {"name": "João"}
    ]
    assert w.call("lookup_customer", phone="+551130000000")[0]["customers"] == []
    told, status = w.call("lookup_customer", phone="who?")
    assert status == "failed" and told["done"] is False


@pytest.mark.parametrize("fault", BAD)
@pytest.mark.parametrize("name", ["lookup_customer", "check_appointment"])
def test_nothing_is_told_of_a_system_that_fails(world, fault, name):
    w = world()
    spoil(w, fault)
    told, status = w.call(name)
    assert (told["done"], status) == (False, "failed")
    assert set(told) == {"done", "error", "note"} and "127.0.0.1" not in told["error"]
    assert w.told[-1].error and TOKEN not in w.told[-1].error


def test_an_appointment_is_found_booked_told_and_taken_back(world):
    w = world()
    day = tomorrow_at(10)
    free, _ = w.call("check_appointment", date=day.date().isoformat())
    assert free["callers_appointments"] == [] and free["time_zone"] == str(ZONE)
    assert any(one.startswith(f"{day:%Y-%m-%dT%H:%M}") for one in free["free"])
    booked, status = w.call(
        "book_appointment", start=f"{day:%Y-%m-%dT%H:%M}", customer_name="Maria", subject="cake"
    )
    assert status == "completed" and booked["done"] is True
    assert w.server.store.appointments[0]["start"] == day
    other = w.conversation(caller="+5521777770000", name="c2")
    taken, _ = w.call("book_appointment", other, start=f"{day:%Y-%m-%dT%H:%M}", customer_name="J")
    assert taken["done"] is False and "has been taken" in taken["error"]
    stolen, _ = w.call("cancel_appointment", other, appointment_id=booked["appointment_id"])
    assert stolen["done"] is False and len(w.server.store.appointments) == 1
    seen, _ = w.call("check_appointment")
    assert [one["subject"] for one in seen["callers_appointments"]] == ["cake"]
    gone, _ = w.call("cancel_appointment", appointment_id=booked["appointment_id"])
    assert gone["done"] is True and w.server.store.appointments == []


@pytest.mark.parametrize("fault", BAD)
def test_a_booking_that_is_not_known_is_never_confirmed(world, fault):
    w = world()
    spoil(w, fault)
    start = f"{tomorrow_at(9):%Y-%m-%dT%H:%M}"
    told, status = w.call("book_appointment", start=start, customer_name="Maria")
    assert (told["done"], status) == (False, "failed")
    assert told["note"] == (NOT_DONE if fault in ("refused", "down") else NOT_KNOWN)


def test_an_attempt_that_may_have_worked_is_repeated_under_its_first_key(world):
    w = world()
    w.server.faults = Faults(wait_s=1.0, acts=True)
    start = f"{tomorrow_at(9):%Y-%m-%dT%H:%M}"
    assert w.call("book_appointment", start=start, customer_name="Maria")[0]["done"] is False
    w.server.faults = Faults()
    assert w.call("book_appointment", start=start, customer_name="Maria")[0]["done"] is True
    assert len(w.server.store.appointments) == 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("book_appointment", {"start": "tomorrow", "customer_name": "M"}),
        ("book_appointment", {"start": "2020-01-01T09:00", "customer_name": "M"}),
        ("book_appointment", {"start": "9999-12-31T23:59:59+14:00", "customer_name": "M"}),
        ("book_appointment", {"start": "2026-13-01T09:00"}),
        ("check_appointment", {"date": "2026-02-30"}),
        ("check_appointment", {"date": "0001-01-01"}),
        ("cancel_appointment", {"appointment_id": "../../slots?x=1#"}),
        ("create_ticket", {"subject": ""}),
        ("create_ticket", {"subject": "s", "priority": "now"}),
        ("create_ticket", {"subject": ["s"]}),
        ("lookup_customer", {"phone": "0&name=a"}),
        ("take_message", {"message": 5}),
        ("send_dtmf", {"digits": "1"}),
    ],
)
def test_whatever_a_model_writes_is_answered_with_words(world, name, arguments):
    w = world()
    told, status = w.call(name, **arguments)
    assert told["done"] is False and status in ("refused", "failed")
    assert re.search(r"\w", told["error"])
    assert w.server.store.appointments == w.server.store.tickets == []


def test_a_message_is_noted_whatever_is_down(world):
    w = world()
    w.server.stop()
    told, _ = w.call("take_message", message="Call me", recipient="Ana", urgent=True)
    assert told["done"] is True and told["status"] == "noted"
    ((key, errand),) = w.actions.errands.items()
    assert key[0] == "message"
    assert errand.payload == {
        "caller_number": CALLER,
        "caller_name": "Maria",
        "recipient": "Ana",
        "message": "Call me",
        "urgent": True,
    }
