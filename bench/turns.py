"""`python -m bench.turns`: who is interrupted by what, and how soon callers are answered.

Whole conversations in virtual time: the real session, protocol objects, playout and pacer, the
emulated services with their voice activity detection, and a simulated telephone with noise and
echo. Nothing depends on how busy the machine is. Real but for the sockets: `tests/pairs/world.py`;
`--sockets` holds the same calls in real time and over real ones.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import itertools  # noqa: E402
import json  # noqa: E402
import random  # noqa: E402
import statistics  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from contextlib import ExitStack  # noqa: E402
from dataclasses import asdict, dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, cast  # noqa: E402

import click  # noqa: E402
import pytest  # noqa: E402

from bench.turns_corpus import RATE_HZ, VOICE_DBFS, Corpus, corpus  # noqa: E402
from bench.turns_sockets import SocketWorld, hold, served  # noqa: E402
from bridge.audio.pacer import Pacer  # noqa: E402
from bridge.ports import EndCause  # noqa: E402
from bridge.session.barge_in import TurnTaking  # noqa: E402
from esl_controller.simulator import speech  # noqa: E402
from esl_controller.simulator.caller import Caller  # noqa: E402
from esl_controller.simulator.caller_script import (  # noqa: E402
    AgentSilent,
    AgentSpeaking,
    At,
    Background,
    Murmur,
    Say,
    Step,
)
from esl_controller.simulator.elevenlabs.config import EmulatorConfig as AgentConfig  # noqa: E402
from esl_controller.simulator.gemini.config import EmulatorConfig as GeminiConfig  # noqa: E402
from esl_controller.simulator.openai.config import EmulatorConfig  # noqa: E402
from esl_controller.simulator.service.script import Answer, Script  # noqa: E402
from esl_controller.simulator.speech import Clip  # noqa: E402
from tests.pairs.gemini_world import GeminiService, GeminiWorld  # noqa: E402
from tests.pairs.services import Agent, Service  # noqa: E402
from tests.pairs.stages import PipelineWorld, Stages  # noqa: E402
from tests.pairs.world import World  # noqa: E402

LONG = "There are several things I can tell you about that, and I will do so one by one. " * 2
PROVIDERS = ("openai", "openai-own-ear", "elevenlabs", "gemini", "gemini-own-ear", "pipeline")
TALK_S = 24.0
SILENT_WITHIN_S = 1.5
"""From the caller's first word to an agent that has been cut off."""
PAUSE_S = 0.3
"""Within a sentence of the caller's: he is not done."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What the line is like."""

    name: str
    noise_db: int | None = None
    """The caller's voice above the noise."""
    echo_db: int | None = None
    echo_ms: int = 150

    def background(self) -> Background:
        """As a simulated caller has it."""
        noise_dbfs = None if self.noise_db is None else VOICE_DBFS - self.noise_db
        return Background(echo_db=self.echo_db, echo_ms=self.echo_ms, noise_dbfs=noise_dbfs)


CONDITIONS = (
    Condition("quiet"),
    *(Condition(f"noise {db} dB", noise_db=db) for db in (20, 10, 5)),
    *(
        Condition(f"echo {db} dB {ms} ms", echo_db=db, echo_ms=ms)
        for db, ms in ((-30, 150), (-20, 50), (-20, 150), (-20, 300), (-10, 150))
    ),
    Condition("noise 10 dB, echo -20 dB", noise_db=10, echo_db=-20),
)
TARGET = CONDITIONS[-1]


@dataclass
class Figures:
    """Of one provider on one kind of line."""

    provider: str
    condition: str
    calls: int = 0
    quiet: int = 0
    """Answers that nobody interrupted: murmurs, noises, or nothing at all."""
    false: int = 0
    """Of them, cut off."""
    stumbles: int = 0
    """Of them, silenced for a moment and gone on with."""
    words: int = 0
    """Answers that the caller interrupted with words."""
    missed: int = 0
    asked: int = 0
    cut_off: int = 0
    """Callers who were answered while they still spoke."""
    unanswered: int = 0
    delays_s: list[float] = field(default_factory=list)
    """Last word of a question to the first sound of its answer."""

    def row(self) -> list[str]:
        """As printed."""
        delay = statistics.median(self.delays_s) if self.delays_s else float("nan")
        worst = sorted(self.delays_s)[int(len(self.delays_s) * 0.95)] if self.delays_s else delay
        return [
            self.provider,
            self.condition,
            str(self.calls),
            f"{self.false}/{self.quiet}",
            _percent(self.false, self.quiet),
            _percent(self.stumbles, self.quiet),
            f"{self.missed}/{self.words}",
            _percent(self.missed, self.words),
            f"{self.cut_off}/{self.asked}",
            str(self.unanswered),
            f"{delay:.2f}",
            f"{worst:.2f}",
        ]


