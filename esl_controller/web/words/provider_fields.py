"""What fields and features of providers mean, in Portuguese and Spanish. Pure."""

from __future__ import annotations

from esl_controller.web.words import further_fields, speech_fields
from esl_controller.web.words.tongues import Tongues

OF_INTERFACE = "Another interface of the vendor's."

HELPS: dict[str, Tongues] = {**speech_fields.HELPS, **further_fields.HELPS}


def help_of(text: str, language: str) -> str:
    """A meaning of the registry in this language; in English where it is not known in it."""
    known = HELPS.get(text)
    if known is None or language == "en":
        return text
    return known.pt if language == "pt" else known.es
