"""One call, from FreeSWITCH's connection to `exit`.

The call runs in one greenlet. The session and FreeSWITCH's events reach it as jobs in its inbox,
so that nothing here runs on the hub and no two things happen to a call at once.
"""

from __future__ import annotations

from functools import partial

import structlog
from gevent.queue import Empty, Queue

from bridge.ports import EndCause, SessionEnd
from bridge.providers.base import ErrorKind
from esl_controller.calls.conversation import Conversation, open_conversation
from esl_controller.calls.hand_over import NotDialable, blind_transfer, hand_back
from esl_controller.calls.jobs import Inbox
from esl_controller.calls.leg_codec import answered_leg, offered_leg
from esl_controller.calls.listener import CallListener
from esl_controller.calls.media_site import MediaUnavailable
from esl_controller.calls.phrases import Phrase, phrase_audio
from esl_controller.calls.services import Services
from esl_controller.calls.states import CALL_TABLE, MAY_START_MEDIA, CallEvent, CallState
from esl_controller.database.models import RouteEntry, TurnBasedEntry
from esl_controller.database.pool import DatabaseError
from esl_controller.esl import commands
from esl_controller.esl.causes import HangupCause
from esl_controller.esl.errors import CallGone, EslError
from esl_controller.esl.events import ChannelData, Event
from esl_controller.esl.session import ControllerSession
from esl_controller.record.outcome import CODE_OF_CAUSE, conversation_outcome
from esl_controller.routes.routing import (
    CallIdentity,
    HandBack,
    InvalidCall,
    Outcome,
    as_chosen,
    parse_identity,
)
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.log import bind_call
from esl_controller.tenants.loader import ConfigError
from esl_controller.tools.runner import FunctionOutcome

_log = structlog.get_logger("call")

STREAM_EVENTS = (
    "mod_audio_stream::connect",
    "mod_audio_stream::disconnect",
    "mod_audio_stream::error",
    "mod_audio_stream::play",
)
COMMAND_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
HANGUP_COMPLETE_S = 2.5
"""With a stream running CHANNEL_HANGUP_COMPLETE is up to a second late (observed)."""


