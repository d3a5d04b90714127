"""One conversation on one leg: its session, media, functions and record, for as long as it lasts.

A conversation is its session's listener, made with it and dying with it. What is only to be
written down goes to the record; what the call must do something about goes into its inbox. The
session calls on the hub, so nothing of that waits.
"""

from __future__ import annotations

import uuid
from functools import partial

import structlog

from bridge.audio.formats import AudioFormat
from bridge.ports import EndCause, SessionEnd, SetPhrase, Utterance
from bridge.providers.base import ErrorKind, FunctionCall
from bridge.providers.conversation import Ran, Said, Speaker
from bridge.session.candidates import NOT_TRIED
from bridge.session.session import Session
from bridge.session_manager import CapacityReached
from bridge.wire.turns import others_first
from esl_controller.calls.callee import Callee
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.counters import follow_session
from esl_controller.calls.giving_back import GivingBack
from esl_controller.calls.jobs import CallJobs, Inbox
from esl_controller.calls.leg import Leg
from esl_controller.calls.phrases import Phrase, phrase_audio
from esl_controller.calls.plan import ConversationPlan
from esl_controller.calls.recording import Recorder
from esl_controller.calls.site import ConversationSite
from esl_controller.calls.wording import phrases_of
from esl_controller.database.models import RouteEntry
from esl_controller.record.conversation import CallBook, ConversationRecord
from esl_controller.routes.identity import CallIdentity
from esl_controller.routes.routing import HandBack, Outcome
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.catalogue import ErrorCode
from esl_controller.tools.base import CallActions, FunctionOutcome, ToolContext
from esl_controller.tools.honesty import Honesty
from esl_controller.tools.registry import tools_for
from esl_controller.tools.runner import FunctionRunner

_log = structlog.get_logger("call")

MAX_TROUBLES = 20
"""Logged of one call; a provider that talks nonsense does so fifty times a second."""


