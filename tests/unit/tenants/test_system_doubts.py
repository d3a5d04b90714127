"""Systems that are half made, and functions that cannot be offered: said where they are set."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.database.models import TenantSettings
from esl_controller.tenants.checks import PartlyWrong
from esl_controller.tenants.columns.systems import NOTHING, OFFERED, SYSTEMS
from esl_controller.tenants.system_doubts import offer_doubts, tenant_doubts


def secretary(*names: str, enabled: bool = True) -> Any:
    return SimpleNamespace(
        secretary_name="Ana", enable_functions=enabled, functions_config=names, email_to=()
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ticket_key": "k", "ticket_queue": "1"}, "ticket_url is not set: ticket_key, ticket_q"),
        ({"crm_url": "http://crm.example", "crm_key": "k"}, "a key goes over https:// alone"),
        ({"agenda_kind": "caldav"}, "agenda_url is not set"),
        ({"agenda_url": "https://a.example", "agenda_user": "u"}, "agenda_user has no agenda_key"),
    ],
)
def test_what_is_half_made_is_said(settings: dict[str, Any], words: str) -> None:
    assert any(words in said for said in tenant_doubts(TenantSettings("d", **settings)))


def test_what_is_whole_is_not_doubted() -> None:
    tenant = TenantSettings(
        "d",
        ticket_url="https://t.example/tickets",
        ticket_key="sealed:x",
        agenda_kind="caldav",
        agenda_url="http://127.0.0.1:5232/u/c/",
        agenda_user="u",
        agenda_key="sealed:y",
    )
    assert tenant_doubts(tenant) == []
    assert offer_doubts(secretary("create_ticket", "book_appointment", "send_dtmf"), tenant) == []
    assert tenant_doubts(TenantSettings("d")) == []


def test_functions_that_cannot_be_offered_are_said() -> None:
    nothing = TenantSettings("d")
    (said,) = offer_doubts(secretary("create_ticket"), nothing)
    assert "create_ticket is not offered: ticket_url is not set" in said
    (said,) = offer_doubts(secretary(), nothing)
    assert "no system" in said
    (said,) = offer_doubts(secretary("create_ticket", enabled=False), nothing)
    assert "no use while enable_functions is off" in said
    assert offer_doubts(secretary(enabled=False), nothing) == []


def test_a_list_in_which_nothing_is_right_offers_nothing() -> None:
    rule = OFFERED["functions_config"].rule
    assert rule.read(["take_message", "take_message"]) == ("take_message",)
    for wrong, used in (([{"name": "a"}], (NOTHING,)), (["no", "send_dtmf"], ("send_dtmf",))):
        with pytest.raises(PartlyWrong) as caught:
            rule.read(wrong)
        assert caught.value.value == used


@pytest.mark.parametrize(
    "credential", ["a key", "env:OPENAI_API_KEY", "file:/etc/passwd", "sealed:"]
)
def test_no_key_of_the_operator_goes_to_a_tenants_system(credential: str) -> None:
    for name in ("ticket_key", "crm_key", "agenda_key"):
        with pytest.raises(ValueError, match="must be sealed"):
            SYSTEMS[name].rule.read(credential)
