"""A provider that need not tell that it hears the caller, and does not hear him."""

from __future__ import annotations

from bridge.providers import base as p
from bridge.session.deaf import ANSWER_S, SENTENCE_S, DeafWatch, Unheard
from tests.unit.bridge.doubles import TELLS
from tests.unit.bridge.session_kit import HIDES, LOUD, QUIET


def sentence(watch: DeafWatch, begin: float, told: int, *, told_after: int | None = None):
    watch.voice_began(begin, told)
    watch.voice_ended(begin + 1.0)
    assert watch.look(begin + 1.0 + ANSWER_S / 2, told) is None
    return watch.look(begin + 1.0 + ANSWER_S, told if told_after is None else told_after)


def test_the_first_sentence_is_asked_for_again_and_the_second_ends_it():
    watch = DeafWatch()
    assert sentence(watch, 0.0, 5) is Unheard.ASK_AGAIN
    assert sentence(watch, 5.0, 5) is Unheard.REPLACE


def test_any_sign_of_hearing_is_enough():
    watch = DeafWatch()
    assert sentence(watch, 0.0, 5, told_after=6) is None
    assert sentence(watch, 5.0, 6) is Unheard.ASK_AGAIN
    assert sentence(watch, 10.0, 7) is Unheard.ASK_AGAIN, "it heard something in between"


def test_a_cough_is_nothing():
    watch = DeafWatch()
    watch.voice_began(0.0, 5)
    watch.voice_ended(SENTENCE_S - 0.1)
    assert watch.look(10.0, 5) is None


def test_another_provider_begins_anew():
    watch = DeafWatch()
    assert sentence(watch, 0.0, 5) is Unheard.ASK_AGAIN
    watch.forget()
    assert sentence(watch, 5.0, 5) is Unheard.ASK_AGAIN


def speak(s):
    s.hear(LOUD, 1.2)
    began = len(s.told.events)
    s.hear(QUIET, 1.9)
    return s.told.names()[began:]


def test_a_deaf_agent_is_replaced_after_the_second_sentence(stage):
    s = stage(HIDES, TELLS).talking()
    assert "phrase_due" in speak(s)
    assert not s.hosts[0].closed
    assert "answer_late" in speak(s)
    assert s.hosts[0].closed
    assert [code for _, code, _ in s.told.of("provider_trouble")] == ["deaf"]
    s.reconnect().ready()
    assert s.host.protocol.audio, "it hears the sentence"


def test_an_agent_that_answers_is_not_suspected(stage):
    s = stage(HIDES, TELLS).talking()
    for number in range(3):
        s.hear(LOUD, 1.2)
        s.events(p.ResponseStarted(f"r{number}"))
        s.answer(f"r{number}", ms=100)
        s.hear(QUIET, 2.0)
    assert "phrase_due" not in s.told.names()
    assert len(s.hosts) == 1
