"""docs/contracts held against both sides: what our clients send, what the reference server answers.

Every exchange goes through openapi-core, with the contract closed: a field that one side names and
the contract does not is a failure too, and so is one that the contract has and nobody names.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import msgspec
import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from esl_controller.database.models import TenantSettings
from esl_controller.services.agenda import agenda_client
from esl_controller.services.crm import crm_client
from esl_controller.services.http import ServiceHttp
from esl_controller.services.ports import Booking, Customer, Slot, SystemFailed, TicketWanted
from esl_controller.services.tickets import ticket_client
from esl_controller.settings.types import Secret
from esl_controller.simulator.systems.server import SystemsServer
from esl_controller.simulator.systems.store import Store
from esl_controller.tenants.hosts import ServiceHosts
from tests.arch.tree import ROOT

DOMAIN = "11111111-1111-1111-1111-111111111111"
TALK = "22222222-2222-2222-2222-222222222222"
CALLER = "+5511999990000"
MARIA = {"id": "C-1", "name": "Maria", "company": "Padaria", "phone": CALLER, "notes": "mornings"}
MARIA["email"] = "maria@example.com"
ZONE = ZoneInfo("America/Sao_Paulo")
NINE = datetime(2030, 1, 7, 9, tzinfo=ZONE)
NAMES = ("tickets", "crm", "agenda")
FORMATS = ("contact", "plain", "event", "handoff")
CONTRACTS = {
    name: yaml.safe_load((ROOT / f"docs/contracts/{name}.yaml").read_text("utf-8"))
    for name in NAMES
}


def held(contract: dict[str, Any], **more: Any) -> OpenAPI:
    """With every object closed: it has the properties it names, and no other."""
    config = Config(additional_properties_default_policy="forbid", **more)
    return OpenAPI.from_dict(contract, config=config)


@dataclass
class Exchange:
    """A request of ours, and its answer."""

    asked: MockRequest
    told: MockResponse

    def hold(self, contract: OpenAPI) -> None:
        """Raises OpenAPIError where one of them is not as the contract says."""
        contract.validate_request(self.asked)
        contract.validate_response(self.asked, self.told)


class Overheard:
    """The way to the reference server, with an ear on it: as `ports.Http`."""

    def __init__(self) -> None:
        self._http = ServiceHttp(lambda _: ["*"], ServiceHosts(["127.0.0.1"]))
        self.exchanges: dict[str, list[Exchange]] = {name: [] for name in NAMES}

    def request(self, method: str, url: str, **more: Any) -> Any:
        answer = self._http.request(method, url, **more)
        parts = urlsplit(url)
        name, _, path = parts.path.removeprefix("/").partition("/")
        base = urlsplit(CONTRACTS[name]["servers"][0]["url"])
        body = more.get("json")
        asked = MockRequest(
            f"{base.scheme}://{base.netloc}",
            method.lower(),
            f"{base.path}/{path}",
            args=dict(parse_qsl(parts.query)),
            headers=dict(more.get("headers") or {}),
            data=None if body is None else msgspec.json.encode(body),
        )
        told = MockResponse(answer.body, answer.status, content_type="application/json")
        self.exchanges[name].append(Exchange(asked, told))
        return answer


class World:
    """A tenant whose systems are the reference server."""

    def __init__(self) -> None:
        self.server = SystemsServer(store=Store(customers=[MARIA]))
        self.url = self.server.start()

    def tenant(self, **more: Any) -> TenantSettings:
        urls = {f"{one}_url": f"{self.url}/{one}" for one in ("crm", "agenda")}
        keys = {f"{one}_key": "sealed:x" for one in ("ticket", "crm", "agenda")}
        more = {"ticket_queue": "5", "ticket_company": "9"} | more
        return TenantSettings(DOMAIN, ticket_url=f"{self.url}/tickets", **urls, **keys, **more)

    def everything(self, http: Overheard) -> None:
        """Each operation of each contract, as our clients do it, with what goes wrong as well."""
        self.server.store = Store(customers=[dict(MARIA)])
        for number, form in enumerate(FORMATS):
            tickets = ticket_client(self.tenant(ticket_format=form), http, key)
            wanted = TicketWanted(
                subject="Bread",
                description="is late",
                caller_number=CALLER,
                caller_name="Maria",
                call_uuid="c",
                conversation_uuid=TALK,
            )
            assert tickets.create(wanted, key=f"k{number}", timeout_s=5) == f"T-{number + 1}"
        (found,) = crm_client(self.tenant(), http, key).find(phone=CALLER, timeout_s=5)
        assert found == Customer(customer_id="C-1", **{n: v for n, v in MARIA.items() if n != "id"})
        self._agenda(http)

    def _agenda(self, http: Overheard) -> None:
        agenda = agenda_client(self.tenant(), http, key)
        slots = agenda.free(NINE, NINE + timedelta(hours=2), timeout_s=5)
        assert [one.start for one in slots] == [NINE + timedelta(minutes=30 * n) for n in range(4)]
        wanted = visit(slots[0], "Maria", CALLER, "b1")
        booked = agenda.book(wanted, timeout_s=5)
        assert (booked.title, booked.customer_name, booked.phone) == ("Visit", "Maria", CALLER)
        taken = visit(slots[0], "João", "", "b2")
        assert failed(lambda: agenda.book(taken, timeout_s=5)) == "conflict"
        assert agenda.find(NINE, NINE + timedelta(1), phone=CALLER, timeout_s=5) == [booked]
        cancel = agenda.cancel
        assert cancel(booked.appointment_id, phone=CALLER, timeout_s=5) == booked
        again = booked.appointment_id
        assert failed(lambda: cancel(again, phone=CALLER, timeout_s=5)) == "not_found"


def visit(at: Slot, name: str, phone: str, once: str) -> Booking:
    return Booking(
        start=at.start, end=at.end, title="Visit", customer_name=name, phone=phone, key=once
    )


def key(_credential: str) -> Secret:
    return Secret("reference-token")


def failed(act: Any) -> str:
    with pytest.raises(SystemFailed) as refused:
        act()
    return refused.value.reason


@pytest.fixture(scope="module")
def exchanges() -> Iterator[dict[str, list[Exchange]]]:
    world, http = World(), Overheard()
    world.everything(http)
    yield http.exchanges
    world.server.stop()


@pytest.mark.parametrize("name", NAMES)
def test_both_sides_keep_to_the_contract(exchanges: Any, name: str) -> None:
    contract = held(CONTRACTS[name])
    seen = set()
    for one in exchanges[name]:
        one.hold(contract)
        seen.add((one.asked.method, one.told.status_code))
    agenda = {("get", 200), ("post", 201), ("post", 409), ("delete", 200), ("delete", 404)}
    assert seen == {"tickets": {("post", 201)}, "crm": {("get", 200)}, "agenda": agenda}[name]


def fields(contract: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a field or a parameter is named."""
    if isinstance(contract, dict):
        if contract.get("in") in ("query", "header") and contract.get("required"):
            yield (*path, "name")
        for name in contract.get("properties", ()):
            yield (*path, "properties", name)
    items = enumerate(contract) if isinstance(contract, list) else ()
    for name, one in contract.items() if isinstance(contract, dict) else items:
        yield from fields(one, (*path, name))


