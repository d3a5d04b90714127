"""What a ticket opens, asked as WSGI asks: its own page, and nothing else of the interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPMethod
from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.database.repository import tenants
from esl_controller.settings.table import Http
from esl_controller.settings.types import Secret
from esl_controller.telemetry.metrics import Metrics
from esl_controller.web.access import AdminDoor
from esl_controller.web.api.application import Api
from esl_controller.web.api.routing import Request, Route
from esl_controller.web.api.schemas import PublicKey
from esl_controller.web.api.tickets import EventsQuery, TicketRequest, make_ticket

DOMAIN, OTHER = (f"0a6c2d7e-58d7-4c36-9f5e-{digit * 12}" for digit in "12")
SCOPE = "calls/c-1/events"
SETTINGS = SimpleNamespace(http=Http(admin_token=Secret("a-token-of-24-characters")))


@dataclass
class Resources:
    settings: Any = field(default_factory=lambda: SETTINGS)

    @contextmanager
    def reading(self) -> Iterator[None]:
        yield None


def key(*_: Any) -> PublicKey:
    return PublicKey(key_id="k", public_key="p")


PATH = "/domains/{domain_uuid}/calls/{call_uuid}/events"
ROUTES = [
    Route(HTTPMethod.GET, PATH, key, "", PublicKey, query=EventsQuery),
    Route(HTTPMethod.GET, "/domains/{domain_uuid}/calls", key, "", PublicKey),
]


@pytest.fixture(autouse=True)
def two_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenants, "find_domain_name", lambda _, domain: "example.com")


def status(path: str, ticket: str, method: str = "GET") -> int:
    resources: Any = Resources()
    api = Api(AdminDoor(SETTINGS.http), resources, ROUTES, Metrics())
    request = {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/api/v1{path}",
        "QUERY_STRING": f"ticket={ticket}",
        "REMOTE_ADDR": "127.0.0.1",
    }
    started: list[str] = []
    body = b"".join(api(request, lambda line, _: started.append(line)))
    if body:
        json.loads(body)
    return int(started[0].split(" ")[0])


def ticket() -> str:
    resources: Any = Resources()
    wanted = TicketRequest(scope=SCOPE)
    return make_ticket(resources, Request({"domain_uuid": DOMAIN}, body=wanted)).ticket


def test_it_opens_its_page() -> None:
    assert status(f"/domains/{DOMAIN}/{SCOPE}", ticket()) == 200
    assert status(f"/domains/{DOMAIN.upper()}/{SCOPE}", ticket(), "HEAD") == 200


def test_it_does_to_its_page_what_the_page_is_for() -> None:
    assert status(f"/domains/{DOMAIN}/{SCOPE}", ticket(), "POST") == 405


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (f"/domains/{OTHER}/{SCOPE}", "GET"),
        (f"/domains/{DOMAIN}/calls/c-2/events", "GET"),
        (f"/domains/{DOMAIN}/calls", "GET"),
        ("/openapi.json", "GET"),
    ],
)
def test_it_opens_nothing_else(path: str, method: str) -> None:
    assert status(path, ticket(), method) == 401
