from datetime import datetime

import pytest

from esl_controller.tenants.dates import date_words, when_words

NOW = datetime(2026, 11, 27, 19, 30)  # a Friday


@pytest.mark.parametrize(
    ("then", "english", "portuguese", "spanish"),
    [
        ("2026-11-27T20:05", "today at 20:05", "hoje às 20:05", "hoy a las 20:05"),
        ("2026-11-28T01:00", "tomorrow at 1:00", "amanhã à 1:00", "mañana a la 1:00"),
        (
            "2026-11-30T09:00",
            "on Monday at 9:00",
            "na segunda-feira às 9:00",
            "el lunes a las 9:00",
        ),
        ("2026-11-29T09:00", "on Sunday at 9:00", "no domingo às 9:00", "el domingo a las 9:00"),
        (
            "2027-01-04T08:30",
            "on 4 January at 8:30",
            "no dia 4 de janeiro às 8:30",
            "el 4 de enero a las 8:30",
        ),
    ],
)
def test_a_moment_to_come(then: str, english: str, portuguese: str, spanish: str) -> None:
    moment = datetime.fromisoformat(then)
    said = [when_words(moment, NOW, language) for language in ("en-GB", "pt-BR", "es")]
    assert said == [english, portuguese, spanish]
    assert when_words(moment, NOW, None) == when_words(moment, NOW, "fi") == english


def test_a_date() -> None:
    assert date_words(NOW, "en") == "Friday, 27 November 2026"
    assert date_words(NOW, "pt-PT") == "sexta-feira, 27 de novembro de 2026"
    first = datetime(2026, 12, 1, 9)
    assert date_words(first, "pt-BR") == "terça-feira, 1º de dezembro de 2026"
    assert date_words(first, "pt-PT") == "terça-feira, 1 de dezembro de 2026"
    assert date_words(first, "es-CL") == "martes, 1 de diciembre de 2026"
    assert (
        when_words(first.replace(month=1, year=2027), NOW, "pt") == "no dia 1º de janeiro às 9:00"
    )
