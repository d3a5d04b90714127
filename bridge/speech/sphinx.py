"""Words by PocketSphinx (package `pocketsphinx`, BSD): English, as they are spoken, on one core.

The package brings its acoustic model, its dictionary and a language model of telephone English.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import threading
from pathlib import Path
from typing import Any

from bridge.speech.listening import PAUSE_MS, Listening
from bridge.speech.resample import Resampled
from bridge.speech.service import Options, Place, Refused
from bridge.speech.silero import silero

MODEL_HZ = 16000
MAX_DECODERS = 3 * (os.cpu_count() or 1)
"""Calls at a time. Each takes 100 MB, and a core keeps up with about three callers who speak."""
CEPSTRAL_MEANS = {
    8000: "42,21,-30,37,-15,0,8,-20,12,-9,1,7,-14",
    16000: "40,3,-1",
}
"""What the recogniser takes a voice to be like before it has heard one: on a telephone, whose band
ends at 3.4 kHz, as measured with PCMU; else as its model says. Without it first sentences are lost.
"""
_free: list[Any] = []
_made = 0
_lock = threading.Lock()


class Sphinx:
    """One caller's recogniser."""

    def __init__(self, decoder: Any, rate_hz: int) -> None:
        decoder.set_cmn(CEPSTRAL_MEANS.get(rate_hz, CEPSTRAL_MEANS[MODEL_HZ]))
        self._decoder = decoder
        self._rate_hz = rate_hz
        self._samples = Resampled(rate_hz, MODEL_HZ)
        self._begun = False

    def begin(self) -> None:
        """An utterance begins."""
        self._samples = Resampled(self._rate_hz, MODEL_HZ)
        self._decoder.start_utt()
        self._begun = True

    def feed(self, samples: bytes) -> str:
        """The words so far."""
        made = self._samples.feed(samples)
        if made:
            self._decoder.process_raw(made)
        return self._words()

    def finish(self) -> str:
        """All the words."""
        if self._begun:
            self._begun = False
            self._decoder.end_utt()
        return self._words()

    def close(self) -> None:
        """The decoder is for the next caller."""
        self.finish()
        with _lock:
            _free.append(self._decoder)

    def _words(self) -> str:
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr if hypothesis is not None else ""


def open_sphinx(options: Options, place: Place) -> Listening:
    """Raises `Refused`: it is not installed, the language is not English, or all are in use."""
    if importlib.util.find_spec("pocketsphinx") is None:
        raise Refused("pocketsphinx is not installed on this host")
    if options.base_language != "en":
        raise Refused(f"pocketsphinx understands English, not {options.base_language}")
    voice = silero(options.rate_hz, PAUSE_MS)
    return Listening(
        voice, Sphinx(_decoder(), options.rate_hz), silence_ms=options.silence_ms, language="en"
    )


def _decoder() -> Any:
    global _made
    with _lock:
        if _free:
            return _free.pop()
        if _made >= MAX_DECODERS:
            raise Refused(f"{MAX_DECODERS} callers are being recognised already")
        decoder = _load()
        _made += 1
        return decoder


def _load() -> Any:
    """Without its second and third pass: they take 0.2 s at the end of a turn and mend little."""
    package = importlib.import_module("pocketsphinx")
    model = Path(package.get_model_path()) / "en-us"
    return package.Decoder(
        hmm=str(model / "en-us"),
        lm=str(model / "en-us.lm.bin"),
        dict=str(model / "cmudict-en-us.dict"),
        samprate=MODEL_HZ,
        fwdflat=False,
        bestpath=False,
        loglevel="ERROR",
    )
