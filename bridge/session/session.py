"""One bridge session: the caller's line and a provider joined, until one ends.

Everything here runs on the hub and never waits. `Line` has the caller's media, `ProviderSeat` the
provider, `Floor` knows whose turn it is, `Answering` sees that what is due is given. This module
joins them: it takes the call's commands and decides when the session begins, is held and ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from bridge.audio.formats import AudioFormat
from bridge.audio.pacer import Pacer
from bridge.playout.base import Playout
from bridge.playout.heard import HeardUntil
from bridge.ports import EndCause, SessionEnd, SessionListener
from bridge.providers import base as p
from bridge.session.config import SessionConfig
from bridge.session.connection import AGENT_LEFT, Moment
from bridge.session.digits import DigitGatherer
from bridge.session.floor_states import FloorState
from bridge.session.hold import BROKEN_OFF, Holder, Repeat
from bridge.session.media_plan import MediaPlan
from bridge.session.music import Music
from bridge.session.states import SESSION_TABLE, SessionEvent, SessionState
from bridge.session.wiring import wire

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
        self._listener = listener
        self._clock = clock
        self.started_at = clock()
        parts = wire(self, config, listener, pacer, clock)
        self.line = parts.line
        self.transcript = parts.transcript
        self._digits = DigitGatherer(config.digit_pause_s)
        self._floor = parts.floor
        self._silence = parts.silence
        self._last_words = parts.last_words
        self._seat = parts.seat
        self._answering = parts.answering
        self.longest_wait_s = parts.answering.longest_wait_s
        self._minding = parts.minding
        self._dialogue, self._telling = parts.dialogue, parts.telling
        self._hold_of = parts.hold
        self._closing = parts.closing
        self.let_go = parts.forget
        """After the end: its parts forget each other. Nothing may be asked but what it knows."""
        self._media_wanted_until: float | None = None
        self.change_language = parts.minding.change_language
        self.prepare = parts.seat.start
        """Connect the provider, in the background."""
        self.receive_audio, self.receive_plain = self.line.receive, parts.plain.receive
        """Caller audio in the plan's stream format, and as it is read, where that is plain."""

    # --- what the call asks -----------------------------------------------------------------

    @property
    def provider_name(self) -> str:
        """Kind of the provider that is serving now."""
        return self._seat.kind

    @property
    def provider_rate_hz(self) -> int:
        """Rate of the caller's audio that the provider is asked to take: a hint for the stream."""
        return self.config.provider_formats(self._seat.capabilities)[0].rate_hz

    @property
    def turns(self) -> int:
        """Turns so far."""
        return self._floor.turns_answered

    @property
    def agent_speaking(self) -> bool:
        """Something is still to be heard, or being generated."""
        return self._floor.response_active or not self.line.idle(self._clock())

    @property
    def quiet(self) -> bool:
        """Nobody speaks, and no answer was asked for: a good moment to part the two."""
        return self._floor.quiet and self.line.idle(self._clock())

    @property
    def closing(self) -> bool:
        """A polite end is under way."""
        return self._closing.begun

    @property
    def ended(self) -> bool:
        """It holds nothing."""
        return self.state is SessionState.ENDED

    def say(self, text: str) -> None:
        """Have the agent say something now; the call plays it where the agent cannot."""
        if self.ended or self._hold_of.puts_off(lambda: self.say(text)):
            return
        phrase = self.config.phrases.phrase(text)
        if self._seat.capabilities.speaks_text:
            self._silence.floor_taken()
            self._answering.say(text)
        elif phrase is not None:
            self._minding.phrase(phrase)

    def tell(self, text: str, *, respond: bool) -> None:
        """Tell the model something the caller did not say; `respond`: it speaks about it."""
        put_off = self._hold_of.puts_off
        if self.ended or (respond and put_off(lambda: self.tell(text, respond=True))):
            return
        self._telling.tell(text, respond=respond)

    def announce(self, data: bytes, audio_format: AudioFormat) -> None:
        """Play local audio, no provider needed; not twice in one breath."""
        now = self._clock()
        finish = not self._floor.response_active
        if self.state is SessionState.HELD:
            return
        if self.line.announce(data, audio_format, now, finish=finish):
            self._minding.announced()
            self._last_words.announced()
            self._floor.local_audio()
            self._silence.floor_taken()

    def press_digit(self, digit: str) -> None:
        """A DTMF digit."""
        now = self._clock()
        self._silence.caller_active()
        self._digits.press(digit, now)
        self._say_digits(now)

    def send_function_result(self, call_id: str, output: str, *, failed: bool = False) -> None:
        """Answer a function call; the model goes on when it has all results it waits for."""
        if not self.ended:
            self._dialogue.functions.result(call_id, output, failed=failed)

    # --- media --------------------------------------------------------------------------------

    def expect_media(self) -> None:
        """Media was asked for; it must join within `join_timeout_s`."""
        self._media_wanted_until = self._clock() + self.config.join_timeout_s

    def attach_media(self, plan: MediaPlan, playout: Playout | None) -> None:
        """Both ways of the caller's media are there; without `playout` the old one plays on."""
        if not SESSION_TABLE.allows(self.state, SessionEvent.MEDIA_JOINED):
            return
        self._media_wanted_until = None
        self.line.attach(plan, playout, self._floor.generation, self._clock())
        self._step(SessionEvent.MEDIA_JOINED)
        if self.state is SessionState.TALKING:
            self._repeat()

    def lose_media(self, *, still_playing: bool = False, heard_until: HeardUntil = None) -> None:
        """A new one may join. `still_playing`: the caller hears us yet; else he heard so much."""
        if not self._step(SessionEvent.MEDIA_LOST):
            return
        if self.ended:
            return self._finish(self._closing.end_or(SessionEnd(EndCause.STREAM_LOST)))
        if not still_playing:
            held, now = self.state is SessionState.HELD, self._clock()
            self._hold_of.lose_line(heard_until, now, held=held)
        self.line.detach()
        self.expect_media()
        self._listener.stream_lost()

    # --- hold ---------------------------------------------------------------------------------

    def hold(self, music: tuple[bytes, AudioFormat] | None = None) -> None:
        """Keep caller and agent apart, with music for the caller, until `resume`.

        An answer under way is cut; the call tells the agent what came of it, with `tell`.
        """
        self._hold(Holder.US, Music(*music) if music is not None else None)

    def resume(self) -> None:
        """The hold is over."""
        self._resume(Holder.US)

    def set_on_hold(self, on_hold: bool) -> None:
        """The caller has put us on hold, or taken us back: what they could not hear is repeated."""
        if on_hold:
            self._hold(Holder.CALLER, None)
        else:
            self._resume(Holder.CALLER)

    def _hold(self, who: Holder, music: Music | None) -> None:
        if self._closing.begun or self.ended:
            return
        held = self.state is SessionState.HELD
        if not held:
            self._step(SessionEvent.HOLD)
        self._hold_of.begin(who, music, self._clock(), held=held)

    def _resume(self, who: Holder) -> None:
        over = self._hold_of.end(who, self._clock())
        if (end := self._hold_of.deserted) and not (self._hold_of.ours or self.ended):
            return self._finish(end)
        if self.state is not SessionState.HELD or not over:
            return
        self._step(SessionEvent.RESUME)
        if not self.line.attached:
            self._step(SessionEvent.MEDIA_LOST)
        if self._seat.ready:
            self._step(SessionEvent.PROVIDER_READY)
        if not self._hold_of.make_up():
            self._repeat()

    def _repeat(self) -> None:
        """Have what was broken off said again; else it is the caller's turn."""
        if self.state is not SessionState.TALKING:
            return
        words = self._hold_of.take_back(self._clock())
        if words is Repeat.GREETING:
            self.say(self.config.brief.greeting)
        elif words is Repeat.ANSWER:
            self.tell(BROKEN_OFF, respond=True)

    # --- ends ---------------------------------------------------------------------------------

    def finish(self, cause: EndCause, last_words: str = "", *, unless_speaking: str = "") -> None:
        """End politely: let what is being said be heard, say `last_words`, then end.

        `unless_speaking` is said when the agent is saying nothing at the moment.
        """
        if not SESSION_TABLE.allows(self.state, SessionEvent.CLOSE) or self._closing.begun:
            return
        now = self._clock()
        self._hold_of.stop(now)
        words = last_words or ("" if self.agent_speaking else unless_speaking)
        end = self._closing.begin(cause, now)
        self._step(SessionEvent.CLOSE)
        if self.ended:
            return self._finish(end)
        if words:
            self._closing.ask(words, now)
        self._end_when_heard()

    def end(self, cause: EndCause, detail: str = "") -> None:
        """End now."""
        if not self.ended:
            self._finish(SessionEnd(cause, detail))

    def _end_when_heard(self) -> None:
        """The one way a polite close ends: generation done and everything heard."""
        closing = self.state is SessionState.CLOSING
        if closing and not self._last_words.awaited and not self.agent_speaking:
            self._finish(self._closing.end)

    def _finish(self, end: SessionEnd) -> None:
        self._step(SessionEvent.END)  # ignored where it has ended
        self._seat.stop()
        self.line.close()
        self.line.detach()
        self._listener.ended(end)

    # --- time ---------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Timers; called a few times a second by the session manager."""
        if self.state is SessionState.ENDED:
            return
        if self._media_wanted_until is not None and now >= self._media_wanted_until:
            self.end(EndCause.STREAM_LOST, "the caller's media did not come")
        elif self._closing.too_long(now):
            self.end(self._closing.end.cause, "closing took too long")
        else:
            self.line.tick(now)
            self._say_digits(now)
            end = self._minding.silence(now, self.state)
            if end is not None:
                self.finish(*end)
            if self.state is SessionState.HELD:
                self._seat.cross(Moment.PAUSE)
            else:
                self._look_after(now)

    def _look_after(self, now: float) -> None:
        if not self._answering.look(now, self.state):
            self._last_words.give_up()
        self._minding.look(now, self.state)
        if self.state is SessionState.TALKING:
            self._telling.look(now)
        if self._last_words.until is not None:
            self._last_words.handle_timeout(now, idle=self.line.idle(now))
        if self._seat.crossing is not None:
            self._seat.cross(self._minding.moment(now))
        self._end_when_heard()

    def _say_digits(self, now: float) -> None:
        digits = self._digits.handle_timeout(now) if self.state is SessionState.TALKING else None
        if digits:  # they wait until there is somebody to be told
            self._dialogue.digits(digits, now)

    # --- what its parts tell ----------------------------------------------------------------------

    def on_event(self, event: p.ProviderEvent) -> None:
        """The provider tells anything but audio."""
        if isinstance(event, p.Usage):
            self._listener.used(event)
        elif isinstance(event, p.Ended):
            self._agent_left(event)
        elif not self.ended:
            self._dialogue.on_event(event, self._clock(), self.state)
            self._end_when_heard()

    def _agent_left(self, event: p.Ended) -> None:
        """What it has said is still heard. A caller on hold finds another when he is back."""
        if self._hold_of.ours:
            return self._seat.give_up(AGENT_LEFT)
        self._floor.provider_lost()
        self._floor.settled()
        self.line.downlink.complete(self._clock())
        self._last_words.give_up()
        self.finish(EndCause.AGENT_LEFT)

    def on_ready(self, ready: p.SessionReady) -> None:
        """A provider took the settings."""
        self._take_on(ready)
        self._dialogue.replayed(begins=True)
        self._step(SessionEvent.PROVIDER_READY)
        self._dialogue.replayed(begins=False)
        self._listener.provider_ready()
        self._answering.provider_ready(self._clock())
        if self._hold_of.broken_off:
            self._repeat()

    def on_crossed(self, ready: p.SessionReady) -> None:
        """A new session of the same provider took over."""
        self._take_on(ready)
        self._floor.provider_lost()
        self._answering.provider_ready(self._clock())

    def _take_on(self, ready: p.SessionReady) -> None:
        capabilities = self._seat.capabilities
        self.line.speak_with(ready)
        self.line.ear.find_turns(capabilities.turns is p.Turns.OURS)
        self._floor.interrupts = capabilities.interrupts

    def on_lost(self, failure: p.ProviderFailure) -> None:
        """The provider is gone; another is being connected."""
        self._step(SessionEvent.PROVIDER_LOST)
        self._listener.provider_trouble(failure.kind, failure.code, failure.message)
        self._answering.provider_lost(self._clock())
        if self._last_words.awaited:
            self._closing.ask(self.config.phrases.good_bye, self._clock())

    def on_exhausted(self, failure: p.ProviderFailure) -> None:
        """Nobody is left to try."""
        self._listener.provider_trouble(failure.kind, failure.code, failure.message)
        end = SessionEnd(EndCause.PROVIDER_FAILED, failure.code, failure.kind)
        if not self._hold_of.keeps(end):
            self._finish(self._closing.end_or(end))

    def on_drained(self, now: float) -> None:
        """All that was finished has been heard."""
        self._dialogue.on_drained(now)
        if self.state is SessionState.CLOSING:
            self._end_when_heard()
        elif self._floor.state is FloorState.LISTENING:
            self._silence.floor_open(now)
            self._count_turns()

    def _count_turns(self) -> None:
        most = self.config.max_turns
        if most is not None and self._floor.turns_answered >= most:
            self.finish(EndCause.MAX_TURNS, self.config.phrases.good_bye)

    def _step(self, event: SessionEvent) -> bool:
        if not SESSION_TABLE.allows(self.state, event):
            _log.debug("%s ignored in %s", event.name, self.state.name)
            return False
        self.state = SESSION_TABLE.next(self.state, event)
        if self.state is SessionState.TALKING:
            self.line.uplink.open()
        else:
            self.line.uplink.shut(forget=self.state is SessionState.HELD)
        return True
