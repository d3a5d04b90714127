"""Dates and times as people say them, in the languages of our own phrases. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class _Words:
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    date: str
    """With {day} and {month}."""
    today: str
    tomorrow: str
    on: tuple[str, str]
    """Before a weekday: Monday to Friday, Saturday and Sunday."""
    on_date: str
    time: tuple[str, str]
    """Before the clock: at one o'clock, at any other hour."""


_EN = _Words(
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "{day} {month}",
    "today",
    "tomorrow",
    ("on", "on"),
    "on",
    ("at", "at"),
)
_PT = _Words(
    (
        *(f"{day}-feira" for day in ["segunda", "terça", "quarta", "quinta", "sexta"]),
        "sábado",
        "domingo",
    ),
    (
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ),
    "{day} de {month}",
    "hoje",
    "amanhã",
    ("na", "no"),
    "no dia",
    ("à", "às"),
)
_ES = _Words(
    ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    (
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ),
    "{day} de {month}",
    "hoy",
    "mañana",
    ("el", "el"),
    "el",
    ("a la", "a las"),
)
_FIRST = "1º"
"""Brazil counts the first of a month, `1º de dezembro`; Portugal does not."""
_WORDS = {"en": _EN, "pt": _PT, "es": _ES}


def primary(language: str | None) -> str:
    """The language of a tag without its country, English where it is not known: `pt` of `pt-BR`."""
    return (language or "en").replace("_", "-").partition("-")[0].lower()


def date_words(day: datetime, language: str | None) -> str:
    """Such as `Monday, 30 November 2026`."""
    words = _WORDS.get(primary(language), _EN)
    year = f" de {day.year}" if words is not _EN else f" {day.year}"
    return f"{words.weekdays[day.weekday()]}, {_date(day, words, language)}{year}"


def clock_words(moment: datetime) -> str:
    """Such as `14:05`."""
    return f"{moment.hour}:{moment:%M}"


def when_words(then: datetime, now: datetime, language: str | None) -> str:
    """A moment to come, as one says it at `now`: `tomorrow at 9:00`. Both in the same zone."""
    words = _WORDS.get(primary(language), _EN)
    time = f"{words.time[then.hour != 1]} {clock_words(then)}"
    days = (then.date() - now.date()).days
    if days < 2:
        return f"{words.today if days < 1 else words.tomorrow} {time}"
    if days < 7:
        weekday = then.weekday()
        return f"{words.on[weekday > 4]} {words.weekdays[weekday]} {time}"
    return f"{words.on_date} {_date(then, words, language)} {time}"


def _date(day: datetime, words: _Words, language: str | None) -> str:
    number = _FIRST if day.day == 1 and _is_brazilian(language) else str(day.day)
    return words.date.format(day=number, month=words.months[day.month - 1])


def _is_brazilian(language: str | None) -> bool:
    region = (language or "").replace("_", "-").partition("-")[2]
    return primary(language) == "pt" and region.upper() != "PT"
