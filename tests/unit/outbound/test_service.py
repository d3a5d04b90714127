"""The calls a worker makes: nobody is called twice at once, or to be turned away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent.event import Event

from esl_controller.database.acts import OutboundCall
from esl_controller.database.models import RouteEntry
from esl_controller.database.pool import DatabaseError
from esl_controller.outbound import service as module
from esl_controller.outbound.service import PUT_OFF_S, Made, OutboundService
from esl_controller.routes.routing import HandBack, Outcome

NOW = datetime(2026, 11, 30, tzinfo=UTC)
CALL = OutboundCall(
    outbound_uuid="o-1",
    domain_uuid="d-1",
    extension="8001",
    number="5551",
    origin="api",
    not_before=NOW,
    not_after=NOW + timedelta(days=1),
    created_at=NOW,
)


class Entry(RouteEntry):
    """A secretary whose tenant lets us call."""

    tenant: Any = SimpleNamespace(  # type: ignore[misc]
        outbound_max_concurrent=9, outbound_per_hour=9, outbound_per_day=9
    )

    def __init__(self) -> None:
        pass

    def __repr__(self) -> str:
        return "entry"


class World:
    """A database that can be away, and somebody who talks until the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.away = False
        self.dialled = 0
        self.looks = 0
        self.over = Event()
        self.room = True
        config: Any = SimpleNamespace(secretary_for=lambda *_: Entry())
        self.refusal: HandBack | None = None
        self.put_off: list[datetime] = []
        self.service = OutboundService(
            self,  # type: ignore[arg-type]
            config,
            self,
            "w",
            self._may_be_served,
            now=lambda: NOW,
        )
        for name, of in {
            "expire": lambda *_: 0,
            "list_due": self._list_due,
            "take": lambda *_, **__: CALL,
            "renew": lambda *_: True,
            "finish": lambda *_, **__: None,
            "postpone": lambda *names: self.put_off.append(names[-1]),
        }.items():
            monkeypatch.setattr(module.outbound, name, of)
        monkeypatch.setattr(module.conversations, "store", lambda *_: None)
        monkeypatch.setattr(
            module, "opening_of", lambda *_: SimpleNamespace(open=True, next_open_at=None)
        )

    def _may_be_served(self, entry: RouteEntry) -> None:
        if self.refusal is not None:
            raise self.refusal

    def _list_due(self, *_: Any) -> list[OutboundCall]:
        """Its lease has run out."""
        self.looks += 1
        return [CALL]

    @contextlib.contextmanager
    def connection(self, **_: Any) -> Iterator[None]:
        if self.away:
            raise DatabaseError("away")
        yield

    def make(self, *_: Any) -> Made:
        self.dialled += 1
        self.over.wait()
        return Made(served=True)


def test_a_call_that_goes_on_is_not_made_again_when_its_lease_ran_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch)
    assert world.service.run_once() == 1
    gevent.sleep(0)
    assert world.service.run_once() == 0
    world.over.set()
    assert world.service.wait(5)
    assert world.dialled == 1


def test_after_an_outage_whoever_makes_a_call_can_say_so_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch)
    world.away = True
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        world.away = False
        if len(slept) > 2:
            raise gevent.GreenletExit

    monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=sleep, spawn=gevent.spawn))
    with contextlib.suppress(gevent.GreenletExit):
        world.service.run()
    assert slept[:2] == [module.LOOK_S, module.SETTLE_S]
    assert world.looks == 2
    world.service.stop()


def test_nobody_is_rung_whom_the_tenant_cannot_afford_to_speak_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch)
    world.refusal = HandBack(Outcome.BUDGET)
    assert world.service.run_once() == 0
    assert world.put_off == [NOW + timedelta(seconds=PUT_OFF_S)]
    assert not world.dialled