HEADINGS = [
    "provider", "line", "calls", "false", "%", "stumbles %", "missed", "%", "cut off",
    "unanswered", "answer p50 s", "p95 s",
]  # fmt: skip


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


@dataclass(frozen=True, slots=True)
class Event:
    """What happens while the long answer is spoken."""

    kind: str
    """words | murmur | noise | nothing"""
    clip: Clip | None
    after_s: float


def events(sounds: Corpus, rng: random.Random) -> Iterator[Event]:
    """In turn, so that each kind comes as often in any number of calls."""
    for kind in itertools.cycle(("words", "murmur", "short", "noise", "words", "nothing")):
        clips = {
            "words": sounds.sentences,
            "short": sounds.short,
            "murmur": sounds.murmurs,
            "noise": sounds.noises,
        }.get(kind)
        clip = rng.choice(clips) if clips else None
        yield Event("words" if kind == "short" else kind, clip, rng.uniform(0.5, 3.5))


@dataclass(frozen=True, slots=True)
class Talk:
    """A call that is over."""

    world: World | SocketWorld
    phone: Caller
    question: Clip
    cut_at: list[float]
    """When the agent was cut off."""


def one_call(
    provider: str, condition: Condition, event: Event, sounds: Corpus, rng: random.Random
) -> Talk:
    """In virtual time."""
    phone, question = caller(condition, event, sounds, rng)
    with pytest.MonkeyPatch.context() as patch:
        world = _world(provider, patch, sounds, phone)
        cut_at = _cuts(world)
        world.begin()
        world.run(TALK_S)
        world.session.end(EndCause.HANGUP)
    return Talk(world, phone, question, cut_at)


def _cuts(world: World | SocketWorld) -> list[float]:
    """Notes when the agent is cut off."""
    cut_at: list[float] = []
    world.call.interrupted = lambda reaction_ms: cut_at.append(world.now)  # type: ignore[method-assign]
    return cut_at


def over_sockets(
    provider: str,
    condition: Condition,
    happening: Iterator[Event],
    sounds: Corpus,
    rng: random.Random,
) -> list[tuple[Talk, Event]]:
    """The same calls in real time."""
    talks, pacer = [], Pacer()
    turns = TurnTaking(resumes=True, turn_end_ms=500)
    with ExitStack() as stack:
        for event in happening:  # each its own service: it answers by the number of the turn
            phone, question = caller(condition, event, sounds, rng)
            kind, make = served(provider, script(sounds), stack)
            world = SocketWorld(make, kind, phone, pacer, turns=turns)
            talks.append((Talk(world, phone, question, _cuts(world)), event))
        hold([cast("SocketWorld", talk.world) for talk, _ in talks], pacer, TALK_S)
    return talks


def script(sounds: Corpus) -> Script:
    """What a service knows: one long answer, and the words of the callers."""
    return Script((Answer(LONG),), recogniser=sounds.recogniser)


def caller(
    condition: Condition, event: Event, sounds: Corpus, rng: random.Random
) -> tuple[Caller, Clip]:
    """A question in two breaths, a long answer, and what happens meanwhile."""
    first, second = rng.sample(sounds.sentences, 2)
    question = speech.joined(first, speech.silence(PAUSE_S, RATE_HZ), second)
    steps = [Step(At(0.0), condition.background()), Step(AgentSilent(1.0), Say(question))]
    if event.clip is not None:
        action = Murmur(event.clip) if event.kind == "murmur" else Say(event.clip)
        steps.append(Step(AgentSpeaking(event.after_s), action))
    return Caller(steps, rate_hz=RATE_HZ, seed=rng.randrange(1 << 30)), question


