"""What columns mean, in Spanish; English and Portuguese stand at the columns themselves. Pure."""

from __future__ import annotations

from esl_controller.tenants.checks import Words
from esl_controller.web.words import other_columns, secretary_columns

SPANISH: dict[str, str] = {**secretary_columns.SPANISH, **other_columns.SPANISH}


def help_of(meaning: Words, language: str) -> str:
    """The meaning in this language."""
    if language == "pt":
        return meaning.pt
    return SPANISH.get(meaning.en, meaning.en) if language == "es" else meaning.en
