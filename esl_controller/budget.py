"""What a domain may still spend today and this month.

Sums come from the database, are kept a few seconds and grow in between by what this worker's own
calls cost. While the database is away the last sums count on: a caller is not turned away for it.
"""

from __future__ import annotations

import dataclasses
import enum
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import structlog

from esl_controller.models import BudgetAction, RouteEntry, TenantSettings
from esl_controller.pool import DatabaseError, Pool
from esl_controller.repository import spending

REFRESH_S = 15.0
_log = structlog.get_logger("budget")


class BudgetLevel(enum.IntEnum):
    """How far a budget is used."""

    OPEN = 0
    WARNING = 1
    """At the domain's `budget_warning_percent`."""
    EXHAUSTED = 2


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The budget that is used most, of day and month."""

    level: BudgetLevel
    period: str = ""
    """day | month"""
    spent_usd: Decimal = Decimal(0)
    limit_usd: Decimal | None = None


@dataclass(slots=True)
class _Spent:
    today_usd: Decimal
    month_usd: Decimal
    read_at: float


class BudgetGuard:
    """Watches every domain's budgets for one worker."""

    def __init__(self, pool: Pool, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._spent: dict[str, _Spent] = {}
        self._told: dict[tuple[str, str], BudgetLevel] = {}

    def check(self, tenant: TenantSettings) -> BudgetState:
        """Return how far the domain is; waits for the database only where sums are old."""
        limits = {"day": tenant.daily_budget_usd, "month": tenant.monthly_budget_usd}
        if not any(limit is not None for limit in limits.values()):
            return BudgetState(BudgetLevel.OPEN)
        spent = self._current(tenant)
        sums = {"day": spent.today_usd, "month": spent.month_usd}
        states = [
            judge(sums[period], limit, tenant.budget_warning_percent, period)
            for period, limit in limits.items()
            if limit is not None
        ]
        worst = max(states, key=lambda state: state.level)
        self._tell_once(tenant.domain_uuid, worst)
        return worst

    def add(self, domain_uuid: str, cost_usd: Decimal | None) -> None:
        """Count what a call of this worker just cost, until the sums are read again."""
        spent = self._spent.get(domain_uuid)
        if spent is not None and cost_usd is not None:
            spent.today_usd += cost_usd
            spent.month_usd += cost_usd

    def _current(self, tenant: TenantSettings) -> _Spent:
        known = self._spent.get(tenant.domain_uuid)
        if known is not None and self._clock() - known.read_at < REFRESH_S:
            return known
        try:
            with self._pool.connection(autocommit=True) as connection:
                row = spending.spent(connection, tenant.domain_uuid, tenant.time_zone)
        except DatabaseError as error:
            _log.warning("budget_not_read", domain_uuid=tenant.domain_uuid, error=str(error))
            known = known or _Spent(Decimal(0), Decimal(0), 0.0)
            fresh = dataclasses.replace(known, read_at=self._clock())
        else:
            fresh = _Spent(row["today_usd"], row["month_usd"], self._clock())
        self._spent[tenant.domain_uuid] = fresh
        return fresh

    def _tell_once(self, domain_uuid: str, state: BudgetState) -> None:
        """Log when a budget's level rises; it sinks again with the next day or month."""
        key = (domain_uuid, state.period)
        if state.level > self._told.get(key, BudgetLevel.OPEN):
            _log.warning(
                f"budget_{state.level.name.lower()}",
                domain_uuid=domain_uuid,
                period=state.period,
                spent_usd=str(state.spent_usd),
                limit_usd=str(state.limit_usd),
            )
        self._told[key] = state.level


def judge(spent_usd: Decimal, limit_usd: Decimal, warning_percent: int, period: str) -> BudgetState:
    """Return the state of one budget; one of 0 is exhausted from the start."""
    if spent_usd >= limit_usd:
        level = BudgetLevel.EXHAUSTED
    elif spent_usd * 100 >= limit_usd * warning_percent:
        level = BudgetLevel.WARNING
    else:
        level = BudgetLevel.OPEN
    return BudgetState(level, period, spent_usd, limit_usd)


def low_cost(entry: RouteEntry) -> RouteEntry | None:
    """Return `entry` with its `custom` providers only, None when it has none.

    For domains whose `budget_action` is BudgetAction.LOW_COST.
    """
    cheap = tuple(p for p in entry.providers if p.config.realtime_provider == "custom")
    if not cheap or entry.tenant.budget_action != BudgetAction.LOW_COST:
        return None
    return dataclasses.replace(entry, providers=cheap)
