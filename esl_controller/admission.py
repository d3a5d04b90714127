"""Whether a call may be served now: hours, budget, and places left for its tenant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from esl_controller.budget import BudgetGuard, BudgetLevel, low_cost
from esl_controller.business_hours import is_open
from esl_controller.call_leases import CallLeases
from esl_controller.models import BudgetAction, RouteEntry
from esl_controller.routing import HandBack, Outcome


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Admission:
    """Asked once per call, before anything is connected."""

    def __init__(
        self,
        budget: BudgetGuard,
        leases: CallLeases,
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.budget = budget
        self._leases = leases
        self._now = now

    def admit(self, entry: RouteEntry, call_uuid: str) -> RouteEntry:
        """Take a place for the call and return the settings it is to be served with.

        Raises:
            HandBack: closed, out of budget, or no place left; it says where the caller goes.
        """
        entry = self.judge(entry)
        refusal = self._leases.acquire(entry, call_uuid)
        if refusal is not None:
            extension = entry.secretary.overflow_extension
            why = f"no place left: {refusal.value}"
            raise HandBack(Outcome.OVERFLOW, None, why, extension=extension)
        return entry

    def judge(self, entry: RouteEntry) -> RouteEntry:
        """The settings a call would be served with now, taking no place. Raises HandBack."""
        self._check_hours(entry)
        return self._within_budget(entry)

    def release(self, domain_uuid: str, call_uuid: str) -> None:
        """The call is over; never waits."""
        self._leases.release(domain_uuid, call_uuid)

    def _check_hours(self, entry: RouteEntry) -> None:
        secretary = entry.secretary
        zone = secretary.time_zone or entry.tenant.time_zone
        if not is_open(secretary.business_hours, zone, self._now()):
            raise HandBack(Outcome.CLOSED, extension=secretary.closed_extension)

    def _within_budget(self, entry: RouteEntry) -> RouteEntry:
        state = self.budget.check(entry.tenant)
        if state.level is not BudgetLevel.EXHAUSTED:
            return entry
        why = f"budget of the {state.period} used up"
        action = entry.tenant.budget_action
        if action == BudgetAction.LOW_COST and (cheap := low_cost(entry)) is not None:
            return cheap
        if action == BudgetAction.HUMAN:
            raise HandBack(Outcome.BUDGET, None, why, extension=entry.tenant.human_extension)
        raise HandBack(Outcome.TURN_BASED, None, why)
