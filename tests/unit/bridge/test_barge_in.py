"""What a sound that silenced the agent was: by its words, its length, and who hears it."""

from __future__ import annotations

import pytest

from bridge.session.back_channels import has_words, is_back_channel
from bridge.session.barge_in import (
    INSISTING_S,
    LASTING_MS,
    LATE_WORDS_S,
    PAUSE_MS,
    SPOKEN_MS,
    WORDS_WAIT_S,
    BargeIn,
    Heard,
    TurnTaking,
    Verdict,
)

TOLD = {"words_come": True, "tells_turns": True}
HIDDEN = {"words_come": True, "tells_turns": False}
OURS = {"words_come": False, "tells_turns": False}


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
    assert made.words("sim", much_left=False) is Verdict.INTERRUPTION, "it answers the agent"
    made.stopped(10.5, expects_answer=True)
    assert made.words(" ", much_left=True) is Verdict.NOISE
    assert doubt(back_channels=False).words("sim", much_left=True) is Verdict.INTERRUPTION


def test_a_provider_that_heard_nothing_is_believed():
    assert doubt().stopped(10.4, expects_answer=False) is Verdict.NOISE


def test_a_voice_that_lasts_interrupts():
    made = doubt()
    assert made.look(10.9, Heard(LASTING_MS - 20, 0, **TOLD)) is Verdict.OPEN
    assert made.look(11.0, Heard(LASTING_MS, 0, **TOLD)) is Verdict.INTERRUPTION


def test_words_that_do_not_come():
    for voice_ms, verdict in ((SPOKEN_MS, Verdict.INTERRUPTION), (200, Verdict.NOISE)):
        made = doubt()
        made.stopped(10.5, expects_answer=True)
        heard = Heard(voice_ms, 500, **TOLD)
        assert made.look(10.5 + WORDS_WAIT_S - 0.01, heard) is Verdict.OPEN
        assert made.look(10.5 + WORDS_WAIT_S, heard) is verdict


def test_our_ear_finds_the_end_where_nobody_tells_it():
    made = doubt()
    assert made.look(10.2, Heard(200, PAUSE_MS - 20, **OURS)) is Verdict.OPEN
    assert made.look(10.3, Heard(200, PAUSE_MS, **OURS)) is Verdict.NOISE
    made = doubt()
    made.look(10.3, Heard(SPOKEN_MS, PAUSE_MS, **HIDDEN))
    made.look(10.5, Heard(SPOKEN_MS + 100, 0, **HIDDEN))  # the caller goes on
    assert made.stopped_at is None


def test_a_provider_that_insists():
    loud, quiet = Heard(300, 100, **TOLD), Heard(100, 2000, **TOLD)
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
