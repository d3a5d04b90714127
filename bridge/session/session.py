"""One bridge session: the caller's stream, the provider and the playout joined, until one ends.

Everything here runs on the hub and never waits. `Uplink` and `Voice` carry the audio; this module
decides who has the floor and when the session begins, goes on and ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from bridge.audio.formats import AudioFormat
from bridge.audio.pacer import Pacer
from bridge.playout.base import Playout
from bridge.ports import EndCause, SessionEnd, SessionListener
from bridge.providers import base as p
from bridge.session.answers import Answers
from bridge.session.config import SessionConfig
from bridge.session.digits import DigitGatherer
from bridge.session.media_plan import MediaPlan
from bridge.session.provider import ProviderSeat, SeatListener
from bridge.session.silence import ConversationWatch, WatchAction
from bridge.session.states import SESSION_TABLE, SessionEvent, SessionState
from bridge.session.transcript import Transcript
from bridge.session.turn import Interruption, TurnKeeper
from bridge.session.turn_states import TurnState
from bridge.session.uplink import Uplink
from bridge.session.voice import Voice

_log = logging.getLogger("bridge.session.session")


class Session:
    """Joins one call's media to one conversation. `now` is monotonic seconds throughout."""

    def __init__(
        self,
        domain_uuid: str,
        call_uuid: str,
        config: SessionConfig,
        listener: SessionListener,
        *,
        pacer: Pacer,
        clock: Callable[[], float],
    ) -> None:
        self.domain_uuid = domain_uuid
        self.call_uuid = call_uuid
        self.config = config
        self.state = SESSION_TABLE.initial
        self.late_audio_dropped = 0
        self._listener = listener
        self._clock = clock
        self.started_at = now = clock()
        self.transcript = Transcript(now)
        self.voice = Voice(pacer, on_first_frame=self._on_first_frame, on_drained=self._on_drained)
        self._turns = TurnKeeper(provider_cancels=False, barge_in=config.barge_in)
        self._digits = DigitGatherer(config.digit_pause_s)
        self._watch = ConversationWatch(
            now,
            silence_s=config.silence_s,
            give_up_s=config.give_up_s,
            max_s=config.max_duration_s,
        )
        self._seat = ProviderSeat(
            config.candidates,
            config.options,
            SeatListener(
                self._on_events, self._on_provider_ready, self._on_lost, self._on_exhausted
            ),
            history=self.transcript.history,
            connect_timeout_s=config.provider_connect_timeout_s,
            network=config.network,
        )
        self.uplink = Uplink(config.options.input_format, self._seat.send_audio)
        self._answers = Answers(
            config,
            self._seat,
            self._turns,
            self.voice,
            self.transcript,
            listener,
            self.uplink,
            say=self.say,
            clock=clock,
        )
        self.receive_audio = self.uplink.receive
        """Caller audio in the plan's stream format. The hot path."""
        self._media_wanted_until: float | None = None
        self._closing_until: float | None = None
        self._covered = False  # local audio is still to be heard
        self._end: SessionEnd | None = None
        self._last_words: str | None = None
        """Response that says good-bye; empty until it has begun, None when there is none left."""

    # --- what the call asks -----------------------------------------------------------------

    @property
    def provider_name(self) -> str:
        """Kind of the provider that is serving now."""
        return self._seat.kind

    @property
    def turns(self) -> int:
        """Turns so far."""
        return self._turns.turns_answered

    @property
    def agent_speaking(self) -> bool:
        """Something is still to be heard, or being generated."""
        return self._turns.response_active or not self.voice.idle(self._clock())

    @property
    def closing(self) -> bool:
        """A polite end is under way."""
        return self._end is not None

    @property
    def ended(self) -> bool:
        """It holds nothing."""
        return self.state is SessionState.ENDED

    def prepare(self) -> None:
        """Connect the provider, in the background."""
        self._seat.start()

    def expect_media(self) -> None:
        """Media was asked for; it must join within `join_timeout_s`."""
        self._media_wanted_until = self._clock() + self.config.join_timeout_s

    def attach_media(self, plan: MediaPlan, playout: Playout | None) -> None:
        """Both ways of the caller's media are there; without `playout` the old one plays on."""
        if not self._step(SessionEvent.MEDIA_JOINED):
            return
        self._media_wanted_until = None
        self.uplink.attach(plan.uplink())
        if playout is not None:
            self.voice.open(plan.downlink(), playout, self._turns.generation, self._clock())

    def lose_media(self, *, still_playing: bool = False) -> None:
        """The stream is gone; a new one may join. `still_playing`: the caller hears us yet."""
        if not self._step(SessionEvent.MEDIA_LOST):
            return
        if self.ended:
            self._finish(self._end or SessionEnd(EndCause.STREAM_LOST))
            return
        if not still_playing:
            self.voice.close()
            self._covered = False
            self._turns.drained(self._clock())  # nothing that was queued can be heard any more
        self.uplink.detach()
        self.expect_media()
        self._listener.stream_lost()

    def press_digit(self, digit: str) -> None:
        """A DTMF digit."""
        now = self._clock()
        self._watch.caller_active()
        self._digits.press(digit, now)
        self._say_digits(now)

    def say(self, text: str) -> None:
        """Have the agent say something now."""
        self._watch.floor_taken()
        self._turns.response_awaited(self._clock())
        self._seat.protocol.say(text)
        self._seat.flush()

    def announce(self, data: bytes, audio_format: AudioFormat) -> None:
        """Play local audio, no provider needed; not twice in one breath."""
        now = self._clock()
        if self.voice.playout is not None and not self._covered:
            self._covered = True
            self._turns.local_audio("", now)
            self._watch.floor_taken()
            self.voice.announce(data, audio_format, now)

    def send_function_result(self, call_id: str, output: str) -> None:
        """Answer a function call; the provider goes on when it has all results of the answer."""
        if not self.ended:
            self._answers.function_answered(call_id, output, self._clock())
            self._seat.flush()

    def finish(self, cause: EndCause, last_words: str = "", *, unless_speaking: str = "") -> None:
        """End politely: let what is being said be heard, say `last_words`, then end.

        `unless_speaking` is said when the agent is saying nothing at the moment.
        """
        if not SESSION_TABLE.allows(self.state, SessionEvent.CLOSE) or self._end is not None:
            return
        now = self._clock()
        self._end = SessionEnd(cause)
        last_words = last_words or ("" if self.agent_speaking else unless_speaking)
        self._closing_until = now + self.config.closing_timeout_s
        if last_words and self._seat.ready:
            self._last_words = ""
            self.say(last_words)
        self._step(SessionEvent.CLOSE)
        if self.ended:
            self._finish(self._end)
        else:
            self._end_when_heard()

    def end(self, cause: EndCause, detail: str = "") -> None:
        """End now."""
        if not self.ended:
            self._step(SessionEvent.END)
            self._finish(SessionEnd(cause, detail))

    def tick(self, now: float) -> None:
        """Timers; called a few times a second by the session manager."""
        if self.ended:
            return
        if self._media_wanted_until is not None and now >= self._media_wanted_until:
            self.end(EndCause.STREAM_LOST, "the caller's media did not come")
        elif self._closing_until is not None and now >= self._closing_until:
            self.end(self._end.cause if self._end else EndCause.FINISHED, "closing took too long")
        else:
            self.voice.keep_alive(now)
            self._say_digits(now)
            self._act(self._watch.handle_timeout(now))
            self._look_after(now)

    def _look_after(self, now: float) -> None:
        if not self._answers.look(now, self.state) and self._end is not None:
            self.end(self._end.cause, "the last words did not come")
        elif self._turns.state is TurnState.LISTENING and self.voice.idle(now):
            self._seat.pause()

    # --- the caller ---------------------------------------------------------------------------

    def _say_digits(self, now: float) -> None:
        digits = self._digits.handle_timeout(now) if self.state is SessionState.TALKING else None
        if not digits:  # they wait until there is somebody to be told
            return
        self._interrupt(self._turns.speech_started(now, heard=False), now)
        self._turns.speech_stopped(now)
        self._turns.response_awaited(now)
        self._seat.protocol.send_text(f"[The caller pressed on the keypad: {' '.join(digits)}]")
        self._seat.flush()
        self._utter(p.Speaker.CALLER, "", f"[{digits}]", now)

    def _interrupt(self, interruption: Interruption | None, now: float) -> None:
        """The caller has the floor: silence at once, history cut where it was heard."""
        if interruption is None:
            return
        position, self._covered = self.voice.clear(now), False
        reaction_ms = (self._clock() - now) * 1000
        if interruption.cancel_response:
            self._seat.protocol.cancel_response()
        for cut in self._turns.cut(position):
            self._seat.protocol.truncate(cut.item_id, cut.heard_ms)
            utterance = self.transcript.mark_interrupted(cut.item_id, cut.heard_ms)
            if utterance is not None:
                self._listener.uttered(utterance)
        self.voice.begin(interruption.generation)
        self._listener.interrupted(reaction_ms)

    def _act(self, action: WatchAction | None) -> None:
        phrases = self.config.phrases
        if action is WatchAction.ASK and self.state is SessionState.TALKING:
            self.say(phrases.still_there)
        elif action is WatchAction.GIVE_UP:
            self.finish(EndCause.CALLER_SILENT, phrases.good_bye)
        elif action is WatchAction.TIME_UP:
            self.finish(EndCause.MAX_DURATION, phrases.time_up)

    # --- provider events ----------------------------------------------------------------------

    def _on_events(self, events: list[p.ProviderEvent]) -> None:
        now = self._clock()
        for event in events:
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event, now)
        self._seat.flush()

    def _on_audio(self, event: p.Audio, now: float) -> None:
        if not self._turns.audio(event.response_id, event.item_id, now):
            self.late_audio_dropped += 1
        elif self.voice.play(event, now):
            self._listener.greeting_ready()

    def _on_response_started(self, event: p.ResponseStarted, now: float) -> None:
        self._watch.floor_taken()
        self._answers.response_started()
        self._turns.response_started(event.response_id, now)
        if self._last_words == "":
            self._last_words = event.response_id

    def _on_response_done(self, event: p.ResponseDone, now: float) -> None:
        if self._turns.response_done(event.response_id, event.function_calls, now):
            self.voice.complete(now)
        if event.response_id == self._last_words:
            self._last_words = None
        if self._end is None:
            self._answers.response_done(event, now)
        self._end_when_heard()

    def _on_speech_started(self, event: p.SpeechStarted, now: float) -> None:
        self._watch.caller_active()
        self._answers.speech_started()
        if self.state is not SessionState.CLOSING:
            self._interrupt(self._turns.speech_started(now), now)

    def _on_interrupted(self, event: p.Interrupted, now: float) -> None:
        self._interrupt(self._turns.interrupted(event.response_id, now), now)

    def _on_transcript(self, event: p.TranscriptFinal, now: float) -> None:
        self._utter(event.speaker, event.item_id, event.text, now)
        self._answers.transcribed(event.speaker)

    def _on_function_call(self, event: p.FunctionCall, now: float) -> None:
        self._watch.floor_taken()
        self._answers.function_called()
        self._listener.function_called(event)

    def _on_failure(self, event: p.ProviderFailure, now: float) -> None:
        if not event.fatal:
            self._listener.provider_trouble(event.kind, event.code, event.message)

    def _utter(self, speaker: p.Speaker, item_id: str, text: str, now: float) -> None:
        utterance = self.transcript.add(speaker, item_id, text, now)
        if utterance is not None:
            self._listener.uttered(utterance)

    # --- playout ------------------------------------------------------------------------------

    def _on_first_frame(self, now: float, playout_ms: int) -> None:
        latency = self._turns.first_frame_sent(
            now, network_ms=self._seat.round_trip_ms, playout_ms=playout_ms
        )
        self._listener.first_audio_sent()
        if latency is not None:
            self._listener.turn_answered(latency)

    def _on_drained(self, now: float) -> None:
        self._covered = False
        self._turns.drained(now)
        if self.state is SessionState.CLOSING:
            self._end_when_heard()
        elif self._turns.state is TurnState.LISTENING:
            self._watch.floor_open(now)

    # --- life ---------------------------------------------------------------------------------

    def _on_provider_ready(self) -> None:
        self._step(SessionEvent.PROVIDER_READY)
        self._listener.provider_ready()
        self._answers.provider_ready(self._clock())

    def _on_lost(self, failure: p.ProviderFailure) -> None:
        self._step(SessionEvent.PROVIDER_LOST)
        self._listener.provider_trouble(failure.kind, failure.code, failure.message)
        self._answers.provider_lost(self._clock())

    def _on_exhausted(self, failure: p.ProviderFailure) -> None:
        self._listener.provider_trouble(failure.kind, failure.code, failure.message)
        self._step(SessionEvent.END)
        self._finish(SessionEnd(EndCause.PROVIDER_FAILED, failure.code, failure.kind))

    def _end_when_heard(self) -> None:
        """The one way a polite close ends: generation done and everything heard."""
        if self.state is not SessionState.CLOSING or self._end is None:
            return
        if self._last_words is None and not self.agent_speaking:
            self._step(SessionEvent.END)
            self._finish(self._end)

    def _step(self, event: SessionEvent) -> bool:
        if not SESSION_TABLE.allows(self.state, event):
            _log.debug("%s ignored in %s", event.name, self.state.name)
            return False
        self.state = SESSION_TABLE.next(self.state, event)
        if self.state is SessionState.TALKING:
            self.uplink.open()
        else:
            self.uplink.shut()
        return True

    def _finish(self, end: SessionEnd) -> None:
        self._seat.close()
        self.voice.close()
        self.uplink.detach()
        self._listener.ended(end)


_HANDLERS: dict[type, Callable[[Session, Any, float], None]] = {
    p.Audio: Session._on_audio,
    p.ResponseStarted: Session._on_response_started,
    p.ResponseDone: Session._on_response_done,
    p.SpeechStarted: Session._on_speech_started,
    p.SpeechStopped: lambda session, event, now: session._turns.speech_stopped(now),
    p.Interrupted: Session._on_interrupted,
    p.TranscriptFinal: Session._on_transcript,
    p.FunctionCall: Session._on_function_call,
    p.Usage: lambda session, event, now: session._listener.used(event),
    p.ProviderFailure: Session._on_failure,
}
