"""One transfer of one call, from its plan to the last of its steps.

Everything here runs in the call's own greenlet; the attempts run beside it and post what they want.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import gevent
import structlog

from esl_controller.calls.conversation import Conversation
from esl_controller.calls.door import LegDoor
from esl_controller.calls.leg import Leg
from esl_controller.calls.site import ConversationSite
from esl_controller.calls.transfer.attempt import CANCEL_S, Attempt, CallerSide, Talk
from esl_controller.calls.transfer.briefing import Briefing
from esl_controller.calls.transfer.briefing_words import briefing, introduction
from esl_controller.calls.transfer.destination import Destination, Presence
from esl_controller.calls.transfer.outcome_words import told
from esl_controller.calls.transfer.outcomes import Outcome, status_of
from esl_controller.calls.transfer.plan import (
    BackToAi,
    Dial,
    Fallback,
    Mode,
    ToDialplan,
    ToMailbox,
    TransferPlan,
    next_step,
)
from esl_controller.calls.transfer.promised import Missed, Promise, errand_of, promised
from esl_controller.calls.transfer.returning import EXTENSION, Returned, Returning, variables
from esl_controller.calls.transfer.states import TransferEvent, TransferState
from esl_controller.calls.transfer.three_way import open_room
from esl_controller.esl.errors import CallGone, CommandFailed, EslError
from esl_controller.routes.identity import CallIdentity
from esl_controller.telemetry.metrics import Metrics
from esl_controller.tools.base import FunctionFailed
from esl_controller.tools.registry import tools_for

_log = structlog.get_logger("transfer")

RETURN_S, RETURN_LOOKS = 0.02, 25
"""A function that asks for a transfer returns at once: how often, and how many times it is seen
whether it has. Others may run longer."""
_NOT_WORTH_RINGING = {
    "busy": Outcome.BUSY,
    "dnd": Outcome.BUSY,
    "unregistered": Outcome.UNREACHABLE,
}
BLIND, MAILBOX = "blind", "voicemail"
"""Kinds of transfer, as rows call them."""


class Transferring(Protocol):
    """The call whose caller is to be connected."""

    @property
    def leg(self) -> Leg:
        """The caller's."""

    @property
    def door(self) -> LegDoor:
        """Where the human's leg comes."""

    @property
    def returning(self) -> Returning:
        """Callers who are away."""

    @property
    def site(self) -> ConversationSite:
        """What talks are made with."""

    @property
    def metrics(self) -> Metrics:
        """Of the worker."""

    def post(self, job: Callable[[], None]) -> None:
        """Have it done in the call's greenlet."""

    def hold(self, *, music: bool) -> None:
        """Part caller and agent; nothing when they are."""

    def go_on(self, words: str) -> None:
        """The transfer is over: the agent is told `words`, and the caller hears it again."""

    def hand_over(self, kind: str, number: str, reason: str) -> None:
        """Send the caller to a number, for good. Raises HandBack, CallGone."""

    def give_up(self, outcome: Outcome) -> None:
        """Send him to the tenant's fallback. Raises HandBack."""

    def joined(self, reason: str) -> None:
        """He talks with a human, and our socket has left."""


