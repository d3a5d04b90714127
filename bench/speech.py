"""`python -m bench.speech`: what local speech costs, and how long a caller waits for an answer.

CPU is that of the speech process, told by itself. The wait is measured at the pipeline: from the
last sound of the caller's words to the first sound of the answer; the line to the caller is not in
it.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402
import gevent  # noqa: E402

from bench.figures import median, percentile  # noqa: E402
from bridge.audio.formats import L16_8K  # noqa: E402
from bridge.providers import base as p  # noqa: E402
from bridge.providers.actions import Action, Send  # noqa: E402
from bridge.providers.conversation import Brief, Conversation, Opening  # noqa: E402
from bridge.providers.host import Network, ProviderHost  # noqa: E402
from bridge.providers.pipeline.config import PipelineConfig  # noqa: E402
from bridge.providers.pipeline.realtime import Pipeline  # noqa: E402
from bridge.providers.pipeline.speaking import TTS  # noqa: E402
from bridge.speech.messages import Status, Told, decode_reply  # noqa: E402
from bridge.speech.sphinx import MAX_DECODERS  # noqa: E402
from bridge.speech.trial import Trial  # noqa: E402
from esl_controller.commands.speech_here import own_speech_process  # noqa: E402
from esl_controller.settings.host import Speech  # noqa: E402
from esl_controller.simulator.chat.server import ChatConfig, ChatEmulator  # noqa: E402
from esl_controller.simulator.service.script import Answer, Script  # noqa: E402
from esl_controller.simulator.speech import Clip, recording  # noqa: E402

FRAME_S = 0.02
LOUD = 300
SENTENCES = (
    "I would like to book a table for two people tomorrow evening.",
    "Can you connect me to the manager please?",
    "Good morning, I want to make a reservation.",
)
SCRIPT = Script(
    (
        Answer("Certainly, a table for two. At what time would you like to come?"),
        Answer("Of course. I will connect you now."),
        Answer("With pleasure. For how many people shall it be?"),
    )
)


@click.command()
@click.option("--calls", default=10, show_default=True, help="Callers heard at the same time.")
@click.option("--seconds", default=20.0, show_default=True, help="For how long.")
@click.option("--turns", default=12, show_default=True, help="Answers that are waited for.")
@click.option("--think-ms", default=200.0, show_default=True, help="Of the emulated chat model.")
@click.option("--endpointing-ms", default=300, show_default=True)
@click.option("--tts", default="piper", show_default=True)
def main(
    calls: int, seconds: float, turns: int, think_ms: float, endpointing_ms: int, tts: str
) -> None:
    """Measure the speech process alone on this machine."""
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        speech = Speech(
            socket=str(Path(directory) / "socket"),
            voices_dir=f"{directory}/voices",
            models_dir=f"{directory}/models",
        )
        with own_speech_process(speech, Path(directory) / "log"):
            path = speech.socket
            spoken = [_clip(path, tts, text) for text in SENTENCES]
            click.echo(f"{'the speech process':<44} {'% of a core':>12}")
            quiet = Clip(bytes(320), 8000)
            for service, clip, what in (
                ("silero", quiet, "a caller who listens"),
                ("silero", recording("reader_statement"), "a caller who speaks all the time"),
                ("pocketsphinx", quiet, "a caller who listens"),
            ):
                most = MAX_DECODERS if service == "pocketsphinx" else calls
                cost = _cpu_percent(path, service, clip, min(calls, most), seconds)
                click.echo(f"{service + ', ' + what:<44} {cost:>12.2f}")
            cost = _cpu_percent(path, "pocketsphinx", spoken[0], 1, seconds)
            click.echo(f"{'pocketsphinx, one caller, all the time':<44} {cost:>12.1f}")
            _tell_waits(path, spoken, turns, think_ms / 1000, endpointing_ms, tts)


# --- CPU ------------------------------------------------------------------------------------------


def _cpu_percent(path: str, service: str, clip: Clip, calls: int, seconds: float) -> float:
    """Of a core, for each of `calls` callers who are heard in real time."""
    options = {"rate_hz": 8000, "language": "en"}
    ears = [Trial(path, service, options, timeout_s=60) for _ in range(calls)]
    frames = clip.frames(8000)
    before, began = _status(path), time.monotonic()
    for number in range(int(seconds / FRAME_S)):
        for ear in ears:
            ear.hear(frames[number % len(frames)])
        gevent.sleep(max(0.0, began + (number + 1) * FRAME_S - time.monotonic()))
    used_s = _status(path).cpu_s - before.cpu_s
    took_s = time.monotonic() - began
    for ear in ears:
        ear.close()
    return 100 * used_s / took_s / calls


def _status(path: str) -> Status:
    trial = Trial(path, "status", {}, timeout_s=10)
    try:
        return trial.status()
    finally:
        trial.close()


def _clip(path: str, tts: str, text: str) -> Clip:
    """A caller's words, made here; ends with the last loud sample."""
    trial = Trial(path, tts, {"language": "en", "rate_hz": 8000}, timeout_s=60)
    try:
        pcm = trial.speak(text)
    finally:
        trial.close()
    samples = memoryview(pcm).cast("h")
    loud = max(at for at, value in enumerate(samples) if abs(value) > LOUD)
    return Clip(pcm[: 2 * loud + 2], 8000, text)


