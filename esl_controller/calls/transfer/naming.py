"""What a caller calls somebody, compared with what a tenant has written down. Pure.

Nobody is guessed: a name fits when it is said whole, or when its words fit one name alone.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_COUNTING = (
    "zero one two three four five six seven eight nine",
    "zero um dois tres quatro cinco seis sete oito nove",
    "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "oh uma duas",
)
_DIGITS = {word: str(n) for words in _COUNTING for n, word in enumerate(words.split())}
_DIGITS |= {"meia": "6", "star": "*", "asterisco": "*", "estrela": "*"}
_KINDS_OF_THINGS = (
    "extension ext ramal ramais extensao anexo interno number numero no department departamento "
    "dept setor sector area"
)
_SMALL_WORDS = (
    "the of my a an o os as el la los las to with for de da do dos das del para com con at please "
    "por favor mr mrs ms dr dra sr sra senhor senhora senor senora"
)
_FILLERS = frozenset(f"{_KINDS_OF_THINGS} {_SMALL_WORDS}".split())
"""Words that say what kind of thing is meant, or nothing."""
_MAILBOX = re.compile(r"\b(voice ?mail|mail ?box|correio de voz|caixa postal|buzon(?: de voz)?)\b")
_WORD = re.compile(r"[a-z0-9]+|[*#+]")
CLOSE = 0.6
MAX_NEAR = 5


class Match(NamedTuple):
    """Which of the names offered fit, by index; `near` are those that might have been meant."""

    fits: tuple[int, ...]
    near: tuple[int, ...] = ()


def plain(text: str) -> str:
    """Without accents, case and punctuation, one blank between words."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(_WORD.findall(bare))


def number_said(text: str) -> str:
    """The number in "extension 201" or "dois zero um"; empty when something else was said too."""
    words = [word for word in plain(text).split() if word not in _FILLERS or word in _DIGITS]
    digits = [_DIGITS.get(word, word) for word in words]
    joined = "".join(digits)
    return joined if joined and re.fullmatch(r"[0-9*#+]+", joined) else ""


def mailbox_owner(text: str) -> str | None:
    """Whose mailbox is meant; None when none is."""
    said = plain(text)
    return plain(_MAILBOX.sub(" ", said)) if _MAILBOX.search(said) else None


def match(said: str, offered: Sequence[Iterable[str]]) -> Match:
    """Compare what was said with the names of each that is offered.

    A whole name wins over a part: "vendas" is Vendas, whatever else is called Vendas 2. A part
    counts when it fits one alone, and what it leaves out is no number: "vendas" might be Vendas 2,
    but is asked about.
    """
    wanted = _words(said)
    if not wanted:
        return Match(())
    names = [[_words(name) for name in one] for one in offered]
    exact = tuple(i for i, own in enumerate(names) if wanted in own)
    if exact:
        return Match(exact)
    partly = {i: own for i, own in enumerate(names) if any(_is_part(wanted, n) for n in own)}
    if len(partly) == 1:
        ((only, own),) = partly.items()
        left_out = (set(n) - set(wanted) for n in own if _is_part(wanted, n))
        if any(not word.isdigit() for word in wanted) and not any(
            word.isdigit() for words in left_out for word in words
        ):
            return Match((only,))
        return Match((), (only,))
    if partly:
        return Match(tuple(partly))
    return Match((), _close(" ".join(wanted), names))


def _words(text: str) -> tuple[str, ...]:
    """Words that tell one from another; all of them where none does."""
    words = plain(text).split()
    return tuple(word for word in words if word not in _FILLERS) or tuple(words)


def _is_part(wanted: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return bool(name) and set(wanted) < set(name)


def _close(said: str, names: Sequence[Sequence[tuple[str, ...]]]) -> tuple[int, ...]:
    """Those that sound alike, the most alike first."""
    score = difflib.SequenceMatcher(autojunk=False)
    score.set_seq2(said)
    found = []
    for index, own in enumerate(names):
        ratios = []
        for name in own:
            score.set_seq1(" ".join(name))
            if score.real_quick_ratio() >= CLOSE and score.quick_ratio() >= CLOSE:
                ratios.append(score.ratio())
        if ratios and max(ratios) >= CLOSE:
            found.append((-max(ratios), index))
    return tuple(index for _, index in sorted(found)[:MAX_NEAR])
