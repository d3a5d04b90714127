"""Tells that a budget has come to a level: a metric, and an event for the tenant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from esl_controller.database.models import TenantSettings
from esl_controller.money.budget import BudgetState
from esl_controller.record.events import budget_event
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class BudgetTeller:
    """For `BudgetGuard`: never waits. The day a budget is for is the tenant's."""

    record: Callable[..., object]
    metrics: Metrics

    def __call__(self, tenant: TenantSettings, state: BudgetState) -> None:
        """Once for each level, by each worker that sees it; the event is one for all of them."""
        level = state.level.name.lower()
        self.metrics.count(m.BUDGETS_REACHED, level)
        event = budget_event(tenant, level, state, datetime.now(ZoneInfo(tenant.time_zone)))
        if event is not None:
            self.record(event, personal=False)