# --- waits ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Turn:
    """Monotonic seconds of what happened in one turn; 0: it did not."""

    said: float = 0.0
    """The last sound of the caller's words."""
    over: float = 0.0
    sentence: float = 0.0
    """The model's first sentence was given to the voice."""
    sound: float = 0.0
    text: str = ""


@dataclass(slots=True)
class Watched:
    """Notes when messages go and come."""

    protocol: Pipeline
    turn: Turn = field(default_factory=Turn)
    ready: bool = False

    def attach(self) -> None:
        """Look at all that goes in and out."""
        receive, actions = self.protocol.receive_message, self.protocol.actions

        def receive_message(channel: str, data: bytes, now: float) -> None:
            if channel == TTS and decode_reply(data).told is Told.AUDIO:
                self.turn.sound = self.turn.sound or now
            receive(channel, data, now)

        def take_actions() -> list[Action]:
            found = actions()
            if any(isinstance(one, Send) and one.channel == TTS for one in found):
                self.turn.sentence = self.turn.sentence or time.monotonic()
            return found

        self.protocol.receive_message = receive_message  # type: ignore[method-assign]
        self.protocol.actions = take_actions  # type: ignore[method-assign]

    def on_events(self, events: Sequence[p.ProviderEvent]) -> None:
        """What the pipeline tells."""
        for event in events:
            if isinstance(event, p.SessionReady):
                self.ready = True
            elif isinstance(event, p.CallerStopped):
                self.turn.over = time.monotonic()
            elif isinstance(event, p.Transcript) and event.item_id.startswith("c"):
                self.turn.text = event.text
            elif isinstance(event, p.ProviderFailure):
                raise click.ClickException(f"the pipeline failed: {event.code} {event.message}")


def _tell_waits(
    path: str, clips: list[Clip], turns: int, think_s: float, endpointing_ms: int, tts: str
) -> None:
    with _call(path, think_s, endpointing_ms, tts) as (watched, host):
        made = [_turn(watched, host, clips[number % len(clips)]) for number in range(turns)]
    found = [turn for turn in made if turn.said < turn.over < turn.sentence < turn.sound]
    if len(found) < len(made):
        odd = len(made) - len(found)
        click.echo(f"{odd} turns were cut in two and are left out: is the machine busy?")
    stages = {
        f"hearing (of it {endpointing_ms} ms of silence)": [t.over - t.said for t in found],
        f"model (of it {1000 * think_s:.0f} ms set for the emulator)": [
            t.sentence - t.over for t in found
        ],
        f"voice ({tts})": [t.sound - t.sentence for t in found],
    }
    total = [t.sound - t.said for t in found]
    whole_ms = 1000 * (median(total) or 0.0)
    click.echo(
        f"\n{'from the last word to the first sound':<44} {'p50 ms':>8} {'p95':>6} {'share':>6}"
    )
    for name, values in stages.items():
        ms = 1000 * (median(values) or 0.0)
        p95 = 1000 * (percentile(values, 95) or 0.0)
        click.echo(f"{name:<44} {ms:>8.0f} {p95:>6.0f} {100 * ms / whole_ms:>5.0f}%")
    p95 = 1000 * (percentile(total, 95) or 0.0)
    click.echo(f"{f'in all, {len(found)} turns':<44} {whole_ms:>8.0f} {p95:>6.0f}")
    for turn in found[: len(clips)]:
        click.echo(f"  understood: {turn.text}")


@contextmanager
def _call(
    path: str, think_s: float, endpointing_ms: int, tts: str
) -> Iterator[tuple[Watched, ProviderHost]]:
    chat = ChatEmulator(ChatConfig(script=SCRIPT, think_s=think_s, word_s=0.02))
    options: dict[str, Any] = {"stt": "pocketsphinx", "tts": tts, "model": "emulated"}
    config = PipelineConfig(base_url=chat.start(), endpointing_ms=endpointing_ms, **options)
    watched = Watched(Pipeline(config))
    watched.attach()
    talk = Conversation(L16_8K, L16_8K, Brief("Be brief.", "", "en-US"), Opening.LISTEN)
    network = Network(speech=path)
    host = ProviderHost(
        watched.protocol, talk, on_events=watched.on_events, connect_timeout_s=60, network=network
    )
    host.start()
    try:
        with gevent.Timeout(60, click.ClickException("the pipeline is not ready")):
            while not watched.ready:
                gevent.sleep(0.01)
        yield watched, host
    finally:
        host.stop()
        chat.stop()


def _turn(watched: Watched, host: ProviderHost, clip: Clip) -> Turn:
    """Speak in real time, then be silent until the answer has been made."""
    turn = watched.turn = Turn()
    frames, silence = clip.frames(8000), bytes(320)
    began, number = time.monotonic(), 0
    until = began + clip.duration_s + 20
    while time.monotonic() < until:
        watched.protocol.send_audio(frames[number] if number < len(frames) else silence)
        host.flush_audio()
        number += 1
        if number == len(frames):
            turn.said = time.monotonic()
        if turn.sound and time.monotonic() > turn.sound + 1.0:
            return turn
        gevent.sleep(max(0.0, began + number * FRAME_S - time.monotonic()))
    raise click.ClickException(f"no answer to {clip.name!r}")


if __name__ == "__main__":
    main()
