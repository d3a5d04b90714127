"""What callers are told of a recording, and whether they have heard it. Pure."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping

from esl_controller.database.models import SecretaryRealtime

MAX_TRIES = 3
"""Answers in which the notice may come; then the call is not recorded."""
ENOUGH = 0.6
"""Share of the notice's words that must be in what the agent said."""
REFUSAL_DIGIT = "2"

_NOTICES: Mapping[str, tuple[str, str]] = {
    "en": (
        "This call is recorded.",
        f"If you do not agree, say so or press {REFUSAL_DIGIT}.",
    ),
    "pt": (
        "Esta ligação está sendo gravada.",
        f"Se não concordar, diga que não ou tecle {REFUSAL_DIGIT}.",
    ),
    "es": (
        "Esta llamada se está grabando.",
        f"Si no está de acuerdo, dígalo o pulse {REFUSAL_DIGIT}.",
    ),
}
_PAUSE_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("card number", "credit card", "debit card", "security code", "expiry date", "cvv"),
    "pt": (
        "número do cartão",
        "numero do cartao",
        "cartão de crédito",
        "cartão de débito",
        "código de segurança",
        "codigo de seguranca",
        "cvv",
    ),
    "es": (
        "número de tarjeta",
        "número de la tarjeta",
        "tarjeta de crédito",
        "tarjeta de débito",
        "código de seguridad",
        "cvv",
    ),
}
_WORD = re.compile(r"\w{3,}")
_ANY_WORD = re.compile(r"[^\W_]+")


def notice_of(secretary: SecretaryRealtime) -> str:
    """The words callers of a secretary are told; empty where they are told nothing."""
    if not secretary.record_calls or secretary.recording_consent == "none":
        return ""
    said, refusal = _NOTICES.get(_language(secretary), _NOTICES["en"])
    asks = secretary.recording_consent == "ask"
    return secretary.recording_notice or (f"{said} {refusal}" if asks else said)


def greeting_of(secretary: SecretaryRealtime, words: str) -> str:
    """What the agent says first: the notice, then the tenant's own `words`."""
    return " ".join(filter(None, (notice_of(secretary), words)))


def pause_words_of(secretary: SecretaryRealtime) -> tuple[str, ...]:
    """Words before which a recording pauses: the tenant's own, else ours in its language."""
    own = tuple(secretary.recording_pause_words)
    return own or _PAUSE_WORDS.get(_language(secretary), _PAUSE_WORDS["en"])


def names_any(text: str, words: Iterable[str]) -> bool:
    """Whether one of `words` is in `text`, as words of their own."""
    said = _as_words(text)
    return any(_as_words(one) in said for one in words)


def _as_words(text: str) -> str:
    """Between blanks, without signs or capitals."""
    return f" {' '.join(_ANY_WORD.findall(text.casefold()))} "


def _language(secretary: SecretaryRealtime) -> str:
    return (secretary.language or "en").partition("-")[0].lower()


class Heard(enum.Enum):
    """What is known when the agent has fallen silent."""

    HEARD = "heard"
    NOT_YET = "not_yet"
    NEVER = "never"
    """MAX_TRIES answers went by without it."""


class NoticeWatch:
    """Follows what the agent said until the caller has heard the notice whole."""

    def __init__(self, notice: str) -> None:
        self._wanted = set(_WORD.findall(notice.casefold()))
        self._told: dict[str, bool] = {}
        """By the name of what was said, whether it held the notice and was heard whole."""
        self._spoke = False
        self._tries = 0

    def said(self, item: str, text: str, *, interrupted: bool) -> None:
        """Something the agent said, or what was said is now known to have been cut off."""
        self._spoke = True
        words = set(_WORD.findall(text.casefold()))
        share = len(self._wanted & words) / max(1, len(self._wanted))
        self._told[item] = share >= ENOUGH and not interrupted

    def fell_silent(self) -> Heard | None:
        """The agent says nothing now. None: it has said nothing new since the last time."""
        if not self._spoke:
            return None
        self._spoke = False
        if any(self._told.values()):
            return Heard.HEARD
        self._tries += 1
        return Heard.NEVER if self._tries >= MAX_TRIES else Heard.NOT_YET
