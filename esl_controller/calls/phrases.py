"""Short recorded phrases for moments in which no provider can speak, in the tenant's language."""

from __future__ import annotations

import enum
import wave
from functools import cache
from importlib.resources import files

from bridge.audio.formats import L16_8K, AudioFormat

DEFAULT_LANGUAGE = "en"


class Phrase(enum.Enum):
    """What can be said."""

    ONE_MOMENT = "one_moment"
    STILL_THERE = "still_there"
    GOOD_BYE = "good_bye"
    TIME_UP = "time_up"
    SAY_AGAIN = "say_again"
    CONNECTING = "connecting"


def phrase_audio(phrase: Phrase, language: str | None) -> tuple[bytes, AudioFormat]:
    """The phrase as L16 at 8 kHz, in English where the language is not there.

    `warm_up` reads all files, so that a call never waits for the disk.
    """
    short = (language or DEFAULT_LANGUAGE).partition("-")[0].lower()
    recordings = _recordings()
    data = recordings.get((short, phrase)) or recordings[(DEFAULT_LANGUAGE, phrase)]
    return data, L16_8K


def warm_up() -> None:
    """Read the files."""
    _recordings()


@cache
def _recordings() -> dict[tuple[str, Phrase], bytes]:
    """Every recording by language and phrase; files are named `pt-one_moment.wav`."""
    recordings = {}
    for file in files("esl_controller.calls").joinpath("phrase_audio").iterdir():
        if file.name.endswith(".wav"):
            language, _, name = file.name.removesuffix(".wav").partition("-")
            with file.open("rb") as stream, wave.open(stream) as sound:
                if (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) != (
                    8000,
                    2,
                    1,
                ):
                    raise ValueError(f"{file.name} is not 16-bit mono at 8 kHz")
                recordings[(language, Phrase(name))] = sound.readframes(sound.getnframes())
    return recordings
