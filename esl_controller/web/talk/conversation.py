"""One conversation with a browser in place of a telephone: the same session, budget and record.

What FreeSWITCH does for a call, hold, transfer and recording, is not here: a transfer is told to
the page and ends the conversation.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

import msgspec
import structlog

from bridge.audio.formats import AudioFormat, Encoding
from bridge.playout.browser import BrowserPlayout
from bridge.ports import EndCause, SessionEnd, SetPhrase, TurnLatency, Utterance
from bridge.providers.base import ErrorKind, FunctionCall, Usage
from bridge.providers.conversation import Speaker
from bridge.routes import TalkRequest
from bridge.session.media_plan import Leg, MediaPlan
from bridge.session.session import Session
from bridge.session_manager import CapacityReached
from bridge.wire import frames
from bridge.wire.link import CloseInfo, WebSocketLink
from esl_controller.calls.counters import follow_session
from esl_controller.calls.desk import CallDesk
from esl_controller.calls.jobs import Inbox
from esl_controller.calls.known import known_of
from esl_controller.calls.phrases import Phrase, phrase_audio
from esl_controller.calls.plan import plan_conversation
from esl_controller.calls.transfer.plan import TransferPlan
from esl_controller.calls.wording import phrases_of
from esl_controller.database.acts import Errand
from esl_controller.database.models import RouteEntry, SecretaryRealtime
from esl_controller.record.conversation import ConversationRecord
from esl_controller.record.outcome import own_ending
from esl_controller.record.promises import OVER
from esl_controller.routes.identity import CallIdentity
from esl_controller.routes.routing import HandBack, Outcome
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.log import bind_call
from esl_controller.tenants.providers import NoProvider
from esl_controller.tools.base import FunctionFailed, FunctionOutcome, ToolContext
from esl_controller.tools.honesty import Honesty
from esl_controller.tools.registry import offered_tools, tools_for
from esl_controller.tools.runner import FunctionRunner
from esl_controller.web.talk.keys import pressed
from esl_controller.web.talk.no_telephone import NoTelephone

_log = structlog.get_logger("talk")

CALLER = "browser"
"""Stands where a call has the caller's number."""


