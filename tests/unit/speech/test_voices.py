"""Which voice speaks a language."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.speech.espeak import voice_for
from bridge.speech.messages import Reply, Told
from bridge.speech.piper import _model
from bridge.speech.service import Ear, Options, Place, Refused, Voice, read_options
from bridge.speech.silero import MIN_SILENCE_MS, MIN_SPEECH_MS, Silero
from bridge.speech.tones import open_tones


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("", "en-us"),
        ("en-US", "en-us"),
        ("en-GB", "en-gb"),
        ("pt", "pt-br"),
        ("pt-BR", "pt-br"),
        ("pt_BR", "pt-br"),
        ("pt-PT", "pt"),
        ("es-MX", "es-419"),
        ("de-DE", "de"),
    ],
)
def test_espeaks_voice_for_a_language(language: str, voice: str) -> None:
    assert voice_for(Options(language=language)) == voice
    assert voice_for(Options("ro", language)) == "ro"


def test_pipers_voice_is_the_first_of_the_language(tmp_path: Path) -> None:
    for name in ("pt_BR-faber-medium", "pt_PT-tugao-medium", "de_DE-thorsten-low"):
        (tmp_path / f"{name}.onnx").touch()
    place = Place(tmp_path)

    def found(**options: str) -> str | None:
        model = _model(Options(**options), place)
        return model.stem if model else None

    assert found(language="pt-BR") == "pt_BR-faber-medium"
    assert found(language="pt-PT") == "pt_PT-tugao-medium"
    assert found(language="de-AT") == "de_DE-thorsten-low"
    assert found(language="fi") is None
    assert found(voice="de_DE-thorsten-low", language="pt") == "de_DE-thorsten-low"
    assert found(voice="nobody", language="pt") is None


@pytest.mark.parametrize(
    "given",
    [
        {"voice": "../x"},
        {"voice": "-x"},
        {"language": "a b"},
        {"rate_hz": 7},
        {"speed": 0.0},
        {"speed": "1"},
    ],
)
def test_options_that_cannot_be_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(Refused):
        read_options(given)


class Model:
    """As sure as the loudness of the window."""

    def process(self, samples: memoryview) -> float:
        assert len(samples) == 256
        return max(map(abs, samples))


def test_a_voice_is_heard_after_a_while_and_lost_after_another() -> None:
    ear: Ear = Silero(Model(), 8000)
    loud, quiet = b"\x00\x60" * 256, bytes(512)
    assert ear.hear(quiet * 10 + loud * 2 + quiet * 10) == [], "a click"
    (began,) = ear.hear(loud * 4)
    assert began == Reply(Told.STARTED, 22 * 32)
    assert ear.hear(quiet * (MIN_SILENCE_MS // 32 - 1) + loud) == [], "a pause between words"
    found = [ear.hear(quiet[:100]) for _ in range(100)]
    (ended,) = [one for some in found for one in some]
    assert ended.told is Told.ENDED
    assert MIN_SPEECH_MS < ended.number - began.number < 1000


def test_tones_last_as_long_as_their_words_and_speed() -> None:
    slow, fast = (open_tones(Options(speed=speed), Place()) for speed in (1.0, 2.0))
    assert isinstance(slow, Voice)
    text = "One moment please"
    sizes = [len(b"".join(voice.speak(text, lambda: False))) for voice in (slow, fast)]
    assert sizes[0] == 2 * sizes[1]
    assert b"".join(slow.speak(text, lambda: True)) == b""