class Conversation:
    """All that one conversation holds; `close` gives everything up, whatever fails meanwhile."""

    def __init__(
        self,
        leg: Leg,
        entry: RouteEntry,
        identity: CallIdentity,
        plan: ConversationPlan,
        site: ConversationSite,
        book: CallBook,
        jobs: CallJobs,
        actions: CallActions,
        inbox: Inbox,
    ) -> None:
        self.entry = entry
        self.language = entry.secretary.language
        self._known = plan.known
        self.end: SessionEnd | None = None
        self.trouble = ""
        """What a provider said last about why it failed."""
        self._leg = leg
        self._jobs = jobs
        self._inbox = inbox
        self._metrics = book.metrics
        self._clock = site.clock
        self._answered_at: float | None = None
        self._greeted = False
        self._honesty = Honesty()
        self._troubles = 0
        self._results: list[FunctionOutcome] | None = None
        """What waits until nobody would hear the model go on; None: nothing waits."""
        self.session = Session(
            identity.domain_uuid,
            identity.call_uuid,
            plan.session,
            self,
            pacer=site.pacer,
            clock=site.clock,
        )
        try:
            site.manager.open(self.session, going_on=bool(plan.session.history))
        except CapacityReached as error:
            raise HandBack(Outcome.OVERFLOW, None, str(error)) from error
        conversation_uuid = str(uuid.uuid4())
        with GivingBack() as held:  # given up again should anything here fail
            give_up = held.callback
            give_up(site.manager.release, self.session)
            give_up(follow_session(book.metrics, self.session))
            outbox = Outbox()
            give_up(outbox.close)
            self.functions = self._functions(entry, identity, site, actions, conversation_uuid)
            give_up(self.functions.close)
            self.media = site.media_for(leg, self.session, plan, outbox, book.metrics)
            give_up(leg.close_media)
            give_up(self.session.let_go)
            give_up(self.session.end, EndCause.HANGUP)
            kind = plan.session.candidates[0].kind
            self.record: ConversationRecord = book.open(entry, identity, kind, conversation_uuid)
            leg.conversation_uuid = self.record.row.conversation_uuid
            self.recorder = Recorder(
                leg,
                entry,
                self.session,
                self.record,
                site.settings.freeswitch.recordings_dir,
                post=inbox.post,
                clock=site.clock,
            )
            give_up(self.recorder.close)
            self.callee: Callee | None = None
            if entry.outbound is not None:
                message = entry.secretary.voicemail_message or ""
                self.callee = Callee(self.session, self.record, message, site.clock)
                give_up(self.callee.close)
            self._held = held.pop_all()
        self.turn_answered = self.record.turn_answered
        self.interrupted = self.record.interrupted
        self.resumed = self.record.resumed
        self.used = self.record.used

    def _functions(
        self,
        entry: RouteEntry,
        identity: CallIdentity,
        site: ConversationSite,
        actions: CallActions,
        conversation_uuid: str,
    ) -> FunctionRunner:
        return FunctionRunner(
            tools_for(entry),
            ToolContext(
                entry=entry,
                call_uuid=identity.call_uuid,
                conversation_uuid=conversation_uuid,
                caller_id_number=identity.caller_id_number,
                caller_id_name=identity.caller_id_name,
                language=entry.secretary.language or "en",
                actions=actions,
                places=site.places,
                services=site.services,
            ),
            deadline_s=site.settings.timeouts.tool_s,
            on_start=self._on_function_begun,
            on_done=self._on_function_done,
        )

    @property
    def answered_by(self) -> str | None:
        """Who or what has picked up, of a call we made."""
        return self.record.row.answered_by

    @property
    def answered(self) -> bool:
        """The line was opened."""
        return self._answered_at is not None

    def prepare(self) -> None:
        """Connect the provider, and tell FreeSWITCH what it must know before `answer`."""
        others_first()
        self.session.prepare()
        others_first()
        self.media.prepare()

    def opened(self) -> None:
        """The line is open."""
        self._answered_at = self._clock()
        self.record.answered()
        self.recorder.begin()
        if self.callee is not None:
            self.callee.begin()

    def pressed(self, digit: str) -> None:
        """A key: for the model, unless it answers the notice of a recording."""
        if not self.recorder.pressed(digit):
            self.session.press_digit(digit)

    def cover(self, phrase: Phrase) -> None:
        """Say something while nothing else can be heard."""
        self.session.announce(*phrase_audio(phrase, self.language))

    def change_language(self, language: str) -> bool:
        """Our own phrases and the record follow the caller."""
        if self.session.closing or self.session.ended:
            return False
        self.language = language
        phrases = phrases_of(self.entry.secretary, self._known, language)
        self.session.change_language(language, phrases)
        self.record.spoken_in(language)
        return True

    def hold(self) -> None:
        """The caller put us on hold: nobody hears us, and his silence means nothing."""
        self.session.set_on_hold(True)

    def resume(self) -> None:
        """The caller took us back."""
        self.session.set_on_hold(False)

    def tell(self, text: str, *, respond: bool) -> bool:
        """Tell the model something the caller did not say; False when it cannot be told."""
        if self.session.closing:
            return False
        self.session.tell(text, respond=respond)
        return True

    def history(self) -> list[Said | Ran]:
        """What was said, this conversation's beginning on another worker included."""
        return [*self.session.config.history, *self.session.transcript.history()]

    def before_transfer(self) -> None:
        """The agent has said whom we ring, or says it now; results wait, for they make it go on."""
        self.keep_results()
        connecting = self.session.config.phrases.connecting
        if connecting and not self.session.agent_speaking:
            self.session.say(connecting)

    def keep_results(self) -> None:
        """Until caller and agent part, or it is decided that they do not."""
        self._results = self._results or []

    def part(self, music: tuple[bytes, AudioFormat] | None) -> None:
        """Caller and agent no longer hear each other."""
        self.session.hold(music)
        self._give_results()

    def go_on(self, words: str) -> None:
        """They hear each other again; the agent is told why, and speaks once: with the results of
        its functions where these are still to be given."""
        self.session.tell(words, respond=not self._results)
        self._give_results()
        self.session.resume()

    def _give_results(self) -> None:
        results, self._results = self._results or [], None
        for outcome in results:
            self._answer_function(outcome, noted=True)

    def finish(self, cause: EndCause, *, always_good_bye: bool = False) -> None:
        """End politely. Unless `always_good_bye`, what the agent says now is its good-bye."""
        good_bye = self.session.config.phrases.good_bye
        last_words = good_bye if always_good_bye else ""
        self.session.finish(cause, last_words, unless_speaking=good_bye)

    def announce_transfer(self) -> None:
        """End politely, with words about being connected unless the agent is saying some."""
        phrases = self.session.config.phrases
        self.session.finish(EndCause.FINISHED, unless_speaking=phrases.connecting)

    def stop(self, cause: EndCause = EndCause.HANGUP) -> None:
        """Nothing more goes to the provider or comes from it, and FreeSWITCH's stream ends."""
        self.session.end(cause)
        self._leg.stop_media()

    def close(self) -> None:
        """End what is still going on and give up sockets, ports and the seat. Idempotent."""
        self._held.close()

    def let_go(self) -> None:
        """The call is over: what knows us is known by us no more."""
        self.close()
        del self.session, self.media, self.recorder, self.callee

    # --- the session's listener, on the hub ----------------------------------------------------

    def uttered(self, utterance: Utterance) -> None:
        """Something was said."""
        self.record.uttered(utterance)
        self.recorder.uttered(utterance)
        if utterance.speaker is Speaker.AGENT:
            untrue = self._honesty.said(utterance.text, utterance.at_s)
            if untrue:
                _log.warning("call.claim_corrected", told=untrue[:60])
                self.tell(untrue, respond=True)
        if self.callee is not None:
            self.callee.uttered(utterance)

    def provider_ready(self) -> None:
        """Without a greeting there is nothing more to wait for."""
        self.record.provider = self.session.provider_name
        self._metrics.count(m.PROVIDER_READY, self.record.provider)
        if not self.session.config.brief.greeting:
            self._inbox.post(self._jobs.on_prepared)

    def greeting_ready(self) -> None:
        """First audio of the greeting is here."""
        self._inbox.post(self._jobs.on_prepared)

    def first_audio_sent(self) -> None:
        """Measured from the answer, once."""
        if not self._greeted and self._answered_at is not None:
            self._greeted = True
            after_s = self._clock() - self._answered_at
            self._metrics.observe(m.ANSWER_TO_GREETING, self.session.provider_name, value_s=after_s)

    def function_called(self, call: FunctionCall) -> None:
        """Run it aside."""
        self.functions.run(call)

    def function_cancelled(self, call_id: str) -> None:
        """The model does not want it any more."""
        self.functions.cancel(call_id)

    def phrase_due(self, phrase: SetPhrase) -> None:
        """Words that the provider cannot be told to say."""
        self._inbox.post(partial(self.cover, Phrase(phrase.value)))

    def answer_late(self) -> None:
        """The call covers it with words."""
        self._metrics.count(m.COVERS)
        self._inbox.post(self._jobs.on_answer_late)

    def provider_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """Counted; the call logs it."""
        if code != NOT_TRIED:
            self._metrics.count(m.PROVIDER_FAILURES, self.session.provider_name, kind.value)
        if kind is ErrorKind.RATE_LIMIT:
            self._metrics.count(m.ERRORS, m.ErrorCode.RATE_LIMIT.value)
        # Not `code: message`: behind `invalid_api_key:` a key is looked for, and hidden.
        self.trouble = f"{message} ({code})" if code and message else code or message
        self._troubles += 1
        if self._troubles <= MAX_TROUBLES:
            self._inbox.post(partial(self._jobs.on_trouble, kind, code, message))

    def stream_lost(self) -> None:
        """The call starts it again."""
        self._inbox.post(self._jobs.on_stream_lost)

    def ended(self, end: SessionEnd) -> None:
        """The session is over."""
        self.end = end
        self._metrics.observe(m.DEAD_AIR, value_s=self.session.longest_wait_s())
        echo = self.session.line.echo.found
        if echo is not None:
            self.record.echoed(echo)
            _log.info("call.echo", delay_ms=echo.delay_ms, level_db=echo.level_db)
        self._inbox.post(partial(self._jobs.on_ended, end))

    # --- functions -----------------------------------------------------------------------------

    def _on_function(self, outcome: FunctionOutcome) -> None:
        """Written down; the session hands over no more of them than a conversation may have."""
        self.record.function(outcome)
        if outcome.status in ("failed", "timeout"):
            self._metrics.count(m.ERRORS, ErrorCode.FUNCTION_CALL_FAILED.value)

    def _on_function_begun(self, outcome: FunctionOutcome) -> None:
        """On the hub, where an error of ours would be taken for the provider's."""
        self._inbox.post(partial(self._on_function, outcome))

    def _on_function_done(self, outcome: FunctionOutcome) -> None:
        """In a greenlet of the runner; it may be the call's end that ended the function."""
        if self.end is not None:
            self._on_function(outcome)
        else:
            self._inbox.post(partial(self._answer_function, outcome))

    def _answer_function(self, outcome: FunctionOutcome, *, noted: bool = False) -> None:
        """A result makes the model go on: none is given of what has begun the end."""
        if not noted:
            self._on_function(outcome)
        if self._results is not None:
            self._results.append(outcome)
            return
        if not (self.session.closing or outcome.cancelled):
            self._honesty.told(outcome, self.record.now_s)
            failed = outcome.status != "completed"
            self.session.send_function_result(outcome.call.call_id, outcome.output, failed=failed)
