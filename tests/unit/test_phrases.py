"""The recordings that cover a wait."""

import pytest

from bridge.audio.formats import L16_8K
from esl_controller.calls.phrases import DEFAULT_LANGUAGE, Phrase, phrase_audio
from esl_controller.simulator.hearing import AUDIBLE
from esl_controller.simulator.switch.sound import level

FRAME_BYTES = L16_8K.bytes_per_frame
LANGUAGES = ("en", "es", "pt")


def loud_frames(data: bytes) -> list[int]:
    starts = range(0, len(data), FRAME_BYTES)
    return [n for n, at in enumerate(starts) if level(data[at : at + FRAME_BYTES]) >= AUDIBLE]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phrase", Phrase)
def test_silence_at_its_ends_would_add_to_the_silence_it_covers(phrase, language):
    data, _ = phrase_audio(phrase, language)
    loud = loud_frames(data)
    assert loud[0] * 20 <= 40
    assert len(data) // 16 - loud[-1] * 20 <= 120


def test_a_language_is_meant_by_its_first_part_and_english_is_understood_by_all():
    assert phrase_audio(Phrase.ONE_MOMENT, "pt-BR") == phrase_audio(Phrase.ONE_MOMENT, "pt")
    english = phrase_audio(Phrase.ONE_MOMENT, DEFAULT_LANGUAGE)
    for language in (None, "", "xx", "de-AT"):
        assert phrase_audio(Phrase.ONE_MOMENT, language) == english
    assert len({phrase_audio(Phrase.ONE_MOMENT, language)[0] for language in LANGUAGES}) == 3
