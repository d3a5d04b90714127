"""Where would a call to a number go now, and why? Judged as the next call will be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from esl_controller.database.models import RouteEntry, TurnBasedEntry
from esl_controller.money.budget import BudgetState
from esl_controller.routes.admission import Admission
from esl_controller.routes.routing import HandBack, Outcome, as_chosen
from esl_controller.tenants.providers import NoProvider, own_provider, require_session
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.source import ConfigSource
from esl_controller.tools.registry import offered_tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a call would meet."""

    outcome: Outcome
    why: str
    destination: str | None = None
    """The extension the caller is sent to; None leaves it to the dialplan's next action."""
    entry: RouteEntry | TurnBasedEntry | None = None
    problems: Sequence[str] = ()
    """What is wrong with the settings, and makes the call be handed back."""
    warnings: Sequence[str] = ()
    """What is wrong, and is done without: a field's default is used, or a provider left out."""
    budget: BudgetState | None = None

    @property
    def secretary(self) -> str | None:
        """Name of who has the number."""
        if isinstance(self.entry, RouteEntry):
            return self.entry.secretary.secretary_name
        return None if self.entry is None else self.entry.secretary_name

    @property
    def providers(self) -> list[str]:
        """Labels in the order they are tried."""
        if not isinstance(self.entry, RouteEntry):
            return []
        return [access.config.provider_label for access in self.entry.providers]


def judge(source: ConfigSource, admission: Admission, domain_uuid: str, extension: str) -> Verdict:
    """Read the settings afresh, and judge a call to `extension`. Raises DatabaseError."""
    try:
        entry = source.load(domain_uuid, extension)
    except ConfigError as error:
        why = "the settings are wrong"
        return Verdict(
            outcome=Outcome.UNAVAILABLE,
            why=why,
            problems=error.problems,
            warnings=error.warnings,
        )
    if entry is None:
        return Verdict(outcome=Outcome.NOT_OURS, why="no secretary has this number")
    if isinstance(entry, TurnBasedEntry):
        why = "the secretary is set to the turn-based service"
        return Verdict(outcome=Outcome.TURN_BASED, why=why, entry=entry)
    return _judge_realtime(admission, entry)


def _judge_realtime(admission: Admission, entry: RouteEntry) -> Verdict:
    budget = admission.budget.check(entry.tenant)
    try:
        served = admission.judge(entry)
        problems = _unusable(served)
        if len(problems) == len(served.providers):
            raise HandBack(Outcome.UNAVAILABLE, None, "no provider can be used")
    except HandBack as reason:
        return _handed_back(entry, as_chosen(entry, reason), budget)
    return Verdict(
        outcome=Outcome.REALTIME,
        why="answered by the AI" if _is_open(served) else "closed, which the AI explains",
        entry=served,
        warnings=(*entry.warnings, *problems),
        budget=budget,
    )


def _is_open(entry: RouteEntry) -> bool:
    return entry.opening is None or entry.opening.open


def _handed_back(entry: RouteEntry, reason: HandBack, budget: BudgetState) -> Verdict:
    destination = reason.extension
    if destination is None and reason.outcome.needs_somebody:
        destination = entry.secretary.fallback_extension
    unusable = _unusable(entry)
    return Verdict(
        outcome=reason.outcome,
        why=str(reason),
        destination=destination,
        entry=entry,
        problems=unusable if len(unusable) == len(entry.providers) else (),
        warnings=entry.warnings,
        budget=budget,
    )


def _unusable(entry: RouteEntry) -> list[str]:
    """Providers with which no session could be opened, and why."""
    problems, tools = [], offered_tools(entry)
    own = own_provider(entry.secretary, entry.providers)
    for access in entry.providers:
        try:
            require_session(access, entry.secretary, tools, own=access is own)
        except NoProvider as error:
            problems.append(f"provider {access.config.provider_label!r}: {error}")
    return problems
