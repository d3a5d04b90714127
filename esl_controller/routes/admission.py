"""Whether a call may be served now: hours, budget, and places left for its tenant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from bridge.wire.turns import others_first
from esl_controller.database.hours import Opening
from esl_controller.database.models import BudgetAction, RouteEntry
from esl_controller.money.budget import BudgetGuard, BudgetLevel, low_cost
from esl_controller.routes.hours import opening_of
from esl_controller.routes.places import CallLeases, Refusal
from esl_controller.routes.routing import HandBack, Outcome
from esl_controller.tenants.providers import is_usable

_FULL = {
    Refusal.TOTAL: "no place left: limit of the installation reached",
    Refusal.DOMAIN: "no place left: limit of the domain reached",
    Refusal.SECRETARY: "no place left: limit of the secretary reached",
    Refusal.PROVIDER: "no place left: limit of the domain's providers reached",
}
_SPENT = {
    "day": "budget of the day used up ({} of {} USD)",
    "month": "budget of the month used up ({} of {} USD)",
}


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

    def admit(self, entry: RouteEntry, call_uuid: str, *, back: bool = False) -> RouteEntry:
        """Take a place for the call and return the settings it is to be served with.

        `back`: the caller was here before and returns from a human, whatever time it is by now.

        Raises:
            HandBack: closed, out of budget, or no place left; it says where the caller goes.
        """
        entry = replace(entry, opening=self.opening(entry))
        entry = self._within_budget(entry) if back else self._allowed(entry)
        return _placed(entry, self._leases.acquire(entry, call_uuid))

    def judge(self, entry: RouteEntry) -> RouteEntry:
        """The settings a call would be served with now, taking no place.

        Raises HandBack as `admit` would, and DatabaseError when places cannot be counted.
        """
        entry = self._allowed(replace(entry, opening=self.opening(entry)))
        return _placed(entry, self._leases.room(entry))

    def opening(self, entry: RouteEntry) -> Opening:
        """Whether the secretary is open now, and until when."""
        return opening_of(entry, self._now(), pause=others_first)

    def release(self, domain_uuid: str, call_uuid: str) -> None:
        """The call is over; never waits."""
        self._leases.release(domain_uuid, call_uuid)

    def _allowed(self, entry: RouteEntry) -> RouteEntry:
        self._check_hours(entry)
        return self._within_budget(entry)

    def _check_hours(self, entry: RouteEntry) -> None:
        now = entry.opening
        if now is not None and not now.open and entry.secretary.closed_action != "answer":
            why = f"outside the secretary's hours ({now.at.tzinfo}){_until(now)}"
            raise HandBack(Outcome.CLOSED, None, why, extension=entry.secretary.closed_extension)

    def _within_budget(self, entry: RouteEntry) -> RouteEntry:
        state = self.budget.check(entry.tenant)
        if state.level is not BudgetLevel.EXHAUSTED:
            return entry
        why = _SPENT[state.period].format(state.spent_usd, state.limit_usd)
        action = entry.tenant.budget_action
        if action == BudgetAction.HUMAN:
            raise HandBack(Outcome.BUDGET, None, why, extension=entry.tenant.human_extension)
        if action == BudgetAction.LOW_COST:
            cheap = low_cost(entry, is_usable)
            if cheap is not None:
                return cheap
            why += "; the domain has no low-cost provider that can be used"
        raise HandBack(Outcome.TURN_BASED, None, why)


def _until(now: Opening) -> str:
    return f"; open again {now.next_open_at:%Y-%m-%d %H:%M}" if now.next_open_at else ""


def _placed(entry: RouteEntry, place: RouteEntry | Refusal) -> RouteEntry:
    if isinstance(place, RouteEntry):
        return place
    raise HandBack(
        Outcome.OVERFLOW, None, _FULL[place], extension=entry.secretary.overflow_extension
    )
