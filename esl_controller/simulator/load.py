"""Many simulated calls at once, and when everything in them happened.

All times are monotonic seconds, the same clock in every process of a machine, so that a report
can be held against the emulated provider's own stamps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import gevent

from bridge.audio.formats import AudioFormat
from esl_controller.simulator import speech
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import AgentSilent, AgentSpeaking, Say, Step
from esl_controller.simulator.switch.channel import ChannelOptions
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.media import Media
from esl_controller.simulator.switch.quirks import CALM, Edition
from esl_controller.simulator.switch.session import Session
from esl_controller.simulator.verdict import Seen

QUIET_S = 0.1
"""After so much quiet a loud frame, or agent audio, begins something new."""
LATE_S = 0.04
FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What kind of calls, how many, how long."""

    controller: tuple[str, int]
    domain_uuid: str
    extension: str
    calls: int
    codec: AudioFormat
    edition: Edition
    call_s: float
    ramp_s: float = 0.05
    """Between one call's start and the next."""
    speech_s: float = 1.2
    pause_s: float = 1.4
    interrupt_every: int = 4
    """Each so-many-th utterance interrupts the agent; 0 never does."""
    seed: int = 1
    """Of the calls' UUIDs among others: two runs at the same worker need different ones."""


@dataclass(slots=True)
class CallTimes:
    """Moments of one call."""

    call_uuid: str
    answered_at: float | None = None
    loud_at: list[float] = field(default_factory=list)
    """The caller began to be loud."""
    quiet_at: list[float] = field(default_factory=list)
    """He was silent again."""
    audio_from: list[float] = field(default_factory=list)
    """Agent audio began to arrive at the switch after a quiet time."""
    audio_until: list[float] = field(default_factory=list)
    """The last agent audio before a quiet time arrived."""
    arrivals: int = 0
    late_arrivals: int = 0
    """Audio that arrived over 40 ms behind the answer's first, counted in frames of 20 ms."""
    gaps_ms: list[float] = field(default_factory=list)
    """Holes of over 30 ms that the caller heard inside an answer."""
    cause: str = ""
    handed_back: bool = False
    outcome: str = ""
    """`voice_ai_outcome`: why the AI did not take or keep the call."""
    sent_to: str = ""
    unreachable: str = ""
    """Why the worker could not be connected to."""

    @property
    def seen(self) -> Seen:
        """What decides whether the caller was served."""
        return Seen(
            answered=self.answered_at is not None,
            heard=bool(self.audio_from),
            handed_back=self.handed_back,
            sent_to=self.sent_to,
            outcome=self.outcome,
            cause=self.cause,
            unreachable=self.unreachable,
        )


class LoadCaller(Caller):
    """A caller that notes when he begins to speak, and ends; keeps no audio."""

    times: CallTimes
    _spoke = False

    def speak(self, now: float) -> bytes | None:
        """The next frame; its moment is noted if it begins an utterance, or follows one."""
        frame = super().speak(now)
        if self.speaking is not self._spoke:
            moments = self.times.loud_at if self.speaking else self.times.quiet_at
            moments.append(time.monotonic())
        self._spoke = self.speaking
        return frame


def run_load(
    plan: LoadPlan, temp_dir: Path, on_progress: Callable[[int, int], None] = lambda up, left: None
) -> list[CallTimes]:
    """Make the calls and return their times once all have ended."""
    quirks = replace(CALM, edition=plan.edition)
    with Switch(SwitchConfig(quirks=quirks, seed=plan.seed, temp_dir=temp_dir)) as switch:
        calls = []
        for number in range(plan.calls):
            calls.append(_dial(switch, plan, number))
            gevent.sleep(plan.ramp_s)
        for session, caller in calls:
            session.ended.wait(plan.call_s + 30)
            on_progress(len(calls), sum(1 for s, _ in calls if not s.ended.is_set()))
            _close(session, caller)
        return [caller.times for _, caller in calls]


def _dial(switch: Switch, plan: LoadPlan, number: int) -> tuple[Session, LoadCaller]:
    caller = LoadCaller(_script(plan, number), rate_hz=plan.codec.rate_hz, keep_audio=False)
    options = ChannelOptions(
        uuid="",
        domain_uuid=plan.domain_uuid,
        destination_number=plan.extension,
        caller_id_number=f"5551{number:06d}",
        codec=plan.codec,
    )
    session = switch.originate_to_controller(
        *plan.controller, caller=caller, channel=options, actions_after=[]
    )
    gevent.spawn_later(plan.call_s, caller.hang_up)
    caller.times = CallTimes(session.uuid)
    _watch_arrivals(session.media, caller.times)
    return session, caller


def _script(plan: LoadPlan, number: int) -> list[Step]:
    """Speak, listen, now and then interrupt, until the time is over."""
    clip = speech.joined(
        speech.beep(0.1), speech.synthetic(max(0.1, plan.speech_s - 0.1), seed=number % 7)
    )
    rounds = int(plan.call_s / (plan.speech_s + plan.pause_s)) + 1
    steps = [Step(AgentSilent(plan.pause_s), Say(clip))]
    for turn in range(1, rounds):
        interrupts = plan.interrupt_every and turn % plan.interrupt_every == 0
        when = AgentSpeaking(0.6) if interrupts else AgentSilent(plan.pause_s)
        steps.append(Step(when, Say(clip)))
    return steps


def _watch_arrivals(media: Media, times: CallTimes) -> None:
    """Note agent audio as it reaches the switch, before the switch's own 20 ms clock."""
    last = due = 0.0

    def arrived(data: bytes, now: float) -> None:
        nonlocal last, due
        if now - last > QUIET_S:
            if data.count(0) == len(data):
                return  # a frame of silence that keeps RTP alive between answers
            if last:
                times.audio_until.append(last)
            times.audio_from.append(now)
            due = now
        times.late_arrivals += now - due > LATE_S
        due += FRAME_S
        last = now
        times.arrivals += 1

    media.on_agent_audio = arrived


def _close(session: Session, caller: LoadCaller) -> None:
    times = caller.times
    times.answered_at = caller.answered_at
    times.cause = caller.cause
    times.handed_back = session.dialplan_continued
    times.outcome = session.channel.get("voice_ai_outcome") or ""
    times.sent_to = session.sent_to
    times.unreachable = session.unreachable
    times.gaps_ms = [gap.length_ms for gap in caller.report().gaps]
