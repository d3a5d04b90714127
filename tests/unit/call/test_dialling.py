"""How a human is dialled: what his telephone shows, and what the way there needs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.calls.transfer.dialling import dial_string
from esl_controller.routes.identity import CallIdentity

ENTRY: Any = SimpleNamespace(domain_uuid="d", domain_name="d.example.com")
CALLER = CallIdentity("d", "c", "8001", "+55 11 99999", "João {x}")


def dialled(endpoint: str) -> Any:
    to = Destination(Kind.RING_GROUP, "sales", "300", True, endpoint)
    return dial_string(to, ENTRY, CALLER, uuid="b", token="t", ring_s=4.2).variables


@pytest.mark.parametrize("endpoint", ["user/201@d.example.com", "loopback/300/d.example.com"])
def test_who_calls_is_shown_and_what_would_be_read_as_something_else_is_not(endpoint: str) -> None:
    variables = dialled(endpoint)
    assert variables["origination_caller_id_number"] == "+551199999"
    assert variables["origination_caller_id_name"] == "João x"
    assert (variables["originate_timeout"], variables["ignore_early_media"]) == ("5", "true")


def test_a_dialplan_on_the_way_offers_the_telephone_its_own_codecs_and_stays() -> None:
    variables = dialled("loopback/300/d.example.com")
    assert variables["loopback_bowout"] == "false"
    assert "media_mix_inbound_outbound_codecs" in variables["loopback_export"]
    assert "loopback_export" not in dialled("user/201@d.example.com")
