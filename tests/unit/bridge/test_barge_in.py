"""What a sound that silenced the agent was: by its words, its length, and who hears it."""

from __future__ import annotations

import pytest

from bridge.providers.base import Turns
from bridge.session.back_channels import has_words, is_back_channel
from bridge.session.barge_in import (
    INSISTING_S,
    LASTING_MS,
    LATE_WORDS_S,
    PAUSE_MS,
    SPOKEN_MS,
    UNVOICED_WAIT_S,
    VOICED_MS,
    WORDS_WAIT_S,
    BargeIn,
    Heard,
    TurnTaking,
    Verdict,
)

TOLD, HIDDEN, OURS = Turns.TOLD, Turns.HIDDEN, Turns.OURS


def heard(loud_ms: int, quiet_ms: int, turns: Turns = TOLD, **more) -> Heard:
    return Heard(loud_ms, quiet_ms, more.pop("voiced_ms", 0), more.pop("words_come", True), turns)


def doubt(**rules) -> BargeIn:
    made = BargeIn(TurnTaking(resumes=True, **rules), "pt-BR")
    made.begin(10.0, "t1")
    return made


@pytest.mark.parametrize(
    ("text", "language", "is_one"),
    [
        ("Uh-huh.", "en-US", True),
        ("Sim, sim.", "pt-BR", True),
        ("tá bom", "pt", True),
        ("TA BOM", "pt", True),
        ("Aham", None, True),
        ("vale, vale", "es", True),
        ("sim", "en", False),
        ("sim, mas eu queria outra coisa", "pt", False),
        ("yes yes yes yes yes", "en", False),
        ("stop", "en", False),
        ("12", "en", False),
        ("", "en", False),
    ],
)
def test_words_that_ask_to_go_on(text, language, is_one):
    assert is_back_channel(text, language) is is_one


def test_what_is_no_word():
    assert [has_words(text) for text in ("", " … ", "?!", "ok", "12")] == [False] * 3 + [True] * 2


def test_words_decide():
    made = doubt()
    assert made.words("", much_left=True) is Verdict.OPEN, "more may come"
    assert made.words("pare", much_left=True) is Verdict.INTERRUPTION
    assert made.words("sim sim", much_left=True) is Verdict.BACK_CHANNEL
    assert made.words("sim", much_left=True, whole=False) is Verdict.OPEN, "sim, mas…"
    assert made.words("sim, si", much_left=True, whole=False) is Verdict.OPEN
    assert made.words("sim, mas", much_left=True, whole=False) is Verdict.INTERRUPTION
    assert made.words("sim", much_left=False) is Verdict.INTERRUPTION, "it answers the agent"
    made.stopped(10.5, expects_answer=True)
    assert made.words(" ", much_left=True) is Verdict.NOISE
    assert doubt(back_channels=False).words("sim", much_left=True) is Verdict.INTERRUPTION


def test_a_provider_that_heard_nothing_is_believed():
    assert doubt().stopped(10.4, expects_answer=False) is Verdict.NOISE


def test_a_voice_that_lasts_interrupts():
    made = doubt()
    assert made.look(10.9, heard(LASTING_MS - 20, 0)) is Verdict.OPEN
    assert made.look(11.0, heard(LASTING_MS, 0)) is Verdict.INTERRUPTION


def test_words_that_do_not_come():
    for voice_ms, verdict in ((SPOKEN_MS, Verdict.INTERRUPTION), (200, Verdict.NOISE)):
        made = doubt()
        made.stopped(10.5, expects_answer=True)
        assert made.look(10.5 + WORDS_WAIT_S - 0.01, heard(voice_ms, 500)) is Verdict.OPEN
        assert made.look(10.5 + WORDS_WAIT_S, heard(voice_ms, 500)) is verdict


def test_where_nothing_is_written_down_a_pitch_tells_a_word_from_a_cough():
    for voiced_ms, verdict in ((VOICED_MS, Verdict.INTERRUPTION), (40, Verdict.NOISE)):
        sound = heard(240, PAUSE_MS, OURS, voiced_ms=voiced_ms, words_come=False)
        assert doubt().look(10.5, sound) is verdict


def test_what_our_ear_found_is_asked_for_once_and_again_when_more_is_said():
    made = doubt()
    made.look(10.3, heard(200, PAUSE_MS - 20, OURS))
    assert not made.must_ask
    assert made.look(10.4, heard(200, PAUSE_MS, OURS)) is Verdict.OPEN
    assert made.must_ask
    made.asked_at = 10.4
    assert not made.must_ask
    made.look(10.5, heard(260, 0, OURS))  # the caller goes on
    made.look(10.9, heard(260, PAUSE_MS, OURS))
    assert made.must_ask


def test_our_ear_finds_the_end_where_nobody_tells_it():
    made = doubt()
    unwritten = {"words_come": False}
    assert made.look(10.2, heard(200, PAUSE_MS - 20, OURS, **unwritten)) is Verdict.OPEN
    assert made.look(10.3, heard(200, PAUSE_MS, OURS, **unwritten)) is Verdict.NOISE
    made = doubt()
    made.look(10.3, heard(SPOKEN_MS, PAUSE_MS, HIDDEN))
    made.look(10.5, heard(SPOKEN_MS + 100, 0, HIDDEN))  # the caller goes on
    assert made.stopped_at is None


def test_a_sound_without_a_voice_is_not_waited_for_long():
    for voiced_ms, waits_s in ((60, WORDS_WAIT_S), (0, UNVOICED_WAIT_S)):
        made, sound = doubt(), heard(200, PAUSE_MS, HIDDEN, voiced_ms=voiced_ms)
        made.look(10.5, sound)
        assert made.look(10.5 + waits_s - 0.05, sound) is Verdict.OPEN
        assert made.look(10.5 + waits_s + 0.05, sound) is Verdict.NOISE


def test_a_provider_that_insists():
    loud, quiet = heard(300, 100), heard(100, 2000)
    assert doubt().look(10.0 + INSISTING_S, loud) is Verdict.INTERRUPTION
    assert doubt().look(10.0 + INSISTING_S, quiet) is Verdict.NOISE


def test_words_that_come_too_late_still_interrupt():
    made = doubt()
    made.end(11.0, Verdict.NOISE)
    assert not made.was_wrong("t2", "pare", 11.5)
    assert made.was_wrong("t1", "pare", 11.5)
    assert not made.was_wrong("t1", "pare", 11.6), "once"
    made.begin(20.0, "t3")
    made.end(21.0, Verdict.BACK_CHANNEL)
    assert not made.was_wrong("t3", "pare", 21.0 + LATE_WORDS_S + 0.1)
