"""How a call lets go of its caller, and what is written down of that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import structlog

from bridge.ports import EndCause
from esl_controller.calls.conversation import Conversation
from esl_controller.calls.giving_back import GivingBack
from esl_controller.calls.hand_back import destination, send_on, transfer_to
from esl_controller.calls.leg import Leg
from esl_controller.calls.states import CALL_TABLE, CallEvent, CallState
from esl_controller.database.models import RouteEntry
from esl_controller.esl.dialable import NotDialable
from esl_controller.esl.errors import CallGone, EslError
from esl_controller.record.conversation import CallBook
from esl_controller.record.outcome import Ending, handed_back, own_ending, turned_away
from esl_controller.routes.identity import CallIdentity
from esl_controller.routes.routing import HandBack, Outcome, as_chosen
from esl_controller.telemetry import catalogue as m

_log = structlog.get_logger("call")


class Leaving(Protocol):
    """The call, as far as its end is concerned."""

    state: CallState
    leg: Leg
    talk: Conversation | None
    identity: CallIdentity | None
    entry: RouteEntry | None
    seat: GivingBack

    def step(self, event: CallEvent) -> None:
        """Move the call."""


@dataclass(slots=True)
class Departure:
    """The end of one call."""

    call: Leaving
    book: CallBook
    ending: Ending | None = None
    """How it was handed on; None while nobody has."""

    def hand_over(self, talk: Conversation, kind: str, extension: str, reason: str) -> None:
        """To another number of the tenant, for good.

        Raises HandBack when it is refused, CallGone.
        """
        call = self.call
        call.leg.stop_media()
        talk.record.transfer_tried(kind, extension, reason)
        call.seat.close()
        try:
            transfer_to(call.leg, talk.entry, extension)
        except CallGone:
            talk.record.transfer_decided("cancelled")
            raise
        except (NotDialable, EslError) as error:
            talk.record.transfer_decided("failed")
            code = m.ErrorCode.TRANSFER_FAILED
            raise HandBack(Outcome.TRANSFER_FAILED, code, str(error)) from error
        talk.record.transfer_decided("passed_on")
        self.ending = Ending("transferred", EndCause.FINISHED.value, None, reason)
        call.step(CallEvent.HAND_BACK)

    def joined(self, reason: str) -> None:
        """The caller talks with a human; our socket has left."""
        self.ending = Ending("transferred", EndCause.FINISHED.value, None, reason)
        self.call.step(CallEvent.JOINED)
        self.call.seat.close()

    def hand_back(self, reason: HandBack) -> None:
        """Let the dialplan go on, with the reason in `voice_ai_outcome`."""
        call, metrics = self.call, self.book.metrics
        if not CALL_TABLE.allows(call.state, CallEvent.HAND_BACK):
            return
        if call.leg.taken:
            return self.let_go(call.leg.taken)
        metrics.count(m.CALLS_REFUSED, reason.outcome.value)
        if call.entry is not None:
            reason = as_chosen(call.entry, reason)
        if reason.code is not None:
            metrics.count(m.ERRORS, reason.code.value)
        talk, outcome = call.talk, reason.outcome.value
        who = {} if call.identity is None else call.identity.for_log
        _log.info("call.handed_back", outcome=outcome, why=str(reason), **who)
        self.ending = turned_away(reason)
        if talk is not None:
            self.ending = handed_back(reason, talk.end, talk.trouble)
        call.step(CallEvent.HAND_BACK)
        try:
            if talk is not None:
                talk.stop()
            call.seat.close()
            if destination(call.entry, reason) is not None:
                metrics.count(m.FALLBACKS, "extension")
            send_on(call.leg, call.entry, reason)
        except EslError as error:
            _log.info("call.gone_before_hand_back", error=str(error))

    def let_go(self, how: str) -> None:
        """The caller is with somebody else: nobody may hear him here, nothing is done to him."""
        call = self.call
        if CALL_TABLE.allows(call.state, CallEvent.HAND_BACK):
            _log.info("call.taken_away", how=how)
            call.step(CallEvent.HAND_BACK)
            self.ending = Ending("transferred", "taken_away", None, how)
            if call.talk is not None:
                call.talk.stop()

    def stopped(self) -> None:
        """By force, with the worker: the dialplan must have the caller."""
        why = "the worker was stopped"
        if self.call.talk is not None:
            self.call.talk.session.end(EndCause.STOPPED, why)
        self.hand_back(HandBack(Outcome.FAILED, None, why))

    def wait_for_hangup(self) -> None:
        """Until its cause is known."""
        if self.call.state is CallState.CLOSING:
            self.call.leg.wait_for_hangup()

    def write_end(self) -> None:
        """The rows of a call that is over."""
        call, ending = self.call, self.ending or self._own_ending()
        talk = call.talk
        if talk is not None:
            talk.record.end(ending, talk.session.turns)
            turns = talk.session.turns
            _log.info("call.ended", outcome=ending.outcome, end_cause=ending.cause, turns=turns)
        elif call.identity is not None and self._is_ours(ending):
            self.book.turned_away(call.identity, call.entry, ending)

    def _is_ours(self, ending: Ending) -> bool:
        """A number that is set to turn_based is served by version 1, whose rows tell of it."""
        return self.call.entry is not None or ending.cause != Outcome.TURN_BASED.value

    def _own_ending(self) -> Ending:
        """Neither handed on nor taken away."""
        call = self.call
        return own_ending(
            None if call.talk is None else call.talk.end,
            answered=call.talk is not None and call.talk.answered,
            hangup_cause=call.leg.hangup_cause,
            cut=call.state is CallState.CLOSING and not call.leg.hungup,
        )
