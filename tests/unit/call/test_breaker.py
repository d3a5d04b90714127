"""A provider that fails in several calls is passed over by the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.base import ErrorKind
from esl_controller.calls import breakers as breakers_module
from esl_controller.calls.breaker import BREAKER_TABLE, Breaker, BreakerLimits, BreakerState
from esl_controller.calls.breakers import Breakers
from esl_controller.telemetry.metrics import Metrics
from esl_controller.worker_counters import follow_breakers

LIMITS = BreakerLimits(failures=3, window_s=60.0, open_s=30.0)
CLOSED, OPEN, HALF_OPEN = BreakerState


class Row:
    """What a gate reads of a provider's row."""

    def __init__(self, domain: str = "d1", row: str = "p1", kind: str = "openai") -> None:
        self.domain_uuid = domain
        self.voice_realtime_provider_uuid = row
        self.realtime_provider = kind
        self.provider_label = f"{kind} of {domain}"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened() -> Breaker:
    breaker = Breaker(LIMITS)
    assert [breaker.failed(float(n)) for n in range(3)] == [False, False, True]
    assert breaker.state is OPEN
    return breaker


def test_it_opens_after_so_many_failures_and_admits_nobody() -> None:
    breaker = opened()
    assert not breaker.admit(10.0)
    assert breaker.tried_in_s(10.0) == 22.0


def test_after_the_pause_one_call_tries_and_decides() -> None:
    for well in (True, False):
        breaker = opened()
        assert breaker.admit(32.0)
        assert breaker.state is HALF_OPEN
        assert not breaker.admit(32.1)
        if well:
            breaker.heard()
            assert breaker.admit(32.2)
            assert breaker.failures == 0
        else:
            assert breaker.failed(33.0)
            assert not breaker.admit(62.0)
            assert breaker.admit(63.0)


def test_a_try_that_tells_nothing_is_followed_by_another() -> None:
    breaker = opened()
    assert breaker.admit(32.0)
    assert not breaker.admit(61.9)
    assert breaker.admit(62.0)


@pytest.mark.parametrize("between", ["time", "an answer"])
def test_failures_that_do_not_follow_one_another_do_not_count(between: str) -> None:
    breaker = Breaker(LIMITS)
    for n in range(10):
        breaker.failed(n * (31.0 if between == "time" else 1.0))
        if between == "an answer":
            breaker.heard()
        assert breaker.state is CLOSED


def test_a_conversation_of_before_does_not_prolong_the_pause() -> None:
    breaker = opened()
    assert not breaker.failed(20.0)
    assert breaker.admit(32.0)


def test_it_can_be_switched_off() -> None:
    breaker = Breaker(BreakerLimits(failures=0))
    assert not any(breaker.failed(0.0) for _ in range(1000))
    assert breaker.admit(0.0)


@given(st.lists(st.tuples(st.floats(0, 40), st.sampled_from(["failed", "heard", "admit"]))))
def test_whatever_happens_the_table_allows_it_and_nobody_is_shut_out_for_ever(steps: Any) -> None:
    breaker, now = Breaker(LIMITS), 0.0
    for pause_s, step in steps:
        now += pause_s
        if step == "heard":
            breaker.heard()
        else:
            getattr(breaker, step)(now)
    assert breaker.state in BREAKER_TABLE.transitions
    assert breaker.admit(now + LIMITS.open_s)


def test_tenants_and_providers_are_apart_and_only_kinds_are_counted() -> None:
    clock, metrics = Clock(), Metrics()
    breakers = Breakers(LIMITS, clock=clock)
    follow_breakers(metrics, breakers)
    bad, other = breakers.gate(Row()), breakers.gate(Row("d2"))  # type: ignore[arg-type]
    for _ in range(3):
        bad.failed(ErrorKind.SERVER)
    assert (bad.admit(), other.admit()) == (False, True)
    assert breakers.states() == {"openai": {"open": 1, "half_open": 0}}
    (circuit,) = breakers.of_domain("d1")
    assert (circuit.provider_uuid, circuit.state, circuit.last_error) == ("p1", "open", "server")
    assert circuit.tried_in_s == 30.0
    assert breakers.of_domain("d2") == []
    text = metrics.exposition().decode()
    assert 'circuits_open{provider="openai"} 1.0' in text
    assert 'circuits_opened_total{provider="openai"} 1.0' in text
    assert 'providers_passed_over_total{provider="openai"} 1.0' in text
    assert "d1" not in text
    clock.now = 31.0
    assert bad.admit()
    bad.heard()
    assert breakers.of_domain("d1") == []


def test_those_that_fail_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakers_module, "MAX_BREAKERS", 10)
    breakers = Breakers(LIMITS, clock=Clock())
    for number in range(50):
        breakers.gate(Row(f"d{number}")).failed(ErrorKind.QUOTA)  # type: ignore[arg-type]
    assert len(breakers._entries) == 10
    assert breakers.of_domain("d49")
