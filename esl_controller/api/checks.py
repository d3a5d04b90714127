"""Handler: where would a call to a number go now, and why?"""

from __future__ import annotations

from dataclasses import dataclass, field

from esl_controller.api.gates import Gate
from esl_controller.api.resources import Resources
from esl_controller.api.routing import Request
from esl_controller.api.schemas import BudgetView, ExtensionCheck
from esl_controller.budget import BudgetState
from esl_controller.config_rules import ConfigError
from esl_controller.conversation_plan import NoProvider, provider_protocol
from esl_controller.models import RouteEntry, TurnBasedEntry
from esl_controller.routing import HandBack, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    outcome: Outcome
    why: str
    destination: str | None = None
    entry: RouteEntry | TurnBasedEntry | None = None
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    budget: BudgetState | None = None


def check_extension(resources: Resources, request: Request) -> ExtensionCheck:
    """Read the settings afresh, and judge as the next call will be judged."""
    extension = request.path["extension"]
    verdict = judge(resources, request.domain_uuid, extension)
    entry, budget = verdict.entry, verdict.budget
    labels = (
        [access.config.provider_label for access in entry.providers]
        if isinstance(entry, RouteEntry)
        else []
    )
    return ExtensionCheck(
        extension=extension,
        outcome=verdict.outcome.value,  # type: ignore[arg-type]  # those `judge` can reach
        destination=verdict.destination,
        why=verdict.why,
        secretary=_name(entry),
        providers=labels,
        budget=None if budget is None else _budget(budget),
        problems=verdict.problems,
        warnings=verdict.warnings,
    )


def judge(resources: Resources, domain_uuid: str, extension: str) -> _Verdict:
    """What a call to `extension` would meet. Raises DatabaseError."""
    try:
        with resources.gates.through(Gate.READ):
            entry = resources.source.load(domain_uuid, extension)
    except ConfigError as error:
        why = "the settings are wrong"
        return _Verdict(outcome=Outcome.UNAVAILABLE, why=why, problems=list(error.problems))
    if entry is None:
        return _Verdict(outcome=Outcome.NOT_OURS, why="no secretary has this number")
    if isinstance(entry, TurnBasedEntry):
        why = "the secretary is set to the turn-based service"
        return _Verdict(outcome=Outcome.TURN_BASED, why=why, entry=entry)
    return _judge_realtime(resources, entry)


def _judge_realtime(resources: Resources, entry: RouteEntry) -> _Verdict:
    budget = resources.admission.budget.check(entry.tenant)
    problems, warnings = [], list(entry.warnings)
    try:
        served = resources.admission.judge(entry)
    except HandBack as reason:
        return _Verdict(
            outcome=reason.outcome,
            why=str(reason),
            destination=reason.extension,
            entry=entry,
            warnings=warnings,
            budget=budget,
        )
    for access in served.providers:
        try:
            provider_protocol(access)
        except NoProvider as error:
            problems.append(f"provider {access.config.provider_label!r}: {error}")
    usable = len(problems) < len(served.providers)
    return _Verdict(
        outcome=Outcome.REALTIME if usable else Outcome.UNAVAILABLE,
        why="answered by the AI" if usable else "no provider can be used",
        destination=None if usable else entry.secretary.fallback_extension,
        entry=served,
        problems=[] if usable else problems,
        warnings=warnings + problems if usable else warnings,
        budget=budget,
    )


def _name(entry: RouteEntry | TurnBasedEntry | None) -> str | None:
    if isinstance(entry, RouteEntry):
        return entry.secretary.secretary_name
    return None if entry is None else entry.secretary_name


def _budget(state: BudgetState) -> BudgetView:
    return BudgetView(
        level=state.level.name.lower(),  # type: ignore[arg-type]  # the names of BudgetLevel
        period=state.period,
        spent_usd=state.spent_usd,
        limit_usd=state.limit_usd,
    )
