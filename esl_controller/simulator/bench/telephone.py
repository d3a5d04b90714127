"""One call with a provider as the bridge holds it: our session, a real connection, a caller.

The caller's ear is the datagram that leaves for the switch: what FreeSWITCH and the line add is not
in these figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import gevent

from bridge.audio.formats import L16_8K
from bridge.audio.pacer import Pacer
from bridge.playout.base import PlayoutSinks
from bridge.playout.modes import PlayoutMode
from bridge.playout.registry import make_playout
from bridge.ports import EndCause, SessionEnd, SetPhrase, TurnLatency, Utterance
from bridge.providers import base as p
from bridge.providers.conversation import Brief
from bridge.providers.host import Network
from bridge.session.candidates import Candidate
from bridge.session.config import SessionConfig
from bridge.session.media_plan import (
    Leg,
    MediaPath,
    PlayoutChoice,
    choose_formats,
    provider_formats,
)
from bridge.session.phrases import Phrases
from bridge.session.session import Session
from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.speech import Clip
from esl_controller.simulator.switch.sound import level

FRAME_S = 0.02
QUIET_S = 0.7
"""After so long without sound the agent has spoken, and the caller does."""
ANSWER_LIMIT_S = 15.0
LEG = Leg("PCMU", 8000)
PHRASES = Phrases("Are you still there?", "Good-bye.", "Time is up.", "One moment.", "Pardon?")


@dataclass(slots=True)
class Answered:
    """One answer; moments in monotonic seconds."""

    asked_at: float
    """The caller's last audible frame."""
    turn_ended_at: float | None = None
    """The provider told that the turn is over."""
    first_message_at: dict[str, float] = field(default_factory=dict)
    """Since then, by channel."""
    first_byte_at: float | None = None
    """The message with the answer's first audio was read."""
    heard_at: float | None = None
    """The first audible datagram left for the caller."""

    def ask(self, now: float) -> None:
        """The caller was audible: what came before is no answer to all of it."""
        self.asked_at = now
        self.turn_ended_at = self.first_byte_at = self.heard_at = None
        self.first_message_at.clear()


class Timed:
    """A protocol object that keeps when what came in; otherwise the one it holds."""

    def __init__(self, protocol: p.ProviderProtocol) -> None:
        self._protocol = protocol
        self._read_at = 0.0
        self.answer: Answered | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    def receive_message(self, channel: str, data: bytes, now: float) -> None:
        """As its own, and the time."""
        self._read_at = time.monotonic()
        if self.answer is not None and self.answer.turn_ended_at is not None:
            self.answer.first_message_at.setdefault(channel, self._read_at)
        self._protocol.receive_message(channel, data, now)

    def next_event(self) -> p.ProviderEvent | None:
        """As its own, and what it means for the answer that is awaited."""
        event = self._protocol.next_event()
        answer = self.answer
        if answer is not None and answer.heard_at is None:
            if isinstance(event, p.CallerStopped):
                answer.turn_ended_at = self._read_at
                answer.first_message_at.clear()
            elif isinstance(event, p.Audio) and answer.first_byte_at is None:
                answer.first_byte_at = self._read_at
        return event


