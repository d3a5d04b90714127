"""What /health says, and why."""

from __future__ import annotations

from typing import Any

import pytest

from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics
from esl_controller.telemetry.provider_results import MAX_KINDS, ProviderResults, follow_providers
from esl_controller.workers.health import Facts, judge

WELL: dict[str, Any] = {
    "database_error": "",
    "changes_heard": True,
    "spool_error": "",
    "port_wanted": True,
    "port_open": True,
}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({}, "healthy", []),
        ({"database_error": "x"}, "degraded", ["database"]),
        ({"changes_heard": False}, "degraded", ["changes"]),
        ({"database_error": "x", "changes_heard": False}, "degraded", ["database"]),
        ({"spool_error": "No space left"}, "degraded", ["No space left"]),
        (
            {"spool_error": "full", "database_error": "x"},
            "unavailable",
            ["memory only", "database", "full"],
        ),
        ({"port_open": False}, "unavailable", ["port"]),
        ({"port_open": False, "port_wanted": False}, "healthy", []),
    ],
)
def test_each_thing_that_is_wrong_has_its_sentence(
    wrong: dict[str, Any], status: str, says: list[str]
) -> None:
    found, reasons = judge(Facts(**(WELL | wrong)), ProviderResults())
    assert found == status
    assert len(reasons) == len(says)
    assert all(word in reason for word, reason in zip(says, reasons, strict=True))


def test_a_provider_that_failed_once_is_degraded_and_one_that_works_is_not() -> None:
    clock = Clock()
    results = ProviderResults(clock)
    results.succeeded("openai")
    assert judge(Facts(**WELL), results) == ("healthy", [])
    clock.now += 5
    results.failed("openai")
    clock.now += 7
    assert judge(Facts(**WELL), results) == (
        "degraded",
        ["provider openai: failed 1 times in a row, the last 7 s ago"],
    )
    assert results.ages() == {
        "openai": {"last_ok_s_ago": 12.0, "last_failed_s_ago": 7.0, "failures_in_a_row": 1}
    }
    results.succeeded("openai")
    assert judge(Facts(**WELL), results) == ("healthy", [])


def test_when_every_provider_keeps_failing_nobody_is_served() -> None:
    results = ProviderResults(Clock())
    for _ in range(3):
        results.failed("openai")
    assert results.states() == {"openai": "unavailable"}
    assert judge(Facts(**WELL), results)[0] == "unavailable"
    results.succeeded("gemini")
    assert judge(Facts(**WELL), results)[0] == "degraded"


def test_results_are_what_the_calls_count() -> None:
    metrics = Metrics()
    results = follow_providers(metrics)
    assert results.states() == {}
    metrics.count(m.PROVIDER_FAILURES, "openai", "connection")
    metrics.count(m.PROVIDER_READY, "gemini")
    assert results.states() == {"openai": "degraded", "gemini": "available"}


def test_kinds_have_a_limit() -> None:
    results = ProviderResults(Clock())
    for number in range(MAX_KINDS + 5):
        results.failed(f"kind-{number}")
    results.failed("")
    assert len(results.states()) == MAX_KINDS


def test_a_provider_that_is_passed_over_is_told_by_kind_alone() -> None:
    circuits = {"openai": {"open": 2, "half_open": 1}, "gemini": {"open": 1, "half_open": 0}}
    status, reasons = judge(Facts(**WELL), ProviderResults(), circuits)
    assert status == "degraded"
    assert [reason.split(" is ")[0] for reason in reasons] == [
        "provider openai: 3 tenants'",
        "provider gemini: a tenant's",
    ]
