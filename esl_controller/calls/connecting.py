"""A call's transfers: `course.Transferring`, in the call's own greenlet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import gevent

from bridge.ports import EndCause
from esl_controller.calls.conversation import Conversation
from esl_controller.calls.departure import Departure, Leaving
from esl_controller.calls.door import LegDoor
from esl_controller.calls.hold_music import hold_music
from esl_controller.calls.leg import Leg
from esl_controller.calls.site import ConversationSite
from esl_controller.calls.states import CallEvent, CallState
from esl_controller.calls.transfer.course import BLIND, RETURN_LOOKS, RETURN_S, Course
from esl_controller.calls.transfer.outcome_words import BUSY_WITH_ANOTHER
from esl_controller.calls.transfer.outcomes import Outcome as TransferOutcome
from esl_controller.calls.transfer.plan import TransferPlan
from esl_controller.calls.transfer.returning import Returning
from esl_controller.routes.routing import HandBack, Outcome
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics

TAKEOVER = "takeover"
"""Kind of a transfer that a supervisor has wanted, as its row calls it."""


class Owner(Leaving, Protocol):
    """The call."""

    departure: Departure
    site: ConversationSite
    door: LegDoor
    returning: Returning
    metrics: Metrics

    def post(self, job: Callable[[], None]) -> None:
        """Have it done in the call's greenlet."""


class Connecting:
    """What transfers of one call there are: one at a time."""

    def __init__(self, call: Owner) -> None:
        self.next: tuple[str, str, str] | None = None
        """Kind, number and reason of a hand-over, once the last words have been heard."""
        self.leg: Leg = call.leg
        self.site = call.site
        self.door = call.door
        self.returning = call.returning
        self.metrics = call.metrics
        self.post = call.post
        self._call = call
        self._course: Course | None = None
        self._draining = False

    @property
    def waits(self) -> bool:
        """The caller waits for a human, who may come although the agent has gone."""
        return self._call.state is CallState.HELD and self._course is not None

    def begin(self, plan: TransferPlan) -> None:
        """Unless a transfer goes on, or the conversation is ending."""
        talk, identity = self._call.talk, self._call.identity
        if talk is None or identity is None or talk.end is not None or talk.session.closing:
            return
        if self._course is not None:
            talk.tell(BUSY_WITH_ANOTHER, respond=False)
            return
        self._course = Course(self, talk, identity, plan)
        self._course.begin()

    def take_over(self, number: str, reason: str) -> None:
        """To a number somebody has chosen, whoever is being rung."""
        talk = self._call.talk
        if talk is None or talk.end is not None or talk.session.closing:
            return
        self.close()
        self.hand_over(TAKEOVER, number, reason)

    def call_off(self) -> None:
        """Stop the one that goes on."""
        if self._course is not None:
            self._course.call_off()

    def end_call(self, looks: int = RETURN_LOOKS) -> None:
        """The model says good-bye, unless the caller is being connected: it may ask for both in one
        answer, whose functions return in any order."""
        talk = self._call.talk
        if talk is None or self._course is not None:
            return
        if looks and talk.functions.running:
            talk.keep_results()
            gevent.spawn_later(RETURN_S, self.post, partial(self.end_call, looks - 1))
        else:
            talk.finish(EndCause.FINISHED)

    def without_agent(self) -> None:
        """It has left a caller to whom it said whom it connects to: he goes there unannounced."""
        course = self._course
        if course is not None:
            self.close()
            self.next = (BLIND, course.plan.destinations[0].number, course.plan.reason)

    def drain(self) -> None:
        """The worker is going: a good-bye, to a caller on hold once he hears us again."""
        talk = self._call.talk
        if talk is None:
            return
        self._draining = True
        if self.waits:
            self.call_off()
        else:
            talk.finish(EndCause.DRAINED, always_good_bye=True)

    def close(self) -> None:
        """The call is over, or goes elsewhere: no human is rung for it any more."""
        course, self._course = self._course, None
        if course is not None:
            course.close()

    # --- what a course asks ----------------------------------------------------------------------

    def hold(self, *, music: bool) -> None:
        """Part caller and agent."""
        talk = self._call.talk
        if talk is not None and self._call.state is CallState.TALKING:
            self._call.step(CallEvent.HOLD)
            talk.part(hold_music() if music else None)

    def go_on(self, words: str) -> None:
        """It came to nothing: the agent is told, and the caller hears it again."""
        self._course = None
        talk = self._call.talk
        if talk is None:
            return
        if self._call.state is CallState.HELD:
            self._call.step(CallEvent.RESUME)
        talk.go_on(words)
        if self._draining:
            self.drain()

    def hand_over(self, kind: str, number: str, reason: str) -> None:
        """For good: once the agent's last words have been heard, or at once to who is on hold."""
        talk = self._talk()
        if self._call.state is CallState.HELD:
            self._call.departure.hand_over(talk, kind, number, reason)
        else:
            self.next = (kind, number, reason)
            talk.announce_transfer()

    def give_up(self, outcome: TransferOutcome) -> None:
        """To the tenant's fallback."""
        raise HandBack(Outcome.TRANSFER_FAILED, m.ErrorCode.TRANSFER_FAILED, outcome.value)

    def joined(self, reason: str) -> None:
        """The caller talks with a human."""
        self._call.departure.joined(reason)

    def _talk(self) -> Conversation:
        talk = self._call.talk
        assert talk is not None  # there is no course without
        return talk