class Call:
    """One call. `run` returns when it is over, whatever happened."""

    def __init__(self, esl: ControllerSession, services: Services) -> None:
        self.state = CALL_TABLE.initial
        self._esl = esl
        self._services = services
        self._inbox = Inbox()
        self._listener = CallListener(self, self._inbox, services.metrics, services.clock)
        self._talk: Conversation | None = None
        self._entry: RouteEntry | None = None
        self._admitted: RouteEntry | None = None
        """Set while a place of the tenant's is held."""
        self._transfer: tuple[str, str] | None = None
        self._prepared = False
        self._error_code: m.ErrorCode | None = None

    def run(self) -> None:
        """Serve the call."""
        channel = self._esl.connect(COMMAND_TIMEOUT_S)
        self._step(CallEvent.CHANNEL_DATA)
        with bind_call(domain_uuid=channel.variable("domain_uuid"), call_uuid=channel.uuid):
            try:
                self._serve(channel)
            except HandBack as reason:
                self._hand_back(channel.uuid, reason)
            except CallGone:
                self._step(CallEvent.GONE)
            except EslError as error:
                _log.warning("call.event_socket_failed", error=str(error))
                code = m.ErrorCode.WEBSOCKET
                self._hand_back(channel.uuid, HandBack(Outcome.FAILED, code, str(error)))
            finally:
                self._clean_up()

    def drain(self) -> None:
        """The worker is going: a good-bye after what is being said. Called from outside."""
        self._end_politely(EndCause.DRAINED, always_good_bye=True)

    # --- the way through -----------------------------------------------------------------------

    def _serve(self, channel: ChannelData) -> None:
        self._subscribe()
        identity = _identify(channel)
        self._entry = entry = self._route(identity)
        self._admitted = entry = self._services.admission.admit(entry, identity.call_uuid)
        talk = self._open(channel, entry, identity)
        self._wait_until_prepared(talk)
        self._answer(channel, talk)
        self._follow(talk)

    def _subscribe(self) -> None:
        self._esl.on("CHANNEL_HANGUP", lambda event: self._inbox.post(self._esl.require_call))
        self._esl.gone.rawlink(lambda _: self._inbox.post(self._esl.require_call))
        self._esl.on("DTMF", self._on_dtmf)
        events = commands.event_plain(("BACKGROUND_JOB", "CODEC"), STREAM_EVENTS)
        batch = [commands.linger(), commands.myevents(), events]
        self._esl.pipeline(batch, COMMAND_TIMEOUT_S)

    def _route(self, identity: CallIdentity) -> RouteEntry:
        try:
            entry = self._services.config.secretary_for(identity.domain_uuid, identity.extension)
        except (ConfigError, DatabaseError) as error:
            code = m.ErrorCode.CONFIG_NOT_FOUND
            raise HandBack(Outcome.UNAVAILABLE, code, str(error)) from error
        if entry is None:
            raise HandBack(Outcome.NOT_OURS)
        if isinstance(entry, TurnBasedEntry):
            raise HandBack(Outcome.TURN_BASED)
        return entry

    def _open(
        self, channel: ChannelData, entry: RouteEntry, identity: CallIdentity
    ) -> Conversation:
        """Begin to connect the provider while the caller hears ring-back."""
        talk = open_conversation(
            self._esl,
            self._services,
            entry,
            identity,
            channel,
            listener=self._listener,
            actions=self,
            on_function_done=lambda done: self._inbox.post(partial(self._on_function, done)),
        )
        self._talk = self._listener.conversation = talk
        self._step(CallEvent.ACCEPTED)
        talk.session.prepare()
        talk.media.prepare()
        return talk

    def _wait_until_prepared(self, talk: Conversation) -> None:
        """Until the greeting's first audio is here, at most as long as the ceiling allows."""
        clock = self._services.clock
        until = clock() + self._services.settings.timeouts.answer_ceiling_s
        while not self._prepared and self._listener.end is None:
            left_s = until - clock()
            if left_s <= 0 or not self._inbox.do_next(left_s):
                break
        self._esl.require_call()
        if self._listener.end is not None:
            code = m.ErrorCode.PROVIDER_UNAVAILABLE
            raise HandBack(Outcome.UNAVAILABLE, code, self._listener.end.detail)
        self._step(CallEvent.PREPARED)

    def _answer(self, channel: ChannelData, talk: Conversation) -> None:
        """Open the line and bring the media."""
        leg = offered_leg(channel)
        if channel.get("Answer-State") != "answered":
            leg = answered_leg(self._answer_and_see(), leg)
        self._listener.answered_at = self._services.clock()
        talk.record.answered()
        if self.state not in MAY_START_MEDIA:
            raise CallGone("ended while it was answered")
        try:
            talk.media.start(leg)
        except MediaUnavailable as error:
            raise HandBack(Outcome.FAILED, m.ErrorCode.AUDIO_FORMAT, str(error)) from error
        self._step(CallEvent.MEDIA_STARTED)
        if not self._prepared:
            self._cover(Phrase.ONE_MOMENT)

    def _answer_and_see(self) -> Event:
        """Answer, and return CHANNEL_ANSWER: the channel has media, its codec is known."""
        seen: Queue[Event] = Queue(1)
        stop = self._esl.on("CHANNEL_ANSWER", seen.put_nowait)
        try:
            self._esl.answer(ANSWER_TIMEOUT_S)
            return seen.get(timeout=COMMAND_TIMEOUT_S)
        except Empty:
            raise CallGone("answered, but never said so") from None
        finally:
            stop()

    def _follow(self, talk: Conversation) -> None:
        """Everything that happens in a conversation, until it is over."""
        while self.state in (CallState.TALKING, CallState.TRANSFERRING):
            if self._listener.end is None:
                self._inbox.do_next()
            else:
                self._leave(talk, self._listener.end)

    # --- leaving -------------------------------------------------------------------------------

    def _leave(self, talk: Conversation, end: SessionEnd) -> None:
        """The session is over: where does the caller go?"""
        self._esl.require_call()
        if self._transfer is not None:
            self._hand_over(talk, *self._transfer)
        elif end.cause in (EndCause.PROVIDER_FAILED, EndCause.STREAM_LOST):
            raise HandBack(Outcome.FAILED, CODE_OF_CAUSE[end.cause], end.detail)
        else:
            self._step(CallEvent.CLOSE)
            self._esl.hangup(HangupCause.NORMAL_CLEARING)

    def _hand_over(self, talk: Conversation, extension: str, reason: str) -> None:
        talk.media.stop()
        try:
            self._transfer_to(talk.entry, talk.session.call_uuid, extension)
        except NotDialable as error:
            talk.record.transferred("blind", extension, reason, "failed")
            code = m.ErrorCode.TRANSFER_FAILED
            raise HandBack(Outcome.TRANSFER_FAILED, code, str(error)) from error
        talk.record.transferred("blind", extension, reason, "completed")
        self._step(CallEvent.HAND_BACK)

    def _transfer_to(self, entry: RouteEntry, call_uuid: str, extension: str) -> None:
        blind_transfer(self._esl, call_uuid, extension, entry.domain_name, COMMAND_TIMEOUT_S)

    def _hand_back(self, call_uuid: str, reason: HandBack) -> None:
        """Let the dialplan go on, with the reason in `voice_ai_outcome`."""
        if not CALL_TABLE.allows(self.state, CallEvent.HAND_BACK):
            return
        self._services.metrics.count(m.CALLS_REFUSED, reason.outcome.value)
        if self._entry is not None:
            reason = as_chosen(self._entry, reason)
        _log.info("call.handed_back", outcome=reason.outcome.value, why=str(reason))
        self._error_code = reason.code
        if reason.code is not None:
            self._services.metrics.count(m.ERRORS, reason.code.value)
        self._step(CallEvent.HAND_BACK)
        try:
            if self._talk is not None:
                self._talk.session.end(EndCause.HANGUP)
                self._talk.media.stop()
            self._send_on(call_uuid, reason)
        except (EslError, NotDialable) as error:
            _log.info("call.gone_before_hand_back", error=str(error))

    def _send_on(self, call_uuid: str, reason: HandBack) -> None:
        hand_back(self._esl, call_uuid, reason.outcome.value, COMMAND_TIMEOUT_S)
        entry, extension = self._entry, reason.extension
        if entry is not None and extension is None and reason.outcome.needs_somebody:
            extension = entry.secretary.fallback_extension
        if entry is not None and extension is not None:
            self._services.metrics.count(m.FALLBACKS, "extension")
            self._transfer_to(entry, call_uuid, extension)

    def _clean_up(self) -> None:
        if self.state is CallState.CLOSING:
            self._wait_for_hangup()
        if self._talk is not None:
            self._talk.close(self._services)
            self._write_end(self._talk)
        if self._admitted is not None:
            channel_uuid = self._esl.connect().uuid
            self._services.admission.release(self._admitted.domain_uuid, channel_uuid)
        self._esl.exit(COMMAND_TIMEOUT_S)
        if CALL_TABLE.allows(self.state, CallEvent.DONE):
            self._step(CallEvent.DONE)

    def _wait_for_hangup(self) -> None:
        try:
            self._esl.wait_hangup_complete(HANGUP_COMPLETE_S)
        except EslError as error:
            _log.info("call.hangup_not_seen", error=str(error))

    def _write_end(self, talk: Conversation) -> None:
        cause = self._listener.end.cause if self._listener.end is not None else EndCause.HANGUP
        code = self._error_code or CODE_OF_CAUSE.get(cause)
        outcome = conversation_outcome(
            cause,
            answered=self._listener.answered_at is not None,
            transferred=talk.record.row.transfer_destination is not None,
            handed_back=self._error_code is not None,
        )
        end_cause = self._esl.hangup_cause or cause.value
        if self.state is CallState.CLOSING and not self._esl.hungup:
            outcome, end_cause, code = "failed", "event_socket_lost", m.ErrorCode.WEBSOCKET
        talk.record.end(outcome, end_cause, code.value if code else None, talk.session.turns)
        _log.info("call.ended", outcome=outcome, end_cause=end_cause, turns=talk.session.turns)

    # --- what the functions ask: CallActions -----------------------------------------------------

    def transfer(self, destination: str, reason: str) -> None:
        """Hand over when the agent's last words have been heard."""
        self._inbox.post(partial(self._on_transfer, destination, reason))

    def end_call(self, reason: str) -> None:
        """Hang up when the agent's last words have been heard."""
        self._end_politely(EndCause.FINISHED)

    # --- jobs of the inbox: CallJobs -------------------------------------------------------------

    def on_prepared(self) -> None:
        """The greeting is here, or none is wanted."""
        self._prepared = True

    def on_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """A provider failed; the session tries to go on."""
        _log.warning("provider.trouble", kind=kind.value, code=code, message=message)

    def on_answer_late(self) -> None:
        """Nothing has been heard for too long."""
        if self._listener.end is None:
            self._cover(Phrase.ONE_MOMENT)

    def on_stream_lost(self) -> None:
        """Start the caller's stream once more."""
        self._esl.require_call()
        if self._talk is None or self._listener.end is not None or not self._is_alive():
            return
        self._services.metrics.count(m.STREAM_RESTARTS)
        try:
            self._talk.media.restart()
        except MediaUnavailable as error:
            raise HandBack(Outcome.FAILED, m.ErrorCode.WEBSOCKET, str(error)) from error

    def _is_alive(self) -> bool:
        """A hang-up ends the stream at once, and is told at FreeSWITCH's next look at events."""
        return self._esl.api("uuid_exists", self._esl.uuid, COMMAND_TIMEOUT_S).strip() == "true"

    def on_ended(self, end: SessionEnd) -> None:
        """Only wakes the call: `_follow` looks at the listener."""
        _log.info("session.ended", cause=end.cause.value, detail=end.detail)

    def _on_dtmf(self, event: Event) -> None:
        if self._talk is not None and event.dtmf_digit:
            self._services.metrics.count(m.DTMF)
            self._talk.session.press_digit(event.dtmf_digit)

    def _on_function(self, outcome: FunctionOutcome) -> None:
        if self._talk is None:
            return
        self._talk.record.function_ran(outcome)
        if not self._talk.session.closing:
            self._talk.session.send_function_result(outcome.call.call_id, outcome.output)

    def _on_transfer(self, destination: str, reason: str) -> None:
        if self.state is CallState.TALKING and self._talk is not None:
            self._transfer = (destination, reason)
            self._step(CallEvent.TRANSFER)
            phrases = self._talk.session.config.phrases
            self._talk.session.finish(EndCause.FINISHED, unless_speaking=phrases.connecting)

    def _end_politely(self, cause: EndCause, *, always_good_bye: bool = False) -> None:
        """Otherwise what the agent is saying at the moment is taken for its good-bye."""
        if self._talk is None:
            return
        session = self._talk.session
        good_bye = session.config.phrases.good_bye
        last_words = good_bye if always_good_bye else ""
        self._inbox.post(lambda: session.finish(cause, last_words, unless_speaking=good_bye))

    def _cover(self, phrase: Phrase) -> None:
        """Say something while nothing else can be heard."""
        if self._talk is not None:
            audio, audio_format = phrase_audio(phrase, self._talk.entry.secretary.language)
            self._talk.session.announce(audio, audio_format)

    def _step(self, event: CallEvent) -> None:
        self.state = CALL_TABLE.next(self.state, event)


def _identify(channel: ChannelData) -> CallIdentity:
    try:
        return parse_identity(lambda name: channel.get(name) or None)
    except InvalidCall as error:
        raise HandBack(Outcome.INVALID, m.ErrorCode.INVALID_DOMAIN, str(error)) from error
