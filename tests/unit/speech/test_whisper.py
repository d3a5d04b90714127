"""Whisper: which model understands a language, and what becomes of an utterance."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bridge.speech import whisper
from bridge.speech.service import Options, Place, Refused, SpeechFailed
from bridge.speech.whisper import Whisper


class Model:
    """Understands the length of a sound; a very short one breaks it."""

    def transcribe(self, sound: np.ndarray, **options: Any) -> tuple[list[Any], None]:
        if not len(sound):
            raise RuntimeError("no sound")
        words = f" {len(sound) // 16000} s of {options['language']} "
        return [SimpleNamespace(text=words), SimpleNamespace(text=" more")], None


def test_an_utterance_is_understood_as_a_whole() -> None:
    ear = Whisper(Model(), 8000, "pt")
    for _ in range(2):
        ear.begin()
        assert ear.feed(bytes(32000)) == ""
        assert ear.finish() == "2 s of pt more"


def test_no_utterance_grows_for_ever_and_a_fault_is_told() -> None:
    ear = Whisper(Model(), 8000, "en")
    ear.begin()
    for _ in range(40):
        ear.feed(bytes(16000))
    assert ear.finish() == "30 s of en more"
    with pytest.raises(SpeechFailed, match="RuntimeError"):
        ear.finish()


def test_a_model_is_taken_by_name_or_by_what_it_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper.importlib.util, "find_spec", lambda name: None)
    for name in ("base", "tiny.en"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.bin").touch()
    place = Place(models_dir=tmp_path)

    def found(**options: str) -> str:
        return whisper._model(Options(**options), place).name

    assert found(language="pt-BR") == "base"
    assert found(model="tiny.en", language="pt") == "tiny.en"
    with pytest.raises(Refused, match="no model large"):
        found(model="large")
    (tmp_path / "base" / "model.bin").unlink()
    assert found(language="en") == "tiny.en"
    with pytest.raises(Refused, match="knows pt"):
        found(language="pt")
