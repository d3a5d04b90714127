"""The private talk with a human on his own leg: a session that can only end in yes or no.

Nothing of it is heard by the caller, and nothing of it is stored but what it cost.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import gevent
import msgspec

from bridge.ports import EndCause, SessionEnd, SetPhrase, TurnLatency, Utterance
from bridge.providers.base import ErrorKind, FunctionCall
from bridge.providers.conversation import Brief
from bridge.session.session import Session
from bridge.session_manager import CapacityReached
from esl_controller.calls.command_queue import Outbox
from esl_controller.calls.leg import Leg
from esl_controller.calls.media_site import MediaUnavailable
from esl_controller.calls.phrases import Phrase, phrase_audio
from esl_controller.calls.site import ConversationSite
from esl_controller.calls.transfer.briefing_words import ACCEPT, DECLINE
from esl_controller.calls.transfer.states import TransferEvent
from esl_controller.database.models import RouteEntry
from esl_controller.esl.applications import Application
from esl_controller.esl.errors import EslError
from esl_controller.record.conversation import ConversationRecord
from esl_controller.routes.identity import CallIdentity
from esl_controller.routes.routing import HandBack
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.log import call_logger
from esl_controller.telemetry.metrics import Metrics

LONGEST_S = 60.0
SILENCE_S = 8.0
MAX_MESSAGE = 500
TONES = "tone_stream://%(150,100,880);%(150,1500,1175);loops=20"
"""Where nobody can speak to the human: something rings for a key."""


class Briefing:
    """Implements `attempt.Talk`, and the session's listener."""

    def __init__(
        self,
        leg: Leg,
        entry: RouteEntry,
        identity: CallIdentity,
        brief: Brief,
        site: ConversationSite,
        record: ConversationRecord,
        metrics: Metrics,
        verdict: Callable[[TransferEvent, str], None],
        *,
        leaves: bool = False,
    ) -> None:
        """`leaves`: the first sentence is all, and VERDICT_LATE says that it was heard."""
        self._leg = leg
        self._entry = entry
        self._identity = identity
        self._brief = brief
        self._site = site
        self._metrics = metrics
        self._verdict = verdict
        self._leaves = leaves
        self._held = ExitStack()
        self._closed = False
        self._session: Session | None = None
        self._log = call_logger()
        self.used = record.used

    def begin(self) -> None:
        """Connect the provider and bring the human's media; tones where that cannot be had.

        Raises EslError: he has gone.
        """
        try:
            self._talk()
        except (HandBack, CapacityReached, MediaUnavailable) as error:
            self._log.warning("transfer.no_briefing", why=str(error))
            self._held.close()
            if self._leaves:
                self._verdict(TransferEvent.VERDICT_LATE, "")
            else:
                self._ring_for_a_key()

    def close(self) -> None:
        """End it and give everything up. Idempotent."""
        self._closed = True
        self._held.close()

    def _talk(self) -> None:
        site, leg = self._site, self._leg
        # Whatever he says is his verdict, a short "yes" in the middle of the briefing, too.
        secretary = replace(
            self._entry.secretary, resume_after_noise=False, ignore_back_channels=False
        )
        plan = site.plan(leg, replace(self._entry, secretary=secretary), self._brief.tools)
        config = replace(
            plan.session,
            brief=self._brief,
            silence_s=SILENCE_S,
            max_duration_s=LONGEST_S,
            max_turns=None,
            history=(),
        )
        identity = self._identity
        self._session = session = Session(
            identity.domain_uuid,
            identity.call_uuid,
            config,
            self,
            pacer=site.pacer,
            clock=site.clock,
        )
        site.manager.open(session, going_on=True)
        give_up = self._held.callback
        give_up(site.manager.release, session)
        outbox = Outbox()
        give_up(outbox.close)
        media = site.media_for(leg, session, plan, outbox, self._metrics)
        give_up(self._stop_media)
        give_up(session.end, EndCause.HANGUP)
        session.prepare()
        media.prepare()
        media.start(leg.codec)

    def _stop_media(self) -> None:
        """So that the caller can have the leg."""
        try:
            if not self._leg.hungup:
                self._leg.stop_media()
        except EslError as error:
            self._log.info("transfer.media_not_stopped", error=str(error))
        self._leg.close_media()

    def _ring_for_a_key(self) -> None:
        self._leg.esl.execute(Application.PLAYBACK, TONES)
        self._held.callback(self._stop_tones)

    def _fall_back(self) -> None:
        """In the middle of it nobody is left who could speak."""
        self._held.close()
        try:
            if not self._closed:
                self._ring_for_a_key()
        except EslError as error:
            self._log.info("transfer.no_tones", error=str(error))

    def _stop_tones(self) -> None:
        try:
            if not self._leg.hungup:
                self._leg.esl.api("uuid_break", f"{self._leg.uuid} all", check=False)
        except EslError as error:
            self._log.info("transfer.tones_not_stopped", error=str(error))

    def _cover(self, phrase: Phrase) -> None:
        if self._session is not None:
            self._session.announce(*phrase_audio(phrase, self._entry.secretary.language))

    # --- the session's listener, on the hub ----------------------------------------------------

    def function_called(self, call: FunctionCall) -> None:
        """The verdict by voice; anything else the model calls does not exist here."""
        if call.name == ACCEPT:
            self._verdict(TransferEvent.ACCEPTED, "")
        elif call.name == DECLINE:
            self._verdict(TransferEvent.DECLINED, _message(call.arguments))
        elif self._session is not None:
            self._session.send_function_result(call.call_id, '{"error":"unknown"}', failed=True)

    def greeting_ready(self) -> None:
        """The human hears what it is about."""

    def answer_late(self) -> None:
        """Nothing has been heard for too long."""
        self._cover(Phrase.ONE_MOMENT)

    def phrase_due(self, phrase: SetPhrase) -> None:
        """Words that the provider cannot be told to say."""
        self._cover(Phrase(phrase.value))

    def provider_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """Counted like the caller's own."""
        provider = self._session.provider_name if self._session is not None else ""
        self._metrics.count(m.PROVIDER_FAILURES, provider, kind.value)
        self._log.warning("transfer.briefing_trouble", kind=kind.value, code=code)

    def ended(self, end: SessionEnd) -> None:
        """Without us he can still press a key; a silent human has said all he will."""
        if self._closed:
            return
        self._log.info("transfer.briefing_ended", cause=end.cause.value, detail=end.detail)
        if end.cause is EndCause.PROVIDER_FAILED and not self._leaves:
            gevent.spawn(self._fall_back)
        elif end.cause is not EndCause.STREAM_LOST:
            self._verdict(TransferEvent.VERDICT_LATE, "")

    def provider_ready(self) -> None:
        """Its greeting comes."""

    def first_audio_sent(self) -> None:
        """Who only introduces the others leaves when it is heard."""
        if self._leaves and self._session is not None:
            gevent.spawn(self._session.finish, EndCause.FINISHED)

    def function_cancelled(self, call_id: str) -> None:
        """A verdict is not taken back."""

    def uttered(self, utterance: Utterance) -> None:
        """Private: not stored."""

    def turn_answered(self, latency: TurnLatency) -> None:
        """Not a turn of the caller's."""

    def interrupted(self, reaction_ms: float) -> None:
        """Not counted."""

    def resumed(self, why: str, silent_ms: float) -> None:
        """Not counted."""

    def stream_lost(self) -> None:
        """Not started again: keys are heard without it, and the session gives up by itself."""


def _message(arguments: str) -> str:
    try:
        decoded = msgspec.json.decode(arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        return ""
    message = decoded.get("message") if isinstance(decoded, dict) else None
    return " ".join(message.split())[:MAX_MESSAGE] if isinstance(message, str) else ""
