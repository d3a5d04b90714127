"""Callers whose turns are doubtful: voices, murmurs and noises that a recogniser can tell apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from bridge.session.barge_in import TurnTaking
from esl_controller.simulator import speech
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.caller_script import Step
from esl_controller.simulator.elevenlabs.config import EmulatorConfig as AgentConfig
from esl_controller.simulator.gemini.config import EmulatorConfig as GeminiConfig
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.service.recogniser import Recogniser
from esl_controller.simulator.service.script import Answer, Script
from esl_controller.simulator.speech import Clip
from tests.pairs.gemini_world import GeminiService, GeminiWorld
from tests.pairs.services import Agent, Service
from tests.pairs.stages import PipelineWorld, Stages
from tests.pairs.world import World

LONG = "There are several things I can tell you about that, and I will do so one by one. " * 2
WORDS = "go forward ten meters"
INTERRUPTION = speech.recording("go_forward")
MURMUR = speech.synthetic(0.45, 8000, seed=5)
SHORT = speech.synthetic(0.4, 8000, seed=11)
KNOWN = {WORDS: INTERRUPTION, "uh-huh": MURMUR, "stop": SHORT}
RECOGNISER = Recogniser([(words, (clip.pcm, clip.rate_hz)) for words, clip in KNOWN.items()])
RESUMES = TurnTaking(resumes=True)


def knock(seconds: float = 0.25, dbfs: float = -12.0) -> Clip:
    """A door, a cough: loud, low, and no words."""
    rng = np.random.default_rng(3)
    noise = np.cumsum(rng.standard_normal(round(8000 * seconds)))
    noise -= np.convolve(noise, np.ones(200) / 200, "same")
    noise *= np.hanning(len(noise)) * 32767 * 10 ** (dbfs / 20) / np.std(noise)
    return Clip(np.clip(noise, -32767, 32767).astype("<i2").tobytes(), 8000, "knock")


def script(*answers: str) -> Script:
    return Script(
        tuple(Answer(text) for text in answers or (LONG, "Of course.")), recogniser=RECOGNISER
    )


def make(kind: str, monkeypatch: Any, steps: list[Step], **config: Any) -> World:
    """A call over one kind of provider; the caller's first turn is answered at length."""
    phone = Caller(steps, rate_hz=8000)
    config = {"turns": RESUMES, "phone": phone} | config
    if kind == "openai":
        fields = {"interrupt_response": False} | config.pop("provider", {})
        return World(
            monkeypatch, Service(EmulatorConfig(script=script())), provider=fields, **config
        )
    if kind == "gemini":
        return GeminiWorld(monkeypatch, GeminiService(GeminiConfig(script=script())), **config)
    if kind == "elevenlabs":
        agent = Agent(AgentConfig(script=script(), turn_timeout_s=None))
        return World(monkeypatch, agent, **config)
    return PipelineWorld(monkeypatch, Stages(script()), **config)
