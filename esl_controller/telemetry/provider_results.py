"""How each kind of provider did the last times it was tried by this worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics

UNAVAILABLE_AFTER = 3
"""Failures in a row."""
MAX_KINDS = 32


@dataclass(slots=True)
class ProviderResult:
    """Of one kind of provider. Moments are monotonic seconds."""

    last_ok_at: float | None = None
    last_failed_at: float | None = None
    failures_in_a_row: int = 0

    @property
    def state(self) -> str:
        """available | degraded | unavailable"""
        if self.failures_in_a_row == 0:
            return "available"
        return "degraded" if self.failures_in_a_row < UNAVAILABLE_AFTER else "unavailable"


class ProviderResults:
    """Moments come from `clock`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._results: dict[str, ProviderResult] = {}

    def succeeded(self, kind: str) -> None:
        """A provider has taken a session's settings."""
        if (result := self._of(kind)) is not None:
            result.last_ok_at = self._clock()
            result.failures_in_a_row = 0

    def failed(self, kind: str) -> None:
        """A provider told of trouble, or could not be reached."""
        if (result := self._of(kind)) is not None:
            result.last_failed_at = self._clock()
            result.failures_in_a_row += 1

    def states(self) -> dict[str, str]:
        """Kind to available | degraded | unavailable."""
        return {kind: result.state for kind, result in self._results.items()}

    def reasons(self) -> list[str]:
        """A sentence for each kind that does not do well."""
        now = self._clock()
        return [
            f"provider {kind}: failed {result.failures_in_a_row} times in a row, "
            f"the last {now - result.last_failed_at:.0f} s ago"
            for kind, result in self._results.items()
            if result.failures_in_a_row and result.last_failed_at is not None
        ]

    def ages(self) -> dict[str, dict[str, float | int | None]]:
        """For /health: seconds since each kind last worked and last failed."""
        now = self._clock()
        return {
            kind: {
                "last_ok_s_ago": _age(now, result.last_ok_at),
                "last_failed_s_ago": _age(now, result.last_failed_at),
                "failures_in_a_row": result.failures_in_a_row,
            }
            for kind, result in self._results.items()
        }

    def _of(self, kind: str) -> ProviderResult | None:
        if kind not in self._results and (not kind or len(self._results) >= MAX_KINDS):
            return None
        return self._results.setdefault(kind, ProviderResult())


def follow_providers(metrics: Metrics) -> ProviderResults:
    """The results of what calls count from now on."""
    results = ProviderResults()
    metrics.on_count(m.PROVIDER_READY, lambda labels: results.succeeded(labels[0]))
    metrics.on_count(m.PROVIDER_FAILURES, lambda labels: results.failed(labels[0]))
    return results


def _age(now: float, at: float | None) -> float | None:
    return None if at is None else round(now - at, 1)
