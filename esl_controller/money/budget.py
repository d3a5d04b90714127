"""What a domain may still spend today and this month.

Sums come from the database, are kept a few seconds and grow in between by what this worker's own
calls cost. While the database is away the last sums count on: a caller is not turned away for it.
"""

from __future__ import annotations

import dataclasses
import enum
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import structlog

from bridge.providers.registry import DESCRIPTORS
from esl_controller.database.models import ProviderAccess, RouteEntry, TenantSettings
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import spending

REFRESH_S = 15.0
SHOWN_S = 600.0
"""A sum older than that may be of another day."""
LONGEST_WAIT_S = 1.0
"""A caller waits this long for sums to be read, ringing."""
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
    tenant: TenantSettings
    """As they were when last looked at."""
    today_usd: Decimal = Decimal(0)
    month_usd: Decimal = Decimal(0)
    read_at: float = 0.0

    def states(self) -> list[BudgetState]:
        """The state of each budget the domain has."""
        tenant = self.tenant
        budgets = (
            ("day", self.today_usd, tenant.daily_budget_usd),
            ("month", self.month_usd, tenant.monthly_budget_usd),
        )
        return [
            judge(spent_usd, limit_usd, tenant.budget_warning_percent, period)
            for period, spent_usd, limit_usd in budgets
            if limit_usd is not None
        ]


class BudgetGuard:
    """Watches every domain's budgets for one worker.

    `on_reached` is told each time a budget gets to WARNING or EXHAUSTED; it must not wait.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        on_reached: Callable[[TenantSettings, BudgetState], object] = lambda _tenant, _state: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._on_reached = on_reached
        self._clock = clock
        self._spent: dict[str, _Spent] = {}
        self._told: dict[tuple[str, str], BudgetLevel] = {}

    def check(self, tenant: TenantSettings) -> BudgetState:
        """Return how far the domain is; waits for the database only where sums are old."""
        if tenant.daily_budget_usd is None and tenant.monthly_budget_usd is None:
            return BudgetState(BudgetLevel.OPEN)
        spent = self._current(tenant)
        self._tell(spent)
        return max(spent.states(), key=lambda state: state.level)

    def used(self) -> Iterator[tuple[tuple[str, str], float]]:
        """Domain and period, and used share, of each budget looked at in the last ten minutes."""
        for domain_uuid, spent in self._spent.items():
            if self._clock() - spent.read_at < SHOWN_S:
                for state in spent.states():
                    yield (domain_uuid, state.period), _share(state)

    def add(self, domain_uuid: str, cost_usd: Decimal | None) -> None:
        """Count what a call of this worker just cost, until the sums are read again."""
        spent = self._spent.get(domain_uuid)
        if spent is not None and cost_usd is not None:
            spent.today_usd += cost_usd
            spent.month_usd += cost_usd
            self._tell(spent)

    def _current(self, tenant: TenantSettings) -> _Spent:
        known = self._spent.get(tenant.domain_uuid) or _Spent(tenant, read_at=-REFRESH_S)
        if self._clock() - known.read_at < REFRESH_S:
            known.tenant = tenant
            return known
        try:
            with self._pool.connection(autocommit=True, limit_s=LONGEST_WAIT_S) as connection:
                row = spending.spent(connection, tenant.domain_uuid, tenant.time_zone)
        except DatabaseError as error:
            _log.warning("budget_not_read", domain_uuid=tenant.domain_uuid, error=str(error))
            fresh = dataclasses.replace(known, tenant=tenant, read_at=self._clock())
        else:
            fresh = _Spent(tenant, row["today_usd"], row["month_usd"], self._clock())
        self._spent[tenant.domain_uuid] = fresh
        return fresh

    def _tell(self, spent: _Spent) -> None:
        """Log when a budget's level rises; it sinks again with the next day or month."""
        domain_uuid = spent.tenant.domain_uuid
        for state in spent.states():
            key = (domain_uuid, state.period)
            if state.level > self._told.get(key, BudgetLevel.OPEN):
                self._on_reached(spent.tenant, state)
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


def _share(state: BudgetState) -> float:
    return float(state.spent_usd / state.limit_usd) if state.limit_usd else 1.0


def low_cost(entry: RouteEntry, usable: Callable[[ProviderAccess], bool]) -> RouteEntry | None:
    """Return `entry` with those of its low-cost providers that are `usable`; None without any."""
    cheap = tuple(
        access
        for access in entry.providers
        if DESCRIPTORS[access.config.realtime_provider].low_cost and usable(access)
    )
    return dataclasses.replace(entry, providers=cheap) if cheap else None
