"""Words with which a listener says "go on": they do not take the floor.

By language; where it is not known, those of all of them. A yes that answers a question is the same
word: whoever asks must know whether the agent is about to wait for one (`bridge.session.barge_in`).
"""

from __future__ import annotations

import re
import unicodedata

MAX_WORDS = 4
"""Longer than that is a sentence, whatever its words."""

_EVERYWHERE = "ok okay okey hm hmm hum mm mhm mmhm mmhmm mm-hmm uh-huh uhuh ah oh ahn aha ha uh um"
_BY_LANGUAGE = {
    "en": "yeah yes yep yup right sure alright fine true exactly cool good great nice "
    "i see got it of course indeed uh huh go on all so really wow",
    "pt": "sim tá ta tá bom certo aham uhum ahã arrã é eh isso entendi claro beleza exato "
    "hã né bem legal perfeito ótimo pois tá ok aí",
    "es": "sí si vale claro ajá ya bueno bien entiendo de acuerdo eso exacto perfecto correcto "
    "aja muy",
    "fr": "oui ouais d'accord bien voilà exact je vois",
    "de": "ja jaja genau gut stimmt klar richtig verstehe aha",
    "it": "sì si certo va bene esatto capisco giusto già",
}
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


def _folded(text: str) -> str:
    """Lower case, without accents: transcriptions differ in them."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


_WORDS = {
    language: frozenset(_folded(f"{words} {_EVERYWHERE}").split())
    for language, words in _BY_LANGUAGE.items()
}
_ALL = frozenset[str]().union(*_WORDS.values())


def _known(language: str | None) -> frozenset[str]:
    return _WORDS.get((language or "").lower().partition("-")[0], _ALL)


def is_back_channel(text: str, language: str | None) -> bool:
    """Whether `text` only says that its speaker is listening; `language` is BCP 47."""
    known, words = _known(language), _WORD.findall(_folded(text))
    return 0 < len(words) <= MAX_WORDS and all(word in known for word in words)


def may_become_one(text: str, language: str | None) -> bool:
    """The same of words that are still being written down: the last may be a piece of one."""
    known, words = _known(language), _WORD.findall(_folded(text))
    if not 0 < len(words) <= MAX_WORDS or not all(word in known for word in words[:-1]):
        return False
    return any(word.startswith(words[-1]) for word in known)


def has_words(text: str) -> bool:
    """Whether anything was understood: transcriptions of noise are empty, or punctuation."""
    return _WORD.search(text) is not None or any(char.isdigit() for char in text)
