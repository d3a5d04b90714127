"""One call, from FreeSWITCH's connection to `exit`.

The call runs in one greenlet. The session and FreeSWITCH's events reach it as jobs in its inbox,
so that nothing here runs on the hub and no two things happen to a call at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from gevent.queue import Empty, Full, Queue

from bridge.audio.media_plan import Leg
from bridge.audio.pacer import Pacer
from bridge.ports import EndCause, SessionEnd, TurnLatency, Utterance
from bridge.providers.base import ErrorKind, FunctionCall, Usage
from bridge.providers.link import Network
from bridge.session import Session
from bridge.session_manager import CapacityReached, SessionManager
from esl_controller.config_loader import ConfigError, ConfigLoader
from esl_controller.conversation_plan import ConversationPlan, NoProvider, plan_conversation
from esl_controller.conversation_record import ConversationRecord, Record
from esl_controller.esl import commands
from esl_controller.esl.causes import HangupCause
from esl_controller.esl.errors import CallGone, EslError
from esl_controller.esl.events import ChannelData, Event
from esl_controller.esl.session import ControllerSession
from esl_controller.handlers.function_call import FunctionOutcome, FunctionRunner, offered_tools
from esl_controller.handlers.leg import answered_leg, offered_leg
from esl_controller.handlers.media import CallMedia, MediaSite, MediaUnavailable
from esl_controller.handlers.outbox import Outbox
from esl_controller.handlers.transfer import NotDialable, blind_transfer, hand_back
from esl_controller.handlers.unicast_ports import PortsExhausted
from esl_controller.models import RouteEntry, TurnBasedEntry
from esl_controller.phrases import Phrase, phrase_audio
from esl_controller.pool import DatabaseError
from esl_controller.routing import CallIdentity, InvalidCall, Outcome, parse_identity
from esl_controller.settings import Settings
from esl_controller.states import CALL_TABLE, CallEvent, CallState
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.log import bind_call
from esl_controller.telemetry.metrics import Metrics
from esl_controller.tools.base import ToolContext

_log = structlog.get_logger("call")

INBOX_LIMIT = 512
EVENTS = ("BACKGROUND_JOB",)
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
_OUTCOME_OF_CAUSE = {
    EndCause.FINISHED: "completed",
    EndCause.HANGUP: "completed",
    EndCause.CALLER_SILENT: "timeout",
    EndCause.MAX_DURATION: "timeout",
    EndCause.DRAINED: "completed",
    EndCause.PROVIDER_FAILED: "failed",
    EndCause.STREAM_LOST: "failed",
}
_CODE_OF_CAUSE = {
    EndCause.PROVIDER_FAILED: m.ErrorCode.PROVIDER_UNAVAILABLE,
    EndCause.STREAM_LOST: m.ErrorCode.WEBSOCKET,
    EndCause.MAX_DURATION: m.ErrorCode.MAX_DURATION,
    EndCause.CALLER_SILENT: m.ErrorCode.SESSION_TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Services:
    """What every call of a worker shares."""

    settings: Settings
    manager: SessionManager
    config: ConfigLoader
    record: Record
    metrics: Metrics
    pacer: Pacer
    site: MediaSite
    network: Network | None
    has_module: Callable[[ControllerSession], bool]
    clock: Callable[[], float] = time.monotonic


class _HandBack(Exception):
    """The dialplan must take the call: it is not ours, or cannot be served."""

    def __init__(self, outcome: Outcome, code: m.ErrorCode | None = None, why: str = "") -> None:
        super().__init__(why or outcome.value)
        self.outcome = outcome
        self.code = code


class Call:
    """One call. `run` returns when it is over, whatever happened."""

    def __init__(self, esl: ControllerSession, services: Services) -> None:
        self.state = CALL_TABLE.initial
        self._esl = esl
        self._services = services
        self._inbox: Queue[Callable[[], None]] = Queue(INBOX_LIMIT)
        self._outbox = Outbox()
        self._session: Session | None = None
        self._media: CallMedia | None = None
        self._functions: FunctionRunner | None = None
        self._record: ConversationRecord | None = None
        self._entry: RouteEntry | None = None
        self._answered_at: float | None = None
        self._leg = Leg("PCMU", 8000)
        self._prepared = False
        self._greeted = False
        self._end: SessionEnd | None = None
        self._transfer: tuple[str, str] | None = None
        self._error_code: m.ErrorCode | None = None

    def run(self) -> None:
        """Serve the call."""
        channel = self._esl.connect(COMMAND_TIMEOUT_S)
        self._step(CallEvent.CHANNEL_DATA)
        with bind_call(domain_uuid=channel.variable("domain_uuid"), call_uuid=channel.uuid):
            try:
                self._serve(channel)
            except _HandBack as reason:
                self._hand_back(reason)
            except CallGone:
                self._step(CallEvent.GONE)
            except EslError as error:
                _log.warning("call.event_socket_failed", error=str(error))
                self._hand_back(_HandBack(Outcome.FAILED, m.ErrorCode.WEBSOCKET, str(error)))
            finally:
                self._clean_up()

    # --- the way through -----------------------------------------------------------------------

    def _serve(self, channel: ChannelData) -> None:
        self._subscribe()
        identity = self._identify(channel)
        entry = self._route(identity)
        self._leg = offered_leg(channel)
        self._prepare(entry, identity)
        self._answer(channel)
        self._talk()

    def _subscribe(self) -> None:
        self._esl.on("CHANNEL_HANGUP", lambda event: self._post(self._on_hangup))
        self._esl.on("DTMF", self._on_dtmf)
        self._esl.pipeline(
            [
                commands.linger(),
                commands.myevents(),
                commands.event_plain(EVENTS, STREAM_EVENTS),
            ],
            COMMAND_TIMEOUT_S,
        )

    def _identify(self, channel: ChannelData) -> CallIdentity:
        try:
            return parse_identity(lambda name: channel.get(name) or None)
        except InvalidCall as error:
            raise _HandBack(Outcome.INVALID, m.ErrorCode.INVALID_DOMAIN, str(error)) from error

    def _route(self, identity: CallIdentity) -> RouteEntry:
        try:
            entry = self._services.config.secretary_for(identity.domain_uuid, identity.extension)
        except (ConfigError, DatabaseError) as error:
            code = m.ErrorCode.CONFIG_NOT_FOUND
            raise _HandBack(Outcome.UNAVAILABLE, code, str(error)) from error
        if entry is None:
            raise _HandBack(Outcome.NOT_OURS)
        if isinstance(entry, TurnBasedEntry):
            raise _HandBack(Outcome.TURN_BASED)
        self._entry = entry
        return entry

    def _prepare(self, entry: RouteEntry, identity: CallIdentity) -> None:
        """Connect the provider while the caller hears ring-back."""
        services = self._services
        try:
            plan = plan_conversation(
                entry,
                services.settings,
                self._leg,
                offered_tools(entry),
                has_module=services.has_module(self._esl),
                network=services.network,
            )
        except NoProvider as error:
            code = m.ErrorCode.PROVIDER_UNAVAILABLE
            raise _HandBack(Outcome.UNAVAILABLE, code, str(error)) from error
        self._open_session(entry, identity, plan)
        self._step(CallEvent.ACCEPTED)
        if self._session is not None and self._media is not None:
            self._session.prepare()
            self._media.prepare()
        self._wait_until_prepared(plan)

    def _open_session(
        self, entry: RouteEntry, identity: CallIdentity, plan: ConversationPlan
    ) -> None:
        services = self._services
        session = Session(
            identity.domain_uuid,
            identity.call_uuid,
            plan.session,
            self,
            pacer=services.pacer,
            clock=services.clock,
        )
        try:
            services.manager.open(session)
        except CapacityReached as error:
            raise _HandBack(Outcome.OVERFLOW, None, str(error)) from error
        self._session = session
        self._record = ConversationRecord(
            entry,
            identity,
            services.record,
            services.metrics,
            provider=plan.session.candidates[0].name,
            worker=str(services.settings.worker.index),
        )
        self._functions = FunctionRunner(
            ToolContext(entry, identity.caller_id_number, self),
            deadline_s=services.settings.timeouts.tool_s,
            on_done=lambda outcome: self._post(partial(self._on_function_done, outcome)),
        )
        self._media = CallMedia(
            self._esl,
            session,
            services.manager,
            services.site,
            self._outbox,
            path=plan.path,
            choice=plan.choice,
            on_text=lambda payload: None,
        )

    def _wait_until_prepared(self, plan: ConversationPlan) -> None:
        """Until the greeting's first audio is here, at most as long as the ceiling allows."""
        until = self._services.clock() + self._services.settings.timeouts.answer_ceiling_s
        while not self._prepared and self._end is None:
            left_s = until - self._services.clock()
            if left_s <= 0 or not self._do_next(left_s):
                break
            self._esl.require_call()
        if self._end is not None:
            code = m.ErrorCode.PROVIDER_UNAVAILABLE
            raise _HandBack(Outcome.UNAVAILABLE, code, self._end.detail)
        self._step(CallEvent.PREPARED)

    def _answer(self, channel: ChannelData) -> None:
        """Open the line and bring the media."""
        if self._media is None or self._session is None or self._record is None:
            return
        if channel.get("Answer-State") != "answered":
            answered = self._answer_and_see()
            self._leg = answered_leg(answered, self._leg)
        self._answered_at = self._services.clock()
        self._record.answered()
        try:
            self._media.start(self._leg)
        except (MediaUnavailable, PortsExhausted) as error:
            raise _HandBack(Outcome.FAILED, m.ErrorCode.AUDIO_FORMAT, str(error)) from error
        self._step(CallEvent.MEDIA_STARTED)
        if not self._prepared:
            self._cover(Phrase.ONE_MOMENT)

    def _answer_and_see(self) -> Event:
        """Answer, and return CHANNEL_ANSWER: the channel has media, its codec is known."""
        seen: Queue[Event] = Queue(1)
        stop = self._esl.on("CHANNEL_ANSWER", lambda event: seen.put_nowait(event))
        try:
            self._esl.answer(ANSWER_TIMEOUT_S)
            return seen.get(timeout=COMMAND_TIMEOUT_S)
        except Empty:
            raise CallGone("answered, but never said so") from None
        finally:
            stop()

    def _talk(self) -> None:
        """Everything that happens in a conversation, until it is over."""
        while self.state is CallState.TALKING or self.state is CallState.TRANSFERRING:
            self._do_next(None)
            if self._end is not None:
                self._after_session(self._end)

    def _after_session(self, end: SessionEnd) -> None:
        """The session is over: where does the caller go?"""
        self._esl.require_call()
        if self._transfer is not None:
            self._hand_over(*self._transfer)
        elif end.cause in (EndCause.PROVIDER_FAILED, EndCause.STREAM_LOST):
            raise _HandBack(Outcome.FAILED, _CODE_OF_CAUSE[end.cause], end.detail)
        else:
            self._step(CallEvent.CLOSE)
            self._esl.hangup(HangupCause.NORMAL_CLEARING)

    # --- leaving -------------------------------------------------------------------------------

    def _hand_over(self, extension: str, reason: str) -> None:
        entry, record = self._entry, self._record
        if entry is None or record is None:
            return
        self._stop_media()
        try:
            blind_transfer(
                self._esl, record.row.call_uuid, extension, entry.domain_name, COMMAND_TIMEOUT_S
            )
        except NotDialable as error:
            record.transferred("blind", extension, reason, "failed")
            raise _HandBack(
                Outcome.TRANSFER_FAILED, m.ErrorCode.TRANSFER_FAILED, str(error)
            ) from error
        record.transferred("blind", extension, reason, "completed")
        self._step(CallEvent.HAND_BACK)

    def _hand_back(self, reason: _HandBack) -> None:
        """Let the dialplan go on, with the reason in `voice_ai_outcome`."""
        _log.info("call.handed_back", outcome=reason.outcome.value, why=str(reason))
        self._services.metrics.count(m.CALLS_REFUSED, reason.outcome.value)
        self._error_code = reason.code
        if reason.code is not None:
            self._services.metrics.count(m.ERRORS, reason.code.value)
        if not CALL_TABLE.allows(self.state, CallEvent.HAND_BACK):
            return
        self._step(CallEvent.HAND_BACK)
        try:
            self._stop_media()
            call_uuid = self._esl.connect().uuid
            fallback = self._entry.secretary.fallback_extension if self._entry else None
            if fallback and self._entry and reason.outcome in _NEED_SOMEBODY:
                blind_transfer(
                    self._esl, call_uuid, fallback, self._entry.domain_name, COMMAND_TIMEOUT_S
                )
            else:
                hand_back(self._esl, call_uuid, reason.outcome.value, COMMAND_TIMEOUT_S)
        except (EslError, NotDialable) as error:
            _log.info("call.gone_before_hand_back", error=str(error))

    def _stop_media(self) -> None:
        if self._session is not None:
            self._session.end(EndCause.HANGUP)
        if self._media is not None:
            self._media.stop()

    def _clean_up(self) -> None:
        if self.state is CallState.CLOSING:
            self._wait_for_hangup()
        if self._session is not None:
            self._session.end(EndCause.HANGUP)
            self._services.manager.release(self._session)
        if self._media is not None:
            self._media.close()
        if self._functions is not None:
            self._functions.close()
        self._outbox.close()
        self._write_end()
        self._esl.exit(COMMAND_TIMEOUT_S)
        if CALL_TABLE.allows(self.state, CallEvent.DONE):
            self._step(CallEvent.DONE)

    def _wait_for_hangup(self) -> None:
        try:
            self._esl.wait_hangup_complete(HANGUP_COMPLETE_S)
        except EslError as error:
            _log.info("call.hangup_not_seen", error=str(error))

    def _write_end(self) -> None:
        record, session = self._record, self._session
        if record is None or session is None:
            return
        cause = self._end.cause if self._end is not None else EndCause.HANGUP
        outcome = _OUTCOME_OF_CAUSE[cause]
        if record.row.transfer_destination is not None:
            outcome = "transferred"
        elif self._answered_at is None:
            outcome = "abandoned"
        elif self._error_code is not None:
            outcome = "fallback"
        code = self._error_code or _CODE_OF_CAUSE.get(cause)
        end_cause = self._esl.hangup_cause or cause.value
        record.end(outcome, end_cause, code.value if code else None, session.turns)

    # --- what the session tells (on the hub) -----------------------------------------------------

    def provider_ready(self) -> None:
        """Without a greeting there is nothing more to wait for."""
        if self._session is not None and not self._session.config.options.greeting:
            self._post(self._on_prepared)

    def greeting_ready(self) -> None:
        """First audio is here."""
        self._post(self._on_prepared)

    def first_audio_sent(self) -> None:
        """Measured from the answer, once."""
        if not self._greeted and self._answered_at is not None:
            self._greeted = True
            delay_s = self._services.clock() - self._answered_at
            self._services.metrics.observe(m.ANSWER_TO_GREETING, value_s=delay_s)

    def function_called(self, call: FunctionCall) -> None:
        """Run it aside."""
        if self._functions is not None:
            self._functions.run(call)

    def uttered(self, utterance: Utterance) -> None:
        """Journalled."""
        if self._record is not None:
            self._record.uttered(utterance)

    def turn_answered(self, latency: TurnLatency) -> None:
        """Journalled."""
        if self._record is not None:
            self._record.answered_turn(latency)

    def interrupted(self, heard_ms: int, reaction_ms: float) -> None:
        """Counted."""
        if self._record is not None:
            self._record.interrupted(reaction_ms)

    def used(self, usage: Usage) -> None:
        """Journalled."""
        if self._record is not None:
            self._record.used(usage)

    def provider_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """Cover the gap, and say so in the log."""
        provider = self._session.provider_name if self._session is not None else ""
        self._services.metrics.count(m.PROVIDER_FAILURES, provider, kind.value)
        self._post(partial(self._on_trouble, kind, code, message))

    def stream_lost(self) -> None:
        """Start it again."""
        self._post(self._on_stream_lost)

    def ended(self, end: SessionEnd) -> None:
        """The session is over."""
        self._end = end
        self._post(_nothing)

    # --- what the functions ask ------------------------------------------------------------------

    def transfer(self, destination: str, reason: str) -> None:
        """Hand over when the agent's last words have been heard."""
        self._post(partial(self._on_transfer, destination, reason))

    def end_call(self, reason: str) -> None:
        """Hang up when the agent's last words have been heard."""
        if self._session is not None:
            unsaid = self._session.config.phrases.good_bye
            self._post(partial(self._finish, EndCause.FINISHED, unsaid))

    # --- jobs of the inbox -------------------------------------------------------------------------

    def _on_prepared(self) -> None:
        self._prepared = True

    def _on_hangup(self) -> None:
        self._esl.require_call()

    def _on_dtmf(self, event: Event) -> None:
        digit = event.dtmf_digit
        if digit and self._session is not None:
            self._services.metrics.count(m.DTMF)
            self._session.press_digit(digit)

    def _on_function_done(self, outcome: FunctionOutcome) -> None:
        if self._record is not None:
            self._record.function_ran(outcome)
        if self._session is not None and not self._session.closing:
            self._session.send_function_result(outcome.call.call_id, outcome.output)

    def _on_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        _log.warning("provider.trouble", kind=kind.value, code=code, message=message)
        if self._end is None and kind is not ErrorKind.INVALID_REQUEST:
            self._cover(Phrase.ONE_MOMENT)

    def _on_stream_lost(self) -> None:
        self._esl.require_call()
        if self._media is None or self._end is not None:
            return
        self._services.metrics.count(m.STREAM_RESTARTS)
        try:
            self._media.restart(self._leg)
        except MediaUnavailable as error:
            raise _HandBack(Outcome.FAILED, m.ErrorCode.WEBSOCKET, str(error)) from error

    def _on_transfer(self, destination: str, reason: str) -> None:
        if self.state is CallState.TALKING and self._session is not None:
            self._transfer = (destination, reason)
            self._step(CallEvent.TRANSFER)
            self._finish(EndCause.FINISHED, self._session.config.phrases.connecting)

    def _finish(self, cause: EndCause, unsaid: str) -> None:
        """End politely; `unsaid` is what the caller hears if the agent has said nothing yet."""
        if self._session is not None:
            self._session.finish(cause, "" if self._session.agent_speaking else unsaid)

    def drain(self) -> None:
        """The worker is going: end politely. Called from outside."""
        if self._session is not None:
            unsaid = self._session.config.phrases.good_bye
            self._post(partial(self._finish, EndCause.DRAINED, unsaid))

    def _cover(self, phrase: Phrase) -> None:
        """Say something while nothing else can be heard."""
        if self._session is not None and self._entry is not None:
            self._session.announce(*phrase_audio(phrase, self._entry.secretary.language))

    # --- inside ----------------------------------------------------------------------------------

    def _post(self, job: Callable[[], None]) -> None:
        try:
            self._inbox.put_nowait(job)
        except Full:
            _log.error("call.inbox_full")

    def _do_next(self, timeout_s: float | None) -> bool:
        """Do one job of the inbox; False when none came in time."""
        try:
            job = self._inbox.get(timeout=timeout_s)
        except Empty:
            return False
        job()
        return True

    def _step(self, event: CallEvent) -> None:
        self.state = CALL_TABLE.next(self.state, event)


_NEED_SOMEBODY = (Outcome.FAILED, Outcome.UNAVAILABLE, Outcome.TRANSFER_FAILED)


def _nothing() -> None:
    """Wakes the call's greenlet."""
