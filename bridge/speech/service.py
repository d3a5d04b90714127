"""What a service of the speech process looks like to the process. No gevent here: real threads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

RATES_HZ = (8000, 16000, 22050, 24000, 48000)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
"""A voice's: it becomes a part of a file's name."""


class Refused(Exception):
    """A service cannot be had with these options; the text is for logs."""


class SpeechFailed(Exception):
    """One sentence cannot be spoken; the text is for logs."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the process has been told about this host."""

    voices_dir: Path | None = None
    """Of Piper's voices, each `<name>.onnx` with `<name>.onnx.json` beside it."""
    turn_model: Path | None = None
    """ONNX; see `bridge.speech.turn_end`."""


class Options(msgspec.Struct, frozen=True):
    """What a client asks for."""

    voice: str = ""
    """Empty: the one for the language."""
    language: str = ""
    """BCP 47; empty: English."""
    speed: float = 1.0
    rate_hz: int = 8000

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
    """Hears where a voice begins and ends."""

    def hear(self, data: bytes) -> list[tuple[bool, int]]:
        """Take 16-bit samples; began (true) or ended, and where in milliseconds."""


Service = Voice | Ear
Opener = Callable[[Options, Place], Service]


def read_options(given: Mapping[str, Any]) -> Options:
    """Raises `Refused`."""
    try:
        options = msgspec.convert(given, Options)
    except msgspec.ValidationError as error:
        raise Refused(f"options: {error}") from error
    if options.voice and not _NAME.fullmatch(options.voice):
        raise Refused("options: this is no name of a voice")
    if options.language and not _NAME.fullmatch(options.language):
        raise Refused("options: this is no language")
    if options.rate_hz not in RATES_HZ or not 0.25 <= options.speed <= 2:
        raise Refused("options: rate_hz or speed out of range")
    return options