class Course:
    """Runs a plan. `attempt` is what is going on now."""

    def __init__(
        self, call: Transferring, talk: Conversation, identity: CallIdentity, plan: TransferPlan
    ) -> None:
        self.plan = plan
        self._call = call
        self._talk = talk
        self._identity = identity
        self._tried = 0
        self._attempt: Attempt | None = None
        self._greenlet: gevent.Greenlet[..., Any] | None = None

    def begin(self) -> None:
        """With the first destination."""
        self._try(self.plan.destinations[0])

    def call_off(self) -> None:
        """Stop, unless the two talk already."""
        if self._attempt is not None:
            self._attempt.post(TransferEvent.CALLED_OFF)

    def close(self) -> None:
        """The call is over: end what is going on, and see that nothing is left of it."""
        attempt, greenlet = self._attempt, self._greenlet
        if attempt is None or greenlet is None:
            return
        if attempt.state is not TransferState.JOINED:
            attempt.post(TransferEvent.CALLER_GONE)
        greenlet.join(timeout=CANCEL_S + 2)
        greenlet.kill(timeout=CANCEL_S)
        if attempt.outcome is not Outcome.ANSWERED:
            self._talk.record.transfer_decided(status_of(attempt.outcome), attempt.cause)

    # --- attempts --------------------------------------------------------------------------------

    def _try(self, destination: Destination) -> None:
        self._tried += 1
        plan, call = self.plan, self._call
        if self._tried > 1 and not self._may_dial(destination):
            return self._decide(destination, Outcome.UNREACHABLE)
        if plan.mode_for(destination) is Mode.BLIND:
            return call.hand_over(BLIND, destination.number, plan.reason)
        self._talk.record.transfer_tried(plan.mode.value, destination.number, plan.reason)
        presence = self._presence(destination)
        outcome = _NOT_WORTH_RINGING.get(presence.state)
        if presence.to and self._all_may_be_dialled(presence.to):
            destination = call.site.places.through_dialplan(self._talk.entry, destination)
        elif presence.to and presence.instead:
            outcome = Outcome.UNREACHABLE
        if outcome is not None:
            self._talk.keep_results()
            return call.post(partial(self._decide_when_asked, destination, outcome))
        first = self._tried == 1
        if first:
            self._talk.before_transfer()
        caller = CallerSide(
            call.leg,
            self._talk.entry,
            self._identity,
            quiet=(lambda: self._talk.session.quiet) if first else (lambda: True),
            hold=lambda: call.post(partial(call.hold, music=plan.music)),
            join=lambda leg: call.post(partial(self._join, leg)),
            brief=partial(self._brief, destination),
            over=lambda attempt: call.post(partial(self._over, attempt)),
        )
        self._attempt = attempt = Attempt(caller, call.door, destination, plan.ring_s)
        self._greenlet = gevent.spawn(attempt.run)

    def _may_dial(self, destination: Destination) -> bool:
        """Of who was not asked about when the plan was made: to ask is to count it."""
        why_not = self._call.site.places.may_dial(self._talk.entry, destination)
        if why_not is not None:
            _log.info("transfer.not_dialled", why=why_not)
        return why_not is None

    def _all_may_be_dialled(self, numbers: Sequence[str]) -> bool:
        """Where an extension is forwarded to."""
        places, entry = self._call.site.places, self._talk.entry
        return all(self._may_dial(places.of_number(entry, number)) for number in numbers)

    def _decide_when_asked(
        self, destination: Destination, outcome: Outcome, looks: int = RETURN_LOOKS
    ) -> None:
        """Nobody is rung; but the function that asked has yet to return, and is answered first."""
        if looks and self._talk.functions.running:
            again = partial(self._decide_when_asked, destination, outcome, looks - 1)
            gevent.spawn_later(RETURN_S, self._call.post, again)
        else:
            self._decide(destination, outcome)

    def _presence(self, destination: Destination) -> Presence:
        try:
            return self._call.site.places.presence(
                self._call.leg.esl, self._talk.entry, destination
            )
        except EslError as error:
            self._call.leg.require()
            return Presence("unknown", str(error))

    def _brief(
        self,
        destination: Destination,
        leg: Leg,
        verdict: Callable[[TransferEvent, str], None],
    ) -> Talk:
        talk, secretary = self._talk, self._talk.entry.secretary
        words = briefing(
            destination.name,
            self._identity,
            self.plan.reason,
            talk.session.transcript.history(),
            secretary.language,
        )
        site, metrics = self._call.site, self._call.metrics
        return Briefing(leg, talk.entry, self._identity, words, site, talk.record, metrics, verdict)

    def _join(self, human: Leg) -> None:
        """Both talk, and we are gone. The caller comes back by himself, if he is to."""
        attempt, call = self._attempt, self._call
        if attempt is None or attempt.state is not TransferState.JOINING:
            return
        call.leg.require()
        room = self._room(attempt.destination)
        try:
            if room:
                self._enter(room, human)
            else:
                call.leg.join(human, self._way_back())
        except CommandFailed as error:
            _log.warning("transfer.bridge_refused", error=str(error))
            attempt.post(TransferEvent.BRIDGE_REFUSED, str(error))
            if call.leg.left:  # the dialplan has the caller
                call.give_up(Outcome.FAILED)
            return
        attempt.post(TransferEvent.BRIDGED)
        if not room:
            human.part()
            call.leg.part()
        row = self._talk.record.transfer_decided(status_of(Outcome.ANSWERED))
        if self.plan.returns:
            history = self._talk.history()
            returned = Returned(history, attempt.destination.name, row)
            call.returning.keep(self._identity, returned)
        call.joined(self.plan.reason)

    def _room(self, destination: Destination) -> str:
        """Where the agent introduces them; empty: they are joined without a word."""
        call, talk = self._call, self._talk
        if self.plan.mode is not Mode.ATTENDED:
            return ""
        secretary = replace(talk.entry.secretary, barge_in=False)  # they greet each other
        entry = replace(talk.entry, secretary=secretary)
        words = introduction(destination.name, self._identity, self.plan.reason, secretary.language)

        def introduce(leg: Leg, heard: Callable[[TransferEvent, str], None]) -> Briefing:
            made_with = (entry, self._identity, words, call.site, talk.record, call.metrics)
            return Briefing(leg, *made_with, heard, leaves=True)

        return open_room(call.leg.esl, call.door, introduce)

    def _enter(self, room: str, human: Leg) -> None:
        """The human first: when he cannot, or has gone meanwhile, the caller is still ours."""
        try:
            human.enter(room, {})
        except CallGone as error:
            raise CommandFailed("conference", error.reason) from error
        back = self._way_back()
        after = f"{EXTENSION} XML {self._talk.entry.domain_name}" if back else ""
        self._call.leg.enter(room, {"voice_ai_outcome": "transfer_failed", **back}, after)

    def _way_back(self) -> dict[str, str]:
        if not self.plan.returns:
            return {}
        call, record = self._call, self._talk.record
        address = call.door.address_for(call.leg.esl)
        conversation_uuid, transfer_uuid = record.row.conversation_uuid, record.transfer_uuid
        return dict(variables(self._talk.entry, address, conversation_uuid, transfer_uuid))

    # --- what follows ----------------------------------------------------------------------------

    def _over(self, attempt: Attempt) -> None:
        if attempt is not self._attempt:
            return
        self._attempt = self._greenlet = None
        if attempt.state is not TransferState.JOINED:
            self._decide(attempt.destination, attempt.outcome, attempt.words, attempt.cause)

    def _decide(
        self, destination: Destination, outcome: Outcome, words: str = "", cause: str = ""
    ) -> None:
        row = self._talk.record.transfer_decided(status_of(outcome), cause)
        transfer_uuid = "" if row is None else row.transfer_uuid
        key = self._talk.record.row.conversation_uuid
        missed = Missed(
            self._identity, destination.name, outcome, self.plan.reason, transfer_uuid, key
        )
        step = next_step(self.plan, self._tried, outcome)
        if isinstance(step, Dial):
            self._try(step.destination)
        elif isinstance(step, BackToAi):
            self._back(missed, step.errand, words)
        elif isinstance(step, ToMailbox):
            self._to_mailbox(step, missed)
        elif isinstance(step, ToDialplan):
            self._call.give_up(step.outcome)

    def _back(self, missed: Missed, wanted: Fallback, words: str = "") -> None:
        """The agent is told what was done, and no more than that."""
        promise = self._leave_behind(missed, wanted)
        self._call.go_on(told(missed.name, missed.outcome, promise, words))

    def _leave_behind(self, missed: Missed, wanted: Fallback) -> Promise:
        talk = self._talk
        promise = promised(wanted, talk.entry, tools_for(talk.entry))
        left = errand_of(promise, wanted, missed, talk.entry, datetime.now(UTC))
        try:
            if left is not None:
                talk.record.promises.add(left)
        except FunctionFailed as error:
            _log.warning("transfer.nothing_left_behind", why=str(error))
            return Promise.IMPOSSIBLE
        return promise

    def _to_mailbox(self, step: ToMailbox, missed: Missed) -> None:
        mailbox = self._call.site.places.of_number(self._talk.entry, step.number)
        if self._may_dial(mailbox):
            self._call.hand_over(MAILBOX, step.number, self.plan.reason)
        else:
            self._back(missed, Fallback.MESSAGE)
