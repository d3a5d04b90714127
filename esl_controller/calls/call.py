"""One call, from FreeSWITCH's connection to `exit`.

The call runs in one greenlet. The session and FreeSWITCH's events reach it as jobs in its inbox,
so that nothing here runs on the hub and no two things happen to a call at once. What it takes it
puts on a stack at once, so that it is given back whatever fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import gevent
import structlog

from bridge.ports import EndCause, SessionEnd
from bridge.providers.base import ErrorKind
from bridge.wire.turns import others_first
from esl_controller.calls.asked import Asked
from esl_controller.calls.caller_lookup import CallerLookup
from esl_controller.calls.connecting import Connecting
from esl_controller.calls.conversation import Conversation
from esl_controller.calls.departure import Departure
from esl_controller.calls.desk import CallDesk
from esl_controller.calls.giving_back import GivingBack
from esl_controller.calls.jobs import Inbox
from esl_controller.calls.known import known_of
from esl_controller.calls.leg import Leg
from esl_controller.calls.leg_events import TakenAway
from esl_controller.calls.listening import is_listened_to
from esl_controller.calls.media_site import MediaUnavailable
from esl_controller.calls.phrases import Phrase
from esl_controller.calls.plan import ConversationPlan
from esl_controller.calls.states import CALL_TABLE, MAY_START_MEDIA, CallEvent, CallState
from esl_controller.calls.transfer.outcome_words import back_from
from esl_controller.calls.transfer.plan import TransferPlan
from esl_controller.calls.transfer.returning import Returned
from esl_controller.database.acts import OutboundCall
from esl_controller.database.models import RouteEntry
from esl_controller.esl.errors import CallGone, EslError
from esl_controller.esl.events import ChannelData
from esl_controller.esl.session import ControllerSession
from esl_controller.record.outcome import code_of, never_prepared
from esl_controller.routes.identity import CallIdentity
from esl_controller.routes.routing import HandBack, Outcome
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.log import bind_call
from esl_controller.telemetry.metrics import Metrics

_log = structlog.get_logger("call")

RETURN_WAIT_S = 0.8
"""A caller who comes back hears something by then: the agent, or that it takes a moment."""
CALL_OFF = "*"
"""Key of a caller on hold who would rather talk to the agent."""


class Call(Asked):
    """One call. `run` returns when it is over, whatever happened."""

    def __init__(
        self, esl: ControllerSession, desk: CallDesk, outbound: OutboundCall | None = None
    ) -> None:
        """`outbound`: we have dialled who is here."""
        super().__init__(Leg(esl))
        self.identity: CallIdentity | None = None
        self.entry: RouteEntry | None = None
        self.seat = GivingBack()
        """The tenant's place and the conversation: free before the caller goes elsewhere, who may
        come back at once through another number."""
        self.metrics: Metrics = desk.book.metrics
        self.site = desk.site
        self.door = desk.door
        self.returning = desk.returning
        self._desk = desk
        self._outbound = outbound
        self._inbox = Inbox()
        self._asked: list[Callable[[], None]] = []  # by functions, before the call talked
        self._prepared = False
        self._who: CallerLookup | None = None
        self.served = False
        self.answered_by: str | None = None
        """By whom, once it is over: what is left of its conversation."""
        self._welcome = ""
        """What the agent is told of a caller who has come back."""
        self.departure = Departure(self, desk.book)
        self._connecting = Connecting(self)

    @property
    def key(self) -> tuple[str, str] | None:
        """`domain_uuid` and `call_uuid`."""
        identity = self.identity
        return None if identity is None else (identity.domain_uuid, identity.call_uuid)

    @property
    def serving(self) -> bool:
        """It has the caller, and has not begun to let go of him."""
        return self.talk is not None and CALL_TABLE.allows(self.state, CallEvent.HAND_BACK)

    def run(self) -> None:
        """Serve the call."""
        channel = self.leg.channel
        self.step(CallEvent.CHANNEL_DATA)
        with bind_call(domain_uuid=channel.variable("domain_uuid"), call_uuid=channel.uuid):
            try:
                with GivingBack() as given_back:
                    given_back.callback(self.leg.leave)
                    given_back.callback(self.departure.write_end)
                    given_back.callback(self.seat.close)
                    given_back.callback(self.departure.wait_for_hangup)
                    self._serve_or_hand_back(channel)
            except Exception:  # noqa: BLE001 - the call is over; what is lost of it is told here
                self.metrics.count(m.ERRORS, m.OwnError.INTERNAL.value)
                _log.exception("call.end_failed")
        if CALL_TABLE.allows(self.state, CallEvent.DONE):
            self.step(CallEvent.DONE)
        # Else only the garbage collector would find it, in a pause of everybody's sound.
        self._inbox.close()
        if self.talk is not None:
            self.served, self.answered_by = self.talk.answered, self.talk.answered_by
            self.talk.let_go()
        self.talk = self._who = None
        del self.departure, self._connecting

    def drain(self) -> None:
        """The worker is going: a good-bye after what is being said. Called from outside."""
        if self.talk is not None:
            self.post(self._connecting.drain)

    def post(self, job: Callable[[], None]) -> None:
        """Have it done in the call's own greenlet. Never waits."""
        self._inbox.post(job)

    def step(self, event: CallEvent) -> None:
        """Move the call."""
        self.state = CALL_TABLE.next(self.state, event)

    # --- the way through -----------------------------------------------------------------------

    def _serve_or_hand_back(self, channel: ChannelData) -> None:
        """The one boundary of a call: whatever goes wrong, the caller is handed on."""
        try:
            try:
                self._serve(channel)
            finally:
                self._connecting.close()
        except HandBack as reason:
            self.departure.hand_back(reason)
        except TakenAway as how:
            self.departure.let_go(str(how))
        except CallGone:
            self.step(CallEvent.GONE)
        except EslError as error:
            _log.warning("call.event_socket_failed", error=str(error))
            self.departure.hand_back(HandBack(Outcome.FAILED, m.ErrorCode.WEBSOCKET, str(error)))
        except gevent.GreenletExit:
            self.departure.stopped()
        except (Exception, gevent.Timeout) as error:  # noqa: BLE001
            _log.exception("call.failed")
            why = type(error).__name__
            self.departure.hand_back(HandBack(Outcome.FAILED, m.OwnError.INTERNAL, why))

    def _serve(self, channel: ChannelData) -> None:
        self.leg.require()
        identity = self._desk.reception.identify(channel, self._outbound)
        running = self._desk.calls.find(identity.domain_uuid, identity.call_uuid)
        self.identity = identity
        structlog.contextvars.bind_contextvars(domain_uuid=identity.domain_uuid)
        if self.leg.lacks:
            why = f"the dialplan's socket must say `async full`: `{self.leg.lacks}` is missing"
            raise HandBack(Outcome.UNAVAILABLE, m.ErrorCode.CONFIG_NOT_FOUND, why)
        self.leg.watch(self)
        entry = self._desk.reception.secretary_for(identity)
        if self._outbound is not None:
            entry = replace(entry, outbound=self._outbound)
        self.entry = entry
        if running is not None:
            raise HandBack(Outcome.OVERFLOW, None, "the call is being served already")
        returned = self.returning.take(identity, channel)
        admission = self._desk.reception.admission
        back = returned is not None
        self.entry = entry = admission.admit(entry, identity.call_uuid, back=back)
        self.seat.callback(admission.release, entry.domain_uuid, identity.call_uuid)
        self._who = CallerLookup(entry, identity, self.site.services, self._looked_up_late)
        self.seat.callback(self._who.close)
        talk = self._begin(entry, identity) if returned is None else self._take_back(returned)
        self._answer(talk)
        self._follow(talk)

    def _begin(self, entry: RouteEntry, identity: CallIdentity) -> Conversation:
        """Connect the provider while the caller hears ring-back."""
        plan = self._plan(entry, identity)
        others_first()
        talk = self._open(entry, identity, plan, CallEvent.ACCEPTED)
        self._wait_until_prepared(talk, self.site.settings.timeouts.answer_ceiling_s)
        self.step(CallEvent.PREPARED)
        return talk

    def _take_back(self, returned: Returned) -> Conversation:
        """A caller whom we had connected, and whose human has left."""
        entry, identity = self.entry, self.identity
        assert entry is not None and identity is not None
        _log.info("call.came_back", name=returned.name, said=len(returned.history))
        row = returned.row()
        if row is not None:
            self._desk.book.came_back(entry, row)
        plan = self._plan(entry, identity)
        plan = plan.going_on(returned.history)
        if is_listened_to(self.leg):
            plan = plan.without_unicast()
        self._welcome = back_from(returned.name)
        talk = self._open(entry, identity, plan, CallEvent.CAME_BACK)
        self._wait_until_prepared(talk, RETURN_WAIT_S)
        return talk

    def _plan(self, entry: RouteEntry, identity: CallIdentity) -> ConversationPlan:
        """What is asked of the tenant's CRM is waited for while the provider's way is opened."""
        known = known_of(entry, identity.caller_id_number, identity.caller_id_name)
        if self._who is None or not self._who.asking:
            return self.site.plan(self.leg, entry, known=known)
        return self.site.plan_meanwhile(self.leg, entry, known, self._who.known, self.seat)

    def _looked_up_late(self, words: str) -> None:
        if self.talk is not None:
            self.talk.tell(words, respond=False)

    def _open(
        self, entry: RouteEntry, identity: CallIdentity, plan: ConversationPlan, event: CallEvent
    ) -> Conversation:
        self.talk = talk = Conversation(
            self.leg, entry, identity, plan, self.site, self._desk.book, self, self, self._inbox
        )
        self.seat.callback(talk.close)
        self.step(event)
        talk.prepare()
        return talk

    def _wait_until_prepared(self, talk: Conversation, ceiling_s: float) -> None:
        """Until the greeting's first audio is here, at most as long as the ceiling allows."""
        clock = self.site.clock
        until = clock() + ceiling_s
        while not self._prepared and talk.end is None:
            left_s = until - clock()
            if left_s <= 0 or not self._inbox.do_next(left_s):
                break
        self.leg.require()
        if talk.end is not None:
            raise never_prepared(talk.end)

    def _answer(self, talk: Conversation) -> None:
        """Open the line and bring the media."""
        codec = self.leg.answer()
        talk.opened()
        if self.leg.begins_on_hold:
            talk.hold()
        if self.state not in MAY_START_MEDIA:
            raise CallGone("ended while it was answered")
        try:
            talk.media.start(codec)
        except MediaUnavailable as error:
            raise HandBack(Outcome.FAILED, m.ErrorCode.AUDIO_FORMAT, str(error)) from error
        self.step(CallEvent.MEDIA_STARTED)
        self.leg.channel.headers.fold()
        if not self._prepared:
            talk.cover(Phrase.ONE_MOMENT)
        self._welcome_back()
        # An end comes last: it would cost the caller a transfer asked for in the same answer.
        self._asked.sort(key=lambda job: job == self._connecting.end_call)
        while self._asked:
            self._when_talking(self._asked.pop(0))

    def _welcome_back(self) -> None:
        if self._welcome and self._prepared and self.state is CallState.TALKING:
            words, self._welcome = self._welcome, ""
            self.tell(words, respond=True)

    def _follow(self, talk: Conversation) -> None:
        """Everything that happens in a conversation, until it is over."""
        while self.state in (CallState.TALKING, CallState.HELD):
            if talk.end is None or self._connecting.waits:
                self._inbox.do_next()
            else:
                self._leave(talk, talk.end)

    def _leave(self, talk: Conversation, end: SessionEnd) -> None:
        """The session is over: where does the caller go?"""
        self.leg.require()
        if end.cause in (EndCause.AGENT_LEFT, EndCause.MAX_DURATION):
            self._connecting.without_agent()
        if self._connecting.next is not None:
            self.departure.hand_over(talk, *self._connecting.next)
        elif end.cause in (EndCause.PROVIDER_FAILED, EndCause.STREAM_LOST):
            raise HandBack(Outcome.FAILED, code_of(end.cause), end.detail)
        else:
            self.step(CallEvent.CLOSE)
            self.leg.hang_up()

    # --- what functions and supervisors ask: CallActions -----------------------------------------

    def transfer(self, plan: TransferPlan) -> None:
        """Connect the caller when the agent's last words have been heard."""
        self.post(partial(self._when_talking, partial(self._connecting.begin, plan)))

    def take_over(self, number: str, reason: str) -> bool:
        """The caller goes to a number now, or after a word of the agent's; False when the
        conversation is ending."""
        talk = self.talk
        if talk is None or talk.end is not None or talk.session.closing:
            return False
        self.post(partial(self._when_talking, partial(self._connecting.take_over, number, reason)))
        return True

    def call_off(self) -> None:
        """Stop the transfer that is going on, unless the two talk already."""
        self.post(self._connecting.call_off)

    def end_call(self, reason: str) -> None:
        """Hang up when the agent's last words have been heard."""
        self.post(partial(self._when_talking, self._connecting.end_call))

    def hand_back(self, outcome: str, *, extension: str | None = None, reason: str = "") -> None:
        """Give the caller to the dialplan now."""
        asked = HandBack(Outcome(outcome), None, reason, extension=extension)
        self.post(partial(_raise, asked))

    # --- what happens to the leg: LegEvents, in the dispatcher ---------------------------------

    def on_lost(self) -> None:
        """Wakes the call."""
        self.post(self.leg.require)

    def on_digit(self, digit: str) -> None:
        """For the model; on hold, for us."""
        if self.talk is None:
            return
        self.metrics.count(m.DTMF)
        if self.state is not CallState.HELD:
            self.talk.pressed(digit)
        elif digit == CALL_OFF:
            self.call_off()

    def on_hold(self, held: bool) -> None:
        """For the session."""
        if self.talk is not None:
            self.post(self.talk.hold if held else self.talk.resume)

    def on_reoffer(self) -> None:
        """A caller who began on hold may want to hear us now."""
        self._inbox.post(self._see_whether_held)

    # --- jobs of the inbox: CallJobs -------------------------------------------------------------

    def on_prepared(self) -> None:
        """The greeting is here, or none is wanted."""
        self._prepared = True
        self._welcome_back()

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
        self.metrics.count(m.STREAM_RESTARTS)
        try:
            self.talk.media.restart(self.on_answer_late)
        except MediaUnavailable as error:
            raise HandBack(Outcome.FAILED, m.ErrorCode.WEBSOCKET, str(error)) from error

    def on_ended(self, end: SessionEnd) -> None:
        """Only wakes the call: `_follow` looks at the conversation."""
        _log.info("session.ended", cause=end.cause.value, detail=end.detail)

    def _see_whether_held(self) -> None:
        if self.talk is not None and not self.leg.held():
            self.talk.resume()

    def _when_talking(self, job: Callable[[], None]) -> None:
        """Do it now, or as soon as the line is open, until when the model says nothing more."""
        if self.state in (CallState.TALKING, CallState.HELD):
            job()
        elif self.talk is not None and self.state in _OPENING:
            self.talk.keep_results()
            self._asked.append(job)


_OPENING = (CallState.PREPARING, CallState.ANSWERING, CallState.RETURNING)


def _raise(error: Exception) -> None:
    raise error
