"""What a service of the speech process looks like to the process. No gevent here: real threads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from bridge.speech.messages import Reply

RATES_HZ = (8000, 16000, 22050, 24000, 48000)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
"""A voice's or a model's: it becomes a part of a file's name."""


class Refused(Exception):
    """A service cannot be had with these options; the text is for logs."""


class SpeechFailed(Exception):
    """One sentence cannot be spoken, or heard; the text is for logs."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the process has been told about this host."""

    voices_dir: Path | None = None
    """Of Piper's voices, each `<name>.onnx` with `<name>.onnx.json` beside it."""
    models_dir: Path | None = None
    """Of Whisper's models, each a directory of files."""
    turn_model: Path | None = None
    """ONNX; see `bridge.speech.turn_model`."""


class Options(msgspec.Struct, frozen=True):
    """What a client asks for."""

    voice: str = ""
    """Empty: the one for the language."""
    model: str = ""
    """Of a recogniser that has several; empty: the one for the language."""
    language: str = ""
    """BCP 47; empty: English."""
    speed: float = 1.0
    rate_hz: int = 8000
    silence_ms: int = 320
    """A recogniser: a pause of this length ends a turn."""

    @property
    def base_language(self) -> str:
        """Of `pt-BR` it is `pt`."""
        return self.language.replace("_", "-").partition("-")[0].lower() or "en"


Cancelled = Callable[[], bool]
"""Asked between pieces of work."""


@runtime_checkable
class Voice(Protocol):
    """Speaks sentences, one at a time."""

    def speak(self, text: str, cancelled: Cancelled) -> Iterator[bytes]:
        """16-bit samples at the rate asked for, as they are made. Raises `SpeechFailed`."""


@runtime_checkable
class Ear(Protocol):
    """Hears one caller."""

    def hear(self, data: bytes) -> list[Reply]:
        """Take 16-bit samples; what there is to tell of them."""

    def close(self) -> None:
        """The caller has left."""


class Recogniser(Protocol):
    """Understands one caller, utterance by utterance. May keep a core busy."""

    def begin(self) -> None:
        """An utterance begins."""

    def feed(self, samples: bytes) -> str:
        """Take 16-bit samples of it; the words so far, where it tells them early."""

    def finish(self) -> str:
        """It is over: its words. Raises `SpeechFailed`."""

    def close(self) -> None:
        """The caller has left."""


class StatusService:
    """Answers how the process does."""


Service = Voice | Ear | StatusService
Opener = Callable[[Options, Place], Service]


def open_status(options: Options, place: Place) -> StatusService:
    """For whoever watches the process."""
    return StatusService()


def read_options(given: Mapping[str, Any]) -> Options:
    """Raises `Refused`."""
    try:
        options = msgspec.convert(given, Options)
    except msgspec.ValidationError as error:
        raise Refused(f"options: {error}") from error
    if options.voice and not _NAME.fullmatch(options.voice):
        raise Refused("options: this is no name of a voice")
    if options.model and not _NAME.fullmatch(options.model):
        raise Refused("options: this is no name of a model")
    if options.language and not _NAME.fullmatch(options.language):
        raise Refused("options: this is no language")
    if options.rate_hz not in RATES_HZ or not 0.25 <= options.speed <= 2:
        raise Refused("options: rate_hz or speed out of range")
    if not 100 <= options.silence_ms <= 5000:
        raise Refused("options: silence_ms out of range")
    return options
