"""What a transfer is to do, and what comes after each attempt. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from esl_controller.calls.transfer.destination import Destination
from esl_controller.calls.transfer.outcomes import Outcome


class Mode(enum.Enum):
    """How the caller is connected."""

    BLIND = "blind"
    """Handed over at once: who answers knows nothing, and nothing comes back."""
    ANNOUNCED = "announced"
    """The human hears who calls and why, and takes the call or does not."""
    ATTENDED = "attended"
    """The same, and the agent introduces the two to each other before it leaves."""


class Fallback(enum.Enum):
    """What is done when nobody took the call."""

    AI = "ai"
    """Back to the conversation; the model is told the outcome."""
    NEXT = "next"
    """The next destination of the plan; after the last as AI."""
    VOICEMAIL = "voicemail"
    """To the mailbox of who was called."""
    TICKET = "ticket"
    CALLBACK = "callback"
    MESSAGE = "message"
    HAND_BACK = "hand_back"
    """To the tenant's fallback extension, or the dialplan."""


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """One transfer, decided before it begins."""

    destinations: tuple[Destination, ...]
    """At least one; those behind the first are what NEXT means."""
    mode: Mode = Mode.BLIND
    reason: str = ""
    """What the caller wants, in the words of who asked for the transfer."""
    ring_s: float = 25.0
    """Longest ringing of one destination."""
    music: bool = True
    """For the caller who waits; else silence."""
    returns: bool = False
    """When the human hangs up the caller is with the AI again."""
    fallback: Mapping[Outcome, Fallback] = field(default_factory=dict)
    """Where nothing is said of an outcome: AI."""
    mailbox: str = ""
    """Number that leads to the mailbox of the first destination; empty: there is none."""

    def __post_init__(self) -> None:
        if not self.destinations:
            raise ValueError("a transfer without a destination")

    def mode_for(self, destination: Destination) -> Mode:
        """What can be done: who answers by himself cannot be asked."""
        return self.mode if destination.announceable else Mode.BLIND


@dataclass(frozen=True, slots=True)
class Dial:
    """Try this one."""

    destination: Destination


@dataclass(frozen=True, slots=True)
class BackToAi:
    """The conversation goes on."""

    outcome: Outcome
    errand: Fallback = Fallback.AI
    """AI, or TICKET, CALLBACK or MESSAGE: what is left behind."""


@dataclass(frozen=True, slots=True)
class ToMailbox:
    """Blind, to this number."""

    number: str


@dataclass(frozen=True, slots=True)
class ToDialplan:
    """Handed back as a transfer that failed."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing is left to do: the caller talks to a human, or has gone."""

    outcome: Outcome


Step = Dial | BackToAi | ToMailbox | ToDialplan | Over


def next_step(plan: TransferPlan, attempts: int, outcome: Outcome) -> Step:
    """What follows an attempt.

    Args:
        attempts: how many destinations were tried, this one included.
    """
    if outcome in (Outcome.ANSWERED, Outcome.CALLER_GONE):
        return Over(outcome)
    if outcome is Outcome.CALLED_OFF:
        return BackToAi(outcome)
    wanted = plan.fallback.get(outcome, Fallback.AI)
    if wanted is Fallback.NEXT:
        left = plan.destinations[attempts:]
        return Dial(left[0]) if left else BackToAi(outcome)
    if wanted is Fallback.VOICEMAIL:
        return ToMailbox(plan.mailbox) if plan.mailbox else BackToAi(outcome, Fallback.MESSAGE)
    if wanted is Fallback.HAND_BACK:
        return ToDialplan(outcome)
    return BackToAi(outcome, wanted)