OTHERS = {
    *((("components", "schemas", "Opened", "properties", name)) for name in ("ticketId", "ticket")),
    *((("components", "schemas", "Opened", "properties", name)) for name in ("ticket_id", "data")),
}
"""Other places of a ticket's number, which our reference server does not use."""
RENAMED = [(name, path) for name in NAMES for path in fields(CONTRACTS[name]) if path not in OTHERS]


@pytest.mark.parametrize(
    ("name", "path"),
    RENAMED,
    ids=lambda one: one if isinstance(one, str) else ".".join(map(str, one)),
)
def test_a_field_that_is_renamed_on_one_side_is_seen(exchanges: Any, name: str, path: Any) -> None:
    contract = copy.deepcopy(CONTRACTS[name])
    place = contract
    for step in path[:-1]:
        place = place[step]
    if path[-2] != "properties":
        place["name"] = "renamed"
    else:
        place["renamed"] = place.pop(path[-1])
    renamed = held(contract, spec_validator_cls=None)
    with pytest.raises(OpenAPIError):
        for one in exchanges[name]:
            one.hold(renamed)


def test_headers_of_ours_are_those_of_the_contract(exchanges: Any) -> None:
    """Those it does not require are seen by no validator."""
    told = CONTRACTS["tickets"]["paths"]["/"]["post"]["parameters"]
    sent = {name for one in exchanges["tickets"] for name in dict(one.asked.parameters.header)}
    ours = {name.lower() for name in sent} - {"authorization"}
    assert ours == {one["name"].lower() for one in told}
