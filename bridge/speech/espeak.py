"""A robot's voice for a hundred languages: the program `espeak-ng` (Debian package of that name).

It is GPL and runs as a process of its own for each sentence. The text goes in by standard input,
where it can be no option; a WAV file with unknown length comes out as it is made.
"""

from __future__ import annotations

import contextlib
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator

from bridge.speech.resample import resampled
from bridge.speech.service import Cancelled, Options, Place, Refused, SpeechFailed

SENTENCE_S = 10.0
"""Longest time one sentence may take."""
WORDS_A_MINUTE = 160
READ_BYTES = 4096
_HEAD_BYTES = 44
"""RIFF, fmt and data heads, as espeak-ng writes them (src/espeak-ng.c, `OpenWavFile`)."""
_VOICES = {"en": "en-us", "pt": "pt-br", "es": "es-419", "zh": "cmn"}
"""By language, where the language's own name is not the best."""
_EUROPEAN = {"pt-pt": "pt", "en-gb": "en-gb", "es-es": "es"}


class Espeak:
    """One voice."""

    def __init__(self, program: str, voice: str, options: Options) -> None:
        speed = str(round(WORDS_A_MINUTE * options.speed))
        self._command = [program, "-v", voice, "-s", speed, "--stdin", "--stdout", "-b", "1"]
        self._rate_hz = options.rate_hz

    def speak(self, text: str, cancelled: Cancelled) -> Iterator[bytes]:
        """Raises `SpeechFailed` when the program fails or takes too long."""
        with subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            deadline = threading.Timer(SENTENCE_S, process.kill)
            deadline.start()
            try:
                yield from self._sound(process, text, cancelled)
            finally:
                deadline.cancel()
                process.kill()

    def _sound(
        self, process: subprocess.Popen[bytes], text: str, cancelled: Cancelled
    ) -> Iterator[bytes]:
        if process.stdin is None or process.stdout is None:
            raise SpeechFailed("espeak-ng without pipes")
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(text.encode())
            process.stdin.close()
        head = process.stdout.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES or head[:4] != b"RIFF":
            raise SpeechFailed("espeak-ng made no sound")
        (rate_hz,) = struct.unpack_from("<I", head, 24)
        pieces = iter(lambda: process.stdout.read(READ_BYTES) if process.stdout else b"", b"")
        for made in resampled(pieces, rate_hz, self._rate_hz):
            if cancelled():
                return
            yield made
        if process.wait(SENTENCE_S) != 0:
            raise SpeechFailed(f"espeak-ng ended with {process.returncode}")


def voice_for(options: Options) -> str:
    """The name espeak-ng knows."""
    if options.voice:
        return options.voice
    language = options.language.lower()
    return _EUROPEAN.get(language) or _VOICES.get(options.base_language, options.base_language)


def open_espeak(options: Options, place: Place) -> Espeak:
    """Raises `Refused`: the program is not installed, or does not know the voice."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise Refused("espeak-ng is not installed on this host")
    voice = voice_for(options)
    command = [program, "-v", voice, "-q", "--stdin"]
    try:
        subprocess.run(command, input=b"", capture_output=True, timeout=SENTENCE_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Refused(f"espeak-ng has no voice {voice}") from error
    return Espeak(program, voice, options)