def _world(provider: str, patch: Any, sounds: Corpus, phone: Caller) -> World:
    knows = script(sounds)
    config: dict[str, Any] = {"turns": TurnTaking(resumes=True, turn_end_ms=500), "phone": phone}
    kind, _, own = provider.partition("-")
    if kind == "openai":
        fields: dict[str, Any] = {"interrupt_response": False, "vad_silence_ms": 500}
        fields |= {"turn_detection": "none"} if own else {}
        return World(patch, Service(EmulatorConfig(script=knows)), provider=fields, **config)
    if kind == "gemini":
        fields = {"turn_detection": "none"} if own else {"vad_silence_ms": 500}
        return GeminiWorld(
            patch, GeminiService(GeminiConfig(script=knows)), provider=fields, **config
        )
    if kind == "elevenlabs":
        return World(patch, Agent(AgentConfig(script=knows, turn_timeout_s=None)), **config)
    stages: Any = Stages(knows)  # it has three connections where others have one
    return PipelineWorld(patch, stages, provider={"endpointing_ms": 500}, **config)


def judge(figures: Figures, talk: Talk, event: Event) -> None:
    """What became of this call."""
    phone = talk.phone
    said = [note for note in phone.notes if note.what.startswith(("says", "murmurs"))]
    figures.calls += 1
    figures.asked += 1
    answer_at = phone.hearing.first_sound_at(said[0].at + 0.3) if said else None
    if answer_at is None:
        figures.unanswered += 1
        return
    delay_s = answer_at - said[0].at - talk.question.duration_s
    if delay_s < 0:
        figures.cut_off += 1
        return
    figures.delays_s.append(delay_s)
    if event.clip is not None and len(said) < 2:
        return  # the answer was over before
    if event.kind == "words":
        figures.words += 1
        figures.missed += _still_heard(phone, said[1].at)
        return
    cut = any(at > answer_at for at in talk.cut_at)
    figures.quiet += 1
    figures.false += cut
    figures.stumbles += not cut and any(one[0] == "resumed" for one in talk.world.call.events)


def _still_heard(phone: Caller, began_at: float) -> bool:
    """Whether the agent spoke on, over the caller's words."""
    return phone.hearing.silence_after_ms(began_at, quiet_s=0.5) > SILENT_WITHIN_S * 1000


def measure(
    providers: Sequence[str],
    conditions: Sequence[Condition],
    calls: int,
    target_calls: int,
    *,
    sockets: bool = False,
) -> Iterator[Figures]:
    """Figures as they come."""
    sounds = corpus()
    for provider, condition in itertools.product(providers, conditions):
        rng = random.Random(f"{provider} {condition.name}")
        figures, happens = Figures(provider, condition.name), events(sounds, rng)
        count = target_calls if condition is TARGET else calls
        coming = itertools.islice(happens, count)
        if sockets:
            for talk, event in over_sockets(provider, condition, coming, sounds, rng):
                judge(figures, talk, event)
        else:
            for event in coming:
                judge(figures, one_call(provider, condition, event, sounds, rng), event)
        yield figures


@click.command()
@click.option("--providers", default=",".join(PROVIDERS), show_default=True)
@click.option("--lines", default="", help="Only conditions whose name has this in it.")
@click.option("--calls", default=24, show_default=True, help="For each provider and line.")
@click.option("--target-calls", default=120, show_default=True, help="On the line of the target.")
@click.option("--sockets", is_flag=True, help="In real time, over real sockets; not the pipeline.")
@click.option("--out", default="build/turns.json", type=click.Path(path_type=Path))
def main(
    providers: str, lines: str, calls: int, target_calls: int, sockets: bool, out: Path
) -> None:
    """Measure interruptions and answers for each provider on each kind of line."""
    conditions = [one for one in CONDITIONS if lines in one.name]
    voices = "espeak-ng and recordings" if corpus().synthesised else "recordings and shapes"
    click.echo(f"callers: {voices}\n")
    click.echo("| " + " | ".join(HEADINGS) + " |")
    click.echo("|" + "---|" * len(HEADINGS))
    runs = []
    kinds = providers.split(",")
    for figures in measure(kinds, conditions, calls, target_calls, sockets=sockets):
        click.echo("| " + " | ".join(figures.row()) + " |")
        runs.append(asdict(figures))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(runs, indent=1) + "\n")
    click.echo(f"\n{out} written")


if __name__ == "__main__":
    main()
