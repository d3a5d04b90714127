"""From a tenant's settings to the plan of one transfer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from esl_controller.calls.transfer.destination import Destination
from esl_controller.calls.transfer.outcomes import Outcome
from esl_controller.calls.transfer.plan import Fallback, Mode, TransferPlan
from esl_controller.database.models import RouteEntry

NOBODY_TOOK_IT = (
    Outcome.BUSY,
    Outcome.NO_ANSWER,
    Outcome.DECLINED,
    Outcome.UNREACHABLE,
    Outcome.NO_VERDICT,
    Outcome.HUMAN_LEFT,
    Outcome.FAILED,
)
"""Outcomes that a rule may say something about."""


def rule_for(entry: RouteEntry, destination: Destination) -> Mapping[str, Any]:
    """What the tenant says of this destination; nothing where it is in no rule."""
    for rule in entry.secretary.transfer_rules:
        if str(rule["destination"]) == destination.number:
            return rule
    return {}


def planned(
    entry: RouteEntry, destination: Destination, reason: str, others: Sequence[Destination] = ()
) -> TransferPlan:
    """The secretary's wishes, and over them what its rule for the destination says.

    Args:
        others: whom `next` of the rule names, resolved.
    """
    rule, secretary = rule_for(entry, destination), entry.secretary
    return TransferPlan(
        (destination, *others),
        mode=Mode(rule.get("mode") or secretary.transfer_mode),
        reason=reason,
        ring_s=float(rule.get("ring_seconds") or secretary.transfer_ring_seconds),
        music=secretary.hold_music,
        returns=secretary.transfer_return,
        fallback=fallbacks(rule.get("fallback")),
        mailbox=str(rule.get("mailbox") or destination.mailbox),
    )


def fallbacks(said: str | Mapping[str, str] | None) -> Mapping[Outcome, Fallback]:
    """One word for every outcome, or an object with a word for some.

    Raises ValueError for words nobody knows.
    """
    if not said:
        return {}
    if isinstance(said, str):
        return dict.fromkeys(NOBODY_TOOK_IT, Fallback(said))
    return {Outcome(outcome): Fallback(what) for outcome, what in said.items()}
