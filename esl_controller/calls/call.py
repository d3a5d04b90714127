"""One call, from FreeSWITCH's connection to `exit`.

The call runs in one greenlet. The session and FreeSWITCH's events reach it as jobs in its inbox,
so that nothing here runs on the hub and no two things happen to a call at once. What it takes it
puts on a stack at once, so that it is given back whatever fails.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import gevent
import structlog

from bridge.ports import EndCause, SessionEnd
from bridge.providers.base import ErrorKind
from esl_controller.calls.conversation import Conversation, ConversationSite
from esl_controller.calls.hand_back import destination, send_on, transfer_to
from esl_controller.calls.jobs import Inbox
from esl_controller.calls.leg import Leg, TakenAway
from esl_controller.calls.media_site import MediaUnavailable
from esl_controller.calls.phrases import Phrase
from esl_controller.calls.registry import Calls
from esl_controller.calls.states import CALL_TABLE, MAY_START_MEDIA, CallEvent, CallState
from esl_controller.calls.transfer.places import Places
from esl_controller.calls.transfer.plan import TransferPlan
from esl_controller.database.models import OutboundCall, RouteEntry
from esl_controller.esl.dialable import NotDialable
from esl_controller.esl.errors import CallGone, EslError
from esl_controller.esl.events import ChannelData
from esl_controller.esl.session import ControllerSession
from esl_controller.record.conversation import CallBook
from esl_controller.record.outcome import (
    Ending,
    code_of,
    handed_back,
    never_prepared,
    own_ending,
    turned_away,
)
from esl_controller.routes.identity import CallIdentity
from esl_controller.routes.reception import Reception
from esl_controller.routes.routing import HandBack, Outcome, as_chosen
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.log import bind_call
from esl_controller.tools.base import Recording

_log = structlog.get_logger("call")


@dataclass(frozen=True, slots=True)
class CallDesk:
    """What every call of a worker shares."""

    reception: Reception
    site: ConversationSite
    book: CallBook
    calls: Calls[Call]


class Call:
    """One call. `run` returns when it is over, whatever happened."""

    def __init__(self, esl: ControllerSession, desk: CallDesk) -> None:
        self.state = CALL_TABLE.initial
        self.leg = Leg(esl)
        self.talk: Conversation | None = None
        self._desk = desk
        self._metrics = desk.book.metrics
        self._inbox = Inbox()
        self._identity: CallIdentity | None = None
        self._entry: RouteEntry | None = None
        self._seat = ExitStack()
        """The tenant's place and the conversation: free before the caller goes elsewhere, who may
        come back at once through another number."""
        self._asked: list[Callable[[], None]] = []
        """What functions asked for before the call talked."""
        self._transfer: tuple[str, str] | None = None
        self._prepared = False
        self._ending: Ending | None = None
        """How it was handed on; None while nobody has."""

    @property
    def key(self) -> tuple[str, str] | None:
        """`domain_uuid` and `call_uuid`."""
        identity = self._identity
        return None if identity is None else (identity.domain_uuid, identity.call_uuid)

    @property
    def places(self) -> Places:
        """Whom the caller can be connected to."""
        return self._desk.site.places

    @property
    def serving(self) -> bool:
        """It has the caller, and has not begun to let go of him."""
        return self.talk is not None and CALL_TABLE.allows(self.state, CallEvent.HAND_BACK)

    def run(self) -> None:
        """Serve the call."""
        channel = self.leg.channel
        self._step(CallEvent.CHANNEL_DATA)
        with bind_call(domain_uuid=channel.variable("domain_uuid"), call_uuid=channel.uuid):
            try:
                with ExitStack() as given_back:
                    given_back.callback(self.leg.leave)
                    given_back.callback(self._write_end)
                    given_back.callback(self._seat.close)
                    given_back.callback(self._wait_for_hangup)
                    self._serve_or_hand_back(channel)
            except Exception:  # noqa: BLE001 - the call is over; what is lost of it is told here
                self._metrics.count(m.ERRORS, m.OwnError.INTERNAL.value)
                _log.exception("call.end_failed")
        if CALL_TABLE.allows(self.state, CallEvent.DONE):
            self._step(CallEvent.DONE)

    def drain(self) -> None:
        """The worker is going: a good-bye after what is being said. Called from outside."""
        talk = self.talk
        if talk is not None:
            self._inbox.post(partial(talk.finish, EndCause.DRAINED, always_good_bye=True))

    # --- the way through -----------------------------------------------------------------------

    def _serve_or_hand_back(self, channel: ChannelData) -> None:
        """The one boundary of a call: whatever goes wrong, the caller is handed on."""
        try:
            self._serve(channel)
        except HandBack as reason:
            self._hand_back(reason)
        except TakenAway as how:
            self._let_go(str(how))
        except CallGone:
            self._step(CallEvent.GONE)
        except EslError as error:
            _log.warning("call.event_socket_failed", error=str(error))
            self._hand_back(HandBack(Outcome.FAILED, m.ErrorCode.WEBSOCKET, str(error)))
        except gevent.GreenletExit:
            self._stopped()
        except (Exception, gevent.Timeout) as error:  # noqa: BLE001
            _log.exception("call.failed")
            self._hand_back(HandBack(Outcome.FAILED, m.OwnError.INTERNAL, type(error).__name__))

    def _serve(self, channel: ChannelData) -> None:
        identity = self._desk.reception.identify(channel)
        running = self._desk.calls.find(identity.domain_uuid, identity.call_uuid)
        self._identity = identity
        structlog.contextvars.bind_contextvars(domain_uuid=identity.domain_uuid)
        if self.leg.lacks:
            why = f"the dialplan's socket must say `async full`: `{self.leg.lacks}` is missing"
            raise HandBack(Outcome.UNAVAILABLE, m.ErrorCode.CONFIG_NOT_FOUND, why)
        self.leg.watch(self)
        self._entry = entry = self._desk.reception.secretary_for(identity)
        if running is not None:
            raise HandBack(Outcome.OVERFLOW, None, "the call is being served already")
        admission = self._desk.reception.admission
        self._entry = entry = admission.admit(entry, identity.call_uuid)
        self._seat.callback(admission.release, entry.domain_uuid, identity.call_uuid)
        talk = self._open(entry, identity)
        self._wait_until_prepared(talk)
        self._answer(talk)
        self._follow(talk)

    def _open(self, entry: RouteEntry, identity: CallIdentity) -> Conversation:
        """Begin to connect the provider while the caller hears ring-back."""
        site, book = self._desk.site, self._desk.book
        plan = site.plan(self.leg, entry)
        self.talk = talk = Conversation(
            self.leg, entry, identity, plan, site, book, self, self, self._inbox
        )
        self._seat.callback(talk.close)
        self._step(CallEvent.ACCEPTED)
        talk.prepare()
        return talk

    def _wait_until_prepared(self, talk: Conversation) -> None:
        """Until the greeting's first audio is here, at most as long as the ceiling allows."""
        clock = self._desk.site.clock
        until = clock() + self._desk.site.settings.timeouts.answer_ceiling_s
        while not self._prepared and talk.end is None:
            left_s = until - clock()
            if left_s <= 0 or not self._inbox.do_next(left_s):
                break
        self.leg.require()
        if talk.end is not None:
            raise never_prepared(talk.end)
        self._step(CallEvent.PREPARED)

    def _answer(self, talk: Conversation) -> None:
        """Open the line and bring the media."""
        codec = self.leg.answer()
        talk.opened()
        if self.state not in MAY_START_MEDIA:
            raise CallGone("ended while it was answered")
        try:
            talk.media.start(codec)
        except MediaUnavailable as error:
            raise HandBack(Outcome.FAILED, m.ErrorCode.AUDIO_FORMAT, str(error)) from error
        self._step(CallEvent.MEDIA_STARTED)
        self.leg.channel.headers.forget_index()
        if not self._prepared:
            talk.cover(Phrase.ONE_MOMENT)
        while self._asked:
            self._when_talking(self._asked.pop(0))

    def _follow(self, talk: Conversation) -> None:
        """Everything that happens in a conversation, until it is over."""
        while self.state in (CallState.TALKING, CallState.TRANSFERRING):
            if talk.end is None:
                self._inbox.do_next()
            else:
                self._leave(talk, talk.end)

    # --- leaving -------------------------------------------------------------------------------

    def _leave(self, talk: Conversation, end: SessionEnd) -> None:
        """The session is over: where does the caller go?"""
        self.leg.require()
        if self._transfer is not None:
            self._hand_over(talk, *self._transfer)
        elif end.cause in (EndCause.PROVIDER_FAILED, EndCause.STREAM_LOST):
            raise HandBack(Outcome.FAILED, code_of(end.cause), end.detail)
        else:
            self._step(CallEvent.CLOSE)
            self.leg.hang_up()

    def _hand_over(self, talk: Conversation, extension: str, reason: str) -> None:
        self.leg.stop_media()
        talk.record.transfer_tried("blind", extension, reason)
        self._seat.close()
        try:
            transfer_to(self.leg, talk.entry, extension)
        except CallGone:
            talk.record.transfer_decided("cancelled")
            raise
        except (NotDialable, EslError) as error:
            talk.record.transfer_decided("failed")
            code = m.ErrorCode.TRANSFER_FAILED
            raise HandBack(Outcome.TRANSFER_FAILED, code, str(error)) from error
        talk.record.transfer_decided("passed_on")
        self._ending = Ending("transferred", EndCause.FINISHED.value, None, reason)
        self._step(CallEvent.HAND_BACK)

    def _hand_back(self, reason: HandBack) -> None:
        """Let the dialplan go on, with the reason in `voice_ai_outcome`."""
        if not CALL_TABLE.allows(self.state, CallEvent.HAND_BACK):
            return
        if self.leg.taken:
            return self._let_go(self.leg.taken)
        self._metrics.count(m.CALLS_REFUSED, reason.outcome.value)
        if self._entry is not None:
            reason = as_chosen(self._entry, reason)
        if reason.code is not None:
            self._metrics.count(m.ERRORS, reason.code.value)
        talk, outcome = self.talk, reason.outcome.value
        who = {} if self._identity is None else self._identity.for_log
        _log.info("call.handed_back", outcome=outcome, why=str(reason), **who)
        self._ending = turned_away(reason)
        if talk is not None:
            self._ending = handed_back(reason, talk.end, talk.trouble)
        self._step(CallEvent.HAND_BACK)
        try:
            if talk is not None:
                talk.stop()
            self._seat.close()
            if destination(self._entry, reason) is not None:
                self._metrics.count(m.FALLBACKS, "extension")
            send_on(self.leg, self._entry, reason)
        except EslError as error:
            _log.info("call.gone_before_hand_back", error=str(error))

    def _let_go(self, how: str) -> None:
        """The caller is with somebody else: nobody may hear him here, nothing is done to him."""
        if CALL_TABLE.allows(self.state, CallEvent.HAND_BACK):
            _log.info("call.taken_away", how=how)
            self._step(CallEvent.HAND_BACK)
            self._ending = Ending("transferred", "taken_away", None, how)
            if self.talk is not None:
                self.talk.stop()

    def _stopped(self) -> None:
        """By force, with the worker: the dialplan must have the caller."""
        why = "the worker was stopped"
        if self.talk is not None:
            self.talk.session.end(EndCause.STOPPED, why)
        self._hand_back(HandBack(Outcome.FAILED, None, why))

    def _wait_for_hangup(self) -> None:
        if self.state is CallState.CLOSING:
            self.leg.wait_for_hangup()

    def _write_end(self) -> None:
        talk, ending = self.talk, self._ending or self._own_ending()
        if talk is not None:
            talk.record.end(ending, talk.session.turns)
            turns = talk.session.turns
            _log.info("call.ended", outcome=ending.outcome, end_cause=ending.cause, turns=turns)
        elif self._identity is not None and self._is_ours(ending):
            self._desk.book.turned_away(self._identity, self._entry, ending)

    def _is_ours(self, ending: Ending) -> bool:
        """A number that is set to turn_based is served by version 1, whose rows tell of it."""
        return self._entry is not None or ending.cause != Outcome.TURN_BASED.value

    def _own_ending(self) -> Ending:
        """Neither handed on nor taken away."""
        talk = self.talk
        return own_ending(
            None if talk is None else talk.end,
            answered=talk is not None and talk.answered,
            hangup_cause=self.leg.hangup_cause,
            cut=self.state is CallState.CLOSING and not self.leg.hungup,
        )

    # --- what functions and supervisors ask: CallActions -----------------------------------------

    def transfer(self, plan: TransferPlan) -> None:
        """Hand over when the agent's last words have been heard."""
        job = partial(self._begin_transfer, plan.destinations[0].number, plan.reason)
        self._inbox.post(partial(self._when_talking, job))

    def call_off(self) -> None:
        """There is nothing that could be: who is handed over blind has gone."""

    def end_call(self, reason: str) -> None:
        """Hang up when the agent's last words have been heard."""
        self._inbox.post(partial(self._when_talking, self._end_politely))

    def hand_back(self, outcome: str, *, extension: str | None = None, reason: str = "") -> None:
        """Give the caller to the dialplan now."""
        asked = HandBack(Outcome(outcome), None, reason, extension=extension)
        self._inbox.post(partial(_raise, asked))

    def tell(self, text: str, *, respond: bool) -> bool:
        """Tell the model something the caller did not say."""
        return self.talk is not None and self.talk.tell(text, respond=respond)

    def recording(self, wanted: Recording, by: str = "agent") -> bool:
        """Do something to the recording."""
        return self.talk is not None and self.talk.recorder.want(wanted, by)

    def call_back(self, wanted: OutboundCall) -> None:
        """Remember that the caller is to be called."""
        if self.talk is not None:
            self.talk.record.callback(wanted)

    # --- what happens to the leg: LegEvents, in the dispatcher ---------------------------------

    def on_lost(self) -> None:
        """Wakes the call."""
        self._inbox.post(self.leg.require)

    def on_digit(self, digit: str) -> None:
        """For the model."""
        if self.talk is not None:
            self._metrics.count(m.DTMF)
            self.talk.pressed(digit)

    def on_hold(self, held: bool) -> None:
        """For the session."""
        if self.talk is not None:
            self._inbox.post(self.talk.hold if held else self.talk.resume)

    # --- jobs of the inbox: CallJobs -------------------------------------------------------------

    def on_prepared(self) -> None:
        """The greeting is here, or none is wanted."""
        self._prepared = True

    def on_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """A provider failed; the session tries to go on."""
        _log.warning("provider.trouble", kind=kind.value, code=code, message=message)

    def on_answer_late(self) -> None:
        """Nothing has been heard for too long."""
        if self.talk is not None and self.talk.end is None:
            self.talk.cover(Phrase.ONE_MOMENT)

    def on_stream_lost(self) -> None:
        """Start the caller's stream once more."""
        self.leg.require()
        if self.talk is None or self.talk.end is not None or not self.leg.is_alive():
            return
        self._metrics.count(m.STREAM_RESTARTS)
        try:
            self.talk.media.restart()
        except MediaUnavailable as error:
            raise HandBack(Outcome.FAILED, m.ErrorCode.WEBSOCKET, str(error)) from error

    def on_ended(self, end: SessionEnd) -> None:
        """Only wakes the call: `_follow` looks at the conversation."""
        _log.info("session.ended", cause=end.cause.value, detail=end.detail)

    def _when_talking(self, job: Callable[[], None]) -> None:
        """Do it now, or as soon as the line is open; a call that is leaving does no more."""
        if self.state is CallState.TALKING:
            job()
        elif self.talk is not None and self.state in (CallState.PREPARING, CallState.ANSWERING):
            self.talk.leaving = True
            self._asked.append(job)

    def _begin_transfer(self, destination: str, reason: str) -> None:
        if self.talk is not None:
            self._transfer = (destination, reason)
            self._step(CallEvent.TRANSFER)
            self.talk.announce_transfer()

    def _end_politely(self) -> None:
        if self.talk is not None:
            self.talk.finish(EndCause.FINISHED)

    def _step(self, event: CallEvent) -> None:
        self.state = CALL_TABLE.next(self.state, event)


def _raise(error: Exception) -> None:
    raise error