class Owner:
    """The owner of the call: functions run at once, everything else is noted or let go."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.usage: list[p.Usage] = []
        self.troubles: list[str] = []
        self.end: SessionEnd | None = None
        self.ready_at: float | None = None

    def provider_ready(self) -> None:
        """The settings are taken."""
        self.ready_at = self.ready_at or time.monotonic()

    def greeting_ready(self) -> None:
        """Nothing waits for it."""

    def first_audio_sent(self) -> None:
        """Seen at the ear."""

    def function_called(self, call: p.FunctionCall) -> None:
        """There are none."""
        assert self.session is not None
        self.session.send_function_result(call.call_id, "{}")

    def function_cancelled(self, call_id: str) -> None:
        """There are none."""

    def uttered(self, utterance: Utterance) -> None:
        """Nobody reads it."""

    def turn_answered(self, latency: TurnLatency) -> None:
        """Seen at the ear."""

    def interrupted(self, reaction_ms: float) -> None:
        """Nobody interrupts."""

    def resumed(self, why: str, silent_ms: float) -> None:
        """Nobody interrupts."""

    def used(self, usage: p.Usage) -> None:
        """For the bill."""
        self.usage.append(usage)

    def answer_late(self) -> None:
        """The caller waits; nothing is played, so that the answer is not hidden."""

    def phrase_due(self, phrase: SetPhrase) -> None:
        """As before."""

    def provider_trouble(self, kind: p.ErrorKind, code: str, message: str) -> None:
        """Told at the end."""
        self.troubles.append(f"{kind.value} {code}: {message}")

    def stream_lost(self) -> None:
        """There is no stream."""

    def ended(self, end: SessionEnd) -> None:
        """The last of all."""
        self.end = end


class Telephone:
    """One caller who asks `clips`, one after the other, and hears the answers."""

    def __init__(
        self,
        make: Callable[[], p.ProviderProtocol],
        kind: str,
        clips: Sequence[Clip],
        *,
        pacer: Pacer,
        network: Network,
        greeting: str,
        number: int,
    ) -> None:
        self.answers: list[Answered] = []
        self.owner = Owner()
        self.began_at = self.greeted_at = 0.0
        self._clips = [clip.frames(L16_8K.rate_hz) for clip in clips]
        self._timed: Timed | None = None
        self._sound_at = 0.0
        self._make = make
        config = SessionConfig(
            [Candidate("bench", kind, self._provider)],
            Brief(instructions="Answer in one short sentence.", greeting=greeting, language="en"),
            PHRASES,
            lambda can: provider_formats(LEG, can),
            silence_s=600.0,
            network=network,
        )
        self.session = Session(
            "bench", f"call-{number}", config, self.owner, pacer=pacer, clock=time.monotonic
        )
        self.owner.session = self.session

    def run(self) -> None:
        """Hold the call. Waits; what went wrong is in `owner`."""
        self.began_at = time.monotonic()
        self.session.prepare()
        choice = PlayoutChoice(PlayoutMode.UNICAST)
        plan = choose_formats(LEG, [8000], choice, media=MediaPath.UNICAST)
        sinks = PlayoutSinks(send_datagram=self._heard)
        playout = make_playout(choice.mode, choice.flavour, plan.playout_format, sinks)
        self.session.attach_media(plan, playout)
        talking = gevent.spawn(self._talk)
        try:
            for frames in self._clips:
                self._wait_for_quiet()
                if self.owner.end is None:
                    self._ask(frames)
            self._wait_for_quiet()
        finally:
            talking.kill()
            self.session.end(EndCause.HANGUP)

    def _provider(self) -> p.ProviderProtocol:
        self._timed = Timed(self._make())
        return cast("p.ProviderProtocol", self._timed)

    def _heard(self, data: bytes) -> None:
        if level(data) < AUDIBLE:
            return
        self._sound_at = time.monotonic()
        self.greeted_at = self.greeted_at or self._sound_at
        if self.answers and self.answers[-1].heard_at is None:
            self.answers[-1].heard_at = self._sound_at

    # --- the caller ---

    def _talk(self) -> None:
        """A frame every 20 ms, on a grid of its own: what is to be said, else silence."""
        self._saying: list[bytes] = []
        due, ticked = time.monotonic(), 0.0
        while True:
            frame = self._saying.pop(0) if self._saying else bytes(320)
            if level(frame) >= AUDIBLE and self.answers:
                self.answers[-1].ask(time.monotonic())
            self.session.receive_audio(frame)
            if due - ticked >= 0.25:
                ticked = due
                self.session.tick(time.monotonic())
            due += FRAME_S
            gevent.sleep(max(0.0, due - time.monotonic()))

    def _ask(self, frames: list[bytes]) -> None:
        answer = Answered(asked_at=time.monotonic())
        self.answers.append(answer)
        assert self._timed is not None
        self._timed.answer = answer
        self._saying += frames
        while self._saying and self.owner.end is None:
            gevent.sleep(FRAME_S)

    def _wait_for_quiet(self) -> None:
        """Until the agent has said something since the last question, and is quiet again."""
        since = self.answers[-1].asked_at if self.answers else self.began_at
        until = time.monotonic() + ANSWER_LIMIT_S
        while time.monotonic() < until and self.owner.end is None:
            if self._sound_at > since and time.monotonic() - self._sound_at > QUIET_S:
                return
            gevent.sleep(FRAME_S)
