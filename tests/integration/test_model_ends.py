"""`GET /v1/models` of the emulated service: what a provider's test and the doctor tell of ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date

import pytest

from bridge.errors import RemoteProtocolError
from bridge.wire.fetch import fetch
from bridge.wire.network import Network
from esl_controller.database.models import ProviderAccess
from esl_controller.doctor import provider as doctor
from esl_controller.settings.table import Provider
from esl_controller.settings.types import Secret
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.tenants.hosts import OWN_HOSTS
from esl_controller.tenants.model_ends import ModelEnds, read_ends
from esl_controller.web.api.trying import try_access
from tests.unit.tenants.test_hosts import ROW
from tests.wire.ws.peers import nothing_left_behind

clean = pytest.fixture(autouse=True)(nothing_left_behind)
TODAY = date(2026, 11, 30)


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIEmulator]:
    """The vendor, for this test."""
    monkeypatch.setitem(OWN_HOSTS, "openai", "127.0.0.1")  # type: ignore[index]
    service = OpenAIEmulator(EmulatorConfig(api_keys=frozenset(["sk-1"]), refuse_key_by="http"))
    service.start()
    yield service
    service.stop()


def access(emulator: OpenAIEmulator, key: str = "sk-1", **fields: object) -> ProviderAccess:
    row = dataclasses.replace(ROW, base_url=emulator.url, **fields)  # type: ignore[arg-type]
    return ProviderAccess(row, Secret(key))


def test_a_provider_s_test_warns_of_its_model(emulator: OpenAIEmulator) -> None:
    known = ModelEnds(lambda: TODAY)
    result = try_access(
        access(emulator, model="gpt-realtime"), None, 5.0, on_usage=lambda usage: None, ends=known
    )
    assert result.ok
    assert result.warnings[0].startswith("model gpt-realtime ends on 2027-01-20 (in 51 days)")
    lasting = try_access(access(emulator), None, 5.0, on_usage=lambda usage: None, ends=known)
    assert lasting.warnings == []


def test_a_list_that_is_not_given_costs_nothing(emulator: OpenAIEmulator) -> None:
    known = ModelEnds(lambda: TODAY)
    with pytest.raises(RemoteProtocolError, match="answered 401"):
        read_ends(access(emulator, key="sk-other"), known, Network())
    with pytest.raises(RemoteProtocolError, match="answered 404"):
        fetch(f"http{emulator.url[2:]}/nothing", network=Network(), limit_s=2.0)


def test_the_doctor_asks_when_it_may(
    emulator: OpenAIEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ModelEnds", lambda: ModelEnds(lambda: TODAY))
    settings = Provider(base_url=emulator.url, model="gpt-realtime", api_key=Secret("sk-1"))
    found = list(doctor._models(access(emulator, model="gpt-realtime"), ModelEnds(), settings))
    assert [finding.state.value for finding in found] == ["warning"]
