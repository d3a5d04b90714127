"""A ticket is for its domain, its page and its time, and for nobody without the token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.settings.table import Http
from esl_controller.settings.types import Secret
from esl_controller.web.api.routing import Request
from esl_controller.web.api.tickets import TicketRequest, make_ticket
from esl_controller.web.tickets import admits

TOKEN = Secret("a-token-of-24-characters")
SCOPE = "calls/c-1/events"


def ticket(actor: str | None = None) -> str:
    settings = SimpleNamespace(http=Http(admin_token=TOKEN))
    resources: Any = SimpleNamespace(settings=settings)
    return make_ticket(
        resources, Request({"domain_uuid": "d"}, body=TicketRequest(scope=SCOPE, actor=actor))
    ).ticket


def test_it_opens_its_page_until_it_expires() -> None:
    now = datetime.now(UTC)
    assert admits(TOKEN, ticket(), "d", SCOPE, now) == ""
    assert admits(TOKEN, ticket(), "d", SCOPE, now + timedelta(seconds=61)) is None


@pytest.mark.parametrize(
    ("token", "domain", "scope"),
    [
        (TOKEN, "e", SCOPE),
        (TOKEN, "d", "calls/c-2/events"),
        (Secret("another-token-of-24-char"), "d", SCOPE),
        (Secret(), "d", SCOPE),
    ],
)
def test_it_opens_nothing_else(token: Secret, domain: str, scope: str) -> None:
    assert admits(token, ticket(), domain, scope, datetime.now(UTC)) is None


@pytest.mark.parametrize(
    "text", ["", ".", "1.", "x.y", "9" * 13 + "." + "A" * 22 + "." + "A" * 43, "é.é"]
)
def test_what_is_no_ticket_opens_nothing(text: str) -> None:
    assert admits(TOKEN, text, "d", SCOPE, datetime.now(UTC)) is None


def test_it_names_who_it_was_made_for_and_nobody_else() -> None:
    now = datetime.now(UTC)
    for actor in ("maria@example.com", "José \U0001f642", "é" * 200):
        named = admits(TOKEN, ticket(actor), "d", SCOPE, now)
        assert named and actor.startswith(named)
    *signed, _ = ticket("maria").split(".")
    forged = ".".join([*signed, ticket("admin").split(".")[-1]])
    assert admits(TOKEN, forged, "d", SCOPE, now) is None
    assert admits(TOKEN, ".".join(signed), "d", SCOPE, now) is None
    assert ticket("maria") != ticket("maria")
