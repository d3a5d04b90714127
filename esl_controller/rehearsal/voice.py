"""What the caller of a rehearsal sounds like: espeak-ng's words, a WAV file, or a voice without
words, which is enough for an emulated model."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from gevent import subprocess

from esl_controller.rehearsal.scenario import Line
from esl_controller.simulator import speech
from esl_controller.simulator.speech import Clip
from esl_controller.simulator.switch.sound import InvalidSoundError

WORDS_PER_MINUTE = "150"
MAKE_S = 20.0
_ESPEAK = "espeak-ng"


class NoVoice(Exception):
    """The caller cannot say this, in words."""


def has_words() -> bool:
    """Whether text can be spoken here."""
    return shutil.which(_ESPEAK) is not None


def clip_of(line: Line, language: str, directory: Path, *, words: bool) -> Clip:
    """What a line sounds like.

    Args:
        directory: of the scenario file, for its WAV files.
        words: whoever listens understands them.

    Raises:
        NoVoice: there is nothing to say it with.
    """
    if line.wav:
        try:
            return speech.from_wav(directory / line.wav)
        except (InvalidSoundError, OSError) as error:
            raise NoVoice(f"{line.wav}: {error}") from error
    if not words:
        return speech.synthetic(0.5)
    return _spoken(line.says, language)


def _spoken(text: str, language: str) -> Clip:
    tag = language.replace("_", "-").lower()
    for voice in dict.fromkeys((tag, tag.partition("-")[0])):
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            made = subprocess.run(
                [_ESPEAK, "-v", f"{voice}+f3", "-s", WORDS_PER_MINUTE, "-w", file.name, "--", text],
                stderr=subprocess.PIPE,
                timeout=MAKE_S,
                check=False,
            )
            if made.returncode == 0:
                return speech.from_wav(Path(file.name))
    raise NoVoice(f"espeak-ng has no voice for {language}")
