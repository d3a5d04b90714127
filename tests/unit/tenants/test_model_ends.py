"""Models end, and who uses them hears of it in time."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest

from bridge.errors import RemoteProtocolError
from esl_controller.database.models import ProviderAccess
from esl_controller.settings.types import Secret
from esl_controller.tenants import model_ends
from esl_controller.tenants.model_ends import ModelEnds, ModelWatch, parse_ends, tells_ends
from tests.unit.call.test_provider_rows import secretary
from tests.unit.tenants.test_hosts import ROW

OPENAI, GATEWAY = "api.openai.com", "gateway.example"


def ends(day: date = date(2026, 11, 30)) -> ModelEnds:
    return ModelEnds(lambda: day)


def access(**fields: Any) -> ProviderAccess:
    return ProviderAccess(dataclasses.replace(ROW, **fields), Secret("sk-1"))


@pytest.mark.parametrize(
    ("model", "day", "said"),
    [
        ("gpt-realtime", date(2026, 11, 30), "ends on 2027-01-20 (in 51 days)"),
        ("gpt-realtime-2025-08-28", date(2026, 11, 30), "ends on 2027-01-20 (in 51 days)"),
        ("gpt-realtime", date(2027, 1, 20), "was to end on 2027-01-20"),
        ("gpt-realtime", date(2026, 9, 1), ""),  # months away
        ("gpt-realtime-2.1-2026-05-07", date(2026, 11, 30), ""),
        ("never-heard-of", date(2026, 11, 30), ""),
    ],
)
def test_the_registry_knows_without_a_network(model: str, day: date, said: str) -> None:
    found = [str(end) for end in ends(day).soon("openai", OPENAI, [model])]
    assert (found == []) if not said else (said in found[0] and "gpt-realtime-2.1" in found[0])


def test_a_gateway_s_models_are_not_the_vendor_s() -> None:
    known = ends()
    assert known.soon("openai", GATEWAY, ["gpt-realtime"]) == []
    assert known.soon("openai", None, ["gpt-realtime"]) == []
    known.learn(GATEWAY, {"gpt-realtime": date(2026, 12, 1)})
    (end,) = known.soon("openai", GATEWAY, ["gpt-realtime", "gpt-realtime"])
    assert (end.days, end.successor) == (1, "")


def test_what_the_vendor_says_wins() -> None:
    known = ends()
    known.learn(OPENAI, {"gpt-realtime": date(2027, 12, 1), "gpt-realtime-2.1": date(2026, 12, 9)})
    (end,) = known.soon("openai", OPENAI, ["gpt-realtime", "gpt-realtime-2.1"])
    assert (end.model, end.days) == ("gpt-realtime-2.1", 9)


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ('{"id":"a","shutdown_date":"2027-01-20"}', {"a": date(2027, 1, 20)}),
        ('{"id":"a","shutdown_date":"2027-01-20T00:00:00Z"}', {"a": date(2027, 1, 20)}),
        ('{"id":"a","shutdown_date":null}', {}),
        ('{"id":"a"}', {}),
        ('{"id":7,"shutdown_date":"2027-01-20"}', {}),
        ('{"id":"a","shutdown_date":20270120}', {}),
        ('{"id":"a","shutdown_date":"soon"}', {}),
    ],
)
def test_a_list_of_models_is_read_as_far_as_it_can_be(listed: str, found: dict[str, date]) -> None:
    assert parse_ends(f'{{"object":"list","data":[{listed}]}}'.encode()) == found


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"data":[1]}', b"\xff", b"[" * 9999])
def test_an_answer_that_is_no_list_is_said(body: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="no list of models"):
        parse_ends(body)


def test_only_the_vendor_itself_is_asked() -> None:
    assert tells_ends(access())
    assert tells_ends(access(base_url="wss://api.openai.com/v1"))
    assert not tells_ends(access(base_url="wss://gateway.example/v1"))
    assert not tells_ends(access(realtime_provider="gemini"))
    assert not tells_ends(ProviderAccess(ROW, None))


def test_all_a_call_would_name_is_looked_at() -> None:
    from esl_controller.tenants.providers import models_asked

    wished = secretary(model="gpt-realtime", transcription_model="whisper-1")
    assert models_asked(access(), wished, own=True) == ["gpt-realtime", "whisper-1"]
    assert models_asked(access(model="own"), wished) == ["own", "gpt-transcribe"]
    assert models_asked(access(realtime_provider="custom")) == ["openai/gpt-oss-20b", "nova-3"]
    assert models_asked(access(provider_settings={"interface": "of none"})) == []


def test_the_worker_logs_what_the_default_provider_will_lose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[tuple[str, dict[str, Any]]] = []
    log = type("Log", (), {"warning": lambda self, name, **more: said.append((name, more))})()
    monkeypatch.setattr(model_ends, "_log", log)
    gone = access(realtime_provider="openai", model="gpt-realtime", base_url="wss://g.example/v1")
    known = ends()
    known.learn("g.example", {"gpt-realtime": date(2026, 12, 1)})
    ModelWatch(gone, known, lambda: pytest.fail("nobody is asked")).look(gone)
    assert said == [
        (
            "model_ends",
            {"provider": "main", "said": "model gpt-realtime ends on 2026-12-01 (in 1 days)"},
        )
    ]
