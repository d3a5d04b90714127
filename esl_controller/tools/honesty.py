"""Whether the agent says that something was done which was not. Pure.

A model that was told of a failure tells the caller of it nearly always. Where it does not, it is
told again. What counts as a claim is a sentence that says it plainly; one with a negation, a
condition or a question mark is none, so that a good answer is never interrupted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from esl_controller.tools.base import FunctionOutcome

MAX_CORRECTIONS = 5
"""In one conversation: a model that does not listen is not argued with for ever."""
_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;]?")
_NO_CLAIM = re.compile(
    r"\?$|n[o']t\b|\b(no|never|cannot|unable|unfortunately|if|once|when|before|as soon|will|would|"
    r"não|nao|nunca|sem|infelizmente|se|quando|assim que|vou|vamos|irei|"
    r"nunca|sin|lamentablemente|si|cuando|en cuanto|voy|vamos)\b",
    re.IGNORECASE,
)
_I_HAVE = r"\b(?:i(?:'ve| have)?(?: just| now)?|we(?:'ve| have)?(?: just| now)?) "
_IS = r"(?:\bis|\bare|'s|'re|\bhas been|\bhave been)(?: now| all)? "
_ESTA = r"\b(?:está|esta|fica|ficou|foi|queda|quedó|ha sido) "


def _claim(english: str, portuguese: str, spanish: str, states: str) -> re.Pattern[str]:
    done = rf"{_I_HAVE}(?:{english})\b|{_IS}(?:{english})\b"
    said = rf"\b(?:{portuguese})\b|\bhe (?:{spanish})\b|{_ESTA}(?:{states})[oa]\b"
    return re.compile(f"{done}|{said}", re.IGNORECASE)


_CLAIMS: Mapping[str, re.Pattern[str]] = {
    "book_appointment": _claim(
        "booked|scheduled|confirmed|reserved|set",
        "agendei|marquei|reservei|confirmei",
        "agendado|reservado|confirmado",
        "agendad|marcad|reservad|confirmad",
    ),
    "cancel_appointment": _claim(
        "cancell?ed", "cancelei|desmarquei", "cancelado|anulado", "cancelad|desmarcad|anulad"
    ),
    "create_ticket": _claim(
        "opened|created|raised|registered",
        "abri|criei|registrei",
        "abierto|creado|registrado",
        "abert|criad|registrad|abiert|cread",
    ),
    "take_message": _claim(
        "noted|taken|left|sent|passed on",
        "anotei|deixei|enviei|registrei",
        "anotado|dejado|enviado",
        "anotad|enviad|registrad",
    ),
    "request_callback": _claim(
        "noted|arranged|scheduled",
        "anotei|agendei|marquei",
        "anotado|programado|agendado",
        "anotad|agendad|marcad|programad",
    ),
}


class Honesty:
    """Of one conversation. Times are seconds since it began."""

    def __init__(self) -> None:
        self._failed: dict[str, tuple[float, str]] = {}
        self.corrections = 0

    def told(self, outcome: FunctionOutcome, at_s: float) -> None:
        """The model has been given a result."""
        name, result = outcome.call.name, outcome.result or {}
        if result.get("done"):
            self._failed.pop(name, None)
        elif name in _CLAIMS and not outcome.cancelled:
            why = result.get("error") or result.get("note") or ""
            self._failed[name] = (at_s, str(why))

    def said(self, text: str, at_s: float) -> str:
        """The agent has said this, from `at_s` on: what it is to be told; empty: nothing."""
        for name, (failed_s, why) in self._failed.items():
            if at_s >= failed_s and claims(name, text) and self.corrections < MAX_CORRECTIONS:
                del self._failed[name]
                self.corrections += 1
                return (
                    f"[{name} was not done: {why} What you have just told the caller is not true. "
                    "Apologise and say in one sentence how it really is.]"
                )
        return ""


def claims(name: str, text: str) -> bool:
    """Whether a text says that what this function does was done."""
    claim = _CLAIMS[name]
    sentences = (found[0].strip() for found in _SENTENCE.finditer(text))
    return any(claim.search(one) and not _NO_CLAIM.search(one) for one in sentences)
