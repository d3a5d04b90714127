"""Real speech for the emulated model, when a synthesiser is installed: espeak-ng or flite."""

from __future__ import annotations

import tempfile
from pathlib import Path

import gevent
import gevent.subprocess

from esl_controller.simulator.service.voice import Voice, read_wav, synthetic_speech

SPEAK_LIMIT_S = 10.0


class CommandVoice(Voice):
    """Runs a program that writes a WAV file; while it runs, others are served."""

    command: tuple[str, ...] = ()
    """Program and arguments; `{wav}` and `{text}` are filled in."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, bytes] = {}
        self._making: set[str] = set()

    def samples(self, text: str, wav: str) -> bytes | None:
        """Speech for `text`; None while the program runs."""
        if wav:
            return read_wav(wav)
        if text in self._made:
            return self._made.pop(text)
        if text not in self._making:
            self._making.add(text)
            gevent.spawn(self._make, text)
        return None

    def _make(self, text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "speech.wav")
            command = [part.format(wav=path, text=text) for part in self.command]
            try:
                gevent.subprocess.run(
                    command, check=True, capture_output=True, timeout=SPEAK_LIMIT_S
                )
                self._made[text] = read_wav(path)
            except (OSError, ValueError, gevent.subprocess.SubprocessError):
                # Not installed or failed: the conversation goes on in the synthetic voice.
                self._made[text] = synthetic_speech(text)
        self._making.discard(text)


class EspeakVoice(CommandVoice):
    """espeak-ng."""

    command = ("espeak-ng", "-w", "{wav}", "--", "{text}")


class FliteVoice(CommandVoice):
    """flite."""

    command = ("flite", "-t", "{text}", "-o", "{wav}")


VOICES: dict[str, type[Voice]] = {
    "synthetic": Voice,
    "espeak-ng": EspeakVoice,
    "flite": FliteVoice,
}
