"""What callers are told of a recording, whether they heard it, and which words pause it."""

from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.calls.notice import (
    MAX_TRIES,
    Heard,
    NoticeWatch,
    greeting_of,
    names_any,
    notice_of,
    pause_words_of,
)

NOTICE = "This call is recorded."


def secretary(**fields: Any) -> Any:
    common = {
        "record_calls": True,
        "recording_consent": "announce",
        "recording_notice": None,
        "recording_pause_words": (),
        "first_message": "Hello.",
        "language": None,
    }
    return SimpleNamespace(**(common | fields))


def test_the_notice_goes_before_the_greeting_in_the_callers_language() -> None:
    assert greeting_of(secretary()) == f"{NOTICE} Hello."
    assert "gravada" in notice_of(secretary(language="pt-BR"))
    assert "2" in notice_of(secretary(language="es", recording_consent="ask"))
    assert notice_of(secretary(recording_notice="We record.")) == "We record."
    assert greeting_of(secretary(recording_consent="none")) == "Hello."
    assert greeting_of(secretary(record_calls=False)) == "Hello."


def test_it_was_heard_when_it_was_said_whole_and_silence_followed() -> None:
    watch = NoticeWatch(NOTICE)
    assert watch.fell_silent() is None, "nothing was said yet"
    watch.said("a", "This call is recorded. Hello.", interrupted=False)
    assert watch.fell_silent() is Heard.HEARD


def test_who_talks_over_it_has_not_heard_it_until_it_comes_again() -> None:
    watch = NoticeWatch(NOTICE)
    watch.said("a", "This call is recorded. Hello.", interrupted=False)
    watch.said("a", "This call is", interrupted=True)
    assert watch.fell_silent() is Heard.NOT_YET
    assert watch.fell_silent() is None
    watch.said("b", "By the way, this call is being recorded.", interrupted=False)
    assert watch.fell_silent() is Heard.HEARD


def test_after_some_answers_without_it_nothing_is_recorded() -> None:
    watch = NoticeWatch(NOTICE)
    found = []
    for place in range(MAX_TRIES):
        watch.said(str(place), "Certainly.", interrupted=False)
        found.append(watch.fell_silent())
    assert found == [*([Heard.NOT_YET] * (MAX_TRIES - 1)), Heard.NEVER]


@pytest.mark.parametrize(
    ("language", "text", "pauses"),
    [
        ("en", "What is your CARD number, please?", True),
        ("en", "The cvv?", True),
        ("en", "A postcard numbered five", False),
        ("pt-BR", "Qual é o número do cartão?", True),
        ("es", "Dígame el número de tarjeta", True),
        (None, "", False),
    ],
)
def test_words_that_pause(language: str | None, text: str, pauses: bool) -> None:
    assert names_any(text, pause_words_of(secretary(language=language))) is pauses


def test_a_tenants_own_words_go_before_ours() -> None:
    words = pause_words_of(secretary(recording_pause_words=("senha",)))
    assert names_any("Qual é a sua senha?", words)
    assert not names_any("card number", words)
