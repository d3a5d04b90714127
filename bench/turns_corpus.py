"""Who calls, and what is heard of them: voices, murmurs and noises, at one level, 8 kHz.

Voices are made by espeak-ng where it is installed; the recorded ones that come with the simulator
are always there.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl_controller.simulator import speech
from esl_controller.simulator.service.recogniser import Recogniser
from esl_controller.simulator.speech import Clip
from esl_controller.simulator.switch.sound import RateConverter

RATE_HZ = 8000
VOICE_DBFS = -20.0
SENTENCES = {
    "en": (
        "could you tell me when you open on saturday",
        "no that is not what I asked you about",
        "I would rather speak to a person please",
        "wait a moment I have another question",
    ),
    "pt": (
        "a que horas vocês abrem no sábado",
        "não era isso que eu queria saber",
        "eu prefiro falar com uma pessoa por favor",
        "espera um pouco tenho outra pergunta",
    ),
}
SHORT = {"en": ("stop", "hold on", "no no"), "pt": ("pare", "um momento", "não não")}
MURMURS = {"en": ("uh-huh", "yeah", "okay"), "pt": ("aham", "sim sim", "tá bom")}
_VOICES = {"en": ("en-us", "en-gb+f3"), "pt": ("pt-br", "pt-br+f2")}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Everything a caller can say, by its words."""

    sentences: tuple[Clip, ...]
    short: tuple[Clip, ...]
    murmurs: tuple[Clip, ...]
    noises: tuple[Clip, ...]
    recogniser: Recogniser
    synthesised: bool


@cache
def corpus() -> Corpus:
    """Made once."""
    spoken = shutil.which("espeak-ng") is not None
    recorded = tuple(
        _levelled(_telephone(speech.recording(name)), words)
        for name, words in speech.RECORDINGS.items()
    )
    sentences = recorded
    short: tuple[Clip, ...]
    murmurs: tuple[Clip, ...]
    if spoken:
        sentences += _said(SENTENCES)
        short, murmurs = _said(SHORT), _said(MURMURS)
    else:  # shapes of a voice: the recogniser knows them by their sound all the same
        short = tuple(_shape(0.45, seed, "stop") for seed in range(3))
        murmurs = tuple(_shape(0.4, seed, "uh-huh") for seed in range(10, 13))
    known = {clip: clip.name for clip in (*sentences, *short, *murmurs)}
    sounds = [(words, (clip.pcm, clip.rate_hz)) for clip, words in known.items()]
    return Corpus(sentences, short, murmurs, tuple(_noises()), Recogniser(sounds), spoken)


def _said(texts: Mapping[str, tuple[str, ...]]) -> tuple[Clip, ...]:
    return tuple(
        _levelled(_espeak(text, voice), text)
        for language, sentences in texts.items()
        for text in sentences
        for voice in _VOICES[language]
    )


def _espeak(text: str, voice: str) -> Clip:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "said.wav"
        subprocess.run(
            ["espeak-ng", "-v", voice, "-s", "150", "-w", str(path), text],
            check=True,
            timeout=20,
        )
        return _telephone(speech.from_wav(path))


def _telephone(clip: Clip) -> Clip:
    pcm = RateConverter(clip.rate_hz, RATE_HZ).convert(clip.pcm)
    return Clip(pcm, RATE_HZ, clip.name)


def _levelled(clip: Clip, words: str) -> Clip:
    """Its loud parts at `VOICE_DBFS`, without the silence at its ends."""
    samples = np.frombuffer(clip.pcm, "<i2").astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.05 * np.abs(samples).max())
    samples = samples[loud[0] : loud[-1] + 1]
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    levels = np.sqrt((frames**2).mean(axis=1))
    active = levels[levels > 0.2 * levels.max()]
    samples *= 32768 * 10 ** (VOICE_DBFS / 20) / np.sqrt((active**2).mean())
    return _clip(samples, words)


def _shape(seconds: float, seed: int, words: str) -> Clip:
    return _levelled(speech.synthetic(seconds, RATE_HZ, seed=seed + 20), words)


def _noises() -> list[Clip]:
    """A cough, a door, a cup, a car horn far off: 80 to 400 ms, as loud as a voice."""
    rng = np.random.default_rng(7)
    made = []
    for name, seconds, smooth, decay in (
        ("cough", 0.3, 4, 6.0),
        ("door", 0.2, 20, 12.0),
        ("cup", 0.08, 1, 25.0),
        ("bump", 0.4, 30, 5.0),
    ):
        count = round(seconds * RATE_HZ)
        noise = np.convolve(rng.standard_normal(count + smooth), np.ones(smooth), "valid")[:count]
        noise *= np.exp(-decay * np.arange(count) / RATE_HZ)
        made.append(_clip(noise * 32768 * 10 ** (-14 / 20) / np.abs(noise).max() * 2, name))
    return made


def _clip(samples: NDArray[np.float64], name: str) -> Clip:
    return Clip(np.clip(samples, -32767, 32767).astype("<i2").tobytes(), RATE_HZ, name)