class TalkCall(NoTelephone):
    """One conversation. `run` returns when it is over; a session's listener, and `CallActions`."""

    def __init__(self, request: TalkRequest, desk: CallDesk) -> None:
        self.link: WebSocketLink | None = None
        self.identity = CallIdentity(
            domain_uuid=request.domain_uuid,
            call_uuid=str(uuid.uuid4()),
            extension=request.extension,
            caller_id_number=CALLER,
            caller_id_name="",
        )
        self._format = AudioFormat(Encoding.L16, request.rate_hz)
        self._desk = desk
        self._inbox = Inbox()
        self._session: Session | None = None
        self._record: ConversationRecord | None = None
        self._functions: FunctionRunner | None = None
        self._language: str | None = None
        self._secretary: SecretaryRealtime | None = None
        self._end: SessionEnd | None = None
        self._gone = False
        self._honesty = Honesty()

    # --- as the worker sees it -----------------------------------------------------------------

    @property
    def key(self) -> tuple[str, str]:
        """`domain_uuid` and `call_uuid`."""
        return self.identity.domain_uuid, self.identity.call_uuid

    @property
    def serving(self) -> bool:
        """It has the caller."""
        return self._session is not None and self._end is None

    def drain(self) -> None:
        """A good-bye after what is being said. Called from outside."""
        self._inbox.post(partial(self._finish, EndCause.DRAINED))

    def run(self) -> None:
        """Talk, whatever happens meanwhile."""
        with bind_call(domain_uuid=self.identity.domain_uuid, call_uuid=self.identity.call_uuid):
            try:
                with ExitStack() as given_back:
                    given_back.callback(self._hang_up)
                    self._talk(given_back)
            except HandBack as reason:
                self._say("refused", outcome=reason.outcome.value, why=str(reason))
            except Exception:  # noqa: BLE001 - boundary: one conversation's bug is its own
                self._desk.book.metrics.count(m.ERRORS, m.OwnError.INTERNAL.value)
                _log.exception("talk.failed")
            finally:
                self._close_link()

    def refuse(self, why: str) -> None:
        """Say why not, and leave."""
        self._say("refused", outcome=Outcome.INVALID.value, why=why)
        self._close_link()

    # --- the way through -----------------------------------------------------------------------

    def _talk(self, given_back: ExitStack) -> None:
        reception = self._desk.reception
        entry = reception.secretary_for(self.identity)
        entry = reception.admission.admit(entry, self.identity.call_uuid)
        given_back.callback(reception.admission.release, *self.key)
        session = self._open(entry, given_back)
        session.prepare()
        send = self._link_sender
        playout = BrowserPlayout(self._format, send(True), send(False))
        session.attach_media(MediaPlan(self._format, self._format), playout)
        assert self._record is not None  # made with the session
        self._record.answered()
        self._say("open", call_uuid=self.identity.call_uuid, name=entry.secretary.secretary_name)
        while self._end is None:
            self._inbox.do_next()
        self._say("ended", cause=self._end.cause.value, detail=self._end.detail)

    def _open(self, entry: RouteEntry, given_back: ExitStack) -> Session:
        site, book = self._desk.site, self._desk.book
        leg = Leg("L16", self._format.rate_hz)
        try:
            plan = plan_conversation(
                entry,
                site.settings,
                leg,
                offered_tools(entry),
                module=None,
                idle_silence=False,
                network=site.network(),
                breakers=site.breakers,
                known=known_of(entry, "", ""),
            )
        except NoProvider as error:
            raise HandBack(
                Outcome.UNAVAILABLE, m.ErrorCode.PROVIDER_UNAVAILABLE, str(error)
            ) from error
        session = Session(*self.key, plan.session, self, pacer=site.pacer, clock=site.clock)
        if site.manager.draining:
            raise HandBack(Outcome.OVERFLOW, None, "the worker is draining")
        try:
            site.manager.open(session)
        except CapacityReached as error:
            raise HandBack(Outcome.OVERFLOW, None, str(error)) from error
        give_up = given_back.callback
        give_up(site.manager.release, session)
        give_up(follow_session(book.metrics, session))
        self._secretary = entry.secretary
        self._language = entry.secretary.language
        conversation_uuid = str(uuid.uuid4())
        self._functions = FunctionRunner(
            tools_for(entry),
            ToolContext(
                entry=entry,
                call_uuid=self.identity.call_uuid,
                conversation_uuid=conversation_uuid,
                caller_id_number=CALLER,
                language=entry.secretary.language or "en",
                actions=self,
                places=site.places,
                services=site.services,
            ),
            deadline_s=site.settings.timeouts.tool_s,
            on_start=lambda outcome: self._inbox.post(partial(self._function, outcome)),
            on_done=lambda outcome: self._inbox.post(partial(self._function_done, outcome)),
        )
        give_up(self._functions.close)
        self._record = book.open(
            entry, self.identity, plan.session.candidates[0].kind, conversation_uuid
        )
        self._session = session
        give_up(self._write_end)
        return session

    def _write_end(self) -> None:
        if self._session is not None and self._record is not None:
            hangup = "NORMAL_CLEARING" if self._gone else ""
            ending = own_ending(self._end, answered=True, hangup_cause=hangup, cut=False)
            self._record.end(ending, self._session.turns)

    def _hang_up(self) -> None:
        if self._session is not None:
            self._session.end(EndCause.HANGUP)

    def _finish(self, cause: EndCause) -> None:
        if self._session is not None and not self._session.ended:
            phrases = self._session.config.phrases
            self._session.finish(cause, unless_speaking=phrases.good_bye)

    # --- the browser ---------------------------------------------------------------------------

    def hear(self, audio: bytes) -> None:
        """What its microphone picked up: whole samples, or the odd byte is dropped."""
        if self._session is not None:
            self._session.receive_audio(audio[: len(audio) // 2 * 2])

    def told(self, payload: bytes) -> None:
        """A text of the page: a key that was pressed. Anything else is not looked at."""
        key = pressed(payload)
        if key is not None and self._session is not None:
            self._session.press_digit(key)

    def closed(self, info: CloseInfo) -> None:
        """The page has gone, or hung up."""
        self._gone = True
        self.link = None
        if self._session is None:
            self._end = SessionEnd(EndCause.HANGUP)
        self._inbox.post(self._hang_up)

    def _say(self, event: str, **more: Any) -> None:
        if self.link is not None and self.link.is_open:
            self.link.send_text(msgspec.json.encode({"event": event, **more}))

    def _link_sender(self, binary: bool) -> Callable[[bytes], object]:
        def send(data: bytes) -> None:
            if self.link is not None:
                self.link.send(data, binary)

        return send

    def _close_link(self) -> None:
        if self.link is not None:
            self.link.close(frames.NORMAL)

    # --- what the session tells, on the hub: SessionListener -----------------------------------

    def provider_ready(self) -> None:
        """The provider took the settings."""
        self._say("ready")

    def greeting_ready(self) -> None:
        """Nothing waits for it: the line is open."""

    def first_audio_sent(self) -> None:
        """For the page's own clock."""
        self._say("first_audio")

    def function_called(self, call: FunctionCall) -> None:
        """Run it aside."""
        if self._functions is not None:
            self._functions.run(call)

    def function_cancelled(self, call_id: str) -> None:
        """The model does not want it any more."""
        if self._functions is not None:
            self._functions.cancel(call_id)

    def uttered(self, utterance: Utterance) -> None:
        """Stored, and shown."""
        if self._record is not None:
            self._record.uttered(utterance)
        agents = utterance.speaker is Speaker.AGENT
        if agents and (untrue := self._honesty.said(utterance.text, utterance.at_s)):
            self.tell(untrue, respond=True)
        self._say(
            "turn",
            item=utterance.item_id,
            role=utterance.speaker.value,
            text=utterance.text,
            at_s=round(utterance.at_s, 2),
            interrupted=utterance.interrupted,
        )

    def turn_answered(self, latency: TurnLatency) -> None:
        """Stored, and shown."""
        if self._record is not None:
            self._record.turn_answered(latency)
        parts = ("total_ms", "network_ms", "model_ms", "buffer_ms", "playout_ms")
        told = {name: getattr(latency, name) for name in parts}
        self._say("latency", turn=latency.turn, **{name: _whole(ms) for name, ms in told.items()})

    def resumed(self, why: str, silent_ms: float) -> None:
        """Counted."""
        if self._record is not None:
            self._record.resumed(why, silent_ms)

    def interrupted(self, reaction_ms: float) -> None:
        """Stored, and shown."""
        if self._record is not None:
            self._record.interrupted(reaction_ms)
        self._say("interrupted", reaction_ms=round(reaction_ms, 1))

    def used(self, usage: Usage) -> None:
        """Priced and held against the budget, as a call's."""
        if self._record is not None:
            self._record.used(usage)

    def answer_late(self) -> None:
        """Something is said meanwhile."""
        self._inbox.post(partial(self._cover, Phrase.ONE_MOMENT))

    def phrase_due(self, phrase: SetPhrase) -> None:
        """Words that the provider cannot be told to say."""
        self._inbox.post(partial(self._cover, Phrase(phrase.value)))

    def provider_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """Shown: whoever tries a secretary wants to know."""
        self._say("trouble", kind=kind.value, code=code, message=message[:300])
        if self._session is not None:
            name = self._session.provider_name
            self._desk.book.metrics.count(m.PROVIDER_FAILURES, name, kind.value)

    def stream_lost(self) -> None:
        """The browser's connection is the only one: without it the conversation is over."""
        self._inbox.post(self._hang_up)

    def ended(self, end: SessionEnd) -> None:
        """The session is over."""
        self._end = end
        self._inbox.post(_nothing)

    def _cover(self, phrase: Phrase) -> None:
        if self._session is not None and not self._session.ended:
            self._session.announce(*phrase_audio(phrase, self._language))

    # --- functions -----------------------------------------------------------------------------

    def _function(self, outcome: FunctionOutcome) -> None:
        if self._record is not None:
            self._record.function(outcome)
        self._say("function", name=outcome.call.name, status=outcome.status)

    def _function_done(self, outcome: FunctionOutcome) -> None:
        self._function(outcome)
        session = self._session
        if session is not None and not (session.ended or session.closing or outcome.cancelled):
            if self._record is not None:
                self._honesty.told(outcome, self._record.now_s)
            failed = outcome.status != "completed"
            session.send_function_result(outcome.call.call_id, outcome.output, failed=failed)

    # --- what functions ask: CallActions -------------------------------------------------------

    def change_language(self, language: str) -> bool:
        """Our own phrases follow."""
        if self._session is None or self._session.closing or self._secretary is None:
            return False
        self._language = language
        self._session.change_language(language, phrases_of(self._secretary, {}, language))
        return True

    def transfer(self, plan: TransferPlan) -> None:
        """Told to the page: there is no telephone to hand over."""
        self._say("transfer", destination=plan.destinations[0].name, reason=plan.reason)
        self._inbox.post(partial(self._finish, EndCause.FINISHED))

    def errand(self, wanted: Errand) -> bool:
        """Hand it to the queue of errands: a trial shows all of what a call would do."""
        if self._record is None:
            raise FunctionFailed(OVER)
        return self._record.promises.add(wanted)

    def hand_back(self, outcome: str, *, extension: str | None = None, reason: str = "") -> None:
        """Told to the page: there is no dialplan to go back to."""
        self._say("refused", outcome=outcome, why=reason)
        self._inbox.post(self._hang_up)

    def end_call(self, reason: str) -> None:
        """When the agent's last words have been heard."""
        self._inbox.post(partial(self._finish, EndCause.FINISHED))

    def tell(self, text: str, *, respond: bool) -> bool:
        """Tell the model something the caller did not say."""
        session = self._session
        if session is None or session.closing or session.ended:
            return False
        session.tell(text, respond=respond)
        return True


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _nothing() -> None:
    """Wakes the conversation."""
